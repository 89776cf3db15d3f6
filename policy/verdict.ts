import type { Position } from "./parse/problem.ts";

/** A document that takes part in decisions. */
export interface PolicyRef extends Position {
  readonly kind: string;
  /** "" for cluster-wide kinds. */
  readonly namespace: string;
  readonly name: string;
}

/** One rule of a document: the line that decides. `index` counts in the document's list `field` of that direction. */
export interface RuleRef extends Position {
  readonly policy: PolicyRef;
  /** Which of a document's specs (CiliumNetworkPolicy `specs`); 0 otherwise. */
  readonly spec: number;
  /** `ingress`, `egress`, `ingressDeny`, `egressDeny`. */
  readonly field: string;
  readonly index: number;
  readonly action: RuleAction;
  readonly path: string;
}
export type RuleAction = "allow" | "deny" | "pass" | "log";
export type Direction = "egress" | "ingress";

/** Why a direction ended as it did. */
export type Decision =
  /** Rules matched; more than one where several allow alike. */
  | { readonly kind: "rules"; readonly rules: readonly RuleRef[] }
  /** These select the subject, and nothing of theirs matches. */
  | { readonly kind: "default-deny"; readonly policies: readonly PolicyRef[] }
  | { readonly kind: "no-policy" }
  /** `builtin/allow-localhost-ingress`, `builtin/profile/kns.shop`: what the plugin does by itself. */
  | { readonly kind: "builtin"; readonly name: string }
  /** No policy point here: an address outside, another node, a host-network pod. */
  | { readonly kind: "no-policy-point" };

/** One step on the way to a decision, for kinds with tiers: `GlobalNetworkPolicy/c1#0 pass`. */
export interface PathStep {
  readonly label: string;
  readonly action: string;
  readonly rule?: RuleRef;
}

/** Cilium's modes by the names of its map: `required` is spire. */
export type AuthMode = false | "spire" | "test-always-fail";
/** What an auth number of a code says. */
export const AUTH_MODES: readonly AuthMode[] = [false, "spire", "test-always-fail"];

export interface DirectionVerdict {
  readonly verdict: "allow" | "deny";
  readonly decidedBy: Decision;
  /** True where the connection is handed to a proxy that judges requests by L7 rules. */
  readonly l7: boolean;
  /** Mutual authentication that the deciding entry asks for, or false (reported, does not change the verdict). */
  readonly auth: AuthMode;
  readonly path: readonly PathStep[];
}

/** Both must allow: egress at the source, ingress at the destination. */
export interface Verdict {
  readonly verdict: "allow" | "deny";
  readonly egress: DirectionVerdict;
  readonly ingress: DirectionVerdict;
}

/** Bits of a verdict code, as batches carry it: no object per tuple. 0 = both directions allow. */
export const VERDICT_BITS = {
  egressDenied: 1,
  ingressDenied: 2,
  denied: 3,
  egressL7: 4,
  ingressL7: 8,
  /** Two bits each: an index into AUTH_MODES. */
  egressAuth: 0x30,
  ingressAuth: 0xc0,
} as const;

/** A document as `Kind/namespace/name`, or `Kind/name` when cluster-wide. */
export function policyLabel(policy: { kind: string; namespace: string; name: string }): string {
  return policy.namespace === ""
    ? `${policy.kind}/${policy.name}`
    : `${policy.kind}/${policy.namespace}/${policy.name}`;
}

/** A rule as `Kind/namespace/name ingress[0]`. */
export function ruleLabel(rule: RuleRef): string {
  return `${policyLabel(rule.policy)} ${rule.field}[${rule.index}]`;
}
