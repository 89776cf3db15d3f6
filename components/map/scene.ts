import { polygonHull } from "d3";
import { around, boxAround, type Box } from "./box.ts";
import { inTrouble, type Graph, type GraphEdge, type GraphNode } from "./graph.ts";
import type { Places } from "./layout.ts";

/** Lengths in scene units: CSS pixels at zoom 1. */
export const NODE_RADIUS = 19;
const HULL_PADDING = 44;
/**
 * Sideways bends of an edge, as shares of its length, in the order of preference; to the right of travel, so that both
 * directions show. The others are for edges that would run through a node.
 */
const BENDS = [0.12, 0.26, -0.16, 0.4, -0.3] as const;
/** Above this many edges nobody follows a single one: all take the first bend. */
const BEND_LIMIT = 400;

export interface SceneNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

/** A quadratic curve from rim to rim; `cx`, `cy` is its control point. */
export interface Curve {
  readonly x0: number;
  readonly y0: number;
  readonly cx: number;
  readonly cy: number;
  readonly x1: number;
  readonly y1: number;
}

export interface SceneEdge extends GraphEdge {
  readonly curve: Curve;
  readonly width: number;
  readonly length: number;
  /** 0–1 along the curve, where its mark (cross, loop, star) or label stands. */
  readonly markAt: number;
}

export interface Hull {
  readonly namespace: string;
  /** Corners of the convex hull of its nodes' centres; drawn rounded, HULL_PADDING wide. */
  readonly points: readonly (readonly [number, number])[];
  readonly padding: number;
  /** Where the name may stand: above the top, below the bottom; baseline of a centred text. */
  readonly labelPlaces: readonly (readonly [number, number])[];
}

/** Everything that drawing, hit-testing and export need. Immutable: a change makes a new scene. */
export interface Scene {
  readonly nodes: readonly SceneNode[];
  readonly edges: readonly SceneEdge[];
  readonly hulls: readonly Hull[];
  readonly nodeByKey: ReadonlyMap<string, SceneNode>;
  readonly edgeByKey: ReadonlyMap<string, SceneEdge>;
  readonly bounds: Box;
}

/** Graph and places to a scene. Nodes without a place yet (layout still running) are left out with their edges. */
export function buildScene(graph: Graph, places: Places): Scene {
  const nodes: SceneNode[] = [];
  const nodeByKey = new Map<string, SceneNode>();
  for (const node of graph.nodes) {
    const place = places[node.key];
    if (place === undefined) continue;
    const placed = { ...node, x: place[0], y: place[1] };
    nodes.push(placed);
    nodeByKey.set(node.key, placed);
  }
  const edges: SceneEdge[] = [];
  for (const edge of graph.edges) {
    const source = nodeByKey.get(edge.source);
    const target = nodeByKey.get(edge.target);
    if (source === undefined || target === undefined) continue;
    const width = edgeWidth(edge.perSecond);
    const curve =
      source === target
        ? loopCurve(source)
        : graph.edges.length > BEND_LIMIT
          ? curveBetween(source, target, width, BENDS[0])
          : freeCurve(source, target, width, nodes);
    edges.push({ ...edge, curve, width, length: curveLength(curve), markAt: markPlace(edge) });
  }
  edges.sort((a, b) => drawRank(a) - drawRank(b));
  return {
    nodes,
    edges,
    hulls: hulls(nodes),
    nodeByKey,
    edgeByKey: new Map(edges.map((edge) => [edge.key, edge])),
    bounds: boundsOf(nodes),
  };
}

/** Line width in scene units: 1 + 0.2 √(connections/s), at most 7. */
export function edgeWidth(perSecond: number): number {
  return Math.min(7, 1 + 0.2 * Math.sqrt(Math.max(0, perSecond)));
}

/** A point on a curve at `t` from 0 to 1. */
export function pointAt(curve: Curve, t: number): [number, number] {
  const u = 1 - t;
  return [
    u * u * curve.x0 + 2 * u * t * curve.cx + t * t * curve.x1,
    u * u * curve.y0 + 2 * u * t * curve.cy + t * t * curve.y1,
  ];
}

/** Direction of travel at `t`, a unit vector. */
export function tangentAt(curve: Curve, t: number): [number, number] {
  const dx = 2 * (1 - t) * (curve.cx - curve.x0) + 2 * t * (curve.x1 - curve.cx);
  const dy = 2 * (1 - t) * (curve.cy - curve.y0) + 2 * t * (curve.y1 - curve.cy);
  const length = Math.hypot(dx, dy) || 1;
  return [dx / length, dy / length];
}

/** The part of a curve between two of its parameters, itself a curve (de Casteljau). */
export function partOf(curve: Curve, from: number, to: number): Curve {
  const [x0, y0] = pointAt(curve, from);
  const [x1, y1] = pointAt(curve, to);
  const u = 1 - from;
  return {
    x0,
    y0,
    cx: u * (1 - to) * curve.x0 + (u * to + from * (1 - to)) * curve.cx + from * to * curve.x1,
    cy: u * (1 - to) * curve.y0 + (u * to + from * (1 - to)) * curve.cy + from * to * curve.y1,
    x1,
    y1,
  };
}

