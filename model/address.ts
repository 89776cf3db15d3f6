/**
 * IP addresses as 16 bytes, IPv4 as v4-mapped IPv6 (::ffff:a.b.c.d), network order: the form of events, maps and the store.
 * Text appears only where a person or YAML is.
 */
export type AddressBytes = Uint8Array;

const V4_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/** The 16 bytes of an address in text, or undefined when it is none. Takes `10.0.0.1`, `fd00::1`, `::ffff:10.0.0.1`; no zone. */
export function parseAddress(text: string): AddressBytes | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return Uint8Array.from([...V4_PREFIX, ...v4]);
  return parseV6(text);
}

/** True when the bytes hold an IPv4 address. */
export function isV4(bytes: AddressBytes, at = 0): boolean {
  for (let i = 0; i < 12; i++) if (bytes[at + i] !== V4_PREFIX[i]) return false;
  return true;
}

/** An address for a person: dotted for IPv4, RFC 5952 for IPv6. Reads 16 bytes from `at`. */
export function formatAddress(bytes: AddressBytes, at = 0): string {
  if (isV4(bytes, at)) return `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[at + i]! << 8) | bytes[at + i + 1]!);
  let best = -1;
  let bestLength = 1; // RFC 5952 §4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [i, length];
    i += length;
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (best < 0) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/** A block of addresses; `bits` counts within the 128 of the mapped form (an IPv4 /24 has 120). Host bits are zeroed. */
export interface Cidr {
  readonly bytes: AddressBytes;
  readonly bits: number;
  readonly v4: boolean;
}

/** The block of `10.0.0.0/24`, `fd00::/8` or a bare address (= itself alone), or undefined when it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const v4 = !text.includes(":");
  const width = v4 ? 32 : 128;
  let length = width;
  if (slash >= 0) {
    const digits = text.slice(slash + 1);
    if (!/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
    length = Number(digits);
    if (length > width) return undefined;
  }
  const bits = length + (128 - width);
  const bytes = Uint8Array.from(address);
  for (let i = 0; i < 16; i++)
    bytes[i]! &= bits >= (i + 1) * 8 ? 0xff : bits <= i * 8 ? 0 : 0xff << ((i + 1) * 8 - bits);
  return { bytes, bits, v4 };
}

/** True when the address at `at` lies in the block. An IPv4 block never holds an IPv6 address, nor the reverse. */
export function cidrContains(cidr: Cidr, address: AddressBytes, at = 0): boolean {
  if (isV4(address, at) !== cidr.v4) return false;
  const whole = cidr.bits >> 3;
  for (let i = 0; i < whole; i++) if (address[at + i] !== cidr.bytes[i]) return false;
  const rest = cidr.bits & 7;
  return rest === 0 || ((address[at + whole]! ^ cidr.bytes[whole]!) & (0xff << (8 - rest)) & 0xff) === 0;
}

/** A block for a person, in the family's own length: `10.0.0.0/24`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.bytes)}/${cidr.v4 ? cidr.bits - 96 : cidr.bits}`;
}

function parseV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256)); // no octal: "010" is refused
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function parseV6(text: string): AddressBytes | undefined {
  if (!text.includes(":") || text.length > 45) return undefined;
  let tail: number[] = [];
  let head = text;
  const dot = text.indexOf(".");
  if (dot >= 0) {
    const colon = text.lastIndexOf(":");
    const v4 = parseV4(text.slice(colon + 1));
    if (v4 === undefined) return undefined;
    tail = v4;
    head = text.slice(0, colon + 1);
    if (!head.endsWith("::")) head = head.slice(0, -1);
  }
  const halves = head.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    if (half === "") return [];
    const bytes: number[] = [];
    for (const group of half.split(":")) {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
    return bytes;
  };
  const left = groups(halves[0]!);
  const right = halves.length === 2 ? groups(halves[1]!) : [];
  if (left === undefined || right === undefined) return undefined;
  const missing = 16 - left.length - right.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...left, ...Array.from({ length: Math.max(missing, 0) }, () => 0), ...right, ...tail]);
}
