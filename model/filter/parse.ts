import { parseCidr } from "../address.ts";
import { FLOW_KINDS, PROTOCOLS, REPORTERS, TOWARDS, VERDICTS } from "../flow.ts";
import {
  FILTER_KEYS,
  type Condition,
  type EndMatch,
  type Filter,
  type FilterKey,
  type FilterProblem,
  type FilterTerm,
} from "./ast.ts";

/** Longer texts are refused whole: a filter is typed or comes in a URL. */
export const MAX_FILTER_LENGTH = 4096;
/** Terms and alternatives beyond this are refused, so that a filter stays one short condition in the store. */
export const MAX_FILTER_CONDITIONS = 128;

export interface ParsedFilter {
  /** The terms that are right; a wrong one is left out and named in `problems`. */
  readonly filter: Filter;
  readonly problems: readonly FilterProblem[];
}

/** A filter from text. Never throws: every problem is listed with its place, in the words of the field's hint line. */
export function parseFilter(text: string): ParsedFilter {
  if (text.length > MAX_FILTER_LENGTH) {
    const message = `a filter has at most ${MAX_FILTER_LENGTH} characters, this one has ${text.length}`;
    return { filter: { terms: [] }, problems: [{ at: 0, length: text.length, message }] };
  }
  const terms: FilterTerm[] = [];
  const problems: FilterProblem[] = [];
  let conditions = 0;
  for (const token of tokens(text)) {
    const term = parseTerm(token);
    if ("message" in term) {
      problems.push(term);
      continue;
    }
    conditions += term.any.length;
    if (conditions > MAX_FILTER_CONDITIONS) {
      problems.push(problem(token, `a filter has at most ${MAX_FILTER_CONDITIONS} values`));
      break;
    }
    terms.push(term);
  }
  return { filter: { terms }, problems };
}

/** The text of a filter, such that parsing it gives the same terms again. */
export function formatFilter(filter: Filter): string {
  return filter.terms.map((term) => term.text).join(" ");
}

/** A value as it may stand behind a colon: quoted when it holds a space, comma or quote. */
export function quoteFilterValue(value: string): string {
  return /[\s,"\\]/.test(value) || value === "" ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : value;
}

interface Token {
  readonly text: string;
  readonly at: number;
  readonly unclosed: boolean;
}

/** Splits at spaces outside quotes. */
function* tokens(text: string): Generator<Token> {
  let start = -1;
  let quoted = false;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (quoted && char === "\\") i++;
    else if (char === '"') {
      quoted = !quoted;
      if (start < 0) start = i;
    } else if (char === undefined || (!quoted && /\s/.test(char))) {
      if (start >= 0) yield { text: text.slice(start, i), at: start, unclosed: quoted };
      start = -1;
    } else if (start < 0) start = i;
  }
}

function problem(token: Token, message: string): FilterProblem {
  return { at: token.at, length: token.text.length, message };
}

