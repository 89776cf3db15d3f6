import type { CompiledPolicySet, PortReach, RuleReach } from "./engine.ts";
import { ruleLabel, type RuleRef } from "./verdict.ts";

/** Two rules that say opposite things of the same traffic, whether or not any was seen. */
export interface Contradiction {
  readonly kind: "contradicts";
  /**
   * `overridden`: `by` comes first and takes in all that `rule` does, so that `rule` never has its way. `tie`: two policies of one
   * priority disagree about a part of what they take in, and nothing that was written says which comes first.
   */
  readonly why: "overridden" | "tie";
  /** Index of `rule` in the set's rules. */
  readonly index: number;
  readonly rule: RuleRef;
  /** The first of those that override it. */
  readonly by: RuleRef;
  /** How many more it takes to override all of it. */
  readonly more: number;
  /** One sentence, the rules named. */
  readonly text: string;
}

export interface Contradictions {
  readonly found: readonly Contradiction[];
  /** False: there were too many rules to compare each with each. */
  readonly complete: boolean;
}

/** Comparisons at most: about a second. */
const MOST_PAIRS = 20_000_000;
const MOST_FOUND = 500;
/** Rules that override another together, at most: with more of them nobody could follow the sentence. */
const MOST_TOGETHER = 100;

/**
 * Rules of a set that contradict each other, among the workloads and addresses of its world: an allow that a deny of higher
 * precedence always overrides, or the other way round, and policies of equal priority that disagree. A rule is named once for each
 * reason. Several rules override a third together where all of them take in its peers and they share out its ports, or the other way
 * round (side by side, as rules are written); what only a patchwork of both overrides, and what a rule between decides otherwise, is not
 * said to contradict.
 */
export function contradictions(set: CompiledPolicySet): Contradictions {
  const reaches = (set.reaches?.() ?? []).filter((reach) => !isEmpty(reach));
  const found: Contradiction[] = [];
  const said = new Set<string>();
  let pairs = 0;
  const say = (why: Contradiction["why"], loser: RuleReach, winner: RuleReach, others: readonly RuleReach[] = []) => {
    const key = why === "tie" ? `${policyPair(set, loser, winner)}` : `${loser.rule}`;
    if (said.has(`${why} ${key}`) || found.length >= MOST_FOUND) return;
    said.add(`${why} ${key}`);
    const [rule, by] = [set.rules[loser.rule]!, set.rules[winner.rule]!];
    const more = others.map((it) => set.rules[it.rule]!);
    const text = sentence(set, why, loser, rule, by, more);
    found.push({ kind: "contradicts", why, index: loser.rule, rule, by, more: more.length, text });
  };
  for (const direction of ["ingress", "egress"] as const) {
    const own = reaches.filter((reach) => reach.direction === direction);
    for (const [at, later] of own.entries()) {
      const partly: RuleReach[] = [];
      for (let i = 0; i < at; i++) {
        if (++pairs > MOST_PAIRS) return { found, complete: false };
        const first = own[i]!;
        if (first.action === later.action) continue;
        if (isTie(set, first, later) && overlaps(first, later)) say("tie", later, first);
        else if (
          !said.has(`overridden ${later.rule}`) &&
          overrides(first, later) &&
          !own.slice(0, i).some((it) => interferes(it, first, later))
        )
          say("overridden", later, first);
        else if (mayOverride(first, later) && overlaps(first, later)) partly.push(first);
      }
      if (partly.length < 2 || partly.length > MOST_TOGETHER || said.has(`overridden ${later.rule}`)) continue;
      if (together(partly, later) === undefined) continue;
      const free = partly.filter((first) => !own.slice(0, at).some((it) => interferes(it, first, later)));
      const [winner, ...others] = together(free, later) ?? [];
      if (winner !== undefined) say("overridden", later, winner, others);
    }
  }
  return { found, complete: found.length < MOST_FOUND };
}

/** A rule that comes before all of another, takes all of it in, and ends with the opposite. */
function overrides(first: RuleReach, later: RuleReach): boolean {
  return (
    mayOverride(first, later) &&
    later.sets.every((inner, i) => isSubset(inner, first.sets[i])) &&
    holdsAllPorts(first.ports, later.ports)
  );
}

/** A rule that ends with the opposite of a later one wherever both apply. */
function mayOverride(first: RuleReach, later: RuleReach): boolean {
  if (first.action === "pass" || later.action === "pass" || later.yields || !first.whole) return false;
  return first.action !== later.action && compareOrder(first, later) < 0;
}

/** The fewest that it takes, first come first, of rules that side by side take in all of `later`; undefined: they leave a part. */
function together(rules: readonly RuleReach[], later: RuleReach): readonly RuleReach[] | undefined {
  const holdsSets = (it: RuleReach, but: number | undefined) =>
    later.sets.every((inner, i) => i === but || isSubset(inner, it.sets[i]));
  const byPorts = fewest(
    rules.filter((it) => holdsSets(it, undefined)),
    (some) => holdsAllPorts(joinedPorts(some), later.ports),
  );
  if (byPorts !== undefined) return byPorts;
  const allPorts = rules.filter((it) => holdsAllPorts(it.ports, later.ports));
  for (const [i, inner] of later.sets.entries()) {
    const side = fewest(
      allPorts.filter((it) => holdsSets(it, i)),
      (some) => isSubset(inner, joinedSets(some.map((it) => it.sets[i]))),
    );
    if (side !== undefined) return side;
  }
  return undefined;
}

