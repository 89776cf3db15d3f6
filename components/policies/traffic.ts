import type { TrafficAnswer } from "../../model/wire/answers/what-if.ts";
import { tuplesOfTraffic } from "../../policy/tuples-of-answers.ts";
import { basisOf, protocolName, type TupleEnd, type TupleIdentity, type TupleSet } from "../../policy/tuples.ts";
import type { MapLevel, NodeShape } from "../map/graph.ts";
import { edgeKey } from "../map/graph-from-answer.ts";
import type { FlowEnd, Loaded, Names, NodeFacts } from "./answers.ts";

/** Loaded traffic with what the screen needs of each tuple, in columns: row i is tuple i. */
export interface Traffic {
  readonly set: TupleSet;
  readonly truncated: boolean;
  readonly nodes: readonly NodeFacts[];
  /** Row → number of its node in `nodes`. */
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  /** What one node of the map stands for: namespaces where there are too many workloads to be seen. */
  readonly level: MapLevel;
  readonly mapNodes: readonly NodeFacts[];
  /** Row → number of its edge on the map, in `edges`. */
  readonly edge: Uint32Array;
  readonly edges: readonly { readonly key: string; readonly source: string; readonly target: string }[];
  /** Row → 1 where an end is a private address that nobody is known for. */
  readonly unknown: Uint8Array;
  /** Row → connections, as a column: each answer sums them several times. */
  readonly connections: Float64Array;
  /** Rows, most connections first, then by number. */
  readonly byWeight: Uint32Array;
}

/** The store's answer, made ready once for all texts that are tried on it. */
export function trafficOf(answer: TrafficAnswer): Traffic {
  const set = tuplesOfTraffic(answer);
  const shapes = new Map(answer.identities.identities.map((identity) => [identity.id as string, identity.shape]));
  const identities = new Map(set.identities.map((identity) => [identity.id, identity]));
  const nodes: { -readonly [K in keyof NodeFacts]: NodeFacts[K] }[] = [];
  const members: Set<string>[] = [];
  const numbers = new Map<string, number>();
  const nodeOf = (end: TupleEnd, connections: number): number => {
    const { namespace, workload } = flowEnd(end, identities);
    const key = `${namespace}/${workload}`;
    let number = numbers.get(key);
    if (number === undefined) {
      numbers.set(key, (number = nodes.length));
      const shape = end.kind === "identity" ? shapeOf(shapes.get(end.id), identities.get(end.id)) : "outside";
      nodes.push({ key, namespace, name: workload, shape, count: 0, connections: 0 });
      members.push(new Set());
    }
    nodes[number]!.connections += connections;
    members[number]!.add(end.kind === "identity" ? end.id : end.address);
    return number;
  };
  const length = set.tuples.length;
  const source = new Uint32Array(length);
  const destination = new Uint32Array(length);
  const unknown = new Uint8Array(length);
  const connections = new Float64Array(length);
  for (const [row, tuple] of set.tuples.entries()) {
    connections[row] = tuple.connections;
    source[row] = nodeOf(tuple.source, tuple.connections);
    destination[row] = nodeOf(tuple.destination, tuple.connections);
    unknown[row] = isUnknown(tuple.source, identities) || isUnknown(tuple.destination, identities) ? 1 : 0;
  }
  for (const [number, node] of nodes.entries()) node.count = members[number]!.size;
  const truncated = answer.tuples.answered.truncated;
  const byWeight = Uint32Array.from(set.tuples.keys()).sort((a, b) => connections[b]! - connections[a]! || a - b);
  const map = mapOf(nodes, source, destination);
  return { set, truncated, nodes, source, destination, unknown, connections, byWeight, ...map };
}

/** Above this many workloads the map is folded to namespaces, as the service map is: more circles than that say nothing. */
const FOLD_ABOVE = 150;

