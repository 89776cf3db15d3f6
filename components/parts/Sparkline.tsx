import { area, extent, line, max, scaleLinear, type NumberValue } from "d3";
import type { MarkColor } from "./colors.ts";
import styles from "./charts.module.css";

interface SparklineProps {
  readonly values: readonly number[];
  readonly color?: MarkColor;
  readonly width?: number;
  readonly height?: number;
  /** What it shows, for screen readers; the value itself stands beside it. */
  readonly label: string;
}

/** A line over time from zero, without axes, for a table cell. */
export function Sparkline({ values, color = "quiet", width = 72, height = 18, label }: SparklineProps) {
  const x = scaleLinear([0, Math.max(1, values.length - 1)], [0, width]);
  const y = scaleLinear([0, Math.max(max(values) ?? 0, Number.MIN_VALUE)], [height - 1, 1.5]);
  const at = (value: NumberValue, index: number): readonly [number, number] => [x(index), y(value)];
  const points = values.map(at);
  return (
    <svg
      className={styles.spark}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${label}: ${extent(values)
        .map((value) => value ?? 0)
        .join(" to ")}`}
      data-color={color}
    >
      <path
        className={styles.sparkArea}
        d={
          area<readonly [number, number]>(
            (point) => point[0],
            height,
            (point) => point[1],
          )(points) ?? ""
        }
      />
      <path
        className={styles.sparkLine}
        d={
          line<readonly [number, number]>(
            (point) => point[0],
            (point) => point[1],
          )(points) ?? ""
        }
      />
    </svg>
  );
}
