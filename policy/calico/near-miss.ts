import type { FlowQuestion } from "../engine.ts";
import type { Direction, RuleRef } from "../verdict.ts";
import type { IndexedSide, SideId } from "../world-index.ts";
import { hasPort, isIcmp, isNotIcmp } from "./match.ts";
import { MemberLabels } from "./members.ts";
import { peerSelector } from "./peer-selector.ts";
import type { CalicoPolicySet } from "./policy-set.ts";
import type { CompiledRule } from "./rule-table.ts";
import { allOf, matchesSelector, type Selector } from "./selector.ts";
import { protocolName, selectorPhrase } from "./sentences.ts";
import type { PortMatch } from "./types.ts";

/** A rule that would allow what is denied, but for what it lacks: the form of explain/nearest-miss.ts. */
export interface NearMiss {
  readonly rule: RuleRef;
  readonly direction: Direction;
  /** `port TCP 8443 (the rule has 443)`, `label tier is "back" on the source`. */
  readonly lacks: readonly string[];
}

/** The allowing rules on a flow's way that come nearest to it, fewest lacks first. Empty where none could allow it. */
export function nearestMisses(
  set: CalicoPolicySet,
  direction: Direction,
  question: FlowQuestion,
  limit: number,
): NearMiss[] {
  const labels = new MemberLabels(set.world.world);
  const byRule = new Map<RuleRef, NearMiss>();
  for (const { rule: compiled, namespace } of set.rulesMet(question, direction)) {
    if (compiled.action !== "allow") continue;
    const lacks = missesOf(set, compiled, namespace, question, labels);
    const rule = set.rules[compiled.ref]!;
    const known = byRule.get(rule);
    if (lacks.length > 0 && (known === undefined || lacks.length < known.lacks.length))
      byRule.set(rule, { rule, direction, lacks });
  }
  return [...byRule.values()].sort((a, b) => a.lacks.length - b.lacks.length).slice(0, limit);
}

function missesOf(
  set: CalicoPolicySet,
  rule: CompiledRule,
  namespace: string,
  question: FlowQuestion,
  labels: MemberLabels,
): string[] {
  const flow = set.classed(question);
  const reasons: string[] = [];
  const { protocol, port, icmpCode } = flow;
  if (rule.protocol !== -1 && rule.protocol !== protocol)
    reasons.push(`protocol ${protocolName(protocol)} (the rule has ${protocolName(rule.protocol)})`);
  if (rule.notProtocol === protocol) reasons.push(`protocol ${protocolName(protocol)} is excepted`);
  if (rule.icmpType !== -1 && !isIcmp(protocol, port, icmpCode, rule.icmpType, rule.icmpCode))
    reasons.push(`ICMP type ${port} code ${icmpCode} is another`);
  if (rule.notIcmpType !== -1 && isNotIcmp(protocol, port, icmpCode, rule.notIcmpType, rule.notIcmpCode))
    reasons.push(
      protocol === 1 || protocol === 58 ? `ICMP type ${port} is excepted` : `notICMP excepts port ${port}, too`,
    );
  for (const end of ["source", "destination"] as const) {
    const klass = flow[end];
    const words = rule[end];
    if (words !== undefined && (words[klass >>> 5]! & (1 << (klass & 31))) === 0)
      reasons.push(`${endMiss(set, rule, end, namespace, question[end], labels)} on the ${end}`);
    const wanted = end === "source" ? rule.sourcePorts : rule.destinationPorts;
    const excepted = end === "source" ? rule.notSourcePorts : rule.notDestinationPorts;
    const number = end === "source" ? flow.sourcePort : port;
    if (wanted !== undefined && !hasPort(wanted, klass, protocol, number))
      reasons.push(
        `${end === "source" ? "source port" : "port"} ${protocolName(protocol)} ${number} (the rule has ${portWords(rule.rule[end].ports)})`,
      );
    if (excepted !== undefined && hasPort(excepted, klass, protocol, number))
      reasons.push(`${end === "source" ? "source port" : "port"} ${protocolName(protocol)} ${number} is excepted`);
  }
  if (rule.service !== undefined && rule.destination !== undefined && reasons.length === 0)
    reasons.push(`port ${port} is none of the service's`);
  return reasons;
}

/** Why an end's address does not fit: the parts of the selector that do not hold on a pod, or the blocks. */
function endMiss(
  set: CalicoPolicySet,
  rule: CompiledRule,
  end: "source" | "destination",
  namespace: string,
  side: SideId,
  labels: MemberLabels,
): string {
  const entity = rule.rule[end];
  const indexed: IndexedSide = set.world.side(side);
  if (entity.services !== undefined)
    return `an endpoint of service ${entity.services.namespace}/${entity.services.name}`;
  const negated: Selector | undefined =
    entity.notSelector === undefined ? undefined : { kind: "not", operand: entity.notSelector };
  const selector = allOf(peerSelector(entity, namespace), negated);
  if (selector !== undefined && indexed.kind !== "endpoint") return "a pod or network set that fits";
  if (selector !== undefined && indexed.kind === "endpoint") {
    const own = labels.ofPod(indexed.endpoint);
    const failing = conjuncts(selector).filter((part) => !matchesSelector(part, (key) => own.get(key)));
    if (failing.length > 0) return failing.map(selectorPhrase).join(", ");
  }
  return rule.rule.ipVersion === 0
    ? "an address within its blocks"
    : `an IPv${rule.rule.ipVersion} address within its blocks`;
}

function portWords(ports: PortMatch | undefined): string {
  const numbers = (ports?.ranges ?? []).map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`));
  return [...numbers, ...(ports?.names ?? [])].join(", ");
}

function conjuncts(selector: Selector): readonly Selector[] {
  return selector.kind === "and" ? selector.operands.flatMap(conjuncts) : [selector];
}
