/**
 * Hot: one whole picture of 1,000 nodes and 5,000 edges in about 40 ms of script on two busy cores (bench/map.ts). Panning
 * moves a finished bitmap (map-view.ts), so this runs when the scene, the selection or the sharpness changes, not on each frame.
 *
 * In: a scene, a viewport, a selection. Out: calls on a pen. Pure: the same in gives the same picture.
 * Order: hulls, edges (as sorted in the scene), selected edge, marks, nodes, labels.
 */
import { edgeColour, type Look, type Viewport } from "./look.ts";
import { edgeAlpha, FAINT, nodeAlpha } from "./dimming.ts";
import { drawLabels } from "./draw-labels.ts";
import { drawMark } from "./draw-marks.ts";
import { drawNode } from "./draw-nodes.ts";
import type { EdgeState } from "./graph.ts";
import type { MapTheme, Pen } from "./pen.ts";
import {
  headLength,
  headWidth,
  partOf,
  pointAt,
  tangentAt,
  type Curve,
  type Hull,
  type Scene,
  type SceneEdge,
} from "./scene.ts";

/** Above this many edges each has no casing of its own: at that density it would only erase its neighbours. */
const CASING_LIMIT = 400;

/** Paints one frame: the caller has cleared the pen and set the device's scale. */
export function drawMap(pen: Pen, whole: Scene, viewport: Viewport, look: Look): void {
  const scene = inView(whole, viewport);
  pen.save();
  pen.translate(viewport.x, viewport.y);
  pen.scale(viewport.k, viewport.k);
  pen.lineCap = "butt";
  pen.lineJoin = "round";
  for (const hull of scene.hulls) drawHull(pen, hull, look.theme);
  if (scene.edges.length > CASING_LIMIT) drawManyEdges(pen, scene, look);
  else for (const edge of scene.edges) drawEdge(pen, edge, look, true);
  const selected = look.selected === undefined ? undefined : scene.edgeByKey.get(look.selected);
  if (selected !== undefined) drawSelectedEdge(pen, selected, look);
  for (const edge of scene.edges) {
    if (edge.state === "allowed" || edge.state === "gone") continue;
    pen.globalAlpha = edgeAlpha(edge, look);
    drawMark(pen, edge, look.theme);
  }
  const strength = nodeAlpha(scene, look);
  for (const node of scene.nodes) {
    pen.globalAlpha = strength(node.key);
    drawNode(pen, node, look.theme, node.key === look.selected || isEnd(selected, node.key));
  }
  pen.globalAlpha = 1;
  drawLabels(pen, scene, viewport, look);
  pen.restore();
}

/** Room round a node for its name, round an edge for its plate, in scene units. */
const AROUND = 130;

/** The part of a large scene that the viewport shows; a small one is not worth the sorting out. */
function inView(scene: Scene, viewport: Viewport): Scene {
  if (scene.edges.length <= CASING_LIMIT) return scene;
  const x0 = -viewport.x / viewport.k - AROUND;
  const y0 = -viewport.y / viewport.k - AROUND;
  const x1 = x0 + viewport.width / viewport.k + 2 * AROUND;
  const y1 = y0 + viewport.height / viewport.k + 2 * AROUND;
  return {
    ...scene,
    nodes: scene.nodes.filter(({ x, y }) => x > x0 && x < x1 && y > y0 && y < y1),
    edges: scene.edges.filter(
      ({ curve }) =>
        Math.max(curve.x0, curve.cx, curve.x1) > x0 &&
        Math.min(curve.x0, curve.cx, curve.x1) < x1 &&
        Math.max(curve.y0, curve.cy, curve.y1) > y0 &&
        Math.min(curve.y0, curve.cy, curve.y1) < y1,
    ),
  };
}

function isEnd(edge: SceneEdge | undefined, key: string): boolean {
  return edge !== undefined && (edge.source === key || edge.target === key);
}

function drawEdge(pen: Pen, edge: SceneEdge, look: Look, cased: boolean): void {
  const { theme } = look;
  const selected = edge.key === look.selected;
  const width = edge.faint && edge.state === "allowed" && !selected ? 1 : edge.width;
  const colour = edgeColour(edge, theme, selected);
  pen.globalAlpha = edgeAlpha(edge, look);
  if (cased && !edge.faint) {
    pen.strokeStyle = theme.canvas;
    pen.lineWidth = width + 4;
    strokeCurve(pen, edge.curve);
  }
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = width;
  switch (edge.state) {
    case "denied": {
      strokeCurve(pen, partOf(edge.curve, 0, edge.markAt));
      pen.setLineDash([1.5, 4]);
      pen.lineWidth = 1.5;
      strokeCurve(pen, partOf(edge.curve, edge.markAt, 1));
      pen.setLineDash([]);
      drawHead(pen, edge.curve, width, true);
      break;
    }
    case "degraded":
      pen.setLineDash([9, 4, 2, 4]);
      strokeCurve(pen, edge.curve);
      pen.setLineDash([]);
      drawHead(pen, edge.curve, width, false);
      break;
    case "fresh":
      strokeDouble(pen, edge, theme);
      drawHead(pen, edge.curve, Math.max(width, 2.5), false);
      break;
    case "gone":
      pen.setLineDash([1.5, 4.5]);
      pen.lineWidth = 1.5;
      strokeCurve(pen, edge.curve);
      pen.setLineDash([]);
      drawHead(pen, edge.curve, 1, true);
      break;
    case "newly-denied":
    case "newly-allowed":
      pen.setLineDash([7, 5]);
      pen.lineWidth = Math.max(1.75, width);
      strokeCurve(pen, edge.curve);
      pen.setLineDash([]);
      drawHead(pen, edge.curve, Math.max(1.75, width), false);
      break;
    case "failing":
    case "allowed":
      strokeCurve(pen, edge.curve);
      drawHead(pen, edge.curve, width, false);
      break;
  }
  pen.globalAlpha = 1;
}

