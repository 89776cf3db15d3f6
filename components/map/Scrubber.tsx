"use client";

import { max, scaleLinear } from "d3";
import { Pause, Play } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { TimelineAnswer } from "../../model/wire/answers/map.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { Button } from "../parts/Button.tsx";
import { timeScale, useWidth } from "../parts/chart-frame.tsx";
import { clockSeconds } from "../parts/numbers.ts";
import { timeTicks } from "../parts/time-ticks.ts";
import { useContextRange, useWhatWentOn } from "../questions/use-what-went-on.ts";
import styles from "./Scrubber.module.css";
import { dragWindow, type Grip, type Window } from "./scrub.ts";
import { useReplay } from "./use-replay.ts";

const UP_PX = 40;
const DOWN_PX = 22;
const AXIS_PX = 18;
const SPEEDS = [1, 10, 60] as const;

/** Four times the chosen range: traffic up, failures and drops down, the chosen window with two handles; drag pans, play replays. */
export function Scrubber() {
  const answer = useWhatWentOn();
  const context = useContextRange();
  const range = useViewRange();
  const { zoomTo } = useUrlState();
  const [element, width] = useWidth();
  const [dragged, setDragged] = useState<Window | undefined>();
  const replay = useReplay();
  const shown = dragged ?? replay.window ?? { from: range.from, to: range.to };
  // While the window is moved, the context stays where it was.
  const [frozen, setFrozen] = useState(context);
  useEffect(() => {
    if (dragged === undefined && replay.window === undefined) setFrozen(context);
  }, [context.from, context.to, dragged, replay.window]); // oxlint-disable-line react/exhaustive-deps -- context is a new object each time
  const x = timeScale(frozen.from, frozen.to, Math.max(1, width));
  const drag = useRef<{ readonly grip: Grip; readonly startX: number; readonly window: Window } | undefined>(undefined);

  const down = (grip: Grip) => (event: PointerEvent<SVGElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { grip, startX: event.clientX, window: shown };
  };
  const move = (event: PointerEvent): void => {
    if (drag.current === undefined) return;
    const ms = ((event.clientX - drag.current.startX) / Math.max(1, width)) * (frozen.to - frozen.from);
    setDragged(dragWindow(drag.current.window, drag.current.grip, ms, frozen));
  };
  const up = (): void => {
    if (drag.current !== undefined && dragged !== undefined) zoomTo(Math.round(dragged.from), Math.round(dragged.to));
    drag.current = undefined;
    setDragged(undefined);
  };
  const key = (event: KeyboardEvent): void => {
    const step = (event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0) * (range.lengthMs / 4);
    if (step === 0) return;
    event.preventDefault();
    const grip: Grip = event.shiftKey ? "end" : "whole";
    const next = dragWindow({ from: range.from, to: range.to }, grip, step, { from: -Infinity, to: Date.now() });
    zoomTo(Math.round(next.from), Math.round(next.to));
  };

  const from = x(new Date(shown.from));
  const to = x(new Date(shown.to));
  const high = UP_PX + DOWN_PX + 4;
  return (
    <section className={styles.scrubber} aria-label="Time scrubber">
      <div className={styles.side}>
        <div className={styles.buttons}>
          <Button
            small
            iconOnly
            aria-label={replay.window === undefined ? "Replay the context" : "Stop the replay"}
            onClick={() => (replay.window === undefined ? replay.start(frozen, range.lengthMs) : replay.stop())}
          >
            {replay.window === undefined ? (
              <Play size={14} aria-hidden="true" />
            ) : (
              <Pause size={14} aria-hidden="true" />
            )}
          </Button>
          <Button
            small
            aria-label={`Replay speed ${replay.speed}×`}
            onClick={() => replay.setSpeed(SPEEDS[(SPEEDS.indexOf(replay.speed) + 1) % SPEEDS.length]!)}
          >
            {replay.speed}×
          </Button>
        </div>
        <span>connections/s</span>
        <span className="tone-denied">drops/s</span>
      </div>
      <div ref={element} className={styles.plot}>
        {width === 0 ? null : (
          <svg width={width} height={high + AXIS_PX} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>
            <Bars answer={answer.data} x={x} window={shown} />
            {timeTicks(x, width).map(({ at, text }) => (
              <text key={at} className={styles.tick} x={x(new Date(at))} y={high + 13} textAnchor="middle">
                {text}
              </text>
            ))}
            <rect
              className={styles.window}
              x={from}
              y={0}
              width={Math.max(2, to - from)}
              height={high}
              onPointerDown={down("whole")}
            />
            <Handle x={from} high={high} onPointerDown={down("start")} />
            <Handle x={to} high={high} onPointerDown={down("end")} />
          </svg>
        )}
        <input
          type="range"
          className={styles.keys}
          aria-label="Chosen window: arrow keys move it, Shift and arrow keys stretch it"
          aria-valuetext={`${clockSeconds(shown.from)} to ${clockSeconds(shown.to)}`}
          min={0}
          max={1000}
          value={Math.round(Math.min(1, Math.max(0, (shown.from - frozen.from) / (frozen.to - frozen.from))) * 1000)}
          onChange={() => undefined}
          onKeyDown={key}
        />
      </div>
    </section>
  );
}

function Handle({
  x,
  high,
  onPointerDown,
}: {
  readonly x: number;
  readonly high: number;
  onPointerDown(event: PointerEvent<SVGElement>): void;
}) {
  return (
    <g className={styles.handle} onPointerDown={onPointerDown}>
      <rect x={x - 8} y={0} width={16} height={high} className={styles.grab} />
      <line x1={x} x2={x} y1={0} y2={high} />
      <rect x={x - 3} y={high / 2 - 10} width={6} height={20} rx={2} />
    </g>
  );
}

/** Traffic up in grey (blue in the window), failures and drops down on a scale of their own. */
function Bars({
  answer,
  x,
  window,
}: {
  readonly answer: TimelineAnswer | undefined;
  readonly x: ReturnType<typeof timeScale>;
  readonly window: Window;
}) {
  const bars = useMemo(() => {
    if (answer === undefined) return [];
    const up = scaleLinear([0, max(answer.points, (point) => point.opened) || 1], [0, UP_PX]);
    const down = scaleLinear([0, max(answer.points, (point) => point.drops + point.failed) || 1], [0, DOWN_PX]);
    return answer.points.map((point) => ({
      at: point.at,
      up: up(point.opened),
      down: down(point.drops + point.failed),
    }));
  }, [answer]);
  if (answer === undefined) return null;
  const bar = x(new Date(answer.bucketMs)) - x(new Date(0));
  return (
    <g>
      {bars.map((point) => {
        // The first and the last step may reach over the ends of the context.
        const px = Math.max(0, x(new Date(point.at)));
        const wide = Math.min(x.range()[1]!, x(new Date(point.at)) + bar) - px - 1;
        if (wide < 0) return null;
        const inside = point.at + answer.bucketMs > window.from && point.at < window.to;
        return (
          <g key={point.at}>
            <rect
              className={styles.up}
              data-inside={inside}
              x={px}
              y={UP_PX - point.up}
              width={Math.max(1, wide)}
              height={point.up}
            />
            <rect
              className={styles.down}
              data-inside={inside}
              x={px}
              y={UP_PX + 2}
              width={Math.max(1, wide)}
              height={point.down}
            />
          </g>
        );
      })}
    </g>
  );
}
