import type { CompiledPorts, CompiledRule } from "./rule-table.ts";
import { portKey } from "./rule-table.ts";

/**
 * Hot: one call a rule and flow, no object made. Numbers in, yes or no out; `source` and `destination` are classes.
 * ICMP's type stands in `port` and its code in `icmpCode`, as in questions.
 */
export function matchesRule(
  rule: CompiledRule,
  source: number,
  destination: number,
  protocol: number,
  sourcePort: number,
  port: number,
  icmpCode: number,
): boolean {
  const from = rule.source;
  if (from !== undefined && (from[source >>> 5]! & (1 << (source & 31))) === 0) return false;
  const to = rule.destination;
  if (to !== undefined && (to[destination >>> 5]! & (1 << (destination & 31))) === 0) return false;
  return matchesTraffic(rule, source, destination, protocol, sourcePort, port, icmpCode);
}

/** What is left of `matchesRule` once the ends' addresses are known to fit. */
export function matchesTraffic(
  rule: CompiledRule,
  source: number,
  destination: number,
  protocol: number,
  sourcePort: number,
  port: number,
  icmpCode: number,
): boolean {
  if (rule.protocol !== -1 && rule.protocol !== protocol) return false;
  if (rule.notProtocol === protocol) return false;
  if (rule.icmpType !== -1 && !isIcmp(protocol, port, icmpCode, rule.icmpType, rule.icmpCode)) return false;
  if (rule.notIcmpType !== -1 && isNotIcmp(protocol, port, icmpCode, rule.notIcmpType, rule.notIcmpCode)) return false;
  if (!rule.hasPorts) return true;
  if (rule.service !== undefined && !rule.service.has(portKey(destination, protocol, port))) return false;
  if (rule.sourcePorts !== undefined && !hasPort(rule.sourcePorts, source, protocol, sourcePort)) return false;
  if (rule.destinationPorts !== undefined && !hasPort(rule.destinationPorts, destination, protocol, port)) return false;
  if (rule.notSourcePorts !== undefined && hasPort(rule.notSourcePorts, source, protocol, sourcePort)) return false;
  return rule.notDestinationPorts === undefined || !hasPort(rule.notDestinationPorts, destination, protocol, port);
}

export function isIcmp(protocol: number, type: number, code: number, wantedType: number, wantedCode: number): boolean {
  return (protocol === 1 || protocol === 58) && type === wantedType && (wantedCode === -1 || code === wantedCode);
}

/**
 * True when `notICMP` of that type and code excepts the flow. Felix' eBPF programs (polprog/pol_prog_builder.go) do not ask whether it
 * is ICMP: type and code stand where TCP and UDP have the destination port, whose low byte is taken for the type.
 */
export function isNotIcmp(protocol: number, port: number, icmpCode: number, type: number, code: number): boolean {
  if ((port & 255) !== type) return false;
  return code === -1 || code === (protocol === 1 || protocol === 58 ? icmpCode : port >>> 8);
}

/** Numbers count for protocols that have ports; ICMP's type and the 0 of others are no port. */
export function hasPort(ports: CompiledPorts, klass: number, protocol: number, port: number): boolean {
  if (protocol !== 6 && protocol !== 17 && protocol !== 132) return false;
  const { ranges } = ports;
  for (let i = 0; i < ranges.length; i += 2) if (port >= ranges[i]! && port <= ranges[i + 1]!) return true;
  const { named, namedPods } = ports;
  if (named === undefined) return false;
  if (namedPods !== undefined && (namedPods[klass >>> 5]! & (1 << (klass & 31))) === 0) return false;
  const key = portKey(klass, protocol, port);
  for (let i = 0; i < named.length; i++) if (named[i]!.has(key)) return true;
  return false;
}
