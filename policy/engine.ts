import type { PolicyDocument } from "./parse/documents.ts";
import type { PolicyProblem } from "./parse/problem.ts";
import type { PolicyRef, RuleRef, Verdict } from "./verdict.ts";
import type { Profile } from "./world.ts";
import type { SideId, WorldIndex } from "./world-index.ts";

/** Protocol numbers as IANA assigns them; the names that policies and cases use. */
export const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["ICMP", 1],
  ["TCP", 6],
  ["UDP", 17],
  ["ICMPv6", 58],
  ["SCTP", 132],
  ["UDPLite", 136],
]);

/** One question. `port` is the destination port, for ICMP the type. */
export interface FlowQuestion {
  readonly source: SideId;
  readonly destination: SideId;
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort?: number;
  readonly icmpCode?: number;
}

/** Many questions in columns; row i of each belongs together. Absent source ports count as 40000, codes as 0. */
export interface QuestionColumns {
  readonly length: number;
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly protocol: Uint8Array;
  readonly port: Uint16Array;
  readonly sourcePort?: Uint16Array;
  readonly icmpCode?: Uint8Array;
}

/** Many answers in columns. */
export interface AnswerColumns {
  /** VERDICT_BITS of each row. */
  readonly code: Uint8Array;
  /** Which rule decided at the source: an index into `CompiledPolicySet.rules`, or NO_RULE. */
  readonly egressRule: Int32Array;
  readonly ingressRule: Int32Array;
}
/** No rule decided: no policy, default deny, or what the plugin does by itself. */
export const NO_RULE = -1;

/** Policies made ready against one world, whatever the profile. */
export interface CompiledPolicySet {
  readonly profile: Profile;
  readonly world: WorldIndex;
  /** Every document that takes part, in the order given. */
  readonly policies: readonly PolicyRef[];
  /** Every rule of them; `AnswerColumns` point in here. */
  readonly rules: readonly RuleRef[];
  /** What could not be evaluated and why: doNotTrack, toGroups and the like. */
  readonly problems: readonly PolicyProblem[];
  /** Judges rows 0 to `questions.length`. Sides must come from `world`. */
  evaluate(questions: QuestionColumns, answers: AnswerColumns): void;
  explain(question: FlowQuestion): Verdict;
  /**
   * Rules that take a row in, whoever decides it, and whether the verdict needs the one that does (NO_RULE: nobody). Absent where
   * findings ask the compiled entries themselves (evaluate/tiered.ts); so is the one below.
   */
  matching?(questions: QuestionColumns, row: number, direction: "egress" | "ingress", decider: number): RowMatch;
  /** What each allowing rule leaves open, by its index in `rules`. */
  openness?(): ReadonlyMap<number, RuleOpenness>;
  /** The allowing rules that come nearest to a flow that is denied, with what they lack, fewest first. */
  nearestMisses(
    direction: "egress" | "ingress",
    question: FlowQuestion,
    limit?: number,
  ): { readonly rule: RuleRef; readonly direction: "egress" | "ingress"; readonly lacks: readonly string[] }[];
  /**
   * What a proxy would say to a request (`GET /cart`, or a name that is looked up) where the verdict is handed to one; unknown where
   * its rules are not known or too costly to try. Absent: the profile's proxies are not evaluated.
   */
  judgeRequest?(direction: "egress" | "ingress", question: FlowQuestion, request: string): "allow" | "deny" | "unknown";
  /** What every rule takes in, in the order in which rules are asked: for finding those that contradict each other. */
  reaches?(): readonly RuleReach[];
  /** Which policies select a side, per direction: indices into `policies`. Staged ones as the configuration says. */
  selecting(side: SideId, direction: "egress" | "ingress"): readonly number[];
}

export interface RowMatch {
  readonly matched: readonly number[];
  readonly needed: boolean;
}

/** What one rule takes in. Rules are compared set by set: the sets of one compiled set count the same things at the same place. */
export interface RuleReach {
  /** Index in `rules`. */
  readonly rule: number;
  readonly direction: "egress" | "ingress";
  readonly action: "allow" | "deny" | "pass";
  /** Later rules are asked after earlier ones; equal = nothing says which comes first. */
  readonly order: readonly number[];
  /** Policies that share it have the same written order, which the API leaves undefined or a name decides; undefined: order does not matter there. */
  readonly tie: string | undefined;
  /** Whom it is about and who their peers are, as bits; undefined = everybody. */
  readonly sets: readonly (Uint32Array | undefined)[];
  /** Undefined = every port of every protocol; `slot` stands for a protocol. */
  readonly ports: readonly PortReach[] | undefined;
  /** True where the rule asks for no more than the above, so that it takes in all of it. */
  readonly whole: boolean;
  /** True where it is there to be overridden: a baseline. */
  readonly yields: boolean;
}
export interface PortReach {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  /** A port by name: compared with equal names alone. */
  readonly name?: string;
}

export interface RuleOpenness {
  readonly everyPort: boolean;
  readonly everyPeer: boolean;
  /** Infinity for every port. */
  readonly ports: number;
}

/** What each profile's engine supplies. */
export type CompilePolicies = (documents: readonly PolicyDocument[], world: WorldIndex) => CompiledPolicySet;

/** Room for the answers to `length` questions. */
export function answerColumns(length: number): AnswerColumns {
  return { code: new Uint8Array(length), egressRule: new Int32Array(length), ingressRule: new Int32Array(length) };
}
