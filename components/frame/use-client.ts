"use client";

import { useSyncExternalStore } from "react";

const never = (): (() => void) => () => undefined;

/** False on the server and in the first render, true after: for what only the browser knows (time zone, platform). */
export function useClient(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
