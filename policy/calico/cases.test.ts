import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answerColumns, NO_RULE, PROTOCOL_NUMBERS, type CompiledPolicySet, type FlowQuestion } from "../engine.ts";
import { CLUSTER_POLICY_KINDS } from "../parse/cluster-policy.ts";
import { parseDocuments, type PolicyDocument } from "../parse/documents.ts";
import { NETWORK_POLICY_KINDS } from "../parse/network-policy.ts";
import { formatProblem } from "../parse/problem.ts";
import { policyLabel, VERDICT_BITS, type DirectionVerdict } from "../verdict.ts";
import { EMPTY_WORLD, type Side, type World } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import { compileCalico } from "./compile.ts";
import { CALICO_KINDS, checkCalico } from "./kinds.ts";

const FOLDER = new URL("../../../shared/cases/policy/", import.meta.url);
const KINDS = [...CALICO_KINDS, ...NETWORK_POLICY_KINDS, ...CLUSTER_POLICY_KINDS];

interface CaseFlow {
  readonly src: string;
  readonly dst: string;
  readonly proto: string;
  readonly port: number;
  readonly srcPort?: number;
  readonly icmpCode?: number;
  readonly verdict: "allow" | "deny";
  readonly egress: "allow" | "deny";
  readonly ingress: "allow" | "deny";
  readonly egressBy?: readonly string[];
  readonly ingressBy?: readonly string[];
  readonly egressRule?: number;
  readonly ingressRule?: number;
  readonly egressPath?: readonly string[];
  readonly ingressPath?: readonly string[];
}
interface PolicyCase {
  readonly id: string;
  readonly config?: { readonly staged?: "enforced" | "ignored" };
  readonly namespaces: readonly { name: string; labels?: Record<string, string> }[];
  readonly serviceAccounts?: readonly { namespace: string; name: string; labels?: Record<string, string> }[];
  readonly pods: readonly {
    namespace: string;
    name: string;
    labels?: Record<string, string>;
    ip: string;
    serviceAccount?: string;
    ports?: readonly { name: string; port: number; protocol: string }[];
  }[];
  readonly policies: readonly string[];
  readonly flows: readonly CaseFlow[];
}

function readLines<T>(name: string): T[] {
  const lines = readFileSync(new URL(name, FOLDER), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as T);
}

function labelMap(labels: Record<string, string> | undefined): Map<string, string> {
  return new Map(Object.entries(labels ?? {}));
}

function worldOf(given: PolicyCase): WorldIndex {
  const world: World = {
    ...EMPTY_WORLD,
    namespaces: given.namespaces.map(({ name, labels }) => ({ name, labels: labelMap(labels) })),
    serviceAccounts: (given.serviceAccounts ?? []).map((account) => ({ ...account, labels: labelMap(account.labels) })),
    endpoints: given.pods.map(({ namespace, name, labels, ip, serviceAccount = "default", ports = [] }) => ({
      namespace,
      name,
      labels: labelMap(labels),
      addresses: [ip],
      serviceAccount,
      ports,
    })),
    config: given.config?.staged === undefined ? {} : { staged: given.config.staged },
  };
  return new WorldIndex(world);
}

function documentsOf(given: PolicyCase): PolicyDocument[] {
  return given.policies.flatMap((text, i) => {
    const { documents, problems } = parseDocuments(text, `${given.id}-${i}.yaml`, KINDS);
    expect(problems.filter(({ severity }) => severity === "error").map(formatProblem)).toEqual([]);
    return documents;
  });
}

function sideId(world: WorldIndex, text: string): number {
  const slash = text.indexOf("/");
  const side: Side | undefined = text.startsWith("ip:") ? { kind: "address", address: text.slice(3) } : undefined;
  const id = side === undefined ? world.endpointNamed(text.slice(0, slash), text.slice(slash + 1)) : world.idOf(side);
  if (id === undefined) throw new Error(`no side ${text}`);
  return id;
}

