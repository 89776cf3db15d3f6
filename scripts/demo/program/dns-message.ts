import { formatAddress, parseAddress } from "../../../model/address.ts";

/** Just enough of RFC 1035 and 3596 for the shop's own server and its clients: one question, A and AAAA answers, no compression but the usual pointer. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: "A" | "AAAA";
}

const TYPES = { A: 1, AAAA: 28 } as const;
/** RFC 1035 §4.1.1. */
export const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"] as const;
const HEADER = 12;

export function encodeQuery({ id, name, type }: Question): Buffer {
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]));
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2); // recursion desired
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, TYPES[type], 0, 1])]);
}

/** The question of a query, and where it ends; undefined when the bytes are none. */
export function decodeQuery(bytes: Buffer): (Question & { end: number }) | undefined {
  if (bytes.length < HEADER + 5) return undefined;
  const labels: string[] = [];
  let at = HEADER;
  for (let length = bytes[at]!; length !== 0; length = bytes[at]!) {
    if (length > 63 || at + length + 5 >= bytes.length) return undefined;
    labels.push(bytes.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = bytes.readUInt16BE(at + 1) === TYPES.AAAA ? "AAAA" : "A";
  return { id: bytes.readUInt16BE(0), name: labels.join("."), type, end: at + 5 };
}

/** The answer to a query: `addresses` undefined = the name does not exist. */
export function encodeAnswer(query: Buffer, end: number, addresses: readonly string[] | undefined): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8580 | (addresses === undefined ? 3 : 0), 2); // answer, authoritative, recursion desired and available
  head.writeUInt16BE(addresses?.length ?? 0, 6);
  const records = (addresses ?? []).map((address) => {
    const mapped = Buffer.from(parseAddress(address)!);
    const v6 = address.includes(":");
    const data = v6 ? mapped : mapped.subarray(12);
    const record = Buffer.from([0xc0, HEADER, 0, v6 ? TYPES.AAAA : TYPES.A, 0, 1, 0, 0, 0, 30, 0, data.length]); // pointer to the name; class IN; 30 s
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

/** Response code and addresses of an answer that `encodeAnswer` made for a question of `end` bytes. */
export function decodeAnswer(
  bytes: Buffer,
  end: number,
): { readonly id: number; readonly rcode: string; readonly addresses: readonly string[] } {
  const addresses: string[] = [];
  let at = end;
  for (let left = bytes.readUInt16BE(6); left > 0 && at + 12 <= bytes.length; left--) {
    const length = bytes.readUInt16BE(at + 10);
    const data = bytes.subarray(at + 12, at + 12 + length);
    const mapped = length === 4 ? parseAddress([...data].join(".")) : new Uint8Array(data);
    if (mapped !== undefined) addresses.push(formatAddress(mapped));
    at += 12 + length;
  }
  const code = bytes.readUInt16BE(2) & 0xf;
  return { id: bytes.readUInt16BE(0), rcode: RCODES[code] ?? String(code), addresses };
}
