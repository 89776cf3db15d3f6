"use client";

import type { HealthSeries } from "../../model/wire/answers/health.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { CrosshairProvider } from "../parts/chart-frame.tsx";
import { categoryColor } from "../parts/colors.ts";
import { Legend } from "../parts/Legend.tsx";
import { bytes, duration, figures } from "../parts/numbers.ts";
import { TimeSeries, type Series } from "../parts/TimeSeries.tsx";
import { useWhatCollectorsMeasured } from "../questions/use-what-collectors-measured.ts";
import styles from "./HealthPage.module.css";
import { AXIS_WORDS_PX } from "./RangeBooks.tsx";
import { highest, lossesByCpuAndType, riseOf, stepsOf, sumOf } from "./measured.ts";
import { Section } from "./Section.tsx";

/** More lines than colours can't be told apart. */
const LINES = 5;

/** What the collectors measured of themselves over the page's range: losses by CPU and type, spool, lag, cost. Drag to zoom. */
export function OverTime() {
  const answer = useWhatCollectorsMeasured();
  const series = answer.data?.series ?? [];
  if (answer.data === undefined) return <AnswerNote answer={answer} of="measurements of the range" />;
  const nodes = new Set(series.map((one) => one.node)).size;
  return (
    <Section
      title="Collectors over time"
      note={
        nodes === 0
          ? "no collector measured anything in the range"
          : nodes === 1
            ? "measured every 10 s, and kept through an outage of the store"
            : `${nodes} nodes: the highest of them, sums of bytes and losses`
      }
    >
      {nodes === 0 ? (
        <p className={styles.empty}>Choose a range in which a collector ran.</p>
      ) : (
        <Charts answer={answer.data} />
      )}
    </Section>
  );
}

function Charts({ answer }: { readonly answer: HealthSeries }) {
  const losses = lossesByCpuAndType(answer);
  const rest = losses.slice(LINES);
  const lines: Series[] = losses
    .slice(0, LINES)
    .map(({ name, values }, at) => ({ name, values, color: categoryColor(at) }));
  if (rest.length > 0)
    lines.push({
      name: `${rest.length} others`,
      color: categoryColor(LINES),
      values: rest[0]!.values.map((_, at) => rest.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)),
    });
  return (
    <CrosshairProvider>
      <div className={styles.charts}>
        <Chart
          answer={answer}
          name="Lost in rings/s"
          words={losses.length === 0 ? "none" : "by CPU and event"}
          series={lines}
        >
          {lines.length === 0 ? null : <Legend items={lines.map(({ color, name }) => ({ color, label: name }))} />}
        </Chart>
        <div className={styles.pair}>
          <Chart
            answer={answer}
            name="Spool"
            words="bytes that the store does not have yet"
            format={bytes}
            series={[{ name: "waiting", color: "allowed", filled: true, values: sumOf(answer, "spool_bytes") }]}
          />
          <Chart
            answer={answer}
            name="Oldest row in it"
            words="how long it waits"
            format={seconds}
            series={[{ name: "age", color: "degraded", values: highest(answer, "spool_oldest_seconds") }]}
          />
          <Chart
            answer={answer}
            name="Insert lag"
            words="solid: last row to answer; dashed: one insert"
            format={seconds}
            series={[
              { name: "lag", color: "allowed", values: highest(answer, "insert_lag_seconds") },
              { name: "insert", color: "text-2", dash: "dashed", values: highest(answer, "insert_seconds") },
            ]}
          />
          <Chart
            answer={answer}
            name="Failed inserts/s, shed rows/s"
            words="solid: inserts; dashed: rows"
            series={[
              { name: "failed inserts/s", color: "denied", values: riseOf(answer, "insert_failures_total") },
              {
                name: "shed rows/s",
                color: "degraded",
                dash: "dashed",
                values: riseOf(answer, "spool_shed_rows_total"),
              },
            ]}
          />
          <Chart
            answer={answer}
            axis
            name="Decode"
            words="cost of an event, mean since the start"
            format={(ns) => duration(ns / 1000)}
            series={[{ name: "decode", color: "text-2", values: highest(answer, "decode_nanoseconds") }]}
          />
          <Chart
            answer={answer}
            axis
            name="CPU and fullest ring"
            words="solid: of one CPU; dashed: of a ring"
            format={(ratio) => `${figures(ratio * 100)} %`}
            series={[
              { name: "CPU", color: "text-2", values: riseOf(answer, "cpu_seconds_total") },
              { name: "ring", color: "degraded", dash: "dashed", values: highest(answer, "ring_used_ratio") },
            ]}
          />
        </div>
      </div>
    </CrosshairProvider>
  );
}

function seconds(value: number): string {
  return duration(value * 1e6);
}

function Chart({
  answer,
  name,
  words,
  series,
  format,
  axis = false,
  children,
}: {
  readonly answer: HealthSeries;
  readonly name: string;
  readonly words: string;
  readonly series: readonly Series[];
  readonly axis?: boolean;
  format?(value: number): string;
  readonly children?: React.ReactNode;
}) {
  const { zoomTo } = useUrlState();
  const { from, to, stepMs } = stepsOf(answer);
  return (
    <div>
      <p>
        <b>{name}</b> {words}
      </p>
      <TimeSeries
        label={name}
        from={from}
        to={to}
        stepMs={stepMs}
        series={series}
        axis={axis}
        height={44}
        rightPx={AXIS_WORDS_PX}
        onZoom={zoomTo}
        {...(format === undefined ? {} : { format })}
      />
      {children}
    </div>
  );
}
