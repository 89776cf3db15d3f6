"use client";

import { TimelineAnswer } from "../../model/wire/answers/map.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { useQuestion, type Answer } from "./use-question.ts";

/** The scrubber shows this many times the chosen range, for context. */
export const CONTEXT_LENGTHS = 4;

export interface ContextRange {
  readonly from: number;
  readonly to: number;
}

/** The context of the page's range: four times its length, ending where it ends (or now, when that is later than three lengths on). */
export function useContextRange(): ContextRange {
  const range = useViewRange();
  return { from: range.to - CONTEXT_LENGTHS * range.lengthMs, to: range.to };
}

/** Connections and drops over the context of the range, for the scrubber. */
export function useWhatWentOn(): Answer<TimelineAnswer> {
  const context = useContextRange();
  return useQuestion("what-went-on", "/api/timeline", TimelineAnswer, {
    params: { from: context.from, to: context.to },
  });
}
