import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventType, type Batch } from "../decode/columns.ts";
import { Decoder } from "../decode/decoder.ts";
import { COMMON, DROP, NAT } from "../decode/layout.gen.ts";
import { RingReader, ringOver, type Ring } from "./reader.ts";

const PAGE = 4096;

/** A ring in plain memory, with the kernel's side of it. */
function fakeRing(cpu: number, size = 4096) {
  const memory = new ArrayBuffer(PAGE + size);
  const ring = ringOver(cpu, memory, PAGE);
  const bytes = new Uint8Array(memory, PAGE, size);
  const control = new BigUint64Array(memory, 1024, 2);
  return {
    ring,
    free: () => size - Number(control[0]! - control[1]!),
    push(record: Uint8Array) {
      for (let i = 0; i < record.length; i++) bytes[(Number(control[0]!) + i) % size] = record[i]!;
      control[0]! += BigInt(record.length);
    },
    startAt(offset: bigint) {
      control[0] = offset;
      control[1] = offset;
      ring.tail = Number(offset & 0xffffffffn);
    },
    head: () => control[0]!,
    tail: () => control[1]!,
  };
}

function record(type: number, payload: Uint8Array, size = (12 + payload.length + 7) & ~7): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, 12));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint16(6, size, true);
  view.setUint32(8, payload.length, true);
  bytes.set(payload.subarray(0, bytes.length - 12), 12);
  return bytes.subarray(0, (Math.max(size, 8) + 7) & ~7);
}

function event(type: number, bytes: number, ts: bigint, seq = 0): Uint8Array {
  const payload = new Uint8Array(bytes);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, ts, true);
  payload[68] = type;
  payload[69] = 4;
  view.setUint32(bytes - 4, seq, true);
  return payload;
}

const drop = (ts: bigint, seq = 0) => record(9, event(EventType.drop, DROP.bytes, ts, seq));

function reading(rings: readonly Ring[]) {
  const decoder = new Decoder(8, 4);
  const order: string[] = [];
  const reader = new RingReader(rings, decoder);
  const deliver = () =>
    decoder.deliver((batch: Batch) => {
      for (let i = 0; i < batch.length; i++)
        order.push(`${batch.kind} ${batch.cpu[i]} ${batch.seq[i]} ${batch.tsLow[i]}`);
    });
  const drain = (horizon = Infinity) => {
    const events = reader.drain(horizon, deliver);
    deliver();
    return events;
  };
  return { reader, drain, order };
}

describe("reading rings", () => {
  test("samples of all CPUs come in the order of time, also where batches are full and records cross the end", () => {
    const rings = [fakeRing(0, 512), fakeRing(1, 512)];
    rings[0]!.startAt(0xffffffffn * 512n + 400n); // low word wraps, record crosses the end
    const { drain, order, reader } = reading(rings.map(({ ring }) => ring));
    for (let round = 0; round < 50; round++) {
      const at = BigInt(round * 100);
      rings[0]!.push(drop(at + 1n, 1));
      rings[1]!.push(drop(at + 2n, 2));
      rings[0]!.push(drop(at + 3n, 3));
      rings[1]!.push(drop(at + 4n, 4));
      rings[0]!.push(drop(at + 5n, 5));
      expect(drain()).toBe(5);
    }
    expect(order.map((row) => Number(row.split(" ")[3]))).toEqual(
      Array.from({ length: 50 }, (_, i) => [1, 2, 3, 4, 5].map((n) => i * 100 + n)).flat(),
    );
    expect(rings.every((fake) => fake.head() === fake.tail())).toBe(true);
    expect(reader.counts).toMatchObject({ malformed: 0, events: 250 });
  });

  test("what is younger than the horizon stays in its ring, so that a translation on another CPU comes before its connection", () => {
    const [a, b] = [fakeRing(0), fakeRing(1)];
    const { drain, order } = reading([a.ring, b.ring]);
    a.push(record(9, event(EventType.open, 156, 20n, 7)));
    expect(drain(10)).toBe(0);
    b.push(record(9, event(EventType.nat, NAT.bytes, 15n, 8)));
    expect(drain(30)).toBe(2);
    expect(order).toEqual(["nat 1 8 15", "connections 0 7 20"]);
  });

  test("an event from before the wall clock was set back does not block its ring", () => {
    const [a, b] = [fakeRing(0), fakeRing(1)];
    const { drain, order } = reading([a.ring, b.ring]);
    a.push(drop(900_000_000_000n, 1));
    a.push(drop(5n, 2));
    b.push(drop(2000n, 3)); // young: its turn comes later
    expect(drain(1000)).toBe(2);
    expect(order.map((row) => row.split(" ")[2])).toEqual(["1", "2"]);
  });

  test("impossible sizes, unknown types, short samples and LOST records are counted, and what follows is read", () => {
    const fake = fakeRing(0);
    const { drain, reader, order } = reading([fake.ring]);
    const lost = record(2, new Uint8Array(12));
    new DataView(lost.buffer).setUint32(16, 41, true);
    fake.push(lost);
    fake.push(record(9, event(99, 116, 1n)));
    fake.push(record(9, event(EventType.drop, 80, 1n)));
    fake.push(record(9, new Uint8Array(4)));
    fake.push(record(77, new Uint8Array(100)));
    fake.push(drop(3n, 5));
    expect(drain()).toBe(1);
    expect(order).toEqual(["drops 0 5 3"]);
    expect(reader.counts).toMatchObject({ toldLost: 41, malformed: 4 });
    for (const size of [0, 4, 12, 65528]) {
      const bad = record(9, event(EventType.drop, DROP.bytes, 1n));
      new DataView(bad.buffer).setUint16(6, size, true);
      fake.push(bad);
      expect(drain()).toBe(0);
      expect(fake.head()).toBe(fake.tail());
    }
    const tooLong = drop(4n);
    new DataView(tooLong.buffer).setUint32(8, 5000, true);
    fake.push(tooLong);
    fake.push(drop(5n, 6));
    expect(drain()).toBe(1);
  });

  test("no bytes whatever make it throw or loop", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 512, maxLength: 512 }),
        fc.integer({ min: 0, max: 63 }),
        fc.boolean(),
        (noise, start, typed) => {
          const fake = fakeRing(0, 512);
          fake.startAt(BigInt(start * 8));
          if (typed) for (let at = 0; at + 72 < 512; at += 128) noise.set([9, 0, 0, 0, 0, 0, 128, 0, 110, 0, 0, 0], at);
          fake.push(noise);
          const { drain, reader } = reading([fake.ring]);
          drain();
          expect(fake.tail()).toBe(fake.head());
          expect(reader.counts.events + reader.counts.malformed).toBeGreaterThan(0);
        },
      ),
    );
  });
});

test("a common part is 80 bytes, and every event is 4 mod 8 long", () => {
  expect(COMMON.bytes).toBe(80);
  for (const { bytes } of [DROP, NAT]) expect(bytes % 8).toBe(4);
});
