import { slotOf, type CompiledRules, type Entry, type SidePredicate, type TieredSemantics } from "../compile/entry.ts";
import { applyEntry, subjectPlan, type SubjectPlan } from "./plan.ts";
import type { AnswerColumns, CompiledPolicySet, FlowQuestion, QuestionColumns, RuleReach } from "../engine.ts";
import { NO_RULE } from "../engine.ts";
import { nearestMisses, type NearMiss } from "../explain/nearest-miss.ts";
import { explainTiered } from "../explain/tiered.ts";
import type { Direction, Verdict } from "../verdict.ts";
import type { SideId, WorldIndex } from "../world-index.ts";
import { judgeRequest } from "./requests.ts";
import { SideClasses } from "./classes.ts";
import {
  ALL_SLOTS,
  boundaries,
  compareEntries,
  covers,
  decidePort,
  type AppliedEntry,
  type DecideOptions,
  type Outcome,
} from "./decide.ts";
import { PortTables } from "./port-tables.ts";
import { reachesOf } from "./reach.ts";

/** Outcomes as the tables carry them: bit 0 denied, 1 redirect, 2–3 auth, the rest the deciding entry + 1 (0 = the default). */
const OUTCOME = { denied: 1, redirect: 2, auth: 4, shift: 4 } as const;

/** The policy engine of Kubernetes' and Cilium's kinds: classes of sides, a port table for each pair of classes that is asked for. */
export class TieredPolicySet implements CompiledPolicySet {
  readonly profile: "kubernetes" | "cilium";
  readonly world: WorldIndex;
  readonly compiled: CompiledRules;
  readonly semantics: TieredSemantics;
  #egress: DirectionTables;
  #ingress: DirectionTables;

  constructor(compiled: CompiledRules, semantics: TieredSemantics, world: WorldIndex) {
    this.profile = semantics.profile;
    this.world = world;
    this.compiled = compiled;
    this.semantics = semantics;
    this.#egress = new DirectionTables(compiled, semantics, "egress");
    this.#ingress = new DirectionTables(compiled, semantics, "ingress");
  }

  get policies() {
    return this.compiled.policies;
  }
  get rules() {
    return this.compiled.rules;
  }
  get problems() {
    return this.compiled.problems;
  }

