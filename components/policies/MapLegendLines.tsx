"use client";

import { useEffect, useRef } from "react";
import { drawEdgeSample } from "../map/draw.ts";
import type { EdgeState } from "../map/graph.ts";
import type { MapTheme } from "../map/pen.ts";
import { useMapTheme } from "../map/use-map-theme.ts";
import styles from "./Impact.module.css";

const WORDS: readonly (readonly [EdgeState, string])[] = [
  ["newly-denied", "newly denied"],
  ["newly-allowed", "newly allowed"],
  ["denied", "denied before and after"],
  ["allowed", "allowed"],
];

/** What the lines of the map mean: those that are on it. */
export function MapLegendLines({ states }: { readonly states: ReadonlySet<EdgeState> }) {
  const theme = useMapTheme();
  return (
    <ul className={styles.legend} aria-label="Legend">
      {WORDS.filter(([state]) => states.has(state)).map(([state, words]) => (
        <li key={state}>
          {theme === undefined ? null : <Sample state={state} theme={theme} />}
          {words}
        </li>
      ))}
    </ul>
  );
}

function Sample({ state, theme }: { readonly state: EdgeState; readonly theme: MapTheme }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ratio = devicePixelRatio;
    const element = canvas.current!;
    element.width = 40 * ratio;
    element.height = 20 * ratio;
    const pen = element.getContext("2d")!;
    pen.scale(ratio, ratio);
    drawEdgeSample(pen, state, theme);
  }, [state, theme]);
  return <canvas ref={canvas} className={styles.sample} aria-hidden="true" />;
}
