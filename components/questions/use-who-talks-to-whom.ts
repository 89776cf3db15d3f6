"use client";

import { MapAnswer } from "../../model/wire/answers/map.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** Nodes and edges of the page's range, filter and scope. */
export function useWhoTalksToWhom(): Answer<MapAnswer> {
  return useQuestion("who-talks-to-whom", "/api/map", MapAnswer);
}
