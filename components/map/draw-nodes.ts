import type { MapTheme, Pen } from "./pen.ts";
import { NODE_RADIUS, type SceneNode } from "./scene.ts";

/** At least this share of the rim, or the arc is not seen. */
const LEAST_ARC = 0.12;

/** A node: its shape with the number in it, the failing share as an arc, a second outline when selected. `outline` in scene units. */
export function drawNode(pen: Pen, node: SceneNode, theme: MapTheme, selected: boolean, outline = 1.5): void {
  pen.fillStyle = theme.raised;
  pen.strokeStyle = node.gone ? theme.gone : theme.control;
  pen.lineWidth = outline;
  if (node.gone) {
    pen.fillStyle = theme.canvas;
    pen.setLineDash([2, 3]);
  }
  shapePath(pen, node, NODE_RADIUS);
  pen.fill();
  pen.stroke();
  if (node.shape === "datastore") {
    cylinderLid(pen, node);
    pen.stroke();
  } else if (node.shape === "service") {
    shapePath(pen, node, NODE_RADIUS - 4);
    pen.stroke();
  }
  pen.setLineDash([]);
  if (selected) {
    pen.strokeStyle = theme.text;
    pen.lineWidth = 1.5;
    shapePath(pen, node, NODE_RADIUS);
    pen.stroke();
    shapePath(pen, node, NODE_RADIUS + 4);
    pen.stroke();
  }
  if (node.failing > 0) {
    const share = Math.max(LEAST_ARC, Math.min(1, node.failing));
    pen.strokeStyle = theme.denied;
    pen.lineWidth = 3.5;
    rimPath(pen, node, -Math.PI / 2 - share * Math.PI, -Math.PI / 2 + share * Math.PI);
    pen.stroke();
  }
  pen.fillStyle = node.gone ? theme.gone : theme.text;
  pen.font = `500 12px ${theme.sans}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(compactCount(node.count), node.x, node.y + (node.shape === "datastore" ? 3 : 0.5));
}

/** The rim of a node's shape between two angles: an arc of a circle, a bent line on any other shape. */
function rimPath(pen: Pen, node: SceneNode, from: number, to: number): void {
  pen.beginPath();
  if (node.shape === "workload" || node.shape === "service") {
    pen.arc(node.x, node.y, NODE_RADIUS, from, to);
    return;
  }
  for (let i = 0; i <= RIM_STEPS; i++) {
    const angle = from + ((to - from) * i) / RIM_STEPS;
    const reach = rimReach(node.shape, angle);
    const x = node.x + reach * Math.cos(angle);
    const y = node.y + reach * Math.sin(angle);
    if (i === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  }
}

const RIM_STEPS = 48;

/** Distance from the middle of a shape to its rim in a direction. */
function rimReach(shape: SceneNode["shape"], angle: number): number {
  switch (shape) {
    case "gateway":
      return polygonReach(NODE_RADIUS * 1.1, 6, 0, angle);
    case "outside":
      return polygonReach(NODE_RADIUS * 1.2, 4, Math.PI / 2, angle);
    case "infra":
      return polygonReach(NODE_RADIUS * 0.86 * Math.SQRT2, 4, Math.PI / 4, angle);
    case "datastore":
      return Math.min(
        (NODE_RADIUS * 0.88) / Math.max(1e-6, Math.abs(Math.cos(angle))),
        (NODE_RADIUS * 0.95) / Math.max(1e-6, Math.abs(Math.sin(angle))),
      );
    case "workload":
    case "service":
      return NODE_RADIUS;
  }
}

function polygonReach(radius: number, corners: number, turn: number, angle: number): number {
  const part = (2 * Math.PI) / corners;
  const within = (((angle - turn) % part) + part) % part;
  return (radius * Math.cos(part / 2)) / Math.cos(within - part / 2);
}

/** At most four characters: 950, 1.2k, 15k. */
function compactCount(count: number): string {
  if (count < 1000) return String(count);
  if (count < 10_000) return `${(Math.floor(count / 100) / 10).toFixed(1)}k`;
  return `${Math.floor(count / 1000)}k`;
}

function shapePath(pen: Pen, node: SceneNode, radius: number): void {
  const { x, y } = node;
  pen.beginPath();
  switch (node.shape) {
    case "workload":
    case "service":
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      return;
    case "datastore": {
      const w = radius * 0.88;
      const h = radius * 0.95;
      const lid = radius * 0.3;
      pen.moveTo(x - w, y - h + lid);
      pen.ellipse(x, y - h + lid, w, lid, 0, Math.PI, 2 * Math.PI);
      pen.lineTo(x + w, y + h - lid);
      pen.ellipse(x, y + h - lid, w, lid, 0, 0, Math.PI);
      pen.closePath();
      return;
    }
    case "gateway":
      polygon(pen, x, y, radius * 1.1, 6, 0);
      return;
    case "infra": {
      const half = radius * 0.86;
      pen.moveTo(x - half, y - half);
      pen.lineTo(x + half, y - half);
      pen.lineTo(x + half, y + half);
      pen.lineTo(x - half, y + half);
      pen.closePath();
      return;
    }
    case "outside":
      polygon(pen, x, y, radius * 1.2, 4, Math.PI / 2);
      return;
  }
}

function cylinderLid(pen: Pen, node: SceneNode): void {
  const w = NODE_RADIUS * 0.88;
  const lid = NODE_RADIUS * 0.3;
  pen.beginPath();
  pen.ellipse(node.x, node.y - NODE_RADIUS * 0.95 + lid, w, lid, 0, 0, Math.PI);
}

function polygon(pen: Pen, x: number, y: number, radius: number, corners: number, turn: number): void {
  for (let i = 0; i < corners; i++) {
    const angle = turn + (i / corners) * 2 * Math.PI;
    const px = x + radius * Math.cos(angle);
    const py = y + radius * Math.sin(angle);
    if (i === 0) pen.moveTo(px, py);
    else pen.lineTo(px, py);
  }
  pen.closePath();
}
