import type { CompiledRule } from "./rule-table.ts";

/**
 * Hot: every rule of a direction as a bit, in the order in which rules are asked. What a flow's source, destination and
 * (protocol, port) leave possible are three rows of bits, made when first asked for; the rules of one pod's chain that remain in
 * all three are candidates, of which the first that matches decides. Budget: below a microsecond a flow; bench/policy.
 *
 * Memory: rules/8 bytes for each class that was seen on a side, and for each (protocol, port).
 */
export class RuleMatrix {
  readonly rules: readonly CompiledRule[];
  /** 1: the three rows are not all that the rule asks (names, source ports, services, ICMP's code). */
  readonly needsLook: Uint8Array;
  readonly #words: number;
  readonly #sources: SideRows;
  readonly #destinations: SideRows;
  readonly #ports = new Map<number, Uint32Array>();
  // the last (protocol, port) asked for: recorded traffic comes in runs
  #lastPort = -1;
  #lastRow: Uint32Array = new Uint32Array(0);

  constructor(rules: readonly CompiledRule[]) {
    this.rules = rules;
    this.#words = (rules.length + 31) >>> 5;
    this.needsLook = Uint8Array.from(rules, (rule) => Number(needsLook(rule)));
    this.#sources = new SideRows(
      rules.map(({ source }) => source),
      this.#words,
    );
    this.#destinations = new SideRows(
      rules.map(({ destination }) => destination),
      this.#words,
    );
  }

  /** Classes of pods that came after the rules were laid out; their sets must hold them by now. */
  include(classes: readonly number[]): void {
    this.#sources.include(classes);
    this.#destinations.include(classes);
  }

  source(klass: number): Uint32Array {
    return this.#sources.row(klass);
  }

  destination(klass: number): Uint32Array {
    return this.#destinations.row(klass);
  }

  /** Rules that a protocol and destination port leave possible. */
  port(protocol: number, port: number): Uint32Array {
    const key = (protocol << 16) | port;
    if (key === this.#lastPort) return this.#lastRow;
    let row = this.#ports.get(key);
    if (row === undefined) {
      row = new Uint32Array(this.#words);
      for (const [i, rule] of this.rules.entries())
        if (portPossible(rule, protocol, port)) row[i >>> 5]! |= 1 << (i & 31);
      if (this.#ports.size < MAX_PORT_ROWS) this.#ports.set(key, row);
    }
    this.#lastPort = key;
    this.#lastRow = row;
    return row;
  }
}

/** A scan over all ports must not fill the memory; rows beyond are made anew. */
const MAX_PORT_ROWS = 4096;

/** Rows by class: the rules that ask nothing of this side, and those whose address set holds the class. */
class SideRows {
  readonly #rows: (Uint32Array | undefined)[] = [];
  readonly #anyone: Uint32Array;
  /** Rules of each different address set. */
  readonly #rules: readonly (readonly number[])[];
  /** Which sets hold a class: `#setsOf` from `#start[class]` to before `#start[class + 1]`. */
  readonly #start: Uint32Array;
  readonly #setsOf: Uint32Array;
  readonly #different: readonly Uint32Array[];
  /** Classes that `#start` does not know. */
  readonly #late = new Set<number>();

  constructor(sets: readonly (Uint32Array | undefined)[], words: number) {
    this.#anyone = new Uint32Array(words);
    const bySet = new Map<Uint32Array, number[]>();
    for (const [i, set] of sets.entries()) {
      if (set === undefined) this.#anyone[i >>> 5]! |= 1 << (i & 31);
      else if (bySet.has(set)) bySet.get(set)!.push(i);
      else bySet.set(set, [i]);
    }
    this.#rules = [...bySet.values()];
    const different = [...bySet.keys()];
    this.#different = different;
    this.#start = new Uint32Array(different.reduce((most, set) => Math.max(most, set.length * 32), 0) + 2);
    for (const set of different) eachBit(set, (klass) => this.#start[klass + 2]!++);
    for (let i = 2; i < this.#start.length; i++) this.#start[i]! += this.#start[i - 1]!;
    this.#setsOf = new Uint32Array(this.#start.at(-1)!);
    for (const [number, set] of different.entries())
      eachBit(set, (klass) => (this.#setsOf[this.#start[klass + 1]!++] = number));
  }

  include(classes: readonly number[]): void {
    for (const klass of classes) this.#late.add(klass);
  }

  row(klass: number): Uint32Array {
    const known = this.#rows[klass];
    if (known !== undefined) return known;
    const row = this.#anyone.slice();
    if (this.#late.has(klass)) {
      for (const [number, set] of this.#different.entries())
        if ((set[klass >>> 5]! & (1 << (klass & 31))) !== 0)
          for (const rule of this.#rules[number]!) row[rule >>> 5]! |= 1 << (rule & 31);
      this.#rows[klass] = row;
      return row;
    }
    const end = klass + 1 < this.#start.length ? this.#start[klass + 1]! : 0; // past the last set's last word: in none
    for (let at = end === 0 ? 0 : this.#start[klass]!; at < end; at++)
      for (const rule of this.#rules[this.#setsOf[at]!]!) row[rule >>> 5]! |= 1 << (rule & 31);
    this.#rows[klass] = row;
    return row;
  }
}

function eachBit(words: Uint32Array, visit: (bit: number) => void): void {
  for (let i = 0; i < words.length; i++)
    for (let word = words[i]!; word !== 0; word &= word - 1) visit((i << 5) + 31 - Math.clz32(word & -word));
}

function needsLook(rule: CompiledRule): boolean {
  const { sourcePorts, notSourcePorts, destinationPorts, notDestinationPorts, service } = rule;
  if (sourcePorts !== undefined || notSourcePorts !== undefined || service !== undefined) return true;
  if (destinationPorts?.named !== undefined || notDestinationPorts?.named !== undefined) return true;
  return rule.icmpCode !== -1 || rule.notIcmpCode !== -1;
}

/** What `matchesRule` (match.ts) asks of protocol and port, as far as it can be told without the ends. */
function portPossible(rule: CompiledRule, protocol: number, port: number): boolean {
  if (rule.protocol !== -1 && rule.protocol !== protocol) return false;
  if (rule.notProtocol === protocol) return false;
  const isIcmp = protocol === 1 || protocol === 58;
  if (rule.icmpType !== -1 && !(isIcmp && port === rule.icmpType)) return false;
  if (rule.notIcmpType !== -1 && rule.notIcmpCode === -1 && (port & 255) === rule.notIcmpType) return false;
  const { destinationPorts, notDestinationPorts } = rule;
  const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
  if (destinationPorts !== undefined) {
    if (!hasPorts) return false;
    if (destinationPorts.named === undefined && !inRanges(destinationPorts.ranges, port)) return false;
  }
  return notDestinationPorts === undefined || !hasPorts || !inRanges(notDestinationPorts.ranges, port);
}

function inRanges(ranges: Uint16Array, port: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) if (port >= ranges[i]! && port <= ranges[i + 1]!) return true;
  return false;
}
