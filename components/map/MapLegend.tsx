"use client";

import { useEffect, useRef } from "react";
import type { EdgeState, Graph, MapLevel, NodeShape } from "./graph.ts";
import { edgeColour } from "./look.ts";
import styles from "./MapLegend.module.css";
import { drawNode } from "./draw-nodes.ts";
import { drawEdgeSample } from "./draw.ts";
import type { MapTheme } from "./pen.ts";
import { useMapTheme } from "./use-map-theme.ts";

const EDGE_WORDS: readonly (readonly [EdgeState, string])[] = [
  ["allowed", "allowed"],
  ["denied", "stopped"],
  ["failing", "partly failing"],
  ["degraded", "retransmits"],
  ["fresh", "new"],
  ["gone", "gone"],
];

const SHAPE_WORDS: readonly (readonly [NodeShape, string])[] = [
  ["workload", "workload"],
  ["service", "service"],
  ["datastore", "data store"],
  ["gateway", "gateway"],
  ["infra", "infra"],
  ["outside", "outside"],
];

/** What lines and shapes mean: those that are on this map, drawn by the same code as the map. */
export function MapLegend({ graph, level }: { readonly graph: Graph; readonly level: MapLevel }) {
  const theme = useMapTheme();
  if (theme === undefined) return <div className={styles.legend} />;
  const states = new Set(graph.edges.map((edge) => edge.state));
  const shapes = new Set(graph.nodes.map((node) => node.shape));
  return (
    <ul className={styles.legend} aria-label="Legend">
      {EDGE_WORDS.filter(([state]) => states.has(state)).map(([state, word]) => (
        <li key={state}>
          <Sample width={40} height={20} theme={theme} draw={(pen) => drawEdgeSample(pen, state, theme)} />
          {word}
        </li>
      ))}
      <li className={styles.line} aria-hidden="true" />
      {SHAPE_WORDS.filter(([shape]) => shapes.has(shape)).map(([shape, word]) => (
        <li key={shape}>
          <Sample width={18} height={18} theme={theme} draw={(pen) => drawShape(pen, shape, theme)} />
          {level === "namespace" && shape === "workload" ? "namespace" : word}
        </li>
      ))}
      <li className={styles.last}>number = pods or addresses</li>
    </ul>
  );
}

function drawShape(pen: CanvasRenderingContext2D, shape: NodeShape, theme: MapTheme): void {
  pen.translate(9, 9);
  pen.scale(0.36, 0.36);
  drawNode(
    pen,
    {
      key: "",
      namespace: "",
      name: "",
      shape,
      count: 0,
      detail: "",
      detailIsTrouble: false,
      failing: 0,
      gone: false,
      weight: 0,
      x: 0,
      y: 0,
    },
    { ...theme, text: "transparent", control: edgeColour({ state: "gone" }, theme, false) },
    false,
    2.6,
  );
}

function Sample({
  width,
  height,
  theme,
  draw,
}: {
  readonly width: number;
  readonly height: number;
  readonly theme: MapTheme;
  draw(pen: CanvasRenderingContext2D): void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
  });
  useEffect(() => {
    const ratio = devicePixelRatio;
    const pen = canvas.current!.getContext("2d")!;
    canvas.current!.width = width * ratio;
    canvas.current!.height = height * ratio;
    canvas.current!.style.width = `${width}px`;
    canvas.current!.style.height = `${height}px`;
    pen.scale(ratio, ratio);
    latest.current(pen);
  }, [width, height, theme]);
  return <canvas ref={canvas} aria-hidden="true" />;
}
