import fc from "fast-check";
import { expect, test } from "vitest";
import { RingReader, ringOver } from "../ring/reader.ts";
import { BATCH_ROWS, EventType, type Batch } from "./columns.ts";
import { Decoder } from "./decoder.ts";
import { CONN, DROP } from "./layout.gen.ts";

const PAGE = 4096;
const BYTES = {
  [EventType.drop]: DROP.bytes,
  [EventType.open]: CONN.bytes,
  [EventType.close]: CONN.bytes,
  [EventType.fail]: CONN.bytes,
} as const;
const TYPES = Object.keys(BYTES).map(Number) as (keyof typeof BYTES)[];

/** All rows that a reader delivers of `records`, one text a row with every column in it. */
function rowsOf(decoder: Decoder, ringBytes: number, start: number, records: readonly Uint8Array[]): string[] {
  const memory = new ArrayBuffer(PAGE + ringBytes);
  const control = new BigUint64Array(memory, 1024, 2);
  control.fill(BigInt(start));
  const ring = ringOver(3, memory, PAGE);
  const bytes = new Uint8Array(memory, PAGE);
  const reader = new RingReader([ring], decoder);
  const rows: string[] = [];
  const deliver = () => decoder.deliver((batch) => rows.push(...textOf(batch)));
  const drain = () => {
    reader.drain(Infinity, deliver);
    deliver();
  };
  for (const record of records) {
    if (Number(control[0]! - control[1]!) + record.length > ringBytes) drain();
    for (let i = 0; i < record.length; i++) bytes[(Number(control[0]!) + i) % ringBytes] = record[i]!;
    control[0]! += BigInt(record.length);
  }
  drain();
  expect(reader.counts.malformed).toBe(0);
  return rows.toSorted();
}

function textOf(batch: Batch): string[] {
  return Array.from({ length: batch.length }, (_, row) => {
    const columns = Object.entries(batch).filter(([, column]) => ArrayBuffer.isView(column)) as [string, Uint32Array][];
    const values = columns.map(([name, column]) => {
      const width = column.length / batch.capacity;
      return `${name}=${column.subarray(row * width, (row + 1) * width).join(".")}`;
    });
    return `${batch.kind} ${values.toSorted().join(" ")}`;
  });
}

/** A record full of noise but for what makes it one. */
function record(type: keyof typeof BYTES, noise: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + BYTES[type]);
  for (let i = 0; i < bytes.length; i++) bytes[i] = noise[i % noise.length]!;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 9, true);
  view.setUint16(6, bytes.length, true);
  view.setUint32(8, BYTES[type], true);
  view.setUint32(12 + 4, 0x18000000, true); // a time that is one
  bytes[12 + 68] = type;
  bytes[12 + 69] = 4 + (noise[0]! & 2);
  bytes[12 + 71] = type === EventType.drop ? 0 : noise[1]! % 3;
  return bytes;
}

const noisy = fc
  .tuple(fc.constantFrom(...TYPES), fc.uint8Array({ minLength: 61, maxLength: 61 }))
  .map(([type, noise]) => record(type, noise));

test("runs write what the careful path writes, field by field, at any place in the ring", () => {
  fc.assert(
    fc.property(
      fc.array(noisy, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 0, max: 511 }),
      (records, start) => {
        const hot = rowsOf(new Decoder(8), 4096, start * 8, records);
        const careful = rowsOf(new Decoder(8, BATCH_ROWS - 1), 4096, start * 8, records);
        expect(hot).toHaveLength(records.length);
        expect(hot).toEqual(careful);
      },
    ),
  );
});

test("more events than a batch holds come in several, none lost, none twice", () => {
  const records = Array.from({ length: BATCH_ROWS + 700 }, (_, i) => {
    const bytes = record(EventType.drop, Uint8Array.of(7));
    new DataView(bytes.buffer).setUint32(12 + DROP.bytes - 4, i, true);
    return bytes;
  });
  const decoder = new Decoder(8);
  const rows = rowsOf(decoder, 1 << 21, 0, records);
  expect(new Set(rows.map((row) => / seq=(\d+)/.exec(row)![1])).size).toBe(records.length);
  expect(decoder.decodedOf(3, EventType.drop)).toBe(records.length);
});
