"use client";

import { parseAsArrayOf, parseAsString, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { EVERYTHING, type Filter, type FilterProblem } from "../../model/filter/ast.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { LAST_15_MINUTES, type TimeRangeText } from "../../model/time-range.ts";

const liveParser = parseAsString.withDefault("1");

const parsers = {
  scope: parseAsArrayOf(parseAsString).withDefault([]),
  q: parseAsString.withDefault(""),
  from: parseAsString.withDefault(LAST_15_MINUTES.from),
  to: parseAsString.withDefault(LAST_15_MINUTES.to),
  live: liveParser,
};

export interface UrlState {
  /** Namespaces in view; empty = all. */
  readonly scope: readonly string[];
  /** The filter as it was typed. */
  readonly q: string;
  readonly filter: Filter;
  /** Non-empty: `filter` holds what could be read, the field shows the rest. */
  readonly problems: readonly FilterProblem[];
  readonly rangeText: TimeRangeText;
  /** Follows the clock: `to` is `now` and nobody paused. */
  readonly live: boolean;
  setScope(scope: readonly string[]): void;
  setFilter(text: string): void;
  /** A new range; history gets an entry, so Back undoes a zoom. Absolute ends stop live mode. */
  setRange(range: TimeRangeText): void;
  /** From a brush or a scrubber, in ms. */
  zoomTo(from: number, to: number): void;
  setLive(live: boolean): void;
}

/** What every page shares, all of it in the URL: scope, filter, range, live. Page-local state: `useQueryState` of nuqs. */
export function useUrlState(): UrlState {
  const [state, set] = useQueryStates(parsers, { history: "replace" });
  const { filter, problems } = useMemo(
    () => (state.q === "" ? { filter: EVERYTHING, problems: [] } : parseFilter(state.q)),
    [state.q],
  );
  return useMemo(() => {
    const setRange = (range: TimeRangeText): void => {
      void set({ from: range.from, to: range.to, ...(range.to === "now" ? {} : { live: "0" }) }, { history: "push" });
    };
    return {
      scope: state.scope,
      q: state.q,
      filter,
      problems,
      rangeText: { from: state.from, to: state.to },
      live: state.live === "1" && state.to === "now",
      setScope: (scope) => void set({ scope: scope.length === 0 ? null : [...scope] }, { history: "push" }),
      setFilter: (text) => void set({ q: text === "" ? null : text }, { history: "push" }),
      setRange,
      zoomTo: (from, to) => setRange({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
      setLive: (live) => void set(live ? { live: "1", ...(state.to === "now" ? {} : LAST_15_MINUTES) } : { live: "0" }),
    };
  }, [state, filter, problems, set]);
}
