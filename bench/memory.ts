/**
 * Resident memory of the collector under load: node bench/memory.ts [seconds] [events a second]. The limit is 150 MiB at 10,000 events/s.
 *
 * `weir collect` as a process of its own, with a store that takes its rows; real connections between two namespaces, four events each
 * (open and close at both ends). VmRSS of /proc/PID/status once a second. Needs root, iproute2, a C compiler.
 */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { cpus, loadavg, release } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { testStore } from "../collector/testing.ts";
import { HealthSnapshot } from "../model/wire/health.ts";
import { start, WEIR } from "../tests/weir.ts";
import { LoadWorld, median } from "./load.ts";

const LIMIT = 150;
const EVENTS_A_CONNECTION = 4;
const seconds = Number(process.argv[2] ?? 60);
const rate = Number(process.argv[3] ?? 10_000);

await using store = await testStore();
await using world = new LoadWorld("weirmem");
await world.serve();
const socket = `${store.dir}/run/collector.sock`;
await using collector = start(WEIR, ["collect"], {
  ...store.env,
  WEIR_LOG_LEVEL: "info",
  WEIR_COLLECT_CPU: "0",
  WEIR_NETNS: world.inodes.join(","),
});
await collector.untilSays(/the collector runs/);
await wait(5000);
const idle = rss();
const before = await health();
const load = world.run("crr", seconds, rate / EVENTS_A_CONNECTION);
const readings: number[] = [];
for (let i = 0; i < seconds; i++) {
  await wait(1000);
  readings.push(rss());
}
await load;
const after = await health();
const took = (after.at - before.at) / 1000;
const made = (after.books.produced - before.books.produced) / took;
const cores = (after.process.cpuSeconds - before.process.cpuSeconds) / took;

const lost = after.books.lost - before.books.lost;
const late = readings.slice(-Math.ceil(readings.length / 2));
process.stdout.write(
  `machine ${cpus()[0]!.model}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.versions.node}, load ${loadavg()[0]!.toFixed(1)}\n`,
);
process.stdout.write(
  `${Math.round(made)} events/s for ${seconds} s, ${cores.toFixed(2)} CPUs, ${lost} lost; idle ${mib(idle)} MiB; under load median ${mib(median(readings))}, second half at most ${mib(Math.max(...late))} MiB (limit ${LIMIT})\n`,
);
process.exitCode = Math.max(...late) / 1024 <= LIMIT ? 0 : 1;

function mib(kib: number): string {
  return (kib / 1024).toFixed(0);
}

function rss(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${collector.child.pid}/status`, "utf8"))![1]);
}

function health(): Promise<HealthSnapshot> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path: "/health" }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve(HealthSnapshot.parse(JSON.parse(text))));
    })
      .on("error", reject)
      .end();
  });
}
