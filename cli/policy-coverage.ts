import { ruleUse, uncovered, wideRules } from "../policy/findings.ts";
import { ruleLabel } from "../policy/verdict.ts";
import type { Profile, WorldConfig } from "../policy/world.ts";
import { WhatIf } from "../policy/what-if.ts";
import { basisText } from "./whatif-print.ts";
import { profileOf, readPolicies, readTuples, table, type TupleSource, type Write } from "./policy-input.ts";

export interface PolicyCoverageOptions {
  readonly policies: readonly string[];
  readonly tuples: TupleSource;
  readonly profile?: Profile;
  readonly config?: WorldConfig;
  readonly format?: "table" | "json";
}

/** `weir policy coverage`: who has no policy, which rules are dead, redundant, shadowed or wider than the traffic. 0, or 1 when there is any. */
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
  if (options.format === "json") {
    const place = ({ rule }: { rule: (typeof uses)[number]["rule"] }) => ({
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
    if (bare.length + idle.length + wide.length === 0)
      write("Every workload has a policy, every rule is used and none is wider than the traffic.");
  }
  return bare.length + idle.length + wide.length === 0 ? 0 : 1;
}
