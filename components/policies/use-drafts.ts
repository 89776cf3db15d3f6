"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { afterAction, keepDrafts, readDrafts, type DraftAction, type Drafts } from "./drafts.ts";
import { sharedDrafts } from "./share.ts";

/** Typing is kept after so long without a key; leaving the page keeps at once. */
const KEEP_AFTER_MS = 300;

export interface DraftsState {
  readonly drafts: Drafts;
  /** False until this browser's files were read. */
  readonly read: boolean;
  /** When they were last kept, ms since 1970; undefined: not yet. */
  readonly keptAt: number | undefined;
  /** True: there is no room for them in the browser; a reload would lose the newest changes. */
  readonly full: boolean;
  act(action: DraftAction): void;
}

/** The files of this browser and those that a link brought. */
export function useDrafts(): DraftsState {
  const [drafts, setDrafts] = useState<Drafts>({ files: [], active: undefined });
  const [read, setRead] = useState(false);
  const [keptAt, setKeptAt] = useState<number>();
  const [full, setFull] = useState(false);
  const latest = useRef(drafts);
  const timer = useRef(0);
  const dirty = useRef(false);

  const keep = useCallback(() => {
    clearTimeout(timer.current);
    if (!dirty.current) return;
    dirty.current = false;
    const kept = keepDrafts(localStorage, latest.current);
    setFull(!kept);
    if (kept) setKeptAt(Date.now());
  }, []);

  const act = useCallback(
    (action: DraftAction) => {
      latest.current = afterAction(latest.current, action);
      dirty.current = true;
      setDrafts(latest.current);
      clearTimeout(timer.current);
      timer.current = window.setTimeout(keep, KEEP_AFTER_MS);
    },
    [keep],
  );

  useEffect(() => {
    latest.current = readDrafts(localStorage);
    setDrafts(latest.current);
    setRead(true);
    void sharedDrafts(location.hash).then((shared) => {
      if (shared === undefined) return;
      history.replaceState(history.state, "", location.pathname + location.search); // a reload must not bring them again
      for (const file of shared)
        if (!latest.current.files.some((it) => it.name === file.name && it.text === file.text))
          act({ kind: "add", ...file });
    });
    const leave = (): void => keep();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      keep();
    };
  }, [act, keep]);

  return { drafts, read, keptAt, full, act };
}