  /** Takes in sides that came since. What a port name means on a known side may change with them: then tables are made anew. */
  #learn(): void {
    const { size } = this.world;
    if (this.semantics.learn?.(size) === true) {
      this.#egress = new DirectionTables(this.compiled, this.semantics, "egress");
      this.#ingress = new DirectionTables(this.compiled, this.semantics, "ingress");
    }
    this.#egress.ensure(size);
    this.#ingress.ensure(size);
  }

  evaluate(questions: QuestionColumns, answers: AnswerColumns): void {
    this.#learn();
    const { source, destination, protocol, port } = questions;
    const { code, egressRule, ingressRule } = answers;
    const entries = this.compiled.entries;
    const selfIsExempt = this.semantics.selfIsExempt;
    for (let i = 0; i < questions.length; i++) {
      const from = source[i]!;
      const to = destination[i]!;
      if (selfIsExempt && from === to) {
        code[i] = 0;
        egressRule[i] = ingressRule[i] = NO_RULE;
        continue;
      }
      const slot = slotOf(protocol[i]!);
      const out = this.#egress.outcome(from, to, slot, port[i]!);
      const back = this.#ingress.outcome(to, from, slot, port[i]!);
      code[i] =
        (out & 1) | ((back & 1) << 1) | ((out & 2) << 1) | ((back & 2) << 2) | ((out & 12) << 2) | ((back & 12) << 4);
      egressRule[i] = out >>> OUTCOME.shift === 0 ? NO_RULE : entries[(out >>> OUTCOME.shift) - 1]!.rule;
      ingressRule[i] = back >>> OUTCOME.shift === 0 ? NO_RULE : entries[(back >>> OUTCOME.shift) - 1]!.rule;
    }
  }

  explain(question: FlowQuestion): Verdict {
    return explainTiered(this, question);
  }

  judgeRequest(direction: Direction, question: FlowQuestion, request: string): "allow" | "deny" | "unknown" {
    const [subject, peer] =
      direction === "egress" ? [question.source, question.destination] : [question.destination, question.source];
    const pair = this.applied(direction, subject, peer);
    if (pair === undefined) return "allow";
    const slot = slotOf(question.protocol);
    const allowing = pair.entries.filter((entry) => entry.action === "allow" && covers(entry, slot, question.port));
    return judgeRequest(
      allowing.map(({ id }) => this.compiled.entries[id]!),
      pair.options.defaultDenied,
      request,
    );
  }

  selecting(side: SideId, direction: Direction): readonly number[] {
    const found = new Set<number>();
    if (!this.semantics.isSubject(side, direction)) return [];
    for (const { policy, direction: of, subject } of this.compiled.enforcements)
      if (of === direction && subject.matches(side)) found.add(policy);
    for (const entry of this.compiled.entries) {
      const rule = entry.direction === direction ? this.compiled.rules[entry.rule] : undefined;
      const policy = rule === undefined ? -1 : this.compiled.policies.indexOf(rule.policy);
      if (policy >= 0 && !found.has(policy) && entry.subject.matches(side)) found.add(policy);
    }
    return [...found].sort((a, b) => a - b);
  }

  nearestMisses(direction: Direction, question: FlowQuestion, limit = 3): NearMiss[] {
    return nearestMisses(this, direction, question, limit);
  }

  reaches(): readonly RuleReach[] {
    return reachesOf(this.compiled, this.semantics, this.world.size);
  }

  /**
   * What applies between a subject and its peer, in order, and what holds when none of it decides. Pairs with one `key` are judged
   * alike; undefined where there is no policy point.
   */
  applied(direction: Direction, subject: number, peer: number): AppliedPair | undefined {
    this.#learn();
    const tables = direction === "egress" ? this.#egress : this.#ingress;
    return this.semantics.selfIsExempt && subject === peer ? undefined : tables.applied(subject, peer);
  }

  /** What the tables hold, for the memory that docs state. */
  get memory(): { classes: number; tables: number; bytes: number } {
    const [a, b] = [this.#egress.memory, this.#ingress.memory];
    return { classes: a.classes + b.classes, tables: a.tables + b.tables, bytes: a.bytes + b.bytes };
  }
}

export interface AppliedPair {
  readonly key: string;
  readonly entries: readonly AppliedEntry[];
  readonly options: DecideOptions;
}

/** A plan that all subjects with the same entries and default share. */
interface SharedPlan extends SubjectPlan {
  /** True where an entry's ports have names: then the table hangs on the destination too. */
  readonly named: boolean;
  /** Which of `entries` match a peer, as bits → table. */
  readonly tables: Map<number, number>;
}
const MASK_BITS = 31;

function hasName(entry: Entry): boolean {
  return entry.ports?.some((port) => port.kind === "name") === true;
}

/** One direction: classes of subjects and peers, and the cells between them, filled as they are asked for. */
class DirectionTables {
  readonly #compiled: CompiledRules;
  readonly #semantics: TieredSemantics;
  readonly #direction: Direction;
  readonly #order: readonly number[];
  readonly #subjects: SideClasses;
  readonly #peers: SideClasses;
  readonly #subjectNumber: Int32Array;
  readonly #peerNumbers: (Int32Array | undefined)[] = [];
  readonly #enforcementNumbers: Int32Array;
  readonly #plans: (SharedPlan | undefined)[] = [];
  readonly #planOf = new Map<string, SharedPlan>();
  readonly #ports: Signatures;
  /** subject class → peer class → table + 1; 0 = not yet filled. */
  readonly #cells: Int32Array[] = [];
  readonly #tables = new PortTables();
  readonly #tableOf = new Map<string, number>();
  readonly #pairs = new Map<string, AppliedPair>();

