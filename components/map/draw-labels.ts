import { around, boxAround, type Box } from "./box.ts";
import { edgeColour, type Look, type Viewport } from "./look.ts";
import { inTrouble } from "./graph.ts";
import { edgeAlpha, nodeAlpha } from "./dimming.ts";
import { MARK_RADIUS } from "./draw-marks.ts";
import type { Pen } from "./pen.ts";
import { NODE_RADIUS, pointAt, tangentAt, type Scene, type SceneEdge, type SceneNode } from "./scene.ts";

/** Below this zoom there is no room for what "must" stand: then all words give way to stronger ones, except the selected one's. */
const ROOM_FROM_ZOOM = 0.6;
/** A map of few nodes has room for its names in a small pane, too. */
const [FEW_NODES, ROOM_FOR_FEW_FROM_ZOOM] = [30, 0.4];
const RATES_FROM_ZOOM = 0.6;
/** Below this zoom an edge is a hair: its colour tells that it is in trouble, a plate would hide its surroundings. */
const PLATES_FROM_ZOOM = 0.25;
/** Names are tried for the strongest nodes only: on a map of hundreds the others find no room anyway, and words are what costs. */
const MOST_NAMES = 150;
/** Rates stand on the strongest edges only. */
const MOST_RATES = 120;

/**
 * Names and rates, the most important first; one that would cover another that already stands is left out, except those of
 * selected and troubled things. Sizes are in screen pixels, whatever the zoom. Returns the room that words take, and what they kept clear of.
 */
export function drawLabels(pen: Pen, scene: Scene, viewport: Viewport, look: Look): readonly Box[] {
  const taken: Box[] = [];
  const size = 1 / Math.min(viewport.k, 1.6);
  const roomy = viewport.k >= (scene.nodes.length > FEW_NODES ? ROOM_FROM_ZOOM : ROOM_FOR_FEW_FROM_ZOOM);
  // Small circles may lie under words: words then keep apart from words only.
  if (roomy) for (const node of scene.nodes) taken.push(nodeBox(node));
  const selected = look.selected;
  const chosen = selected === undefined ? undefined : scene.edgeByKey.get(selected);
  const nodes = scene.nodes.toSorted((a, b) => nodeRank(b, look, chosen) - nodeRank(a, look, chosen));
  const plates = scene.edges.filter(
    (edge) =>
      edge.key === selected || (viewport.k >= PLATES_FROM_ZOOM && (inTrouble(edge.state) || edge.state === "fresh")),
  );
  const strength = nodeAlpha(scene, look);
  const forced = roomy && scene.nodes.length <= 60;
  const marks = scene.edges.filter((edge) => edge.state !== "allowed" && edge.state !== "gone").map(markBox);
  // Names that will stand in any case, and marks, are obstacles for plates, which can move aside.
  const obstacles = roomy ? [...taken, ...marks] : [];
  for (const node of nodes)
    if (forced || node.key === selected || (roomy && node.detailIsTrouble))
      obstacles.push(nameBox(pen, node, look, size));
  // A map that is fitted ends where its nodes and their names end: plates stay within.
  const within = boxAround([
    ...scene.nodes.map(nodeBox),
    ...scene.hulls.flatMap(({ points, padding }) => points.map(([x, y]) => around(x, y, padding))),
    ...(forced ? scene.nodes.map((node) => nameBox(pen, node, look, size)) : []),
  ]);
  drawHullNames(pen, scene, look, size, obstacles, taken, roomy);
  for (const edge of plates.toReversed()) {
    const must = roomy || edge.key === selected;
    const plate = drawPlate(pen, edge, look, size, { taken: obstacles, within }, edgeAlpha(edge, look), must);
    if (plate === undefined) continue;
    obstacles.push(plate);
    taken.push(plate);
  }
  for (const node of nodes.slice(0, roomy ? 3 * MOST_NAMES : MOST_NAMES)) {
    const must = forced || node.key === selected || (roomy && node.detailIsTrouble);
    pen.globalAlpha = strength(node.key);
    drawName(pen, node, look, size, taken, must, roomy);
  }
  pen.globalAlpha = 1;
  if (viewport.k < RATES_FROM_ZOOM) return taken;
  const rates = scene.edges
    .filter((edge) => edge.state === "allowed" && !edge.faint && edge.key !== selected && edge.label !== "")
    .toSorted((a, b) => b.perSecond - a.perSecond)
    .slice(0, MOST_RATES);
  taken.push(...marks);
  for (const edge of rates) {
    pen.globalAlpha = edgeAlpha(edge, look);
    drawRate(pen, edge, look, size, taken);
  }
  pen.globalAlpha = 1;
  return taken;
}

