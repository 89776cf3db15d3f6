import { FILTER_KEYS, type FilterKey } from "../../model/filter/ast.ts";
import { parseFilter, quoteFilterValue } from "../../model/filter/parse.ts";

/** What the filter field shows of a text: terms in order, right and wrong ones. */
export interface FilterToken {
  readonly text: string;
  /** Undefined when the term is right. */
  readonly problem: string | undefined;
}

/** The terms of a filter text as tokens, in the order they were typed. */
export function filterTokens(text: string): readonly FilterToken[] {
  const { filter, problems } = parseFilter(text);
  const right = filter.terms.map((term) => ({ at: term.at, text: term.text, problem: undefined }));
  const wrong = problems.map((problem) => ({
    at: problem.at,
    text: text.slice(problem.at, problem.at + problem.length),
    problem: problem.message,
  }));
  return [...right, ...wrong].toSorted((a, b) => a.at - b.at);
}

/** Key and rest of a term: `-src:web` → `-src:` and `web`. */
export function splitTerm(text: string): { readonly key: string; readonly value: string } {
  const found = /^-?[a-z]+:/.exec(text);
  return found === null ? { key: "", value: text } : { key: found[0], value: text.slice(found[0].length) };
}

/** What each key asks, for the completion list. */
export const KEY_WORDS: Readonly<Record<FilterKey, string>> = {
  src: "who connects: workload, address, ns=, label=",
  dst: "who is reached: workload, address, ns=, label=",
  ns: "namespace of either end",
  workload: "workload of either end",
  label: "label of either end, app=web",
  ip: "address or block of either end",
  name: "DNS name of either end",
  port: "port that was reached, 80,443 or 8000-8999",
  proto: "TCP, UDP, ICMP",
  verdict: "allowed, failed, dropped, denied",
  reason: "why it was dropped or failed",
  kind: "open, close, fail, drop, …",
  reporter: "which end reported",
  process: "program that owns the socket",
  service: "service in front of the destination",
  node: "node that reported",
  location: "kernel function that dropped",
  hook: "firewall hook, tc or queue that dropped",
  toward: "end that a dropped packet was going to",
};

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  allowed: "it went through",
  failed: "the program saw an error",
  dropped: "the kernel discarded packets of it",
  denied: "a policy decided so",
  unknown: "seen without an answer",
};

export interface Completion {
  /** The whole draft once it is taken. */
  readonly draft: string;
  readonly label: string;
  readonly words: string;
  readonly count: number | undefined;
  /** A value ends the term; a key goes on. */
  readonly endsTerm: boolean;
}

/** What the store is asked for a draft: the values of `key` that begin with `prefix`. Undefined while a key is typed. */
export function valueQuestion(draft: string): { readonly key: string; readonly prefix: string } | undefined {
  const found = /^-?([a-z]+):(.*)$/.exec(draft);
  if (found === null || !(FILTER_KEYS as readonly string[]).includes(found[1]!)) return undefined;
  const last = found[2]!.split(",").at(-1)!.replaceAll('"', "");
  const inner = /^(ns|label|name)=(.*)$/.exec(last);
  return inner === null ? { key: found[1]!, prefix: last } : { key: inner[1]!, prefix: inner[2]! };
}

/** Keys that fit a draft that names none yet. */
export function keyCompletions(draft: string): readonly Completion[] {
  const negated = draft.startsWith("-") ? "-" : "";
  const typed = draft.slice(negated.length).toLowerCase();
  return FILTER_KEYS.filter((key) => key.startsWith(typed)).map((key) => ({
    draft: `${negated}${key}:`,
    label: `${negated}${key}:`,
    words: KEY_WORDS[key],
    count: undefined,
    endsTerm: false,
  }));
}

/** Values that exist in the range, put into the draft in place of what was typed of the last one. */
export function valueCompletions(
  draft: string,
  values: readonly { readonly value: string; readonly count: number }[],
): readonly Completion[] {
  const { key, value } = splitTerm(draft);
  const alternatives = value.split(",");
  const last = alternatives.at(-1)!;
  const inner = /^(ns|label|name)=/.exec(last)?.[0] ?? "";
  const before =
    key +
    alternatives
      .slice(0, -1)
      .map((text) => `${text},`)
      .join("") +
    inner;
  const isVerdict = key === "verdict:" || key === "-verdict:";
  return values.map((entry) => ({
    draft: before + quoteFilterValue(entry.value),
    label: entry.value === "" ? "(none)" : entry.value,
    words: isVerdict ? (VERDICT_WORDS[entry.value] ?? "") : "",
    count: entry.count,
    endsTerm: true,
  }));
}
