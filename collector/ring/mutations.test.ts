/**
 * Rings that were damaged in every way we could think of: WEIR_MUTATIONS=1000000 npx vitest run collector/ring/mutations. The seed is printed;
 * WEIR_SEED= replays it. Judge: a slow walker over the same bytes, written from the format alone (DataView, no typed-array offsets).
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commOf, type Batch } from "../decode/columns.ts";
import { Decoder } from "../decode/decoder.ts";
import { CONN, CONVERSATION, DNS, DROP, NAT } from "../decode/layout.gen.ts";
import { commText } from "../identity/who.ts";
import { readCapture, ringWith, textOfRows } from "./captured.ts";
import { RingReader } from "./reader.ts";

const golden = readCapture(readFileSync(new URL("testdata/golden.ring", import.meta.url)));
const MUTATIONS = Number(process.env["WEIR_MUTATIONS"] ?? 10_000);
const SEED = Number(process.env["WEIR_SEED"] ?? 1 + Math.floor(Math.random() * 2 ** 31));

test("the golden rings say what they always said", () => {
  const expected = readFileSync(new URL("testdata/golden.txt", import.meta.url), "utf8");
  expect(`${textOfRows(golden).join("\n")}\n`).toBe(expected);
});

/** Bytes of an event at least, by type. */
const LEAST: Readonly<Record<number, number>> = {
  1: CONN.bytes,
  2: CONN.bytes,
  3: CONN.bytes,
  4: CONN.bytes,
  5: DROP.bytes,
  8: DNS.bytes,
  9: CONVERSATION.bytes,
  10: NAT.bytes,
  16: CONN.bytes,
  17: CONVERSATION.bytes,
  18: CONVERSATION.bytes,
};

interface Walked {
  readonly events: number;
  readonly malformed: number;
  readonly toldLost: number;
}

/** What a ring's content is worth: how many events, unreadable records, and events told as lost. */
function walk(bytes: Uint8Array, size: number): Walked {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [events, malformed, toldLost] = [0, 0, 0];
  if (bytes.length > size || bytes.length % 8 !== 0) return { events, malformed: 1, toldLost };
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint16(at + 6, true);
    if (length < 8 || length % 8 !== 0 || at + length > bytes.length)
      return { events, malformed: malformed + 1, toldLost };
    const type = view.getUint32(at, true);
    if (type === 9 && length >= 20) {
      if (isEvent(view, at, length)) events++;
      else malformed++;
    } else if (type === 2 && length >= 24) toldLost += view.getUint32(at + 16, true);
    else malformed++;
    at += length;
  }
  return { events, malformed, toldLost };
}

function isEvent(view: DataView, at: number, record: number): boolean {
  const length = view.getUint32(at + 8, true);
  if (length + 12 > record || length < 80) return false;
  const [type, family, , direction] = [0, 1, 2, 3].map((i) => view.getUint8(at + 12 + 68 + i)) as [
    number,
    number,
    number,
    number,
  ];
  return (family === 4 || family === 6) && direction <= 2 && length >= (LEAST[type] ?? Infinity);
}

type Random = (below: number) => number;

/** xorshift32. */
function seeded(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Where records begin in sound bytes. */
function recordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint16(at + 6, true)) starts.push(at);
  return starts;
}

const SIZES = [0, 4, 8, 12, 16, 20, 24, 92, 128, 168, 4096, 65528, 65535];
const LENGTHS = [0, 4, 79, 80, 116, 156, 5000, 0x7fffffff, 0xfffffff4, 0xffffffff];
const TEXTS = [
  "\u001b[2J\u001b]0;owned\u0007",
  "\u202egnp.exe\u202c",
  "\u2066a\u2069\u200b",
  "\u0000\u0000",
  "=cmd|'x'!A1",
].map((text) => Buffer.from(text));

/** Damages `bytes` in place, or gives other ones back. */
function damage(bytes: Uint8Array, starts: readonly number[], random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = starts[random(starts.length)]!;
  const has = (length: number) => at + length <= bytes.length;
  switch (random(12)) {
    case 0:
      bytes[random(bytes.length)]! ^= 1 << random(8);
      return bytes;
    case 1:
      bytes[random(bytes.length)] = [0, 0xff, random(256)][random(3)]!;
      return bytes;
    case 2: // a lying size of a record
      if (has(8)) view.setUint16(at + 6, random(2) === 0 ? SIZES[random(SIZES.length)]! : random(65536), true);
      return bytes;
    case 3: // a lying length of a sample
      if (has(12)) view.setUint32(at + 8, random(2) === 0 ? LENGTHS[random(LENGTHS.length)]! : random(300), true);
      return bytes;
    case 4: // another kind of record: LOST, or one that nobody knows
      if (has(8)) view.setUint32(at, [2, 0, 1, 77, 0xffffffff][random(5)]!, true);
      return bytes;
    case 5: // another type of event
      if (has(84)) bytes[at + 12 + 68] = random(256);
      return bytes;
    case 6: // torn: the end is not there
      return bytes.subarray(0, random(bytes.length / 8) * 8);
    case 7: {
      // torn: something in the middle is not there
      const [from, length] = [random(bytes.length / 8) * 8, 8 + random(20) * 8];
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
    }
    case 8: {
      // something twice
      const [from, length] = [random(bytes.length / 8) * 8, 8 + random(40) * 8];
      return Buffer.concat([bytes.subarray(0, from + length), bytes.subarray(from)]);
    }
    case 9: // names of processes: no NUL, escapes, text that runs backwards
      for (let i = 0; i < 16 && has(12 + 152); i++) bytes[at + 12 + 136 + i] = TEXTS[random(TEXTS.length)]![i] ?? 0x41;
      return bytes;
    case 10: // noise from somewhere to somewhere
      for (let i = random(bytes.length), n = random(200); n > 0 && i < bytes.length; i++, n--) bytes[i] = random(256);
      return bytes;
    default: // addresses and counters at their limits
      for (let i = 0; i < 32 && has(12 + 112); i++) bytes[at + 12 + 80 + i] = 0xff;
      return bytes;
  }
}

