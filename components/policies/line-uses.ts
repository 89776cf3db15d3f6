/** Hot: counts of what each rule decides, two passes over all rows for each key that changes a verdict. */
import { NO_RULE, type CompiledPolicySet } from "../../policy/engine.ts";
import { VERDICT_BITS } from "../../policy/verdict.ts";
import type { WhatIf, WhatIfDiff } from "../../policy/what-if.ts";
import type { Judged, LineUse } from "./answers.ts";
import type { Selecting } from "./selecting.ts";
import type { Traffic } from "./traffic.ts";

const MOST_EDGES_A_LINE = 500;

/** What one rule, or the selection of one policy, decides. */
export interface Tally {
  allowed: number;
  newlyAllowed: number;
  denied: number;
  newlyDenied: number;
  /** Numbers of edges, the first 500. */
  readonly edges: Set<number>;
}

/** By index of the candidate's rules and policies. Without lines: where a rule stands may change and its count not. */
export interface Tallies {
  readonly rules: readonly Tally[];
  readonly policies: readonly Tally[];
}

/** Counts what every rule and every default of the candidate decides. */
export function talliesOf(traffic: Traffic, whatIf: WhatIf, diff: WhatIfDiff, selecting: Selecting): Tallies {
  const { edge, connections } = traffic;
  const { changes } = diff;
  const { code, egressRule, ingressRule } = diff.answers;
  const { source, destination } = whatIf.questions;
  const make = (): Tally => ({ allowed: 0, newlyAllowed: 0, denied: 0, newlyDenied: 0, edges: new Set() });
  const rules = diff.candidate.rules.map(make);
  const policies = diff.candidate.policies.map(make);
  const count = (direction: "egress" | "ingress", ruleOf: Int32Array, sideOf: Uint32Array, bit: number): void => {
    for (let row = 0; row < code.length; row++) {
      const rule = ruleOf[row]!;
      const denied = (code[row]! & bit) !== 0;
      if (rule !== NO_RULE) add(rules[rule]!, denied, changes[row]!, connections[row]!, edge[row]!);
      else if (denied)
        for (const at of selecting.of(sideOf[row]!, direction))
          add(policies[at]!, true, changes[row]!, connections[row]!, edge[row]!);
    }
  };
  count("egress", egressRule, source, VERDICT_BITS.egressDenied);
  count("ingress", ingressRule, destination, VERDICT_BITS.ingressDenied);
  return { rules, policies };
}

function add(tally: Tally, denied: boolean, change: number, connections: number, edge: number): void {
  if (denied) {
    tally.denied += connections;
    if (change === 1) tally.newlyDenied += connections;
  } else {
    tally.allowed += connections;
    if (change === 2) tally.newlyAllowed += connections;
  }
  if (tally.edges.size < MOST_EDGES_A_LINE) tally.edges.add(edge);
}

/** The counts at the lines where the rules stand now; `subjectLine` finds the line of a policy's selection. */
export function linesOf(
  { rules: byRule, policies: byPolicy }: Tallies,
  { rules, policies }: CompiledPolicySet,
  edges: Traffic["edges"],
  subjectLine: (file: string, line: number) => number,
  stateOf: (rule: number) => LineUse["state"],
): Judged["lines"] {
  const lines: Record<string, LineUse[]> = {};
  const put = (file: string, line: number, tally: Tally, state: LineUse["state"]) =>
    (lines[file] ??= []).push({ ...tally, line, state, edges: [...tally.edges].map((at) => edges[at]!.key) });
  for (const [at, rule] of rules.entries()) put(rule.file, rule.line, byRule[at]!, stateOf(at));
  for (const [at, policy] of policies.entries())
    if (byPolicy[at]!.denied > 0) put(policy.file, subjectLine(policy.file, policy.line), byPolicy[at]!, "decides");
  return lines;
}
