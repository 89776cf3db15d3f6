"use client";

import { useEffect, useState } from "react";
import { MapAnswer } from "../../model/wire/answers/map.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { useQuestion, type Answer } from "./use-question.ts";

/**
 * Nodes and edges of the page's range, filter and scope. `latency`: with round-trip times, which cost the store as much as all the rest.
 * Once asked for, they stay until the range moves on: to leave them out again would be one more question.
 */
export function useWhoTalksToWhom(latency: boolean): Answer<MapAnswer> {
  const { to } = useViewRange();
  const [askedOf, setAskedOf] = useState<number>();
  useEffect(() => {
    if (latency) setAskedOf(to);
  }, [latency, to]);
  return useQuestion("who-talks-to-whom", "/api/map", MapAnswer, {
    params: { latency: latency || askedOf === to ? 1 : undefined },
  });
}
