import { contradictions } from "../../policy/contradictions.ts";
import { ruleUse, uncovered } from "../../policy/findings.ts";
import { answerColumns, NO_RULE } from "../../policy/engine.ts";
import { generatePolicies } from "../../policy/generate/generate.ts";
import { standInNote } from "../../policy/stand-ins.ts";
import { endText, tuplePortText } from "../../policy/tuples.ts";
import { ruleLabel, VERDICT_BITS } from "../../policy/verdict.ts";
import type {
  CoverageAnswer,
  DecidingLine,
  FlowEnd,
  GenerateAnswer,
  GenerateRequest,
  MatrixAnswer,
} from "./answers.ts";
import type { Judge } from "./judge.ts";
import { subjectLine } from "./lines.ts";
import { wideFindings } from "./narrow.ts";
import type { Traffic } from "./traffic.ts";

/** Who has no policy, which rules nothing needs, which let in more than was seen. Over the last answer. */
export function coverage(judge: Judge): CoverageAnswer | undefined {
  const { last } = judge;
  if (last === undefined) return undefined;
  const { whatIf, diff } = last;
  const uses = ruleUse(whatIf, diff.candidate, diff.answers);
  const place = (rule: (typeof uses)[number]["rule"]) => ({ file: rule.file, line: rule.line, rule: ruleLabel(rule) });
  return {
    workloads: whatIf.tuples.identities.filter((identity) => identity.entity === undefined).length,
    bare: uncovered(whatIf, diff.candidate).map(({ identity, directions, connections }) => ({
      namespace: identity.namespace,
      workload: identity.workload,
      directions,
      connections,
    })),
    idle: uses.flatMap((use) => (use.state === "used" ? [] : [{ ...place(use.rule), state: use.state }])),
    contradictions: contradictions(diff.candidate).found.map(({ kind, why, rule, by, text }) => ({
      kind,
      why,
      ...place(rule),
      by: place(by),
      text,
    })),
    wide: wideFindings(judge, uses),
  };
}

/** Flows that are left out, as words. */
const MOST_LEFT_OUT = 50;

/** Least privilege for what was seen of the chosen workloads, with the flows that justify each rule. */
export function generate({ set }: Traffic, request: GenerateRequest): GenerateAnswer {
  const counts = (tuple: (typeof set.tuples)[number]) =>
    tuple.connections >= request.minConnections && tuple.lastSeen >= request.seenSince && tuple.recorded !== "denied";
  const chosen = (namespace: string, workload: string) =>
    namespace === request.namespace && (request.workloads.length === 0 || request.workloads.includes(workload));
  const generated = generatePolicies(set, {
    kind: request.kind,
    subjects: (identity) => chosen(identity.namespace, identity.workload),
    rows: counts,
    directions: request.directions,
  });
  const identities = new Map(set.identities.map((identity) => [identity.id, identity]));
  const subjects = new Set(
    set.identities.filter((it) => it.entity === undefined && chosen(it.namespace, it.workload)).map((it) => it.id),
  );
  const leftOut = set.tuples
    .filter(
      (tuple) =>
        ((tuple.source.kind === "identity" && subjects.has(tuple.source.id)) ||
          (tuple.destination.kind === "identity" && subjects.has(tuple.destination.id))) &&
        !counts(tuple),
    )
    .toSorted((a, b) => b.connections - a.connections);
  const words = (tuple: (typeof set.tuples)[number]): string =>
    `${endText(tuple.source, identities)} → ${endText(tuple.destination, identities)}, ${tuplePortText(tuple)} (${tuple.connections.toLocaleString("en-US")})`;
  return {
    yaml: generated.yaml,
    leftOut: leftOut.length,
    leftOutFlows: leftOut.slice(0, MOST_LEFT_OUT).map(words),
    notes: [...generated.notes, ...[standInNote(generated.yaml)].filter((note) => note !== undefined)],
    policies: generated.policies.map((policy) => ({
      name: policy.name,
      namespace: policy.namespace,
      rules: (["ingress", "egress"] as const).flatMap((direction) =>
        policy[direction].map((rule) => {
          const rows = rule.rows.map((row) => set.tuples[row]!).toSorted((a, b) => b.connections - a.connections);
          return {
            direction,
            connections: rows.reduce((sum, row) => sum + row.connections, 0),
            flows: rule.forNames ? ["look-ups that names need"] : rows.slice(0, 4).map(words),
            more: Math.max(0, rows.length - 4),
          };
        }),
      ),
    })),
  };
}

