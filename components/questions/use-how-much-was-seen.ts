"use client";

import { StatusAnswer } from "../../model/wire/answers/status.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The books of the shown range, and whether store and collectors are there. Asked again every 5 s even while paused. */
export function useHowMuchWasSeen(): Answer<StatusAnswer> {
  return useQuestion("status", "/api/status", StatusAnswer, { everyMs: 5_000 });
}
