"use client";

import { useMemo } from "react";
import { protocolName } from "../../model/flow.ts";
import type { FailedEdge, FailuresAnswer } from "../../model/wire/answers/drops.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import type { MarkColor } from "../parts/colors.ts";
import { Swatch } from "../parts/Legend.tsx";
import { count, duration } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { Answer } from "../questions/use-question.ts";
import { failureKey } from "./cause-lines.ts";
import { beforeColumn, shortEdge } from "./CausesTable.tsx";
import styles from "./Drops.module.css";
import { isCompact, type TableSize } from "./table-size.ts";
import type { DropsState } from "./use-drops-state.ts";
import type { ReasonTexts } from "./use-reason-texts.ts";

interface Props {
  readonly answer: Answer<FailuresAnswer>;
  readonly texts: ReasonTexts | undefined;
  readonly state: DropsState;
  readonly size: TableSize;
  readonly colors: ReadonlyMap<string, MarkColor>;
  readonly before: ReadonlyMap<string, number> | undefined;
}

/** Failed attempts by the error that the program got, with the drops that joined them. */
export function FailuresTable({ answer, texts, state, size, colors, before }: Props) {
  const columns = useMemo(
    () =>
      isCompact(size)
        ? compactColumns(texts, size === "phone")
        : wideColumns(texts, colors, size === "wide", before, state.compare),
    [size, texts, colors, before, state.compare],
  );
  const { data } = answer;
  return (
    <section className={styles.section}>
      <header>
        <h2>Failed connections</h2>
        <p>
          {data === undefined
            ? ""
            : data.failures.length === 0
              ? "none that fits"
              : `${count(data.total)}, by error that the program got`}
        </p>
      </header>
      {data === undefined ? (
        <AnswerNote answer={answer} of="failed connections" />
      ) : data.failures.length === 0 ? (
        <p className={styles.none}>
          No attempt of a program failed here in this range. Packets can be dropped all the same: TCP sends them again.
        </p>
      ) : (
        <Table
          grow={false}
          label="Failed connections"
          columns={columns}
          rows={data.failures}
          rowKey={failureKey}
          rowHeight={isCompact(size) ? 53 : 28}
          selected={state.selection?.kind === "failure" ? state.selection.key : undefined}
          onSelect={(edge) => state.select(edge === undefined ? undefined : { kind: "failure", key: failureKey(edge) })}
          onOpen={(edge) => state.select({ kind: "failure", key: failureKey(edge) })}
          foot={data.answered.truncated ? "There are more: narrow the filter to see the others." : undefined}
        />
      )}
    </section>
  );
}

function wideColumns(
  texts: ReasonTexts | undefined,
  colors: ReadonlyMap<string, MarkColor>,
  wide: boolean,
  before: ReadonlyMap<string, number> | undefined,
  compared: boolean,
): readonly Column<FailedEdge>[] {
  return [
    {
      id: "error",
      title: "Error",
      width: "108px",
      cell: (edge) => (edge.reason === "" ? <span className="muted">not told</span> : <code>{edge.reason}</code>),
      sortValue: (edge) => edge.reason,
    },
    {
      id: "words",
      title: "In words, and why",
      width: "minmax(130px, 1.6fr)",
      cell: (edge) => <Why edge={edge} texts={texts} colors={colors} wide={wide} />,
    },
    {
      id: "edge",
      title: "From → to",
      width: "minmax(130px, 1.2fr)",
      cell: (edge) => <EdgeName source={edge.source} destination={edge.destination} />,
      sortValue: (edge) =>
        `${edge.source.namespace}/${edge.source.workload} ${edge.destination.namespace}/${edge.destination.workload}`,
    },
    ...(wide
      ? [
          {
            id: "port",
            title: "Port",
            width: "64px",
            numeric: true,
            cell: (edge: FailedEdge) => <code title={protocolName(edge.protocol)}>{edge.port}</code>,
            sortValue: (edge: FailedEdge) => edge.port,
          },
        ]
      : []),
    {
      id: "count",
      title: "Count",
      width: "62px",
      numeric: true,
      cell: (edge) => (
        <b title={`${count(edge.failed)} of ${count(edge.failed + edge.opened)} attempts`}>{count(edge.failed)}</b>
      ),
      sortValue: (edge) => edge.failed,
    },
    ...(compared ? [beforeColumn<FailedEdge>((edge) => before?.get(failureKey(edge)), before !== undefined)] : []),
    {
      id: "wait",
      title: "Median wait",
      width: "84px",
      numeric: true,
      cell: (edge) => (edge.medianWaitUs === null ? "–" : duration(edge.medianWaitUs)),
      sortValue: (edge) => edge.medianWaitUs ?? -1,
    },
  ];
}

/** `timed out, no answer · because NETFILTER_DROP` */
function Why({
  edge,
  texts,
  colors,
  wide,
}: {
  readonly edge: FailedEdge;
  readonly texts: ReasonTexts | undefined;
  readonly colors: ReadonlyMap<string, MarkColor>;
  readonly wide: boolean;
}) {
  if (texts === undefined) return <span className="muted">…</span>;
  const { how, cause, because } = texts.explainEdge(edge);
  const words = texts.describeErrno(edge.reason).inWords;
  return (
    <span
      className={styles.why}
      title={cause === undefined ? words : `${words}, ${how} ${cause.reason} at ${cause.location}`}
    >
      {words}
      {cause === undefined ? null : (
        <>
          <span className="muted">{wide || !because ? ` ${how} ` : " "}</span>
          <Swatch color={colors.get(cause.reason) ?? "c6"} />
          <code>{cause.reason}</code>
        </>
      )}
    </span>
  );
}

function compactColumns(texts: ReasonTexts | undefined, short: boolean): readonly Column<FailedEdge>[] {
  return [
    {
      id: "edge",
      title: "From → to, why",
      width: "minmax(0, 1fr)",
      cell: (edge) => {
        const why = texts?.explainEdge(edge);
        return (
          <span className={styles.two}>
            <span>
              {short ? shortEdge(edge) : <EdgeName source={edge.source} destination={edge.destination} />}{" "}
              <code className="muted">:{edge.port}</code>
            </span>
            <small>
              {texts?.describeErrno(edge.reason).inWords ?? edge.reason}
              {why?.cause === undefined ? "" : `, ${why.how} ${why.cause.reason}`}
            </small>
          </span>
        );
      },
      sortValue: (edge) => edge.reason,
    },
    {
      id: "count",
      title: "Count",
      width: "84px",
      numeric: true,
      cell: (edge) => (
        <span className={styles.two}>
          <b>{count(edge.failed)}</b>
          <small>{edge.medianWaitUs === null ? "" : duration(edge.medianWaitUs)}</small>
        </span>
      ),
      sortValue: (edge) => edge.failed,
    },
  ];
}
