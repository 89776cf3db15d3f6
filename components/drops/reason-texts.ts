/** The texts about reasons as this page needs them. 51 kB: loaded by use-reason-texts.ts after the page has its numbers. */
import type { Flow } from "../../model/flow.ts";
import { fillChecks, type FilledCheck } from "../../model/reasons/checks.ts";
import { describeErrno } from "../../model/reasons/errno.ts";
import { explainFailure } from "../../model/reasons/explain.ts";
import { explain, lower, type Explanation } from "../../model/reasons/explanation.ts";
import { checkValues, explainFlow } from "../../model/reasons/from-flow.ts";
import {
  isMost,
  joinDrops,
  type FailedConnection,
  type JoinedDrop,
  type ObservedDrop,
} from "../../model/reasons/join.ts";
import { describeDrop } from "../../model/reasons/lookup.ts";
import type { Description } from "../../model/reasons/types.ts";
import type { FailedEdge } from "../../model/wire/answers/drops.ts";
import { count } from "../parts/numbers.ts";

export { describeDrop, describeErrno, explainFlow, lower };

type EdgeCause = FailedEdge["causes"][number];

/** Why the attempts of an edge failed. */
export interface EdgeExplanation {
  readonly explanation: Explanation;
  /** The likeliest drop behind them, `undefined` when none joins. */
  readonly cause: EdgeCause | undefined;
  /** `because`, or `in 12 of 30 tries`; "" without a cause. */
  readonly how: string;
  readonly because: boolean;
}

/** The commands of a description, with the values of a real packet where there is one. */
export function checksOf(
  description: Pick<Description, "checks">,
  flow: Flow | null | undefined,
): readonly FilledCheck[] {
  return fillChecks(description, flow === null || flow === undefined ? {} : checkValues(flow));
}

/**
 * Puts the sums of an edge through the same rules as a single connection: the joined drops ranked by what decides, and "because"
 * only where most of the tries had one.
 */
export function explainEdge(edge: FailedEdge): EdgeExplanation {
  const connection: FailedConnection = {
    protocol: edge.protocol,
    client: "client",
    clientPort: 1,
    server: "server",
    serverPort: edge.port,
    startMs: edge.firstSeen,
    endMs: edge.lastSeen,
  };
  const drops = overNodes(edge).map((cause) => ({ cause, drop: dropOf(edge, cause) }));
  const joined = joinDrops(
    connection,
    drops.map(({ drop }) => drop),
  );
  const first = joined[0];
  const cause = drops.find(({ drop }) => drop === first?.drop)?.cause;
  const because = cause !== undefined && isMost(cause.failures, edge.failed);
  const facts = {
    errno: describeErrno(edge.reason).number ?? -1,
    port: edge.port,
    connectLatencyMs: edge.medianWaitUs === null ? undefined : edge.medianWaitUs / 1000,
    drops: because ? joined : [],
  };
  const explanation =
    facts.errno === -1
      ? explain(facts, edge.reason, "unknown", [describeErrno(edge.reason).meaning], undefined)
      : explainFailure(facts);
  return {
    explanation: because || first === undefined ? explanation : partly(edge, explanation, first, cause!),
    cause,
    because,
    how: how(edge, cause, because),
  };
}

function how(edge: FailedEdge, cause: EdgeCause | undefined, because: boolean): string {
  if (cause === undefined) return "";
  return because ? "because" : `in ${count(cause.failures)} of ${count(edge.failed)} tries`;
}

/** The drops behind an edge's failures by reason, function and direction; the node is told where it is one. Most tries first. */
export function overNodes(edge: FailedEdge): readonly EdgeCause[] {
  const merged = new Map<string, EdgeCause>();
  for (const cause of edge.causes) {
    const key = `${cause.reason} ${cause.location} ${String(cause.reversed)}`;
    const old = merged.get(key);
    merged.set(key, {
      ...cause,
      node: old === undefined || old.node === cause.node ? cause.node : "",
      drops: cause.drops + (old?.drops ?? 0),
      // A try whose packets died on two nodes counts on both.
      failures: Math.min(edge.failed, cause.failures + (old?.failures ?? 0)),
    });
  }
  return [...merged.values()].toSorted((a, b) => b.failures - a.failures);
}

/** Too few tries had the drop to call it the reason: it is told beside what else is known. */
function partly(edge: FailedEdge, explanation: Explanation, first: JoinedDrop, cause: EdgeCause): Explanation {
  const { title } = first.description;
  const words = describeErrno(edge.reason).inWords;
  return {
    ...explanation,
    title: `${words}; ${how(edge, cause, false)}: ${lower(title)}`,
    certainty: "likely",
    sentences: [
      `${first.description.meaning} This was seen ${how(edge, cause, false)}; what stopped the others is not known.`,
    ],
    cause: first,
  };
}

/** All SYNs of one try share a port, so the sums of an edge stand for one connection here. */
function dropOf(edge: FailedEdge, cause: EdgeCause): ObservedDrop {
  const [src, sport, dst, dport] = cause.reversed
    ? (["server", edge.port, "client", 1] as const)
    : (["client", 1, "server", edge.port] as const);
  return {
    reason: cause.reason,
    location: cause.location,
    protocol: edge.protocol,
    src,
    sport,
    dst,
    dport,
    count: cause.drops,
    firstMs: edge.firstSeen,
    lastMs: edge.lastSeen,
    node: cause.node === "" ? undefined : cause.node,
  };
}
