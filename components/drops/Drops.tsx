"use client";

import { useMemo, useState } from "react";
import { useUrlState } from "../frame/use-url-state.ts";
import { PageHead } from "../frame/PageHead.tsx";
import { useViewRange } from "../frame/view-range.tsx";
import { AnswerNote, Note } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
import { useWidth } from "../parts/chart-frame.tsx";
import { count, duration, perSecond } from "../parts/numbers.ts";
import { Switch } from "../parts/Switch.tsx";
import {
  useWhatDropped,
  useWhatFailed,
  useWhatWasBefore,
  useWhenDropped,
  useWhyDropped,
} from "../questions/use-why-dropped.ts";
import { causeLines, failureKey } from "./cause-lines.ts";
import { CausesTable } from "./CausesTable.tsx";
import styles from "./Drops.module.css";
import { DropsChart } from "./DropsChart.tsx";
import { DropsPanel } from "./DropsPanel.tsx";
import { Facets } from "./Facets.tsx";
import { FailuresTable } from "./FailuresTable.tsx";
import { isChosen, toggleTerm } from "./filter-terms.ts";
import { tableSize } from "./table-size.ts";
import { useDropsState } from "./use-drops-state.ts";
import { useNarrow } from "../frame/use-narrow.ts";
import { useReasonTexts } from "./use-reason-texts.ts";
import { useStableColors } from "./use-stable-colors.ts";

/** Chart, facets and tables of what was dropped and what failed, with the panel of what is selected. */
export function Drops() {
  const state = useDropsState();
  const { filter, q, scope, setFilter } = useUrlState();
  const range = useViewRange();
  const facets = useWhatDropped(state.noise);
  const series = useWhenDropped(state.by, state.noise);
  const causes = useWhyDropped(state.noise);
  const failures = useWhatFailed();
  const before = useWhatWasBefore(state.noise, state.compare);
  const texts = useReasonTexts();
  const colors = useStableColors(facets.data?.reason.map((value) => value.label));
  const phone = useNarrow(700);
  const [middle, width] = useWidth();
  const lines = useMemo(() => (causes.data === undefined ? undefined : causeLines(causes.data.causes)), [causes.data]);
  const failed = failures.data?.failures;
  const earlier = useMemo(() => {
    if (!state.compare) return undefined;
    return {
      causes:
        before.causes.data === undefined
          ? undefined
          : new Map(causeLines(before.causes.data.causes).map((line) => [line.key, line.drops])),
      failures:
        before.failures.data === undefined
          ? undefined
          : new Map(before.failures.data.failures.map((edge) => [failureKey(edge), edge.failed])),
      drops: before.causes.data?.causes.reduce((sum, cause) => sum + cause.drops, 0),
    };
  }, [state.compare, before.causes.data, before.failures.data]);

  const asked = `${q} ${scope.join(",")} ${state.noise}`;
  const [answered, setAnswered] = useState(asked);
  if (!facets.isPlaceholderData && answered !== asked) setAnswered(asked);
  const stale = facets.isPlaceholderData && answered !== asked; // numbers of the filter before; a live range that moves on is no news

  const total = facets.data?.total ?? 0;
  const hidden = facets.data?.hidden.reduce((sum, kind) => sum + kind.drops, 0) ?? 0;
  const empty = facets.data !== undefined && failures.data !== undefined && total === 0 && failures.data.total === 0;
  const size = phone ? "phone" : tableSize(width);
  const chosenReason = facets.data?.reason.filter((value) => isChosen(filter, value.term));
  const selectedReason =
    state.selection?.kind === "reason"
      ? state.selection.reason
      : state.selection?.kind === "cause"
        ? lines?.find((line) => line.key === (state.selection as { key: string }).key)?.reason
        : undefined;

  const pickReason = (reason: string, term: string): void => {
    const on = isChosen(filter, term);
    setFilter(toggleTerm(q, term));
    state.select(on ? undefined : { kind: "reason", reason });
  };

  return (
    <>
      <PageHead
        title="Drops"
        totals={
          facets.data === undefined ? undefined : stale ? (
            "Reading with the new filter"
          ) : (
            <Totals
              total={total}
              seconds={(facets.data.answered.to - facets.data.answered.from) / 1000}
              reasons={chosenReason?.length || facets.data.reason.length}
              failed={failures.data?.total ?? 0}
              before={earlier?.drops}
            />
          )
        }
      >
        {hidden > 0 || state.noise ? (
          <Switch checked={state.noise} onChange={state.setNoise}>
            <span title={facets.data?.hidden.map((kind) => `${kind.title}: ${count(kind.drops)}`).join("\n")}>
              {state.noise
                ? phone
                  ? "With normal"
                  : `${count(hidden)} normal ones shown`
                : phone
                  ? `${count(hidden)} hidden`
                  : `${count(hidden)} hidden as normal`}
            </span>
          </Switch>
        ) : null}
        {phone ? null : (
          <Switch checked={state.compare} onChange={state.setCompare}>
            Compare with the {duration(range.lengthMs * 1000).replace(/ 0 (s|min|h)$/, "")} before
          </Switch>
        )}
      </PageHead>
      <div className={styles.columns} data-panel={state.selection !== undefined}>
        {facets.data === undefined || phone || empty ? null : (
          <Facets facets={facets.data} colors={colors} selectedReason={selectedReason} onReason={pickReason} />
        )}
        <div ref={middle} className={styles.main} data-stale={stale} aria-busy={stale}>
          {facets.data === undefined || (failures.data === undefined && total === 0) ? (
            <AnswerNote answer={facets.data === undefined ? facets : failures} of="dropped packets" />
          ) : empty ? (
            <NothingDropped hidden={hidden} answer={facets} onShow={() => state.setNoise(true)} />
          ) : (
            <>
              {total === 0 ? null : (
                <DropsChart
                  answer={series}
                  state={state}
                  colors={colors}
                  selected={selectedReason}
                  narrow={size !== "wide"}
                  phone={phone}
                />
              )}
              {phone ? (
                <Facets
                  facets={facets.data}
                  colors={colors}
                  selectedReason={selectedReason}
                  onReason={pickReason}
                  phone
                />
              ) : null}
              {total === 0 ? null : (
                <CausesTable
                  answer={causes}
                  lines={lines}
                  colors={colors}
                  texts={texts}
                  state={state}
                  size={size}
                  before={earlier?.causes}
                />
              )}
              <FailuresTable
                answer={failures}
                texts={texts}
                state={state}
                size={size}
                before={earlier?.failures}
                colors={colors}
              />
            </>
          )}
        </div>
        <DropsPanel
          state={state}
          lines={lines}
          failures={failed}
          texts={texts}
          total={total}
          facets={facets.data}
          colors={colors}
        />
      </div>
    </>
  );
}

