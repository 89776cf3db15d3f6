"use client";

import { Minus } from "lucide-react";
import { useMemo, useState } from "react";
import { useNarrow } from "../frame/use-narrow.ts";
import { Badge } from "../parts/Badge.tsx";
import { Button } from "../parts/Button.tsx";
import { ago, count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { EditRequest, Explained, FlowRow, Judged, Loaded } from "./answers.ts";
import styles from "./Impact.module.css";
import page from "./Policies.module.css";

type List = "changed" | "unchanged" | "unjudged";

/** The flows that change, those that stay, those that could not be judged; the chosen one with why. */
export function FlowsTable({
  judged,
  selectedRow,
  explained,
  lit,
  onRow,
  onEdit,
  stale,
  narrow,
  loaded,
}: {
  readonly judged: Judged;
  readonly loaded: Loaded;
  readonly selectedRow: FlowRow | undefined;
  readonly explained: Explained | undefined;
  readonly lit: readonly string[];
  readonly narrow: boolean;
  /** True: the answer is not of the text as it stands. */
  readonly stale: boolean;
  onRow(row: FlowRow | undefined): void;
  onEdit(request: EditRequest): void;
}) {
  const [list, setList] = useState<List>("changed");
  const small = useNarrow(1200);
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
        <p className={page.none}>{NONE[list]}</p>
      ) : (
        <Table
          label="Flows"
          columns={columns(loaded.basis.to, narrow, small)}
          rows={rows}
          rowKey={rowKey}
          selected={selectedRow === undefined ? undefined : rowKey(selectedRow)}
          onSelect={onRow}
          rowHeight={narrow ? 53 : 28}
        />
      )}
      {selectedRow === undefined ? null : (
        <Why row={selectedRow} explained={explained} onEdit={onEdit} disabled={stale} />
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

/** `small`: names need the room more than times do. */
function columns(now: number, narrow: boolean, small: boolean): readonly Column<FlowRow>[] {
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
  const seen: Column<FlowRow> = {
    id: "seen",
    title: "Last seen",
    width: "82px",
    cell: (row) => ago(row.lastSeen, now),
    sortValue: (row) => row.lastSeen,
  };
  return [
    verdict,
    ends,
    {
      id: "port",
      title: "Port",
      width: "76px",
      numeric: true,
      cell: (row) => <Port row={row} />,
      sortValue: (row) => row.port,
    },
    conns,
    ...(small ? [] : [seen]),
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

/** Rows of one port are told apart by IP version where the ends have both. */
function Port({ row }: { readonly row: FlowRow }) {
  const port = row.port.replace(/^TCP /, "");
  if (row.family !== 6) return <code>{port}</code>;
  return <code title={`${row.port} over IPv6`}>{port} v6</code>;
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
