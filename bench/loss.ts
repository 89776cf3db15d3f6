/**
 * How many events a second does the collector take without losing one? node bench/loss.ts [seconds a rate] [rate …]. Goal: 500,000 (issue 10);
 * the long form is node bench/loss.ts 60 500000.
 *
 * Events are made in the kernel (bpf/fill.bpf.c, BPF_PROG_TEST_RUN) on CPU 0, at the rate asked for; the reader runs on the last CPU with the
 * priority that the collector has, and hands columns to a sink that counts. Whatever the rate: made = decoded + lost, to the event.
 */
import { once } from "node:events";
import { cpus, loadavg, release, setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { PROGRAMS } from "../collector/kernel/programs.ts";
import { EbpfSource } from "../collector/sources/ebpf.ts";
import type { FillOrder } from "./fill-ring.worker.ts";
import { pin } from "./pin.ts";

const GOAL = 500_000;
const seconds = Number(process.argv[2] ?? 5);
const asked = process.argv.slice(3).map(Number);
const rates = asked.length > 0 ? asked : [100_000, 250_000, 500_000, 750_000, 1_000_000];
const say = (text: string) => process.stdout.write(`${text}\n`);

setPriority(-10); // as the collector has it (cli/collect.ts)
pin(cpus().length - 1);
say(
  `machine ${cpus()[0]!.model}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.versions.node}, load ${loadavg()[0]!.toFixed(1)}`,
);
let best = 0;
for (const rate of rates) {
  let rows = 0;
  await using source = new EbpfSource({
    sink: (batch) => void (rows += batch.length),
    programs: PROGRAMS.filter(({ name }) => name === "fill"),
  });
  await source.start(new AbortController().signal);
  const order: FillOrder = { program: source.programFd("fill"), cpu: 0, perSecond: rate, seconds };
  const before = process.cpuUsage();
  const worker = new Worker(new URL("fill-ring.worker.ts", import.meta.url), { workerData: order });
  const [answer] = (await once(worker, "message")) as [{ made: number; seconds: number }];
  source.flush();
  const used = process.cpuUsage(before);
  const sum = (field: "produced" | "lost" | "decoded") =>
    source.counters().rows.reduce((total, row) => total + row[field], 0);
  const [produced, lost, decoded] = [sum("produced"), sum("lost"), sum("decoded")];
  if (produced !== answer.made || decoded !== rows || produced !== decoded + lost)
    throw new Error(`the books do not balance: ${JSON.stringify({ ...answer, produced, decoded, rows, lost })}`);
  const reached = Math.round(produced / answer.seconds);
  if (lost === 0 && reached > best) best = reached;
  say(
    `${rate} events/s asked, ${reached} made for ${answer.seconds.toFixed(1)} s: ${produced} made = ${decoded} decoded + ${lost} lost; fullest ring ${(source.counters().ringUse * 100).toFixed(0)} %, ${((used.user + used.system) / 1e6 / answer.seconds).toFixed(2)} CPUs with making them`,
  );
}
say(`highest rate without loss: ${best} events/s (goal ${GOAL})`);
process.exitCode = best >= GOAL * 0.99 ? 0 : 1;
