/**
 * What a row costs on its way into the store: `node bench/query-insert.ts [--rows 200000]`. Prints ns a row for columns → RowBinary
 * (store/row-binary.ts), and its ratio to copying the same bytes once, which no encoder can beat.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { FLOW_COLUMNS } from "../store/layout.ts";
import { RowEncoder } from "../store/row-binary.ts";
import { FlowBatch } from "./fill-rows.ts";
import { makeWorld, random } from "./fill-world.ts";

const { values } = parseArgs({ options: { rows: { type: "string", default: "200000" } } });
const BATCH = 8192; // about the size of a spool segment of a quarter of a second
const rounds = Math.ceil(Number(values.rows) / BATCH);
const { links } = makeWorld(1, 10);
const next = random(2);
const batch = new FlowBatch(BATCH + 8, ["node-a"], ["6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0001"], 1);
while (batch.length < BATCH) batch.addConnection(links[Math.floor(next() * links.length)]!, 1.7e12, next);
const columns = batch.columns();
const encoder = new RowEncoder(FLOW_COLUMNS);
const out = new Uint8Array(BATCH * 600);
const copied = new Uint8Array(out.length);
let end = 0;

const encode = () => void (end = encoder.encode(columns, 0, BATCH, out, 0));
const copy = () => copied.set(out.subarray(0, end));
for (let i = 0; i < 20; i++) encode(); // warm

const [encoding, copying] = [nsPerRow(encode), nsPerRow(copy)];
process.stdout.write(
  `${cpus()[0]?.model ?? "?"}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}\n` +
    `columns → RowBinary: ${encoding.toFixed(0)} ns a row of ${(end / BATCH).toFixed(0)} bytes; copying the bytes: ${copying.toFixed(1)} ns; ratio ${(encoding / copying).toFixed(0)}\n`,
);

function nsPerRow(work: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const began = process.hrtime.bigint();
    work();
    times.push(Number(process.hrtime.bigint() - began) / BATCH);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
