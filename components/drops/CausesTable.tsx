"use client";

import { useMemo } from "react";
import { protocolName } from "../../model/flow.ts";
import type { DropCauses } from "../../model/wire/answers/drops.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import type { MarkColor } from "../parts/colors.ts";
import { Swatch } from "../parts/Legend.tsx";
import { count } from "../parts/numbers.ts";
import { Sparkline } from "../parts/Sparkline.tsx";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { Answer } from "../questions/use-question.ts";
import { functionsOf, type CauseLine } from "./cause-lines.ts";
import styles from "./Drops.module.css";
import { isCompact, type TableSize } from "./table-size.ts";
import type { DropsState } from "./use-drops-state.ts";
import type { ReasonTexts } from "./use-reason-texts.ts";

interface Props {
  readonly answer: Answer<DropCauses>;
  readonly lines: readonly CauseLine[] | undefined;
  readonly colors: ReadonlyMap<string, MarkColor>;
  readonly texts: ReasonTexts | undefined;
  readonly state: DropsState;
  readonly size: TableSize;
  /** Packets in the time before, by key; undefined when not compared or still read. */
  readonly before: ReadonlyMap<string, number> | undefined;
}

/** Why packets were dropped and whose: a line for each reason on each edge. */
export function CausesTable({ answer, lines, colors, texts, state, size, before }: Props) {
  const columns = useMemo(
    () =>
      isCompact(size)
        ? compactColumns(colors, texts, size === "phone")
        : wideColumns(colors, texts, state.compare ? before : undefined, state.compare),
    [size, colors, texts, before, state.compare],
  );
  return (
    <section className={styles.section}>
      <header>
        <h2>Causes</h2>
        <p>
          reason and edge
          {lines === undefined ? "" : `, ${lines.length}${answer.data?.answered.truncated === true ? " and more" : ""}`}
          , most first
        </p>
      </header>
      {lines === undefined ? (
        <AnswerNote answer={answer} of="causes of drops" />
      ) : (
        <Table
          grow={false}
          label="Causes of drops"
          columns={columns}
          rows={lines}
          rowKey={keyOf}
          rowHeight={isCompact(size) ? 53 : 28}
          selected={state.selection?.kind === "cause" ? state.selection.key : undefined}
          onSelect={(line) => state.select(line === undefined ? undefined : { kind: "cause", key: line.key })}
          onOpen={(line) => state.select({ kind: "cause", key: line.key })}
        />
      )}
    </section>
  );
}

const keyOf = (line: CauseLine): string => line.key;

/** The name for screens: NOT_SPECIFIED is split by the function. */
export function shownReason(line: Pick<CauseLine, "reason" | "at">, texts: ReasonTexts | undefined): string {
  return line.at === "" || texts === undefined
    ? line.reason
    : texts.describeDrop({ reason: line.reason, location: line.at }).showAs;
}

function wideColumns(
  colors: ReadonlyMap<string, MarkColor>,
  texts: ReasonTexts | undefined,
  before: ReadonlyMap<string, number> | undefined,
  compared: boolean,
): readonly Column<CauseLine>[] {
  return [
    {
      id: "reason",
      title: "Reason",
      width: "minmax(134px, 0.9fr)",
      cell: (line) => (
        <span className={styles.reason}>
          <Swatch color={colors.get(line.reason) ?? "c6"} />
          <code title={texts?.describeDrop({ reason: line.reason, location: line.at }).title}>
            {shownReason(line, texts)}
          </code>
        </span>
      ),
      sortValue: (line) => line.reason,
    },
    {
      id: "edge",
      title: "From → to",
      width: "minmax(130px, 2.2fr)",
      cell: (line) => <EdgeName source={line.source} destination={line.destination} />,
      sortValue: (line) =>
        `${line.source.namespace}/${line.source.workload} ${line.destination.namespace}/${line.destination.workload}`,
    },
    {
      id: "port",
      title: "Port",
      width: "58px",
      numeric: true,
      cell: (line) => (
        <code title={protocolName(line.protocol)}>{line.port === 0 ? protocolName(line.protocol) : line.port}</code>
      ),
      sortValue: (line) => line.port,
    },
    {
      id: "drops",
      title: "Dropped",
      width: "70px",
      numeric: true,
      cell: (line) => <b>{count(line.drops)}</b>,
      sortValue: (line) => line.drops,
    },
    ...(compared ? [beforeColumn<CauseLine>((line) => before?.get(line.key), before !== undefined)] : []),
    {
      id: "spark",
      title: "Over time",
      width: "92px",
      cell: (line) => (
        <Sparkline values={line.spark} color={colors.get(line.reason) ?? "c6"} label="Packets in a part of the range" />
      ),
    },
    {
      id: "function",
      title: "Kernel function",
      width: "minmax(88px, 1fr)",
      cell: (line) => <Functions line={line} />,
      sortValue: (line) => functionsOf(line)[0] ?? "",
    },
  ];
}

/** What the same line counted in the time before; 0 is news, so it says so. */
export function beforeColumn<Row>(value: (row: Row) => number | undefined, known: boolean): Column<Row> {
  return {
    id: "before",
    title: "Before",
    width: "70px",
    numeric: true,
    cell: (row) => {
      const was = value(row);
      if (!known) return <span className="muted">…</span>;
      return was === undefined ? <span className="tone-fresh">new</span> : <span className="soft">{count(was)}</span>;
    },
    sortValue: (row) => value(row) ?? 0,
  };
}

function Functions({ line }: { readonly line: CauseLine }) {
  const [first, ...more] = functionsOf(line);
  if (first === undefined) return <span className="muted">not told</span>;
  return (
    <span className="soft" title={[first, ...more].join("\n")}>
      <code>{first}</code>
      {more.length === 0 ? null : ` +${more.length}`}
    </span>
  );
}

/** `cart → db`: the panel tells the namespaces. */
export function shortEdge(edge: Pick<CauseLine, "source" | "destination">): string {
  return `${edge.source.workload} → ${edge.destination.workload}`;
}

/** Two lines a row, as large as a finger. */
function compactColumns(
  colors: ReadonlyMap<string, MarkColor>,
  texts: ReasonTexts | undefined,
  short: boolean,
): readonly Column<CauseLine>[] {
  return [
    {
      id: "reason",
      title: "Reason, from → to",
      width: "minmax(0, 1fr)",
      cell: (line) => (
        <span className={styles.two}>
          <span className={styles.reason}>
            <Swatch color={colors.get(line.reason) ?? "c6"} />
            <code>{shownReason(line, texts)}</code>
          </span>
          <small>
            {short ? shortEdge(line) : <EdgeName source={line.source} destination={line.destination} />}{" "}
            {line.port === 0 ? "" : <code>:{line.port}</code>}
          </small>
        </span>
      ),
      sortValue: (line) => line.reason,
    },
    {
      id: "spark",
      title: "",
      width: "84px",
      cell: (line) => (
        <Sparkline
          width={64}
          values={line.spark}
          color={colors.get(line.reason) ?? "c6"}
          label="Packets in a part of the range"
        />
      ),
    },
    {
      id: "drops",
      title: "Dropped",
      width: "72px",
      numeric: true,
      cell: (line) => <b>{count(line.drops)}</b>,
      sortValue: (line) => line.drops,
    },
  ];
}
