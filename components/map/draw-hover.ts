import { edgeColour, type Look, type Viewport } from "./look.ts";
import type { Pen } from "./pen.ts";
import { NODE_RADIUS, type Scene, type SceneEdge } from "./scene.ts";

/** Paints what the pointer is on, over the finished map: an edge at full strength, or a node's rim and all its edges. */
export function drawHover(pen: Pen, scene: Scene, viewport: Viewport, look: Look, key: string): void {
  pen.save();
  pen.translate(viewport.x, viewport.y);
  pen.scale(viewport.k, viewport.k);
  const edge = scene.edgeByKey.get(key);
  const node = scene.nodeByKey.get(key);
  if (edge !== undefined) traceEdge(pen, edge, look);
  if (node !== undefined) {
    for (const other of scene.edges) if (other.source === key || other.target === key) traceEdge(pen, other, look);
    pen.strokeStyle = look.theme.text;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(node.x, node.y, NODE_RADIUS + 4, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.restore();
}

function traceEdge(pen: Pen, edge: SceneEdge, look: Look): void {
  pen.strokeStyle = edgeColour(edge, look.theme, true);
  pen.lineWidth = edge.width + 1;
  pen.beginPath();
  pen.moveTo(edge.curve.x0, edge.curve.y0);
  pen.quadraticCurveTo(edge.curve.cx, edge.curve.cy, edge.curve.x1, edge.curve.y1);
  pen.stroke();
}
