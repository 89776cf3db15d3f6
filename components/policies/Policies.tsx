"use client";

import { useCallback, useEffect, useMemo, useState } from "react";
import { PageHead } from "../frame/PageHead.tsx";
import { useNarrow } from "../frame/use-narrow.ts";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { usePolicyFolder } from "../questions/use-policy-folder.ts";
import { useWhatWouldChange } from "../questions/use-what-would-change.ts";
import type { EditAnswer, Explained, FlowRow } from "./answers.ts";
import { Compare } from "./Compare.tsx";
import { Coverage } from "./Coverage.tsx";
import { EditDialog } from "./EditDialog.tsx";
import { EditorPane } from "./EditorPane.tsx";
import { FileList } from "./FileList.tsx";
import { DropZone } from "./DropZone.tsx";
import { MOST_CHARACTERS } from "./drafts.ts";
import { editOf, textsToJudge, type FolderFile } from "./folder-files.ts";
import { Generate } from "./Generate.tsx";
import { HeadTools } from "./HeadTools.tsx";
import { ImpactPane, TrafficNote } from "./ImpactPane.tsx";
import { MatrixView } from "./MatrixView.tsx";
import styles from "./Policies.module.css";
import { useDrafts } from "./use-drafts.ts";
import { usePoliciesState } from "./use-policies-state.ts";

const NO_FILES: readonly FolderFile[] = [];
const NO_EDGES: readonly string[] = [];

/** One selection, wherever it starts: a flow of the table, a line of the text, an edge of the map. */
type Selection =
  | { readonly kind: "row"; readonly row: number }
  | { readonly kind: "line"; readonly file: string; readonly line: number }
  | { readonly kind: "edge"; readonly key: string };

