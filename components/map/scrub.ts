/** A window of time, ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What of the window was taken hold of. */
export type Grip = "start" | "end" | "whole";

/** A window shorter than this says nothing. */
const SHORTEST_MS = 5_000;

/** The window after `grip` was moved by `ms`, kept inside of `limits`; the whole keeps its length. */
export function dragWindow(window: Window, grip: Grip, ms: number, limits: Window): Window {
  if (grip === "whole") {
    const length = window.to - window.from;
    const from = Math.max(limits.from, Math.min(limits.to - length, window.from + ms));
    return { from, to: from + length };
  }
  if (grip === "start")
    return { from: Math.max(limits.from, Math.min(window.to - SHORTEST_MS, window.from + ms)), to: window.to };
  return { from: window.from, to: Math.min(limits.to, Math.max(window.from + SHORTEST_MS, window.to + ms)) };
}
