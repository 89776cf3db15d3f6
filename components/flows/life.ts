import type { Flow } from "../../model/flow.ts";
import type { Tone } from "../parts/colors.ts";
import { bytes, count, duration } from "../parts/numbers.ts";
import { failureWords } from "../map/failure-words.ts";

/** One step in the life of a connection. `atUs` counts from its beginning. */
export interface LifeStep {
  readonly key: string;
  readonly atUs: number;
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
}

/** Microseconds since 1970 of an ISO time with nanoseconds; a double holds them. */
export function microsecondsOf(iso: string): number {
  return Date.parse(`${iso.slice(0, 19)}Z`) * 1000 + Math.floor(Number(iso.slice(20, 29).padEnd(9, "0")) / 1000);
}

/** The reports of one connection as steps, oldest first: both ends' reports of the same moment are one step. */
export function lifeSteps(flows: readonly Flow[]): readonly LifeStep[] {
  if (flows.length === 0) return [];
  const begin = Math.min(...flows.map(beganUs));
  const steps: LifeStep[] = [];
  const opening =
    flows.find((flow) => flow.kind === "open" && flow.reporter === "client") ??
    flows.find((flow) => flow.kind === "fail");
  if (opening !== undefined) {
    steps.push({
      key: `${opening.rowId} connect`,
      atUs: 0,
      tone: "allowed",
      title: "Connect",
      detail: `first SYN, ${ownerWords(opening)}`,
    });
  }
  for (const flow of flows) {
    const step = stepOf(flow, flows);
    if (step !== undefined)
      steps.push({ ...step, key: flow.rowId, atUs: Math.max(0, microsecondsOf(flow.time) - begin) });
  }
  return steps.toSorted((a, b) => a.atUs - b.atUs);
}

/** When the connection of a report began: connect latency or duration before it. */
function beganUs(flow: Flow): number {
  const at = microsecondsOf(flow.time);
  if (flow.kind === "open") return at - (flow.reporter === "client" ? flow.connectUs : 0);
  if (flow.kind === "fail") return at - flow.durationUs;
  return at;
}

function stepOf(flow: Flow, all: readonly Flow[]): Omit<LifeStep, "key" | "atUs"> | undefined {
  switch (flow.kind) {
    case "open":
      if (flow.reporter === "server") return { tone: "allowed", title: "Accepted", detail: ownerWords(flow) };
      return {
        tone: "allowed",
        title: "Established",
        detail: flow.connectUs > 0 ? `after ${duration(flow.connectUs)}` : ownerWords(flow),
      };
    case "close": {
      const words = `${bytes(flow.bytesToServer)} sent, ${bytes(flow.bytesToClient)} received${flow.rttUs > 0 ? `, RTT ${duration(flow.rttUs)}` : ""}`;
      const resent = flow.retransmits > 0 ? `, ${count(flow.retransmits)} resent` : "";
      const tone: Tone = flow.reason !== "" ? "denied" : flow.retransmits > 0 ? "degraded" : "allowed";
      const what = flow.reason === "" ? "Closed" : `Ended: ${failureWords(flow.reason)}`;
      return { tone, title: `${what}, ${sideWords(flow)}`, detail: words + resent };
    }
    case "fail":
      return {
        tone: "denied",
        title: `Failed: ${failureWords(flow.reason)}`,
        detail: `${flow.reason}${flow.durationUs > 0 ? `, after ${duration(flow.durationUs)}` : ""}`,
      };
    case "drop":
      return {
        tone: "denied",
        title: flow.drops === 1 ? "A packet was dropped" : `${count(flow.drops)} packets were dropped`,
        detail: `${flow.reason}${flow.location === "" ? "" : ` in ${flow.location}`}, ${flow.node}${flow.device === "" ? "" : ` ${flow.device}`}`,
      };
    case "alive": {
      // The sweep reports every ten seconds: only those with news are steps.
      const isLast = all.findLast((other) => other.kind === "alive" && other.reporter === flow.reporter) === flow;
      if (flow.retransmits > 0)
        return {
          tone: "degraded",
          title: `${count(flow.retransmits)} retransmitted`,
          detail: `since the report before, ${sideWords(flow)}`,
        };
      return isLast
        ? {
            tone: "allowed",
            title: "Still open",
            detail: `${bytes(flow.bytesToServer)} sent, ${bytes(flow.bytesToClient)} received since the report before`,
          }
        : undefined;
    }
    case "datagram":
      if (flow.opened > 0) return { tone: "allowed", title: "First datagram", detail: ownerWords(flow) };
      return {
        tone: "allowed",
        title: "Datagrams",
        detail: `${count(flow.packetsToServer)} out, ${count(flow.packetsToClient)} back, ${sideWords(flow)}`,
      };
    case "verdict":
      return {
        tone: flow.verdict === "denied" ? "denied" : "allowed",
        title: `Policy: ${flow.verdict}`,
        detail: flow.direction,
      };
  }
}

function sideWords(flow: Flow): string {
  return flow.reporter === "client"
    ? "as the client saw it"
    : flow.reporter === "server"
      ? "as the server saw it"
      : "as seen on the path";
}

function ownerWords(flow: Flow): string {
  const process = flow.process === "" ? "" : `${flow.process}${flow.pid === 0 ? "" : `, pid ${flow.pid}`}`;
  return [process, flow.node].filter((part) => part !== "").join(", ");
}
