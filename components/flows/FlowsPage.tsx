"use client";

import { Columns3 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Suspense, useCallback, useMemo } from "react";
import type { Flow } from "../../model/flow.ts";
import type { TimelineAnswer } from "../../model/wire/answers/map.ts";
import { PageHead } from "../frame/PageHead.tsx";
import { useNarrow } from "../frame/use-narrow.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { Table } from "../parts/Table.tsx";
import { useFlowsOverTime, useNamedFlow, useWhichFlows } from "../questions/use-which-flows.ts";
import { flowColumns, narrowFlowColumns, type FlowColumn } from "./columns.tsx";
import { ConnectionPanel } from "./ConnectionPanel.tsx";
import { FlowsHistogram } from "./FlowsHistogram.tsx";
import styles from "./Flows.module.css";
import { outcomeTone } from "./outcome.ts";
import { foldTwins, mergeRows, rowName } from "./rows.ts";
import { useFlowsState, type FlowsState } from "./use-flows-state.ts";
import { useLiveTail } from "./use-live-tail.ts";

/** Single reports: live ones as they happen on top of the recorded ones, newest first. */
export function FlowsPage() {
  return (
    <Suspense>
      <Flows />
    </Suspense>
  );
}

function Flows() {
  const state = useFlowsState();
  const range = useViewRange();
  const { live } = useUrlState();
  // Live rows come by ws; history is read once up to when the tail began and then stays.
  const tail = useLiveTail(range.to);
  // Without a stream the history itself follows the clock.
  const streaming = live && tail.state === "open" && tail.problem === undefined;
  const historyTo = streaming || tail.flows.length > 0 ? Math.max(tail.sinceMs, range.from + 1) : range.to;
  const answer = useWhichFlows(Math.floor(historyTo / 1000) * 1000 + 1000);
  const { rows, bothEnds } = useMemo(
    () => foldTwins(mergeRows(tail.flows, answer.data?.pages.flatMap((page) => page.flows) ?? [])),
    [tail.flows, answer.data],
  );
  const columns = useMemo(() => flowColumns(state.ends, bothEnds), [state.ends, bothEnds]);
  const narrow = useNarrow(700);
  const shown = useMemo(() => chosenColumns(columns, state.columns, narrow), [columns, state.columns, narrow]);
  const listed = rows.find((flow) => rowName(flow) === state.row);
  // A copied link may name a row that is not on this page, or the other end's report of one that is.
  const named = useNamedFlow(listed === undefined ? state.row : undefined);
  const selected = listed ?? named.flow;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = answer;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const setRow = state.setRow;
  const select = useCallback(
    (flow: Flow | undefined) => setRow(flow === undefined ? undefined : rowName(flow)),
    [setRow],
  );
  const overTime = useFlowsOverTime();
  const trouble = rows.filter((flow) => outcomeTone(flow) === "denied").length;
  const place = listed === undefined ? -1 : rows.indexOf(listed);
  const step = (by: number): void => {
    const next = rows[place + by];
    if (next !== undefined) select(next);
  };
  return (
    <>
      <PageHead
        title="Flows"
        totals={
          rows.length === 0
            ? undefined
            : `${totalWords(overTime.data)}${count(rows.length)} shown${hasNextPage ? ", more below" : ""}, ${count(trouble)} in trouble · newest first`
        }
      >
        <Segmented
          label="Show ends by"
          value={state.ends}
          onChange={state.setEnds}
          options={[
            { value: "names", label: "Names" },
            { value: "addresses", label: "Addresses" },
          ]}
        />
        <ColumnMenu columns={columns} shown={shown} state={state} />
      </PageHead>
      <div className={styles.columns}>
        <div className={styles.main}>
          <FlowsHistogram />
          {live ? <TailNote missed={tail.missed} problem={tail.problem} /> : null}
          {state.row !== undefined && named.isMissing ? (
            <p className={styles.note}>
              The row that this link names is not in the store: it is older than what is kept, or of another store.
            </p>
          ) : null}
          {rows.length === 0 ? (
            <AnswerNote answer={answer} of="flows" />
          ) : (
            <Table
              label="Flows, newest first"
              columns={shown}
              rows={rows}
              rowKey={rowName}
              selected={listed === undefined ? undefined : rowName(listed)}
              onSelect={select}
              rowHeight={narrow ? 53 : 28}
              onEnd={more}
              foot={
                isFetchingNextPage
                  ? "Reading older flows"
                  : hasNextPage
                    ? "More below"
                    : `All ${count(rows.length)} of the range are shown`
              }
            />
          )}
        </div>
        {selected === undefined ? null : (
          <ConnectionPanel
            flow={selected}
            place={
              listed === undefined ? undefined : `${count(place + 1)} of ${count(rows.length)}${hasNextPage ? "+" : ""}`
            }
            onStep={step}
            onClose={() => select(undefined)}
          />
        )}
      </div>
    </>
  );
}

/** `159,690 connections, 1,653 failed · ` of the whole range, which the rows are only the newest part of. */
function totalWords(answer: TimelineAnswer | undefined): string {
  if (answer === undefined) return "";
  const opened = answer.points.reduce((sum, point) => sum + point.opened, 0);
  const failed = answer.points.reduce((sum, point) => sum + point.failed, 0);
  return `${count(opened + failed)} connections, ${count(failed)} failed · `;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
}

const NARROW_COLUMNS = narrowFlowColumns({ two: styles.two });

function chosenColumns(
  columns: readonly FlowColumn[],
  chosen: readonly string[] | undefined,
  narrow: boolean,
): readonly FlowColumn[] {
  if (narrow) return NARROW_COLUMNS;
  return columns.filter((column) => (chosen === undefined ? column.first : chosen.includes(column.id)));
}

function ColumnMenu({
  columns,
  shown,
  state,
}: {
  readonly columns: readonly FlowColumn[];
  readonly shown: readonly FlowColumn[];
  readonly state: FlowsState;
}) {
  const on = new Set(shown.map((column) => column.id));
  const toggle = (id: string): void => {
    const next = columns
      .filter((column) => (column.id === id ? !on.has(id) : on.has(column.id)))
      .map((column) => column.id);
    state.setColumns(next);
  };
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button className={styles.wideOnly ?? ""}>
          <Columns3 size={14} aria-hidden="true" /> {shown.length} of {columns.length} columns
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={styles.menu} align="end" sideOffset={4}>
          {columns.map((column) => (
            <DropdownMenu.CheckboxItem
              key={column.id}
              className={styles.menuItem}
              checked={on.has(column.id)}
              onCheckedChange={() => toggle(column.id)}
              onSelect={(event) => event.preventDefault()}
            >
              <span className={styles.check} aria-hidden="true">
                {on.has(column.id) ? "✓" : ""}
              </span>
              {column.title === "" ? "State" : column.title}
            </DropdownMenu.CheckboxItem>
          ))}
          <DropdownMenu.Item className={styles.menuItem} onSelect={() => state.setColumns(undefined)}>
            <span className={styles.check} />
            The usual ones
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** What the live stream left out, and why: loss is in sight. */
function TailNote({ missed, problem }: { readonly missed: number; readonly problem: string | undefined }) {
  if (problem !== undefined) return <p className={styles.note}>{capital(problem)}.</p>;
  if (missed === 0) return null;
  return (
    <p className={styles.note}>
      {count(missed)} live flows came faster than this page could show; they are in the history.
    </p>
  );
}
