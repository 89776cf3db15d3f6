import { cidrContains, isV4, parseAddress, parseCidr, type Cidr } from "../../model/address.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import { nearestName } from "../parse/problem.ts";
import { describe, quote, type Cursor } from "../parse/reader.ts";
import { parseSelector } from "./selector-parser.ts";
import type { Selector } from "./selector.ts";
import type { PortMatch } from "./types.ts";

/** Values inside Calico's rules: what the API server's schema, numorstring and validator/v3 3.32.1 take, and nothing else. */
/** Limits that the schemas have since 3.33: 3.32 takes more, so that more is a warning. */
const SELECTOR_LENGTH = 1024;
const MAX_NETS = 256;
const MAX_PORTS = 50;

/** The selector of a field; undefined for "" (as good as absent) and for one with an error. */
export function readSelector(cursor: Cursor | undefined, longest = SELECTOR_LENGTH): Selector | undefined {
  const text = cursor?.string("a selector such as app == 'web'");
  if (cursor === undefined || text === undefined || text === "") return undefined;
  if (text.length > longest) warnOfLimit(cursor, `a selector of ${text.length} characters`, longest);
  const result = parseSelector(text);
  if (result.ok) return result.selector;
  cursor.problem(
    `selector ${quote(text)}: ${result.error.message}, at character ${result.error.at + 1}`,
    result.error.expected,
  );
  return undefined;
}

/** A count or length that Calico takes up to 3.32 and refuses later. */
export function warnOfLimit(cursor: Cursor, found: string, most: number): void {
  cursor.warning(`${found}; releases after 3.32 refuse that`, `at most ${most}`);
}

/** As readSelector, for a place where global() means nothing. The validator looks for the text, in quotes too. */
export function readPlainSelector(cursor: Cursor | undefined, longest = SELECTOR_LENGTH): Selector | undefined {
  const value = cursor?.node.kind === "scalar" ? cursor.node.value : undefined;
  if (typeof value === "string" && value.includes("global()"))
    cursor!.problem("global() is for a rule's namespaceSelector alone", "another selector, such as all()");
  return readSelector(cursor, longest);
}

/** A rule's protocol: 1–255 or a name, as written. */
export interface ProtocolValue {
  readonly number: number;
  /** TCP, ICMPv6, … where it was written as a name. */
  readonly name: string | undefined;
}

export function readProtocol(cursor: Cursor | undefined): ProtocolValue | undefined {
  const expected = "1–255, TCP, UDP, SCTP, ICMP, ICMPv6 or UDPLite";
  const value = cursor?.integerOrString(expected);
  if (cursor === undefined || value === undefined) return undefined;
  const digits = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof digits === "number") {
    if (digits >= 1 && digits <= 255) return { number: digits, name: undefined };
    cursor.problem(`${digits} is no protocol`, expected);
    return undefined;
  }
  const number = PROTOCOL_NUMBERS.get(digits);
  if (number !== undefined) return { number, name: digits };
  const near = nearestName(digits, [...PROTOCOL_NUMBERS.keys()]);
  cursor.problem(`${quote(digits)} is no protocol`, near === undefined ? expected : `${near}, or ${expected}`);
  return undefined;
}

/** Blocks with a prefix length and no host bits (rules), each with its cursor. Both checks are the validator's. */
export function readRuleNets(cursor: Cursor | undefined, negated: boolean): readonly { net: Cidr; at: Cursor }[] {
  const out: { net: Cidr; at: Cursor }[] = [];
  const items = cursor?.items("a list of blocks such as 10.0.0.0/24") ?? [];
  if (items.length > MAX_NETS) warnOfLimit(cursor!, `${items.length} blocks in one list`, MAX_NETS);
  const seen = new Set<string>();
  for (const at of items) {
    const text = at.string("a block such as 10.0.0.0/24");
    if (text === undefined) continue;
    if (seen.has(text)) at.warning(`${text} stands here twice; the API server refuses that`, "each block once");
    seen.add(text);
    const net = parseCidr(text);
    if (net === undefined) at.problem(`${quote(text)} is no block of addresses`, "such as 10.0.0.0/24 or fd00::/64");
    else if (!text.includes("/")) at.problem(`${text} has no prefix length`, `${text}/${net.v4 ? 32 : 128}`);
    else if (hasHostBits(text, net)) at.problem(`${text} has bits behind its prefix`, "the block's first address");
    else if (negated && net.bits === (net.v4 ? 96 : 0))
      at.problem(`${text} in notNets leaves nothing over`, "a smaller block");
    else out.push({ net, at });
  }
  return out;
}

/** A network set's blocks: addresses without a length and with host bits are fine, the network counts. */
export function readSetNets(cursor: Cursor | undefined): readonly Cidr[] {
  const out: Cidr[] = [];
  for (const at of cursor?.items("a list of blocks or addresses") ?? []) {
    const text = at.string("a block or an address");
    if (text === "") at.warning("an empty text is no block; Calico passes over it", "a block, or nothing");
    if (text === undefined || text === "") continue;
    const net = parseCidr(text);
    if (net === undefined)
      at.problem(`${quote(text)} is no block of addresses`, "such as 10.0.0.0/24, fd00::/64 or 10.0.0.1");
    else out.push(net);
  }
  return out;
}

function hasHostBits(text: string, net: Cidr): boolean {
  const address = parseAddress(text.slice(0, text.indexOf("/")));
  return (
    address === undefined ||
    isV4(address) !== net.v4 ||
    !cidrContains(net, address) ||
    address.some((byte, i) => byte !== net.bytes[i])
  );
}

const PORT_NAME_FORM = /^[a-zA-Z0-9_.-]{1,128}$/;
/** Kubernetes' IsValidPortName: what validator/v3 asks of a named port. */
const PORT_NAME = /^(?!.*--)(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/;
const PORT_EXPECTED = "1–65535, a range such as 8000:8010, or a port's name";

/** A list of ports; undefined when absent or empty. */
export function readPorts(cursor: Cursor | undefined): PortMatch | undefined {
  const items = cursor?.items("a list of ports") ?? [];
  if (items.length > MAX_PORTS) warnOfLimit(cursor!, `${items.length} ports in one list`, MAX_PORTS);
  const ranges: { first: number; last: number }[] = [];
  const names: string[] = [];
  for (const at of items) {
    const value = at.integerOrString(PORT_EXPECTED);
    if (value === undefined) continue;
    const port = typeof value === "number" ? { first: value, last: value } : portRange(value);
    if (port === undefined) {
      if (!PORT_NAME_FORM.test(String(value)) || !PORT_NAME.test(String(value)))
        at.problem(
          `${describe(at.node)} is no port`,
          `${PORT_EXPECTED} (lower-case letters, digits and -, at most 15)`,
        );
      else names.push(String(value));
    } else if (port.first < 1 || port.last > 65535 || port.first > port.last)
      at.problem(`${describe(at.node)} is no port`, PORT_EXPECTED);
    else ranges.push(port);
  }
  return ranges.length + names.length === 0 ? undefined : { ranges, names };
}

function portRange(text: string): { first: number; last: number } | undefined {
  const parts = /^(\d+)(?::(\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const first = Number(parts[1]);
  return { first, last: parts[2] === undefined ? first : Number(parts[2]) };
}