function parseTerm(token: Token): FilterTerm | FilterProblem {
  if (token.unclosed) return problem(token, 'a quote (") is not closed');
  const negated = token.text.startsWith("-");
  const body = negated ? token.text.slice(1) : token.text;
  const colon = unquotedColon(body);
  if (colon < 0) {
    if (body === "") return problem(token, "a lone - excludes nothing; write -key:value");
    const word = unquote(body);
    const any: Condition[] = [{ on: "either", match: { kind: "word", word } }];
    return { key: undefined, negated, any, text: token.text, at: token.at };
  }
  const name = body.slice(0, colon);
  const key = FILTER_KEYS.find((known) => known === name);
  if (key === undefined) {
    const near = nearest(name);
    return problem(token, `no filter key “${name}”${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
  const values = splitAlternatives(body.slice(colon + 1));
  if (values.length === 0 || values.some((value) => value === "")) {
    return problem(token, `${key}: needs a value, such as ${EXAMPLES[key]}`);
  }
  const any: Condition[] = [];
  for (const value of values) {
    const condition = parseValue(key, value);
    if (typeof condition === "string") return problem(token, condition);
    any.push(condition);
  }
  return { key, negated, any, text: token.text, at: token.at };
}

/** What each key takes, shown in hints and completion. */
export const EXAMPLES: Readonly<Record<FilterKey, string>> = {
  src: "src:storefront/web",
  dst: "dst:payments",
  ns: "ns:storefront",
  workload: "workload:web",
  label: "label:app=web",
  ip: "ip:10.0.0.0/8",
  name: "name:*.example.com",
  port: "port:443 or port:8000-8999",
  proto: "proto:TCP",
  verdict: "verdict:dropped",
  reason: "reason:NO_SOCKET",
  kind: "kind:open",
  reporter: "reporter:client",
  process: "process:nginx",
  service: "service:cart",
  node: "node:worker-1",
  location: "location:nft_do_chain",
  hook: "hook:forward",
  toward: "toward:server",
};

/** The condition, or the sentence that says what is wrong with the value. */
function parseValue(key: FilterKey, value: string): Condition | string {
  switch (key) {
    case "src":
    case "dst": {
      const match = parseEnd(value);
      if (typeof match === "string") return match;
      return { on: key === "src" ? "source" : "destination", match };
    }
    case "ns":
      return { on: "either", match: { kind: "namespace", namespace: value } };
    case "workload":
      return { on: "either", match: parseWorkload(value) };
    case "label":
      return { on: "either", match: parseLabel(value) };
    case "name":
      return { on: "either", match: { kind: "name", name: value.toLowerCase() } };
    case "ip":
      if (parseCidr(value) === undefined)
        return `“${value}” is no address or block; expected 10.0.0.1, 10.0.0.0/8 or fd00::/8`;
      return { on: "either", match: { kind: "block", cidr: value } };
    case "port":
      return parsePorts(value);
    case "proto": {
      const wanted = value.toLowerCase();
      const known = Object.entries(PROTOCOLS).find(([, name]) => name.toLowerCase() === wanted);
      const protocol = Number(known?.[0] ?? (/^\d{1,3}$/.test(value) ? value : Number.NaN));
      if (!(protocol >= 0 && protocol <= 255)) {
        return `no protocol “${value}”; expected one of ${Object.values(PROTOCOLS).join(", ")} or 0–255`;
      }
      return { on: "protocol", protocol };
    }
    case "verdict":
      return oneOf(key, value, VERDICTS);
    case "kind":
      return oneOf(key, value, FLOW_KINDS);
    case "reporter":
      return oneOf(key, value, REPORTERS);
    case "toward":
      return oneOf(key, value, TOWARDS);
    case "reason":
      return { on: "reason", value: value.toUpperCase() };
    case "process":
    case "service":
    case "node":
    case "location":
    case "hook":
      return { on: key, value };
  }
}

function oneOf(
  key: "verdict" | "kind" | "reporter" | "toward",
  value: string,
  known: readonly string[],
): Condition | string {
  const wanted = value.toLowerCase();
  if (!known.includes(wanted)) return `no ${key} “${value}”; expected one of ${known.join(", ")}`;
  return { on: key, value: wanted };
}

function parsePorts(value: string): Condition | string {
  const [from, to = from] = value.split("-");
  const isPort = (text: string | undefined): text is string =>
    text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65535;
  if (value.split("-").length > 2 || !isPort(from) || !isPort(to))
    return `“${value}” is no port; expected 0–65535 or a range 8000-8999`;
  if (Number(from) > Number(to)) return `port range ${value} is backwards; did you mean ${to}-${from}?`;
  return { on: "port", from: Number(from), to: Number(to) };
}

function parseEnd(value: string): EndMatch | string {
  const equals = value.indexOf("=");
  if (equals > 0) {
    const field = value.slice(0, equals);
    const rest = value.slice(equals + 1);
    if (rest === "" && field !== "label") return `${field}= needs a value`;
    if (field === "ns") return { kind: "namespace", namespace: rest };
    if (field === "label") return parseLabel(rest);
    if (field === "name") return { kind: "name", name: rest.toLowerCase() };
    if (field === "workload") return parseWorkload(rest);
    if (field === "ip")
      return parseCidr(rest) === undefined ? `“${rest}” is no address or block` : { kind: "block", cidr: rest };
    return `an end is asked by ns=, workload=, label=, name= or ip=, not ${field}=`;
  }
  if (parseCidr(value) !== undefined) return { kind: "block", cidr: value };
  return parseWorkload(value);
}

function parseWorkload(value: string): EndMatch {
  const slash = value.indexOf("/");
  if (slash < 0) return { kind: "workload", namespace: undefined, workload: value };
  return { kind: "workload", namespace: value.slice(0, slash), workload: value.slice(slash + 1) };
}

function parseLabel(value: string): EndMatch {
  const equals = value.indexOf("=");
  if (equals < 0) return { kind: "label", key: value, value: undefined };
  return { kind: "label", key: value.slice(0, equals), value: value.slice(equals + 1) };
}

function unquotedColon(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') return -1;
    if (text[i] === ":") return i;
  }
  return -1;
}

function splitAlternatives(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\\" && quoted && i + 1 < text.length) part += text[++i];
    else if (char === '"') quoted = !quoted;
    else if (char === "," && !quoted) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  parts.push(part);
  return parts;
}

function unquote(text: string): string {
  return splitAlternatives(text).join(",");
}

/** The known key with the fewest edits, when that is at most two. */
function nearest(name: string): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const key of FILTER_KEYS) {
    const distance = edits(name.toLowerCase(), key);
    if (distance < bestDistance) [best, bestDistance] = [key, distance];
  }
  return best;
}

/** Levenshtein distance; both texts are short (a key typed by hand is cut at 24 characters). */
function edits(typed: string, key: string): number {
  const a = typed.slice(0, 24);
  let row = Array.from({ length: key.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= key.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === key[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[key.length]!;
}
