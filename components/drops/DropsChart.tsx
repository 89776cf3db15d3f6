"use client";

import { useMemo, useRef, type KeyboardEvent, type MouseEvent, type PointerEvent, type ReactNode } from "react";
import type { DropsSeries } from "../../model/wire/answers/drops.ts";
import { SeenLine } from "../frame/SeenLine.tsx";
import { useUrlState } from "../frame/use-url-state.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { CrosshairProvider, useCrosshair } from "../parts/chart-frame.tsx";
import { categoryColor, type MarkColor } from "../parts/colors.ts";
import { Legend } from "../parts/Legend.tsx";
import { duration } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { StackedArea, type StackLayer } from "../parts/StackedArea.tsx";
import type { Answer } from "../questions/use-question.ts";
import styles from "./Drops.module.css";
import type { DropsState } from "./use-drops-state.ts";
import { useStableColors } from "./use-stable-colors.ts";

interface Props {
  readonly answer: Answer<DropsSeries>;
  readonly state: DropsState;
  /** Of reasons; sources and nodes have colours of their own. */
  readonly colors: ReadonlyMap<string, MarkColor>;
  readonly selected: string | undefined;
  /** No room for a hint. */
  readonly narrow: boolean;
  readonly phone: boolean;
}

const LAYERS = 6;

/** Dropped packets over time. Dragging or clicking a bar zooms in, Back undoes. */
export function DropsChart({ answer, state, colors, selected, narrow, phone }: Props) {
  const { zoomTo } = useUrlState();
  const { data } = answer;
  const own = useStableColors(state.by === "reason" ? undefined : data?.reasons.map((one) => one.reason));
  const palette = state.by === "reason" ? colors : own;
  const layers = useMemo(() => (data === undefined ? [] : layersOf(data, palette)), [data, palette]);
  const step = data?.bucketMs ?? 0;
  return (
    <section className={styles.chart}>
      <header>
        <h2>
          Dropped packets
          {step === 0
            ? ""
            : ` per ${duration(step * 1000)
                .replace(/\.0+ /, " ")
                .replace(/ 0 s$/, "")
                .replace(/ 0 min$/, "")}`}
        </h2>
        <SeenLine />
        {narrow ? null : <p>Drag or click a bar to zoom, Back undoes</p>}
        <Segmented
          label="Stacked by"
          value={state.by}
          onChange={state.setBy}
          options={[
            { value: "reason", label: "Reason" },
            { value: "source", label: "Source" },
            { value: "node", label: "Node" },
          ]}
        />
      </header>
      {data === undefined ? (
        <AnswerNote answer={answer} of="drops over time" />
      ) : (
        <CrosshairProvider>
          <BarPick stepMs={step} from={data.answered.from} to={data.answered.to} onPick={zoomTo}>
            <StackedArea
              label={`Dropped packets by ${state.by}`}
              from={data.answered.from}
              to={data.answered.to}
              stepMs={step}
              layers={layers}
              height={phone ? 110 : 168}
              onZoom={zoomTo}
              selected={state.by === "reason" && layers.some((layer) => layer.name === selected) ? selected : undefined}
            />
          </BarPick>
          {state.by === "reason" ? null : (
            <div className={styles.legend}>
              <Legend
                items={layers.map((layer) => ({
                  color: layer.color,
                  label: layer.name === "" ? "unknown" : layer.name,
                }))}
              />
            </div>
          )}
        </CrosshairProvider>
      )}
    </section>
  );
}

/** One layer a name, in the order of their colours so that they keep their places; from the seventh on they are "other". */
function layersOf(series: DropsSeries, colors: ReadonlyMap<string, MarkColor>): readonly StackLayer[] {
  const step = series.bucketMs;
  const start = Math.floor(series.answered.from / step) * step;
  const length = Math.max(1, Math.ceil((series.answered.to - start) / step));
  const order = [...colors.keys()];
  const names = series.reasons.map((one) => one.reason).toSorted((a, b) => place(order, a) - place(order, b));
  const kept = names.length > LAYERS ? names.slice(0, LAYERS - 1) : names;
  const values = new Map(kept.map((name) => [name, Array.from({ length }, () => 0)]));
  const other = Array.from({ length }, () => 0);
  for (const point of series.points) {
    const at = Math.round((point.at - start) / step);
    if (at >= 0 && at < length) (values.get(point.reason) ?? other)[at]! += point.drops;
  }
  const layers = [...values].map(([name, list]) => ({
    name,
    color: colors.get(name) ?? categoryColor(LAYERS),
    values: list,
  }));
  return names.length > LAYERS
    ? [...layers, { name: `${names.length - kept.length} other`, color: categoryColor(LAYERS), values: other }]
    : layers;
}

function place(order: readonly string[], name: string): number {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}

const MAX_MOVE_PX = 3; // more is a drag, which the chart itself takes

/** A click or Enter on a bar zooms to its time, unless it is all that is shown. */
function BarPick({
  stepMs,
  from,
  to,
  onPick,
  children,
}: {
  readonly stepMs: number;
  readonly from: number;
  readonly to: number;
  readonly children: ReactNode;
  onPick(from: number, to: number): void;
}) {
  const { atMs } = useCrosshair();
  const down = useRef<number | undefined>(undefined);
  const pick = (): void => {
    if (atMs === undefined || to - from <= stepMs * 2) return;
    const start = Math.floor(atMs / stepMs) * stepMs;
    onPick(start, start + stepMs);
  };
  return (
    <div
      role="presentation"
      onPointerDown={(event: PointerEvent) => (down.current = event.clientX)}
      onClick={(event: MouseEvent) => {
        if (down.current !== undefined && Math.abs(event.clientX - down.current) <= MAX_MOVE_PX) pick();
        down.current = undefined;
      }}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key === "Enter" && !event.defaultPrevented) pick();
      }}
    >
      {children}
    </div>
  );
}
