import { expect, test } from "vitest";
import type { GraphEdge, GraphNode } from "./graph.ts";
import { hitTest } from "./hit.ts";
import type { Viewport } from "./look.ts";
import { buildScene, pointAt } from "./scene.ts";

const node = (key: string): GraphNode => ({
  key,
  namespace: "",
  name: key,
  shape: "workload",
  count: 1,
  detail: "",
  detailIsTrouble: false,
  failing: 0,
  gone: false,
  weight: 1,
});
const edge = (source: string, target: string): GraphEdge => ({
  key: `${source} → ${target}`,
  source,
  target,
  state: "allowed",
  perSecond: 1,
  label: "",
  stoppedAt: "unknown",
  faint: false,
});
const PLACES: Record<string, [number, number]> = { a: [0, 0], b: [300, 0], c: [150, 200] };
const GRAPH = { nodes: ["a", "b", "c"].map(node), edges: [edge("a", "b"), edge("b", "a")] };

test("nodes win over edges, edges are hit beside their line, both directions apart, at any zoom", () => {
  const scene = buildScene(GRAPH, PLACES);
  const hits = hitTest(scene);
  for (const k of [0.5, 1, 2]) {
    const view: Viewport = { x: 40, y: 30, k, width: 800, height: 600 };
    const at = (x: number, y: number): string | undefined => {
      const hit = hits.at(40 + x * k, 30 + y * k, view);
      return hit?.kind === "node" ? hit.node.key : hit?.edge.key;
    };
    expect(at(10, 10)).toBe("a");
    for (const key of ["a → b", "b → a"]) {
      const [x, y] = pointAt(scene.edgeByKey.get(key)!.curve, 0.5);
      expect(at(x, y + 2 / k)).toBe(key);
    }
    expect(at(150, 100)).toBeUndefined();
  }
});

test("an edge that would run through a node bends round it", () => {
  const between = { ...PLACES, c: [150, 18] as [number, number] };
  const scene = buildScene(GRAPH, between);
  for (const one of scene.edges)
    for (let t = 0.05; t < 1; t += 0.05) {
      const [x, y] = pointAt(one.curve, t);
      expect(Math.hypot(x - 150, y - 18)).toBeGreaterThan(19);
    }
});
