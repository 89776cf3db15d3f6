/**
 * The part of a canvas context that the map draws with. A canvas gives pixels, SvgPen (svg-pen.ts) the same picture as
 * SVG, so that screen, PNG and SVG never differ.
 */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "beginPath"
  | "moveTo"
  | "lineTo"
  | "quadraticCurveTo"
  | "arc"
  | "ellipse"
  | "closePath"
  | "stroke"
  | "fill"
  | "setLineDash"
  | "strokeStyle"
  | "fillStyle"
  | "lineWidth"
  | "lineCap"
  | "lineJoin"
  | "globalAlpha"
  | "font"
  | "textAlign"
  | "textBaseline"
  | "fillText"
  | "strokeText"
  | "measureText"
  | "save"
  | "restore"
  | "translate"
  | "scale"
>;

/** Colours of the map by role, read from the page's tokens (tokens.css), and its fonts. */
export interface MapTheme {
  readonly canvas: string;
  readonly raised: string;
  readonly line: string;
  readonly control: string;
  readonly text: string;
  readonly text2: string;
  readonly text3: string;
  readonly allowed: string;
  readonly quiet: string;
  readonly denied: string;
  readonly degraded: string;
  readonly fresh: string;
  readonly willAllow: string;
  readonly gone: string;
  readonly hull: string;
  readonly sans: string;
}
