"use client";

import { AnswerNote, Note } from "../parts/AnswerNote.tsx";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { EditRequest, Explained, FlowRow, Loaded } from "./answers.ts";
import { FlowsTable } from "./FlowsTable.tsx";
import styles from "./Impact.module.css";
import { ImpactMap } from "./ImpactMap.tsx";
import { Numbers, Rests, Stale } from "./ImpactNumbers.tsx";
import page from "./Policies.module.css";

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
          <p className={page.loading}>
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
            {props.files.length === 0
              ? "No file of policies in this browser."
              : `Judged: ${props.files.slice(0, 6).join(", ")}${props.files.length > 6 ? ` and ${props.files.length - 6} more` : ""}.`}{" "}
            Texts are written on a wider screen.
          </span>
        ) : null}
      </p>
      {narrow ? null : (
        <ImpactMap loaded={loaded} judged={judged} lit={props.lit} edge={props.edge} onEdge={props.onEdge} />
      )}
      <FlowsTable {...props} judged={judged} stale={change.stale !== undefined} />
    </section>
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
