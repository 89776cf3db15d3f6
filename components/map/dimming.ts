import type { Look } from "./look.ts";
import type { Scene, SceneEdge } from "./scene.ts";

/** Strength of what is out of focus or not found by a search. */
const DIMMED = 0.25;
/** Strength of edges to a service that everyone talks to. */
export const FAINT = 0.38;

/** How strongly an edge is drawn, 0–1. */
export function edgeAlpha(edge: SceneEdge, look: Look): number {
  const { selected } = look;
  if (look.focus && selected !== undefined && ![edge.key, edge.source, edge.target].includes(selected)) return DIMMED;
  if (look.found.size > 0 && !look.found.has(edge.source) && !look.found.has(edge.target)) return DIMMED;
  return edge.faint && edge.key !== selected && edge.state === "allowed" ? FAINT : 1;
}

/** How strongly each node is drawn, 0–1, name included. Built once for a picture. */
export function nodeAlpha(scene: Scene, look: Look): (key: string) => number {
  const { selected, found } = look;
  if (found.size > 0) return (key) => (found.has(key) ? 1 : DIMMED);
  if (!look.focus || selected === undefined) return () => 1;
  const near = new Set([selected]);
  for (const edge of scene.edges) {
    if (![edge.key, edge.source, edge.target].includes(selected)) continue;
    near.add(edge.source).add(edge.target);
  }
  return (key) => (near.has(key) ? 1 : DIMMED);
}
