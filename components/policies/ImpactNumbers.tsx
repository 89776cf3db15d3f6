"use client";

import { Minus, Plus } from "lucide-react";
import type { ReactNode } from "react";
import { clockSeconds, count, rangeWords, share } from "../parts/numbers.ts";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { Judged, Loaded } from "./answers.ts";
import styles from "./Impact.module.css";

/** Newly denied, newly allowed, unchanged: flows and their connections. */
export function Numbers({ judged }: { readonly judged: Judged }) {
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
export function Rests({ loaded, judged }: { readonly loaded: Loaded; readonly judged: Judged }) {
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
        ? ` ${count(judged.disagreements)} ${judged.disagreements === 1 ? "flow was" : "flows were"} decided otherwise when recorded: the policies in force here are newer than the traffic, or not all.`
        : ""}
    </>
  );
}

/** Which text the answer is of, where it is not of the one that stands. */
export function Stale({ change }: { readonly change: WhatWouldChange }) {
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
