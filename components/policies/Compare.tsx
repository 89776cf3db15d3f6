"use client";

import { useCallback, useMemo, useState } from "react";
import { Minus, Plus } from "lucide-react";
import { Badge } from "../parts/Badge.tsx";
import { Note } from "../parts/AnswerNote.tsx";
import { ago, count } from "../parts/numbers.ts";
import { Table, type Column } from "../parts/Table.tsx";
import { EdgeName } from "../parts/WorkloadName.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { FlowRow, Judged, Loaded, PolicyText, Refused, Response } from "./answers.ts";
import { Difference } from "./Difference.tsx";
import styles from "./Report.module.css";
import { useAsked } from "./use-asked.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const read = (response: Response): Judged | Refused | undefined =>
  response.kind === "judged" ? response.judged : response.kind === "refused" ? response.refused : undefined;

/** A set of policies that can be compared: one file, or all of them as they are in force or as they are written. */
interface Choice {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

const IN_FORCE = "in force";
const WRITTEN = "written";

function choicesOf(files: readonly PolicyText[]): Choice[] {
  const all = (texts: readonly (string | undefined)[]): string =>
    texts
      .flatMap((text) => (text === undefined || text.trim() === "" ? [] : [text.trimEnd()]))
      .join("\n---\n")
      .concat("\n");
  return [
    { id: IN_FORCE, name: "All in force today", text: all(files.map((file) => file.inForce)) },
    { id: WRITTEN, name: "All as written here", text: all(files.map((file) => file.text)) },
    ...files.map(({ name, text }) => ({ id: `file ${name}`, name, text })),
  ];
}

/** One set of policies against another over the same traffic: what B denies or allows that A does not. */
export function Compare({
  change,
  files,
  loaded,
}: {
  readonly change: WhatWouldChange;
  readonly files: readonly PolicyText[];
  readonly loaded: Loaded;
}) {
  const choices = useMemo(() => choicesOf(files), [files]);
  // Where something is in force, the question is what the texts change of it; else one draft is held against another.
  const byFile = files.length > 1 && files.every((file) => file.inForce === undefined);
  const [left, setLeft] = useState(byFile ? `file ${files[0]!.name}` : IN_FORCE);
  const [right, setRight] = useState(byFile ? `file ${files[1]!.name}` : WRITTEN);
  const a = choices.find((file) => file.id === left);
  const b = choices.find((file) => file.id === right);
  const asked = useMemo(
    () => [{ name: "comparison", text: b?.text ?? "", inForce: a?.text ?? "" }],
    [a?.text, b?.text],
  );
  const ask = useCallback(
    (client: WhatIfClient) => client.ask({ kind: "try", files: asked, profile: undefined }),
    [asked],
  );
  const { answer, failure } = useAsked(change.client, a === undefined || b === undefined ? undefined : ask, read);
  if (files.length === 0)
    return (
      <Note title="Nothing to compare yet">
        Write or open policies in the editor: here you then see which flows one set of them denies and another lets
        through.
      </Note>
    );
  const choose = (label: string, value: string, set: (id: string) => void) => (
    <label>
      {label}
      <select value={value} onChange={(event) => set(event.target.value)}>
        {choices.map((file) => (
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
        {a === undefined || b === undefined ? null : <Difference before={a.text} after={b.text} />}
      </div>
      {answer === undefined || !("counts" in answer) || answer.changed.length === 0 ? null : (
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
  if (counts["newly-denied"].tuples + counts["newly-allowed"].tuples === 0) return "Both decide every flow alike.";
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
