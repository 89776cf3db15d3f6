"use client";

import { useMemo } from "react";
import type { MapAnswer } from "../../model/wire/answers/map.ts";
import { ToneIcon } from "../parts/Badge.tsx";
import type { Tone } from "../parts/colors.ts";
import { bytes, duration, perSecond, share } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import { observedSeconds, type MapIndex } from "./graph-from-answer.ts";
import { inTrouble, type EdgeState, type Graph, type GraphEdge } from "./graph.ts";
import styles from "./MapTable.module.css";

interface Props {
  readonly graph: Graph;
  readonly index: MapIndex;
  readonly answer: MapAnswer;
  readonly selected: string | undefined;
  readonly narrow: boolean;
  onSelect(key: string | undefined): void;
}

interface Row {
  readonly edge: GraphEdge;
  readonly source: { readonly namespace: string; readonly workload: string };
  readonly destination: { readonly namespace: string; readonly workload: string };
  readonly ports: string;
  readonly opened: number;
  readonly failed: number;
  readonly drops: number;
  readonly bytes: number;
  readonly retransmits: number;
  readonly packets: number;
  readonly rttUs: number | undefined;
  readonly lastSeen: number;
}

/** The map as a table: the same edges, the same selection; trouble first. */
export function MapTable({ graph, index, answer, selected, narrow, onSelect }: Props) {
  const rows = useMemo(() => tableRows(graph, index), [graph, index]);
  const seconds = observedSeconds(answer);
  const columns = useMemo(() => (narrow ? narrowColumns(seconds) : wideColumns(seconds)), [seconds, narrow]);
  return (
    <Table
      label="Edges of the service map"
      columns={columns}
      rows={rows}
      rowKey={(row) => row.edge.key}
      selected={selected}
      onSelect={(row) => onSelect(row?.edge.key)}
      rowHeight={narrow ? 53 : 28}
      foot={`${graph.edges.length} edges${answer.answered.truncated ? ", the busiest of more: narrow the filter or the scope to see the others" : ""}`}
    />
  );
}

/** Trouble first, then what is new, then by connections. */
function tableRows(graph: Graph, index: MapIndex): readonly Row[] {
  const nodes = new Map(graph.nodes.map((node) => [node.key, node]));
  const rank: Readonly<Record<EdgeState, number>> = {
    "newly-denied": 0,
    "newly-allowed": 0,
    denied: 0,
    failing: 1,
    degraded: 2,
    fresh: 3,
    allowed: 4,
    gone: 5,
  };
  return graph.edges
    .toSorted((a, b) => rank[a.state] - rank[b.state] || b.perSecond - a.perSecond)
    .map((edge) => {
      const list = index.edgesOf.get(edge.key) ?? [];
      const sum = (value: (item: (typeof list)[number]) => number): number =>
        list.reduce((total, item) => total + value(item), 0);
      const source = nodes.get(edge.source);
      const target = nodes.get(edge.target);
      return {
        edge,
        source: { namespace: source?.namespace ?? "", workload: source?.name ?? "" },
        destination: { namespace: target?.namespace ?? "", workload: target?.name ?? "" },
        ports: [...new Set(list.flatMap((item) => item.ports.map((port) => String(port.port))))].slice(0, 3).join(", "),
        opened: sum((item) => item.opened),
        failed: sum((item) => item.failed),
        drops: sum((item) => item.drops),
        bytes: sum((item) => item.bytesToServer + item.bytesToClient),
        retransmits: sum((item) => item.retransmits),
        packets: sum((item) => item.packetsToServer + item.packetsToClient),
        rttUs: list.find((item) => item.rtt.p50 !== null)?.rtt.p50 ?? undefined,
        lastSeen: Math.max(0, ...list.map((item) => item.lastSeen)),
      };
    });
}

const STATE_WORDS: Readonly<Record<EdgeState, string>> = {
  "newly-denied": "newly denied",
  "newly-allowed": "newly allowed",
  denied: "nothing gets through",
  failing: "partly failing",
  degraded: "retransmits",
  fresh: "new",
  gone: "gone",
  allowed: "allowed",
};

export function toneOfState(state: EdgeState): Tone {
  if (state === "failing" || state === "newly-denied") return "denied";
  return state === "newly-allowed" ? "will-allow" : state;
}