function question(world: WorldIndex, flow: CaseFlow): FlowQuestion {
  return {
    source: sideId(world, flow.src),
    destination: sideId(world, flow.dst),
    protocol: PROTOCOL_NUMBERS.get(flow.proto) ?? Number(flow.proto),
    port: flow.port,
    sourcePort: flow.srcPort ?? 40000,
    icmpCode: flow.icmpCode ?? 0,
  };
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
function mismatches(given: PolicyCase, reasonsToo: boolean): string[] {
  const world = worldOf(given);
  const set = compileCalico(documentsOf(given), world);
  const out: string[] = [];
  const questions = given.flows.map((flow) => question(world, flow));
  const codes = batch(set, questions);
  for (const [i, flow] of given.flows.entries()) {
    const verdict = set.explain(questions[i]!);
    const say = (what: string, expected: unknown, got: unknown) =>
      out.push(
        `${given.id} ${flow.src} → ${flow.dst} ${flow.proto}/${flow.port} ${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
      );
    if (verdict.verdict !== flow.verdict) say("verdict", flow.verdict, verdict.verdict);
    for (const direction of ["egress", "ingress"] as const) {
      const answer = verdict[direction];
      if (answer.verdict !== flow[direction])
        say(direction, flow[direction], { verdict: answer.verdict, ...told(answer) });
      const bit = direction === "egress" ? VERDICT_BITS.egressDenied : VERDICT_BITS.ingressDenied;
      const batchDenies = (codes.code[i]! & bit) !== 0;
      if (batchDenies !== (flow[direction] === "deny")) say(`${direction} in batch`, flow[direction], batchDenies);
      const batchRule = direction === "egress" ? codes.egressRule[i]! : codes.ingressRule[i]!;
      const explained = answer.decidedBy.kind === "rules" ? set.rules.indexOf(answer.decidedBy.rules[0]!) : NO_RULE;
      if (batchRule !== explained) say(`${direction} rule in batch`, explained, batchRule);
      if (!reasonsToo) continue;
      const reason = told(answer);
      const by = flow[`${direction}By`] ?? [];
      const rule = flow[`${direction}Rule`];
      const sameBy =
        rule === -1
          ? reason.by.length > 0 && reason.by.every((name) => by.includes(name))
          : reason.by.join() === by.join();
      if (!sameBy) say(`${direction}By`, by, reason.by);
      if (reason.rule !== rule) say(`${direction}Rule`, rule, reason.rule);
      const path = flow[`${direction}Path`] ?? [];
      if (path.join() !== reason.path.join()) say(`${direction}Path`, path, reason.path);
    }
    if (verdict.egress.l7 || verdict.ingress.l7 || verdict.egress.auth || verdict.ingress.auth)
      say("l7 or auth", false, true);
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
    const cases = readLines<PolicyCase>("calico.jsonl");
    expect(cases.length).toBeGreaterThan(300);
    expect(cases.flatMap((given) => mismatches(given, true))).toEqual([]);
  });

  it("agrees with cyclonus on every flow of the NetworkPolicy cases", () => {
    const cases = readLines<PolicyCase>("netpol-v1.jsonl");
    expect(cases.length).toBeGreaterThan(200);
    expect(cases.flatMap((given) => mismatches(given, false))).toEqual([]);
  });

  it("refuses the documents that Calico's validator refuses, and no other", () => {
    const documents = readLines<{ about: string; policy: string; ok: boolean; error?: string }>(
      "validation/calico.jsonl",
    );
    expect(documents.length).toBeGreaterThan(100);
    const wrong = documents.filter(
      ({ policy, ok }) => checkCalico(policy, "p.yaml").some(({ severity }) => severity === "error") === ok,
    );
    expect(wrong.map(({ about, error }) => `${about}: ${error ?? "fine"}`)).toEqual([]);
  });
});
