"use client";

import { X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Profile } from "../../policy/world.ts";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import type { EditAnswer, EditRequest, Judged, PolicyText } from "./answers.ts";
import { Difference } from "./Difference.tsx";
import styles from "./EditDialog.module.css";
import type { WhatIfClient } from "./what-if-client.ts";

interface Props {
  readonly client: WhatIfClient;
  readonly files: readonly PolicyText[];
  readonly profile: Profile | undefined;
  readonly request: EditRequest;
  onRequest(request: EditRequest): void;
  onTake(edit: EditAnswer): void;
  onClose(): void;
}

/** The smallest edit for an edge, as a diff with its impact, before it is taken. */
export function EditDialog({ client, files, profile, request, onRequest, onTake, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { edit, impact, failure } = useEdit(client, files, profile, request);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const nothing = edit !== undefined && edit.before === edit.after;
  const { source, destination, port } = request;
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby="edit-title"
      onClose={onClose}
      onClick={(event) => (event.target === dialog.current ? onClose() : undefined)}
    >
      <div className={styles.dialogInside}>
        <header>
          <h2 id="edit-title">
            {source.workload} → {destination.workload}
            {port === "" ? "" : `, ${port}`}
          </h2>
          <Button look="bare" iconOnly aria-label="Close" onClick={onClose}>
            <X size={14} aria-hidden="true" />
          </Button>
        </header>
        <Segmented
          label="What to do"
          value={request.action}
          onChange={(action) => onRequest({ ...request, action })}
          options={[
            { value: "allow", label: "Allow this" },
            { value: "deny", label: "Deny this" },
            { value: "only", label: "Only this" },
          ]}
        />
        <p className={styles.reason}>{failure ?? edit?.why ?? "Looking for the smallest edit"}</p>
        {edit === undefined || nothing ? null : (
          <>
            <p className={styles.diffName}>{edit.before === "" ? `New file ${edit.file}` : edit.file}</p>
            <div className={styles.diff}>
              <Difference before={edit.before} after={edit.after} />
            </div>
            <p className={styles.reason} role="status">
              {impact === undefined ? "Judging it" : impactWords(impact)}
            </p>
          </>
        )}
        <footer>
          <Button onClick={onClose}>Leave it</Button>
          <Button
            look="primary"
            disabled={edit === undefined || nothing}
            onClick={() => (edit === undefined ? undefined : onTake(edit))}
          >
            Take this edit
          </Button>
        </footer>
      </div>
    </dialog>
  );
}

function impactWords({ counts }: Judged): string {
  const part = (of: { readonly tuples: number; readonly connections: number }, words: string) =>
    `${count(of.tuples)} ${of.tuples === 1 ? "flow" : "flows"} (${count(of.connections)} connections) ${words}`;
  return `With it: ${part(counts["newly-denied"], "newly denied")}, ${part(counts["newly-allowed"], "newly allowed")}, against what is in force today.`;
}

function useEdit(
  client: WhatIfClient,
  files: readonly PolicyText[],
  profile: Profile | undefined,
  request: EditRequest,
) {
  const key = useMemo(() => JSON.stringify(request), [request]);
  const [answer, setAnswer] = useState<{
    readonly key: string;
    readonly edit: EditAnswer | undefined;
    readonly impact: Judged | undefined;
    readonly failure: string | undefined;
  }>();
  useEffect(() => {
    let gone = false;
    const ask = async (): Promise<void> => {
      const response = await client.ask({ kind: "edit", files, request: JSON.parse(key) as EditRequest });
      if (gone || response.kind !== "edited") return;
      const edit = response.edited;
      setAnswer({ key, edit, impact: undefined, failure: edit === undefined ? "No edit can do this." : undefined });
      if (edit === undefined || edit.before === edit.after) return;
      const tried = await client.ask({ kind: "try", files: filesAfter(files, edit), profile });
      if (!gone && tried.kind === "judged") setAnswer({ key, edit, impact: tried.judged, failure: undefined });
      if (!gone && tried.kind === "refused")
        setAnswer({
          key,
          edit: undefined,
          impact: undefined,
          failure: `The edit can't be read again: ${tried.refused.problems[0]?.message ?? ""}.`,
        });
    };
    ask().catch((error: unknown) => {
      if (!gone && !(error instanceof DOMException))
        setAnswer({
          key,
          edit: undefined,
          impact: undefined,
          failure: error instanceof Error ? error.message : String(error),
        });
    });
    return () => {
      gone = true;
    };
  }, [client, files, profile, key]);
  const current = answer?.key === key ? answer : undefined;
  return { edit: current?.edit, impact: current?.impact, failure: current?.failure };
}

/** The files with an edit taken. */
export function filesAfter(files: readonly PolicyText[], edit: EditAnswer): readonly PolicyText[] {
  if (edit.before === "") return [...files, { name: edit.file, text: edit.after, inForce: undefined }];
  return files.map((file) => (file.name === edit.file ? { ...file, text: edit.after } : file));
}
