import { slotOf, TIER } from "../compile/entry.ts";
import type { FlowQuestion } from "../engine.ts";
import { covers, compareEntries, decidePort, type AppliedEntry, type DecideOptions } from "../evaluate/decide.ts";
import { applyEntry, subjectPlan, type TieredParts } from "../evaluate/plan.ts";
import {
  AUTH_MODES,
  policyLabel,
  ruleLabel,
  type Decision,
  type Direction,
  type DirectionVerdict,
  type PathStep,
  type RuleRef,
  type Verdict,
} from "../verdict.ts";

/** A verdict with everything that led to it, without the tables: slow, obvious, and in tests the judge of the fast way. */
export function explainTiered(set: TieredParts, question: FlowQuestion): Verdict {
  const { source, destination } = question;
  const egress = explainDirection(set, "egress", source, destination, question);
  const ingress = explainDirection(set, "ingress", destination, source, question);
  return { verdict: egress.verdict === "allow" && ingress.verdict === "allow" ? "allow" : "deny", egress, ingress };
}

const NO_POINT: DirectionVerdict = {
  verdict: "allow",
  decidedBy: { kind: "no-policy-point" },
  l7: false,
  auth: false,
  path: [],
};

/** What applies to a subject and its peer: entries in order, names resolved, and what holds when none decides. */
export function appliedEntries(
  set: TieredParts,
  direction: Direction,
  subject: number,
  peer: number,
): { applied: AppliedEntry[]; isSubject: boolean; options: DecideOptions; selected: boolean; isolating: number[] } {
  const { compiled, semantics } = set;
  const enforcing = compiled.enforcements.filter((it) => it.direction === direction && it.subject.matches(subject));
  const isolating = enforcing.filter((it) => it.defaultDeny).map((it) => it.policy);
  const selecting: number[] = [];
  for (const [id, entry] of compiled.entries.entries())
    if (entry.direction === direction && entry.subject.matches(subject)) selecting.push(id);
  selecting.sort((a, b) => compareEntries(compiled.entries[a]!, compiled.entries[b]!) || a - b);
  const plan = subjectPlan(
    semantics,
    compiled,
    subject,
    direction,
    selecting,
    enforcing.length > 0,
    isolating.length > 0,
  );
  const applied = !plan.isSubject
    ? []
    : plan.entries.flatMap((id) => {
        const entry = compiled.entries[id]!;
        if (entry.peers !== undefined && !entry.peers.some((it) => it.matches(peer))) return [];
        return [applyEntry(id, entry, semantics, direction === "egress" ? peer : subject)];
      });
  const selected = enforcing.length > 0 || selecting.some((id) => compiled.entries[id]!.builtin === undefined);
  return { applied, isSubject: plan.isSubject, options: plan.options, selected, isolating };
}

function explainDirection(
  set: TieredParts,
  direction: Direction,
  subject: number,
  peer: number,
  question: FlowQuestion,
): DirectionVerdict {
  const { semantics } = set;
  if ((semantics.selfIsExempt && subject === peer) || !semantics.isSubject(subject, direction)) return NO_POINT;
  const { applied, isSubject, options, selected, isolating } = appliedEntries(set, direction, subject, peer);
  if (!isSubject) return { verdict: "allow", decidedBy: { kind: "no-policy" }, l7: false, auth: false, path: [] };
  const slot = slotOf(question.protocol);
  const outcome = decidePort(applied, slot, question.port, options);
  const verdict = outcome.denied ? "deny" : "allow";
  const matching = applied.filter((entry) => covers(entry, slot, question.port));
  const decidedBy = decisionOf(set, outcome.entry, matching, verdict, selected, isolating);
  const auth = AUTH_MODES[outcome.auth] ?? false;
  return { verdict, decidedBy, l7: outcome.redirect, auth, path: pathOf(set, matching, outcome.entry) };
}

function decisionOf(
  set: TieredParts,
  decider: number,
  matching: readonly AppliedEntry[],
  verdict: "allow" | "deny",
  selected: boolean,
  isolating: readonly number[],
): Decision {
  const { compiled } = set;
  if (decider < 0) {
    if (verdict === "allow") return { kind: "no-policy" };
    const policies = [...new Set(isolating)].map((policy) => compiled.policies[policy]!);
    return policies.length === 0 && !selected
      ? { kind: "builtin", name: "builtin/enforcement-always" }
      : { kind: "default-deny", policies };
  }
  const first = compiled.entries[decider]!;
  if (first.builtin !== undefined) return { kind: "builtin", name: first.builtin };
  const rules: RuleRef[] = [];
  for (const { id, tier, level, action } of matching) {
    const rule = compiled.rules[compiled.entries[id]!.rule];
    if (
      rule !== undefined &&
      tier === first.tier &&
      level === first.level &&
      action === first.action &&
      !rules.includes(rule)
    )
      rules.push(rule);
  }
  return { kind: "rules", rules };
}

/** Steps of ordered tiers: who passed, who decided. Empty when only unordered policies took part. */
function pathOf(set: TieredParts, matching: readonly AppliedEntry[], decider: number): PathStep[] {
  const steps: PathStep[] = [];
  if (!matching.some((entry) => entry.tier !== TIER.normal && entry.tier !== TIER.builtin)) return steps;
  let passed = -1;
  for (const { id, tier, action } of matching) {
    if (tier === passed) continue;
    const rule = set.compiled.rules[set.compiled.entries[id]!.rule];
    if (rule !== undefined && (action === "pass" || id === decider))
      steps.push({ label: ruleLabel(rule), action, rule });
    if (id === decider) break;
    if (action === "pass") passed = tier;
  }
  return steps;
}

/** A decision in a few words: `NetworkPolicy/shop/web ingress[0]`, `default deny by NetworkPolicy/shop/web`. */
export function decisionText(decision: Decision): string {
  switch (decision.kind) {
    case "rules":
      return decision.rules.map((rule) => `${ruleLabel(rule)} (${rule.file}:${rule.line}:${rule.column})`).join(", ");
    case "default-deny":
      return decision.policies.length === 0
        ? "default deny"
        : `default deny by ${decision.policies.map(policyLabel).join(", ")}`;
    case "no-policy":
      return "no policy selects it";
    case "builtin":
      return decision.name;
    case "no-policy-point":
      return "no policy point here";
  }
}
