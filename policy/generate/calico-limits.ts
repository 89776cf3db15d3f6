import type { PlannedPeer, PlannedRule } from "./plan.ts";

/** What Calico's CRDs take in one rule after 3.32 (policy/calico/parse-values.ts warns of more). */
const SELECTOR_LENGTH = 1024;
const NETS = 256;
const PORTS = 50;

/**
 * A rule as the fewest rules that Calico takes: blocks of one family and at most 256 of them, selectors within 1,024 characters, at
 * most 50 ports. `selectorOf` gives the text of one workload in a selector of several. Every part keeps the rows of the whole.
 */
export function withinCalicoLimits(rule: PlannedRule, selectorOf: (peer: PlannedPeer) => string): PlannedRule[] {
  const blocks = rule.peers.filter((peer) => peer.kind === "block");
  const [v6, v4] = [
    blocks.filter(({ block }) => block.includes(":")),
    blocks.filter(({ block }) => !block.includes(":")),
  ];
  const others = rule.peers.filter((peer) => peer.kind !== "block");
  const peerLists = [
    ...chunks<PlannedPeer>(v4, NETS),
    ...chunks<PlannedPeer>(v6, NETS),
    ...selectorChunks(others, selectorOf),
  ];
  const portLists = rule.ports === undefined ? [undefined] : chunks(rule.ports, PORTS);
  return peerLists.flatMap((peers) => portLists.map((ports) => ({ ...rule, peers, ports })));
}

function chunks<T>(list: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, i) => list.slice(i * most, (i + 1) * most));
}

function selectorChunks(peers: readonly PlannedPeer[], selectorOf: (peer: PlannedPeer) => string): PlannedPeer[][] {
  const out: PlannedPeer[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const peer of peers) {
    const text = selectorOf(peer).length + " || ".length;
    if (length + text > SELECTOR_LENGTH) {
      out.push([]);
      length = 0;
    }
    out.at(-1)!.push(peer);
    length += text;
  }
  return out;
}
