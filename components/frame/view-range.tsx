"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { milliseconds, type TimeRange } from "../../model/time.ts";
import { parseTimeRange } from "../../model/time-range.ts";
import { useUrlState } from "./use-url-state.ts";

/** The URL's range resolved against the clock: what every question on the page asks for. */
export interface ViewRange extends TimeRange {
  readonly live: boolean;
  /** Length in ms. */
  readonly lengthMs: number;
  /** What `now` meant when the range was resolved, ms. */
  readonly nowMs: number;
  /** How often a live window moves, in ms: about 1/300 of its length, 2 s to 60 s. */
  readonly stepMs: number;
  /** Undefined when the URL's range is right; else a sentence, and the last 15 minutes are shown. */
  readonly problem: string | undefined;
}

const FALLBACK_MS = 15 * 60_000;

const RangeContext = createContext<ViewRange | undefined>(undefined);

/** Resolves the URL's range once for the page and moves it on while live, in whole steps, so that all questions share a key. */
export function ViewRangeProvider({ children, startedAt }: { children: ReactNode; startedAt: number }) {
  const { rangeText, live } = useUrlState();
  const client = useQueryClient();
  const [now, setNow] = useState(startedAt);
  const resolved = useMemo(() => resolve(rangeText.from, rangeText.to, now), [rangeText.from, rangeText.to, now]);
  const stepMs = resolved.stepMs;
  // A range that is chosen anew means the now of that moment, paused or not; pausing alone must not move it.
  useEffect(() => setNow(wholeStep(stepMs)), [stepMs, rangeText.from, rangeText.to]);
  useEffect(() => {
    if (!live) return;
    const follow = (): void => {
      if (document.visibilityState !== "visible") return;
      // Moving on ends the questions about the old range: with a store that is slower than a step, none would ever be answered.
      if (client.isFetching({ predicate: (query) => query.state.data === undefined }) > 0) return;
      setNow(wholeStep(stepMs));
    };
    follow();
    const timer = setInterval(follow, stepMs);
    document.addEventListener("visibilitychange", follow);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", follow);
    };
  }, [live, stepMs, client]);
  const value = useMemo(() => ({ ...resolved, live }), [resolved, live]);
  return <RangeContext value={value}>{children}</RangeContext>;
}

/** Now, in whole steps: all questions of a step share a key. */
function wholeStep(stepMs: number): number {
  return Math.floor(Date.now() / stepMs) * stepMs;
}

function resolve(from: string, to: string, now: number): Omit<ViewRange, "live"> {
  const asked = parseTimeRange({ from, to }, milliseconds(now));
  const problem = "problem" in asked ? asked.problem : undefined;
  const range = "problem" in asked ? { from: milliseconds(now - FALLBACK_MS), to: milliseconds(now) } : asked.range;
  const lengthMs = range.to - range.from;
  const stepMs = Math.min(60_000, Math.max(2_000, Math.round(lengthMs / 300 / 1000) * 1000));
  return { from: range.from, to: range.to, nowMs: now, lengthMs, stepMs, problem };
}

/** The resolved range of this page. */
export function useViewRange(): ViewRange {
  const range = useContext(RangeContext);
  if (range === undefined) throw new Error("useViewRange outside of the frame");
  return range;
}
