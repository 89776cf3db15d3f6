"use client";

import { Copy, Link2 } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { PROFILES, type Profile } from "../../policy/world.ts";
import { PageHead } from "../frame/PageHead.tsx";
import { useNarrow } from "../frame/use-narrow.ts";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import { useWhatWouldChange } from "../questions/use-what-would-change.ts";
import type { EditAnswer, Explained, FlowRow, PolicyText } from "./answers.ts";
import { Compare } from "./Compare.tsx";
import { Coverage } from "./Coverage.tsx";
import { EditDialog } from "./EditDialog.tsx";
import { EditorPane } from "./EditorPane.tsx";
import { FileList } from "./FileList.tsx";
import { Generate } from "./Generate.tsx";
import { ImpactPane, TrafficNote } from "./ImpactPane.tsx";
import { MatrixView } from "./MatrixView.tsx";
import styles from "./Policies.module.css";
import { MOST_LINK, shareHash } from "./share.ts";
import { useDrafts, type DraftsState } from "./use-drafts.ts";
import { usePoliciesState, type PoliciesState, type PoliciesView } from "./use-policies-state.ts";

const VIEW_WORDS: Readonly<Record<PoliciesView, string>> = {
  editor: "Editor",
  coverage: "Coverage",
  generate: "Generate",
  compare: "Compare",
  matrix: "Matrix",
};
const PROFILE_WORDS: Readonly<Record<Profile, string>> = {
  kubernetes: "Kubernetes",
  cilium: "Cilium",
  calico: "Calico",
};

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
  const files = useMemo(
    (): readonly PolicyText[] => drafts.drafts.files.map(({ name, text, inForce }) => ({ name, text, inForce })),
    [drafts.drafts.files],
  );
  const change = useWhatWouldChange(files, state.as);
  const [selection, setSelection] = useState<Selection>();
  const [hovered, setHovered] = useState<{ readonly file: string; readonly line: number }>();
  const [reveal, setReveal] = useState<{ readonly line: number }>();
  const [notice, setNotice] = useState("");
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
    if (selection?.kind !== "line") return [];
    return judged?.lines[selection.file]?.find((use) => use.line === selection.line)?.edges ?? [];
  }, [judged, selection, selectedRow, hovered]);
  const line = selection?.kind === "line" ? selection : selectedRow?.by;

  const goTo = useCallback(
    (file: string, at: number) => {
      const known = drafts.drafts.files.find((it) => it.name === file);
      if (known === undefined) return;
      if (known.id !== drafts.drafts.active) drafts.act({ kind: "show", id: known.id });
      setReveal({ line: at });
    },
    [drafts],
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
    const known = drafts.drafts.files.find((file) => file.name === edit.file);
    if (edit.before === "" || known === undefined) drafts.act({ kind: "add", name: edit.file, text: edit.after });
    else {
      drafts.act({ kind: "edit", id: known.id, text: edit.after });
      drafts.act({ kind: "show", id: known.id });
    }
    state.want(undefined);
  };
  const tooLong = (characters: number): void =>
    setNotice(
      `${count(characters)} characters were not taken: 10 MB and 10,000 documents are judged at most. Split the file.`,
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
      <div className={styles.columns} data-view={state.view}>
        {state.view === "editor" && !narrow ? (
          <>
            <FileList drafts={drafts} judged={judged} onTooLong={tooLong} />
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
          <Coverage change={change} drafts={drafts} onLine={showLine} />
        ) : state.view === "generate" ? (
          <Generate change={change} loaded={loaded} drafts={drafts} onDone={() => state.setView("editor")} />
        ) : state.view === "compare" ? (
          <Compare change={change} drafts={drafts} loaded={loaded} />
        ) : (
          <MatrixView change={change} onLine={showLine} />
        )}
      </div>
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

function HeadTools({
  state,
  drafts,
  narrow,
  onNotice,
}: {
  readonly state: PoliciesState;
  readonly drafts: DraftsState;
  readonly narrow: boolean;
  onNotice(text: string): void;
}) {
  const { files } = drafts.drafts;
  const active = files.find((file) => file.id === drafts.drafts.active);
  const share = async (): Promise<void> => {
    const hash = await shareHash(
      files.map(({ name, text, inForce }) => ({ name, text, inForce: inForce !== undefined })),
    );
    if (hash.length > MOST_LINK)
      return onNotice(
        `The link would have ${count(hash.length)} characters, more than most programs take. Download the files instead.`,
      );
    await navigator.clipboard.writeText(location.origin + location.pathname + location.search + hash);
    onNotice(
      `Link with ${count(files.length)} ${files.length === 1 ? "file" : "files"} copied. The texts are in the link itself; no server keeps them.`,
    );
  };
  return (
    <>
      <span className={styles.views}>
        <Segmented
          label="View of policies"
          value={state.view}
          onChange={state.setView}
          options={(Object.keys(VIEW_WORDS) as PoliciesView[])
            .filter((view) => !narrow || view !== "matrix")
            .map((value) => ({ value, label: narrow && value === "editor" ? "Impact" : VIEW_WORDS[value] }))}
        />
      </span>
      {narrow ? null : (
        <>
          <label className={styles.judgeAs}>
            Judge as
            <select
              value={state.as ?? ""}
              onChange={(event) => state.setAs(PROFILES.find((profile) => profile === event.target.value))}
            >
              <option value="">the kinds say</option>
              {PROFILES.map((profile) => (
                <option key={profile} value={profile}>
                  {PROFILE_WORDS[profile]}
                </option>
              ))}
            </select>
          </label>
          <Button
            disabled={files.length === 0}
            onClick={() => void share().catch(() => onNotice("The browser let no link be copied."))}
          >
            <Link2 size={14} aria-hidden="true" />
            Share
          </Button>
          <Button
            disabled={active === undefined}
            onClick={() =>
              void navigator.clipboard.writeText(active?.text ?? "").then(
                () => onNotice("YAML copied."),
                () => onNotice("The browser let nothing be copied."),
              )
            }
          >
            <Copy size={14} aria-hidden="true" />
            Copy YAML
          </Button>
        </>
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
