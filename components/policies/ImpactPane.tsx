"use client";

import { Minus, Plus } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { AnswerNote, Note } from "../parts/AnswerNote.tsx";
import { Badge } from "../parts/Badge.tsx";
import { Button } from "../parts/Button.tsx";
import { ago, clockSeconds, count, rangeWords, share } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { EditRequest, Explained, FlowRow, Judged, Loaded } from "./answers.ts";
import { ImpactMap } from "./ImpactMap.tsx";
import styles from "./Policies.module.css";

interface Props {
  readonly change: WhatWouldChange;
  readonly loaded: Loaded;
  readonly selectedRow: FlowRow | undefined;
  readonly explained: Explained | undefined;
  /** Edges that are lit: of the row, or all of the line. */
  readonly lit: readonly string[];
  readonly edge: string | undefined;
  readonly narrow: boolean;
  /** Names of the files that are judged. */
  readonly files: readonly string[];
  onRow(row: FlowRow | undefined): void;
  onEdge(key: string | undefined): void;
  onEdit(request: EditRequest): void;
}

/** What the texts would change: in numbers, on the map, flow by flow. */
export function ImpactPane(props: Props) {
  const { change, loaded, narrow } = props;
  const { judged } = change;
  if (judged === undefined)
    return (
      <section className={styles.impact} aria-label="Impact">
        {change.failure === undefined ? (
          <p className={styles.loading}>
            {change.problems.length > 0 ? "No answer yet: the text has an error." : "Judging"}
          </p>
        ) : (
          <Note tone="denied" title="The policies could not be judged">
            {change.failure}
          </Note>
        )}
      </section>
    );
  return (
    <section
      className={styles.impact}
      aria-label="Impact"
      data-stale={change.stale !== undefined}
      data-at={change.at}
      data-busy={change.busy}
    >
      <Numbers judged={judged} />
      <p className={styles.basis}>
        <Rests loaded={loaded} judged={judged} />
        <Stale change={change} />
        {narrow ? (
          <span className={styles.narrowNote}>
            {props.files.length === 0 ? "No file of policies in this browser." : `Judged: ${props.files.join(", ")}.`}{" "}
            Texts are written on a wider screen.
          </span>
        ) : null}
      </p>
      {narrow ? null : (
        <ImpactMap loaded={loaded} judged={judged} lit={props.lit} edge={props.edge} onEdge={props.onEdge} />
      )}
      <Flows {...props} judged={judged} />
    </section>
  );
}

function Numbers({ judged }: { readonly judged: Judged }) {
  const { counts } = judged;
  const idle = Object.values(judged.lines)
    .flat()
    .filter((use) => use.state !== "decides").length;
  return (
    <div className={styles.numbers}>
      <Figure
        tone="tone-denied"
        icon={<Minus size={13} aria-hidden="true" />}
        title="Newly denied"
        of={counts["newly-denied"]}
      />
      <Figure
        tone="tone-will-allow"
        icon={<Plus size={13} aria-hidden="true" />}
        title="Newly allowed"
        of={counts["newly-allowed"]}
      />
      <Figure
        tone=""
        title="Unchanged"
        of={{
          tuples: counts["still-allowed"].tuples + counts["still-denied"].tuples,
          connections: counts["still-allowed"].connections + counts["still-denied"].connections,
        }}
        note={[
          counts["still-denied"].connections === 0
            ? ""
            : `${count(counts["still-denied"].connections)} denied before and after`,
          idle === 0 ? "" : `${count(idle)} ${idle === 1 ? "rule" : "rules"} nothing needs`,
        ]
          .filter((part) => part !== "")
          .join(", ")}
      />
    </div>
  );
}