/** Two thin lines: one wide stroke with its middle taken out. */
function strokeDouble(pen: Pen, edge: SceneEdge, theme: MapTheme): void {
  const colour = pen.strokeStyle;
  pen.lineWidth = Math.max(4, edge.width + 2.5);
  strokeCurve(pen, edge.curve);
  pen.strokeStyle = theme.canvas;
  pen.lineWidth = Math.max(1.6, edge.width);
  strokeCurve(pen, edge.curve);
  pen.strokeStyle = colour;
}

/** On a 16 % casing of text, at full strength, over all others. */
function drawSelectedEdge(pen: Pen, edge: SceneEdge, look: Look): void {
  pen.globalAlpha = 0.16;
  pen.strokeStyle = look.theme.text;
  pen.lineWidth = edge.width + 11;
  strokeCurve(pen, edge.curve);
  pen.globalAlpha = 1;
  drawEdge(pen, edge, look, false);
}

/** Thousands of edges: healthy ones as one path for each width, troubled ones each for itself. */
function drawManyEdges(pen: Pen, scene: Scene, look: Look): void {
  const byWidth = new Map<number, SceneEdge[]>();
  const special: SceneEdge[] = [];
  const plain = look.found.size === 0 && !(look.focus && look.selected !== undefined);
  for (const edge of scene.edges) {
    if (!plain || edge.state !== "allowed") {
      special.push(edge);
      continue;
    }
    const width = edge.faint ? 0 : Math.round(edge.width);
    const same = byWidth.get(width);
    if (same === undefined) byWidth.set(width, [edge]);
    else same.push(edge);
  }
  pen.strokeStyle = look.theme.quiet;
  pen.fillStyle = look.theme.quiet;
  for (const [width, edges] of byWidth) {
    pen.globalAlpha = width === 0 ? FAINT : 1;
    pen.lineWidth = Math.max(1, width);
    pen.beginPath();
    for (const edge of edges) {
      pen.moveTo(edge.curve.x0, edge.curve.y0);
      pen.quadraticCurveTo(edge.curve.cx, edge.curve.cy, edge.curve.x1, edge.curve.y1);
    }
    pen.stroke();
    pen.beginPath();
    for (const edge of edges) headPath(pen, edge.curve, Math.max(1, width));
    pen.fill();
  }
  pen.globalAlpha = 1;
  for (const edge of special) drawEdge(pen, edge, look, false);
}

export function strokeCurve(pen: Pen, curve: Curve): void {
  pen.beginPath();
  pen.moveTo(curve.x0, curve.y0);
  pen.quadraticCurveTo(curve.cx, curve.cy, curve.x1, curve.y1);
  pen.stroke();
}

function headPath(pen: Pen, curve: Curve, width: number): void {
  const [x, y] = pointAt(curve, 1);
  const [dx, dy] = tangentAt(curve, 1);
  const length = headLength(width);
  const half = headWidth(width) / 2;
  const bx = x - dx * length * 0.4;
  const by = y - dy * length * 0.4;
  pen.moveTo(x + dx * length * 0.6, y + dy * length * 0.6);
  pen.lineTo(bx - dy * half, by + dx * half);
  pen.lineTo(bx + dy * half, by - dx * half);
  pen.closePath();
}

function drawHead(pen: Pen, curve: Curve, width: number, hollow: boolean): void {
  pen.beginPath();
  headPath(pen, curve, width);
  if (hollow) {
    pen.lineWidth = 1.3;
    pen.stroke();
  } else pen.fill();
}

/** A convex hull with round corners: the polygon filled and stroked with twice its padding, then its edge as a hairline. */
function drawHull(pen: Pen, hull: Hull, theme: MapTheme): void {
  const outline = (width: number, colour: string): void => {
    pen.strokeStyle = colour;
    pen.fillStyle = colour;
    pen.lineWidth = width;
    pen.lineCap = "round";
    pen.beginPath();
    const [first, ...rest] = hull.points;
    pen.moveTo(first![0], first![1]);
    for (const [x, y] of rest) pen.lineTo(x, y);
    // One point alone: a line of no length has round ends on a canvas only if it is moved a little.
    if (rest.length === 0) pen.lineTo(first![0] + 0.01, first![1]);
    pen.closePath();
    pen.stroke();
    if (rest.length > 1) pen.fill();
    pen.lineCap = "butt";
  };
  outline(hull.padding * 2 + 2, theme.line);
  outline(hull.padding * 2, theme.hull);
}

/** A short piece of line as an edge of that state is drawn, with its mark, for the legend: 40 × 20 px. */
export function drawEdgeSample(pen: Pen, state: EdgeState, theme: MapTheme): void {
  const curve: Curve = { x0: 1, y0: 10, cx: 16, cy: 10, x1: 32, y1: 10 };
  const edge: SceneEdge = {
    key: "",
    source: "",
    target: "",
    state,
    perSecond: 0,
    label: "",
    stoppedAt: "unknown",
    faint: false,
    curve,
    width: 2,
    length: 31,
    markAt: 0.45,
  };
  const look: Look = { theme, selected: undefined, focus: false, found: new Set() };
  drawEdge(pen, edge, look, false);
  if (state === "allowed" || state === "gone") return;
  pen.save();
  pen.translate(14, 10);
  pen.scale(0.62, 0.62);
  drawMark(pen, { ...edge, curve: { x0: -20, y0: 0, cx: 0, cy: 0, x1: 20, y1: 0 }, markAt: 0.5 }, theme);
  pen.restore();
}
