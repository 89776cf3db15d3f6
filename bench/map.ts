/**
 * How smoothly the map pans: `node bench/map.ts [--nodes 1000] [--edges 5000] [--seconds 5] [--speed 500] [--runs 3]`.
 * The map's own components (bench/map-page.ts) in headless Chromium at 1600 × 900 without a GPU; a drag by mouse events.
 * Goal: median ≥ 58 frames a second, 95th percentile of the gaps ≤ 20 ms. Exit code 1 when it is missed.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { createViteServer } from "vitest/node";
import type { MapFigures } from "./map-page.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MEDIAN_GOAL = 58;
const P95_GOAL_MS = 20;

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1000" },
    edges: { type: "string", default: "5000" },
    seconds: { type: "string", default: "5" },
    speed: { type: "string", default: "500" },
    runs: { type: "string", default: "3" },
  },
});

const dir = await mkdtemp(join(tmpdir(), "weir-map-bench-"));
await writeFile(
  join(dir, "index.html"),
  `<!doctype html><style>body{margin:0;overflow:hidden;background:#11161c}canvas{position:absolute;inset:0;width:100vw;height:100vh}</style>
<canvas></canvas><canvas></canvas><script type="module" src="/@fs${join(ROOT, "bench/map-page.ts")}"></script>`,
);
const server = await createViteServer({
  configFile: false,
  root: dir,
  cacheDir: join(dir, "cache"),
  logLevel: "error",
  appType: "spa",
  server: { port: 0, host: "127.0.0.1", hmr: false, watch: null, fs: { allow: [ROOT, dir] } },
});
await server.listen();
const browser = await chromium.launch({
  executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
  ],
});
let isMissed = false;
try {
  const [nodes, edges] = [Number(values.nodes), Number(values.edges)];
  const [seconds, speed] = [Number(values.seconds), Number(values.speed)];
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}; Chromium ${browser.version()}, 1600 × 900, no GPU; ` +
      `${nodes} nodes, ${edges} edges; panned for ${seconds} s at ${speed} px/s\n`,
  );
  for (let run = 1; run <= Number(values.runs); run++) {
    const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
    page.on("pageerror", (error) => process.stderr.write(`${error.message}\n`));
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.waitForFunction(() => "measure" in window, undefined, { timeout: 60_000 });
    const load = loadavg()[0]!;
    const figures: MapFigures = await page.evaluate(
      ([n, e, s, v]) =>
        (window as unknown as { measure(n: number, e: number, s: number, v: number): Promise<MapFigures> }).measure(
          n!,
          e!,
          s!,
          v!,
        ),
      [nodes, edges, seconds, speed],
    );
    await page.close();
    const gaps = figures.gaps.toSorted((a, b) => a - b);
    const at = (share: number): number => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))]!;
    const perSecond = 1000 / at(0.5);
    isMissed ||= perSecond < MEDIAN_GOAL || at(0.95) > P95_GOAL_MS;
    process.stdout.write(
      `run ${run}: median ${perSecond.toFixed(1)} frames/s, gaps p95 ${at(0.95).toFixed(1)} ms, worst ${gaps.at(-1)!.toFixed(1)} ms, ` +
        `${gaps.length} frames; whole draw ${figures.drawMs.toFixed(1)} ms; layout ${(figures.layoutMs / 1000).toFixed(2)} s; load average ${load.toFixed(1)}\n`,
    );
  }
} finally {
  await browser.close();
  await server.close();
  await rm(dir, { recursive: true, force: true });
}
process.stdout.write(isMissed ? "the goal is missed\n" : "the goal is met\n");
process.exitCode = isMissed ? 1 : 0;
