"use client";

import { parseAsBoolean, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { MapMetric } from "./graph-from-answer.ts";
import type { MapLevel } from "./graph.ts";

const parsers = {
  view: parseAsStringLiteral(["map", "table"] as const),
  metric: parseAsStringLiteral(["connections", "bytes", "rtt"] as const).withDefault("connections"),
  level: parseAsStringLiteral(["workload", "namespace"] as const),
  trouble: parseAsBoolean.withDefault(false),
  focus: parseAsBoolean.withDefault(false),
  sel: parseAsString,
};

export interface MapState {
  /** Undefined: nobody chose; a narrow screen begins with the table. */
  readonly view: "map" | "table" | undefined;
  readonly metric: MapMetric;
  /** Undefined: by the number of workloads. */
  readonly level: MapLevel | undefined;
  readonly onlyTrouble: boolean;
  readonly focus: boolean;
  /** Key of the selected node or edge. */
  readonly selected: string | undefined;
  setView(view: "map" | "table"): void;
  setMetric(metric: MapMetric): void;
  setLevel(level: MapLevel): void;
  setOnlyTrouble(on: boolean): void;
  setFocus(on: boolean): void;
  select(key: string | undefined): void;
}

/** What the map page keeps in the URL beside scope, filter and range. */
export function useMapState(): MapState {
  const [state, set] = useQueryStates(parsers, { history: "replace" });
  return {
    view: state.view ?? undefined,
    metric: state.metric,
    level: state.level ?? undefined,
    onlyTrouble: state.trouble,
    focus: state.focus,
    selected: state.sel ?? undefined,
    setView: (view) => void set({ view }),
    setMetric: (metric) => void set({ metric }),
    setLevel: (level) => void set({ level, sel: null }),
    setOnlyTrouble: (on) => void set({ trouble: on ? true : null }),
    setFocus: (on) => void set({ focus: on ? true : null }),
    select: (key) => void set({ sel: key ?? null }, { history: "push" }),
  };
}
