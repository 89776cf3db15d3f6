"use client";

import dynamic from "next/dynamic";
import { useCallback, useMemo, useState } from "react";
import { Minus, Plus } from "lucide-react";
import { Badge } from "../parts/Badge.tsx";
import { Note } from "../parts/AnswerNote.tsx";
import { ago, count } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { FlowRow, Judged, Loaded, Refused, Response } from "./answers.ts";
import styles from "./Policies.module.css";
import { useAsked } from "./use-asked.ts";
import type { DraftsState } from "./use-drafts.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const DiffView = dynamic(() => import("./DiffView.tsx").then((module) => module.DiffView), { ssr: false });

const read = (response: Response): Judged | Refused | undefined =>
  response.kind === "judged" ? response.judged : response.kind === "refused" ? response.refused : undefined;

/** One draft against another over the same traffic: what B denies or allows that A does not. */
export function Compare({
  change,
  drafts,
  loaded,
}: {
  readonly change: WhatWouldChange;
  readonly drafts: DraftsState;
  readonly loaded: Loaded;
}) {
  const { files } = drafts.drafts;
  const [left, setLeft] = useState(files[0]?.id ?? "");
  const [right, setRight] = useState(files[1]?.id ?? files[0]?.id ?? "");
  const a = files.find((file) => file.id === left);
  const b = files.find((file) => file.id === right);
  const asked = useMemo(
    () => [{ name: "comparison", text: b?.text ?? "", inForce: a?.text ?? "" }],
    [a?.text, b?.text],
  );
  const ask = useCallback(
    (client: WhatIfClient) => client.ask({ kind: "try", files: asked, profile: undefined }),
    [asked],
  );
  const { answer, failure } = useAsked(change.client, a === undefined || b === undefined ? undefined : ask, read);
  if (files.length < 2)
    return (
      <Note title="Two files are needed to compare">
        Write or open a second one in the editor: here you then see which flows the one denies and the other lets
        through.
      </Note>
    );
  const choose = (label: string, value: string, set: (id: string) => void) => (
    <label>
      {label}
      <select value={value} onChange={(event) => set(event.target.value)}>
        {files.map((file) => (
          <option key={file.id} value={file.id}>
            {file.name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div className={styles.compare}>
      <div className={styles.form}>
        {choose("From", left, setLeft)}
        {choose("To", right, setRight)}
        <p role="status">
          {failure ??
            (answer === undefined
              ? "Judging both"
              : "counts" in answer
                ? words(answer)
                : `${answer.problems[0]?.message ?? "refused"} (line ${answer.problems[0]?.line ?? 0})`)}
        </p>
      </div>
      <div className={styles.diff}>
        {a === undefined || b === undefined ? null : <DiffView before={a.text} after={b.text} />}
      </div>
      {answer === undefined || !("counts" in answer) ? null : (
        <Table
          label="Flows that differ"
          columns={columns(loaded.basis.to)}
          rows={answer.changed}
          rowKey={(row) => String(row.row)}
        />
      )}
    </div>
  );
}

function words({ counts }: Judged): string {
  const of = (part: { readonly tuples: number; readonly connections: number }) =>
    `${count(part.tuples)} ${part.tuples === 1 ? "flow" : "flows"} (${count(part.connections)} connections)`;
  return `The second alone denies ${of(counts["newly-denied"])} that the first alone lets through, and lets through ${of(counts["newly-allowed"])} that the first denies.`;
}

function columns(now: number): readonly Column<FlowRow>[] {
  return [
    {
      id: "verdict",
      title: "In the second",
      width: "122px",
      cell: (row) =>
        row.change === "newly-denied" ? (
          <Badge tone="denied" icon={Minus}>
            denied
          </Badge>
        ) : (
          <Badge tone="will-allow" icon={Plus}>
            allowed
          </Badge>
        ),
      sortValue: (row) => row.change,
    },
    {
      id: "ends",
      title: "From → to",
      width: "minmax(160px, 1fr)",
      cell: (row) => <EdgeName source={row.source} destination={row.destination} />,
      sortValue: (row) => row.edge,
    },
    {
      id: "port",
      title: "Port",
      width: "90px",
      numeric: true,
      cell: (row) => <code>{row.port}</code>,
      sortValue: (row) => row.port,
    },
    {
      id: "conns",
      title: "Conns",
      width: "70px",
      numeric: true,
      cell: (row) => <b>{count(row.connections)}</b>,
      sortValue: (row) => row.connections,
    },
    {
      id: "seen",
      title: "Last seen",
      width: "100px",
      cell: (row) => ago(row.lastSeen, now),
      sortValue: (row) => row.lastSeen,
    },
  ];
}
