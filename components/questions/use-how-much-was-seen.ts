"use client";

import { SystemStatus } from "../../model/wire/answers/status.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The books of the shown range, and whether store and collectors are there. Asked again every 5 s even while paused. */
export function useHowMuchWasSeen(): Answer<SystemStatus> {
  return useQuestion("status", "/api/status", SystemStatus, { everyMs: 5_000 });
}
