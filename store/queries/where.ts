/**
 * The one place where SQL text is composed: a filter and a namespace scope become conditions, from a fixed vocabulary, with every
 * value as a typed parameter. In: model/filter/ast.ts. Out: text for the marker in a question's SQL, and its parameters.
 * Says the same as model/filter/match.ts does of a single flow; where.test.ts compares the two on random flows.
 */
import { formatAddress, parseCidr } from "../../model/address.ts";
import { unreachable } from "../../model/errors.ts";
import type { Condition, EndMatch, Filter, FilterTerm } from "../../model/filter/ast.ts";
import type { Params } from "../reader.ts";

/** Namespaces that are looked at: an end of the flow lies in one of them. Empty = all. */
export type Scope = readonly string[];

export interface Conditions {
  /** ` AND (…) AND (…)`, or "". */
  readonly sql: string;
  readonly params: Params;
}

/** Identities that are asked for beside the filter: those behind an edge or a node that was clicked. Decimal text. */
export interface Ends {
  readonly source?: readonly string[];
  readonly destination?: readonly string[];
  /** At either end. */
  readonly either?: readonly string[];
}

/** What a table knows. Roll-ups keep identities, not addresses; names are then asked of `identities`. */
export type Vocabulary = "flows" | "edges" | "drops" | "tuples";

const FIELDS: Readonly<Record<Vocabulary, ReadonlySet<string>>> = {
  flows: new Set([
    "port",
    "protocol",
    "verdict",
    "reason",
    "kind",
    "reporter",
    "process",
    "service",
    "node",
    "location",
    "hook",
    "toward",
  ]),
  edges: new Set(["port", "protocol", "verdict", "reason"]),
  drops: new Set(["port", "protocol", "verdict", "reason", "node", "location", "hook", "toward"]),
  tuples: new Set(["port", "protocol"]),
};

/** Terms that `table` cannot answer, so that raw rows must be read: single addresses, outside names, words, processes, …. */
export function termsBeyond(filter: Filter, table: Vocabulary): FilterTerm[] {
  if (table === "flows") return [];
  return filter.terms.filter((term) => !term.any.every((condition) => knows(table, condition)));
}

function knows(table: Vocabulary, condition: Condition): boolean {
  if (condition.on === "source" || condition.on === "destination" || condition.on === "either") {
    return (
      condition.match.kind === "workload" || condition.match.kind === "namespace" || condition.match.kind === "label"
    );
  }
  return FIELDS[table].has(condition.on);
}

/** Conditions of `filter` and `scope` on `table`; names of parameters begin with `prefix`. Throws RangeError on a term that the table does not know (ask `termsBeyond` first). */
export function compileWhere(
  filter: Filter,
  scope: Scope,
  table: Vocabulary = "flows",
  asked: Ends = {},
  prefix = "f",
): Conditions {
  const place = new Places(prefix);
  const ends = table === "flows" ? flowsEnd : identityEnd;
  const parts: string[] = [];
  for (const term of filter.terms) {
    if (term.any.length === 0) continue;
    if (!term.any.every((condition) => table === "flows" || knows(table, condition)))
      throw new RangeError(`${table} does not know "${term.text}"`);
    const any = term.any.map((condition) => compileCondition(condition, place, ends)).join(" OR ");
    parts.push(term.negated ? `NOT (${any})` : `(${any})`);
  }
  if (scope.length > 0) {
    const names = place.add([...scope], "Array(String)");
    parts.push(
      table === "flows"
        ? `(src_ns IN ${names} OR dst_ns IN ${names})`
        : `(${inIdentities("src", `namespace IN ${names}`)} OR ${inIdentities("dst", `namespace IN ${names}`)})`,
    );
  }
  if (asked.source !== undefined) parts.push(`src_id IN ${place.add(asked.source.map(BigInt), "Array(UInt64)")}`);
  if (asked.destination !== undefined)
    parts.push(`dst_id IN ${place.add(asked.destination.map(BigInt), "Array(UInt64)")}`);
  if (asked.either !== undefined) {
    const ids = place.add(asked.either.map(BigInt), "Array(UInt64)");
    parts.push(`(src_id IN ${ids} OR dst_id IN ${ids})`);
  }
  return { sql: parts.map((part) => ` AND ${part}`).join(""), params: place.params };
}

const MARKER = "/* filter */";

/** `sql` with the conditions at each of its markers. Throws when there is none: a question must not forget its filter. */
export function withFilter(sql: string, conditions: Conditions): string {
  if (!sql.includes(MARKER)) throw new Error("the question's SQL has no filter marker");
  return sql.replaceAll(MARKER, () => conditions.sql);
}

type Side = "src" | "dst";
type EndCompiler = (side: Side, match: EndMatch, place: Places) => string;

/** Parameters by number, so that no value is ever part of the text. */
class Places {
  readonly params: Record<string, string | number | readonly string[] | readonly bigint[]> = {};
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(
    value: string | number | readonly string[] | readonly bigint[],
    type: "String" | "UInt64" | "UInt16" | "UInt8" | "IPv6" | "Array(String)" | "Array(UInt64)",
  ): string {
    const name = `${this.#prefix}${this.#count++}`;
    this.params[name] = value;
    return `{${name}:${type}}`;
  }
}

