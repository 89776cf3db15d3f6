import { formatCidr, parseAddress, type Cidr } from "../../model/address.ts";
import type { Tuple, TupleEnd, TupleIdentity, TupleSet } from "../tuples.ts";
import type { Direction } from "../verdict.ts";
import { tellingLabels, type LabelChoice } from "./selectors.ts";

/** What a policy is to allow, before it is of any kind. */
export interface PlannedPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly subject: LabelChoice;
  readonly ingress: readonly PlannedRule[];
  readonly egress: readonly PlannedRule[];
}

export interface PlannedRule {
  readonly peers: readonly PlannedPeer[];
  /** Undefined: every port of every protocol (what the kind cannot name). */
  readonly ports: readonly PlannedPort[] | undefined;
  /** Tuples that the rule is for. */
  readonly rows: readonly number[];
  /** True for a rule that names need rather than traffic: look-ups at the cluster's DNS. */
  readonly forNames: boolean;
}

export type PlannedPeer =
  | { readonly kind: "pods"; readonly namespace: string; readonly labels: LabelChoice }
  | { readonly kind: "entity"; readonly entity: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "block"; readonly block: string };

export interface PlannedPort {
  readonly protocol: number;
  readonly port: number;
}

/** What a kind of policy can say. */
export interface KindAbilities {
  readonly names: boolean;
  readonly entities: boolean;
  readonly icmp: boolean;
  readonly otherProtocols: boolean;
  /** Addresses outside as sources; where false the kind cannot deny them either, so they need no rule. */
  readonly outsideSources: boolean;
  /** One kind of peer a rule, as Cilium has it. */
  readonly onePeerKind: boolean;
}

export interface PlanOptions {
  /** Whose policies: identities that this takes. */
  readonly subjects: (identity: TupleIdentity) => boolean;
  /** Rows that count; rare or suspicious ones may be left out. */
  readonly rows: (tuple: Tuple, row: number) => boolean;
  readonly directions: readonly Direction[];
  readonly abilities: KindAbilities;
}

/** One policy a workload, with rules for what it did. `unsaid` rows cannot be put into this kind. */
export function planPolicies(set: TupleSet, options: PlanOptions): { policies: PlannedPolicy[]; unsaid: number[] } {
  const identities = new Map(set.identities.map((identity) => [identity.id, identity]));
  const unsaid: number[] = [];
  const groups = new Map<string, { subject: TupleIdentity; labels: LabelChoice; members: Set<string> }>();
  for (const identity of set.identities) {
    if (identity.entity !== undefined || !options.subjects(identity)) continue;
    const labels = tellingLabels(identity, set.identities);
    const key = `${identity.namespace} ${JSON.stringify([...labels])}`;
    const group = groups.get(key) ?? { subject: identity, labels, members: new Set<string>() };
    group.members.add(identity.id);
    groups.set(key, group);
  }
  const taken = new Set<string>();
  const policies = [...groups.values()].map(({ subject, labels, members }): PlannedPolicy => {
    const rulesOf = (direction: Direction) =>
      options.directions.includes(direction) ? planRules(set, identities, members, direction, options, unsaid) : [];
    return {
      namespace: subject.namespace,
      name: freshName(subject, taken),
      subject: labels,
      ingress: rulesOf("ingress"),
      egress: rulesOf("egress"),
    };
  });
  return { policies, unsaid: [...new Set(unsaid)].sort((a, b) => a - b) };
}

function planRules(
  set: TupleSet,
  identities: ReadonlyMap<string, TupleIdentity>,
  members: ReadonlySet<string>,
  direction: Direction,
  options: PlanOptions,
  unsaid: number[],
): PlannedRule[] {
  const { abilities } = options;
  const byPeer = new Map<string, { peer: PlannedPeer; ports: Map<string, PlannedPort> | undefined; rows: number[] }>();
  for (const [row, tuple] of set.tuples.entries()) {
    const [own, far] = direction === "ingress" ? [tuple.destination, tuple.source] : [tuple.source, tuple.destination];
    if (own.kind !== "identity" || !members.has(own.id) || !options.rows(tuple, row)) continue;
    if (direction === "ingress" && far.kind === "address" && !abilities.outsideSources) continue;
    const peer = peerOf(far, identities, set, direction, abilities);
    if (peer === undefined) {
      unsaid.push(row);
      continue;
    }
    const key = peerKey(peer);
    const known = byPeer.get(key) ?? { peer, ports: new Map<string, PlannedPort>(), rows: [] };
    known.rows.push(row);
    if (canName(tuple.protocol, abilities))
      known.ports?.set(`${tuple.protocol} ${tuple.port}`, { protocol: tuple.protocol, port: tuple.port });
    else known.ports = undefined;
    byPeer.set(key, known);
  }
  const rules = new Map<string, { peers: PlannedPeer[]; ports: readonly PlannedPort[] | undefined; rows: number[] }>();
  for (const { peer, ports, rows } of byPeer.values()) {
    const list = ports && [...ports.values()].sort((a, b) => a.protocol - b.protocol || a.port - b.port);
    // ICMP types and ports don't share a rule in Cilium's kinds; the writer splits them.
    const key = `${JSON.stringify(list)} ${abilities.onePeerKind ? peer.kind : ""}`;
    const rule = rules.get(key) ?? { peers: [], ports: list, rows: [] };
    rule.peers.push(peer);
    rule.rows.push(...rows);
    rules.set(key, rule);
  }
  const out: PlannedRule[] = [...rules.values()].map(({ peers, ports, rows }) => ({
    peers: tidyPeers(peers),
    ports,
    rows,
    forNames: false,
  }));
  if (direction === "egress" && out.some((rule) => rule.peers.some((peer) => peer.kind === "name")))
    out.unshift({
      peers: [DNS_PODS],
      ports: [
        { protocol: 17, port: 53 },
        { protocol: 6, port: 53 },
      ],
      rows: [],
      forNames: true,
    });
  return out;
}