const NONE = <span className="soft">0</span>;

function wideColumns(seconds: number): readonly Column<Row>[] {
  return [
    {
      id: "state",
      title: "State",
      width: "170px",
      cell: (row) => (
        <span className={styles.state}>
          <ToneIcon tone={toneOfState(row.edge.state)} label={STATE_WORDS[row.edge.state]} />
          {inTrouble(row.edge.state) || row.edge.state === "fresh" ? row.edge.label : STATE_WORDS[row.edge.state]}
        </span>
      ),
      sortValue: (row) => STATE_WORDS[row.edge.state],
    },
    {
      id: "edge",
      title: "From → to",
      width: "minmax(220px, 3fr)",
      cell: (row) => <EdgeName source={row.source} destination={row.destination} />,
      sortValue: (row) => row.edge.key,
    },
    {
      id: "ports",
      title: "Ports",
      width: "110px",
      cell: (row) => <code>{row.ports}</code>,
      sortValue: (row) => Number.parseInt(row.ports, 10) || 0,
    },
    {
      id: "rate",
      title: "Connections/s",
      width: "100px",
      numeric: true,
      cell: (row) => perSecond((row.opened + row.failed) / seconds),
      sortValue: (row) => row.opened + row.failed,
    },
    {
      id: "failed",
      title: "Failed",
      width: "84px",
      numeric: true,
      cell: (row) => (row.failed === 0 ? NONE : share(row.failed, row.opened + row.failed)),
      sortValue: (row) => row.failed / Math.max(1, row.opened + row.failed),
    },
    {
      id: "drops",
      title: "Drops/s",
      width: "76px",
      numeric: true,
      cell: (row) => (row.drops === 0 ? NONE : perSecond(row.drops / seconds)),
      sortValue: (row) => row.drops,
    },
    {
      id: "bytes",
      title: "Bytes/s",
      width: "90px",
      numeric: true,
      cell: (row) => `${bytes(row.bytes / seconds)}/s`,
      sortValue: (row) => row.bytes,
    },
    {
      id: "rtt",
      title: "RTT p50",
      width: "84px",
      numeric: true,
      cell: (row) => (row.rttUs === undefined ? "–" : duration(row.rttUs)),
      sortValue: (row) => row.rttUs ?? -1,
    },
    {
      id: "resent",
      title: "Resent",
      width: "76px",
      numeric: true,
      cell: (row) => (row.retransmits === 0 ? NONE : share(row.retransmits, row.packets)),
      sortValue: (row) => row.retransmits / Math.max(1, row.packets),
    },
  ];
}

/** Two lines a row, as large as a finger. */
function narrowColumns(seconds: number): readonly Column<Row>[] {
  return [
    {
      id: "state",
      title: "",
      width: "34px",
      cell: (row) => <ToneIcon tone={toneOfState(row.edge.state)} label={STATE_WORDS[row.edge.state]} />,
    },
    {
      id: "edge",
      title: "From → to",
      width: "minmax(0, 1fr)",
      cell: (row) => (
        <span className={styles.two}>
          <span>
            {row.source.workload} → {row.destination.workload} <code>{row.ports === "" ? "" : `:${row.ports}`}</code>
          </span>
          <small
            className={
              inTrouble(row.edge.state) || row.edge.state === "fresh"
                ? `tone-${toneOfState(row.edge.state)}`
                : undefined
            }
          >
            {inTrouble(row.edge.state) || row.edge.state === "fresh"
              ? row.edge.label
              : `${bytes(row.bytes / seconds)}/s${row.rttUs === undefined ? "" : `, RTT ${duration(row.rttUs)}`}`}
          </small>
        </span>
      ),
    },
    {
      id: "rate",
      title: "Connections/s",
      width: "96px",
      numeric: true,
      cell: (row) => (
        <span className={styles.two}>
          <b>{perSecond((row.opened + row.failed) / seconds).replace("/s", "")}</b>
          <small>
            {row.failed === 0
              ? "0 failed"
              : row.opened === 0
                ? "all failed"
                : `${share(row.failed, row.opened + row.failed)} failed`}
          </small>
        </span>
      ),
      sortValue: (row) => row.opened + row.failed,
    },
  ];
}
