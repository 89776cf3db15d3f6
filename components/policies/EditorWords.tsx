"use client";

import { CircleAlert, TriangleAlert } from "lucide-react";
import { clockSeconds } from "../parts/numbers.ts";
import { Switch } from "../parts/Switch.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { Names } from "./answers.ts";
import type { Draft } from "./drafts.ts";
import styles from "./Editor.module.css";
import { examples } from "./examples.ts";
import { LONG } from "./long-text.ts";
import type { DraftsState } from "./use-drafts.ts";

/** What is wrong in the text, since when the answer stands, whether the file is in force. */
export function StateLine({
  drafts,
  change,
  file,
}: {
  readonly drafts: DraftsState;
  readonly change: WhatWouldChange;
  readonly file: Draft;
}) {
  const own = change.problems.filter((problem) => problem.file === file.name);
  const errors = own.filter((problem) => problem.severity === "error");
  const first = errors[0] ?? own[0];
  const Icon = errors.length > 0 ? CircleAlert : TriangleAlert;
  return (
    <div className={styles.stateLine}>
      {first === undefined ? (
        <span className={styles.stateWords}>
          {drafts.full ? (
            <b className="tone-degraded">No room in this browser: download the file to keep it</b>
          ) : drafts.keptAt === undefined ? (
            "Draft kept in this browser"
          ) : (
            `Draft kept ${clockSeconds(drafts.keptAt)}${file.text.length > LONG ? "; a long text, so without colours" : ""}`
          )}
        </span>
      ) : (
        <span className={`${styles.stateWords} ${errors.length > 0 ? "tone-denied" : "tone-degraded"}`} role="status">
          <Icon size={13} aria-hidden="true" />
          Line {first.line}: {first.message}
          {own.length > 1 ? `, and ${own.length - 1} more` : ""}
        </span>
      )}
      {file.fromFolder === true ? (
        <span className={styles.unit}>
          {file.inForce === undefined
            ? "gone from disk"
            : file.inForce === file.text
              ? "as on disk"
              : "changed against disk"}
        </span>
      ) : (
        <Switch
          checked={file.inForce !== undefined}
          onChange={(on) => drafts.act({ kind: "in force", id: file.id, on })}
        >
          In force today
        </Switch>
      )}
      <span className={styles.unit}>conns</span>
    </div>
  );
}

/** The policy in plain English: its rules, the one on the chosen line marked. */
export function Words({
  change,
  file,
  line,
}: {
  readonly change: WhatWouldChange;
  readonly file: Draft;
  readonly line: { readonly file: string; readonly line: number } | undefined;
}) {
  const sentences = change.judged?.sentences.filter((sentence) => sentence.file === file.name) ?? [];
  if (sentences.length === 0) return null;
  return (
    <details className={styles.words} open>
      <summary>In words</summary>
      <ul>
        {sentences.slice(0, 60).map((sentence) => (
          <li
            key={`${sentence.line} ${sentence.text}`}
            data-summary={sentence.isSummary}
            data-on={line?.file === file.name && line.line === sentence.line}
          >
            {sentence.text}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Nothing is open: what the page is for, and ways to begin. */
export function Start({ drafts, names }: { readonly drafts: DraftsState; readonly names: Names | undefined }) {
  return (
    <div className={styles.start}>
      <h2>Try a policy before it bites</h2>
      <p>
        Write or open a policy. While you type, every connection of the range is judged again: what it would deny, what
        it would allow, and which line decides.
      </p>
      <ul>
        {(names === undefined ? [] : examples(names)).map((example) => (
          <li key={example.name}>
            <button type="button" onClick={() => drafts.act({ kind: "add", name: example.name, text: example.text })}>
              <b>{example.title}</b>
              <span>{example.says}</span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" onClick={() => drafts.act({ kind: "add", name: "policy.yaml", text: "" })}>
            <b>Empty file</b>
            <span>
              NetworkPolicy, AdminNetworkPolicy, Cilium's and Calico's kinds are read. Ctrl Space lists what can be
              written.
            </span>
          </button>
        </li>
      </ul>
    </div>
  );
}
