import { contradictions } from "../policy/contradictions.ts";
import { ruleUse, uncovered, wideRules } from "../policy/findings.ts";
import { ruleLabel, type RuleRef } from "../policy/verdict.ts";
import type { Profile, WorldConfig } from "../policy/world.ts";
import { WhatIf } from "../policy/what-if.ts";
import { basisText, contradictionCells } from "./whatif-print.ts";
import { profileOf, readPolicies, readTuples, table, type TupleSource, type Write } from "./policy-input.ts";

export interface PolicyCoverageOptions {
  readonly policies: readonly string[];
  readonly tuples: TupleSource;
  readonly profile?: Profile;
  readonly config?: WorldConfig;
  readonly format?: "table" | "json";
}

/** `weir policy coverage`: who has no policy, which rules are dead, redundant, shadowed, contradict each other or are wider than the traffic. 0, or 1 when there is any. */
export async function policyCoverage(options: PolicyCoverageOptions, write: Write): Promise<number> {
  const { documents } = await readPolicies(options.policies);
  const tuples = await readTuples(options.tuples);
  const whatIf = new WhatIf(
    {
      tuples,
      profile: profileOf(documents, options.profile),
      ...(options.config === undefined ? {} : { config: options.config }),
    },
    documents,
  );
  const uses = ruleUse(whatIf, whatIf.today, whatIf.todaysAnswers);
  const bare = uncovered(whatIf, whatIf.today);
  const idle = uses.filter((use) => use.state !== "used");
  const wide = wideRules(whatIf.today, uses);
  const { found: opposed, complete } = contradictions(whatIf.today);
  const findings = bare.length + idle.length + opposed.length + wide.length;
  if (options.format === "json") {
    const place = ({ rule }: { rule: RuleRef }) => ({
      rule: ruleLabel(rule),
      file: rule.file,
      line: rule.line,
      column: rule.column,
    });
    write(
      JSON.stringify({
        basis: whatIf.basis,
        uncovered: bare.map(({ identity, directions, connections }) => ({
          namespace: identity.namespace,
          workload: identity.workload,
          directions,
          connections,
        })),
        rules: uses.map((use) => ({
          ...place(use),
          state: use.state,
          matched: use.matched,
          decided: use.decided,
          connections: use.connections,
        })),
        contradictions: opposed.map((it) => ({
          ...place(it),
          why: it.why,
          by: place({ rule: it.by }),
          text: it.text,
        })),
        wide: wide.map(({ use, what, narrower }) => ({ ...place(use), what, narrower })),
      }),
    );
  } else {
    write(basisText(whatIf.basis));
    if (bare.length > 0) {
      write("");
      write("No policy selects");
      for (const line of table(
        ["WORKLOAD", "DIRECTION", "CONNECTIONS"],
        bare.map(({ identity, directions, connections }) => [
          `${identity.namespace}/${identity.workload}`,
          directions.join(", "),
          String(connections),
        ]),
      ))
        write(line);
    }
    if (idle.length > 0) {
      write("");
      write("Rules that change nothing");
      for (const line of table(
        ["RULE", "STATE", "WHERE"],
        idle.map((use) => [ruleLabel(use.rule), use.state, `${use.rule.file}:${use.rule.line}`]),
      ))
        write(line);
    }
    if (opposed.length > 0) {
      write("");
      write("Rules that contradict each other");
      for (const line of table(["WHERE", "AGAINST", "WHY"], opposed.map(contradictionCells))) write(line);
      if (!complete) write("… there are too many rules to compare each with each; there may be more.");
    }
    if (wide.length > 0) {
      write("");
      write("Rules wider than the traffic");
      for (const line of table(
        ["RULE", "WIDE", "NARROWER", "WHERE"],
        wide.map(({ use, what, narrower }) => [
          ruleLabel(use.rule),
          what,
          narrower,
          `${use.rule.file}:${use.rule.line}`,
        ]),
      ))
        write(line);
    }
    if (findings === 0)
      write("Every workload has a policy, every rule is used, none contradicts another or is wider than the traffic.");
  }
  return findings === 0 ? 0 : 1;
}
