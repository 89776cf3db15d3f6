import { answerColumns, NO_RULE, type AnswerColumns, type CompiledPolicySet, type QuestionColumns } from "./engine.ts";
import type { PolicyDocument } from "./parse/documents.ts";
import type { PolicyProblem } from "./parse/problem.ts";
import { compilePolicies } from "./profiles.ts";
import { basisOf, endpointOf, questionsOfTuples, worldOfTuples, type Basis, type TupleSet } from "./tuples.ts";
import { VERDICT_BITS, type Direction, type Verdict } from "./verdict.ts";
import type { Profile, World, WorldConfig } from "./world.ts";
import { WorldIndex } from "./world-index.ts";

/** What a change of policies would do to a tuple. */
export type Change = "newly-denied" | "newly-allowed" | "still-allowed" | "still-denied";
const CHANGES: readonly Change[] = ["still-allowed", "newly-denied", "newly-allowed", "still-denied"];

/** Counts of one change. */
export interface ChangeCount {
  readonly tuples: number;
  readonly connections: number;
}

/** Today's policies against a candidate over recorded traffic. Rows are numbers of tuples in the set. */
export interface WhatIfDiff {
  readonly basis: Basis;
  readonly counts: { readonly [C in Change]: ChangeCount };
  /** Row → index into CHANGES: `changeOf(diff, row)`. */
  readonly changes: Uint8Array;
  /** Rows of each, most connections first. */
  readonly newlyDenied: readonly number[];
  readonly newlyAllowed: readonly number[];
  /** Rows where today's policies don't explain what was recorded, or deny what happened. */
  readonly disagreements: readonly number[];
  /** Rows that are allowed on condition: a proxy judges requests, and these were not recorded at layer 7. */
  readonly needsL7: readonly number[];
  /** Row → rule of the candidate set that decides, per direction; NO_RULE where none. */
  readonly answers: AnswerColumns;
  readonly candidate: CompiledPolicySet;
  readonly problems: readonly PolicyProblem[];
}

export interface WhatIfSetup {
  readonly tuples: TupleSet;
  readonly profile: Profile;
  readonly config?: WorldConfig;
  /** What tuples don't tell: nodes, services, CIDR groups, labels of service accounts. */
  readonly world?: Partial<World>;
}

/**
 * Traffic and today's policies made ready once; candidates are then asked one after the other (an editor asks on every key). The
 * verdict before a change is that of today's policies; where what was recorded differs from it, the row is a disagreement: traffic
 * recorded without a verdict counts as it happened, that is as allowed.
 */
export class WhatIf {
  tuples: TupleSet;
  readonly profile: Profile;
  readonly world: WorldIndex;
  questions: QuestionColumns;
  basis: Basis;
  #compiledSets: readonly { readonly documents: readonly PolicyDocument[]; readonly set: CompiledPolicySet }[] = [];
  #today: { readonly set: CompiledPolicySet; readonly answers: AnswerColumns };

  constructor(setup: WhatIfSetup, today: readonly PolicyDocument[]) {
    this.tuples = setup.tuples;
    this.profile = setup.profile;
    this.world = new WorldIndex(worldOfTuples(setup.tuples, setup.config, setup.world));
    this.questions = questionsOfTuples(setup.tuples, this.world);
    this.basis = basisOf(setup.tuples);
    this.#today = this.#judge(today);
  }

  get today(): CompiledPolicySet {
    return this.#today.set;
  }
  get todaysAnswers(): AnswerColumns {
    return this.#today.answers;
  }

  /** Takes another set as today's. */
  setToday(documents: readonly PolicyDocument[]): void {
    this.#today = this.#judge(documents);
  }

  /**
   * Takes other traffic of the same world in: identities that are new join the compiled sets, nothing is compiled again. False, and
   * nothing done, where an identity that was known is gone or changed, a name was looked up as other addresses, or a namespace has
   * other labels: that needs a new WhatIf. Later than this, a diff that was answered before is of the old rows.
   */
  extend(tuples: TupleSet): boolean {
    if (!isExtension(this.tuples, tuples)) return false;
    const known = new Set(this.tuples.identities.map(({ id }) => id));
    for (const identity of tuples.identities)
      if (identity.entity === undefined && !known.has(identity.id)) this.world.add(endpointOf(identity));
    this.tuples = tuples;
    this.questions = questionsOfTuples(tuples, this.world);
    this.basis = basisOf(tuples);
    this.#today = this.#answer(this.#today.set);
    return true;
  }

