import type { MapAnswer, MapEdge, MapNode } from "../../model/wire/answers/map.ts";
import { bytes, duration, figures, perSecond, share } from "../parts/numbers.ts";
import {
  TROUBLE_SHARE,
  type EdgeState,
  type Graph,
  type GraphEdge,
  type GraphNode,
  type MapLevel,
  type NodeShape,
} from "./graph.ts";

export type MapMetric = "connections" | "bytes" | "rtt";

/** A service is everyone's when at least this many nodes, and this share of all, call it, and almost nothing else calls it by name. */
const EVERYONE_NODES = 4;
const EVERYONE_SHARE = 0.45;
/** Ports whose service is background to every workload: DNS and metrics. */
const BACKGROUND_PORTS: ReadonlySet<number> = new Set([53, 9090, 9100]);

/** What a selected node or edge of the map stands for in the answer, so that a panel can ask about it. */
export interface MapIndex {
  readonly graph: Graph;
  /** What its rates are means over. */
  readonly seconds: number;
  /** Identities behind a node of the graph: several once namespaces are folded. */
  readonly identitiesOf: ReadonlyMap<string, readonly string[]>;
  /** Edges of the answer behind an edge of the graph. */
  readonly edgesOf: ReadonlyMap<string, readonly MapEdge[]>;
}

/** The graph of an answer at a zoom level, with labels of the chosen metric. Rates are means over the answer's range. */
export function graphFromAnswer(answer: MapAnswer, level: MapLevel, metric: MapMetric): MapIndex {
  const seconds = observedSeconds(answer);
  const keyOf = new Map<string, string>();
  const members = new Map<string, MapNode[]>();
  for (const node of answer.nodes) {
    const key = nodeKey(node, level);
    keyOf.set(node.id, key);
    const same = members.get(key);
    if (same === undefined) members.set(key, [node]);
    else same.push(node);
  }
  const pairs = new Map<string, MapEdge[]>();
  for (const edge of answer.edges) {
    const source = keyOf.get(edge.source);
    const target = keyOf.get(edge.destination);
    if (source === undefined || target === undefined) continue;
    if (level === "namespace" && source === target) continue;
    const key = edgeKey(source, target);
    const same = pairs.get(key);
    if (same === undefined) pairs.set(key, [edge]);
    else same.push(edge);
  }
  const background = backgroundNodes(pairs, members.size);
  const edges: GraphEdge[] = [];
  const touched = new Map<string, { weight: number; here: boolean }>();
  for (const [key, list] of pairs) {
    const [source, target] = splitEdgeKey(key);
    const edge = graphEdge(key, source, target, list, seconds, metric, background.has(target));
    edges.push(edge);
    for (const end of [source, target]) {
      const known = touched.get(end) ?? { weight: 0, here: false };
      touched.set(end, { weight: known.weight + edge.perSecond, here: known.here || edge.state !== "gone" });
    }
  }
  const nodes: GraphNode[] = [];
  const identitiesOf = new Map<string, string[]>();
  for (const [key, list] of members) {
    const seen = touched.get(key);
    if (seen === undefined) continue;
    identitiesOf.set(
      key,
      list.map((node) => node.id),
    );
    nodes.push(graphNode(key, list, level, seen, seconds));
  }
  return { graph: { nodes, edges }, seconds, identitiesOf, edgesOf: pairs };
}

/** Less than this was observed: a rate would be noise. */
const LEAST_SECONDS = 10;

/** Seconds that rates are means over: the range, or the part of it since the first traffic was seen (a collector that started in it). */
export function observedSeconds(answer: MapAnswer): number {
  const { from, to } = answer.answered;
  const first = answer.edges.reduce(
    (least, edge) => (edge.news === "gone" ? least : Math.min(least, edge.firstSeen)),
    to,
  );
  return Math.max(LEAST_SECONDS, (to - Math.max(from, first)) / 1000);
}

