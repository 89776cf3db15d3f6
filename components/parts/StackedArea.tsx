"use client";

import { max, scaleLinear } from "d3";
import { useMemo } from "react";
import { BrushLayer, CrosshairLine, timeScale, useCrosshair, useWidth } from "./chart-frame.tsx";
import styles from "./charts.module.css";
import type { MarkColor } from "./colors.ts";
import { Swatch } from "./Legend.tsx";
import { clockSeconds, count, figures } from "./numbers.ts";
import { TimeAxis } from "./TimeSeries.tsx";

export interface StackLayer {
  readonly name: string;
  readonly color: MarkColor;
  /** One value a step, not negative. */
  readonly values: readonly number[];
}

interface StackedAreaProps {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  /** Most first: the first lies at the bottom. */
  readonly layers: readonly StackLayer[];
  readonly height?: number;
  format?(value: number): string;
  onZoom?(from: number, to: number): void;
  /** The layer that is chosen elsewhere; the others fade. */
  readonly selected?: string | undefined;
}

const LEFT_PX = 46;
const AXIS_PX = 18;

/** Words of the axis never touch: 12 px high, and a round step may give twice as many ticks as asked for. */
const ticksFor = (height: number): number => Math.max(1, Math.min(3, Math.floor(height / 36)));

/** Stacked bars a step over time, with a tooltip of all layers at the crosshair and drag to zoom. */
export function StackedArea({
  label,
  from,
  to,
  stepMs,
  layers,
  height = 180,
  format = count,
  onZoom,
  selected,
}: StackedAreaProps) {
  const [element, width] = useWidth();
  const plot = Math.max(0, width - LEFT_PX);
  const x = timeScale(from, to, plot);
  const start = Math.floor(from / stepMs) * stepMs;
  const totals = useMemo(() => totalsOf(layers), [layers]);
  const y = scaleLinear([0, Math.max(max(totals) ?? 0, 1)], [height, 6]).nice(4);
  const barWidth = Math.max(1, x(new Date(from + stepMs)) - (plot / Math.max(1, totals.length) > 5 ? 1.5 : 0));
  return (
    <div ref={element} className={styles.chart}>
      {width === 0 ? (
        <svg height={height + AXIS_PX} />
      ) : (
        <svg width={width} height={height + AXIS_PX} role="group" aria-label={label}>
          {y.ticks(ticksFor(height)).map((tick) => (
            <g key={tick}>
              <line
                className={tick === 0 ? styles.zero : styles.grid}
                x1={LEFT_PX}
                x2={width}
                y1={y(tick)}
                y2={y(tick)}
              />
              {tick === 0 ? null : (
                <text className={styles.axis} x={LEFT_PX - 8} y={y(tick) + 3.5} textAnchor="end">
                  {format(tick)}
                </text>
              )}
            </g>
          ))}
          <g transform={`translate(${LEFT_PX} 0)`}>
            {layers.map((layer, at) => (
              <path
                key={layer.name}
                data-color={layer.color}
                className={styles.bars}
                data-faded={selected !== undefined && selected !== layer.name}
                d={barsPath(layers, at, (index) => x(new Date(start + index * stepMs)), y, barWidth, plot)}
              />
            ))}
            <TimeAxis x={x} width={plot} y={height + 14} />
            <CrosshairLine x={x} height={height} />
            <BrushLayer x={x} width={plot} height={height} label={label} stepMs={stepMs} onZoom={onZoom} />
          </g>
        </svg>
      )}
      <StackTip
        x={(at) => LEFT_PX + x(new Date(at))}
        width={width}
        start={start}
        stepMs={stepMs}
        layers={layers}
        format={format}
      />
    </div>
  );
}

/** One path for all bars of a layer: a rectangle for each step, on top of the layers below. */
function barsPath(
  layers: readonly StackLayer[],
  at: number,
  xOf: (index: number) => number,
  y: (value: number) => number,
  barWidth: number,
  plot: number,
): string {
  const parts: string[] = [];
  layers[at]!.values.forEach((value, index) => {
    if (value <= 0) return;
    let below = 0;
    for (let lower = 0; lower < at; lower++) below += layers[lower]!.values[index] ?? 0;
    const left = Math.max(0, xOf(index));
    const right = Math.min(plot, xOf(index) + barWidth);
    if (right > left)
      parts.push(
        `M${left.toFixed(1)} ${y(below).toFixed(1)}V${y(below + value).toFixed(1)}H${right.toFixed(1)}V${y(below).toFixed(1)}Z`,
      );
  });
  return parts.join("");
}

function totalsOf(layers: readonly StackLayer[]): readonly number[] {
  const length = max(layers, (layer) => layer.values.length) ?? 0;
  return Array.from({ length }, (_, index) => layers.reduce((sum, layer) => sum + (layer.values[index] ?? 0), 0));
}

interface StackTipProps {
  readonly width: number;
  readonly start: number;
  readonly stepMs: number;
  readonly layers: readonly StackLayer[];
  x(at: number): number;
  format(value: number): string;
}

const TIP_PX = 170;

function StackTip({ x, width, start, stepMs, layers, format }: StackTipProps) {
  const { atMs } = useCrosshair();
  if (atMs === undefined || width === 0) return null;
  const index = Math.floor((atMs - start) / stepMs);
  const rows = layers.map((layer) => ({ ...layer, value: layer.values[index] ?? 0 })).filter((row) => row.value > 0);
  const left = x(atMs) + 14 + TIP_PX > width ? x(atMs) - 14 - TIP_PX : x(atMs) + 14;
  const place = (tip: HTMLDivElement | null): void =>
    tip?.style.setProperty("transform", `translateX(${Math.max(0, left)}px)`);
  return (
    <div ref={place} className={styles.tip} role="status">
      <p>
        <b>{clockSeconds(start + index * stepMs)}</b>
        <span>{figures(stepMs / 1000)} s</span>
      </p>
      {rows.length === 0 ? <p>nothing</p> : null}
      {rows
        .toSorted((a, b) => b.value - a.value)
        .slice(0, 8)
        .map((row) => (
          <p key={row.name}>
            <Swatch color={row.color} />
            <code>{row.name}</code>
            <span>{format(row.value)}</span>
          </p>
        ))}
    </div>
  );
}
