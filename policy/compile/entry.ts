import type { Bitmap } from "./bitmap.ts";
import type { PolicyRef, RuleRef } from "../verdict.ts";
import type { PolicyProblem } from "../parse/problem.ts";

/**
 * What profiles compile documents to, and the tiered engine evaluates: who is chosen (predicates), in which order (tier, level),
 * on which ports, with what outcome. Kubernetes' and Cilium's kinds all fit; Calico has an engine of its own.
 */

/** A set of sides. Two predicates with one key select the same sides. */
export interface SidePredicate {
  readonly key: string;
  /** Members among sides 0 to `size` − 1. */
  select(size: number): Bitmap;
  /** Whether one side is a member: for sides that came after `select`. */
  matches(side: number): boolean;
  /** What a side would need to be a member, in words: `label tier=back (it has tier=front)`. Empty for a member. */
  lacks?(side: number): readonly string[];
}

/** A predicate that keeps what it last selected: recompiling a set asks again for all that was not edited. */
export function remembering(predicate: SidePredicate): SidePredicate {
  let size = -1;
  let chosen: Bitmap | undefined;
  return {
    key: predicate.key,
    matches: predicate.matches,
    ...(predicate.lacks === undefined ? {} : { lacks: predicate.lacks }),
    select(of) {
      if (chosen === undefined || size !== of) [chosen, size] = [predicate.select(of), of];
      return chosen;
    },
  };
}

export const TIER = { admin: 0, normal: 1, baseline: 2, builtin: 3 } as const;
export type Tier = (typeof TIER)[keyof typeof TIER];
export type EntryAction = "allow" | "deny" | "pass";

/** Protocols that have tables of their own; everything else shares the last. */
export const SLOTS = { tcp: 0, udp: 1, sctp: 2, icmp: 3, icmp6: 4, other: 5, count: 6 } as const;
/** A protocol number's slot. */
export function slotOf(protocol: number): number {
  switch (protocol) {
    case 6:
      return SLOTS.tcp;
    case 17:
      return SLOTS.udp;
    case 132:
      return SLOTS.sctp;
    case 1:
      return SLOTS.icmp;
    case 58:
      return SLOTS.icmp6;
    default:
      return SLOTS.other;
  }
}

/** Ports of one protocol: a range, or a name that resolves on the destination. */
export type PortMatch =
  | { readonly kind: "range"; readonly slot: number; readonly from: number; readonly to: number }
  | { readonly kind: "name"; readonly slot: number; readonly name: string };

/** A proxy's list: requests or look-ups that it lets through. */
export interface RequestRules {
  readonly http: readonly {
    readonly method: string | undefined;
    readonly path: string | undefined;
    readonly host: string | undefined;
  }[];
  /** Names or patterns. */
  readonly dns: readonly string[];
}

export interface Entry {
  /** Index into the set's rules; −1 for what the plugin adds by itself, named by `builtin`. */
  readonly rule: number;
  readonly builtin?: string;
  readonly direction: "egress" | "ingress";
  readonly tier: Tier;
  /** Order within the tier, lower first; equal levels: deny, then redirect, then allow, then pass. */
  readonly level: number;
  readonly action: EntryAction;
  readonly subject: SidePredicate;
  /** Undefined = every peer; empty = none. */
  readonly peers: readonly SidePredicate[] | undefined;
  /** Undefined = every port of every protocol; empty = none. */
  readonly ports: readonly PortMatch[] | undefined;
  /** Above 0: handed to a proxy; higher wins (Cilium's listener priority, inverted). */
  readonly redirect: number;
  /** What the proxy allows of requests; undefined where there is no proxy, or one whose rules are not known here. */
  readonly l7?: RequestRules;
  /** Authentication asked for explicitly: 0 disabled, 1 required, 2 always fails (Cilium's order). */
  readonly auth: number | undefined;
}

/** A policy that selects a subject in a direction, with or without denying what no rule allows. */
export interface Enforcement {
  readonly policy: number;
  readonly direction: "egress" | "ingress";
  readonly subject: SidePredicate;
  readonly defaultDeny: boolean;
}

export interface CompiledRules {
  readonly policies: readonly PolicyRef[];
  readonly rules: readonly RuleRef[];
  readonly entries: readonly Entry[];
  readonly enforcements: readonly Enforcement[];
  readonly problems: readonly PolicyProblem[];
}

/** Where profiles part ways once everything is an entry. */
export interface TieredSemantics {
  readonly profile: "kubernetes" | "cilium";
  /** May policies judge this side at all in this direction? Otherwise: no policy point, allowed. */
  isSubject(side: number, direction: "egress" | "ingress"): boolean;
  /** Looks at sides up to `size` − 1; true when one of them changed what port names mean on a side that was known before. */
  learn?(size: number): boolean;
  /** Ports that a name stands for on a side, in a slot's protocol. */
  namedPorts(side: number, name: string, slot: number, direction: "egress" | "ingress"): readonly number[];
  /** True: a policy that isolates decides before the baseline is asked (Kubernetes); false: after all tiers (Cilium). */
  readonly isolationBeforeBaseline: boolean;
  /** Isolates everybody, or nobody, whatever the policies (Cilium's enforcement modes). */
  readonly isolateAll: boolean;
  readonly enforceNothing: boolean;
  /** Is this side isolated in any case (Cilium's init)? */
  alwaysIsolated(side: number): boolean;
  /** True: traffic of an endpoint with itself meets no policy point. */
  readonly selfIsExempt: boolean;
}
