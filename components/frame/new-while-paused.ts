"use client";

import { useSyncExternalStore } from "react";

/** How many rows arrived since Pause was pressed. The page that shows rows sets it; the Live button reads it. */
const watchers = new Set<() => void>();
const state = { fresh: 0 };

export function setNewWhilePaused(fresh: number): void {
  if (state.fresh === fresh) return;
  state.fresh = fresh;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useNewWhilePaused(): number {
  return useSyncExternalStore(
    watch,
    () => state.fresh,
    () => 0,
  );
}