/** Every row of `batch` is one: nothing out of its place, no text that does what it should not. */
function checkRows(batch: Batch): void {
  for (let i = 0; i < batch.length; i++) {
    const tags = batch.tags[i]!;
    const isSound = ((tags >>> 8) & 0xff) - 5 === ((((tags >>> 8) & 0xff) - 5) | 1) && tags >>> 24 <= 2;
    if (!isSound || LEAST[tags & 0xff] === undefined) throw new Error(`a row made of garbage: ${tags.toString(16)}`);
    if (batch.kind === "connections" || batch.kind === "conversations") {
      if (commOf(batch, i).length > 16) throw new Error("a name beyond its field");
      if (/[\p{Cc}\p{Cf}]/u.test(commText(batch.comm, i * 4))) throw new Error("a name that a terminal would obey");
    }
    if (batch.kind === "dns") {
      if (batch.addressStart[i]! + batch.addressCount[i]! > batch.addressLength)
        throw new Error("addresses beyond their table");
      if (!/^[\x21-\x7e]{0,1100}$/.test(batch.names[batch.name[i]!]!)) throw new Error("a name that is not plain");
    }
  }
}

test(
  `${MUTATIONS} damaged rings are read as far as they can be: nothing throws, nothing false comes out, all is counted (WEIR_SEED=${SEED})`,
  { timeout: 3_600_000 },
  () => {
    const random = seeded(SEED);
    const decoder = new Decoder(64);
    const totals = { events: 0, malformed: 0, toldLost: 0 };
    for (let round = 0; round < MUTATIONS; round++) {
      const original = golden[random(golden.length)]!;
      const starts = recordsOf(original.bytes);
      // a few records of it, which makes damage dense, and rounds quick
      const first = random(starts.length);
      const past = starts[first + 1 + random(12)] ?? original.bytes.length;
      let bytes: Uint8Array = Uint8Array.from(original.bytes.subarray(starts[first], past));
      const own = recordsOf(bytes);
      for (let n = 1 + random(3); n > 0 && bytes.length >= 16; n--) {
        const sound = own.filter((at) => at + 12 <= bytes.length);
        bytes = damage(Uint8Array.from(bytes), sound.length === 0 ? [0] : sound, random);
      }
      const size = 8192;
      const ring = ringWith(
        original.cpu,
        size,
        random(size / 8) * 8 + (random(4) === 0 ? 0xffff_e000 : 0),
        bytes.subarray(0, size),
      );
      let content: Uint8Array = bytes.subarray(0, size);
      if (random(50) === 0) {
        // a head that goes back, far ahead, or between two records
        ring.control64[0] = ring.control64[1]! + BigInt([-8, -4096, size + 8, 4][random(4)]!);
        content = new Uint8Array(size + 8);
      }
      const expected = walk(content, size);
      const reader = new RingReader([ring], decoder);
      let rows = 0;
      const deliver = () =>
        decoder.deliver((batch) => {
          rows += batch.length;
          checkRows(batch);
        });
      try {
        reader.drain(Infinity, deliver);
        deliver();
        const { events, malformed, toldLost } = reader.counts;
        const got = { events, malformed, toldLost };
        if (rows !== events || JSON.stringify(got) !== JSON.stringify(expected))
          throw new Error(`${JSON.stringify({ ...got, rows })}, expected ${JSON.stringify(expected)}`);
        if (ring.tail !== (ring.control[0]! & ~7) >>> 0) throw new Error("bytes are left in the ring");
      } catch (cause) {
        throw new Error(`round ${round} of WEIR_SEED=${SEED}`, { cause });
      }
      totals.events += expected.events;
      totals.malformed += expected.malformed;
      totals.toldLost += expected.toldLost;
    }
    expect(totals.events).toBeGreaterThan(MUTATIONS);
    expect(totals.malformed).toBeGreaterThan(MUTATIONS / 10);
  },
);
