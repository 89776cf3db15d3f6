import { drawLabels } from "./draw-labels.ts";
import { MARK_RADIUS } from "./draw-marks.ts";
import type { Look, Viewport } from "./look.ts";
import type { Pen } from "./pen.ts";
import { NODE_RADIUS, pointAt, type Scene } from "./scene.ts";

/** A part of the plane in scene units. */
export interface Extent {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A map of few nodes is not blown up to fill a large screen. */
const MOST_FIT_ZOOM = 1.35;
/** Free on each side of a fitted map, in CSS pixels. */
const EDGE_PX = 10;
/**
 * Words keep their size in pixels, so they take the more of a scene the smaller it is drawn: the zoom that fits is
 * approached from above. A word is at most half as wide as the view, which makes each round halve what is too much.
 */
const ROUNDS = 8;

/**
 * What drawing a scene at zoom `k` covers: hulls, lines, marks and the words that find room. `pen` measures text; what is
 * drawn on it is of no use. A scene without nodes covers its own bounds.
 */
export function extentAt(pen: Pen, scene: Scene, look: Look, k: number): Extent {
  if (scene.nodes.length === 0) return scene.bounds;
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  const cover = (left: number, top: number, right: number, bottom: number): void => {
    x0 = Math.min(x0, left);
    y0 = Math.min(y0, top);
    x1 = Math.max(x1, right);
    y1 = Math.max(y1, bottom);
  };
  const coverRound = (x: number, y: number, radius: number): void =>
    cover(x - radius, y - radius, x + radius, y + radius);
  for (const { x, y } of scene.nodes) coverRound(x, y, NODE_RADIUS + 4);
  for (const hull of scene.hulls) for (const [x, y] of hull.points) coverRound(x, y, hull.padding + 1);
  for (const edge of scene.edges)
    for (const t of [0.25, 0.5, 0.75, edge.markAt]) coverRound(...pointAt(edge.curve, t), MARK_RADIUS + 1);
  for (const box of drawLabels(pen, scene, { x: 0, y: 0, k, width: 0, height: 0 }, look))
    cover(box.x0, box.y0, box.x1, box.y1);
  return { x0, y0, x1, y1 };
}

/** Where a scene stands in a view of `width` × `height` CSS pixels so that all of it is seen, not below zoom `least`. */
export function fitted(
  pen: Pen,
  scene: Scene,
  look: Look,
  { width, height, least }: { readonly width: number; readonly height: number; readonly least: number },
): Pick<Viewport, "x" | "y" | "k"> {
  let k = MOST_FIT_ZOOM;
  let extent = extentAt(pen, scene, look, k);
  for (let round = 0; round < ROUNDS; round++) {
    const wide = Math.max(1, width - 2 * EDGE_PX) / Math.max(1, extent.x1 - extent.x0);
    const high = Math.max(1, height - 2 * EDGE_PX) / Math.max(1, extent.y1 - extent.y0);
    const fits = Math.max(least, Math.min(wide, high));
    if (fits >= k) break;
    k = fits;
    extent = extentAt(pen, scene, look, k);
  }
  return {
    x: width / 2 - ((extent.x0 + extent.x1) / 2) * k,
    y: height / 2 - ((extent.y0 + extent.y1) / 2) * k,
    k,
  };
}