function nodeRank(node: SceneNode, look: Look, chosen: SceneEdge | undefined): number {
  if (node.key === look.selected || chosen?.source === node.key || chosen?.target === node.key) return Infinity;
  if (look.found.has(node.key)) return 1e15 + node.weight;
  return node.detailIsTrouble ? 1e12 + node.weight : node.weight;
}

/** A namespace's name at the freer end of its hull. */
function drawHullNames(
  pen: Pen,
  scene: Scene,
  look: Look,
  size: number,
  obstacles: Box[],
  taken: Box[],
  must: boolean,
): void {
  pen.font = `450 ${11.5 * size}px ${look.theme.sans}`;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  for (const hull of scene.hulls) {
    const half = pen.measureText(hull.namespace).width / 2;
    const boxAt = ([x, y]: readonly [number, number]): Box => ({
      x0: x - half,
      y0: y - 11 * size,
      x1: x + half,
      y1: y + 3,
    });
    const place =
      hull.labelPlaces.find((one) => !overlaps(boxAt(one), obstacles)) ?? (must ? hull.labelPlaces[0]! : undefined);
    if (place === undefined) continue;
    haloText(pen, hull.namespace, place[0], place[1], look.theme.text3, look.theme.canvas, size);
    obstacles.push(boxAt(place));
    taken.push(boxAt(place));
  }
}

function drawName(
  pen: Pen,
  node: SceneNode,
  look: Look,
  size: number,
  taken: Box[],
  must: boolean,
  roomy: boolean,
): void {
  const { theme } = look;
  pen.font = `550 ${12.5 * size}px ${theme.sans}`;
  const half = pen.measureText(node.name).width / 2;
  const top = node.y + NODE_RADIUS + 4;
  const box = { x0: node.x - half - 2, y0: top, x1: node.x + half + 2, y1: top + 13 * size };
  if (!must && overlaps(box, taken)) return;
  taken.push(box);
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  haloText(pen, node.name, node.x, top + 11.5 * size, node.gone ? theme.gone : theme.text, theme.canvas, size);
  if (node.detail === "" || (!roomy && !must)) return;
  pen.font = `400 ${11 * size}px ${theme.sans}`;
  const detailHalf = pen.measureText(node.detail).width / 2;
  const detailBox = { x0: node.x - detailHalf, y0: box.y1, x1: node.x + detailHalf, y1: box.y1 + 13 * size };
  if (!must && overlaps(detailBox, taken)) return;
  taken.push(detailBox);
  haloText(
    pen,
    node.detail,
    node.x,
    top + 25 * size,
    node.detailIsTrouble ? theme.denied : theme.text3,
    theme.canvas,
    size,
  );
}

interface Room {
  readonly taken: readonly Box[];
  /** What stands out of it counts as covered. */
  readonly within: Box;
}

/** Words on a plate beside the mark of an edge in trouble, new or selected. */
function drawPlate(
  pen: Pen,
  edge: SceneEdge,
  look: Look,
  size: number,
  room: Room,
  alpha: number,
  must: boolean,
): Box | undefined {
  if (edge.label === "") return undefined;
  const { theme } = look;
  pen.font = `450 ${11 * size}px ${theme.sans}`;
  const width = pen.measureText(edge.label).width + 14 * size;
  const height = 18 * size;
  const place = plateBox(edge, width, height, room, look.selected === edge.key && edge.state === "allowed");
  if (!must && coveredArea(place, room.taken) > 0) return undefined;
  const colour = edgeColour(edge, theme, true);
  pen.fillStyle = theme.canvas;
  pen.strokeStyle = colour;
  pen.lineWidth = size;
  roundedBox(pen, place, 3 * size);
  pen.globalAlpha = alpha;
  pen.fill();
  pen.globalAlpha = 0.75 * alpha;
  pen.stroke();
  pen.globalAlpha = alpha;
  pen.fillStyle = colour;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(edge.label, (place.x0 + place.x1) / 2, (place.y0 + place.y1) / 2 + 0.5 * size);
  pen.globalAlpha = 1;
  return place;
}

