"use client";

import { area, line, max, scaleLinear } from "d3";
import { BrushLayer, CrosshairLine, timeScale, useCrosshair, useWidth } from "./chart-frame.tsx";
import styles from "./charts.module.css";
import type { MarkColor } from "./colors.ts";
import { clockSeconds, figures } from "./numbers.ts";
import { timeTicks } from "./time-ticks.ts";

export interface Series {
  readonly name: string;
  readonly color: MarkColor;
  readonly dash?: "dotted" | "dashed";
  /** Fills down to zero. */
  readonly filled?: boolean;
  /** One value a step; null where nothing was measured, which leaves a gap. */
  readonly values: readonly (number | null)[];
}

interface TimeSeriesProps {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly series: readonly Series[];
  readonly height?: number;
  /** Times below; false where a chart below has them. */
  readonly axis?: boolean;
  /** Place for the greatest value at the right; the same for charts that stand above each other. */
  readonly rightPx?: number;
  format?(value: number): string;
  onZoom?(from: number, to: number): void;
}

const RIGHT_PX = 36;
const AXIS_PX = 16;

/** Lines over one time axis: zero line always, maximum and 0 at the right, no smoothing, crosshair shared with its neighbours. */
export function TimeSeries({
  label,
  from,
  to,
  stepMs,
  series,
  height = 40,
  axis = false,
  rightPx = RIGHT_PX,
  format = figures,
  onZoom,
}: TimeSeriesProps) {
  const [element, width] = useWidth();
  const { atMs } = useCrosshair();
  const plot = Math.max(0, width - rightPx);
  const x = timeScale(from, to, plot);
  const top = Math.max(max(series, (one) => max(one.values, (value) => value ?? 0) ?? 0) ?? 0, Number.MIN_VALUE);
  const y = scaleLinear([0, top], [height - 0.5, 2]);
  const start = Math.floor(from / stepMs) * stepMs;
  const xAt = (index: number): number => Math.max(0, x(new Date(start + (index + 0.5) * stepMs)));
  const index = atMs === undefined ? undefined : Math.floor((atMs - start) / stepMs);
  return (
    <div ref={element} className={styles.chart}>
      {width === 0 ? (
        <svg height={height + (axis ? AXIS_PX : 0)} />
      ) : (
        <svg width={width} height={height + (axis ? AXIS_PX : 0)} role="group" aria-label={label}>
          <line className={styles.grid} x1={0} x2={plot} y1={2} y2={2} />
          <line className={styles.zero} x1={0} x2={plot} y1={height - 0.5} y2={height - 0.5} />
          {series.map((one) => (
            <g key={one.name} data-color={one.color}>
              {one.filled === true ? (
                <path
                  className={styles.area}
                  d={
                    area<number | null>()
                      .defined((value) => value !== null)
                      .x((_, at) => xAt(at))
                      .y0(y(0))
                      .y1((value) => y(value ?? 0))(one.values) ?? ""
                  }
                />
              ) : null}
              <path
                className={styles.line}
                data-dash={one.dash}
                d={
                  line<number | null>()
                    .defined((value) => value !== null)
                    .x((_, at) => xAt(at))
                    .y((value) => y(value ?? 0))(one.values) ?? ""
                }
              />
            </g>
          ))}
          <text className={styles.axis} x={plot + 6} y={8}>
            {format(top === Number.MIN_VALUE ? 0 : top)}
          </text>
          <text className={styles.axis} x={plot + 6} y={height}>
            0
          </text>
          {axis ? <TimeAxis x={x} width={plot} y={height + 12} /> : null}
          <CrosshairLine x={x} height={height} />
          <BrushLayer x={x} width={plot} height={height} label={label} stepMs={stepMs} onZoom={onZoom} />
        </svg>
      )}
      {index === undefined || atMs === undefined ? null : (
        <p className="visually-hidden" role="status">
          {clockSeconds(atMs)} {series.map((one) => `${one.name} ${valueAt(one, index, format)}`).join(", ")}
        </p>
      )}
    </div>
  );
}

function valueAt(series: Series, index: number, format: (value: number) => string): string {
  const value = series.values[index];
  return value === null || value === undefined ? "–" : format(value);
}

/** Times below a chart. */
export function TimeAxis({
  x,
  width,
  y,
}: {
  readonly x: ReturnType<typeof timeScale>;
  readonly width: number;
  readonly y: number;
}) {
  return (
    <g aria-hidden="true">
      {timeTicks(x, width).map(({ at, text }) => (
        <text key={at} className={styles.axis} x={x(new Date(at))} y={y} textAnchor="middle">
          {text}
        </text>
      ))}
    </g>
  );
}
