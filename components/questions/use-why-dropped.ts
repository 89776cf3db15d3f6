"use client";

import {
  DropCauses,
  DropsFacetsAnswer,
  DropsSeries,
  ExampleAnswer,
  FailuresAnswer,
} from "../../model/wire/answers/drops.ts";
import { useState } from "react";
import { useViewRange } from "../frame/view-range.tsx";
import type { AskParams } from "./ask.ts";
import { useQuestion, type Answer } from "./use-question.ts";

export type DropsBy = "reason" | "source" | "node";

/** Dropped packets over the range by reason, source or node; `noise`: what is normal, too. */
export function useWhenDropped(by: DropsBy, noise: boolean): Answer<DropsSeries> {
  return useQuestion("when-dropped", "/api/drops", DropsSeries, { params: { by, noise: flag(noise) } });
}

/** The same packets counted by reason, source, destination, port and node, and what is hidden as normal. */
export function useWhatDropped(noise: boolean): Answer<DropsFacetsAnswer> {
  return useQuestion("what-dropped", "/api/drops/facets", DropsFacetsAnswer, { params: { noise: flag(noise) } });
}

/** Reasons by edge: why packets were dropped, and whose. */
export function useWhyDropped(noise: boolean): Answer<DropCauses> {
  return useQuestion("why-dropped", "/api/drops/causes", DropCauses, { params: { noise: flag(noise) } });
}

/** Failed attempts by edge and error, with the drops behind them. */
export function useWhatFailed(): Answer<FailuresAnswer> {
  return useQuestion("what-failed", "/api/failures", FailuresAnswer);
}

/** Causes and failures of the time before the range, as long as the range itself; only asked when they are compared. */
export function useWhatWasBefore(
  noise: boolean,
  enabled: boolean,
): { readonly causes: Answer<DropCauses>; readonly failures: Answer<FailuresAnswer> } {
  const range = useViewRange();
  const before = { from: range.from - range.lengthMs, to: range.from };
  return {
    causes: useQuestion("why-dropped", "/api/drops/causes", DropCauses, {
      params: { ...before, noise: flag(noise), limit: 1000 },
      enabled,
    }),
    failures: useQuestion("what-failed", "/api/failures", FailuresAnswer, {
      params: { ...before, limit: 1000 },
      enabled,
    }),
  };
}

/** One real case of a dropped packet: a row and the reports of its connection. */
export function useExampleOfDrop(params: AskParams): Answer<ExampleAnswer> {
  const range = useSteadyRange();
  return useQuestion("example-of-drop", "/api/drops/example", ExampleAnswer, { params: { ...range, ...params } });
}

/** One real case of a failed attempt. */
export function useExampleOfFailure(params: AskParams): Answer<ExampleAnswer> {
  const range = useSteadyRange();
  return useQuestion("example-of-failure", "/api/failures/example", ExampleAnswer, { params: { ...range, ...params } });
}

/** The page's range; while it is live, what it was when the question was first asked, so that an example stays while it is read. */
function useSteadyRange(): { readonly from: number; readonly to: number } {
  const { from, to, live } = useViewRange();
  const [first] = useState({ from, to });
  return live ? first : { from, to };
}

function flag(on: boolean): "1" | "0" {
  return on ? "1" : "0";
}
