import { slotOf } from "./compile/entry.ts";
import { covers, decidePort } from "./evaluate/decide.ts";
import { TieredPolicySet, type AppliedPair } from "./evaluate/tiered.ts";
import { NO_RULE, type AnswerColumns, type CompiledPolicySet, type RuleOpenness } from "./engine.ts";
import { endText, portText, type TupleIdentity } from "./tuples.ts";
import type { Direction, RuleRef } from "./verdict.ts";
import type { WhatIf } from "./what-if.ts";

/** What recorded traffic says about each rule of a set. */
export interface RuleUse {
  readonly rule: RuleRef;
  /** Index into the set's rules. */
  readonly index: number;
  /** Tuples that the rule takes in, and those that it decides. */
  readonly matched: number;
  readonly decided: number;
  readonly connections: number;
  /**
   * `dead`: nothing in the range matches. `shadowed`: it matches, but rules that come first decide all of it. `redundant`: without it
   * nothing would change, as others allow or deny the same. `used`: something would change.
   */
  readonly state: "dead" | "shadowed" | "redundant" | "used";
  /** What it was used for: peers and ports, most connections first. */
  readonly peers: readonly { readonly text: string; readonly connections: number }[];
  readonly ports: readonly { readonly protocol: number; readonly port: number; readonly connections: number }[];
}

interface Tally {
  matched: number;
  decided: number;
  needed: number;
  connections: number;
  readonly peers: Map<string, number>;
  readonly ports: Map<string, { protocol: number; port: number; connections: number }>;
}

/** The use of every rule of `set` over the traffic of `whatIf`; `answers` are the set's for that traffic. */
export function ruleUse(whatIf: WhatIf, set: CompiledPolicySet, answers: AnswerColumns): RuleUse[] {
  const identities = new Map(whatIf.tuples.identities.map((identity) => [identity.id, identity]));
  const tallies: Tally[] = set.rules.map(() => ({
    matched: 0,
    decided: 0,
    needed: 0,
    connections: 0,
    peers: new Map(),
    ports: new Map(),
  }));
  const matcher = new Matcher(set);
  for (let row = 0; row < whatIf.questions.length; row++)
    for (const direction of ["egress", "ingress"] as const) {
      const decider = (direction === "egress" ? answers.egressRule : answers.ingressRule)[row]!;
      const { matched, needed } = matcher.match(whatIf, row, direction, decider);
      for (const rule of matched) tallies[rule]!.matched++;
      if (decider === NO_RULE) continue;
      const tally = tallies[decider]!;
      tally.decided++;
      if (needed) tally.needed++;
      note(tally, whatIf, row, direction, identities);
    }
  return set.rules.map((rule, index) => {
    const { matched, decided, needed, connections, peers, ports } = tallies[index]!;
    const state =
      matched === 0
        ? "dead"
        : rule.action === "log"
          ? "used" // it decides nothing, and writes its line
          : decided === 0
            ? matcher.knowsOthers
              ? stateOfUndecided(set, rule)
              : "shadowed"
            : needed === 0
              ? "redundant"
              : "used";
    const byWeight = <T extends { connections: number }>(list: T[]) =>
      list.sort((a, b) => b.connections - a.connections);
    return {
      rule,
      index,
      matched,
      decided,
      connections,
      state,
      peers: byWeight([...peers].map(([text, count]) => ({ text, connections: count }))),
      ports: byWeight([...ports.values()]),
    };
  });
}

/** A rule that never decides: with unordered allows an equal one stood before it, else something came first. */
function stateOfUndecided(set: CompiledPolicySet, rule: RuleRef): "redundant" | "shadowed" {
  const ordered =
    set.profile === "calico" || // rules in order throughout
    (set instanceof TieredPolicySet &&
      set.compiled.entries.some((entry) => set.compiled.rules[entry.rule] === rule && entry.tier !== 1));
  return ordered || rule.action !== "allow" ? "shadowed" : "redundant";
}

function note(
  tally: Tally,
  whatIf: WhatIf,
  row: number,
  direction: Direction,
  identities: ReadonlyMap<string, TupleIdentity>,
): void {
  const tuple = whatIf.tuples.tuples[row]!;
  tally.connections += tuple.connections;
  const peer = endText(direction === "egress" ? tuple.destination : tuple.source, identities);
  tally.peers.set(peer, (tally.peers.get(peer) ?? 0) + tuple.connections);
  const key = `${tuple.protocol} ${tuple.port}`;
  const port = tally.ports.get(key) ?? { protocol: tuple.protocol, port: tuple.port, connections: 0 };
  port.connections += tuple.connections;
  tally.ports.set(key, port);
}

/** Which rules match a row beside the one that decides. Answers are kept by (subject, peer, port): many rows share one. */
class Matcher {
  readonly knowsOthers: boolean;
  readonly #tiered: TieredPolicySet | undefined;
  readonly #set: CompiledPolicySet;
  readonly #known = new Map<string, Match>();

  constructor(set: CompiledPolicySet) {
    this.#set = set;
    this.#tiered = set instanceof TieredPolicySet ? set : undefined;
    this.knowsOthers = this.#tiered !== undefined || set.matching !== undefined;
  }

