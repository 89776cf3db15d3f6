"use client";

import { SystemStatus } from "../../model/wire/answers/status.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The books of the shown range, and whether store and collectors are there. Asked again every 5 s even while paused. */
export function useHowMuchWasSeen(): Answer<SystemStatus> {
  const { q, problems } = useUrlState();
  // A filter with a typo must not take the books away: the field says what is wrong with it.
  return useQuestion("status", "/api/status", SystemStatus, {
    everyMs: 5_000,
    params: { q: problems.length === 0 ? q : "" },
  });
}
