/**
 * Hot: an answer to each key, ≤ 150 ms for 100,000 tuples (bench/editor.ts). In: texts, traffic. Out: what changes, by row, edge and
 * line. The files' texts in force are today's set, the texts as they stand the candidate.
 */
import type { CompiledPolicySet } from "../../policy/engine.ts";
import { NO_RULE } from "../../policy/engine.ts";
import { ruleUse } from "../../policy/findings.ts";
import { sentencesOf } from "../../policy/explain/sentences.ts";
import { decisionText } from "../../policy/explain/tiered.ts";
import type { PolicyDocument } from "../../policy/parse/documents.ts";
import { parsePolicies } from "../../policy/parse/policies.ts";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import { portText } from "../../policy/tuples.ts";
import { VERDICT_BITS, type Direction } from "../../policy/verdict.ts";
import { changeOf, WhatIf, type Change, type WhatIfDiff } from "../../policy/what-if.ts";
import type { Profile } from "../../policy/world.ts";
import type {
  DecidingLine,
  EdgeChange,
  Explained,
  FlowRow,
  Hint,
  Judged,
  LineUse,
  Names,
  PolicyFacts,
  PolicyText,
  Refused,
  Sentence,
} from "./answers.ts";
import { labelHints } from "./label-hints.ts";
import { fieldLine, subjectLine } from "./lines.ts";
import { namesOf, type Traffic } from "./traffic.ts";

/** Rows that cross to the page; the totals are said. */
const MOST_CHANGED = 2000;
const MOST_OTHERS = 500;
const MOST_EDGES_A_LINE = 500;
/** Policies that cross to the page, and workloads × policies up to which it is counted who selects whom. */
const MOST_POLICIES = 2000;
const MOST_SELECTIONS = 50_000;
/** Longer texts are of machines; looking for typing mistakes in them would cost more than judging. */
const MOST_HINTED = 200_000;

/** Codes of `WhatIfDiff.changes`. */
const CODE_OF: { readonly [C in Change]: number } = {
  "still-allowed": 0,
  "newly-denied": 1,
  "newly-allowed": 2,
  "still-denied": 3,
};
/** What an edge shows where its tuples differ: the first that is there. */
const EDGE_ORDER: readonly Change[] = ["newly-denied", "newly-allowed", "still-denied", "still-allowed"];

/** One world of traffic; texts are judged on it one after the other. */
export class Judge {
  readonly traffic: Traffic;
  #whatIf: WhatIf | undefined;
  #todayTexts: string | undefined;
  readonly #split = new Map<string, readonly string[]>();
  #parsed = new Map<string, { readonly text: string; readonly parsed: ReturnType<typeof parsePolicies> }>();
  #last:
    | {
        readonly diff: WhatIfDiff;
        readonly documents: readonly PolicyDocument[];
        readonly texts: ReadonlyMap<string, string>;
      }
    | undefined;

  readonly #names: Names;

  constructor(traffic: Traffic) {
    this.traffic = traffic;
    this.#names = namesOf(traffic);
  }

