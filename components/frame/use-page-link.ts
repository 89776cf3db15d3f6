"use client";

import type { Route } from "next";
import { useSearchParams } from "next/navigation";
import { useCallback } from "react";

const SHARED = ["scope", "q", "from", "to", "live"];

/**
 * Makes a link to another page that keeps scope, filter, range and live; `extra` adds or replaces (`undefined` removes).
 * `pageLink("/flows", { q: "reason:NO_SOCKET" })`.
 */
export function usePageLink(): (path: Route, extra?: Readonly<Record<string, string | undefined>>) => Route {
  const params = useSearchParams();
  return useCallback(
    (path, extra = {}) => {
      const query = new URLSearchParams();
      for (const name of SHARED) {
        const value = params.get(name);
        if (value !== null) query.set(name, value);
      }
      for (const [name, value] of Object.entries(extra)) {
        if (value === undefined) query.delete(name);
        else query.set(name, value);
      }
      return (query.size === 0 ? path : `${path}?${query.toString()}`) as Route;
    },
    [params],
  );
}
