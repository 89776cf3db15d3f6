import { sentencesOf } from "../../policy/explain/sentences.ts";
import type { CompiledPolicySet } from "../../policy/engine.ts";
import type { PolicyDocument } from "../../policy/parse/documents.ts";
import type { PolicyFacts, Sentence } from "./answers.ts";
import { fieldLine } from "./lines.ts";
import type { Selecting } from "./selecting.ts";

/** Policies that cross to the page, and workloads × policies up to which it is counted who selects whom. */
const MOST_POLICIES = 2000;
const MOST_SELECTIONS = 50_000;
const MOST_IN_WORDS = 200;

/** Policies and rules in plain English, each with its line. */
export function sentencesFor(
  documents: readonly PolicyDocument[],
  linesOf: (file: string) => readonly string[],
): Sentence[] {
  return documents.slice(0, MOST_IN_WORDS).flatMap((document) => {
    const sentences = sentencesOf(document);
    if (sentences === undefined) return [];
    const { file, line } = document.position;
    const lines = linesOf(file);
    return [
      { file, line, text: sentences.summary, isSummary: true },
      ...sentences.rules.map((rule) => ({
        file,
        line: fieldLine(lines, line, rule.path),
        text: rule.text,
        isSummary: false,
      })),
    ];
  });
}

/** How many of `endpoints` sides each policy selects; undefined where there are too many of both to count. */
export function selectionsOf(
  set: CompiledPolicySet,
  selecting: Selecting,
  sides: readonly number[],
): number[] | undefined {
  if (sides.length * set.policies.length > MOST_SELECTIONS) return undefined;
  const selects = set.policies.map(() => 0);
  for (const side of sides)
    for (const at of new Set([...selecting.of(side, "ingress"), ...selecting.of(side, "egress")])) selects[at]!++;
  return selects;
}

/** The policies for the list of files. */
export function policyFacts(set: CompiledPolicySet, selects: readonly number[] | undefined): PolicyFacts[] {
  return set.policies.slice(0, MOST_POLICIES).map(({ file, line, kind, namespace, name }, at) => ({
    file,
    line,
    kind,
    namespace,
    name,
    selects: selects?.[at],
  }));
}