/** The key of a node at a level; a copied link selects by it. */
function nodeKey(node: MapNode, level: MapLevel): string {
  if (level === "namespace" && node.namespace !== "") return `ns/${node.namespace}`;
  return `${node.namespace}/${node.workload}`;
}

const ARROW = " → ";

export function edgeKey(source: string, target: string): string {
  return `${source}${ARROW}${target}`;
}

function splitEdgeKey(key: string): [string, string] {
  const at = key.indexOf(ARROW);
  return [key.slice(0, at), key.slice(at + ARROW.length)];
}

function graphNode(
  key: string,
  list: readonly MapNode[],
  level: MapLevel,
  seen: { weight: number; here: boolean },
  seconds: number,
): GraphNode {
  const first = list[0]!;
  const opened = sum(list, (node) => node.opened);
  const failed = sum(list, (node) => node.failed);
  const drops = sum(list, (node) => node.drops);
  // A service's address is no pod of the workload that has its name.
  const pods = list.some((node) => node.kind !== "service") ? list.filter((node) => node.kind !== "service") : list;
  const count = sum(pods, (node) => Math.max(1, node.endpoints));
  const folded = level === "namespace" && first.namespace !== "";
  const failing = opened + failed === 0 ? 0 : failed / (opened + failed);
  const trouble = failing >= TROUBLE_SHARE;
  const outside = first.kind === "fqdn" || first.kind === "cidr" || first.kind === "reserved";
  return {
    key,
    namespace: folded ? "" : first.namespace,
    name: folded ? first.namespace : first.workload,
    shape: folded ? "workload" : shapeOf(first),
    count,
    detail: trouble
      ? `${perSecond(failed / seconds)} failing`
      : folded
        ? `${list.length} workloads`
        : outside && count > 1
          ? `${count} addresses`
          : "",
    detailIsTrouble: trouble,
    failing: trouble || drops / seconds >= 1 ? Math.max(failing, 0.001) : 0,
    gone: !seen.here,
    weight: seen.weight,
  };
}

function shapeOf(node: MapNode): NodeShape {
  switch (node.shape) {
    case "datastore":
    case "gateway":
    case "infra":
    case "outside":
    case "service":
    case "workload":
      return node.shape;
    default:
      return node.kind === "service"
        ? "service"
        : node.kind === "workload" || node.workload === "host"
          ? "workload"
          : "outside";
  }
}

function graphEdge(
  key: string,
  source: string,
  target: string,
  list: readonly MapEdge[],
  seconds: number,
  metric: MapMetric,
  faint: boolean,
): GraphEdge {
  const opened = sum(list, (edge) => edge.opened);
  const failed = sum(list, (edge) => edge.failed);
  const drops = sum(list, (edge) => edge.drops);
  const retransmits = sum(list, (edge) => edge.retransmits);
  const packets = sum(list, (edge) => edge.packetsToServer + edge.packetsToClient);
  const size = sum(list, (edge) => edge.bytesToServer + edge.bytesToClient);
  const state = stateOf(list, opened, failed, drops, retransmits, packets);
  const stopped = state === "denied";
  return {
    key,
    source,
    target,
    state,
    perSecond: (opened + failed) / seconds,
    label: labelOf(state, { opened, failed, drops, retransmits, packets, size, seconds, metric, list }),
    stoppedAt: stopped ? stoppedAt(list) : "unknown",
    faint: faint && state === "allowed",
  };
}

function stateOf(
  list: readonly MapEdge[],
  opened: number,
  failed: number,
  drops: number,
  retransmits: number,
  packets: number,
): EdgeState {
  if (list.every((edge) => edge.news === "gone")) return "gone";
  const attempts = opened + failed;
  // Nothing gets through: the arrow stops. Said to be denied only where a policy is known to have decided; the label tells.
  if (opened === 0 && (failed > 0 || drops > 0)) return "denied";
  if (attempts > 0 && failed / attempts >= TROUBLE_SHARE) return "failing";
  if (packets > 0 && retransmits / packets >= TROUBLE_SHARE) return "degraded";
  if (list.every((edge) => edge.news === "new")) return "fresh";
  return "allowed";
}

