/**
 * Hot: an answer to each key, ≤ 150 ms for 100,000 tuples (bench/editor.ts). In: texts, traffic. Out: what changes, by row, edge and
 * line. The files' texts in force are today's set, the texts as they stand the candidate. Only files that change are parsed again, and
 * a text that means what the one before meant (meaning.ts) is not judged again: only its lines are.
 */
import { ruleUse } from "../../policy/findings.ts";
import { decisionText } from "../../policy/explain/tiered.ts";
import type { PolicyDocument } from "../../policy/parse/documents.ts";
import { parsePolicies } from "../../policy/parse/policies.ts";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import { compilePolicies } from "../../policy/profiles.ts";
import { WhatIf, type WhatIfDiff } from "../../policy/what-if.ts";
import type { Profile } from "../../policy/world.ts";
import type { EdgeChange, Explained, FlowRow, Hint, Judged, LineUse, Names, PolicyText, Refused } from "./answers.ts";
import { chooseRows, decidingLine, edgesOf, flowRow, type ChosenRows } from "./judged-rows.ts";
import { policyFacts, selectionsOf, sentencesFor } from "./judged-texts.ts";
import { labelHints } from "./label-hints.ts";
import { linesOf, talliesOf, type Tallies } from "./line-uses.ts";
import { subjectLine } from "./lines.ts";
import { meaningOf } from "./meaning.ts";
import { Selecting } from "./selecting.ts";
import { namesOf, type Traffic } from "./traffic.ts";

/** Longer texts are of machines; looking for typing mistakes in them would cost more than judging. */
const MOST_HINTED = 200_000;

interface ParsedText {
  readonly text: string;
  readonly documents: readonly PolicyDocument[];
  readonly problems: readonly PolicyProblem[];
  readonly meaning: string;
}

/** What hangs on the meaning of the texts alone, not on where a rule stands. */
interface Measured {
  readonly meaning: string;
  readonly diff: WhatIfDiff;
  readonly selecting: Selecting;
  readonly tallies: Tallies;
  readonly edges: readonly EdgeChange[];
  readonly rows: ChosenRows;
  readonly needsL7: ReadonlySet<number>;
  readonly selects: readonly number[] | undefined;
}

/** One world of traffic; texts are judged on it one after the other. */
export class Judge {
  readonly traffic: Traffic;
  #whatIf: WhatIf | undefined;
  #todayTexts: string | undefined;
  readonly #split = new Map<string, readonly string[]>();
  #parsed = new Map<string, ParsedText>();
  #last: { readonly documents: readonly PolicyDocument[]; readonly texts: ReadonlyMap<string, string> } | undefined;
  #measured: Measured | undefined;
  readonly #names: Names;

