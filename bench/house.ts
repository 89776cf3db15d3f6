/** A whole Weir for a bench: store, collector and app as processes of their own, on free ports, in a directory that goes with them. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { start, WEIR, type Running } from "../tests/weir.ts";

export interface House extends AsyncDisposable {
  readonly appUrl: string;
  readonly storeUrl: string;
  /** The collector's socket. */
  readonly socket: string;
  readonly pids: Readonly<Record<"store" | "collector" | "app", number>>;
}

/** Starts all three with `settings` (WEIR_NETNS, …) and resolves when the app has its pages. The first start builds them. */
export async function startHouse(settings: Readonly<Record<string, string>>): Promise<House> {
  const dir = await mkdtemp(join(tmpdir(), "weir-bench-"));
  const [storePort, appPort] = [await freePort(), await freePort()];
  const env = {
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: String(storePort),
    WEIR_PORT: String(appPort),
    WEIR_METRICS_PORT: "off",
    WEIR_CLICKHOUSE_URL: "",
    WEIR_LOG_FORMAT: "json",
    UV_THREADPOOL_SIZE: "16", // else the store's work is done by a child, whose memory nobody would look at
    ...settings,
  };
  const running: Running[] = [];
  const end = async (): Promise<void> => {
    for (const each of running.toReversed()) await each[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const store = start(WEIR, ["store", "serve"], env);
    running.push(store);
    await store.untilPrints(/"ready":true/);
    const collector = start(WEIR, ["collect"], env);
    running.push(collector);
    await collector.untilSays(/the collector runs/);
    const app = start(WEIR, ["serve"], env);
    running.push(app);
    await app.untilSays(/the screens are at/);
    return {
      appUrl: `http://127.0.0.1:${appPort}`,
      storeUrl: `http://127.0.0.1:${storePort}`,
      socket: join(dir, "run", "collector.sock"),
      pids: { store: store.child.pid!, collector: collector.child.pid!, app: app.child.pid! },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Flags of Chromium without a screen or a GPU. */
export const CHROMIUM = {
  executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
  ],
};

/** Machine, versions, commit and load: what a figure is worth nothing without. */
export function machine(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  }).trim();
  return `${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.version}, commit ${commit}, load average ${loadavg()[0]!.toFixed(1)}`;
}

/** The value below which `share` of the values lie; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** `p99 812 ms ÷ 1,000 ms = 0.81: kept`, and whether it is. */
export function toLimit(
  name: string,
  value: number,
  limit: number,
  unit: string,
): { readonly line: string; readonly kept: boolean } {
  const kept = value <= limit;
  const figure = (of: number): string => of.toLocaleString("en-US", { maximumFractionDigits: of < 10 ? 2 : 0 });
  return {
    line: `${name} ${figure(value)} ${unit} ÷ limit ${figure(limit)} ${unit} = ${(value / limit).toFixed(2)}: ${kept ? "kept" : "missed"}`,
    kept,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