/** The nodes and edges of the map, and which edge each row belongs to. */
function mapOf(
  nodes: readonly NodeFacts[],
  source: Uint32Array,
  destination: Uint32Array,
): Pick<Traffic, "level" | "mapNodes" | "edge" | "edges"> {
  const level: MapLevel = nodes.length > FOLD_ABOVE ? "namespace" : "workload";
  const mapNodes: { -readonly [K in keyof NodeFacts]: NodeFacts[K] }[] = [];
  const numbers = new Map<string, number>();
  const placeOf = nodes.map((node) => {
    const folded = foldedNode(node, level);
    let number = numbers.get(folded.key);
    if (number === undefined) {
      numbers.set(folded.key, (number = mapNodes.length));
      mapNodes.push({ ...folded, count: 0, connections: 0 });
    }
    mapNodes[number]!.count += node.count;
    mapNodes[number]!.connections += node.connections;
    return number;
  });
  const edge = new Uint32Array(source.length);
  const edges: { key: string; source: string; target: string }[] = [];
  const known = new Map<number, number>();
  for (let row = 0; row < source.length; row++) {
    const [from, to] = [placeOf[source[row]!]!, placeOf[destination[row]!]!];
    const pair = from * 2 ** 24 + to;
    let number = known.get(pair);
    if (number === undefined) {
      known.set(pair, (number = edges.length));
      const ends = { source: mapNodes[from]!.key, target: mapNodes[to]!.key };
      edges.push({ key: edgeKey(ends.source, ends.target), ...ends });
    }
    edge[row] = number;
  }
  return { level, mapNodes, edge, edges };
}

/** A node as it stands on the map, with the keys that the service map gives it. */
function foldedNode(node: NodeFacts, level: MapLevel): NodeFacts {
  if (level === "workload") return node;
  if (node.namespace === "") return { ...node, key: "/outside", name: "outside", shape: "outside" };
  return { ...node, key: `ns/${node.namespace}`, namespace: "", name: node.namespace, shape: "workload" };
}

/** The names of an end as the map has them; outside it is a looked-up name, what the inventory calls it, or an address. */
function flowEnd(end: TupleEnd, identities: ReadonlyMap<string, TupleIdentity>): FlowEnd {
  if (end.kind === "address") return { namespace: "", workload: end.name ?? end.called ?? end.address };
  const identity = identities.get(end.id);
  if (identity === undefined) return { namespace: "", workload: end.id };
  const { namespace, workload, entity } = identity;
  return { namespace, workload: workload === "" ? (entity ?? end.id) : workload };
}

function isUnknown(end: TupleEnd, identities: ReadonlyMap<string, TupleIdentity>): boolean {
  if (end.kind === "identity") return identities.get(end.id)?.entity === "unknown";
  return (
    end.name === undefined &&
    end.called === undefined &&
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd])/.test(end.address)
  );
}

const SHAPES: readonly NodeShape[] = ["workload", "datastore", "gateway", "infra", "outside", "service"];

function shapeOf(shape: string | undefined, identity: TupleIdentity | undefined): NodeShape {
  const known = SHAPES.find((it) => it === shape);
  if (known !== undefined) return known;
  return identity?.entity === undefined || identity.entity === "host" ? "workload" : "outside";
}

/** What the page is told of the traffic, once. */
export function loadedOf(traffic: Traffic): Loaded {
  return {
    basis: basisOf(traffic.set),
    truncated: traffic.truncated,
    level: traffic.level,
    nodes: traffic.mapNodes,
    names: namesOf(traffic),
  };
}

const MOST_VALUES = 200;

/** Names that exist in the traffic. */
export function namesOf({ set, nodes }: Traffic): Names {
  const connections = new Map(nodes.map((node) => [node.key, node.connections]));
  const labels = new Map<string, Set<string>>();
  const workloads = set.identities.filter((identity) => identity.entity === undefined);
  for (const { labels: own } of workloads)
    for (const [key, value] of own) {
      const values = labels.get(key) ?? new Set();
      if (values.size < MOST_VALUES) labels.set(key, values.add(value));
    }
  const ports = new Map<string, { protocol: string; port: number; connections: number }>();
  const domains = new Set<string>();
  for (const tuple of set.tuples) {
    if (tuple.destination.kind === "address" && tuple.destination.name !== undefined)
      domains.add(tuple.destination.name);
    if (tuple.protocol === 1 || tuple.protocol === 58 || tuple.port === 0) continue;
    const protocol = protocolName(tuple.protocol);
    const known = ports.get(`${protocol} ${tuple.port}`) ?? { protocol, port: tuple.port, connections: 0 };
    known.connections += tuple.connections;
    ports.set(`${protocol} ${tuple.port}`, known);
  }
  return {
    namespaces: [...new Set(workloads.map((identity) => identity.namespace))].filter((name) => name !== "").toSorted(),
    workloads: workloads.map(({ namespace, workload, labels: own }) => ({
      namespace,
      workload,
      labels: Object.fromEntries(own),
      connections: connections.get(`${namespace}/${workload}`) ?? 0,
    })),
    labels: [...labels].map(([key, values]) => ({ key, values: [...values].toSorted() })),
    ports: [...ports.values()].toSorted((a, b) => b.connections - a.connections).slice(0, MOST_VALUES),
    domains: [...domains].slice(0, MOST_VALUES),
  };
}
