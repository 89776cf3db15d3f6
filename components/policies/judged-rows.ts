/** Hot: which rows and edges an answer shows, one pass over all rows. */
import { NO_RULE } from "../../policy/engine.ts";
import { portText } from "../../policy/tuples.ts";
import { VERDICT_BITS } from "../../policy/verdict.ts";
import { changeOf, type Change, type WhatIf, type WhatIfDiff } from "../../policy/what-if.ts";
import type { DecidingLine, EdgeChange, FlowRow, Judged } from "./answers.ts";
import type { Selecting } from "./selecting.ts";
import type { Traffic } from "./traffic.ts";

/** Rows that cross to the page; the totals are said. */
const MOST_CHANGED = 2000;
const MOST_OTHERS = 500;

/** Codes of `WhatIfDiff.changes`. */
const CODE_OF: { readonly [C in Change]: number } = {
  "still-allowed": 0,
  "newly-denied": 1,
  "newly-allowed": 2,
  "still-denied": 3,
};
/** What an edge shows where its tuples differ: the first that is there. */
const EDGE_ORDER: readonly Change[] = ["newly-denied", "newly-allowed", "still-denied", "still-allowed"];

/** Rows of each list of the table, cut, with how many there are. */
export interface ChosenRows {
  readonly changed: readonly number[];
  readonly unchanged: readonly number[];
  readonly unjudged: readonly number[];
  readonly totals: Judged["totals"];
}

/** Changed rows by weight, newly denied first; of the unchanged, denied ones first: of what stays, they are what is looked for. */
export function chooseRows({ unknown, byWeight }: Traffic, diff: WhatIfDiff): ChosenRows {
  const { changes } = diff;
  const denied: number[] = [];
  const allowed: number[] = [];
  const unjudged: number[] = [];
  const totals = { changed: diff.newlyDenied.length + diff.newlyAllowed.length, unchanged: 0, unjudged: 0 };
  for (let row = 0; row < unknown.length; row++)
    if (unknown[row] === 1 && ++totals.unjudged <= MOST_OTHERS) unjudged.push(row);
  for (let at = 0; at < byWeight.length; at++) {
    const row = byWeight[at]!;
    const change = changes[row]!;
    if (unknown[row] === 1 || change === 1 || change === 2) continue;
    totals.unchanged++;
    const list = change === 3 ? denied : allowed;
    if (list.length < MOST_OTHERS) list.push(row);
  }
  return {
    changed: [...diff.newlyDenied, ...diff.newlyAllowed].slice(0, MOST_CHANGED),
    unchanged: [...denied, ...allowed].slice(0, MOST_OTHERS),
    unjudged,
    totals,
  };
}

/** A row as the table shows it. */
export function flowRow(
  { set, edge, edges, source, destination, nodes, unknown }: Traffic,
  diff: WhatIfDiff,
  row: number,
  by: DecidingLine | undefined,
  needsL7: boolean,
): FlowRow {
  const tuple = set.tuples[row]!;
  const [from, to] = [nodes[source[row]!]!, nodes[destination[row]!]!];
  return {
    row,
    change: changeOf(diff, row),
    source: { namespace: from.namespace, workload: from.name },
    destination: { namespace: to.namespace, workload: to.name },
    port: portText(tuple.protocol, tuple.port),
    family: tuple.family,
    connections: tuple.connections,
    lastSeen: tuple.lastSeen,
    edge: edges[edge[row]!]!.key,
    by,
    unknown: unknown[row] === 1,
    needsL7,
  };
}

/** The edges of the map with what becomes of them. */
export function edgesOf({ edge, edges, connections }: Traffic, { changes }: WhatIfDiff): EdgeChange[] {
  // Edge × change: connections, and whether there is any row at all.
  const sums = new Float64Array(edges.length * 4);
  const has = new Uint8Array(edges.length * 4);
  for (let row = 0; row < edge.length; row++) {
    const cell = edge[row]! * 4 + changes[row]!;
    sums[cell]! += connections[row]!;
    has[cell] = 1;
  }
  return edges.map((ends, at) => {
    const of = (change: number) => sums[at * 4 + change]!;
    return {
      ...ends,
      change: EDGE_ORDER.find((change) => has[at * 4 + CODE_OF[change]] === 1) ?? "still-allowed",
      connections: { "still-allowed": of(0), "newly-denied": of(1), "newly-allowed": of(2), "still-denied": of(3) },
    };
  });
}

/** The line that decides a row: where it is denied, the side that denies; else the rule nearest to the destination. */
export function decidingLine(
  { questions }: WhatIf,
  { answers, candidate }: WhatIfDiff,
  selecting: Selecting,
  subjectLine: (file: string, line: number) => number,
  row: number,
): DecidingLine | undefined {
  const { rules, policies } = candidate;
  const { code, egressRule, ingressRule } = answers;
  const denied = code[row]! & VERDICT_BITS.denied;
  const egressDenies = (denied & VERDICT_BITS.egressDenied) !== 0;
  if (denied === 0) {
    const direction = ingressRule[row] !== NO_RULE ? "ingress" : "egress";
    const rule = direction === "ingress" ? ingressRule[row]! : egressRule[row]!;
    if (rule === NO_RULE) return undefined;
    return { file: rules[rule]!.file, line: rules[rule]!.line, isDefault: false, direction };
  }
  const direction = egressDenies ? "egress" : "ingress";
  const rule = egressDenies ? egressRule[row]! : ingressRule[row]!;
  if (rule !== NO_RULE) return { file: rules[rule]!.file, line: rules[rule]!.line, isDefault: false, direction };
  const side = egressDenies ? questions.source[row]! : questions.destination[row]!;
  const policy = policies[selecting.of(side, direction)[0] ?? -1];
  return policy === undefined
    ? undefined
    : { file: policy.file, line: subjectLine(policy.file, policy.line), isDefault: true, direction };
}
