import type { PortReach, RuleReach } from "../engine.ts";
import type { CompiledTier } from "./chains.ts";
import type { CompiledRule } from "./rule-table.ts";

/** What each rule takes in, in the order in which rules are asked; Log rules, which decide nothing, and policies that don't count left out. */
export function reachesOfRules(tiers: readonly CompiledTier[]): RuleReach[] {
  const reaches: RuleReach[] = [];
  for (const [tier, { policies }] of tiers.entries())
    for (const policy of policies) {
      if (!policy.counts) continue;
      for (const direction of ["egress", "ingress"] as const) {
        if (!(direction === "egress" ? policy.governsEgress : policy.governsIngress)) continue;
        for (const rule of policy[direction])
          if (rule.action !== "log")
            reaches.push({
              rule: rule.ref,
              direction,
              action: rule.action,
              order: [tier, reaches.length],
              tie: policy.order === undefined ? "no order" : `order ${policy.order}`,
              sets: [policy.subjects.words, rule.source, rule.destination],
              ports: portsOf(rule),
              whole: isWhole(rule),
              yields: false,
            });
      }
    }
  return reaches;
}

/** Protocol numbers stand for slots; every protocol where only names are given. */
function portsOf(rule: CompiledRule): PortReach[] | undefined {
  const { protocol, destinationPorts, icmpType } = rule;
  if (icmpType !== -1) return [{ slot: protocol, from: icmpType, to: icmpType }];
  if (destinationPorts === undefined) return protocol === -1 ? undefined : [{ slot: protocol, from: 0, to: 65535 }];
  const out: PortReach[] = [];
  for (let i = 0; i < destinationPorts.ranges.length; i += 2)
    out.push({ slot: protocol, from: destinationPorts.ranges[i]!, to: destinationPorts.ranges[i + 1]! });
  for (const name of rule.rule.destination.ports?.names ?? [])
    for (const slot of protocol === -1 ? [6, 17, 132] : [protocol]) out.push({ slot, from: 0, to: 65535, name });
  return out;
}

/** False where the rule asks for more than `sets` and `ports` say. */
function isWhole(rule: CompiledRule): boolean {
  return (
    rule.notProtocol === -1 &&
    rule.icmpCode === -1 &&
    rule.notIcmpType === -1 &&
    rule.notIcmpCode === -1 &&
    rule.sourcePorts === undefined &&
    rule.notSourcePorts === undefined &&
    rule.notDestinationPorts === undefined &&
    rule.service === undefined &&
    !rule.l7
  );
}
