"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import type { Flow } from "../../model/flow.ts";
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
  });
}

/** All that was reported of the connection of `flow`. */
export function useHowItLived(flow: Flow | undefined): Answer<ConnectionLife> {
  return useQuestion("how-it-lived", "/api/connection", ConnectionLife, {
    params: flow === undefined ? {} : { row: flow.rowId, at: Date.parse(flow.time), q: "" },
    enabled: flow !== undefined,
    keepPrevious: false,
  });
}
