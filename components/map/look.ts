import type { MapTheme } from "./pen.ts";
import type { SceneEdge } from "./scene.ts";

/** Scene point (sx, sy) is at CSS pixel (x + sx·k, y + sy·k). */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly k: number;
  readonly width: number;
  readonly height: number;
}

export interface Look {
  readonly theme: MapTheme;
  /** Key of the selected node or edge. */
  readonly selected: string | undefined;
  /** Focus mode: everything that does not touch the selection is drawn at 25 %. */
  readonly focus: boolean;
  /** Keys of nodes that a search found; others are dimmed when it is not empty. */
  readonly found: ReadonlySet<string>;
}

/** The colour of an edge's line. */
export function edgeColour(edge: Pick<SceneEdge, "state">, theme: MapTheme, selected: boolean): string {
  switch (edge.state) {
    case "denied":
    case "failing":
    case "newly-denied":
      return theme.denied;
    case "degraded":
      return theme.degraded;
    case "fresh":
      return theme.fresh;
    case "newly-allowed":
      return theme.willAllow;
    case "gone":
      return theme.gone;
    case "allowed":
      return selected ? theme.allowed : theme.quiet;
  }
}
