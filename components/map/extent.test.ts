import { expect, test } from "vitest";
import { drawMap } from "./draw.ts";
import { fitted } from "./extent.ts";
import type { EdgeState, GraphEdge, GraphNode } from "./graph.ts";
import type { Look, Viewport } from "./look.ts";
import type { MapTheme } from "./pen.ts";
import { buildScene, type Scene } from "./scene.ts";
import { svgPen } from "./svg-pen.ts";

const THEME = new Proxy({} as MapTheme, { get: (_, name) => (name === "sans" ? "Inter" : "#123456") });
const LOOK: Look = { theme: THEME, selected: undefined, focus: false, found: new Set() };

/** As wide as letters are: 0.6 of the font's size. */
function textWidth(text: string, font: string): number {
  return text.length * 0.6 * Number(/([\d.]+)px/.exec(font)![1]);
}

/** A canvas that measures; its pen is the one of the SVG. */
function measure(): CanvasRenderingContext2D {
  const canvas = { font: "", measureText: (text: string) => ({ width: textWidth(text, canvas.font) }) };
  return canvas as CanvasRenderingContext2D;
}

const node = (name: string, namespace: string): GraphNode => ({
  key: name,
  namespace,
  name,
  shape: "workload",
  count: 2,
  detail: "a tenth of what it asks for fails",
  detailIsTrouble: true,
  failing: 0.1,
  gone: false,
  weight: 1,
});
const edge = (source: string, target: string, state: EdgeState, label: string): GraphEdge => ({
  key: `${source} → ${target}`,
  source,
  target,
  state,
  perSecond: 4,
  label,
  stoppedAt: "ingress",
  faint: false,
});
const SCENE = buildScene(
  {
    nodes: [
      node("a-workload-with-a-name-of-forty-letters-ab", "far-left"),
      node("b", "far-left"),
      node("another-workload-with-a-name-of-forty-lett", "far-right"),
    ],
    edges: [
      edge("b", "another-workload-with-a-name-of-forty-lett", "denied", "denied by a policy, 1,204 of 57,780"),
      edge("a-workload-with-a-name-of-forty-letters-ab", "b", "fresh", "new, first seen at 14:17:02"),
    ],
  },
  {
    "a-workload-with-a-name-of-forty-letters-ab": [0, 0],
    b: [20, 260],
    "another-workload-with-a-name-of-forty-lett": [420, 250],
  },
);

/** Every text of the picture, and where it ends, in pixels of the view. */
function texts(scene: Scene, view: Viewport, look = LOOK) {
  const found: { text: string; left: number; right: number; top: number; bottom: number }[] = [];
  const pen = svgPen(measure());
  const fillText = pen.fillText.bind(pen);
  pen.fillText = (text: string, x: number, y: number) => {
    fillText(text, x, y);
    const half = (textWidth(text, pen.font) / 2) * view.k;
    const size = Number(/([\d.]+)px/.exec(pen.font)![1]) * view.k;
    const [cx, cy] = [view.x + x * view.k, view.y + y * view.k];
    found.push({ text, left: cx - half, right: cx + half, top: cy - size, bottom: cy + size * 0.5 });
  };
  drawMap(pen, scene, view, look);
  return found;
}

for (const [width, height] of [
  [1440, 700],
  [520, 300],
  [390, 500],
  [330, 180],
] as const) {
  test(`a map that is fitted to ${width} × ${height} px cuts no word`, () => {
    const place = fitted(svgPen(measure()), SCENE, LOOK, { width, height, least: 0.08 });
    const drawn = texts(SCENE, { ...place, width, height });
    expect(drawn.length).toBeGreaterThan(3);
    for (const { text, left, right, top, bottom } of drawn) {
      expect(left, text).toBeGreaterThanOrEqual(0);
      expect(right, text).toBeLessThanOrEqual(width);
      expect(top, text).toBeGreaterThanOrEqual(0);
      expect(bottom, text).toBeLessThanOrEqual(height);
    }
  });
}

test("an edge that is chosen later has its words in the map as it was fitted", () => {
  const ends = {
    nodes: ["a", "b", "c"].map((name) => ({ ...node(name, "shop"), detail: "", detailIsTrouble: false })),
  };
  const places: Record<string, [number, number]> = { a: [0, 0], b: [400, 60], c: [400, 320] };
  const drawn = (label: string): Scene =>
    buildScene({ ...ends, edges: [edge("a", "b", "allowed", ""), edge("b", "c", "newly-denied", label)] }, places);
  const [width, height] = [420, 300];
  const place = fitted(svgPen(measure()), drawn(""), LOOK, { width, height, least: 0.08 });
  const words = texts(drawn("newly denied, 360"), { ...place, width, height }, { ...LOOK, selected: "b → c" });
  const plate = words.find(({ text }) => text.startsWith("newly denied"))!;
  expect(plate.left).toBeGreaterThanOrEqual(0);
  expect(plate.right).toBeLessThanOrEqual(width);
});
