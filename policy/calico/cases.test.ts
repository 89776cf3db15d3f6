import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answerColumns, NO_RULE, type CompiledPolicySet, type FlowQuestion } from "../engine.ts";
import { parsePolicies } from "../parse/policies.ts";
import { formatProblem } from "../parse/problem.ts";
import { compilePolicies } from "../profiles.ts";
import { policyLabel, VERDICT_BITS, type DirectionVerdict } from "../verdict.ts";
import { parseCase } from "../verify/case.ts";
import type { Side } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import { checkCalico } from "./kinds.ts";

const FOLDER = new URL("../../../shared/cases/policy/", import.meta.url);

/** What Calico's cases tell beyond the common form (policy/verify/case.ts): rule and path. */
interface Reasons {
  readonly egressBy?: readonly string[];
  readonly ingressBy?: readonly string[];
  readonly egressRule?: number;
  readonly ingressRule?: number;
  readonly egressPath?: readonly string[];
  readonly ingressPath?: readonly string[];
}

interface ValidationCase {
  readonly about: string;
  readonly policy: string;
  readonly ok: boolean;
  readonly error?: string;
}

function readLines(name: string): string[] {
  return readFileSync(new URL(name, FOLDER), "utf8").trim().split("\n");
}

function sideId(world: WorldIndex, side: Side): number {
  const id = world.idOf(side);
  if (id === undefined) throw new Error(`no side ${JSON.stringify(side)}`);
  return id;
}

/** What a case says of a direction, from our verdict. */
function told({ decidedBy, path }: DirectionVerdict): { by: string[]; rule: number | undefined; path: string[] } {
  const steps = path.length > 1 ? path.map(({ label, action }) => `${label} ${action}`) : [];
  if (decidedBy.kind === "builtin") return { by: [decidedBy.name], rule: undefined, path: steps };
  if (decidedBy.kind === "default-deny") return { by: decidedBy.policies.map(policyLabel), rule: -1, path: steps };
  if (decidedBy.kind !== "rules") return { by: [], rule: undefined, path: steps };
  const rule = decidedBy.rules[0]!;
  const numbered = path.at(-1)!.label.includes("#");
  return { by: [policyLabel(rule.policy)], rule: numbered ? rule.index : undefined, path: steps };
}

/** Differences of one case, as lines that name case, flow, what was expected and what came. */
function mismatches(line: string, file: string, depth: "document" | "document, rule and path"): string[] {
  const given = parseCase(line, file);
  const reasons = (JSON.parse(line) as { flows: Reasons[] }).flows;
  const { documents, problems } = parsePolicies(given.policies, `${given.id}.yaml`);
  const world = new WorldIndex(given.world);
  const set = compilePolicies(documents, world, "calico");
  const out = problems.filter(({ severity }) => severity === "error").map(formatProblem);
  const questions = given.flows.map(({ source, destination, ...rest }): FlowQuestion => ({
    ...rest,
    source: sideId(world, source),
    destination: sideId(world, destination),
  }));
  const codes = batch(set, questions);
  for (const [i, flow] of given.flows.entries()) {
    const verdict = set.explain(questions[i]!);
    const say = (what: string, expected: unknown, got: unknown) =>
      out.push(`${given.id} ${flow.text} ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
    if (verdict.verdict !== flow.expected.verdict) say("verdict", flow.expected.verdict, verdict.verdict);
    for (const direction of ["egress", "ingress"] as const) {
      const answer = verdict[direction];
      if (answer.verdict !== flow.expected[direction]) say(direction, flow.expected[direction], told(answer));
      const bit = direction === "egress" ? VERDICT_BITS.egressDenied : VERDICT_BITS.ingressDenied;
      const batchVerdict = (codes.code[i]! & bit) === 0 ? "allow" : "deny";
      if (batchVerdict !== flow.expected[direction])
        say(`${direction} in batch`, flow.expected[direction], batchVerdict);
      const batchRule = direction === "egress" ? codes.egressRule[i]! : codes.ingressRule[i]!;
      const explained = answer.decidedBy.kind === "rules" ? set.rules.indexOf(answer.decidedBy.rules[0]!) : NO_RULE;
      if (batchRule !== explained) say(`${direction} rule in batch`, explained, batchRule);
      const reason = told(answer);
      const by = reasons[i]![`${direction}By`] ?? [];
      if (depth === "document") {
        // cyclonus names every document that allows, and none under default deny
        const named = by.some((name) => !name.startsWith("builtin/"));
        if (named && !reason.by.every((name) => by.includes(name))) say(`${direction}By`, by, reason.by);
        continue;
      }
      const rule = reasons[i]![`${direction}Rule`];
      const subset = reason.by.length > 0 && reason.by.every((name) => by.includes(name));
      if (rule === -1 ? !subset : reason.by.join() !== by.join()) say(`${direction}By`, by, reason.by);
      if (reason.rule !== rule) say(`${direction}Rule`, rule, reason.rule);
      const path = reasons[i]![`${direction}Path`] ?? [];
      if (path.join() !== reason.path.join()) say(`${direction}Path`, path, reason.path);
    }
    const { egress, ingress } = verdict;
    if (egress.l7 || ingress.l7 || egress.auth || ingress.auth) say("l7 or auth", false, "document, rule and path");
  }
  return out;
}

function batch(set: CompiledPolicySet, questions: readonly FlowQuestion[]) {
  const answers = answerColumns(questions.length);
  const columns = {
    length: questions.length,
    source: Uint32Array.from(questions, ({ source }) => source),
    destination: Uint32Array.from(questions, ({ destination }) => destination),
    protocol: Uint8Array.from(questions, ({ protocol }) => protocol),
    port: Uint16Array.from(questions, ({ port }) => port),
    sourcePort: Uint16Array.from(questions, ({ sourcePort }) => sourcePort ?? 40000),
    icmpCode: Uint8Array.from(questions, ({ icmpCode }) => icmpCode ?? 0),
  };
  set.evaluate(columns, answers);
  return answers;
}

describe("Calico's reading, against the reference engine", () => {
  it("agrees on every flow of Calico's cases: verdict, deciding document, rule and path", () => {
    const cases = readLines("calico.jsonl");
    expect(cases.length).toBeGreaterThan(300);
    expect(cases.flatMap((line, i) => mismatches(line, `calico.jsonl:${i + 1}`, "document, rule and path"))).toEqual(
      [],
    );
  });

  it("agrees with cyclonus on every flow of the NetworkPolicy cases", () => {
    const cases = readLines("netpol-v1.jsonl");
    expect(cases.length).toBeGreaterThan(200);
    expect(cases.flatMap((line, i) => mismatches(line, `netpol-v1.jsonl:${i + 1}`, "document"))).toEqual([]);
  });

  it("refuses the documents that Calico's validator refuses, and no other", () => {
    const documents = readLines("validation/calico.jsonl").map((line) => JSON.parse(line) as ValidationCase);
    expect(documents.length).toBeGreaterThan(100);
    const wrong = documents.filter(
      ({ policy, ok }) => checkCalico(policy, "p.yaml").some(({ severity }) => severity === "error") === ok,
    );
    expect(wrong.map(({ about, error }) => `${about}: ${error ?? "fine"}`)).toEqual([]);
  });
});
