import type { Basis } from "../../policy/tuples.ts";
import type { Change, ChangeCount } from "../../policy/what-if.ts";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import type { GeneratedKind } from "../../policy/generate/write.ts";
import type { Family, Profile } from "../../policy/world.ts";
import type { MapLevel, NodeShape } from "../map/graph.ts";

/** What crosses between the page and its worker. Everything is plain data: a copy on either side. */

/** A text of policies as the worker judges it. `name` is unique among the files. */
export interface PolicyText {
  readonly name: string;
  readonly text: string;
  /** The text that is in force today; undefined: nothing of this file is. */
  readonly inForce: string | undefined;
  /** A file of the server's folder that nobody edited here: what is wrong in it leaves its document out, and refuses nothing. */
  readonly asOnDisk?: true;
}

/** Who or what stands at an end. */
export interface FlowEnd {
  readonly namespace: string;
  readonly workload: string;
}

/** A line that decides. */
export interface DecidingLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** True: no rule matched, the policy's selection alone decided. */
  readonly isDefault: boolean;
  readonly direction: "egress" | "ingress";
}

/** A label that nobody of the traffic has. */
export interface Hint {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly key: string;
  readonly value: string;
  /** What was probably meant. */
  readonly instead?: string;
}

/** One tuple of the traffic with what becomes of it. */
export interface FlowRow {
  readonly row: number;
  readonly change: Change;
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  readonly port: string;
  /** IP version; undefined where the ends have addresses of one only. */
  readonly family: Family | undefined;
  readonly connections: number;
  /** Milliseconds since 1970. */
  readonly lastSeen: number;
  /** Key of its edge on the map. */
  readonly edge: string;
  /** What decides; undefined: no policy. */
  readonly by: DecidingLine | undefined;
  /** True: an end is a private address that nobody is known for. */
  readonly unknown: boolean;
  /** True: allowed on condition, a proxy judges requests that were not recorded. */
  readonly needsL7: boolean;
}

/** What a line did, in connections of the range. */
export interface LineUse {
  readonly line: number;
  readonly allowed: number;
  readonly newlyAllowed: number;
  readonly denied: number;
  readonly newlyDenied: number;
  readonly state: "decides" | "never hit" | "redundant" | "shadowed";
  /** Keys of the edges that it decides. */
  readonly edges: readonly string[];
}

export interface EdgeChange {
  readonly key: string;
  readonly source: string;
  readonly target: string;
  readonly change: Change;
  readonly connections: { readonly [C in Change]: number };
}

export interface NodeFacts {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly shape: NodeShape;
  readonly count: number;
  readonly connections: number;
}

/** A sentence about a policy or one of its rules, with its line. */
export interface Sentence {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly isSummary: boolean;
}

/** Names that exist in the traffic, for completion. */
export interface Names {
  readonly namespaces: readonly string[];
  readonly workloads: readonly {
    readonly namespace: string;
    readonly workload: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly connections: number;
  }[];
  readonly labels: readonly { readonly key: string; readonly values: readonly string[] }[];
  readonly ports: readonly { readonly protocol: string; readonly port: number; readonly connections: number }[];
  readonly domains: readonly string[];
}

/** The traffic that was loaded. */
export interface Loaded {
  readonly basis: Basis;
  readonly truncated: boolean;
  readonly names: Names;
  /** What a node of the map stands for. */
  readonly level: MapLevel;
  readonly nodes: readonly NodeFacts[];
}

/** The answer to one text of all files. */
export interface Judged {
  readonly profile: Profile;
  readonly problems: readonly PolicyProblem[];
  readonly counts: { readonly [C in Change]: ChangeCount };
  readonly changed: readonly FlowRow[];
  readonly unchanged: readonly FlowRow[];
  readonly unjudged: readonly FlowRow[];
  /** Rows of each list that there are; the lists are cut. */
  readonly totals: { readonly changed: number; readonly unchanged: number; readonly unjudged: number };
  readonly edges: readonly EdgeChange[];
  readonly lines: Readonly<Record<string, readonly LineUse[]>>;
  readonly sentences: readonly Sentence[];
  readonly hints: readonly Hint[];
  readonly policies: readonly PolicyFacts[];
  /** Rows that were recorded otherwise than the policies in force say. */
  readonly disagreements: number;
  /** How long parsing and judging took. */
  readonly ms: number;
}

/** An answer without what is as in the one before: most keys change no verdict. */
export type JudgedAgain = Omit<Judged, Repeated> & Partial<Pick<Judged, Repeated>>;
export type Repeated = "edges" | "changed" | "unchanged" | "unjudged";

export interface PolicyFacts {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Workloads of the traffic that it selects; undefined where there are too many of both to count. */
  readonly selects: number | undefined;
}

/** Not judged: something in the texts is refused. */
export interface Refused {
  readonly problems: readonly PolicyProblem[];
}

