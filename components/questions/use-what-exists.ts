"use client";

import { CompleteAnswer } from "../../model/wire/answers/complete.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The values of a filter key that exist in the range and begin with `prefix`, with the rows that have them. */
export function useWhatExists(key: string, prefix: string, enabled: boolean): Answer<CompleteAnswer> {
  return useQuestion("what-exists", "/api/complete", CompleteAnswer, { params: { key, prefix, q: "" }, enabled });
}