/** Editor, impact, and the other ways to look at policies. */
export function Policies() {
  const state = usePoliciesState();
  const drafts = useDrafts();
  const narrow = useNarrow(700);
  const folder = usePolicyFolder().data;
  const onDisk = folder?.files ?? NO_FILES;
  const files = useMemo(() => textsToJudge(drafts.drafts.files, onDisk), [drafts.drafts.files, onDisk]);
  const { act } = drafts;
  useEffect(() => {
    if (folder === undefined || folder?.problem !== undefined) return; // not known now: what is open stays as it is
    act({ kind: "folder changed", files: new Map(onDisk.map((file) => [file.name, file.text])) });
  }, [act, folder, onDisk]);
  const change = useWhatWouldChange(files, state.as);
  const [selection, setSelection] = useState<Selection>();
  const [hovered, setHovered] = useState<{ readonly file: string; readonly line: number }>();
  const [reveal, setReveal] = useState<{ readonly line: number }>();
  const [notice, setNotice] = useState("");
  useEffect(() => setNotice(""), [state.view]); // it was about what was done there
  const [filesShown, setFilesShown] = useState(false);
  const { judged, client } = change;
  const loaded = change.traffic.data;

  const selectedRow = useMemo((): FlowRow | undefined => {
    if (judged === undefined || selection?.kind !== "row") return undefined;
    return [judged.changed, judged.unchanged, judged.unjudged].flat().find((row) => row.row === selection.row);
  }, [judged, selection]);
  const explained = useExplained(change, selectedRow?.row);
  const lit = useMemo((): readonly string[] => {
    const under =
      hovered === undefined ? undefined : judged?.lines[hovered.file]?.find((use) => use.line === hovered.line);
    if (under !== undefined && under.edges.length > 0) return under.edges;
    if (selectedRow !== undefined) return [selectedRow.edge];
    if (selection?.kind === "edge") return [selection.key];
    if (selection?.kind !== "line") return NO_EDGES;
    return judged?.lines[selection.file]?.find((use) => use.line === selection.line)?.edges ?? NO_EDGES;
  }, [judged, selection, selectedRow, hovered]);
  const line = selection?.kind === "line" ? selection : selectedRow?.by;

  const goTo = useCallback(
    (file: string, at: number) => {
      const known = drafts.drafts.files.find((it) => it.name === file);
      const disk = onDisk.find((it) => it.name === file);
      if (known === undefined && disk === undefined) return;
      if (known === undefined) drafts.act({ kind: "open from folder", name: file, disk: disk!.text });
      else if (known.id !== drafts.drafts.active) drafts.act({ kind: "show", id: known.id });
      setReveal({ line: at });
    },
    [drafts, onDisk],
  );
  const pickRow = (row: FlowRow | undefined): void => {
    setSelection(row === undefined ? undefined : { kind: "row", row: row.row });
    if (row?.by !== undefined) goTo(row.by.file, row.by.line);
  };
  const showLine = (file: string, at: number): void => {
    state.setView("editor");
    setSelection({ kind: "line", file, line: at });
    goTo(file, at);
  };
  const pickEdge = (key: string | undefined): void => {
    if (key === undefined) return setSelection(undefined);
    const row = judged?.changed.find((it) => it.edge === key);
    if (row === undefined) setSelection({ kind: "edge", key });
    else pickRow(row);
  };
  const take = (edit: EditAnswer): void => {
    const changes = edit.before === "" ? undefined : editOf(drafts.drafts, onDisk, edit.file, edit.after);
    drafts.act(changes ?? { kind: "add", name: edit.file, text: edit.after });
    if (changes?.kind === "edit") drafts.act({ kind: "show", id: changes.id });
    state.want(undefined);
  };
  const tooLong = (characters: number): void =>
    setNotice(
      `Not taken: the file would have ${count(characters)} characters. A file has ${count(MOST_CHARACTERS)} (10 MB) and 10,000 documents at most; split it.`,
    );

  return (
    <>
      <PageHead title="Policies" totals={narrow ? "" : undefined}>
        <HeadTools state={state} drafts={drafts} narrow={narrow} onNotice={setNotice} />
      </PageHead>
      {notice === "" ? null : (
        <p className={styles.notice} role="status">
          {notice}
          <Button look="bare" small onClick={() => setNotice("")}>
            Close
          </Button>
        </p>
      )}
      <DropZone drafts={drafts} view={state.view} onNotice={setNotice}>
        {state.view === "editor" && !narrow ? (
          <>
            <FileList
              drafts={drafts}
              folder={folder}
              judged={judged}
              problems={change.problems}
              shown={filesShown}
              onPicked={() => setFilesShown(false)}
              onNotice={setNotice}
            />
            {drafts.read ? (
              <EditorPane
                drafts={drafts}
                change={change}
                names={loaded?.names}
                selectedRow={selectedRow}
                explained={explained}
                line={line}
                reveal={reveal}
                onLine={(file, at) => {
                  const decides = judged?.lines[file]?.some((use) => use.line === at) === true;
                  setSelection(decides ? { kind: "line", file, line: at } : undefined);
                }}
                onHover={(file, at) =>
                  setHovered((known) =>
                    known?.line === at && known?.file === file
                      ? known
                      : at === undefined
                        ? undefined
                        : { file, line: at },
                  )
                }
                onTooLong={tooLong}
                filesShown={filesShown}
                onFiles={setFilesShown}
              />
            ) : (
              <section className={styles.editorPane} />
            )}
          </>
        ) : null}
        {loaded === undefined || loaded.basis.tuples === 0 ? (
          <TrafficNote change={change} />
        ) : state.view === "editor" ? (
          <ImpactPane
            change={change}
            loaded={loaded}
            selectedRow={selectedRow}
            explained={explained}
            lit={lit}
            edge={selectedRow?.edge ?? (selection?.kind === "edge" ? selection.key : undefined)}
            narrow={narrow}
            files={files.map((file) => file.name)}
            onRow={pickRow}
            onEdge={pickEdge}
            onEdit={state.want}
          />
        ) : state.view === "coverage" ? (
          <Coverage change={change} drafts={drafts} files={files} folder={onDisk} onLine={showLine} />
        ) : state.view === "generate" ? (
          <Generate change={change} loaded={loaded} drafts={drafts} onDone={() => state.setView("editor")} />
        ) : state.view === "compare" ? (
          <Compare change={change} files={files} loaded={loaded} />
        ) : (
          <MatrixView change={change} onLine={showLine} />
        )}
      </DropZone>
      {state.wanted === undefined || client === undefined || judged === undefined ? null : (
        <EditDialog
          client={client}
          files={files}
          profile={state.as}
          request={state.wanted}
          onRequest={state.want}
          onTake={take}
          onClose={() => state.want(undefined)}
        />
      )}
    </>
  );
}

/** Why the chosen row is judged as it is; asked anew with each answer. */
function useExplained(
  { client, judged, stale }: ReturnType<typeof useWhatWouldChange>,
  row: number | undefined,
): Explained | undefined {
  const [explained, setExplained] = useState<Explained>();
  useEffect(() => {
    if (client === undefined || judged === undefined || row === undefined || stale !== undefined) return;
    client.ask({ kind: "explain", row }).then(
      (answer) => (answer.kind === "explained" ? setExplained(answer.explained) : undefined),
      () => undefined, // another row was chosen meanwhile
    );
  }, [client, judged, row, stale]);
  return explained;
}