/** Where the cross stands says who said no: 62 % along when the destination's side decided, 30 % for the source's. */
function markPlace(edge: GraphEdge): number {
  if (edge.state !== "denied") return 0.5;
  return edge.stoppedAt === "ingress" ? 0.62 : edge.stoppedAt === "egress" ? 0.3 : 0.5;
}

/** Later is on top: gone, faint, allowed, degraded, new, what-if, failing, denied. */
function drawRank(edge: GraphEdge): number {
  if (edge.state === "gone") return 0;
  if (edge.faint && !inTrouble(edge.state)) return 1;
  return { allowed: 2, degraded: 3, fresh: 4, "newly-allowed": 5, "newly-denied": 6, failing: 7, denied: 8 }[
    edge.state
  ];
}

/** The first bend that runs through no other node, else the usual one. */
function freeCurve(source: SceneNode, target: SceneNode, width: number, nodes: readonly SceneNode[]): Curve {
  for (const bend of BENDS) {
    const curve = curveBetween(source, target, width, bend);
    if (!nodes.some((node) => node !== source && node !== target && runsThrough(curve, node))) return curve;
  }
  return curveBetween(source, target, width, BENDS[0]);
}

function runsThrough(curve: Curve, node: SceneNode): boolean {
  const near = NODE_RADIUS + 5;
  for (let i = 1; i < 20; i++) {
    const [x, y] = pointAt(curve, i / 20);
    // The name stands below its node.
    if (Math.abs(x - node.x) < near && y > node.y - near && y < node.y + near + 10) return true;
  }
  return false;
}

function curveBetween(source: SceneNode, target: SceneNode, width: number, share: number): Curve {
  const dx = target.x - source.x;
  const dy = target.y - source.y;
  const distance = Math.hypot(dx, dy) || 1;
  const bend = Math.max(-140, Math.min(distance * share, share > BENDS[0] ? 140 : 46));
  const cx = (source.x + target.x) / 2 - (dy / distance) * bend;
  const cy = (source.y + target.y) / 2 + (dx / distance) * bend;
  const from = towards(source.x, source.y, cx, cy, NODE_RADIUS + 3);
  // The head's tip touches the rim; the line itself ends inside the head.
  const to = towards(target.x, target.y, cx, cy, NODE_RADIUS + 3 + headLength(width) * 0.6);
  return { x0: from[0], y0: from[1], cx, cy, x1: to[0], y1: to[1] };
}

/** A node that talks to itself: a small loop above it. */
function loopCurve(node: SceneNode): Curve {
  return {
    x0: node.x - 10,
    y0: node.y - NODE_RADIUS,
    cx: node.x,
    cy: node.y - NODE_RADIUS - 52,
    x1: node.x + 10,
    y1: node.y - NODE_RADIUS - 3,
  };
}

/** Width of an arrow head: 1.6 × the line + 5. */
export function headWidth(width: number): number {
  return 1.6 * width + 5;
}

export function headLength(width: number): number {
  return headWidth(width) * 1.15;
}

function towards(x: number, y: number, tx: number, ty: number, distance: number): [number, number] {
  const length = Math.hypot(tx - x, ty - y) || 1;
  return [x + ((tx - x) / length) * distance, y + ((ty - y) / length) * distance];
}

function curveLength(curve: Curve): number {
  let length = 0;
  let [px, py] = [curve.x0, curve.y0];
  for (let i = 1; i <= 8; i++) {
    const [x, y] = pointAt(curve, i / 8);
    length += Math.hypot(x - px, y - py);
    [px, py] = [x, y];
  }
  return length;
}

function hulls(nodes: readonly SceneNode[]): Hull[] {
  const members = new Map<string, SceneNode[]>();
  for (const node of nodes) {
    if (node.namespace === "") continue; // the outside is no group
    const group = members.get(node.namespace);
    if (group === undefined) members.set(node.namespace, [node]);
    else group.push(node);
  }
  const found: Hull[] = [];
  for (const [namespace, group] of members) {
    const points = group.map((node): [number, number] => [node.x, node.y]);
    const hull = points.length < 3 ? points : (polygonHull(points) ?? points);
    const top = hull.reduce((best, point) => (point[1] < best[1] ? point : best), hull[0]!);
    const bottom = hull.reduce((best, point) => (point[1] > best[1] ? point : best), hull[0]!);
    found.push({
      namespace,
      points: hull,
      padding: HULL_PADDING,
      labelPlaces: [
        [top[0], top[1] - HULL_PADDING - 7],
        [bottom[0], bottom[1] + HULL_PADDING + 17],
      ],
    });
  }
  return found.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

function boundsOf(nodes: readonly SceneNode[]): Scene["bounds"] {
  if (nodes.length === 0) return { x0: 0, y0: 0, x1: 0, y1: 0 };
  const { x0, y0, x1, y1 } = boxAround(nodes.map(({ x, y }) => around(x, y, 0)));
  // Room for hulls, names under nodes and namespace names over hulls.
  return { x0: x0 - 70, y0: y0 - 75, x1: x1 + 70, y1: y1 + 70 };
}