const MOST_SIDES = 200;
const MOST_PORTS = 4;

/** Who may talk to whom on the ports that were seen there, and did anyone? Workloads with the most traffic first. */
export function matrix(judge: Judge): MatrixAnswer | undefined {
  const { last, traffic } = judge;
  if (last === undefined) return undefined;
  const { set } = traffic;
  const { candidate } = last.diff;
  const nodeAt = new Map(traffic.nodes.map((node, at) => [node.key, at]));
  const sides: { at: number; end: FlowEnd; node: number }[] = [];
  const known = new Set<number>();
  for (const identity of set.identities) {
    const { world } = last.whatIf;
    const at = identity.entity === undefined ? world.endpointNamed(identity.namespace, identity.id) : undefined;
    if (at === undefined) continue;
    const node = nodeAt.get(`${identity.namespace}/${identity.workload}`);
    if (node !== undefined && !known.has(node)) {
      known.add(node);
      sides.push({ at, node, end: { namespace: identity.namespace, workload: identity.workload } });
    }
  }
  const chosen = sides
    .toSorted((a, b) => traffic.nodes[b.node]!.connections - traffic.nodes[a.node]!.connections)
    .slice(0, MOST_SIDES);
  const position = new Map(chosen.map((side, index) => [side.node, index]));
  const n = chosen.length;
  const connections = new Float64Array(n * n);
  const ports = chosen.map(() => new Map<number, number>());
  for (const [row, tuple] of set.tuples.entries()) {
    const to = position.get(traffic.destination[row]!);
    if (to === undefined) continue;
    if (tuple.port > 0 && tuple.protocol !== 1 && tuple.protocol !== 58) {
      const key = tuple.protocol * 65536 + tuple.port;
      ports[to]!.set(key, (ports[to]!.get(key) ?? 0) + tuple.connections);
    }
    const from = position.get(traffic.source[row]!);
    if (from !== undefined) connections[from * n + to]! += tuple.connections;
  }
  const asked = ports.map((map) =>
    [...map]
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, MOST_PORTS)
      .map(([key]) => key),
  );
  const length = asked.reduce((sum, list) => sum + list.length, 0) * n;
  const questions = {
    length,
    source: new Uint32Array(length),
    destination: new Uint32Array(length),
    protocol: new Uint8Array(length),
    port: new Uint16Array(length),
  };
  const cellOf = new Uint32Array(length);
  let row = 0;
  for (let from = 0; from < n; from++)
    for (let to = 0; to < n; to++)
      for (const key of asked[to]!) {
        questions.source[row] = chosen[from]!.at;
        questions.destination[row] = chosen[to]!.at;
        questions.protocol[row] = Math.floor(key / 65536);
        questions.port[row] = key % 65536;
        cellOf[row++] = from * n + to;
      }
  const answers = answerColumns(length);
  candidate.evaluate(questions, answers);
  const allowed = new Uint8Array(n * n);
  const lines: (DecidingLine | undefined)[] = Array.from({ length: n * n });
  for (row = 0; row < length; row++) {
    const denied = (answers.code[row]! & VERDICT_BITS.denied) !== 0;
    const cell = cellOf[row]!;
    if (!denied) allowed[cell] = 1;
    const rule = answers.ingressRule[row] !== NO_RULE ? answers.ingressRule[row]! : answers.egressRule[row]!;
    if (rule !== NO_RULE && (!denied || lines[cell] === undefined)) {
      const { file, line } = candidate.rules[rule]!;
      lines[cell] = {
        file,
        line,
        isDefault: false,
        direction: answers.ingressRule[row] !== NO_RULE ? "ingress" : "egress",
      };
    } else if (denied && lines[cell] === undefined) {
      const direction = (answers.code[row]! & VERDICT_BITS.ingressDenied) !== 0 ? "ingress" : "egress";
      const side = direction === "ingress" ? questions.destination[row]! : questions.source[row]!;
      const policy = candidate.policies[candidate.selecting(side, direction)[0] ?? -1];
      if (policy !== undefined)
        lines[cell] = {
          file: policy.file,
          line: subjectLine(judge.linesOf(policy.file), policy.line),
          isDefault: true,
          direction,
        };
    }
  }
  const cells = allowed.map((may, cell) => (connections[cell]! > 0 ? (may === 1 ? 3 : 2) : may));
  const ends = chosen.map((side) => side.end);
  return { sources: ends, destinations: ends, cells, connections, lines };
}
