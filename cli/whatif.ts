import { formatProblem } from "../policy/parse/problem.ts";
import type { Profile, WorldConfig } from "../policy/world.ts";
import { applyChanges, WhatIf } from "../policy/what-if.ts";
import { printable, profileOf, readPolicies, readTuples, type TupleSource, type Write } from "./policy-input.ts";
import { printJson, printMarkdown, printSarif, printTable, reportOf } from "./whatif-print.ts";

export const WHATIF_FORMATS = ["table", "json", "sarif", "markdown"] as const;
export const FAIL_ON = ["denied", "allowed", "dead", "contradicts"] as const;

export interface WhatIfOptions {
  /** Files or folders of the candidate (`-f`). */
  readonly candidate: readonly string[];
  /** Files or folders of today's policies; none: no policy is in force today. */
  readonly today: readonly string[];
  /** The candidate is laid over today's set (added, or replacing by kind, namespace and name); otherwise it is the whole new set. */
  readonly mode?: "over" | "whole";
  readonly tuples: TupleSource;
  readonly profile?: Profile;
  readonly config?: WorldConfig;
  readonly failOn?: readonly (typeof FAIL_ON)[number][];
  readonly format?: (typeof WHATIF_FORMATS)[number];
  /** For SARIF. */
  readonly version?: string;
}

/**
 * `weir whatif -f policies/`: what the candidate would newly deny or allow of the recorded traffic. Returns 0; 1 when something of
 * `failOn` is there; 2 when there is no answer (a document is refused). Unreadable input throws InputRefused or TuplesRefused.
 */
export async function whatIfCommand(options: WhatIfOptions, write: Write, warn: Write): Promise<number> {
  const today = await readPolicies(options.today);
  const candidate = await readPolicies(options.candidate);
  const refused = [...today.problems, ...candidate.problems].filter((problem) => problem.severity === "error");
  for (const problem of refused) warn(printable(formatProblem(problem)));
  if (refused.length > 0) return 2;
  const tuples = await readTuples(options.tuples);
  const profile = profileOf([...today.documents, ...candidate.documents], options.profile);
  const whatIf = new WhatIf(
    { tuples, profile, ...(options.config === undefined ? {} : { config: options.config }) },
    today.documents,
  );
  const documents = options.mode === "whole" ? candidate.documents : applyChanges(today.documents, candidate.documents);
  const report = reportOf(whatIf, whatIf.diff(documents));
  const format = options.format ?? "table";
  const print = {
    table: printTable,
    json: printJson,
    markdown: printMarkdown,
    sarif: (it: typeof report) => printSarif(it, options.version ?? "0"),
  }[format];
  for (const line of print(report)) write(line);
  const fails = options.failOn ?? [];
  const failed =
    (fails.includes("denied") && report.denied.length > 0) ||
    (fails.includes("allowed") && report.allowed.length > 0) ||
    (fails.includes("contradicts") && report.opposed.length > 0) ||
    (fails.includes("dead") && report.idle.some((use) => use.state === "dead"));
  return failed ? 1 : 0;
}