/** `rules` without those that are not needed for `enough`, which no part of them loses; undefined where all are too few. */
function fewest(
  rules: readonly RuleReach[],
  enough: (some: readonly RuleReach[]) => boolean,
): readonly RuleReach[] | undefined {
  if (!enough(rules)) return undefined;
  let kept = rules;
  for (const rule of rules.toReversed()) {
    const without = kept.filter((it) => it !== rule);
    if (without.length > 0 && enough(without)) kept = without;
  }
  return kept;
}

function joinedSets(sets: readonly (Uint32Array | undefined)[]): Uint32Array | undefined {
  const joined = new Uint32Array(Math.max(0, ...sets.map((words) => words?.length ?? 0)));
  for (const words of sets) {
    if (words === undefined) return undefined;
    for (const [i, word] of words.entries()) joined[i]! |= word;
  }
  return joined;
}

/** Neighbouring and overlapping ranges of one protocol as one range; names as they are. */
function joinedPorts(rules: readonly RuleReach[]): readonly PortReach[] | undefined {
  const all: PortReach[] = [];
  for (const { ports } of rules) {
    if (ports === undefined) return undefined;
    all.push(...ports);
  }
  const joined: PortReach[] = all.filter((port) => port.name !== undefined);
  const byNumber = all.filter((port) => port.name === undefined).toSorted((a, b) => a.slot - b.slot || a.from - b.from);
  for (const port of byNumber) {
    const last = joined.at(-1);
    if (last?.name === undefined && last?.slot === port.slot && port.from <= last.to + 1)
      joined[joined.length - 1] = { slot: port.slot, from: last.from, to: Math.max(last.to, port.to) };
    else joined.push(port);
  }
  return joined;
}

function holdsAllPorts(outer: readonly PortReach[] | undefined, inner: readonly PortReach[] | undefined): boolean {
  return outer === undefined || (inner?.every((port) => outer.some((all) => holdsPorts(all, port))) ?? false);
}

/** A rule before both that takes some of the traffic away from the first. */
function interferes(it: RuleReach, first: RuleReach, later: RuleReach): boolean {
  return it.action !== first.action && compareOrder(it, first) <= 0 && overlaps(it, later);
}

function isTie(set: CompiledPolicySet, a: RuleReach, b: RuleReach): boolean {
  return a.tie !== undefined && a.tie === b.tie && a.order[0] === b.order[0] && policyOf(set, a) !== policyOf(set, b);
}

const policyOf = (set: CompiledPolicySet, { rule }: RuleReach) => set.rules[rule]!.policy;

function policyPair(set: CompiledPolicySet, a: RuleReach, b: RuleReach): string {
  return [a, b]
    .map((reach) => set.policies.indexOf(policyOf(set, reach)))
    .toSorted((x, y) => x - y)
    .join(" ");
}

function compareOrder(a: RuleReach, b: RuleReach): number {
  for (const [i, place] of a.order.entries()) if (place !== b.order[i]!) return place - b.order[i]!;
  return 0;
}

function isEmpty({ sets, ports }: RuleReach): boolean {
  return sets.some((words) => words !== undefined && words.every((word) => word === 0)) || ports?.length === 0;
}

function isSubset(inner: Uint32Array | undefined, outer: Uint32Array | undefined): boolean {
  if (outer === undefined || inner === outer) return true;
  if (inner === undefined) return false;
  for (let i = 0; i < inner.length; i++) if ((inner[i]! & ~(outer[i] ?? 0)) !== 0) return false;
  return true;
}

function overlaps(a: RuleReach, b: RuleReach): boolean {
  const meets = (x: Uint32Array | undefined, y: Uint32Array | undefined) =>
    x === undefined || y === undefined || x.some((word, i) => (word & (y[i] ?? 0)) !== 0);
  if (!a.sets.every((words, i) => meets(words, b.sets[i]))) return false;
  return a.ports === undefined || b.ports === undefined || a.ports.some((x) => b.ports!.some((y) => meetPorts(x, y)));
}

function meetPorts(a: PortReach, b: PortReach): boolean {
  return a.slot === b.slot && a.name === b.name && a.from <= b.to && b.from <= a.to;
}

function holdsPorts(outer: PortReach, inner: PortReach): boolean {
  if (outer.slot !== inner.slot || (outer.name !== undefined && outer.name !== inner.name)) return false;
  return outer.from <= inner.from && inner.to <= outer.to;
}

function sentence(
  set: CompiledPolicySet,
  why: Contradiction["why"],
  loser: RuleReach,
  rule: RuleRef,
  by: RuleRef,
  more: readonly RuleRef[],
): string {
  const [what, against] = [words(rule), words(by)];
  if (more.length > 0) {
    const others = more.length === 1 ? ruleLabel(more[0]!) : `${more.length} more rules`;
    return `${ruleLabel(rule)} ${what} nothing: ${ruleLabel(by)} and ${others} come first, and together ${plural(by)} all that it takes in`;
  }
  if (why === "overridden")
    return `${ruleLabel(rule)} ${what} nothing: ${ruleLabel(by)} comes first and ${against} all that it takes in`;
  const decides = set.profile === "calico" ? "the name decides" : "which of them decides is undefined";
  return `${ruleLabel(rule)} ${what} what ${ruleLabel(by)} ${against}, and both have ${loser.tie}: ${decides}`;
}

function plural(rule: RuleRef): string {
  return rule.action === "allow" ? "allow" : "deny";
}

function words(rule: RuleRef): string {
  return rule.action === "allow" ? "allows" : rule.action === "deny" ? "denies" : "passes on";
}