  match(whatIf: WhatIf, row: number, direction: Direction, decider: number): Match {
    if (this.#set.matching !== undefined) return this.#set.matching(whatIf.questions, row, direction, decider);
    if (this.#tiered === undefined) return { matched: decider === NO_RULE ? [] : [decider], needed: true };
    const { source, destination, protocol, port } = whatIf.questions;
    const [subject, peer] =
      direction === "egress" ? [source[row]!, destination[row]!] : [destination[row]!, source[row]!];
    const pair = this.#tiered.applied(direction, subject, peer);
    if (pair === undefined) return NOTHING;
    const key = `${pair.key} ${protocol[row]!} ${port[row]!}`;
    let known = this.#known.get(key);
    if (known === undefined)
      this.#known.set(key, (known = this.#judge(pair, slotOf(protocol[row]!), port[row]!, decider)));
    return known;
  }

  #judge({ entries, options }: AppliedPair, slot: number, port: number, decider: number): Match {
    const { compiled } = this.#tiered!;
    const ruleOf = (id: number) => compiled.entries[id]!.rule;
    const matching = entries.filter((entry) => covers(entry, slot, port));
    const matched = [...new Set(matching.map((entry) => ruleOf(entry.id)).filter((rule) => rule >= 0))];
    if (decider === NO_RULE) return { matched, needed: false };
    const others = matching.filter((entry) => ruleOf(entry.id) !== decider);
    const needed = decidePort(others, slot, port, options).denied !== decidePort(matching, slot, port, options).denied;
    return { matched, needed };
  }
}

/** Rules that take a row in; `needed`: without the one that decides, the verdict would be another. */
interface Match {
  readonly matched: readonly number[];
  readonly needed: boolean;
}
const NOTHING: Match = { matched: [], needed: false };

/** Workloads of the traffic that no policy selects, per direction, with their connections. */
export interface Uncovered {
  readonly identity: TupleIdentity;
  readonly directions: readonly Direction[];
  readonly connections: number;
}

export function uncovered(whatIf: WhatIf, set: CompiledPolicySet): Uncovered[] {
  const connections = new Map<string, number>();
  for (const tuple of whatIf.tuples.tuples)
    for (const end of [tuple.source, tuple.destination])
      if (end.kind === "identity") connections.set(end.id, (connections.get(end.id) ?? 0) + tuple.connections);
  const found: Uncovered[] = [];
  for (const identity of whatIf.tuples.identities) {
    const at = identity.entity === undefined ? whatIf.world.endpointNamed(identity.namespace, identity.id) : undefined;
    if (at === undefined) continue;
    const directions = (["ingress", "egress"] as const).filter(
      (direction) => set.selecting(at, direction).length === 0,
    );
    if (directions.length > 0) found.push({ identity, directions, connections: connections.get(identity.id) ?? 0 });
  }
  return found.sort((a, b) => b.connections - a.connections);
}

/** A rule that lets in more than the range used, with the narrower form in words. */
export interface WideRule {
  readonly use: RuleUse;
  readonly what: string;
  readonly narrower: string;
}

/** Rules of `uses` whose ports are open while few were used. A rule without traffic is dead, not wide. */
export function wideRules(set: CompiledPolicySet, uses: readonly RuleUse[]): WideRule[] {
  const open =
    set.openness?.() ?? (set instanceof TieredPolicySet ? openEntries(set) : new Map<number, RuleOpenness>());
  return uses.flatMap((use) => {
    const form = open.get(use.index);
    if (form === undefined || use.decided === 0) return [];
    const ports = use.ports.map(({ protocol, port }) => portText(protocol, port));
    const wide: string[] = [];
    const narrow: string[] = [];
    if (form.ports > use.ports.length && ports.length <= 20) {
      wide.push(form.everyPort ? "every port" : `${form.ports} ports`);
      narrow.push(`ports ${ports.join(", ")}`);
    }
    if (form.everyPeer && use.peers.length <= 20) {
      wide.push("every peer");
      narrow.push(`peers ${use.peers.map((peer) => peer.text).join(", ")}`);
    }
    return wide.length === 0
      ? []
      : [{ use, what: `allows ${wide.join(" and ")}`, narrower: `${narrow.join("; ")} would do for what was seen` }];
  });
}

function openEntries(set: TieredPolicySet): Map<number, RuleOpenness> {
  const open = new Map<number, { everyPort: boolean; everyPeer: boolean; ports: number }>();
  for (const entry of set.compiled.entries) {
    if (entry.rule < 0 || entry.action !== "allow") continue;
    const width =
      entry.ports?.reduce((sum, port) => sum + (port.kind === "range" ? port.to - port.from + 1 : 1), 0) ?? Infinity;
    const known = open.get(entry.rule) ?? { everyPort: false, everyPeer: false, ports: 0 };
    known.everyPort ||= width > 65535;
    known.everyPeer ||= entry.peers === undefined;
    known.ports += width;
    open.set(entry.rule, known);
  }
  return open;
}