interface Sums {
  readonly opened: number;
  readonly failed: number;
  readonly drops: number;
  readonly retransmits: number;
  readonly packets: number;
  readonly size: number;
  readonly seconds: number;
  readonly metric: MapMetric;
  readonly list: readonly MapEdge[];
}

function labelOf(state: EdgeState, sums: Sums): string {
  const attempts = sums.opened + sums.failed;
  switch (state) {
    case "denied": {
      const policy = sums.list.some((edge) => edge.denied > 0);
      return `${policy ? "denied" : failureWord(sums.list)} ${perSecond(Math.max(sums.failed, sums.failed === 0 ? sums.drops : 0) / sums.seconds)}`;
    }
    case "failing":
      return `${share(sums.failed, attempts)} ${failureWord(sums.list)}`;
    case "degraded":
      return `${share(sums.retransmits, sums.packets)} retransmitted`;
    case "fresh":
      return ["new", ratesOf(sums)].filter((part) => part !== "").join(", ");
    case "newly-denied":
    case "newly-allowed":
    case "gone":
      return "";
    case "allowed":
      return ratesOf(sums);
  }
}

function ratesOf(sums: Sums): string {
  if (sums.metric === "bytes") return `${bytes(sums.size / sums.seconds)}/s`;
  if (sums.metric === "rtt") {
    const middle = sums.list.find((edge) => edge.rtt.p50 !== null)?.rtt.p50;
    return middle === undefined || middle === null ? "" : duration(middle);
  }
  const rate = (sums.opened + sums.failed) / sums.seconds;
  return rate < 0.005 ? "" : figures(rate);
}

/** The commonest outcome of failed attempts as a word; an errno names itself, a drop reason is a drop. */
function failureWord(list: readonly MapEdge[]): string {
  const totals = new Map<string, number>();
  for (const edge of list)
    for (const reason of edge.reasons) totals.set(reason.value, (totals.get(reason.value) ?? 0) + reason.count);
  const errno = [...totals]
    .filter(([reason]) => FAILURE_WORDS[reason] !== undefined)
    .toSorted((a, b) => b[1] - a[1])[0]?.[0];
  if (errno !== undefined) return FAILURE_WORDS[errno]!;
  return totals.size > 0 ? "dropped" : "failed";
}

const FAILURE_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EACCES: "refused here",
  EPERM: "refused here",
  GAVE_UP: "given up",
};

/** Where a drop happened says who stopped it: on the way out at the source, else on the way in. */
function stoppedAt(list: readonly MapEdge[]): GraphEdge["stoppedAt"] {
  const reasons = new Set(list.flatMap((edge) => edge.reasons.map((reason) => reason.value)));
  if (reasons.has("EPERM") || reasons.has("EACCES") || reasons.has("TC_EGRESS") || reasons.has("BPF_CGROUP_EGRESS"))
    return "egress";
  return "ingress";
}

/** Nodes that nearly everybody talks to, on DNS or metrics ports only. */
function backgroundNodes(pairs: ReadonlyMap<string, readonly MapEdge[]>, nodes: number): ReadonlySet<string> {
  const callers = new Map<string, number>();
  const foreground = new Set<string>();
  for (const [key, list] of pairs) {
    const [, target] = splitEdgeKey(key);
    callers.set(target, (callers.get(target) ?? 0) + 1);
    if (list.some((edge) => edge.ports.some((port) => !BACKGROUND_PORTS.has(port.port) && port.opened > 0)))
      foreground.add(target);
  }
  const enough = Math.max(EVERYONE_NODES, nodes * EVERYONE_SHARE);
  return new Set([...callers].filter(([key, count]) => count >= enough && !foreground.has(key)).map(([key]) => key));
}

function sum<T>(list: readonly T[], value: (item: T) => number): number {
  return list.reduce((total, item) => total + value(item), 0);
}
