/** Fills rings at a given rate, from one CPU: a thread of bench/loss.ts and collector/sources/ebpf.loss.test.ts. Answers how many events it made. */
import { parentPort, workerData } from "node:worker_threads";
import { addressOf, openLibbpf } from "../collector/kernel/libbpf.ts";
import { pin } from "./pin.ts";

export interface FillOrder {
  /** File descriptor of the program `fill`. */
  readonly program: number;
  readonly cpu: number;
  readonly perSecond: number;
  readonly seconds: number;
}

const { program, cpu, perSecond, seconds } = workerData as FillOrder;
const lib = openLibbpf();
pin(cpu);

const packet = Buffer.alloc(64);
const options = Buffer.alloc(80); // struct bpf_test_run_opts
options.writeBigUInt64LE(80n, 0);
options.writeBigUInt64LE(addressOf(packet), 8);
options.writeUInt32LE(packet.length, 24);
const nap = new Int32Array(new SharedArrayBuffer(4));
const total = Math.round(perSecond * seconds);
const began = performance.now();
let made = 0;
while (made < total) {
  const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond)) - made;
  if (due > 0) {
    options.writeInt32LE(due, 60); // repeat
    const result = lib.testRun(program, options);
    if (result !== 0) throw new Error(`the ring cannot be filled (${result})`);
    made += due;
  }
  Atomics.wait(nap, 0, 0, 1);
}
parentPort!.postMessage({ made, seconds: (performance.now() - began) / 1000 });
