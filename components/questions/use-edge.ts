"use client";

import { EdgeDetails, NodeDetails, SeriesAnswer } from "../../model/wire/answers/map.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** What passed between the identities of one edge: ports, failures, drops, processes, talkers. */
export function useWhatPassed(sources: readonly string[], destinations: readonly string[]): Answer<EdgeDetails> {
  return useQuestion("what-passed", "/api/edge", EdgeDetails, {
    params: { src: sources.join(","), dst: destinations.join(",") },
    enabled: sources.length > 0 && destinations.length > 0,
  });
}

/** The same edge over time. */
export function useHowItWent(sources: readonly string[], destinations: readonly string[]): Answer<SeriesAnswer> {
  return useQuestion("how-it-went", "/api/edge/series", SeriesAnswer, {
    params: { src: sources.join(","), dst: destinations.join(",") },
    enabled: sources.length > 0 && destinations.length > 0,
  });
}

/** Who a node is and who it talks to. */
export function useWhoIsThis(identities: readonly string[]): Answer<NodeDetails> {
  return useQuestion("who-is-this", "/api/node", NodeDetails, {
    params: { id: identities.join(",") },
    enabled: identities.length > 0,
  });
}
