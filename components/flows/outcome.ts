import type { Flow } from "../../model/flow.ts";
import type { Tone } from "../parts/colors.ts";
import { failureWords } from "../map/failure-words.ts";

/** What a row tells, in a word or two. */
export function outcomeWords(flow: Flow): string {
  switch (flow.kind) {
    case "open":
      return "open";
    case "close":
      return flow.reason === "" ? "closed" : `closed, ${failureWords(flow.reason)}`;
    case "alive":
      return "still open";
    case "fail":
      return failureWords(flow.reason);
    case "datagram":
      return flow.opened > 0 ? "began" : "datagrams";
    case "drop":
      return flow.drops > 1 ? `dropped ${flow.drops}×` : "dropped";
    case "verdict":
      return flow.verdict;
  }
}

/** The role of a row: trouble first, retransmits next, healthy else. */
export function outcomeTone(flow: Flow): Tone {
  if (flow.kind === "fail" || flow.kind === "drop" || flow.verdict === "denied") return "denied";
  if (flow.retransmits > 0) return "degraded";
  return flow.verdict === "unknown" ? "gone" : "allowed";
}
