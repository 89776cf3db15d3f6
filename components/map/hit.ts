import { quadtree, type Quadtree } from "d3";
import type { Viewport } from "./look.ts";
import { NODE_RADIUS, pointAt, type Scene, type SceneEdge, type SceneNode } from "./scene.ts";

export type Hit =
  { readonly kind: "node"; readonly node: SceneNode } | { readonly kind: "edge"; readonly edge: SceneEdge };

/** Answers what is under a point. Built once for a scene. */
export interface HitTest {
  /** The node, else the edge, under a CSS pixel of the canvas; the topmost of several. */
  at(x: number, y: number, viewport: Viewport): Hit | undefined;
}

/** An edge is hit within this many CSS pixels of its line; its mark within its own radius. */
const EDGE_REACH_PX = 6;
const SAMPLES = 16;

export function hitTest(scene: Scene): HitTest {
  const nodes: Quadtree<SceneNode> = quadtree<SceneNode>()
    .x((node) => node.x)
    .y((node) => node.y)
    .addAll([...scene.nodes]);
  return {
    at(px, py, viewport) {
      const x = (px - viewport.x) / viewport.k;
      const y = (py - viewport.y) / viewport.k;
      const node = nodes.find(x, y, Math.max(NODE_RADIUS + 3, 12 / viewport.k));
      if (node !== undefined) return { kind: "node", node };
      const reach = EDGE_REACH_PX / viewport.k;
      let best: SceneEdge | undefined;
      let bestDistance = Infinity;
      for (const edge of scene.edges) {
        if (!nearBox(edge, x, y, reach + edge.width)) continue;
        const distance = distanceTo(edge, x, y) - edge.width / 2;
        // Later edges are drawn on top: they win ties.
        if (distance <= reach && distance <= bestDistance) [best, bestDistance] = [edge, distance];
      }
      return best === undefined ? undefined : { kind: "edge", edge: best };
    },
  };
}

function nearBox(edge: SceneEdge, x: number, y: number, reach: number): boolean {
  const { x0, y0, cx, cy, x1, y1 } = edge.curve;
  return (
    x >= Math.min(x0, cx, x1) - reach &&
    x <= Math.max(x0, cx, x1) + reach &&
    y >= Math.min(y0, cy, y1) - reach &&
    y <= Math.max(y0, cy, y1) + reach
  );
}

/** Distance to the curve, as short straight pieces. */
function distanceTo(edge: SceneEdge, x: number, y: number): number {
  let best = Infinity;
  let [ax, ay] = [edge.curve.x0, edge.curve.y0];
  for (let i = 1; i <= SAMPLES; i++) {
    const [bx, by] = pointAt(edge.curve, i / SAMPLES);
    const dx = bx - ax;
    const dy = by - ay;
    const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
    best = Math.min(best, Math.hypot(x - ax - along * dx, y - ay - along * dy));
    [ax, ay] = [bx, by];
  }
  return best;
}