function compileCondition(condition: Condition, place: Places, end: EndCompiler): string {
  switch (condition.on) {
    case "source":
      return end("src", condition.match, place);
    case "destination":
      return end("dst", condition.match, place);
    case "either":
      return `(${end("src", condition.match, place)} OR ${end("dst", condition.match, place)})`;
    case "port":
      if (condition.from === condition.to) return `dst_port = ${place.add(condition.from, "UInt16")}`;
      return `(dst_port >= ${place.add(condition.from, "UInt16")} AND dst_port <= ${place.add(condition.to, "UInt16")})`;
    case "protocol":
      return `protocol = ${place.add(condition.protocol, "UInt8")}`;
    // Enums as text: a name that the enum lacks is no error, it matches nothing.
    case "verdict":
      return `toString(verdict) = ${place.add(condition.value, "String")}`;
    case "kind":
      return `toString(kind) = ${place.add(condition.value, "String")}`;
    case "reporter":
      return `toString(reporter) = ${place.add(condition.value, "String")}`;
    case "reason":
      return `reason = ${place.add(condition.value, "String")}`;
    case "process":
      return `process = ${place.add(condition.value, "String")}`;
    case "service":
      return `service = ${place.add(condition.value, "String")}`;
    case "node":
      return `node = ${place.add(condition.value, "String")}`;
    case "location":
      return `location = ${place.add(condition.value, "String")}`;
    case "hook":
      return `hook = ${place.add(condition.value, "String")}`;
    case "toward":
      return `toString(toward) = ${place.add(condition.value, "String")}`;
    default:
      return unreachable(condition);
  }
}

function flowsEnd(side: Side, match: EndMatch, place: Places): string {
  switch (match.kind) {
    case "workload": {
      const workload = `${side}_workload = ${place.add(match.workload, "String")}`;
      return match.namespace === undefined
        ? workload
        : `(${workload} AND ${side}_ns = ${place.add(match.namespace, "String")})`;
    }
    case "namespace":
      return `${side}_ns = ${place.add(match.namespace, "String")}`;
    case "label":
      return inIdentities(side, labelHolds(match.key, match.value, place));
    case "block":
      return inBlock(side, match.cidr, place);
    case "name":
      return `lowerUTF8(${side}_name) LIKE ${place.add(likePattern(match.name), "String")}`;
    case "word": {
      const word = place.add(match.word, "String");
      return `(positionCaseInsensitiveUTF8(${side}_workload, ${word}) > 0 OR positionCaseInsensitiveUTF8(${side}_endpoint, ${word}) > 0 OR positionCaseInsensitiveUTF8(${side}_name, ${word}) > 0)`;
    }
    default:
      return unreachable(match);
  }
}

function identityEnd(side: Side, match: EndMatch, place: Places): string {
  switch (match.kind) {
    case "workload": {
      const workload = `workload = ${place.add(match.workload, "String")}`;
      return inIdentities(
        side,
        match.namespace === undefined
          ? workload
          : `${workload} AND namespace = ${place.add(match.namespace, "String")}`,
      );
    }
    case "namespace":
      return inIdentities(side, `namespace = ${place.add(match.namespace, "String")}`);
    case "label":
      return inIdentities(side, labelHolds(match.key, match.value, place));
    case "block":
    case "name":
    case "word":
      throw new RangeError(`a roll-up does not know ${match.kind} conditions`);
    default:
      return unreachable(match);
  }
}

/** GLOBAL: on a cluster both tables are Distributed, and a server refuses to ask every shard to ask every shard. */
function inIdentities(side: Side, condition: string): string {
  return `${side}_id GLOBAL IN (SELECT id FROM identities WHERE ${condition})`;
}

/** An absent label reads as "", so its presence is asked as well. */
function labelHolds(key: string, value: string | undefined, place: Places): string {
  const name = place.add(key, "String");
  const present = `mapContains(labels, ${name})`;
  return value === undefined ? present : `${present} AND labels[${name}] = ${place.add(value, "String")}`;
}

/** First and last address of the block. An IPv6 block does not hold the mapped IPv4 ones that lie in its numbers. */
function inBlock(side: Side, text: string, place: Places): string {
  const cidr = parseCidr(text);
  if (cidr === undefined) return "0";
  const last = Uint8Array.from(cidr.bytes);
  for (let i = 0; i < 16; i++)
    last[i]! |= cidr.bits >= (i + 1) * 8 ? 0 : cidr.bits <= i * 8 ? 0xff : 0xff >>> (cidr.bits - i * 8);
  const column = `${side}_addr`;
  const range = `${column} >= ${place.add(ipv6Text(cidr.bytes), "IPv6")} AND ${column} <= ${place.add(ipv6Text(last), "IPv6")}`;
  return cidr.v4
    ? `(${range})`
    : `(${range} AND NOT (${column} >= toIPv6('::ffff:0.0.0.0') AND ${column} <= toIPv6('::ffff:255.255.255.255')))`;
}

function ipv6Text(bytes: Uint8Array): string {
  const text = formatAddress(bytes);
  return text.includes(":") ? text : `::ffff:${text}`;
}

/** `*` of a name pattern as LIKE's `%`; LIKE's own signs are taken as they are. */
function likePattern(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, "\\$&").replaceAll("*", "%");
}
