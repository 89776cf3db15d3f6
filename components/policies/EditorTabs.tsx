"use client";

import { Download, FileText, PanelLeft, Pencil, Trash2, Undo2, X } from "lucide-react";
import { useState } from "react";
import { Button } from "../parts/Button.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import type { Draft } from "./drafts.ts";
import styles from "./Editor.module.css";
import type { DraftsState } from "./use-drafts.ts";

/** The open files, and what can be done with the one that is shown. */
export function EditorTabs({
  drafts,
  file,
  diff,
  onDiff,
  filesShown,
  onFiles,
}: {
  readonly drafts: DraftsState;
  readonly file: Draft | undefined;
  readonly diff: boolean;
  onDiff(on: boolean): void;
  readonly filesShown: boolean;
  onFiles(shown: boolean): void;
}) {
  const open = drafts.drafts.files.filter((it) => it.open);
  return (
    <div className={styles.tabs}>
      <Button
        look="bare"
        small
        className={styles.filesButton ?? ""}
        aria-pressed={filesShown}
        onClick={() => onFiles(!filesShown)}
      >
        <PanelLeft size={14} aria-hidden="true" />
        Files
      </Button>
      <ul className={styles.tabList}>
        {open.map((it) => (
          <li key={it.id} data-active={it.id === file?.id}>
            <button
              type="button"
              title={it.name}
              aria-current={it.id === file?.id ? "true" : undefined}
              onClick={() => drafts.act({ kind: "show", id: it.id })}
            >
              <FileText size={13} aria-hidden="true" />
              <span className={styles.tabName}>{shortName(it)}</span>
              {it.inForce !== undefined && it.inForce !== it.text ? (
                <span
                  className={styles.dot}
                  title={it.fromFolder === true ? "Differs from the disk" : "Differs from what is in force"}
                />
              ) : null}
            </button>
            <button
              type="button"
              className={styles.closeTab}
              aria-label={`Close the tab of ${it.name}`}
              onClick={() => drafts.act({ kind: "close", id: it.id })}
            >
              <X size={12} aria-hidden="true" />
            </button>
          </li>
        ))}
      </ul>
      {file === undefined ? null : <FileTools drafts={drafts} file={file} diff={diff} onDiff={onDiff} />}
    </div>
  );
}

/** The last part of a name: where it lies is in the list, and in the tab's title. */
function shortName({ name }: Draft): string {
  return name.slice(name.lastIndexOf("/") + 1).replace(/\.ya?ml$/, "");
}

function FileTools({
  drafts,
  file,
  diff,
  onDiff,
}: {
  readonly drafts: DraftsState;
  readonly file: Draft;
  readonly diff: boolean;
  onDiff(on: boolean): void;
}) {
  const [renaming, setRenaming] = useState(false);
  const changed = file.inForce !== undefined && file.inForce !== file.text;
  return (
    <div className={styles.fileTools}>
      {renaming ? (
        <input
          className={styles.rename}
          aria-label="Name of the file"
          defaultValue={file.name}
          autoFocus
          onBlur={(event) => {
            drafts.act({ kind: "rename", id: file.id, name: event.target.value });
            setRenaming(false);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
            if (event.key === "Escape") setRenaming(false);
          }}
        />
      ) : null}
      {changed ? (
        <Button look="bare" small aria-pressed={diff} onClick={() => onDiff(!diff)}>
          {file.fromFolder === true ? "Diff to disk" : "Diff to in force"}
        </Button>
      ) : null}
      {file.fromFolder === true ? null : (
        <Tooltip text="Rename">
          <Button look="bare" small iconOnly aria-label="Rename the file" onClick={() => setRenaming(true)}>
            <Pencil size={13} aria-hidden="true" />
          </Button>
        </Tooltip>
      )}
      <Tooltip text="Download">
        <Button look="bare" small iconOnly aria-label="Download the file" onClick={() => download(file)}>
          <Download size={13} aria-hidden="true" />
        </Button>
      </Tooltip>
      {file.fromFolder === true ? (
        <Tooltip text="Discard changes">
          <Button
            look="bare"
            small
            iconOnly
            aria-label="Discard the changes"
            disabled={!changed}
            onClick={() =>
              confirm(`Take back all changes of ${file.name}? What is on disk is shown then.`)
                ? drafts.act({ kind: "edit", id: file.id, text: file.inForce! })
                : undefined
            }
          >
            <Undo2 size={13} aria-hidden="true" />
          </Button>
        </Tooltip>
      ) : (
        <Tooltip text="Delete">
          <Button
            look="bare"
            small
            iconOnly
            aria-label="Delete the file"
            onClick={() =>
              confirm(`Delete ${file.name} from this browser?`)
                ? drafts.act({ kind: "delete", id: file.id })
                : undefined
            }
          >
            <Trash2 size={13} aria-hidden="true" />
          </Button>
        </Tooltip>
      )}
    </div>
  );
}

function download({ name, text }: Draft): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  Object.assign(document.createElement("a"), { href: url, download: name.slice(name.lastIndexOf("/") + 1) }).click();
  URL.revokeObjectURL(url);
}
