import { edgeColour } from "./look.ts";
import type { MapTheme, Pen } from "./pen.ts";
import { pointAt, type SceneEdge } from "./scene.ts";

/** In scene units. */
export const MARK_RADIUS = 9;

/** The sign on an edge that is not simply allowed: cross (denied, failing), loop (retransmits), star (new), minus and plus (what-if). Never colour alone. */
export function drawMark(pen: Pen, edge: SceneEdge, theme: MapTheme): void {
  const [x, y] = pointAt(edge.curve, edge.markAt);
  const colour = edgeColour(edge, theme, false);
  pen.fillStyle = theme.canvas;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x, y, MARK_RADIUS, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  if (edge.state === "degraded") loop(pen, x, y);
  else if (edge.state === "fresh") star(pen, x, y);
  else if (edge.state === "newly-denied") bars(pen, x, y, false);
  else if (edge.state === "newly-allowed") bars(pen, x, y, true);
  else cross(pen, x, y);
}

/** Minus, or plus: what a policy would take or give. */
function bars(pen: Pen, x: number, y: number, plus: boolean): void {
  const reach = 4.2;
  pen.beginPath();
  pen.moveTo(x - reach, y);
  pen.lineTo(x + reach, y);
  if (plus) {
    pen.moveTo(x, y - reach);
    pen.lineTo(x, y + reach);
  }
  pen.stroke();
}

function cross(pen: Pen, x: number, y: number): void {
  const reach = 3.4;
  pen.beginPath();
  pen.moveTo(x - reach, y - reach);
  pen.lineTo(x + reach, y + reach);
  pen.moveTo(x + reach, y - reach);
  pen.lineTo(x - reach, y + reach);
  pen.stroke();
}

/** Two arcs chasing each other: sent again. */
function loop(pen: Pen, x: number, y: number): void {
  const radius = 4.4;
  for (const turn of [0, Math.PI]) {
    const end = turn + Math.PI * 0.8;
    pen.beginPath();
    pen.arc(x, y, radius, turn + 0.25, end);
    pen.stroke();
    const tipX = x + radius * Math.cos(end);
    const tipY = y + radius * Math.sin(end);
    pen.beginPath();
    pen.moveTo(tipX - 2.6 * Math.cos(end - 0.3), tipY - 2.6 * Math.sin(end - 0.3));
    pen.lineTo(tipX, tipY);
    pen.lineTo(tipX + 2.6 * Math.cos(end - 0.9), tipY + 2.6 * Math.sin(end - 0.9));
    pen.stroke();
  }
}

function star(pen: Pen, x: number, y: number): void {
  pen.beginPath();
  for (let i = 0; i < 10; i++) {
    const radius = i % 2 === 0 ? 5 : 2.1;
    const angle = -Math.PI / 2 + (i / 10) * 2 * Math.PI;
    const px = x + radius * Math.cos(angle);
    const py = y + radius * Math.sin(angle);
    if (i === 0) pen.moveTo(px, py);
    else pen.lineTo(px, py);
  }
  pen.closePath();
  pen.stroke();
}
