"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { PROFILES, type Profile } from "../../policy/world.ts";
import type { EditRequest, FlowEnd } from "./answers.ts";

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

/** `storefront/web→payments/payments:TCP 8443` as a question; without a port every port is meant. */
export function parseEdge(text: string): Omit<EditRequest, "action"> | undefined {
  const match = /^(.+)→(.+?)(?::((?:TCP|UDP|SCTP) \d+|\d+))?$/.exec(text);
  if (match === null) return undefined;
  const port = match[3] ?? "";
  return { source: endOf(match[1]!), destination: endOf(match[2]!), port: /^\d+$/.test(port) ? `TCP ${port}` : port };
}

export function edgeText({ source, destination, port }: Omit<EditRequest, "action">): string {
  return `${nameOf(source)}→${nameOf(destination)}${port === "" ? "" : `:${port}`}`;
}

function endOf(text: string): FlowEnd {
  const slash = text.indexOf("/");
  return { namespace: text.slice(0, Math.max(0, slash)), workload: text.slice(slash + 1) };
}

function nameOf({ namespace, workload }: FlowEnd): string {
  return `${namespace}/${workload}`;
}
