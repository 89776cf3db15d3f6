import { around, boxAround, type Box } from "./box.ts";
import { drawLabels } from "./draw-labels.ts";
import { MARK_RADIUS } from "./draw-marks.ts";
import type { Look, Viewport } from "./look.ts";
import type { Pen } from "./pen.ts";
import { NODE_RADIUS, pointAt, type Scene } from "./scene.ts";

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
export function extentAt(pen: Pen, scene: Scene, look: Look, k: number): Box {
  if (scene.nodes.length === 0) return scene.bounds;
  return boxAround([
    ...scene.nodes.map(({ x, y }) => around(x, y, NODE_RADIUS + 4)),
    ...scene.hulls.flatMap((hull) => hull.points.map(([x, y]) => around(x, y, hull.padding + 1))),
    ...scene.edges.flatMap(({ curve, markAt }) =>
      [0.25, 0.5, 0.75, markAt].map((t) => around(...pointAt(curve, t), MARK_RADIUS + 1)),
    ),
    ...drawLabels(pen, scene, { x: 0, y: 0, k, width: 0, height: 0 }, look),
  ]);
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
