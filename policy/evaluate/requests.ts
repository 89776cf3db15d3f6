import { patternMatches } from "../compile/names.ts";
import type { Entry, RequestRules } from "../compile/entry.ts";

/** Longer paths and hosts are not tried against expressions. */
const MAX_REQUEST = 2048;

/**
 * What proxies say to one request, given the entries that allow its connection: `GET /cart` against http rules, a bare name against
 * dns rules. An entry without a proxy allows every request, and so does a set that denies nothing by default (Cilium then adds a
 * wildcard to the list).
 */
export function judgeRequest(
  entries: readonly Entry[],
  defaultDenied: boolean,
  request: string,
): "allow" | "deny" | "unknown" {
  if (!defaultDenied || entries.some((entry) => entry.redirect === 0)) return "allow";
  if (request.length > MAX_REQUEST) return "unknown";
  let unknown = false;
  for (const { l7 } of entries) {
    const answer = l7 === undefined ? "unknown" : rulesAllow(l7, request);
    if (answer === "allow") return "allow";
    if (answer === "unknown") unknown = true;
  }
  return unknown ? "unknown" : "deny";
}

function rulesAllow(rules: RequestRules, request: string): "allow" | "deny" | "unknown" {
  const http = /^([A-Z]+) (?:https?:\/\/([^/ ]+))?(\/\S*)$/.exec(request);
  if (http === null)
    return rules.dns.length === 0
      ? "unknown"
      : rules.dns.some((pattern) => patternMatches(pattern, request))
        ? "allow"
        : "deny";
  if (rules.http.length === 0) return "unknown";
  const [, method = "", host, path = ""] = http;
  let unknown = false;
  for (const rule of rules.http) {
    const parts = [
      whole(rule.method, method),
      whole(rule.path, path),
      rule.host === undefined ? "allow" : host === undefined ? "unknown" : whole(rule.host, host),
    ];
    if (parts.includes("deny")) continue;
    if (!parts.includes("unknown")) return "allow";
    unknown = true;
  }
  return unknown ? "unknown" : "deny";
}

/**
 * A group that is repeated and itself repeats or branches, a back-reference, or more than two repeats in all can take this runtime's
 * engine ages (Cilium's proxy runs RE2, which cannot): two repeats over MAX_REQUEST letters are four million steps at most.
 */
function isCostly(expression: string): boolean {
  const repeats = expression.match(/[*+]|\{\d+,/g)?.length ?? 0;
  return repeats > 2 || /\\[1-9]|[*+}|][^()]*\)[*+{]/.test(expression) || expression.length > 1000;
}

/** Matches the whole text, as Envoy does. */
function whole(expression: string | undefined, text: string): "allow" | "deny" | "unknown" {
  if (expression === undefined || expression === "") return "allow";
  if (isCostly(expression)) return "unknown";
  try {
    return new RegExp(`^(?:${expression})$`).test(text) ? "allow" : "deny";
  } catch {
    return "unknown"; // an expression of RE2's that this runtime does not know
  }
}
