"use client";

import { HealthAnswer } from "../../model/wire/answers/status.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** This machine's collector: programs, rings, spool, store, in its own words. Asked again every 2 s. */
export function useCollectorHealth(): Answer<HealthAnswer> {
  return useQuestion("collector-health", "/api/health", HealthAnswer, { ranged: false, everyMs: 2_000 });
}
