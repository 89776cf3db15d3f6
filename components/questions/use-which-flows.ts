"use client";

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { Flow } from "../../model/flow.ts";
import { TimelineAnswer } from "../../model/wire/answers/map.ts";
import { parseRowName } from "../flows/rows.ts";
import { ConnectionLife, FlowsPage } from "../../model/wire/answers/flows.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { ask } from "./ask.ts";
import { useQuestion, type Answer } from "./use-question.ts";

const PAGE = 200;

/** The rows of the range, newest first, page after page. `to` is fixed by the caller, so that new rows shift nothing. */
export function useWhichFlows(toMs: number) {
  const { q, scope } = useUrlState();
  const range = useViewRange();
  const params = { from: toMs - range.lengthMs, to: toMs, q, scope: scope.join(","), limit: PAGE };
  return useInfiniteQuery({
    queryKey: ["which-flows", params],
    initialPageParam: "",
    queryFn: ({ signal, pageParam }) => ask("/api/flows", { ...params, before: pageParam }, FlowsPage, signal),
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** Connections and failures over the range of the page. */
export function useFlowsOverTime(): Answer<TimelineAnswer> {
  return useQuestion("flows-over-time", "/api/timeline", TimelineAnswer, { params: { buckets: 90 } });
}

export interface NamedFlow {
  readonly flow: Flow | undefined;
  /** The store was asked and has no such row. */
  readonly isMissing: boolean;
}

/** The flow that a row's name in a link stands for, wherever in time it is. */
export function useNamedFlow(name: string | undefined): NamedFlow {
  const row = name === undefined ? undefined : parseRowName(name);
  const answer = useQuestion("named-flow", "/api/connection", ConnectionLife, {
    params: row === undefined ? {} : { row: row.rowId, at: row.at },
    enabled: row !== undefined,
    keepPrevious: false,
    ranged: false,
  });
  const flow = row === undefined ? undefined : answer.data?.flows.find((one) => one.rowId === row.rowId);
  return {
    flow,
    isMissing: name !== undefined && (row === undefined || (answer.data !== undefined && flow === undefined)),
  };
}

/** All that was reported of the connection of `flow`. */
export function useHowItLived(flow: Flow | undefined): Answer<ConnectionLife> {
  return useQuestion("how-it-lived", "/api/connection", ConnectionLife, {
    params: flow === undefined ? {} : { row: flow.rowId, at: Date.parse(flow.time) },
    enabled: flow !== undefined,
    keepPrevious: false,
    ranged: false, // a connection's life does not change with the page's range
  });
}