function Figure({
  tone,
  icon,
  title,
  of,
  note,
}: {
  readonly tone: string;
  readonly icon?: ReactNode;
  readonly title: string;
  readonly of: { readonly tuples: number; readonly connections: number };
  readonly note?: string;
}) {
  return (
    <div>
      <h3 className={tone}>
        {icon}
        {title}
      </h3>
      <p className={styles.big}>
        <b>{count(of.tuples)}</b> {of.tuples === 1 ? "flow" : "flows"}
      </p>
      <p>
        {note === undefined || note === ""
          ? `${count(of.connections)} ${of.connections === 1 ? "connection" : "connections"}`
          : note}
      </p>
    </div>
  );
}

/** What the answer rests on, in one line. */
function Rests({ loaded, judged }: { readonly loaded: Loaded; readonly judged: Judged }) {
  const { basis } = loaded;
  const loss =
    basis.lostShare === undefined
      ? "how many events were lost is not known"
      : `${share(1 - basis.lostShare, 1)} of events were seen`;
  return (
    <>
      Answered from{" "}
      <b>
        {count(basis.tuples)} recorded flows in {Math.max(1, Math.round(judged.ms))} ms
      </b>
      , {rangeWords(basis.from, basis.to, basis.to)}, {count(basis.connections)} connections.{" "}
      {basis.unknownShare === 0
        ? "Every end is known"
        : `${share(basis.unknownShare, 1)} of connections have an unknown end`}
      ; {loss}.{loaded.truncated ? " There is more traffic than is judged: the least frequent flows are left out." : ""}
      {judged.disagreements > 0
        ? ` ${count(judged.disagreements)} ${judged.disagreements === 1 ? "flow was" : "flows were"} recorded otherwise than what is in force here says.`
        : ""}
    </>
  );
}

function Stale({ change }: { readonly change: WhatWouldChange }) {
  if (change.stale === undefined) return null;
  const error = change.problems.find((problem) => problem.severity === "error");
  return (
    <strong className={`tone-degraded ${styles.stale}`} role="status">
      Answer of {clockSeconds(change.at)},{" "}
      {error === undefined
        ? (change.failure ?? "before the last change")
        : `before the error on line ${error.line}${error.file === "" ? "" : ` of ${error.file}`}`}
      .
    </strong>
  );
}

type List = "changed" | "unchanged" | "unjudged";

function Flows({
  judged,
  selectedRow,
  explained,
  lit,
  onRow,
  onEdit,
  change,
  narrow,
  loaded,
}: Props & { readonly judged: Judged }) {
  const [list, setList] = useState<List>("changed");
  const all = judged[list];
  // A chosen line or edge narrows the table to its flows; a chosen row does not hide its neighbours.
  const rows = useMemo(() => {
    if (selectedRow !== undefined || lit.length === 0) return all;
    const keys = new Set(lit);
    return all.filter((row) => keys.has(row.edge));
  }, [all, lit, selectedRow]);
  const total = judged.totals[list];
  return (
    <div className={styles.flows}>
      <header>
        <h2>
          {list === "changed"
            ? "Changed flows"
            : list === "unchanged"
              ? "Unchanged flows"
              : "Flows with an unknown end"}
        </h2>
        <span>
          {rows.length === all.length
            ? `${count(total)}${total > all.length ? `, ${count(all.length)} shown` : ""}`
            : `${count(rows.length)} of the selection`}
        </span>
        <Segmented
          label="Flows"
          value={list}
          onChange={(value) => setList(value as List)}
          options={[
            { value: "changed", label: `Changed ${count(judged.totals.changed)}` },
            { value: "unchanged", label: "Unchanged" },
            { value: "unjudged", label: "Unknown end" },
          ]}
        />
      </header>
      {rows.length === 0 ? (
        <p className={styles.none}>{NONE[list]}</p>
      ) : (
        <Table
          label="Flows"
          columns={columns(loaded.basis.to, narrow)}
          rows={rows}
          rowKey={rowKey}
          selected={selectedRow === undefined ? undefined : rowKey(selectedRow)}
          onSelect={onRow}
          rowHeight={narrow ? 53 : 28}
        />
      )}
      {selectedRow === undefined ? null : (
        <Why row={selectedRow} explained={explained} onEdit={onEdit} disabled={change.stale !== undefined} />
      )}
    </div>
  );
}

