"use client";

import { FileInput, Plus, ShieldCheck } from "lucide-react";
import { useRef } from "react";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Tooltip } from "../parts/Tooltip.tsx";
import type { Judged } from "./answers.ts";
import type { DraftsState } from "./use-drafts.ts";
import { MOST_CHARACTERS, type Draft } from "./drafts.ts";
import styles from "./Policies.module.css";

/** The files of this browser with their state, and the policies in them. */
export function FileList({
  drafts,
  judged,
  onTooLong,
}: {
  readonly drafts: DraftsState;
  readonly judged: Judged | undefined;
  onTooLong(characters: number): void;
}) {
  const { files, active } = drafts.drafts;
  const inForce = files.filter((file) => file.inForce !== undefined).length;
  return (
    <nav className={styles.files} aria-label="Files of policies">
      <div className={styles.filesHead}>
        <span>
          {count(files.length)} {files.length === 1 ? "file" : "files"}, {count(inForce)} in force
        </span>
        <OpenFile drafts={drafts} onTooLong={onTooLong} />
        <Tooltip text="New file">
          <Button
            look="bare"
            small
            iconOnly
            aria-label="New file"
            onClick={() => drafts.act({ kind: "add", name: "policy.yaml", text: "" })}
          >
            <Plus size={14} aria-hidden="true" />
          </Button>
        </Tooltip>
      </div>
      <ul>
        {files.map((file) => (
          <li key={file.id}>
            <button
              type="button"
              className={styles.file}
              aria-current={file.id === active ? "true" : undefined}
              onClick={() => drafts.act({ kind: "show", id: file.id })}
            >
              <span className={styles.fileName}>{file.name.replace(/\.ya?ml$/, "")}</span>
              <span className={styles.fileState}>{stateOf(file)}</span>
            </button>
            <Policies file={file} judged={judged} />
          </li>
        ))}
      </ul>
      <p className={styles.filesFoot}>
        <ShieldCheck size={13} aria-hidden="true" />
        Kept in this browser only. Nothing is applied to a cluster.
      </p>
    </nav>
  );
}

function stateOf(file: Draft): string {
  if (file.inForce === undefined) return "draft";
  return file.inForce === file.text ? "in force" : "changed";
}

function Policies({ file, judged }: { readonly file: Draft; readonly judged: Judged | undefined }) {
  const policies = judged?.policies.filter((policy) => policy.file === file.name) ?? [];
  if (policies.length === 0) return null;
  return (
    <ul className={styles.policies}>
      {policies.slice(0, 8).map((policy) => (
        <li
          key={`${policy.kind} ${policy.namespace} ${policy.name} ${policy.line}`}
          title={`${policy.kind}, line ${policy.line}`}
        >
          {policy.namespace === "" ? "" : `${policy.namespace}/`}
          {policy.name}
          <span>
            {policy.selects === undefined ? "" : `${policy.selects} ${policy.selects === 1 ? "workload" : "workloads"}`}
          </span>
        </li>
      ))}
      {policies.length > 8 ? <li>{count(policies.length - 8)} more</li> : null}
    </ul>
  );
}

/** Opens files of this machine as drafts. */
export function OpenFile({ drafts, onTooLong }: { readonly drafts: DraftsState; onTooLong(characters: number): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Tooltip text="Open files">
        <Button look="bare" small iconOnly aria-label="Open files" onClick={() => input.current?.click()}>
          <FileInput size={14} aria-hidden="true" />
        </Button>
      </Tooltip>
      <input
        ref={input}
        type="file"
        multiple
        accept=".yaml,.yml,.json"
        className="visually-hidden"
        tabIndex={-1}
        aria-label="Files of policies to open"
        onChange={(event) => {
          const chosen = [...(event.target.files ?? [])];
          event.target.value = "";
          for (const file of chosen) {
            if (file.size > MOST_CHARACTERS) onTooLong(file.size);
            else void file.text().then((text) => drafts.act({ kind: "add", name: file.name, text }));
          }
        }}
      />
    </>
  );
}
