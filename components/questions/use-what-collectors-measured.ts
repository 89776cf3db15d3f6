"use client";

import { HealthSeries } from "../../model/wire/answers/health.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** What the collectors measured of themselves over the range: lags, spool, losses by CPU and type, cost. */
export function useWhatCollectorsMeasured(): Answer<HealthSeries> {
  return useQuestion("health-series", "/api/health-series", HealthSeries, {
    params: { q: "", scope: "", buckets: 120 },
  });
}
