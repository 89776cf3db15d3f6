/**
 * The bytes of a spool segment (drawn in docs/formats/spool.md): a header, then frames. A frame is one group of rows that
 * was made durable by one fsync: RowBinary rows behind a CRC, then the books of the minute behind another.
 *
 * Invariants: bytes behind the last whole frame of an unsealed segment were never acknowledged; in a sealed one they are
 * damage. The sum of `rows` over frames before frame i is its `rowsBefore`, so rows of a lost frame are counted all the same.
 */
import { crc32 } from "node:zlib";
import { z } from "zod";
import { WeirError } from "../../model/errors.ts";

/** What rows are worth when the disk is full, least first: the budget sheds in this order. `record` is never shed. */
export const WORTH = ["allowed", "failed", "dropped", "denied", "record"] as const;
export type Worth = (typeof WORTH)[number];

/** One line of the books: counts of events of one type in one minute (seconds since 1970, a multiple of 60). */
export const BooksDelta = z.object({
  minute: z.number().int().nonnegative(),
  type: z.string().max(32),
  produced: z.number().int().default(0),
  stored: z.number().int().default(0),
  lost: z.number().int().default(0),
  shed: z.number().int().default(0),
  quarantined: z.number().int().default(0),
  filtered: z.number().int().default(0),
});
export type BooksDelta = z.infer<typeof BooksDelta>;

/** Whose segment it is. `columns` names the row layout, so that an upgraded collector knows what an older one wrote. */
export const SegmentMeta = z.object({
  id: z.string().min(1).max(128),
  table: z.string().regex(/^[a-z_0-9]{1,64}$/),
  format: z.enum(["RowBinary", "JSONEachRow"]),
  columns: z.array(z.string().max(64)).max(256),
  node: z.string().max(256),
  boot: z.string().max(64),
  generation: z.number().int().nonnegative(),
  createdMs: z.number(),
});
export type SegmentMeta = z.infer<typeof SegmentMeta>;

export interface SegmentFrame {
  /** Its number within the segment, from 0. */
  readonly index: number;
  readonly rows: number;
  readonly payload: Uint8Array;
  readonly books: readonly BooksDelta[];
}

/** A stretch of a segment that cannot be used. `rows` is what it held as far as the frames around it tell. */
export interface BadStretch {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly reason: string;
  readonly books: readonly BooksDelta[];
}

export interface ScannedSegment {
  readonly meta: SegmentMeta;
  readonly frames: readonly SegmentFrame[];
  readonly bad: readonly BadStretch[];
  /** Offset behind the last whole frame. */
  readonly end: number;
}

/** The file is no segment, or one of a version that this program does not read. */
export class SegmentCorrupt extends WeirError {}

export const SEGMENT_VERSION = 1;
const MAGIC = Uint8Array.from([0x57, 0x45, 0x49, 0x52, 0x53, 0x45, 0x47, 0x0a]); // "WEIRSEG\n"
const HEADER = 24;
export const FRAME_HEAD = 40;
const FRAME_MAGIC = 0x4d524657; // "WFRM" little endian
/** No frame is longer: bounds what a lying length can make us read. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export function encodeSegmentHeader(meta: SegmentMeta): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(meta));
  const bytes = new Uint8Array(HEADER + text.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint16(8, SEGMENT_VERSION, true);
  view.setUint32(12, text.length, true);
  view.setUint32(16, crc32(text), true);
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  bytes.set(text, HEADER);
  return bytes;
}

/** The three parts of a frame in the order in which they are written: head, rows, books. `rowsBefore` counts the segment's earlier rows. */
export function encodeFrame(
  index: number,
  rowsBefore: number,
  rows: number,
  payload: readonly Uint8Array[],
  books: readonly BooksDelta[],
): Uint8Array[] {
  const booksBytes = new TextEncoder().encode(books.length === 0 ? "" : JSON.stringify(books));
  let length = 0;
  let payloadCrc = 0;
  for (const part of payload) {
    length += part.length;
    payloadCrc = crc32(part, payloadCrc);
  }
  if (length + booksBytes.length > MAX_FRAME_BYTES)
    throw new RangeError(`a frame of ${length} bytes is longer than ${MAX_FRAME_BYTES}`);
  const head = new Uint8Array(FRAME_HEAD);
  const view = new DataView(head.buffer);
  view.setUint32(0, FRAME_MAGIC, true);
  view.setUint32(4, index, true);
  view.setUint32(8, rows, true);
  view.setUint32(12, rowsBefore, true);
  view.setUint32(16, length, true);
  view.setUint32(20, booksBytes.length, true);
  view.setUint32(24, payloadCrc, true);
  view.setUint32(28, crc32(booksBytes), true);
  view.setUint32(36, crc32(head.subarray(0, 36)), true);
  return [head, ...payload, booksBytes];
}

/**
 * Reads a segment and checks every sum. `upTo` = bytes that count, where later ones are known to be void.
 * Throws SegmentCorrupt when the header cannot be trusted; damage behind it is in `bad`, and the search goes on at the next frame.
 */
