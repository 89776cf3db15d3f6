/**
 * Whether memory grows: node bench/soak.ts [--minutes 3] [--rate 2000] [--every 5]. One hour is `--minutes 60`.
 *
 * Store, collector and app as processes of their own; real connections between two namespaces (`rate` events a second, four a
 * connection), a browser's worth of questions each second, a viewer on the live stream. VmRSS and VmHWM of each process from
 * /proc/PID/status. The slope is that of the least squares over the second half (the first fills caches), with its standard error:
 * of a few minutes it is only an indication. Limits (issue 10, reliability.md c3): collector 150 MiB, app 512 MiB; a slope of 1 MiB an hour.
 * Needs root, iproute2, a C compiler.
 */
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { machine, startHouse, toLimit, type House } from "./house.ts";
import { LoadWorld } from "./load.ts";

const EVENTS_A_CONNECTION = 4;
const LIMITS_MIB = { collector: 150, app: 512, store: 2000 } as const; // the store's: its memory setting and the process around it
const SLOPE_LIMIT = 1; // MiB an hour
const ASKED = [
  "/api/map",
  "/api/drops",
  "/api/flows?limit=50",
  "/api/status",
  "/api/health",
  "/api/health-series",
  "/metrics",
];

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    rate: { type: "string", default: "2000" },
    every: { type: "string", default: "5" },
  },
});
const minutes = Number(values.minutes);
const everyMs = Number(values.every) * 1000;
type Part = keyof House["pids"];

await using world = new LoadWorld("weirsoak");
await world.serve();
await using house = await startHouse({ WEIR_NETNS: world.inodes.join(",") });
say(machine());
const viewer = new WebSocket(`${house.appUrl.replace("http", "ws")}/ws`, { origin: house.appUrl });
viewer.on("open", () => viewer.send(JSON.stringify({ type: "subscribe", id: "soak", filter: "" })));
let seen = 0;
viewer.on("message", () => seen++);

const ended = new AbortController();
const asking = ask(ended.signal);
const load = world.run("crr", minutes * 60, Number(values.rate) / EVENTS_A_CONNECTION);
const readings: Record<Part, { readonly seconds: number; readonly mib: number }[]> = {
  store: [],
  collector: [],
  app: [],
};
const began = performance.now();
while (performance.now() - began < minutes * 60_000) {
  await wait(everyMs);
  const seconds = (performance.now() - began) / 1000;
  for (const part of Object.keys(readings) as Part[])
    readings[part].push({ seconds, mib: kibOf(house.pids[part], "VmRSS") / 1024 });
}
ended.abort();
const [done, asked] = await Promise.all([load, asking]);
viewer.terminate();

const events = Math.round(done.perSecond * EVENTS_A_CONNECTION);
say(`${minutes} min, ${events} events/s made, ${asked} questions answered, ${seen} live messages; MiB`);
say(
  `${"process".padEnd(10)} ${"start".padStart(7)} ${"end".padStart(7)} ${"most".padStart(7)}   slope of the second half`,
);
let isKept = true;
for (const part of Object.keys(readings) as Part[]) {
  const all = readings[part];
  const late = all.slice(Math.floor(all.length / 2));
  const { slope, error } = leastSquares(late.map(({ seconds, mib }) => [seconds / 3600, mib]));
  const most = kibOf(house.pids[part], "VmHWM") / 1024;
  // Grows for certain: by more than the limit even at the lower end of two standard errors.
  const grows = slope - 2 * error > SLOPE_LIMIT;
  const memory = toLimit("memory", most, LIMITS_MIB[part], "MiB");
  isKept &&= memory.kept && !grows;
  say(
    `${part.padEnd(10)} ${mib(all[0]!.mib)} ${mib(all.at(-1)!.mib)} ${mib(most)}   ${slope.toFixed(1)} ± ${(2 * error).toFixed(1)} MiB/h (limit ${SLOPE_LIMIT}: ${grows ? "missed" : slope + 2 * error > SLOPE_LIMIT ? "too short to tell" : "kept"}); ${memory.line}`,
  );
}
process.exitCode = isKept ? 0 : 1;

/** Asks as an open page does, once a second; how often it was answered. */
async function ask(signal: AbortSignal): Promise<number> {
  let answered = 0;
  while (!signal.aborted) {
    for (const path of ASKED) {
      if (signal.aborted) break;
      const answer = await fetch(`${house.appUrl}${path}`, { signal: AbortSignal.timeout(60_000) });
      await answer.arrayBuffer();
      if (answer.ok) answered++;
    }
    await wait(1000);
  }
  return answered;
}

function leastSquares(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number;
  readonly error: number;
} {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const xx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / xx;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / Math.max(1, n - 2) / xx) };
}

function kibOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}

function mib(value: number): string {
  return value.toFixed(1).padStart(7);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
