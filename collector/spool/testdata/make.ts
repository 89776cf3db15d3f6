/** Makes segment-v1.bin: `node collector/spool/testdata/make.ts`. Run it only when the format's version changes. */
import { writeFileSync } from "node:fs";
import { encodeFrame, encodeSegmentHeader } from "../segment.ts";

const meta = {
  id: "0a1b2c3d-7-00000001-flows-allowed",
  table: "flows",
  format: "RowBinary" as const,
  columns: ["ts", "node"],
  node: "n1",
  boot: "0a1b2c3d-0000-4000-8000-000000000000",
  generation: 7,
  createdMs: 1_700_000_000_000,
};
const books = (stored: number) => [
  { minute: 1_700_000_040, type: "open", produced: stored, stored, lost: 0, shed: 0, quarantined: 0, filtered: 0 },
];
writeFileSync(
  new URL("./segment-v1.bin", import.meta.url),
  Buffer.concat([
    encodeSegmentHeader(meta),
    ...encodeFrame(0, 0, 2, [new Uint8Array(6).fill(1)], books(2)),
    ...encodeFrame(1, 2, 3, [new Uint8Array(9).fill(2)], books(3)),
  ]),
);