  /** The last answer that was given, for what is asked about it. */
  get last(): { readonly whatIf: WhatIf; readonly diff: WhatIfDiff } | undefined {
    return this.#whatIf === undefined || this.#last === undefined
      ? undefined
      : { whatIf: this.#whatIf, diff: this.#last.diff };
  }

  /** Judges the texts, or says what is wrong in them. */
  judge(files: readonly PolicyText[], wanted: Profile | undefined): Judged | Refused {
    const began = performance.now();
    const candidate: PolicyDocument[] = [];
    const today: PolicyDocument[] = [];
    const problems: PolicyProblem[] = [];
    for (const { name, text, inForce } of files) {
      const parsed = this.#parse(name, text);
      candidate.push(...parsed.documents);
      problems.push(...parsed.problems);
      if (inForce !== undefined)
        today.push(...(inForce === text ? parsed : this.#parse(`${name} in force`, inForce)).documents);
    }
    if (problems.some((problem) => problem.severity === "error")) return { problems };
    const profile = wanted ?? profileFor([...today, ...candidate]);
    const todayTexts = JSON.stringify([profile, files.map((file) => file.inForce ?? null)]);
    if (this.#whatIf === undefined || this.#whatIf.profile !== profile) {
      this.#whatIf = new WhatIf({ tuples: this.traffic.set, profile }, today);
    } else if (todayTexts !== this.#todayTexts) this.#whatIf.setToday(today);
    this.#todayTexts = todayTexts;
    const diff = this.#whatIf.diff(candidate);
    this.#split.clear();
    this.#last = { diff, documents: candidate, texts: new Map(files.map((file) => [file.name, file.text])) };
    const judged = this.#answer(this.#whatIf, diff, [...problems, ...diff.problems], profile);
    return { ...judged, ms: performance.now() - began };
  }

  /** Which rules nothing needs, over the last answer: slower than the answer itself, so it comes after it. */
  uses(): Judged["lines"] | undefined {
    if (this.#whatIf === undefined || this.#last === undefined) return undefined;
    const { diff } = this.#last;
    const states = new Map(ruleUse(this.#whatIf, diff.candidate, diff.answers).map((use) => [use.index, use.state]));
    return this.#lines(diff, (rule) => {
      const state = states.get(rule);
      return state === "dead" ? "never hit" : state === "shadowed" || state === "redundant" ? state : "decides";
    });
  }

  /** Why a row is judged as it is, both directions, and which rules come nearest to letting it through. */
  explain(row: number): Explained | undefined {
    if (this.#whatIf === undefined || this.#last === undefined || row >= this.traffic.set.tuples.length)
      return undefined;
    const { candidate } = this.#last.diff;
    const verdict = this.#whatIf.explain(candidate, row);
    const { source, destination, protocol, port } = this.#whatIf.questions;
    const question = {
      source: source[row]!,
      destination: destination[row]!,
      protocol: protocol[row]!,
      port: port[row]!,
    };
    const nearest = (["egress", "ingress"] as const).flatMap((direction) => {
      if (verdict[direction].verdict === "allow") return [];
      return candidate.nearestMisses(direction, question, 2);
    });
    return {
      row,
      verdict: verdict.verdict,
      egress: decisionText(verdict.egress.decidedBy),
      ingress: decisionText(verdict.ingress.decidedBy),
      nearest: nearest.map(({ rule, lacks }) => ({ file: rule.file, line: rule.line, lacks })),
    };
  }

  /** The lines of a file as it was last judged. */
  linesOf(file: string): readonly string[] {
    let lines = this.#split.get(file);
    if (lines === undefined) this.#split.set(file, (lines = (this.#last?.texts.get(file) ?? "").split("\n")));
    return lines;
  }

  /** Parsed texts are kept while they don't change: of many files one is typed in. */
  #parse(name: string, text: string): ReturnType<typeof parsePolicies> {
    const known = this.#parsed.get(name);
    if (known?.text === text) return known.parsed;
    const parsed = parsePolicies(text, name);
    this.#parsed.set(name, { text, parsed });
    return parsed;
  }

  #answer(whatIf: WhatIf, diff: WhatIfDiff, problems: readonly PolicyProblem[], profile: Profile): Judged {
    const { set, edge, edges, source, destination, nodes, unknown } = this.traffic;
    const defaults = new Map<string, readonly number[]>();
    const decider = this.#decider(diff, defaults);
    const needsL7 = new Set(diff.needsL7);
    const rowOf = (row: number): FlowRow => {
      const tuple = set.tuples[row]!;
      const [from, to] = [nodes[source[row]!]!, nodes[destination[row]!]!];
      return {
        row,
        change: changeOf(diff, row),
        source: { namespace: from.namespace, workload: from.name },
        destination: { namespace: to.namespace, workload: to.name },
        port: portText(tuple.protocol, tuple.port),
        connections: tuple.connections,
        lastSeen: tuple.lastSeen,
        edge: edges[edge[row]!]!.key,
        by: decider(row),
        unknown: unknown[row] === 1,
        needsL7: needsL7.has(row),
      };
    };
    const others: number[] = [];
    const unjudged: number[] = [];
    for (let row = 0; row < set.tuples.length; row++) {
      if (unknown[row] === 1) unjudged.push(row);
      else if (diff.changes[row] === 0 || diff.changes[row] === 3) others.push(row);
    }
    // Denied before and after first: of what stays, they are what is looked for.
    others.sort(
      (a, b) => diff.changes[b]! - diff.changes[a]! || set.tuples[b]!.connections - set.tuples[a]!.connections,
    );
    const changed = [...diff.newlyDenied, ...diff.newlyAllowed];
    return {
      profile,
      problems,
      counts: diff.counts,
      changed: changed.slice(0, MOST_CHANGED).map(rowOf),
      unchanged: others.slice(0, MOST_OTHERS).map(rowOf),
      unjudged: unjudged.slice(0, MOST_OTHERS).map(rowOf),
      totals: { changed: changed.length, unchanged: others.length, unjudged: unjudged.length },
      edges: this.#edges(diff),
      lines: this.#lines(diff, () => "decides"),
      sentences: this.#sentences(),
      hints: this.#hints(),
      policies: this.#policies(whatIf, diff.candidate),
      disagreements: diff.disagreements.length,
      ms: 0,
    };
  }

  #edges(diff: WhatIfDiff): EdgeChange[] {
    const { set, edge, edges } = this.traffic;
    // Edge × change: connections, and whether there is any row at all.
    const connections = new Float64Array(edges.length * 4);
    const has = new Uint8Array(edges.length * 4);
    for (let row = 0; row < edge.length; row++) {
      const cell = edge[row]! * 4 + diff.changes[row]!;
      connections[cell]! += set.tuples[row]!.connections;
      has[cell] = 1;
    }
    return edges.map((ends, at) => {
      const of = (change: number) => connections[at * 4 + change]!;
      return {
        ...ends,
        change: EDGE_ORDER.find((change) => has[at * 4 + CODE_OF[change]] === 1) ?? "still-allowed",
        connections: { "still-allowed": of(0), "newly-denied": of(1), "newly-allowed": of(2), "still-denied": of(3) },
      };
    });
  }

  /** Row → the line that decides it: where it is denied, the side that denies; else the rule nearest to the destination. */
  #decider(diff: WhatIfDiff, defaults: Map<string, readonly number[]>): (row: number) => DecidingLine | undefined {
    const { rules } = diff.candidate;
    const { code, egressRule, ingressRule } = diff.answers;
    return (row) => {
      const denied = code[row]! & VERDICT_BITS.denied;
      const egressDenies = (denied & VERDICT_BITS.egressDenied) !== 0;
      if (denied === 0) {
        const direction = ingressRule[row] !== NO_RULE ? "ingress" : "egress";
        const rule = direction === "ingress" ? ingressRule[row]! : egressRule[row]!;
        if (rule === NO_RULE) return undefined;
        return { file: rules[rule]!.file, line: rules[rule]!.line, isDefault: false, direction };
      }
      const direction = egressDenies ? "egress" : "ingress";
      const rule = egressDenies ? egressRule[row]! : ingressRule[row]!;
      if (rule !== NO_RULE) return { file: rules[rule]!.file, line: rules[rule]!.line, isDefault: false, direction };
      const policy = diff.candidate.policies[this.#defaultPolicies(diff.candidate, row, direction, defaults)[0] ?? -1];
      return policy === undefined
        ? undefined
        : { file: policy.file, line: this.#subjectLine(policy.file, policy.line), isDefault: true, direction };
    };
  }

  /** Policies that select the row's own side: where no rule matches, they deny. */
  #defaultPolicies(
    set: CompiledPolicySet,
    row: number,
    direction: Direction,
    known: Map<string, readonly number[]>,
  ): readonly number[] {
    const { source, destination } = this.#whatIf!.questions;
    const side = direction === "egress" ? source[row]! : destination[row]!;
    const key = `${direction} ${side}`;
    let list = known.get(key);
    if (list === undefined) known.set(key, (list = set.selecting(side, direction)));
    return list;
  }

  #subjectLine(file: string, line: number): number {
    return subjectLine(this.linesOf(file), line);
  }

  #lines(diff: WhatIfDiff, stateOf: (rule: number) => LineUse["state"]): Judged["lines"] {
    const { set, edge, edges } = this.traffic;
    const { rules, policies } = diff.candidate;
    const { code, egressRule, ingressRule } = diff.answers;
    const defaults = new Map<string, readonly number[]>();
    const make = () => ({ allowed: 0, newlyAllowed: 0, denied: 0, newlyDenied: 0, edges: new Set<number>() });
    const byRule = rules.map(make);
    const byPolicy = policies.map(make);
    for (let row = 0; row < set.tuples.length; row++) {
      const change = diff.changes[row]!;
      const { connections } = set.tuples[row]!;
      for (const direction of ["egress", "ingress"] as const) {
        const rule = (direction === "egress" ? egressRule : ingressRule)[row]!;
        const bit = direction === "egress" ? VERDICT_BITS.egressDenied : VERDICT_BITS.ingressDenied;
        const denied = (code[row]! & bit) !== 0;
        if (rule === NO_RULE && !denied) continue;
        const tallies =
          rule !== NO_RULE
            ? [byRule[rule]!]
            : this.#defaultPolicies(diff.candidate, row, direction, defaults).map((at) => byPolicy[at]!);
        for (const tally of tallies) {
          if (denied) tally.denied += connections;
          else tally.allowed += connections;
          if (denied && change === 1) tally.newlyDenied += connections;
          if (!denied && change === 2) tally.newlyAllowed += connections;
          if (tally.edges.size < MOST_EDGES_A_LINE) tally.edges.add(edge[row]!);
        }
      }
    }
    const lines: Record<string, LineUse[]> = {};
    const put = (file: string, line: number, tally: ReturnType<typeof make>, state: LineUse["state"]) =>
      (lines[file] ??= []).push({ ...tally, line, state, edges: [...tally.edges].map((at) => edges[at]!.key) });
    for (const [at, rule] of rules.entries()) put(rule.file, rule.line, byRule[at]!, stateOf(at));
    for (const [at, policy] of policies.entries())
      if (byPolicy[at]!.denied > 0)
        put(policy.file, this.#subjectLine(policy.file, policy.line), byPolicy[at]!, "decides");
    return lines;
  }

  #hints(): Hint[] {
    return [...this.#last!.texts].flatMap(([file, text]) =>
      text.length > MOST_HINTED ? [] : labelHints(file, text, this.#names),
    );
  }

  #sentences(): Sentence[] {
    const { documents } = this.#last!;
    return documents.slice(0, 200).flatMap((document) => {
      const sentences = sentencesOf(document);
      if (sentences === undefined) return [];
      const { file, line } = document.position;
      const lines = this.linesOf(file);
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

  #policies(whatIf: WhatIf, set: CompiledPolicySet): PolicyFacts[] {
    const { endpoints } = whatIf.world.world;
    const selects = set.policies.map(() => new Set<number>());
    const counted = endpoints.length * set.policies.length <= MOST_SELECTIONS;
    if (counted)
      for (let side = 0; side < endpoints.length; side++)
        for (const direction of ["ingress", "egress"] as const)
          for (const at of set.selecting(side, direction)) selects[at]?.add(side);
    return set.policies.slice(0, MOST_POLICIES).map((policy, at) => ({
      file: policy.file,
      line: policy.line,
      kind: policy.kind,
      namespace: policy.namespace,
      name: policy.name,
      selects: counted ? selects[at]!.size : undefined,
    }));
  }
}

/** The reading that documents ask for: Cilium's if any is of Cilium, Calico's if any is of Calico, else Kubernetes'. */
export function profileFor(documents: readonly PolicyDocument[]): Profile {
  if (documents.some((document) => document.group === "cilium.io")) return "cilium";
  return documents.some((document) => document.group === "projectcalico.org") ? "calico" : "kubernetes";
}
