import { wideRules, type RuleUse } from "../../policy/findings.ts";
import { ruleLabel, type Direction } from "../../policy/verdict.ts";
import type { WideFinding } from "./answers.ts";
import type { Judge } from "./judge.ts";
import { KIND_OF_PROFILE, ruleItem } from "./propose.ts";
import type { Item } from "./text-edits.ts";

/** With more peers than this a list of them is no better than what stands there. */
const MOST_PEERS = 20;

/**
 * Rules that let in more than the range used, in ports or in peers, each with the rule that lets in just that. Peers are counted
 * among the workloads of the traffic: a selector that takes in ten while three talk is wide.
 */
export function wideFindings(judge: Judge, uses: readonly RuleUse[]): WideFinding[] {
  const { candidate } = judge.last!.diff;
  const byPorts = new Map(wideRules(candidate, uses).map((wide) => [wide.use.index, wide]));
  const peers = peersTaken(judge);
  return uses.flatMap((use): WideFinding[] => {
    const ports = byPorts.get(use.index);
    const taken = peers.get(use.index) ?? 0;
    const known = ports?.what.includes("every peer") === true;
    const tooMany = !known && use.decided > 0 && use.rule.action === "allow" && taken > use.peers.length;
    if (ports === undefined && (!tooMany || use.peers.length > MOST_PEERS)) return [];
    const { file, line } = use.rule;
    const place = { file, line, rule: ruleLabel(use.rule), item: narrowItem(judge, use) };
    if (!tooMany || use.peers.length > MOST_PEERS) return [{ ...place, what: ports!.what, narrower: ports!.narrower }];
    const only = `peers ${use.peers.map((peer) => peer.text).join(", ")}`;
    const all = `takes in ${taken} workloads, of which ${use.peers.length} came`;
    return [
      ports === undefined
        ? { ...place, what: all, narrower: `${only} would do for what was seen` }
        : { ...place, what: `${ports.what}, ${all}`, narrower: `${only}; ${ports.narrower}` },
    ];
  });
}

/** By rule: how many workloads of the traffic its peers take in; rules whose peers are everybody are missing. */
function peersTaken({ last }: Judge): ReadonlyMap<number, number> {
  const taken = new Map<number, number>();
  const { candidate } = last!.diff;
  const { endpointSides } = last!.whatIf.world;
  if (candidate.profile === "calico") return taken; // its rules count addresses, not workloads
  for (const { rule, sets } of candidate.reaches?.() ?? []) {
    const peers = sets[1];
    if (peers === undefined) continue;
    let n = 0;
    for (const side of endpointSides) if (((peers[side >>> 5] ?? 0) & (1 << (side & 31))) !== 0) n++;
    taken.set(rule, Math.max(taken.get(rule) ?? 0, n));
  }
  return taken;
}

function narrowItem({ last, traffic }: Judge, use: RuleUse): Item | undefined {
  const { answers } = last!.diff;
  const direction: Direction = use.rule.field.startsWith("egress") ? "egress" : "ingress";
  const decides = direction === "egress" ? answers.egressRule : answers.ingressRule;
  const rows = new Set<number>();
  for (let row = 0; row < decides.length; row++) if (decides[row] === use.index) rows.add(row);
  if (rows.size === 0 || use.peers.length > MOST_PEERS) return undefined;
  const kind = KIND_OF_PROFILE[last!.whatIf.profile];
  return ruleItem({ rows, set: traffic.set, kind }, use.rule.policy, direction);
}
