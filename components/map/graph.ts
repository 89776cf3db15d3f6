/**
 * What the map shows, apart from where: nodes and edges with their meaning decided. Made from an answer of the store,
 * folded to the chosen zoom level; knows nothing of pixels.
 */

/** Shape is kind: circle workload, cylinder data store, hexagon gateway, square infrastructure, diamond outside, double circle service. */
export type NodeShape = "workload" | "datastore" | "gateway" | "infra" | "outside" | "service";

/** Semantic zoom: what one node stands for. */
export type MapLevel = "namespace" | "workload";

/**
 * The meaning of an edge, in the order of what wins when several are true: denied stops at a cross; failing carries traffic of which
 * a part fails; degraded retransmits; fresh was first seen in the range; gone was seen before it and not in it. A policy that is tried
 * makes edges newly-denied or newly-allowed.
 */
export type EdgeState =
  "newly-denied" | "newly-allowed" | "denied" | "failing" | "degraded" | "fresh" | "gone" | "allowed";

export interface GraphNode {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly shape: NodeShape;
  /** Endpoints (pods, namespaces of processes) or outside addresses behind the node. */
  readonly count: number;
  /** Second line under the name: an address, "4 addresses", "1.2/s denied". */
  readonly detail: string;
  readonly detailIsTrouble: boolean;
  /** Share of attempts towards it that fail, 0–1. */
  readonly failing: number;
  readonly gone: boolean;
  /** Traffic in both directions, for label rank. */
  readonly weight: number;
}

export interface GraphEdge {
  readonly key: string;
  readonly source: string;
  readonly target: string;
  readonly state: EdgeState;
  /** Connections (or conversations) a second; decides the width. */
  readonly perSecond: number;
  /** What stands on the edge: a number of the chosen metric, or words when in trouble. */
  readonly label: string;
  /** Which side said no, so where the cross stands; `unknown` in the middle. */
  readonly stoppedAt: "egress" | "ingress" | "unknown";
  /** A service that everyone talks to (DNS, metrics): drawn faint. */
  readonly faint: boolean;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** At least this share of attempts fails, or of packets is sent again: trouble. */
export const TROUBLE_SHARE = 0.01;

/** True for edges that "Only trouble" keeps. New is news, not trouble. */
export function inTrouble(state: EdgeState): boolean {
  return state === "denied" || state === "failing" || state === "degraded";
}

/** The edges in trouble with their ends; everything else left out. */
export function onlyTrouble(graph: Graph): Graph {
  const edges = graph.edges.filter((edge) => inTrouble(edge.state));
  const ends = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
  return { nodes: graph.nodes.filter((node) => ends.has(node.key)), edges };
}

/** Nodes whose namespace or name holds `text`, compared without case. Empty text finds none. */
export function search(graph: Graph, text: string): readonly GraphNode[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  return graph.nodes.filter((node) => `${node.namespace}/${node.name}`.toLowerCase().includes(wanted));
}