export function scanSegment(file: Uint8Array, upTo = file.length): ScannedSegment {
  const bytes = file.subarray(0, Math.min(upTo, file.length));
  const meta = readHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: SegmentFrame[] = [];
  const bad: BadStretch[] = [];
  let at = HEADER + view.getUint32(12, true);
  let end = at;
  let rowsSeen = 0;
  let expectedIndex = 0;
  while (at < bytes.length) {
    const head = readFrameHead(bytes, view, at);
    if (head === undefined || head.index < expectedIndex || head.rowsBefore < rowsSeen) {
      const next = nextFrame(bytes, view, at + 1, expectedIndex, rowsSeen);
      const rows = next < bytes.length ? view.getUint32(next + 12, true) - rowsSeen : 0;
      bad.push({ from: at, to: next, rows, reason: "frame head is damaged", books: [] });
      rowsSeen += rows;
      if (next < bytes.length) expectedIndex = view.getUint32(next + 4, true);
      at = next;
      continue;
    }
    if (head.rowsBefore > rowsSeen) {
      bad.push({ from: at, to: at, rows: head.rowsBefore - rowsSeen, reason: "frames are missing", books: [] });
      rowsSeen = head.rowsBefore;
    }
    const booksAt = at + FRAME_HEAD + head.payload;
    const next = booksAt + head.books;
    if (next > bytes.length) {
      bad.push({ from: at, to: bytes.length, rows: head.rows, reason: "frame is cut off", books: [] });
      break;
    }
    const payload = bytes.subarray(at + FRAME_HEAD, booksAt);
    const books = readBooks(bytes.subarray(booksAt, next), head.booksCrc);
    if (crc32(payload) !== head.payloadCrc)
      bad.push({ from: at, to: next, rows: head.rows, reason: "rows do not match their CRC", books: books ?? [] });
    else {
      if (books === undefined)
        bad.push({ from: booksAt, to: next, rows: 0, reason: "books do not match their CRC", books: [] });
      frames.push({ index: head.index, rows: head.rows, payload, books: books ?? [] });
      end = next;
    }
    rowsSeen = head.rowsBefore + head.rows;
    expectedIndex = head.index + 1;
    at = next;
  }
  return { meta, frames, bad, end };
}

/** The books of all whole frames of a file whose header is lost: what its rows were, though nobody can say any more what they mean. */
export function salvageBooks(bytes: Uint8Array): BooksDelta[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: BooksDelta[] = [];
  for (let at = nextFrame(bytes, view, 0, 0, 0); at < bytes.length;) {
    const head = readFrameHead(bytes, view, at)!;
    const booksAt = at + FRAME_HEAD + head.payload;
    const end = booksAt + head.books;
    const books = end <= bytes.length ? readBooks(bytes.subarray(booksAt, end), head.booksCrc) : undefined;
    found.push(...(books ?? []));
    at = nextFrame(bytes, view, books === undefined ? at + 1 : end, 0, 0);
  }
  return found;
}

interface FrameHead {
  readonly index: number;
  readonly rows: number;
  readonly rowsBefore: number;
  readonly payload: number;
  readonly books: number;
  readonly payloadCrc: number;
  readonly booksCrc: number;
}

function readFrameHead(bytes: Uint8Array, view: DataView, at: number): FrameHead | undefined {
  if (at + FRAME_HEAD > bytes.length || view.getUint32(at, true) !== FRAME_MAGIC) return undefined;
  if (crc32(bytes.subarray(at, at + 36)) !== view.getUint32(at + 36, true)) return undefined;
  const payload = view.getUint32(at + 16, true);
  const books = view.getUint32(at + 20, true);
  if (payload + books > MAX_FRAME_BYTES) return undefined;
  return {
    index: view.getUint32(at + 4, true),
    rows: view.getUint32(at + 8, true),
    rowsBefore: view.getUint32(at + 12, true),
    payload,
    books,
    payloadCrc: view.getUint32(at + 24, true),
    booksCrc: view.getUint32(at + 28, true),
  };
}

function nextFrame(bytes: Uint8Array, view: DataView, from: number, index: number, rowsBefore: number): number {
  for (let at = from; at + FRAME_HEAD <= bytes.length; at++) {
    if (bytes[at] !== 0x57) continue;
    const head = readFrameHead(bytes, view, at);
    if (head !== undefined && head.index >= index && head.rowsBefore >= rowsBefore) return at;
  }
  return bytes.length;
}

function readBooks(bytes: Uint8Array, crc: number): BooksDelta[] | undefined {
  if (crc32(bytes) !== crc) return undefined;
  if (bytes.length === 0) return [];
  const parsed = z.array(BooksDelta).safeParse(parseJson(bytes));
  return parsed.success ? parsed.data : undefined;
}

function readHeader(bytes: Uint8Array): SegmentMeta {
  const corrupt = (what: string) =>
    new SegmentCorrupt({
      code: "segment-corrupt",
      what,
      expected: "a segment written by weir (docs/formats/spool.md)",
    });
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw corrupt("the file does not begin as a segment does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crc32(bytes.subarray(0, 20)) !== view.getUint32(20, true)) throw corrupt("the segment's header is damaged");
  const version = view.getUint16(8, true);
  if (version !== SEGMENT_VERSION) throw corrupt(`the segment is of version ${version}`);
  const length = view.getUint32(12, true);
  if (HEADER + length > bytes.length) throw corrupt("the segment's header is cut off");
  const text = bytes.subarray(HEADER, HEADER + length);
  if (crc32(text) !== view.getUint32(16, true)) throw corrupt("the segment's description is damaged");
  const parsed = SegmentMeta.safeParse(parseJson(text));
  if (!parsed.success) throw corrupt("the segment's description lacks a field");
  return parsed.data;
}

/** The value, or undefined: a file with a right CRC and wrong contents was not written by us. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
