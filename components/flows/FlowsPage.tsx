"use client";

import { Columns3 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { Flow } from "../../model/flow.ts";
import { PageHead } from "../frame/PageHead.tsx";
import { useNarrow } from "../frame/use-narrow.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { Table } from "../parts/Table.tsx";
import { useWhichFlows } from "../questions/use-which-flows.ts";
import { flowColumns, type FlowColumn } from "./columns.tsx";
import { ConnectionPanel } from "./ConnectionPanel.tsx";
import { FlowsHistogram } from "./FlowsHistogram.tsx";
import styles from "./Flows.module.css";
import { outcomeTone } from "./outcome.ts";
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
  const historyTo = live || tail.flows.length > 0 ? Math.max(tail.sinceMs, range.from + 1) : range.to;
  const answer = useWhichFlows(Math.floor(historyTo / 1000) * 1000 + 1000);
  const rows = useMemo(
    () => mergeRows(tail.flows, answer.data?.pages.flatMap((page) => page.flows) ?? []),
    [tail.flows, answer.data],
  );
  const columns = useMemo(() => flowColumns(state.ends), [state.ends]);
  const narrow = useNarrow(700);
  const shown = useMemo(() => chosenColumns(columns, state.columns, narrow), [columns, state.columns, narrow]);
  const selected = rows.find((flow) => rowName(flow) === state.row);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = answer;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const setRow = state.setRow;
  const select = useCallback(
    (flow: Flow | undefined) => setRow(flow === undefined ? undefined : rowName(flow)),
    [setRow],
  );
  const trouble = rows.filter((flow) => outcomeTone(flow) === "denied").length;
  const place = selected === undefined ? -1 : rows.indexOf(selected);
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
            : `${count(rows.length)}${hasNextPage ? " read, more below" : ""} · ${count(trouble)} in trouble · newest first`
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
          <TailNote missed={tail.missed} problem={tail.problem} />
          {rows.length === 0 ? (
            <AnswerNote answer={answer} of="flows" />
          ) : (
            <Table
              label="Flows, newest first"
              columns={shown}
              rows={rows}
              rowKey={rowName}
              selected={selected === undefined ? undefined : rowName(selected)}
              onSelect={select}
              rowHeight={narrow ? 40 : 28}
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
            place={`${count(place + 1)} of ${count(rows.length)}${hasNextPage ? "+" : ""}`}
            onStep={step}
            onClose={() => select(undefined)}
          />
        )}
      </div>
    </>
  );
}

/** A row's name in the URL: its id, and its time, without which the store could not find it quickly. */
function rowName(flow: Flow): string {
  return flow.rowId;
}

/** Live rows on top; one that the store has delivered too is shown once. */
function mergeRows(live: readonly Flow[], stored: readonly Flow[]): readonly Flow[] {
  if (live.length === 0) return stored;
  const seen = new Set(live.map((flow) => flow.rowId));
  return [...live, ...stored.filter((flow) => !seen.has(flow.rowId))];
}

function chosenColumns(
  columns: readonly FlowColumn[],
  chosen: readonly string[] | undefined,
  narrow: boolean,
): readonly FlowColumn[] {
  if (narrow) return columns.filter((column) => ["state", "source", "destination", "outcome"].includes(column.id));
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
  if (problem !== undefined) return <p className={styles.note}>The live stream refused: {problem}</p>;
  if (missed === 0) return null;
  return (
    <p className={styles.note}>
      {count(missed)} live flows came faster than this page could show; they are in the history.
    </p>
  );
}