  constructor(compiled: CompiledRules, semantics: TieredSemantics, direction: Direction) {
    this.#compiled = compiled;
    this.#semantics = semantics;
    this.#direction = direction;
    const subjects = new PredicateList();
    const peers = new PredicateList();
    const names = new Set<string>();
    const order: number[] = [];
    this.#subjectNumber = new Int32Array(compiled.entries.length);
    for (const [id, entry] of compiled.entries.entries()) {
      if (entry.direction !== direction) continue;
      order.push(id);
      this.#subjectNumber[id] = subjects.number(entry.subject);
      this.#peerNumbers[id] = entry.peers && Int32Array.from(entry.peers, (peer) => peers.number(peer));
      for (const port of entry.ports ?? []) if (port.kind === "name") names.add(`${port.slot} ${port.name}`);
    }
    this.#order = order.sort((a, b) => compareEntries(compiled.entries[a]!, compiled.entries[b]!) || a - b);
    this.#enforcementNumbers = Int32Array.from(compiled.enforcements, (enforcement) =>
      enforcement.direction === direction ? subjects.number(enforcement.subject) : -1,
    );
    const ports = new Signatures([...names], semantics, direction);
    this.#ports = ports;
    const isSubject = (side: number) =>
      (semantics.isSubject(side, direction) ? 1 : 0) + (semantics.alwaysIsolated(side) ? 2 : 0);
    const egress = direction === "egress";
    this.#subjects = new SideClasses(subjects.list, (side) => isSubject(side) + (egress ? 0 : 4 * ports.of(side)));
    this.#peers = new SideClasses(peers.list, egress ? (side) => ports.of(side) : () => 0);
  }

  get memory(): { classes: number; tables: number; bytes: number } {
    const cells = this.#cells.reduce((sum, row) => sum + row.byteLength, 0);
    const { tables, bytes } = this.#tables.size;
    return { classes: this.#subjects.count + this.#peers.count, tables, bytes: bytes + cells };
  }

  applied(subject: number, peer: number): AppliedPair | undefined {
    const subjectClass = this.#subjects.classOf[subject]!;
    const peerClass = this.#peers.classOf[peer]!;
    const plan = (this.#plans[subjectClass] ??= this.#plan(subjectClass));
    if (!plan.isSubject) return undefined;
    const ids = plan.entries.filter((id) => {
      const peers = this.#peerNumbers[id];
      return peers === undefined || this.#anyOf(peerClass, peers);
    });
    const destination = this.#direction === "egress" ? peer : subject;
    const { defaultDenied } = plan.options;
    const key = `${this.#direction} ${ids.join(",")} ${defaultDenied} ${plan.named ? this.#ports.of(destination) : ""}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const entries = ids.map((id) => applyEntry(id, this.#compiled.entries[id]!, this.#semantics, destination));
    const pair = { key, entries, options: plan.options };
    this.#pairs.set(key, pair);
    return pair;
  }

  ensure(size: number): void {
    this.#subjects.ensure(size);
    this.#peers.ensure(size);
  }

  /** OUTCOME bits for a subject, its peer and a port. Sides must be below the last `ensure`. */
  outcome(subject: number, peer: number, slot: number, port: number): number {
    const subjectClass = this.#subjects.classOf[subject]!;
    const peerClass = this.#peers.classOf[peer]!;
    const row = this.#cells[subjectClass];
    let table = row === undefined || peerClass >= row.length ? 0 : row[peerClass]!;
    if (table === 0) table = this.#fill(subjectClass, peerClass);
    return this.#tables.find(table - 1, slot, port);
  }

  #fill(subjectClass: number, peerClass: number): number {
    let row = this.#cells[subjectClass];
    if (row === undefined || peerClass >= row.length) {
      const longer = new Int32Array(Math.max(this.#peers.count, peerClass + 1));
      if (row !== undefined) longer.set(row);
      this.#cells[subjectClass] = row = longer;
    }
    const table = this.#tableFor(subjectClass, peerClass) + 1;
    row[peerClass] = table;
    return table;
  }

  #tableFor(subjectClass: number, peerClass: number): number {
    const plan = (this.#plans[subjectClass] ??= this.#plan(subjectClass));
    const { entries, tables } = plan;
    if (!plan.isSubject || entries.length > MASK_BITS) return this.#tableByList(plan, subjectClass, peerClass);
    let mask = 0;
    for (let i = 0; i < entries.length; i++) {
      const peers = this.#peerNumbers[entries[i]!];
      if (peers === undefined || this.#anyOf(peerClass, peers)) mask |= 1 << i;
    }
    let table = tables.get(mask);
    if (table === undefined || plan.named) {
      const ids = entries.filter((_, i) => (mask & (1 << i)) !== 0);
      table = this.#tableOfEntries(plan, ids, subjectClass, peerClass);
      tables.set(mask, table);
    }
    return table;
  }

  /** For subjects that nothing selects, or more entries than a mask holds. */
  #tableByList(plan: SharedPlan, subjectClass: number, peerClass: number): number {
    const ids: number[] = [];
    if (plan.isSubject)
      for (const id of plan.entries) {
        const peers = this.#peerNumbers[id];
        if (peers === undefined || this.#anyOf(peerClass, peers)) ids.push(id);
      }
    return this.#tableOfEntries(plan, ids, subjectClass, peerClass);
  }

  #tableOfEntries(plan: SharedPlan, ids: readonly number[], subjectClass: number, peerClass: number): number {
    // A port's name stands for the destination's number: part of the subject's class for ingress, of the peer's for egress.
    const egress = this.#direction === "egress";
    const destination = egress ? this.#peers.representative(peerClass) : this.#subjects.representative(subjectClass);
    const named = plan.named && ids.some((id) => hasName(this.#compiled.entries[id]!));
    const { defaultDenied, authInUse } = plan.options;
    const key = `${ids.join(",")} ${defaultDenied ? 1 : 0}${authInUse ? "a" : ""} ${named ? this.#ports.of(destination) : ""}`;
    const known = this.#tableOf.get(key);
    if (known !== undefined) return known;
    const applied = ids.map((id) => applyEntry(id, this.#compiled.entries[id]!, this.#semantics, destination));
    const table = this.#tables.add(
      ALL_SLOTS.map((slot) => {
        const upper = boundaries(applied, slot, authInUse);
        return { upper, outcome: upper.map((port) => encode(decidePort(applied, slot, port, plan.options))) };
      }),
    );
    this.#tableOf.set(key, table);
    return table;
  }

  #anyOf(peerClass: number, numbers: Int32Array): boolean {
    for (let i = 0; i < numbers.length; i++) if (this.#peers.has(peerClass, numbers[i]!)) return true;
    return false;
  }

  #plan(subjectClass: number): SharedPlan {
    const side = this.#subjects.representative(subjectClass);
    const entries = this.#order.filter((id) => this.#subjects.has(subjectClass, this.#subjectNumber[id]!));
    let enforced = false;
    let isolated = false;
    for (const [at, number] of this.#enforcementNumbers.entries()) {
      if (number < 0 || !this.#subjects.has(subjectClass, number)) continue;
      enforced = true;
      if (this.#compiled.enforcements[at]!.defaultDeny) isolated = true;
    }
    const plan = subjectPlan(this.#semantics, this.#compiled, side, this.#direction, entries, enforced, isolated);
    const { defaultDenied, authInUse } = plan.options;
    const key = `${plan.isSubject} ${defaultDenied} ${authInUse} ${plan.entries.join(",")}`;
    let shared = this.#planOf.get(key);
    if (shared === undefined) {
      const named = plan.entries.some((id) => hasName(this.#compiled.entries[id]!));
      this.#planOf.set(key, (shared = { ...plan, named, tables: new Map() }));
    }
    return shared;
  }
}

function encode(outcome: Outcome): number {
  const bits =
    (outcome.denied ? OUTCOME.denied : 0) | (outcome.redirect ? OUTCOME.redirect : 0) | (outcome.auth * OUTCOME.auth);
  return bits | ((outcome.entry + 1) << OUTCOME.shift);
}

class PredicateList {
  readonly list: SidePredicate[] = [];
  readonly #numbers = new Map<string, number>();

  number(predicate: SidePredicate): number {
    let number = this.#numbers.get(predicate.key);
    if (number === undefined) this.#numbers.set(predicate.key, (number = this.list.push(predicate) - 1));
    return number;
  }
}

/** Numbers for what a side's port names stand for, among the names that any rule uses. */
class Signatures {
  readonly #names: readonly { slot: number; name: string }[];
  readonly #semantics: TieredSemantics;
  readonly #direction: Direction;
  readonly #numbers = new Map<string, number>();

  constructor(names: readonly string[], semantics: TieredSemantics, direction: Direction) {
    this.#names = names.map((text) => ({ slot: Number(text.slice(0, 1)), name: text.slice(2) }));
    this.#semantics = semantics;
    this.#direction = direction;
  }

  of(side: number): number {
    const text = this.#names
      .map(({ slot, name }) => this.#semantics.namedPorts(side, name, slot, this.#direction).join(","))
      .join(";");
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }
}
