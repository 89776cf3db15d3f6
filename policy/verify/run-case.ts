import { answerColumns, type CompiledPolicySet, type QuestionColumns } from "../engine.ts";
import { decisionText } from "../explain/tiered.ts";
import { parsePolicies } from "../parse/policies.ts";
import { formatProblem } from "../parse/problem.ts";
import { compilePolicies } from "../profiles.ts";
import { AUTH_MODES, VERDICT_BITS, type AuthMode, type Verdict } from "../verdict.ts";
import type { Profile } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import type { CaseFlow, PolicyCase } from "./case.ts";

/** A flow whose answer differs from the reference's, or whose two ways of being answered differ from each other. */
export interface CaseMismatch {
  readonly flow: string;
  readonly expected: string;
  readonly got: string;
  /** What decided, with its line. */
  readonly by: string;
  readonly expectedBy: string;
}

export interface CaseResult {
  readonly flows: number;
  readonly mismatches: readonly CaseMismatch[];
  /** Documents that could not be read, as lines; a case with any counts every flow as a mismatch. */
  readonly refused: readonly string[];
}

/** Judges every flow of a case by the tables, and again by `explain`, and holds both against the reference. */
export function runCase(it: PolicyCase, file: string, profile: Profile = it.profile): CaseResult {
  const { documents, problems } = parsePolicies(it.policies, file);
  const refused = problems.filter((problem) => problem.severity === "error").map(formatProblem);
  const world = new WorldIndex(it.world);
  const set = compilePolicies(documents, world, profile);
  const questions = questionsOf(it.flows, world);
  const answers = answerColumns(it.flows.length);
  set.evaluate(questions, answers);
  const mismatches: CaseMismatch[] = [];
  for (const [row, flow] of it.flows.entries()) {
    const fast = codeText(answers.code[row]!);
    const verdict = explainRow(set, questions, row);
    const slow = verdictText(verdict);
    const { expected } = flow;
    const wanted = answerText(expected.egress, expected.ingress, expected.egressL7, expected.ingressL7, expected.auth);
    if (fast === wanted && slow === wanted && refused.length === 0) continue;
    mismatches.push({
      flow: flow.text,
      expected: wanted,
      got: fast === slow ? fast : `${fast} by the tables, ${slow} by explain`,
      by: `egress: ${decisionText(verdict.egress.decidedBy)}; ingress: ${decisionText(verdict.ingress.decidedBy)}`,
      expectedBy: `egress: ${expected.egressBy.join(", ") || "–"}; ingress: ${expected.ingressBy.join(", ") || "–"}`,
    });
  }
  return { flows: it.flows.length, mismatches, refused };
}

function questionsOf(flows: readonly CaseFlow[], world: WorldIndex): QuestionColumns {
  const side = (flow: CaseFlow, end: "source" | "destination") => {
    const id = world.idOf(flow[end]);
    if (id === undefined) throw new Error(`${flow.text}: ${end} is no address`);
    return id;
  };
  return {
    length: flows.length,
    source: Uint32Array.from(flows, (flow) => side(flow, "source")),
    destination: Uint32Array.from(flows, (flow) => side(flow, "destination")),
    protocol: Uint8Array.from(flows, (flow) => flow.protocol),
    port: Uint16Array.from(flows, (flow) => flow.port),
    sourcePort: Uint16Array.from(flows, (flow) => flow.sourcePort),
    icmpCode: Uint8Array.from(flows, (flow) => flow.icmpCode),
  };
}

function explainRow(set: CompiledPolicySet, questions: QuestionColumns, row: number): Verdict {
  return set.explain({
    source: questions.source[row]!,
    destination: questions.destination[row]!,
    protocol: questions.protocol[row]!,
    port: questions.port[row]!,
    sourcePort: questions.sourcePort![row]!,
    icmpCode: questions.icmpCode![row]!,
  });
}

function codeText(code: number): string {
  const egress = code & VERDICT_BITS.egressDenied ? "deny" : "allow";
  const ingress = code & VERDICT_BITS.ingressDenied ? "deny" : "allow";
  const auth = authText(
    AUTH_MODES[(code & VERDICT_BITS.egressAuth) >> 4],
    AUTH_MODES[(code & VERDICT_BITS.ingressAuth) >> 6],
  );
  return answerText(egress, ingress, (code & VERDICT_BITS.egressL7) !== 0, (code & VERDICT_BITS.ingressL7) !== 0, auth);
}

function verdictText({ egress, ingress }: Verdict): string {
  return answerText(egress.verdict, ingress.verdict, egress.l7, ingress.l7, authText(egress.auth, ingress.auth));
}

/** As the cases write it: `egress:spire ingress:test-always-fail`. */
function authText(egress: AuthMode | undefined, ingress: AuthMode | undefined): string {
  return [egress ? [`egress:${egress}`] : [], ingress ? [`ingress:${ingress}`] : []].flat().join(" ");
}

function answerText(egress: string, ingress: string, egressL7: boolean, ingressL7: boolean, auth: string): string {
  return `egress ${egress}${egressL7 ? " L7" : ""}, ingress ${ingress}${ingressL7 ? " L7" : ""}${auth === "" ? "" : `, auth ${auth}`}`;
}
