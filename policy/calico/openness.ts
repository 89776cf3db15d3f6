import type { RuleOpenness } from "../engine.ts";
import type { Direction } from "../verdict.ts";
import type { CompiledPolicy } from "./chains.ts";
import type { CompiledRule } from "./rule-table.ts";

/** What each allowing rule leaves open, by its number: for finding those wider than the traffic seen. */
export function opennessOfRules(policies: readonly CompiledPolicy[]): Map<number, RuleOpenness> {
  const open = new Map<number, RuleOpenness>();
  for (const policy of policies)
    for (const direction of ["egress", "ingress"] as const)
      for (const rule of policy[direction])
        if (rule.action === "allow") open.set(rule.ref, wider(open.get(rule.ref), opennessOf(rule, direction)));
  return open;
}

function opennessOf(rule: CompiledRule, direction: Direction): RuleOpenness {
  const { destinationPorts, service } = rule;
  const everyPeer = (direction === "egress" ? rule.destination : rule.source) === undefined;
  if (service !== undefined) return { everyPort: false, everyPeer, ports: service.size };
  if (destinationPorts === undefined)
    return { everyPort: rule.icmpType === -1, everyPeer, ports: rule.icmpType === -1 ? Number.POSITIVE_INFINITY : 1 };
  let ports = destinationPorts.named?.length ?? 0;
  for (let i = 0; i < destinationPorts.ranges.length; i += 2)
    ports += destinationPorts.ranges[i + 1]! - destinationPorts.ranges[i]! + 1;
  return { everyPort: ports > 65535, everyPeer, ports };
}

/** Several translated rules may come from one document's rule: together they leave open what any does. */
function wider(a: RuleOpenness | undefined, b: RuleOpenness): RuleOpenness {
  return a === undefined
    ? b
    : { everyPort: a.everyPort || b.everyPort, everyPeer: a.everyPeer || b.everyPeer, ports: a.ports + b.ports };
}
