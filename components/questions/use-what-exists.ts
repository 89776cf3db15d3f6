"use client";

import { Completions } from "../../model/wire/answers/flows.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The values of a filter key that exist in the range and begin with `prefix`, with the rows that have them. */
export function useWhatExists(key: string, prefix: string, enabled: boolean): Answer<Completions> {
  return useQuestion("what-exists", "/api/complete", Completions, { params: { key, prefix, q: "" }, enabled });
}
