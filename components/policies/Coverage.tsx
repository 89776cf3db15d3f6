"use client";

import { useCallback, useState, type ReactNode } from "react";
import { Note } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { WorkloadName } from "../parts/WorkloadName.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { CoverageAnswer, PolicyText, Response } from "./answers.ts";
import { editOf, type FolderFile } from "./folder-files.ts";
import styles from "./Report.module.css";
import page from "./Policies.module.css";
import { withItemReplaced, withoutItem } from "./text-edits.ts";
import { useAsked } from "./use-asked.ts";
import type { DraftsState } from "./use-drafts.ts";
import type { WhatIfClient } from "./what-if-client.ts";

const STATES: Readonly<Record<CoverageAnswer["idle"][number]["state"], string>> = {
  dead: "never hit: no traffic of the range matches it",
  shadowed: "shadowed: rules before it decide all that it matches",
  redundant: "redundant: other rules let the same in",
};

const read = (response: Response): CoverageAnswer | undefined =>
  response.kind === "coverage" ? response.coverage : undefined;

/** A change that was made here, so that it can be taken back here. */
interface Done {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly what: string;
}

/** Who has no policy, which rules nothing needs, contradict each other or are wider than the traffic. */
export function Coverage({
  change,
  drafts,
  files,
  folder,
  onLine,
}: {
  readonly change: WhatWouldChange;
  readonly drafts: DraftsState;
  readonly files: readonly PolicyText[];
  readonly folder: readonly FolderFile[];
  onLine(file: string, line: number): void;
}) {
  const { judged, client } = change;
  const ask = useCallback(
    (to: WhatIfClient) =>
      judged === undefined ? Promise.reject(new Error("nothing was judged yet")) : to.ask({ kind: "coverage" }),
    [judged],
  );
  const { answer, failure } = useAsked(client, judged === undefined ? undefined : ask, read);
  const [done, setDone] = useState<Done>();
  if (failure !== undefined)
    return (
      <Note tone="denied" title="Coverage could not be worked out">
        {failure}
      </Note>
    );
  if (answer === undefined)
    return (
      <p className={page.loading}>
        {change.stale === "problems" ? "No answer yet: the text has an error." : "Working out coverage"}
      </p>
    );
  const textOf = (name: string): string => files.find((file) => file.name === name)?.text ?? "";
  const put = (name: string, text: string): void => {
    const action = editOf(drafts.drafts, folder, name, text);
    if (action !== undefined) drafts.act(action);
  };
  const edit = (name: string, what: string, after: string): void => {
    setDone({ file: name, before: textOf(name), after, what });
    put(name, after);
  };
  return (
    <div className={styles.report}>
      <h2>
        {count(answer.workloads - answer.bare.length)} of {count(answer.workloads)} workloads have policies for both
        directions
      </h2>
      {done === undefined || textOf(done.file) !== done.after ? null : (
        <p className={styles.done} role="status">
          {done.what}
          <Button
            small
            onClick={() => {
              put(done.file, done.before);
              setDone(undefined);
            }}
          >
            Undo
          </Button>
        </p>
      )}
      <Section
        title="Without a policy for a direction"
        empty="Every workload of the range has policies for both directions."
        rows={answer.bare}
      >
        {(bare) => (
          <li key={`${bare.namespace}/${bare.workload}`}>
            <WorkloadName end={bare} />
            <span>{bare.directions.join(" and ")} open</span>
            <b>{count(bare.connections)}</b>
          </li>
        )}
      </Section>
      <Section title="Rules that nothing needs" empty="Every rule decides some of the traffic." rows={answer.idle}>
        {(rule) => (
          <li key={`${rule.file} ${rule.line} ${rule.rule}`}>
            <LineLink file={rule.file} line={rule.line} onLine={onLine} />
            <span>{STATES[rule.state]}</span>
            <EditButton
              label="Remove rule"
              after={withoutItem(textOf(rule.file), rule.line)}
              onEdit={(after) => edit(rule.file, `The rule on line ${rule.line} of ${rule.file} is taken out.`, after)}
            />
          </li>
        )}
      </Section>
      <Section
        title="Rules that contradict each other"
        empty="No rule always overrides another that says the opposite, and no two of one priority disagree."
        rows={answer.contradictions}
      >
        {(rule) => (
          <li key={`${rule.file} ${rule.line} ${rule.why} ${rule.text}`}>
            <LineLink file={rule.file} line={rule.line} onLine={onLine} />
            <span>{rule.text}</span>
            <LineLink file={rule.by.file} line={rule.by.line} onLine={onLine} />
          </li>
        )}
      </Section>
      <Section
        title="Rules wider than the traffic"
        empty="No rule lets in more ports or peers than were seen."
        rows={answer.wide}
      >
        {(rule) => (
          <li key={`${rule.file} ${rule.line} ${rule.rule}`}>
            <LineLink file={rule.file} line={rule.line} onLine={onLine} />
            <span>
              {rule.what}; {rule.narrower}
            </span>
            <EditButton
              label="Narrow it"
              after={rule.item === undefined ? undefined : withItemReplaced(textOf(rule.file), rule.line, rule.item)}
              onEdit={(after) =>
                edit(
                  rule.file,
                  `The rule on line ${rule.line} of ${rule.file} lets in what was seen and no more.`,
                  after,
                )
              }
            />
            {rule.item === undefined ? null : (
              <details className={styles.item}>
                <summary>The narrower rule</summary>
                <pre tabIndex={0}>{rule.item.join("\n")}</pre>
              </details>
            )}
          </li>
        )}
      </Section>
    </div>
  );
}

/** Nothing where the edit can't be made in the text as it stands. */
function EditButton({
  label,
  after,
  onEdit,
}: {
  readonly label: string;
  readonly after: string | undefined;
  onEdit(after: string): void;
}) {
  if (after === undefined) return null;
  return (
    <Button small onClick={() => onEdit(after)}>
      {label}
    </Button>
  );
}

function LineLink({
  file,
  line,
  onLine,
}: {
  readonly file: string;
  readonly line: number;
  onLine(file: string, line: number): void;
}) {
  return (
    <button type="button" className={styles.link} onClick={() => onLine(file, line)}>
      {file} line {line}
    </button>
  );
}

const MOST = 200;

function Section<T>({
  title,
  rows,
  empty,
  children,
}: {
  readonly title: string;
  readonly rows: readonly T[];
  readonly empty: string;
  children(row: T): ReactNode;
}) {
  return (
    <section>
      <h3>
        {title} <span>{count(rows.length)}</span>
      </h3>
      {rows.length === 0 ? <p>{empty}</p> : <ul>{rows.slice(0, MOST).map((row) => children(row))}</ul>}
      {rows.length > MOST ? <p>{count(rows.length - MOST)} more</p> : null}
    </section>
  );
}
