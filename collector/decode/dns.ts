/**
 * DNS answers (RFC 1035 §4.1), copied from the wire behind `struct ev_dns`: bytes of strangers. Every offset is checked against the
 * copy, a compression pointer may only point backwards, and names end at 255 bytes; what does not hold marks the row malformed.
 */
import type { DnsColumns } from "./columns.ts";
import { writeCommon } from "./events.ts";
import { DNS } from "./layout.gen.ts";

const FLAG = { truncated: 1, cut: 2, malformed: 4 } as const;
const TYPE = { a: 1, aaaa: 28 } as const;
const MAX_RECORDS = 64; // of an answer: more are skipped, the copy holds fewer than 120
const MAX_NAME = 255;

/**
 * Appends the event at word `at`; `bytes` is the same memory as `words`, `end` the byte where the sample ends. A message that asks nothing
 * (no question) has the name "". Queries that come from port 53 are appended as answers without addresses.
 */
export function appendDns(
  out: DnsColumns,
  words: Uint32Array,
  bytes: Uint8Array,
  at: number,
  end: number,
  cpu: number,
  seq: number,
): void {
  const row = out.length;
  writeCommon(out, row, words, at, cpu, seq);
  out.latencyUs[row] = words[at + DNS.latency_us]!;
  const length = words[at + DNS.length]!;
  const copyAt = at * 4 + DNS.bytes;
  const copyEnd = Math.min(end, copyAt + words[at + DNS.copied]!);
  const start = Math.min(copyAt + words[at + DNS.offset]!, copyEnd);
  const limit = Math.min(start + length, copyEnd);
  out.flags[row] = limit < start + length ? FLAG.cut : 0;
  out.rcode[row] = 0;
  out.queryType[row] = 0;
  out.addressStart[row] = out.addressLength;
  out.addressCount[row] = 0;
  const name = readMessage(out, row, bytes, start, limit);
  out.name[row] = intern(out, name);
  out.length = row + 1;
}

/** The latest first: the answers for A and AAAA of one name come together. */
function intern(out: DnsColumns, name: string): number {
  const known = out.names.lastIndexOf(name);
  if (known >= 0) return known;
  return out.names.push(name) - 1;
}

function readMessage(out: DnsColumns, row: number, bytes: Uint8Array, start: number, limit: number): string {
  if (limit - start < 12) {
    out.flags[row]! |= FLAG.malformed;
    return "";
  }
  const flags = (bytes[start + 2]! << 8) | bytes[start + 3]!;
  out.rcode[row] = flags & 15;
  if ((flags & 0x0200) !== 0) out.flags[row]! |= FLAG.truncated;
  const questions = (bytes[start + 4]! << 8) | bytes[start + 5]!;
  const answers = Math.min((bytes[start + 6]! << 8) | bytes[start + 7]!, MAX_RECORDS);
  let name = "";
  let at = start + 12;
  for (let i = 0; i < questions && i < 4; i++) {
    if (i === 0) name = readName(bytes, start, at, limit);
    at = skipName(bytes, at, limit);
    if (at < 0 || at + 4 > limit) return fail(out, row, name);
    if (i === 0) out.queryType[row] = (bytes[at]! << 8) | bytes[at + 1]!;
    at += 4;
  }
  for (let i = 0; i < answers; i++) {
    at = skipName(bytes, at, limit);
    if (at < 0 || at + 10 > limit) return fail(out, row, name);
    const type = (bytes[at]! << 8) | bytes[at + 1]!;
    const ttl = ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0;
    const size = (bytes[at + 8]! << 8) | bytes[at + 9]!;
    at += 10;
    if (at + size > limit) return fail(out, row, name);
    if ((type === TYPE.a && size === 4) || (type === TYPE.aaaa && size === 16))
      addAddress(out, row, bytes, at, size, ttl);
    at += size;
  }
  return name;
}

/** A copy that ended early is no fault of the sender's. */
function fail(out: DnsColumns, row: number, name: string): string {
  if ((out.flags[row]! & FLAG.cut) === 0) out.flags[row]! |= FLAG.malformed;
  return name;
}

function addAddress(out: DnsColumns, row: number, bytes: Uint8Array, at: number, size: number, ttl: number): void {
  const index = out.addressLength;
  if (index >= out.ttl.length) {
    out.flags[row]! |= FLAG.cut;
    return;
  }
  const to = new Uint8Array(out.addresses.buffer, out.addresses.byteOffset + index * 16, 16);
  to.fill(0);
  if (size === 4) to.set([0xff, 0xff], 10);
  to.set(bytes.subarray(at, at + size), 16 - size);
  out.ttl[index] = ttl;
  out.addressLength = index + 1;
  out.addressCount[row]!++;
}

/** The offset behind the name at `at`, or -1 when it runs past `limit` or has an unknown label type. */
function skipName(bytes: Uint8Array, at: number, limit: number): number {
  for (let length = 0; length <= MAX_NAME && at < limit;) {
    const label = bytes[at]!;
    if (label === 0) return at + 1;
    if (label >= 0xc0) return at + 2 <= limit ? at + 2 : -1;
    if (label >= 0x40) return -1;
    at += label + 1;
    length += label + 1;
  }
  return -1;
}

/** The name at `at`, lower case, without its last dot; bytes outside of printable ASCII, and dots and backslashes inside of a label, as
 *  \ddd (RFC 4343 §2.1). "" for the root, and for names that are broken. */
function readName(bytes: Uint8Array, start: number, at: number, limit: number): string {
  let text = "";
  let length = 0;
  let lowest = at; // each jump has to go further back: no loop
  while (at < limit) {
    const label = bytes[at]!;
    if (label === 0) return text;
    if (label >= 0xc0) {
      if (at + 1 >= limit) return "";
      const target = start + (((label & 0x3f) << 8) | bytes[at + 1]!);
      if (target >= lowest) return "";
      lowest = target;
      at = target;
      continue;
    }
    length += label + 1;
    if (label >= 0x40 || length > MAX_NAME || at + 1 + label > limit) return "";
    if (text !== "") text += ".";
    for (let i = at + 1; i <= at + label; i++) text += escaped(bytes[i]!);
    at += label + 1;
  }
  return "";
}

function escaped(byte: number): string {
  if (byte <= 0x20 || byte >= 0x7f || byte === 0x2e || byte === 0x5c) return `\\${String(byte).padStart(3, "0")}`;
  return String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
}
