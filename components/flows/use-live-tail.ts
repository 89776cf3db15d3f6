"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import type { Flow } from "../../model/flow.ts";
import { setNewWhilePaused } from "../frame/new-while-paused.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useLive, type LiveAnswer } from "../questions/live.tsx";

/** A page holds this many live rows; older ones are in the history below. */
const MOST_ROWS = 2_000;

/** Rows reach the store within about a second; more when it is busy. */
const STORED_AFTER_MS = 4_000;

export interface LiveTail extends LiveAnswer {
  /** Newest first. */
  readonly flows: readonly Flow[];
  /** When the tail began, ms: history ends there. */
  readonly sinceMs: number;
}

/** Flows as they happen, under the page's filter and scope. Paused: the rows stay, new ones are only counted. */
export function useLiveTail(startMs: number): LiveTail {
  const { q, scope, live, rangeText } = useUrlState();
  const following = rangeText.to === "now";
  const [flows, setFlows] = useState<readonly Flow[]>([]);
  const [sinceMs, setSince] = useState(startMs);
  const held = useRef(0);
  const filter = scope.length === 0 ? q : `${q} ns:${scope.join(",")}`.trim();
  useEffect(() => {
    setFlows([]);
    setSince(Date.now());
    held.current = 0;
    setNewWhilePaused(0);
    // What was on its way to the store when the tail began is there a moment later; rows that both have are shown once.
    const again = setTimeout(() => setSince(Date.now()), STORED_AFTER_MS);
    return () => {
      clearTimeout(again);
      setNewWhilePaused(0);
    };
  }, [filter, following]);
  useEffect(() => {
    if (!live || held.current === 0) return;
    // Resumed: what was only counted is read from the store.
    held.current = 0;
    setNewWhilePaused(0);
    setFlows([]);
    setSince(Date.now());
    const again = setTimeout(() => setSince(Date.now()), STORED_AFTER_MS);
    return () => clearTimeout(again);
  }, [live]);
  const take = useCallback(
    (batch: readonly Flow[]) => {
      if (!live) {
        held.current += batch.length;
        setNewWhilePaused(held.current);
        return;
      }
      const newest = batch.toSorted((a, b) => (a.time < b.time ? 1 : -1));
      setFlows((old) => [...newest, ...old].slice(0, MOST_ROWS));
    },
    [live],
  );
  const answer = useLive({ filter, enabled: following }, take);
  return { ...answer, flows, sinceMs };
}
