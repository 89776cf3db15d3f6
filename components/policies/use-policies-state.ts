"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { PROFILES, type Profile } from "../../policy/world.ts";
import type { EditRequest } from "./answers.ts";
import { edgeText, parseEdge } from "./edge-text.ts";

export const VIEWS = ["editor", "coverage", "generate", "compare", "matrix"] as const;
export type PoliciesView = (typeof VIEWS)[number];

const parsers = {
  view: parseAsStringLiteral(VIEWS).withDefault("editor"),
  as: parseAsStringLiteral(PROFILES),
  allow: parseAsString,
  deny: parseAsString,
  only: parseAsString,
};

export interface PoliciesState {
  readonly view: PoliciesView;
  /** Whose reading of the policies; undefined: as the kinds ask for. */
  readonly as: Profile | undefined;
  /** The edit that a link asks for (`?allow=storefront/web→payments/payments:TCP 8443`). */
  readonly wanted: EditRequest | undefined;
  setView(view: PoliciesView): void;
  setAs(profile: Profile | undefined): void;
  want(request: EditRequest | undefined): void;
}

/** What the page keeps in the URL beside scope, filter and range. */
export function usePoliciesState(): PoliciesState {
  const [state, set] = useQueryStates(parsers, { history: "replace" });
  return useMemo(() => {
    const action = state.allow !== null ? "allow" : state.deny !== null ? "deny" : "only";
    const edge = parseEdge(state[action] ?? "");
    return {
      view: state.view,
      as: state.as ?? undefined,
      wanted: edge === undefined ? undefined : { action, ...edge },
      setView: (view) => void set({ view: view === "editor" ? null : view }, { history: "push" }),
      setAs: (profile) => void set({ as: profile ?? null }),
      want: (request) =>
        void set({
          allow: null,
          deny: null,
          only: null,
          ...(request === undefined ? {} : { [request.action]: edgeText(request), view: null }),
        }),
    };
  }, [state, set]);
}
