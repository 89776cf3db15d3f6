"use client";

import type { BooksAnswer } from "../../model/wire/answers/health.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { CrosshairProvider } from "../parts/chart-frame.tsx";
import { count, figures, share } from "../parts/numbers.ts";
import { TimeSeries } from "../parts/TimeSeries.tsx";
import { useWhatBecameOfEvents } from "../questions/use-what-became-of-events.ts";
import styles from "./HealthPage.module.css";
import { Section } from "./Section.tsx";

const MINUTE_MS = 60_000;
/** Room for `999,999` and `99.9 MB` beside a chart. */
export const AXIS_WORDS_PX = 54;

/** Events and losses of all nodes over the page's range, from the store's books. Drag to zoom. */
export function RangeBooks() {
  const answer = useWhatBecameOfEvents();
  if (answer.data === undefined) return <AnswerNote answer={answer} of="books of the range" />;
  const { total } = answer.data;
  const wanted = total.produced - total.filtered;
  const gone = total.lost + total.shed + total.quarantined;
  return (
    <Section
      title="Books of the range"
      note={
        total.produced === 0
          ? "no node booked anything in it"
          : `${share(wanted - gone, wanted)} of ${count(wanted)} wanted events seen, all nodes`
      }
    >
      {total.produced === 0 ? (
        <p className={styles.empty}>Choose a range in which a collector ran.</p>
      ) : (
        <Charts answer={answer.data} />
      )}
    </Section>
  );
}

function Charts({ answer }: { readonly answer: BooksAnswer }) {
  const { zoomTo } = useUrlState();
  const { from, to } = answer.answered;
  const stepMs = stepOf(answer);
  const start = Math.floor(from / stepMs) * stepMs;
  const steps = Math.ceil((to - start) / stepMs);
  const byStep = new Map(answer.minutes.map((minute) => [Math.floor((minute.at - start) / stepMs), minute]));
  const values = (of: (minute: BooksAnswer["minutes"][number]) => number): readonly number[] =>
    Array.from({ length: steps }, (_, index) => {
      const minute = byStep.get(index);
      return minute === undefined ? 0 : (of(minute) * 1000) / stepMs;
    });
  const shared = {
    from,
    to,
    stepMs,
    rightPx: AXIS_WORDS_PX,
    format: (value: number) => figures(value),
    onZoom: zoomTo,
  };
  return (
    <CrosshairProvider>
      <div className={styles.charts}>
        <div>
          <p>
            <b>Events/s</b> produced, without those left out on purpose
          </p>
          <TimeSeries
            {...shared}
            label="Events a second"
            height={56}
            series={[
              {
                name: "events/s",
                color: "allowed",
                filled: true,
                values: values((minute) => minute.produced - minute.filtered),
              },
            ]}
          />
        </div>
        <div>
          <p>
            <b>Not seen/s</b> lost, shed, quarantined
          </p>
          <TimeSeries
            {...shared}
            axis
            label="Events a second that were not seen"
            height={40}
            series={[
              { name: "lost/s", color: "denied", filled: true, values: values((minute) => minute.lost) },
              { name: "shed/s", color: "degraded", dash: "dashed", values: values((minute) => minute.shed) },
              {
                name: "quarantined/s",
                color: "text-2",
                dash: "dotted",
                values: values((minute) => minute.quarantined),
              },
            ]}
          />
        </div>
      </div>
    </CrosshairProvider>
  );
}

/** The answer's steps are whole minutes; their length is the least distance of two. */
function stepOf(answer: BooksAnswer): number {
  const times = answer.minutes.map((minute) => minute.at);
  const gaps = times.slice(1).map((at, index) => at - times[index]!);
  return gaps.length === 0 ? MINUTE_MS : Math.max(MINUTE_MS, Math.min(...gaps));
}