/** Where a cluster's DNS runs, by the labels that kubeadm, kops and the clouds give it. */
const DNS_PODS: PlannedPeer = { kind: "pods", namespace: "kube-system", labels: new Map([["k8s-app", "kube-dns"]]) };

function canName(protocol: number, abilities: KindAbilities): boolean {
  if (protocol === 6 || protocol === 17 || protocol === 132) return true;
  return protocol === 1 || protocol === 58 ? abilities.icmp : abilities.otherProtocols;
}

function peerOf(
  end: TupleEnd,
  identities: ReadonlyMap<string, TupleIdentity>,
  set: TupleSet,
  direction: Direction,
  abilities: KindAbilities,
): PlannedPeer | undefined {
  if (end.kind === "address") {
    if (end.name !== undefined && direction === "egress" && abilities.names) return { kind: "name", name: end.name };
    const bytes = parseAddress(end.address);
    if (bytes === undefined) return undefined;
    return { kind: "block", block: formatCidr({ bytes, bits: 128, v4: !end.address.includes(":") } satisfies Cidr) };
  }
  const identity = identities.get(end.id);
  if (identity === undefined) return undefined;
  if (identity.entity === "service") return undefined;
  if (identity.entity !== undefined)
    return abilities.entities ? { kind: "entity", entity: identity.entity } : undefined;
  return { kind: "pods", namespace: identity.namespace, labels: tellingLabels(identity, set.identities) };
}

function peerKey(peer: PlannedPeer): string {
  return peer.kind === "pods" ? `pods ${peer.namespace} ${JSON.stringify([...peer.labels])}` : JSON.stringify(peer);
}

/** Peers in a reader's order; sibling blocks become their parent, which holds exactly the same addresses. */
function tidyPeers(peers: readonly PlannedPeer[]): PlannedPeer[] {
  const order = ["pods", "entity", "name", "block"];
  const blocks = joinBlocks(peers.flatMap((peer) => (peer.kind === "block" ? [peer.block] : [])));
  const rest = peers.filter((peer) => peer.kind !== "block");
  rest.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (peerKey(a) < peerKey(b) ? -1 : 1));
  return [...rest, ...blocks.map((block): PlannedPeer => ({ kind: "block", block }))];
}

/** Joins blocks that are the two halves of one, again and again. Texts in and out. */
export function joinBlocks(texts: readonly string[]): string[] {
  const blocks = new Map<string, Cidr>();
  for (const text of texts) {
    const slash = text.lastIndexOf("/");
    const bytes = parseAddress(text.slice(0, slash));
    const v4 = !text.includes(":");
    if (bytes !== undefined) blocks.set(text, { bytes, bits: Number(text.slice(slash + 1)) + (v4 ? 96 : 0), v4 });
  }
  for (let changed = true; changed;) {
    changed = false;
    for (const [text, block] of blocks) {
      if (block.bits <= (block.v4 ? 97 : 1)) continue;
      const twin = Uint8Array.from(block.bytes);
      twin[(block.bits - 1) >> 3]! ^= 0x80 >> ((block.bits - 1) & 7);
      const twinText = formatCidr({ ...block, bytes: twin });
      if (!blocks.has(twinText)) continue;
      const parent = Uint8Array.from(block.bytes);
      parent[(block.bits - 1) >> 3]! &= ~(0x80 >> ((block.bits - 1) & 7));
      blocks.delete(text);
      blocks.delete(twinText);
      const joined = { ...block, bytes: parent, bits: block.bits - 1 };
      blocks.set(formatCidr(joined), joined);
      changed = true;
    }
  }
  return [...blocks.keys()];
}

function freshName(identity: TupleIdentity, taken: Set<string>): string {
  const base =
    `${identity.workload || "pods"}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 50) || "pods";
  let name = base;
  for (let i = 2; taken.has(`${identity.namespace}/${name}`); i++) name = `${base}-${i}`;
  taken.add(`${identity.namespace}/${name}`);
  return name;
}
