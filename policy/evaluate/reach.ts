import { Bitmap } from "../compile/bitmap.ts";
import { TIER, type CompiledRules, type Entry, type PortMatch, type TieredSemantics } from "../compile/entry.ts";
import type { PortReach, RuleReach } from "../engine.ts";
import { compareEntries } from "./decide.ts";

/** What each entry takes in among sides 0 to `size` − 1, in the order in which entries are asked. What the plugin adds is left out. */
export function reachesOf(compiled: CompiledRules, semantics: TieredSemantics, size: number): RuleReach[] {
  const subjects = { egress: new Bitmap(size), ingress: new Bitmap(size) };
  for (const direction of ["egress", "ingress"] as const)
    for (let side = 0; side < size; side++) if (semantics.isSubject(side, direction)) subjects[direction].add(side);
  const ordered = compiled.entries.filter((entry) => entry.rule >= 0).toSorted(compareEntries);
  let place = 0;
  return ordered.map((entry, i): RuleReach => {
    const before = ordered[i - 1];
    if (before !== undefined && compareEntries(before, entry) !== 0) place++;
    const peers = entry.peers?.reduce((all, peer) => all.or(peer.select(size)), new Bitmap(size));
    return {
      rule: entry.rule,
      direction: entry.direction,
      action: entry.action,
      order: [entry.tier, place],
      tie: tieOf(entry),
      sets: [entry.subject.select(size).clone().and(subjects[entry.direction]).words, peers?.words],
      ports: entry.ports?.map(portReach),
      whole: true,
      yields: entry.tier === TIER.baseline,
    };
  });
}

/** Cluster policies of one priority: rules stand in hundredths and less behind it (compile/kubernetes.ts, compile/cilium-kubernetes.ts). */
function tieOf({ tier, level }: Entry): string | undefined {
  return tier === TIER.admin || tier === TIER.baseline ? `priority ${Math.floor(level)}` : undefined;
}

function portReach(port: PortMatch): PortReach {
  return port.kind === "range"
    ? { slot: port.slot, from: port.from, to: port.to }
    : { slot: port.slot, from: 0, to: 65535, name: port.name };
}
