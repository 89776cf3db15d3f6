"use client";

import { useCallback } from "react";
import { AnswerNote, Note } from "../parts/AnswerNote.tsx";
import { Button } from "../parts/Button.tsx";
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
  const { change, loaded, narrow, selectedRow } = props;
  const { judged } = change;
  const { onEdit } = props;
  const ofEdge = useCallback(
    (key: string, action?: EditRequest["action"]): EditRequest | undefined => {
      const edge = loaded.level === "workload" ? judged?.edges.find((it) => it.key === key) : undefined;
      const ends = [edge?.source, edge?.target].map((end) => loaded.nodes.find((node) => node.key === end));
      const [source, destination] = ends.map((node) => node && { namespace: node.namespace, workload: node.name });
      if (edge === undefined || source === undefined || destination === undefined) return undefined;
      const denied = edge.change === "newly-denied" || edge.change === "still-denied";
      return { action: action ?? (denied ? "allow" : "only"), source, destination, port: "" };
    },
    [loaded, judged],
  );
  const dropEdge = useCallback(
    (key: string) => {
      const request = ofEdge(key);
      if (request !== undefined) onEdit(request);
    },
    [ofEdge, onEdit],
  );
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
        <ImpactMap
          loaded={loaded}
          judged={judged}
          lit={props.lit}
          edge={props.edge}
          onEdge={props.onEdge}
          onDropEdge={dropEdge}
        />
      )}
      <FlowsTable {...props} judged={judged} stale={change.stale !== undefined} />
      {props.edge === undefined || selectedRow !== undefined ? null : (
        <EdgeActions
          of={(action) => ofEdge(props.edge!, action)}
          disabled={change.stale !== undefined}
          onEdit={onEdit}
        />
      )}
    </section>
  );
}

/** What can be done about an edge of which no flow is chosen: the same as dragging it into the editor. */
function EdgeActions({
  of,
  disabled,
  onEdit,
}: {
  readonly disabled: boolean;
  of(action: EditRequest["action"]): EditRequest | undefined;
  onEdit(request: EditRequest): void;
}) {
  const edge = of("allow");
  if (edge === undefined) return null;
  return (
    <footer className={styles.why}>
      <p className={styles.edgeName}>
        {edge.source.workload} → {edge.destination.workload}, every port that was seen
      </p>
      {(["allow", "deny", "only"] as const).map((action) => (
        <Button key={action} small disabled={disabled} onClick={() => onEdit({ ...edge, action })}>
          {ACTION_WORDS[action]}
        </Button>
      ))}
    </footer>
  );
}

const ACTION_WORDS = { allow: "Allow this", deny: "Deny this", only: "Only this" } as const;

/** While the traffic is read, or when it can't be. */
export function TrafficNote({ change }: { readonly change: WhatWouldChange }) {
  return (
    <section className={styles.impact} aria-label="Impact">
      <AnswerNote answer={change.traffic} of="recorded traffic" />
    </section>
  );
}