/** `10,980 packets · 12.2/s · 6 reasons · 1,859 failed connections` */
function Totals({
  total,
  seconds,
  reasons,
  failed,
  before,
}: {
  readonly total: number;
  readonly seconds: number;
  readonly reasons: number;
  readonly failed: number;
  readonly before: number | undefined;
}) {
  const parts = [
    `${count(total)} ${total === 1 ? "packet" : "packets"}`,
    ...(before === undefined ? [] : [`${count(before)} before`]),
    perSecond(total / Math.max(1, seconds)),
    `${count(reasons)} ${reasons === 1 ? "reason" : "reasons"}`,
    `${count(failed)} failed ${failed === 1 ? "connection" : "connections"}`,
  ];
  return <>{parts.join(" · ")}</>;
}

function NothingDropped({
  hidden,
  answer,
  onShow,
}: {
  readonly hidden: number;
  readonly answer: Parameters<typeof AnswerNote>[0]["answer"];
  onShow(): void;
}) {
  const { q, scope } = useUrlState();
  if (hidden > 0)
    return (
      <Note title="Only normal drops in this range" actions={<Button onClick={onShow}>Show them</Button>}>
        {count(hidden)} {hidden === 1 ? "packet was" : "packets were"} discarded as it should be, such as copies and
        late duplicates. Nothing else was dropped, and no connection failed.
      </Note>
    );
  if (q !== "" || scope.length > 0) return <AnswerNote answer={answer} of="dropped packet or failed connection" />;
  return (
    <AnswerNote
      answer={answer}
      of="dropped packet"
      empty={{
        kind: "nothing-happened",
        text: "Collectors reported, and in this time no packet was dropped and no connection failed.",
      }}
    />
  );
}
