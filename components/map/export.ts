import { drawMap } from "./draw.ts";
import { extentAt } from "./extent.ts";
import type { Look, Viewport } from "./look.ts";
import type { Scene } from "./scene.ts";
import { svgPen } from "./svg-pen.ts";

const PNG_SCALE = 2;
/** Canvases of browsers end at about 16,384 px a side. */
const MOST_PIXELS = 16_000;

/** Round the map, in pixels of zoom 1. */
const MARGIN = 16;

/** The whole map with its words, whatever is in view. */
function wholeView(scene: Scene, look: Look): Viewport {
  const { x0, y0, x1, y1 } = extentAt(document.createElement("canvas").getContext("2d")!, scene, look, 1);
  return {
    x: MARGIN - x0,
    y: MARGIN - y0,
    k: 1,
    width: Math.ceil(x1 - x0) + 2 * MARGIN,
    height: Math.ceil(y1 - y0) + 2 * MARGIN,
  };
}

/** Downloads the map as a picture of twice its size. */
export function downloadPng(scene: Scene, look: Look): void {
  const bare: Look = { ...look, selected: undefined, focus: false };
  const view = wholeView(scene, bare);
  const scale = Math.min(PNG_SCALE, MOST_PIXELS / Math.max(view.width, view.height));
  const canvas = document.createElement("canvas");
  canvas.width = view.width * scale;
  canvas.height = view.height * scale;
  const pen = canvas.getContext("2d")!;
  pen.scale(scale, scale);
  pen.fillStyle = look.theme.canvas;
  pen.fillRect(0, 0, view.width, view.height);
  drawMap(pen, scene, view, bare);
  canvas.toBlob((blob) => {
    if (blob !== null) save(blob, "png");
  }, "image/png");
}

/** Downloads the map as SVG, by the same draw calls. */
export function downloadSvg(scene: Scene, look: Look): void {
  const bare: Look = { ...look, selected: undefined, focus: false };
  const view = wholeView(scene, bare);
  const pen = svgPen(document.createElement("canvas").getContext("2d")!);
  drawMap(pen, scene, view, bare);
  save(new Blob([pen.toSvg(view.width, view.height, look.theme)], { type: "image/svg+xml" }), "svg");
}

function save(blob: Blob, ending: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `weir-map-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
