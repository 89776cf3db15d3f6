"use client";

import { useState, type DragEvent, type ReactNode } from "react";
import { droppedFiles } from "./file-intake.ts";
import styles from "./Policies.module.css";
import type { DraftsState } from "./use-drafts.ts";

/** The page as a place to drop files and folders on. The editor would put a dropped file's text at the cursor: it never sees one. */
export function DropZone({
  drafts,
  view,
  onNotice,
  children,
}: {
  readonly drafts: DraftsState;
  readonly view: string;
  onNotice(text: string): void;
  readonly children: ReactNode;
}) {
  const [over, setOver] = useState(false);
  const files = (event: DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return (
    <div
      className={styles.columns}
      data-view={view}
      onDragOverCapture={(event) => {
        if (!files(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDropCapture={(event) => {
        if (!files(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        droppedFiles(event.dataTransfer).then(
          ({ files: taken, notice }) => {
            drafts.act({ kind: "add all", files: taken });
            onNotice(notice);
          },
          () => onNotice("What was dropped could not be read."),
        );
      }}
    >
      {children}
      {over ? <p className={styles.drop}>Drop files or a folder of policies: they open as drafts</p> : null}
    </div>
  );
}
