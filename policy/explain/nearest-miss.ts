import { slotOf, SLOTS, type Entry } from "../compile/entry.ts";
import type { FlowQuestion } from "../engine.ts";
import { covers, resolvePorts, type PortRange } from "../evaluate/decide.ts";
import type { TieredPolicySet } from "../evaluate/tiered.ts";
import type { Direction, RuleRef } from "../verdict.ts";

/** A rule that would allow what is denied, but for what it lacks. */
export interface NearMiss {
  readonly rule: RuleRef;
  readonly direction: Direction;
  /** `port TCP 8443 (the rule has TCP 80, TCP 443)`, `label tier=back (missing) on the source`. */
  readonly lacks: readonly string[];
}

/** The allowing rules of a subject that come nearest to a flow, fewest lacks first, at most `limit`. Empty where nothing selects. */
export function nearestMisses(
  set: TieredPolicySet,
  direction: Direction,
  question: FlowQuestion,
  limit: number,
): NearMiss[] {
  const { source, destination } = question;
  const [subject, peer] = direction === "egress" ? [source, destination] : [destination, source];
  const misses: NearMiss[] = [];
  for (const entry of set.compiled.entries) {
    const rule = set.compiled.rules[entry.rule];
    if (
      rule === undefined ||
      entry.direction !== direction ||
      entry.action !== "allow" ||
      !entry.subject.matches(subject)
    )
      continue;
    const lacks = [...portLack(set, entry, destination, question), ...peerLack(entry, peer, direction)];
    if (lacks.length > 0) misses.push({ rule, direction, lacks });
  }
  const byRule = new Map<RuleRef, NearMiss>();
  for (const miss of misses) {
    const known = byRule.get(miss.rule);
    if (known === undefined || miss.lacks.length < known.lacks.length) byRule.set(miss.rule, miss);
  }
  return [...byRule.values()].sort((a, b) => a.lacks.length - b.lacks.length).slice(0, limit);
}

function portLack(set: TieredPolicySet, entry: Entry, destination: number, question: FlowQuestion): string[] {
  const ports = resolvePorts(entry.ports, (name, slot) =>
    set.semantics.namedPorts(destination, name, slot, entry.direction),
  );
  const slot = slotOf(question.protocol);
  if (covers({ ports }, slot, question.port)) return [];
  const names = (entry.ports ?? []).flatMap((port) => (port.kind === "name" ? [port.name] : []));
  const has = [...(ports ?? []).map(rangeText), ...new Set(names)].join(", ");
  return [`port ${rangeText({ slot, from: question.port, to: question.port })} (the rule has ${has || "none"})`];
}

function peerLack(entry: Entry, peer: number, direction: Direction): readonly string[] {
  if (entry.peers === undefined || entry.peers.some((predicate) => predicate.matches(peer))) return [];
  const end = direction === "egress" ? "destination" : "source";
  let best: readonly string[] | undefined;
  for (const predicate of entry.peers) {
    const lacks = predicate.lacks?.(peer) ?? ["another peer"];
    if (best === undefined || lacks.length < best.length) best = lacks;
  }
  return (best ?? ["any peer at all"]).map((lack) => `${lack} on the ${end}`);
}

const SLOT_NAMES = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "other protocols"];

/** `TCP 80`, `UDP 8000–8027`, `SCTP`. */
export function rangeText({ slot, from, to }: PortRange): string {
  const name = SLOT_NAMES[slot] ?? "";
  if (slot === SLOTS.other || (from === 0 && to === 65535)) return name;
  return from === to ? `${name} ${from}` : `${name} ${from}–${to}`;
}
