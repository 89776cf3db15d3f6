/**
 * What observing costs the traffic: node bench/overhead.ts [rounds] [seconds a run]. Request/response, connect-request-close and bulk
 * between two namespaces, with all programs attached ÷ bare, in turns in one run; limits 0.98, 0.90, 0.99 (issue 10).
 *
 * Both ends of every connection are observed, client and server share CPU 0 (the worst case: nothing hides behind another CPU), the reader
 * drains on the last CPU as the collector does. Each observed run stands between two bare ones and is compared with their mean; the
 * median of the rounds counts, since a machine has moods. Judged by what a second of CPU of both ends does, which others on the machine
 * hardly disturb; by the clock it is told, too. Needs root, iproute2, a C compiler, at least 2 CPUs.
 */
import { cpus, loadavg, release } from "node:os";
import { EbpfSource } from "../collector/sources/ebpf.ts";
import { LoadWorld, median, type LoadKind } from "./load.ts";
import { pin } from "./pin.ts";

const LIMITS: Readonly<Record<LoadKind, number>> = { rr: 0.98, crr: 0.9, bulk: 0.99 };
const WORDS: Readonly<Record<LoadKind, string>> = {
  rr: "request/response",
  crr: "connect-request-close",
  bulk: "bulk",
};
const rounds = Number(process.argv[2] ?? 12);
const seconds = Number(process.argv[3] ?? 1);

pin(cpus().length - 1);
await using world = new LoadWorld("weirovh");
await world.serve(0);
const say = (text: string) => process.stdout.write(`${text}\n`);
say(
  `machine ${cpus()[0]!.model}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.versions.node}, load ${loadavg()[0]!.toFixed(1)}; ${rounds} rounds of ${seconds} s`,
);
const kinds = Object.keys(LIMITS) as LoadKind[];
type Run = Awaited<ReturnType<LoadWorld["run"]>>;
const bare = new Map(kinds.map((kind) => [kind, [] as Run[]]));
const observed = new Map(kinds.map((kind) => [kind, [] as Run[]]));
let lost = 0;
let events = 0;
for (const kind of kinds) await world.run(kind, seconds, 0, "v4", 0); // neighbours, caches
for (let round = 0; round <= rounds; round++) {
  for (const kind of kinds) bare.get(kind)!.push(await world.run(kind, seconds, 0, "v4", 0));
  if (round === rounds) break;
  await using source = new EbpfSource({ sink: (batch) => void (events += batch.length) });
  await source.start(new AbortController().signal);
  for (const kind of kinds) observed.get(kind)!.push(await world.run(kind, seconds, 0, "v4", 0));
  await source[Symbol.asyncDispose]();
  lost += source.counters().rows.reduce((sum, row) => sum + row.lost, 0);
}
let holds = true;
for (const kind of kinds) {
  const wall = ratiosOf(kind, ({ perSecond }) => perSecond);
  const cpu = ratiosOf(kind, ({ perCpuSecond }) => perCpuSecond);
  holds &&= median(cpu) >= LIMITS[kind];
  const rate = median(bare.get(kind)!.map(({ perSecond }) => perSecond));
  const scale = kind === "bulk" ? `${((rate * 8) / 1e9).toFixed(1)} Gbit/s` : `${Math.round(rate)}/s`;
  say(
    `${WORDS[kind].padEnd(22)} by CPU time ${spread(cpu)}, by the clock ${spread(wall)}; limit ${LIMITS[kind]}; bare ${scale}`,
  );
}
say(`${events} events, ${lost} lost`);
process.exitCode = holds ? 0 : 1;

/** Observed ÷ the mean of the bare runs before and after it, round by round. */
function ratiosOf(kind: LoadKind, value: (run: Run) => number): number[] {
  const without = bare.get(kind)!.map(value);
  return observed.get(kind)!.map((run, i) => value(run) / ((without[i]! + without[i + 1]!) / 2));
}

/** Median and quartiles. */
function spread(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)]!.toFixed(3);
  return `${median(sorted).toFixed(3)} (${at(0.25)}–${at(0.75)})`;
}
