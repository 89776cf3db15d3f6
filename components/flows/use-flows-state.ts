"use client";

import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { EndStyle } from "./columns.tsx";

const parsers = {
  ends: parseAsStringLiteral(["names", "addresses"] as const).withDefault("names"),
  cols: parseAsArrayOf(parseAsString),
  row: parseAsString,
};

export interface FlowsState {
  readonly ends: EndStyle;
  /** Ids of the columns shown; undefined = the usual ones. */
  readonly columns: readonly string[] | undefined;
  /** `row id@time in ms` of the selected flow, so that a copied link opens it. */
  readonly row: string | undefined;
  setEnds(ends: EndStyle): void;
  setColumns(columns: readonly string[] | undefined): void;
  setRow(row: string | undefined): void;
}

/** What the flows page keeps in the URL beside scope, filter and range. */
export function useFlowsState(): FlowsState {
  const [state, set] = useQueryStates(parsers, { history: "replace" });
  return {
    ends: state.ends,
    columns: state.cols ?? undefined,
    row: state.row ?? undefined,
    setEnds: (ends) => void set({ ends }),
    setColumns: (columns) => void set({ cols: columns === undefined ? null : [...columns] }),
    setRow: (row) => void set({ row: row ?? null }),
  };
}
