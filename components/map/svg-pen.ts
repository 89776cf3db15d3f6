import type { MapTheme, Pen } from "./pen.ts";

interface State {
  stroke: string;
  fill: string;
  lineWidth: number;
  lineCap: CanvasLineCap;
  alpha: number;
  font: string;
  align: CanvasTextAlign;
  baseline: CanvasTextBaseline;
  dash: readonly number[];
  transform: readonly [number, number, number];
}

/**
 * A pen that writes SVG instead of pixels. Knows what the map draws with and no more (uniform scale, no rotation but of
 * ellipses by 0). `measure` is a canvas context, for text widths.
 */
export function svgPen(
  measure: CanvasRenderingContext2D,
): Pen & { toSvg(width: number, height: number, theme: MapTheme): string } {
  const parts: string[] = [];
  const stack: State[] = [];
  let path = "";
  let state: State = {
    stroke: "#000",
    fill: "#000",
    lineWidth: 1,
    lineCap: "butt",
    alpha: 1,
    font: "10px sans-serif",
    align: "left",
    baseline: "alphabetic",
    dash: [],
    transform: [0, 0, 1],
  };
  const X = (x: number): string => round(state.transform[0] + x * state.transform[2]);
  const Y = (y: number): string => round(state.transform[1] + y * state.transform[2]);
  const L = (length: number): string => round(length * state.transform[2]);
  const opacity = (): string => (state.alpha === 1 ? "" : ` opacity="${round(state.alpha)}"`);
  const text = (content: string, x: number, y: number, paint: string): void => {
    const match = /^(\d+) ([\d.]+)px (.+)$/.exec(state.font);
    const anchor =
      state.align === "center" ? "middle" : state.align === "right" || state.align === "end" ? "end" : "start";
    const size = Number(match?.[2] ?? 10);
    const drop = state.baseline === "middle" ? size * 0.35 : 0;
    parts.push(
      `<text x="${X(x)}" y="${Y(y + drop)}" text-anchor="${anchor}" font-family="${escape(match?.[3] ?? "sans-serif")}" font-size="${L(size)}" font-weight="${match?.[1] ?? 400}" ${paint}${opacity()}>${escape(content)}</text>`,
    );
  };
  const pen = {
    beginPath: () => (path = ""),
    moveTo: (x: number, y: number) => (path += `M${X(x)} ${Y(y)}`),
    lineTo: (x: number, y: number) => (path += `L${X(x)} ${Y(y)}`),
    quadraticCurveTo: (cx: number, cy: number, x: number, y: number) => (path += `Q${X(cx)} ${Y(cy)} ${X(x)} ${Y(y)}`),
    arc: (x: number, y: number, r: number, from: number, to: number) => pen.ellipse(x, y, r, r, 0, from, to),
    ellipse: (x: number, y: number, rx: number, ry: number, _turn: number, from: number, to: number) => {
      const whole = Math.abs(to - from) >= 2 * Math.PI - 1e-9;
      const end = whole ? from + Math.PI : to;
      const at = (angle: number): string => `${X(x + rx * Math.cos(angle))} ${Y(y + ry * Math.sin(angle))}`;
      const large = Math.abs(end - from) > Math.PI ? 1 : 0;
      path += `${path === "" ? "M" : "L"}${at(from)}A${L(rx)} ${L(ry)} 0 ${large} 1 ${at(end)}`;
      if (whole) path += `A${L(rx)} ${L(ry)} 0 0 1 ${at(from)}`;
    },
    closePath: () => (path += "Z"),
    stroke: () => {
      const dash = state.dash.length === 0 ? "" : ` stroke-dasharray="${state.dash.map(L).join(" ")}"`;
      parts.push(
        `<path d="${path}" fill="none" stroke="${state.stroke}" stroke-width="${L(state.lineWidth)}" stroke-linecap="${state.lineCap}" stroke-linejoin="round"${dash}${opacity()}/>`,
      );
    },
    fill: () => parts.push(`<path d="${path}" fill="${state.fill}"${opacity()}/>`),
    setLineDash: (dash: readonly number[]) => (state.dash = dash),
    fillText: (content: string, x: number, y: number) => text(content, x, y, `fill="${state.fill}"`),
    strokeText: (content: string, x: number, y: number) =>
      text(
        content,
        x,
        y,
        `fill="none" stroke="${state.stroke}" stroke-width="${L(state.lineWidth)}" stroke-linejoin="round"`,
      ),
    measureText: (content: string) => {
      measure.font = state.font;
      return measure.measureText(content);
    },
    save: () => stack.push({ ...state }),
    restore: () => (state = stack.pop() ?? state),
    translate: (dx: number, dy: number) => {
      const [x, y, k] = state.transform;
      state.transform = [x + dx * k, y + dy * k, k];
    },
    scale: (k: number) => {
      const [x, y, old] = state.transform;
      state.transform = [x, y, old * k];
    },
    set strokeStyle(value: string) {
      state.stroke = value;
    },
    get strokeStyle(): string {
      return state.stroke;
    },
    set fillStyle(value: string) {
      state.fill = value;
    },
    get fillStyle(): string {
      return state.fill;
    },
    set lineWidth(value: number) {
      state.lineWidth = value;
    },
    get lineWidth(): number {
      return state.lineWidth;
    },
    set lineCap(value: CanvasLineCap) {
      state.lineCap = value;
    },
    get lineCap(): CanvasLineCap {
      return state.lineCap;
    },
    lineJoin: "round" as CanvasLineJoin,
    set globalAlpha(value: number) {
      state.alpha = value;
    },
    get globalAlpha(): number {
      return state.alpha;
    },
    set font(value: string) {
      state.font = value;
    },
    get font(): string {
      return state.font;
    },
    set textAlign(value: CanvasTextAlign) {
      state.align = value;
    },
    get textAlign(): CanvasTextAlign {
      return state.align;
    },
    set textBaseline(value: CanvasTextBaseline) {
      state.baseline = value;
    },
    get textBaseline(): CanvasTextBaseline {
      return state.baseline;
    },
    toSvg: (width: number, height: number, theme: MapTheme) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${theme.canvas}"/>${parts.join("")}</svg>`,
  };
  return pen as unknown as ReturnType<typeof svgPen>;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Names come from packets and labels: they are text here, never markup. */
/** XML has no place for most control characters, not even as references: they are drawn as U+FFFD. */
function escape(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
  );
}