/** Why one row is judged as it is. */
export interface Explained {
  readonly row: number;
  readonly egress: string;
  readonly ingress: string;
  readonly verdict: "allow" | "deny";
  readonly nearest: readonly { readonly file: string; readonly line: number; readonly lacks: readonly string[] }[];
}

export interface CoverageAnswer {
  readonly workloads: number;
  readonly bare: readonly {
    readonly namespace: string;
    readonly workload: string;
    readonly directions: readonly string[];
    readonly connections: number;
  }[];
  readonly idle: readonly {
    readonly file: string;
    readonly line: number;
    readonly rule: string;
    readonly state: "dead" | "shadowed" | "redundant";
  }[];
  /** Two rules that say opposite things of the same traffic (policy/contradictions.ts); `text` names both. */
  readonly contradictions: readonly {
    readonly kind: "contradicts";
    /** `overridden`: `by` always comes first; `tie`: equal priorities. */
    readonly why: "overridden" | "tie";
    readonly file: string;
    readonly line: number;
    readonly rule: string;
    readonly by: { readonly file: string; readonly line: number; readonly rule: string };
    readonly text: string;
  }[];
  readonly wide: readonly WideFinding[];
}

/** A rule that lets in more than was seen. */
export interface WideFinding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly what: string;
  readonly narrower: string;
  /** The rule that lets in what was seen and no more, as lines without indentation; undefined where it can't be written in place. */
  readonly item: readonly string[] | undefined;
}

export interface GenerateRequest {
  readonly kind: GeneratedKind;
  readonly namespace: string;
  /** Empty: all of the namespace. */
  readonly workloads: readonly string[];
  readonly minConnections: number;
  /** Rows last seen before this (ms since 1970) don't count; 0 = all do. */
  readonly seenSince: number;
  readonly directions: readonly ("ingress" | "egress")[];
}

export interface GenerateAnswer {
  readonly yaml: string;
  readonly policies: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly rules: readonly {
      readonly direction: string;
      readonly connections: number;
      readonly flows: readonly string[];
      readonly more: number;
    }[];
  }[];
  readonly leftOut: number;
  /** Some of them, most connections first. */
  readonly leftOutFlows: readonly string[];
  readonly notes: readonly string[];
}

export interface EditRequest {
  readonly action: "allow" | "deny" | "only";
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  /** `TCP 8443`; empty: every port that was seen. */
  readonly port: string;
}

/** The smallest edit: a file with its text after; `before` is "" for a new one. */
export interface EditAnswer {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

export interface MatrixAnswer {
  readonly sources: readonly FlowEnd[];
  readonly destinations: readonly FlowEnd[];
  /** Row-major: 0 neither, 1 allowed and not seen, 2 seen and denied, 3 allowed and seen. */
  readonly cells: Uint8Array;
  readonly connections: Float64Array;
  readonly lines: readonly (DecidingLine | undefined)[];
}

export type Request =
  | { readonly kind: "load"; readonly id: number; readonly url: string }
  | {
      readonly kind: "judge";
      readonly id: number;
      readonly files: readonly PolicyText[];
      readonly profile: Profile | undefined;
    }
  /** Judged apart from what is on the screen: an edit before it is taken, one draft against another. */
  | {
      readonly kind: "try";
      readonly id: number;
      readonly files: readonly PolicyText[];
      readonly profile: Profile | undefined;
    }
  | { readonly kind: "explain"; readonly id: number; readonly row: number }
  | { readonly kind: "coverage"; readonly id: number }
  | { readonly kind: "matrix"; readonly id: number }
  | { readonly kind: "generate"; readonly id: number; readonly request: GenerateRequest }
  | {
      readonly kind: "edit";
      readonly id: number;
      readonly files: readonly PolicyText[];
      readonly request: EditRequest;
    };

export type Response =
  | { readonly kind: "loaded"; readonly id: number; readonly loaded: Loaded }
  | { readonly kind: "judged"; readonly id: number; readonly judged: Judged }
  /** As `judged`, for the text on the screen; what is as in the answer before is not sent again. */
  | { readonly kind: "judged again"; readonly id: number; readonly judged: JudgedAgain }
  | { readonly kind: "refused"; readonly id: number; readonly refused: Refused }
  /** Which rules nothing needs: comes after `judged`, for the same id. */
  | { readonly kind: "uses"; readonly id: number; readonly lines: Readonly<Record<string, readonly LineUse[]>> }
  | { readonly kind: "explained"; readonly id: number; readonly explained: Explained | undefined }
  | { readonly kind: "coverage"; readonly id: number; readonly coverage: CoverageAnswer | undefined }
  | { readonly kind: "matrix"; readonly id: number; readonly matrix: MatrixAnswer | undefined }
  | { readonly kind: "generated"; readonly id: number; readonly generated: GenerateAnswer }
  | { readonly kind: "edited"; readonly id: number; readonly edited: EditAnswer | undefined }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: string;
      readonly status: number;
      readonly message: string;
      readonly where?: string;
      readonly next?: string;
    };
