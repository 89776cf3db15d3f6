"use client";

import { parseAsBoolean, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo } from "react";
import type { DropsBy } from "../questions/use-why-dropped.ts";
import { parseSelection, selectionKey, type Selection } from "./cause-lines.ts";

const parsers = {
  by: parseAsStringLiteral(["reason", "source", "node"] as const).withDefault("reason"),
  noise: parseAsBoolean.withDefault(false),
  compare: parseAsBoolean.withDefault(false),
  sel: parseAsString,
};

export interface DropsState {
  /** What the chart is stacked by. */
  readonly by: DropsBy;
  /** What is normal is shown, too. */
  readonly noise: boolean;
  /** Numbers of the time before the range stand beside its own. */
  readonly compare: boolean;
  readonly selection: Selection | undefined;
  setBy(by: DropsBy): void;
  setNoise(on: boolean): void;
  setCompare(on: boolean): void;
  select(selection: Selection | undefined): void;
}

/** What the drops page keeps in the URL beside scope, filter and range. */
export function useDropsState(): DropsState {
  const [state, set] = useQueryStates(parsers, { history: "replace" });
  return useMemo(
    () => ({
      by: state.by,
      noise: state.noise,
      compare: state.compare,
      selection: parseSelection(state.sel),
      setBy: (by) => void set({ by }),
      setNoise: (on) => void set({ noise: on ? true : null }),
      setCompare: (on) => void set({ compare: on ? true : null }),
      select: (selection) => {
        // Walking through a table with j and k is one step back, not as many as rows.
        const walks = selection !== undefined && selection.kind === parseSelection(state.sel)?.kind;
        const sel = selection === undefined ? null : selectionKey(selection);
        void set({ sel }, { history: walks ? "replace" : "push" });
      },
    }),
    [state, set],
  );
}