const NONE: Readonly<Record<List, string>> = {
  changed: "No flow of the range would change.",
  unchanged: "Every flow of the range would change.",
  unjudged: "Both ends of every flow are known.",
};

function rowKey(row: FlowRow): string {
  return String(row.row);
}

function columns(now: number, narrow: boolean): readonly Column<FlowRow>[] {
  const verdict: Column<FlowRow> = {
    id: "verdict",
    title: "Verdict",
    width: "116px",
    cell: (row) => <Verdict row={row} />,
    sortValue: (row) => row.change,
  };
  const ends: Column<FlowRow> = {
    id: "ends",
    title: "From → to",
    width: "minmax(120px, 1fr)",
    cell: (row) => <EdgeName source={row.source} destination={row.destination} />,
    sortValue: (row) => row.edge,
  };
  const conns: Column<FlowRow> = {
    id: "conns",
    title: "Conns",
    width: "58px",
    numeric: true,
    cell: (row) => <b>{count(row.connections)}</b>,
    sortValue: (row) => row.connections,
  };
  if (narrow) return [verdict, ends, conns];
  return [
    verdict,
    ends,
    {
      id: "port",
      title: "Port",
      width: "58px",
      numeric: true,
      cell: (row) => <code>{row.port.replace(/^TCP /, "")}</code>,
      sortValue: (row) => row.port,
    },
    conns,
    {
      id: "seen",
      title: "Last seen",
      width: "82px",
      cell: (row) => ago(row.lastSeen, now),
      sortValue: (row) => row.lastSeen,
    },
    {
      id: "by",
      title: "Decided by",
      width: "102px",
      cell: (row) => <DecidedBy row={row} />,
      sortValue: (row) => row.by?.line ?? 0,
    },
  ];
}

function Verdict({ row }: { readonly row: FlowRow }) {
  switch (row.change) {
    case "newly-denied":
      return (
        <Badge tone="denied" icon={Minus}>
          newly denied
        </Badge>
      );
    case "newly-allowed":
      return <Badge tone="will-allow">newly allowed</Badge>;
    case "still-denied":
      return <Badge tone="denied">denied</Badge>;
    case "still-allowed":
      return <Badge tone="allowed">{row.needsL7 ? "needs layer 7" : "allowed"}</Badge>;
  }
}

function DecidedBy({ row }: { readonly row: FlowRow }) {
  if (row.by === undefined) return <span className="muted">no policy</span>;
  return (
    <span title={row.by.file}>
      line <b>{row.by.line}</b>
      {row.by.isDefault ? ", default" : ""}
    </span>
  );
}

/** Why the chosen flow is judged so, and what one can do. */
function Why({
  row,
  explained,
  onEdit,
  disabled,
}: {
  readonly row: FlowRow;
  readonly explained: Explained | undefined;
  readonly disabled: boolean;
  onEdit(request: EditRequest): void;
}) {
  const denied = row.change === "newly-denied" || row.change === "still-denied";
  const ask = (action: EditRequest["action"]) =>
    onEdit({ action, source: row.source, destination: row.destination, port: row.port });
  return (
    <footer className={styles.why}>
      <dl>
        <dt>Out of {row.source.workload}</dt>
        <dd>{explained?.row === row.row ? explained.egress : ""}</dd>
        <dt>Into {row.destination.workload}</dt>
        <dd>{explained?.row === row.row ? explained.ingress : ""}</dd>
      </dl>
      <Button small disabled={disabled} onClick={() => ask(denied ? "allow" : "deny")}>
        {denied ? "Allow this" : "Deny this"}
      </Button>
      <Button small disabled={disabled} onClick={() => ask("only")}>
        Only this
      </Button>
    </footer>
  );
}

/** While the traffic is read, or when it can't be. */
export function TrafficNote({ change }: { readonly change: WhatWouldChange }) {
  return (
    <section className={styles.impact} aria-label="Impact">
      <AnswerNote answer={change.traffic} of="recorded traffic" />
    </section>
  );
}
