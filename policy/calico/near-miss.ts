import type { FlowQuestion } from "../engine.ts";
import { ruleLabel, type Direction, type RuleRef } from "../verdict.ts";
import type { IndexedSide, SideId } from "../world-index.ts";
import { hasPort, isIcmp } from "./match.ts";
import { MemberLabels } from "./members.ts";
import { peerSelector } from "./peer-selector.ts";
import type { CalicoPolicySet } from "./policy-set.ts";
import type { CompiledRule } from "./rule-table.ts";
import { allOf, matchesSelector, type Selector } from "./selector.ts";
import { protocolName, selectorPhrase } from "./sentences.ts";

/** The rule that would have allowed a denied flow with the fewest changes, and what kept it from that. */
export interface NearMiss {
  readonly rule: RuleRef;
  /** `destination port 8443 is not among those named`, `source: label tier is "back" does not hold`. */
  readonly reasons: readonly string[];
}

/** The nearest miss of a direction, or undefined when no rule that the flow meets there could allow it. */
export function nearestMiss(set: CalicoPolicySet, question: FlowQuestion, direction: Direction): NearMiss | undefined {
  const labels = new MemberLabels(set.world.world);
  let best: NearMiss | undefined;
  for (const { rule, namespace } of set.rulesMet(question, direction)) {
    if (rule.action !== "allow") continue;
    const reasons = missesOf(set, rule, namespace, question, labels);
    if (reasons.length > 0 && (best === undefined || reasons.length < best.reasons.length))
      best = { rule: set.rules[rule.ref]!, reasons };
  }
  return best;
}

/** The same in one sentence: `NetworkPolicy/shop/web ingress[0] would allow it but for: …`. */
export function nearMissText({ rule, reasons }: NearMiss): string {
  return `${ruleLabel(rule)} (${rule.file}:${rule.line}:${rule.column}) would allow it but for: ${reasons.join("; ")}`;
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
    reasons.push(`protocol ${protocolName(protocol)} is not ${protocolName(rule.protocol)}`);
  if (rule.notProtocol === protocol) reasons.push(`protocol ${protocolName(protocol)} is excepted`);
  if (rule.icmpType !== -1 && !isIcmp(protocol, port, icmpCode, rule.icmpType, rule.icmpCode))
    reasons.push(`ICMP type ${port} code ${icmpCode} is another`);
  if (rule.notIcmpType !== -1 && isIcmp(protocol, port, icmpCode, rule.notIcmpType, rule.notIcmpCode))
    reasons.push(`ICMP type ${port} is excepted`);
  for (const end of ["source", "destination"] as const) {
    const klass = flow[end];
    const words = rule[end];
    if (words !== undefined && (words[klass >>> 5]! & (1 << (klass & 31))) === 0)
      reasons.push(`${end}: ${endMiss(set, rule, end, namespace, question[end], labels)}`);
    const wanted = end === "source" ? rule.sourcePorts : rule.destinationPorts;
    const excepted = end === "source" ? rule.notSourcePorts : rule.notDestinationPorts;
    const number = end === "source" ? flow.sourcePort : port;
    if (wanted !== undefined && !hasPort(wanted, klass, protocol, number))
      reasons.push(`${end} port ${number} is not among those named`);
    if (excepted !== undefined && hasPort(excepted, klass, protocol, number))
      reasons.push(`${end} port ${number} is excepted`);
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
    return `no endpoint of service ${entity.services.namespace}/${entity.services.name}`;
  const negated: Selector | undefined =
    entity.notSelector === undefined ? undefined : { kind: "not", operand: entity.notSelector };
  const selector = allOf(peerSelector(entity, namespace), negated);
  if (selector !== undefined && indexed.kind !== "endpoint") return "an address in no network set that fits";
  if (selector !== undefined && indexed.kind === "endpoint") {
    const own = labels.ofPod(indexed.endpoint);
    const failing = conjuncts(selector).filter((part) => !matchesSelector(part, (key) => own.get(key)));
    if (failing.length > 0) return `${failing.map(selectorPhrase).join(", ")} does not hold`;
  }
  return rule.rule.ipVersion === 0
    ? "its address is outside of the blocks named"
    : `its address is outside of the blocks named, or not IPv${rule.rule.ipVersion}`;
}

function conjuncts(selector: Selector): readonly Selector[] {
  return selector.kind === "and" ? selector.operands.flatMap(conjuncts) : [selector];
}