/** The room of a node's name and of the line under it. */
function nameBox(pen: Pen, node: SceneNode, look: Look, size: number): Box {
  pen.font = `550 ${12.5 * size}px ${look.theme.sans}`;
  const half =
    Math.max(pen.measureText(node.name).width, node.detail === "" ? 0 : pen.measureText(node.detail).width) / 2;
  const top = node.y + NODE_RADIUS + 4;
  return { x0: node.x - half - 2, y0: top, x1: node.x + half + 2, y1: top + (node.detail === "" ? 14 : 27) * size };
}

/** Beside the mark, on the first side that is free; on the line itself for a healthy edge. */
function plateBox(edge: SceneEdge, width: number, height: number, room: Room, onLine: boolean): Box {
  const [x, y] = pointAt(edge.curve, edge.markAt);
  const at = (cx: number, cy: number): Box => ({
    x0: cx - width / 2,
    y0: cy - height / 2,
    x1: cx + width / 2,
    y1: cy + height / 2,
  });
  if (onLine) return at(x, y);
  const gap = 14;
  const beside = gap + width / 2;
  const below = gap + height / 2;
  const candidates = [
    at(x + beside, y),
    at(x - beside, y),
    at(x, y - below),
    at(x, y + below),
    at(x + beside, y - height),
    at(x - beside, y + height),
    at(x + beside, y + height),
    at(x - beside, y - height),
    at(x + width * 0.4, y - below - height / 2),
    at(x - width * 0.4, y - below - height / 2),
    at(x + width * 0.4, y + below + height / 2),
    at(x - width * 0.4, y + below + height / 2),
    at(x, y - below - height),
    at(x, y + below + height),
  ];
  let best = candidates[0]!;
  let least = Infinity;
  for (const box of candidates) {
    const covered = coveredArea(box, room.taken) + width * height - coveredArea(box, [room.within]);
    if (covered >= least) continue;
    [best, least] = [box, covered];
    if (covered < 1) break; // of rounding
  }
  return best;
}

function coveredArea(box: Box, taken: readonly Box[]): number {
  let area = 0;
  for (const other of taken) {
    const wide = Math.min(box.x1, other.x1) - Math.max(box.x0, other.x0);
    const high = Math.min(box.y1, other.y1) - Math.max(box.y0, other.y0);
    if (wide > 0 && high > 0) area += wide * high;
  }
  return area;
}

function markBox(edge: SceneEdge): Box {
  const [x, y] = pointAt(edge.curve, edge.markAt);
  return around(x, y, MARK_RADIUS);
}

/** A number on the line of a healthy edge, on a halo; moved along the line when its middle is taken. */
function drawRate(pen: Pen, edge: SceneEdge, look: Look, size: number, taken: Box[]): void {
  pen.font = `450 ${11 * size}px ${look.theme.sans}`;
  const width = pen.measureText(edge.label).width + 4;
  if (edge.length < width + 40) return;
  for (const t of [0.5, 0.42, 0.58, 0.34]) {
    const [x, y] = pointAt(edge.curve, t);
    const box = { x0: x - width / 2, y0: y - 7 * size, x1: x + width / 2, y1: y + 7 * size };
    if (overlaps(box, taken)) continue;
    taken.push(box);
    const [dx] = tangentAt(edge.curve, t);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    // A label on a nearly upright line hides less of it when the halo is narrow.
    haloText(pen, edge.label, x, y, look.theme.text2, look.theme.canvas, Math.abs(dx) < 0.3 ? size : size * 1.2);
    return;
  }
}

function haloText(pen: Pen, text: string, x: number, y: number, colour: string, halo: string, size: number): void {
  pen.strokeStyle = halo;
  pen.lineWidth = 4 * size;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function roundedBox(pen: Pen, box: Box, radius: number): void {
  const { x0, y0, x1, y1 } = box;
  pen.beginPath();
  pen.moveTo(x0 + radius, y0);
  pen.lineTo(x1 - radius, y0);
  pen.quadraticCurveTo(x1, y0, x1, y0 + radius);
  pen.lineTo(x1, y1 - radius);
  pen.quadraticCurveTo(x1, y1, x1 - radius, y1);
  pen.lineTo(x0 + radius, y1);
  pen.quadraticCurveTo(x0, y1, x0, y1 - radius);
  pen.lineTo(x0, y0 + radius);
  pen.quadraticCurveTo(x0, y0, x0 + radius, y0);
  pen.closePath();
}

function nodeBox(node: SceneNode): Box {
  return around(node.x, node.y, NODE_RADIUS);
}

function overlaps(box: Box, taken: readonly Box[]): boolean {
  return taken.some((other) => box.x0 < other.x1 && box.x1 > other.x0 && box.y0 < other.y1 && box.y1 > other.y0);
}
