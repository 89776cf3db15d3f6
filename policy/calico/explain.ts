import { policyLabel, type Decision, type DirectionVerdict, type PathStep, type RuleRef } from "../verdict.ts";
import { matchesRule } from "./match.ts";
import type { Chain, ChainTier } from "./chains.ts";
import type { CompiledRule } from "./rule-table.ts";

/** A flow in the compiled set's own numbers. */
export interface ClassedFlow {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort: number;
  readonly icmpCode: number;
}

/**
 * One direction with its path. `chain` undefined = no policy point there; `exempt`: the local node reaches its own pods.
 * The same walk as `judge` (chains.ts); a test holds one against the other.
 */
export function explainDirection(
  chain: Chain | undefined,
  flow: ClassedFlow,
  namespace: string,
  exempt: boolean,
  rules: readonly RuleRef[],
): DirectionVerdict {
  const path: PathStep[] = [];
  const answer = (verdict: "allow" | "deny", decidedBy: Decision, l7 = false): DirectionVerdict => ({
    verdict,
    decidedBy,
    l7,
    auth: false,
    path,
  });
  if (exempt) return answer("allow", { kind: "builtin", name: "builtin/local-node" });
  if (chain === undefined) return answer("allow", { kind: "no-policy-point" });
  for (const tier of chain.tiers) {
    const found = firstMatch(tier, flow);
    if (found === undefined) {
      path.push({ label: `tier/${tier.name}`, action: tier.end });
      if (tier.end === "deny")
        return answer("deny", { kind: "default-deny", policies: tier.policies.map(({ ref }) => ref) });
      continue;
    }
    const rule = rules[found.rule.ref]!;
    path.push({
      label: found.numbered ? `${policyLabel(rule.policy)}#${rule.index}` : policyLabel(rule.policy),
      action: found.rule.action,
      rule,
    });
    if (found.rule.action === "pass") continue;
    return answer(
      found.rule.action === "allow" ? "allow" : "deny",
      { kind: "rules", rules: [rule] },
      found.rule.l7 && flow.protocol === 6,
    );
  }
  const name = `builtin/profile/kns.${namespace}`;
  path.push({ label: name, action: "allow" });
  return answer("allow", { kind: "builtin", name });
}

/** The first rule of a tier that ends it: Log goes on. */
function firstMatch(tier: ChainTier, flow: ClassedFlow): { rule: CompiledRule; numbered: boolean } | undefined {
  for (const policy of tier.policies)
    for (const rule of policy[tier.direction])
      if (rule.action !== "log" && ruleMatches(rule, flow)) return { rule, numbered: policy.numbered };
  return undefined;
}

export function ruleMatches(rule: CompiledRule, flow: ClassedFlow): boolean {
  return matchesRule(rule, flow.source, flow.destination, flow.protocol, flow.sourcePort, flow.port, flow.icmpCode);
}
