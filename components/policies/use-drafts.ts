"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { afterAction, NO_DRAFTS, type DraftAction, type Drafts } from "./drafts.ts";
import { DraftsStore } from "./drafts-store.ts";
import { sharedDrafts } from "./share.ts";

/** Typing is kept after so long without a key; leaving the page keeps at once. */
const KEEP_AFTER_MS = 300;
/** Windows of one browser tell each other that something was kept. */
const CHANNEL = "weir-policy-drafts";

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
  const [drafts, setDrafts] = useState<Drafts>(NO_DRAFTS);
  const [read, setRead] = useState(false);
  const [keptAt, setKeptAt] = useState<number>();
  const [full, setFull] = useState(false);
  const latest = useRef(drafts);
  const store = useRef<DraftsStore>(undefined);
  const channel = useRef<BroadcastChannel>(undefined);
  const timer = useRef(0);
  const dirty = useRef(false);
  /** What is done before this browser's files were read; undefined: they were. */
  const early = useRef<DraftAction[] | undefined>([]);

  const keep = useCallback(async () => {
    clearTimeout(timer.current);
    if (!dirty.current || store.current === undefined) return;
    dirty.current = false;
    const kept = await store.current.keep(latest.current);
    setFull(!kept);
    if (!kept) return;
    setKeptAt(Date.now());
    channel.current?.postMessage("kept");
  }, []);

  const act = useCallback(
    (action: DraftAction) => {
      if (early.current !== undefined) return void early.current.push(action);
      const after = afterAction(latest.current, action);
      if (after === latest.current) return;
      latest.current = after;
      dirty.current = true;
      setDrafts(after);
      clearTimeout(timer.current);
      timer.current = window.setTimeout(() => void keep(), KEEP_AFTER_MS);
    },
    [keep],
  );

  useEffect(() => {
    const opened = new DraftsStore();
    store.current = opened;
    let gone = false;
    const take = async (): Promise<void> => {
      const kept = await opened.read();
      if (gone || dirty.current) return; // what is typed here is newer
      const shown = latest.current.active;
      const active = kept.files.some((file) => file.id === shown) ? shown : kept.active; // each window its own tab
      latest.current = { ...kept, active };
      setDrafts(latest.current);
    };
    void take()
      .then(() => {
        if (gone) return;
        setRead(true);
        const waiting = early.current ?? [];
        early.current = undefined;
        for (const action of waiting) act(action);
      })
      .then(() => sharedDrafts(location.hash))
      .then((shared) => {
        if (shared === undefined || gone) return;
        history.replaceState(history.state, "", location.pathname + location.search); // a reload must not bring them again
        for (const file of shared)
          if (!latest.current.files.some((it) => it.name === file.name && it.text === file.text))
            act({ kind: "add", ...file });
      });
    const told = new BroadcastChannel(CHANNEL);
    channel.current = told;
    told.onmessage = () => (dirty.current ? undefined : void take());
    const leave = (): void => {
      if (dirty.current) opened.leave(latest.current);
    };
    // A file of megabytes that came a moment ago has nowhere to go: the browser asks whether to wait for it.
    const stay = (event: BeforeUnloadEvent): void => {
      if (dirty.current && !opened.leave(latest.current)) event.preventDefault();
    };
    window.addEventListener("pagehide", leave);
    window.addEventListener("beforeunload", stay);
    return () => {
      gone = true;
      window.removeEventListener("beforeunload", stay);
      window.removeEventListener("pagehide", leave);
      leave();
      told.close();
    };
  }, [act]);

  return { drafts, read, keptAt, full, act };
}