  /** `before`, which is not to be asked again, hands on what it parsed and compiled, where the traffic's identities only became more. */
  constructor(traffic: Traffic, before?: Judge) {
    this.traffic = traffic;
    this.#names = namesOf(traffic);
    if (before === undefined || before.#whatIf?.extend(traffic.set) !== true) return;
    this.#whatIf = before.#whatIf;
    this.#todayTexts = before.#todayTexts;
    this.#parsed = before.#parsed;
  }

  /** The last answer that was given, for what is asked about it. */
  get last(): { readonly whatIf: WhatIf; readonly diff: WhatIfDiff } | undefined {
    return this.#whatIf === undefined || this.#measured === undefined
      ? undefined
      : { whatIf: this.#whatIf, diff: this.#measured.diff };
  }

  /** Judges the texts, or says what is wrong in them. */
  judge(files: readonly PolicyText[], wanted: Profile | undefined): Judged | Refused {
    const began = performance.now();
    const candidate: PolicyDocument[] = [];
    const today: PolicyDocument[] = [];
    const problems: PolicyProblem[] = [];
    const parsed = new Map<string, ParsedText>();
    const meanings: string[] = [];
    let refused = false;
    for (const { name, text, inForce, asOnDisk } of files) {
      const own = this.#parse(parsed, name, text);
      candidate.push(...own.documents);
      problems.push(...own.problems);
      refused ||= asOnDisk !== true && own.problems.some((problem) => problem.severity === "error");
      meanings.push(own.meaning);
      if (inForce !== undefined)
        today.push(...(inForce === text ? own : this.#parse(parsed, `${name} in force`, inForce)).documents);
    }
    this.#parsed = parsed;
    if (refused) return { problems };
    const profile = wanted ?? profileFor([...today, ...candidate]);
    const todayTexts = JSON.stringify([profile, files.map((file) => file.inForce ?? null)]);
    if (this.#whatIf === undefined || this.#whatIf.profile !== profile) {
      this.#whatIf = new WhatIf({ tuples: this.traffic.set, profile }, today);
      this.#measured = undefined;
    } else if (todayTexts !== this.#todayTexts) {
      this.#whatIf.setToday(today);
      this.#measured = undefined;
    }
    this.#todayTexts = todayTexts;
    this.#split.clear();
    this.#last = { documents: candidate, texts: new Map(files.map((file) => [file.name, file.text])) };
    const measured = this.#measure(this.#whatIf, candidate, meanings.join("\n"));
    const judged = this.#answer(this.#whatIf, measured, [...problems, ...measured.diff.problems], profile);
    return { ...judged, ms: performance.now() - began };
  }

  /** Judges every row, or takes over what the last text of the same meaning gave. */
  #measure(whatIf: WhatIf, candidate: readonly PolicyDocument[], meaning: string): Measured {
    const known = this.#measured;
    if (known?.meaning === meaning) {
      // The same rules in the same order, on other lines: answers point at them by number.
      const set = compilePolicies(candidate, whatIf.world, whatIf.profile);
      const diff = { ...known.diff, candidate: set, problems: set.problems };
      return (this.#measured = { ...known, diff });
    }
    const diff = whatIf.diff(candidate);
    const selecting = new Selecting(diff.candidate);
    return (this.#measured = {
      meaning,
      diff,
      selecting,
      tallies: talliesOf(this.traffic, whatIf, diff, selecting),
      edges: edgesOf(this.traffic, diff),
      rows: chooseRows(this.traffic, diff),
      needsL7: new Set(diff.needsL7),
      selects: selectionsOf(diff.candidate, selecting, whatIf.world.endpointSides),
    });
  }

  /** Which rules nothing needs, over the last answer: slower than the answer itself, so it comes after it. */
  uses(): Judged["lines"] | undefined {
    if (this.#whatIf === undefined || this.#measured === undefined) return undefined;
    const { diff } = this.#measured;
    const states = new Map(ruleUse(this.#whatIf, diff.candidate, diff.answers).map((use) => [use.index, use.state]));
    return this.#lines(this.#measured, (rule) => {
      const state = states.get(rule);
      return state === "dead" ? "never hit" : state === "shadowed" || state === "redundant" ? state : "decides";
    });
  }

  /** Why a row is judged as it is, both directions, and which rules come nearest to letting it through. */
  explain(row: number): Explained | undefined {
    if (this.#whatIf === undefined || this.#measured === undefined || row >= this.traffic.set.tuples.length)
      return undefined;
    const { candidate } = this.#measured.diff;
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

  /** Texts that don't change are not parsed again: of many files one is typed in. `into` gets what is kept for the next time. */
  #parse(into: Map<string, ParsedText>, name: string, text: string): ParsedText {
    const known = this.#parsed.get(name);
    if (known?.text === text) {
      into.set(name, known);
      return known;
    }
    const parsed = parsePolicies(text, name);
    const own = { text, ...parsed, meaning: meaningOf(parsed.documents) };
    into.set(name, own);
    return own;
  }

  #answer(whatIf: WhatIf, measured: Measured, problems: readonly PolicyProblem[], profile: Profile): Judged {
    const { diff, selecting, needsL7, rows, edges } = measured;
    const lineOf = (file: string, line: number) => this.#subjectLine(file, line);
    const rowOf = (row: number): FlowRow =>
      flowRow(this.traffic, diff, row, decidingLine(whatIf, diff, selecting, lineOf, row), needsL7.has(row));
    return {
      profile,
      problems,
      counts: diff.counts,
      changed: rows.changed.map(rowOf),
      unchanged: rows.unchanged.map(rowOf),
      unjudged: rows.unjudged.map(rowOf),
      totals: rows.totals,
      edges,
      lines: this.#lines(measured, () => "decides"),
      sentences: sentencesFor(this.#last!.documents, (file) => this.linesOf(file)),
      hints: this.#hints(),
      policies: policyFacts(diff.candidate, measured.selects),
      disagreements: diff.disagreements.length,
      ms: 0,
    };
  }

  #subjectLine(file: string, line: number): number {
    return subjectLine(this.linesOf(file), line);
  }

  #lines({ tallies, diff }: Measured, stateOf: (rule: number) => LineUse["state"]): Judged["lines"] {
    const lineOf = (file: string, line: number) => this.#subjectLine(file, line);
    return linesOf(tallies, diff.candidate, this.traffic.edges, lineOf, stateOf);
  }

  #hints(): Hint[] {
    return [...this.#last!.texts].flatMap(([file, text]) =>
      text.length > MOST_HINTED ? [] : labelHints(file, text, this.#names),
    );
  }
}

/** The reading that documents ask for: Cilium's if any is of Cilium, Calico's if any is of Calico, else Kubernetes'. */
export function profileFor(documents: readonly PolicyDocument[]): Profile {
  if (documents.some((document) => document.group === "cilium.io")) return "cilium";
  return documents.some((document) => document.group === "projectcalico.org") ? "calico" : "kubernetes";
}