  /** The whole candidate set (not only what changes in it) against today's. */
  diff(candidate: readonly PolicyDocument[]): WhatIfDiff {
    const { set, answers, needsL7 } = this.#answer(this.#compiled(candidate));
    const before = this.#today.answers.code;
    const rows = this.tuples.tuples;
    const changes = new Uint8Array(rows.length);
    const tuples = [0, 0, 0, 0];
    const connections = [0, 0, 0, 0];
    const newlyDenied: number[] = [];
    const newlyAllowed: number[] = [];
    const disagreements: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const wasDenied = (before[row]! & VERDICT_BITS.denied) !== 0 ? 1 : 0;
      const isDenied = (answers.code[row]! & VERDICT_BITS.denied) !== 0 ? 1 : 0;
      const index = wasDenied === 0 ? isDenied : isDenied === 0 ? 2 : 3;
      changes[row] = index;
      tuples[index]!++;
      connections[index]! += rows[row]!.connections;
      if (index === 1) newlyDenied.push(row);
      else if (index === 2) newlyAllowed.push(row);
      if ((rows[row]!.recorded === "denied") !== (wasDenied === 1)) disagreements.push(row);
    }
    const byWeight = (a: number, b: number) => rows[b]!.connections - rows[a]!.connections || a - b;
    const count = (change: Change): ChangeCount => {
      const at = CHANGES.indexOf(change);
      return { tuples: tuples[at]!, connections: connections[at]! };
    };
    return {
      basis: this.basis,
      counts: {
        "newly-denied": count("newly-denied"),
        "newly-allowed": count("newly-allowed"),
        "still-allowed": count("still-allowed"),
        "still-denied": count("still-denied"),
      },
      changes,
      newlyDenied: newlyDenied.sort(byWeight),
      newlyAllowed: newlyAllowed.sort(byWeight),
      disagreements,
      needsL7,
      answers,
      candidate: set,
      problems: set.problems,
    };
  }

  /** Why a row is judged as it is, by a set of this world. */
  explain(set: CompiledPolicySet, row: number): Verdict {
    const { source, destination, protocol, port } = this.questions;
    return set.explain({
      source: source[row]!,
      destination: destination[row]!,
      protocol: protocol[row]!,
      port: port[row]!,
    });
  }

  /** Lets proxies judge the requests that are known, and gives the rows whose verdict hangs on requests that are not. */
  #judgeRequests(set: CompiledPolicySet, { code }: AnswerColumns): number[] {
    const needsL7: number[] = [];
    const { source, destination, protocol, port } = this.questions;
    for (let row = 0; row < code.length; row++) {
      if (
        (code[row]! & (VERDICT_BITS.egressL7 | VERDICT_BITS.ingressL7)) === 0 ||
        (code[row]! & VERDICT_BITS.denied) !== 0
      )
        continue;
      const request = this.tuples.tuples[row]!.l7;
      const question = {
        source: source[row]!,
        destination: destination[row]!,
        protocol: protocol[row]!,
        port: port[row]!,
      };
      const judge = (direction: Direction) =>
        request === undefined ? "unknown" : (set.judgeRequest?.(direction, question, request) ?? "unknown");
      const egress = code[row]! & VERDICT_BITS.egressL7 ? judge("egress") : "allow";
      const ingress = code[row]! & VERDICT_BITS.ingressL7 ? judge("ingress") : "allow";
      if (egress === "deny") code[row]! |= VERDICT_BITS.egressDenied;
      if (ingress === "deny") code[row]! |= VERDICT_BITS.ingressDenied;
      if (egress !== "deny" && ingress !== "deny" && (egress === "unknown" || ingress === "unknown")) needsL7.push(row);
    }
    return needsL7;
  }

  /** Sets are compiled once for the same documents: after `extend`, and where today's are the candidate. */
  #compiled(documents: readonly PolicyDocument[]): CompiledPolicySet {
    const known = this.#compiledSets.find(
      (it) =>
        it.documents.length === documents.length && it.documents.every((document, i) => document === documents[i]),
    );
    if (known !== undefined) return known.set;
    const set = compilePolicies(documents, this.world, this.profile);
    this.#compiledSets = [{ documents: [...documents], set }, ...this.#compiledSets].slice(0, 2);
    return set;
  }

  #judge(documents: readonly PolicyDocument[]): { set: CompiledPolicySet; answers: AnswerColumns; needsL7: number[] } {
    return this.#answer(this.#compiled(documents));
  }

  #answer(set: CompiledPolicySet): { set: CompiledPolicySet; answers: AnswerColumns; needsL7: number[] } {
    const answers = answerColumns(this.questions.length);
    set.evaluate(this.questions, answers);
    return { set, answers, needsL7: this.#judgeRequests(set, answers) };
  }
}

/** Whether `after` has all identities of `before` as they were, and the same names and namespaces, so far as they were known. */
function isExtension(before: TupleSet, after: TupleSet): boolean {
  const text = (it: unknown) =>
    JSON.stringify(it, (_, value: unknown) => (value instanceof Map ? [...value].toSorted() : value));
  const identities = new Map(after.identities.map((identity) => [identity.id, identity]));
  if (before.identities.some((it) => text(identities.get(it.id)) !== text(it))) return false;
  return text([namesOf(before), before.namespaces]) === text([namesOf(after), after.namespaces]);
}

/** What names stand for, those of tuples' ends included. */
function namesOf(set: TupleSet): string[] {
  return worldOfTuples({ ...set, identities: [] })
    .dnsNames.map(({ name, addresses }) => JSON.stringify([name, [...addresses].toSorted()]))
    .toSorted();
}

/** What happens to a row. */
export function changeOf(diff: WhatIfDiff, row: number): Change {
  return CHANGES[diff.changes[row]!]!;
}

/** The rules that decide a row in the candidate, egress first; fewer where the default decides. */
export function decidingRules(diff: WhatIfDiff, row: number): number[] {
  return [diff.answers.egressRule[row]!, diff.answers.ingressRule[row]!].filter((rule) => rule !== NO_RULE);
}

/** Documents with changes laid over them: one of the same kind, namespace and name is replaced, `deleted` ones go. */
export function applyChanges(
  today: readonly PolicyDocument[],
  changed: readonly PolicyDocument[],
  deleted: readonly {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }[] = [],
): PolicyDocument[] {
  const key = (it: { group: string; kind: string; namespace: string; name: string }) =>
    `${it.group} ${it.kind} ${it.namespace} ${it.name}`;
  const gone = new Set([...deleted, ...changed].map(key));
  return [...today.filter((document) => !gone.has(key(document))), ...changed];
}
