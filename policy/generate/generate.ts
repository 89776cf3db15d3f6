import { parsePolicies } from "../parse/policies.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import { ruleUse } from "../findings.ts";
import type { Tuple, TupleIdentity, TupleSet } from "../tuples.ts";
import type { Direction } from "../verdict.ts";
import { WhatIf, type WhatIfSetup } from "../what-if.ts";
import type { LabelChoice } from "./selectors.ts";
import { planPolicies, type PlannedPolicy, type PlannedRule } from "./plan.ts";
import { GENERATED_KINDS, writePolicy, writtenRules, type GeneratedKind } from "./write.ts";

export interface GenerateOptions {
  readonly kind: GeneratedKind;
  /** Whose policies. */
  readonly subjects: (identity: TupleIdentity) => boolean;
  /** Which traffic counts; everything when absent. */
  readonly rows?: (tuple: Tuple, row: number) => boolean;
  /** Default: both. */
  readonly directions?: readonly Direction[];
  readonly config?: WhatIfSetup["config"];
}

export interface GeneratedPolicy {
  readonly yaml: string;
  readonly kind: GeneratedKind;
  readonly namespace: string;
  readonly name: string;
  /** Labels of the pods that it is about. */
  readonly subject: LabelChoice;
  /** Rules as they stand in the document, each with the tuples that justify it. */
  readonly ingress: readonly PlannedRule[];
  readonly egress: readonly PlannedRule[];
}

export interface Generated {
  readonly policies: readonly GeneratedPolicy[];
  /** All documents in one text. */
  readonly yaml: string;
  /** Tuples that this kind cannot say (host or world in NetworkPolicy): they would be denied. */
  readonly unsaid: readonly number[];
  /** What a reader should know, in sentences. */
  readonly notes: readonly string[];
}

/** Least privilege for what was seen: one policy a workload, and no rule that nothing needs. */
export function generatePolicies(tuples: TupleSet, options: GenerateOptions): Generated {
  const abilities = GENERATED_KINDS[options.kind];
  const directions = options.directions ?? ["ingress", "egress"];
  const rows = options.rows ?? (() => true);
  const { policies: planned, unsaid } = planPolicies(tuples, {
    subjects: options.subjects,
    rows,
    directions,
    abilities,
  });
  const spread = planned.map((policy) => ({
    ...policy,
    ingress: writtenRules(options.kind, policy.ingress),
    egress: writtenRules(options.kind, policy.egress),
  }));
  const policies = withoutUnneeded(tuples, spread, options, directions);
  const out = policies.map((policy): GeneratedPolicy => ({
    yaml: writePolicy(options.kind, policy, directions),
    kind: options.kind,
    namespace: policy.namespace,
    name: policy.name,
    subject: policy.subject,
    ingress: policy.ingress,
    egress: policy.egress,
  }));
  return {
    policies: out,
    yaml: out.map((policy) => policy.yaml).join("---\n"),
    unsaid,
    notes: notesOf(out, unsaid, options.kind),
  };
}

/** Takes out rules whose traffic others let in anyway (selectors overlap, the plugin allows it), one at a time a policy and direction. */
function withoutUnneeded(
  tuples: TupleSet,
  planned: readonly PlannedPolicy[],
  options: GenerateOptions,
  directions: readonly Direction[],
): readonly PlannedPolicy[] {
  let policies = planned;
  const profile = GENERATED_KINDS[options.kind].profile;
  const total = planned.reduce((sum, policy) => sum + policy.ingress.length + policy.egress.length, 0);
  let whatIf: WhatIf | undefined;
  for (let round = 0; round <= total; round++) {
    const documents = documentsOf(policies, options.kind, directions);
    if (whatIf === undefined)
      whatIf = new WhatIf(
        { tuples, profile, ...(options.config === undefined ? {} : { config: options.config }) },
        documents,
      );
    else whatIf.setToday(documents);
    const unneeded = new Set<string>();
    for (const use of ruleUse(whatIf, whatIf.today, whatIf.todaysAnswers)) {
      const at = whatIf.today.policies.indexOf(use.rule.policy);
      const policy = policies[at];
      const rule = policy?.[use.rule.field as Direction]?.[use.rule.index];
      const first = ![...unneeded].some((key) => key.startsWith(`${at} ${use.rule.field} `));
      if (rule !== undefined && !rule.forNames && use.state !== "used" && first)
        unneeded.add(`${at} ${use.rule.field} ${use.rule.index}`);
    }
    if (unneeded.size === 0) break;
    const kept = (at: number, direction: Direction, rules: readonly PlannedRule[]) =>
      rules.filter((_, index) => !unneeded.has(`${at} ${direction} ${index}`));
    policies = policies.map((policy, at) => ({
      ...policy,
      ingress: kept(at, "ingress", policy.ingress),
      egress: kept(at, "egress", policy.egress),
    }));
  }
  return policies;
}

/** The documents of plans; what we write we can read, or it is a bug. */
function documentsOf(
  policies: readonly PlannedPolicy[],
  kind: GeneratedKind,
  directions: readonly Direction[],
): PolicyDocument[] {
  return policies.flatMap((policy) => {
    const { documents, problems } = parsePolicies(writePolicy(kind, policy, directions), "generated.yaml");
    const error = problems.find((problem) => problem.severity === "error");
    if (error !== undefined)
      throw new Error(
        `generated policy ${policy.namespace}/${policy.name} is refused: ${error.path}: ${error.message}`,
      );
    return documents;
  });
}

function notesOf(policies: readonly GeneratedPolicy[], unsaid: readonly number[], kind: GeneratedKind): string[] {
  const notes: string[] = [];
  if (unsaid.length > 0)
    notes.push(
      `${unsaid.length} tuples have an end that ${kind} cannot name (a node, the API server, the world); they would be denied.`,
    );
  const rules = policies.flatMap((policy) => [...policy.ingress, ...policy.egress]);
  const open = rules.filter((rule) => rule.ports === undefined).length;
  if (open > 0)
    notes.push(`${open} rules allow every port: their traffic has ICMP or another protocol that ${kind} cannot name.`);
  if (rules.some((rule) => rule.forNames))
    notes.push("Names need look-ups: a rule to the cluster's DNS pods was added.");
  return notes;
}
