"use client";

import dynamic from "next/dynamic";
import { useCallback, useMemo, useState } from "react";
import { count } from "../parts/numbers.ts";
import type { WhatWouldChange } from "../questions/use-what-would-change.ts";
import type { Explained, FlowRow, Names } from "./answers.ts";
import { Difference } from "./Difference.tsx";
import type { Draft } from "./drafts.ts";
import styles from "./Editor.module.css";
import type { Marks } from "./editor-marks.ts";
import { EditorTabs } from "./EditorTabs.tsx";
import { Start, StateLine, Words } from "./EditorWords.tsx";
import page from "./Policies.module.css";
import type { DraftsState } from "./use-drafts.ts";
import { TAKES_EDGES } from "./use-edge-drag.ts";

// The editor is a third of a megabyte: it comes once the page stands.
const PolicyEditor = dynamic(() => import("./PolicyEditor.tsx").then((module) => module.PolicyEditor), {
  ssr: false,
  loading: () => <p className={page.loading}>Loading the editor</p>,
});

interface Props {
  readonly drafts: DraftsState;
  readonly change: WhatWouldChange;
  readonly names: Names | undefined;
  readonly selectedRow: FlowRow | undefined;
  readonly explained: Explained | undefined;
  readonly line: { readonly file: string; readonly line: number } | undefined;
  readonly reveal: { readonly line: number } | undefined;
  onLine(file: string, line: number): void;
  onHover(file: string, line: number | undefined): void;
  onTooLong(characters: number): void;
  /** On windows too small for the list beside it, the list lies over the text. */
  readonly filesShown: boolean;
  onFiles(shown: boolean): void;
}

/** Tabs, what is wrong, the text, and the text in words. */
export function EditorPane(props: Props) {
  const { drafts, change, names } = props;
  const { files, active } = drafts.drafts;
  const file = files.find((it) => it.id === active);
  const [diff, setDiff] = useState(false);
  const showDiff = diff && file?.inForce !== undefined && file.inForce !== file.text;
  return (
    <section className={styles.editorPane} aria-label="Editor" {...TAKES_EDGES}>
      <EditorTabs
        drafts={drafts}
        file={file}
        diff={showDiff}
        onDiff={setDiff}
        filesShown={props.filesShown}
        onFiles={props.onFiles}
      />
      {file === undefined ? (
        <Start drafts={drafts} names={names} />
      ) : (
        <>
          <StateLine drafts={drafts} change={change} file={file} />
          <div className={styles.text}>
            {showDiff ? <Difference before={file.inForce!} after={file.text} /> : <Text {...props} file={file} />}
          </div>
          <Words change={change} file={file} line={props.line} />
        </>
      )}
    </section>
  );
}

/** Why the line decides, in words. */
function reasonOf(
  { source, destination, port }: FlowRow,
  { isDefault, direction }: NonNullable<FlowRow["by"]>,
): string {
  if (!isDefault) return `Decides ${source.workload} → ${destination.workload}, ${port}.`;
  return direction === "ingress"
    ? `Selects ${destination.workload}, and no rule lets ${source.workload} in on ${port}: default deny.`
    : `Selects ${source.workload}, and no rule lets it out to ${destination.workload} on ${port}: default deny.`;
}

function Text({
  change,
  names,
  selectedRow,
  explained,
  line,
  reveal,
  onLine,
  onHover,
  onTooLong,
  drafts,
  file,
}: Props & { readonly file: Draft }) {
  const { act } = drafts;
  const mend = useCallback(
    (at: number, column: number, value: string, instead: string) => {
      const lines = file.text.split("\n");
      const old = lines[at - 1] ?? "";
      if (old.slice(column - 1, column - 1 + value.length) !== value) return; // the text has changed since
      lines[at - 1] = old.slice(0, column - 1) + instead + old.slice(column - 1 + value.length);
      act({ kind: "edit", id: file.id, text: lines.join("\n") });
    },
    [act, file.id, file.text],
  );
  const marks = useMemo((): Marks => {
    const uses = change.judged?.lines[file.name] ?? [];
    const by = selectedRow?.by;
    const explains = explained !== undefined && selectedRow?.row === explained.row;
    const near =
      explains && explained.verdict === "deny" ? explained.nearest.filter((it) => it.file === file.name) : [];
    return {
      uses,
      selected: line?.file === file.name ? line.line : undefined,
      near: near.slice(0, 1).map((it) => it.line),
      notes: [
        ...(by?.file === file.name && selectedRow !== undefined
          ? [
              {
                line: by.line,
                tone:
                  selectedRow.change === "newly-denied" || selectedRow.change === "still-denied"
                    ? ("denied" as const)
                    : ("allowed" as const),
                text: `${reasonOf(selectedRow, by)} ${count(selectedRow.connections)} connections`,
              },
            ]
          : []),
        ...(change.judged?.hints ?? [])
          .filter((hint) => hint.file === file.name && change.stale === undefined)
          .map((hint) => ({
            line: hint.line,
            tone: "degraded" as const,
            text: `No workload had ${hint.key}=${hint.value} in this range.${hint.instead === undefined ? "" : ` Did you mean ${hint.instead}?`}`,
            ...(hint.instead === undefined
              ? {}
              : {
                  fix: {
                    label: `Use ${hint.instead}`,
                    run: () => mend(hint.line, hint.column, hint.value, hint.instead!),
                  },
                }),
          })),
        ...near.slice(0, 1).map((it) => ({
          line: it.line,
          tone: "degraded" as const,
          text: `Nearest miss: lacks ${it.lacks.join(", ")}`,
        })),
      ],
    };
  }, [change.judged, change.stale, file.name, selectedRow, explained, line, mend]);
  return (
    <PolicyEditor
      id={file.id}
      name={file.name}
      text={file.text}
      inForce={file.inForce}
      problems={change.problems}
      marks={marks}
      names={names}
      reveal={reveal}
      onChange={(id, text) => drafts.act({ kind: "edit", id, text })}
      onLine={(at) => onLine(file.name, at)}
      onHover={(at) => onHover(file.name, at)}
      onTooLong={onTooLong}
    />
  );
}
