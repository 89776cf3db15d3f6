import type { Bitmap } from "../compile/bitmap.ts";
import type { Direction, PolicyRef } from "../verdict.ts";
import type { WorldEndpoint } from "../world.ts";
import { matchesTraffic } from "./match.ts";
import { RuleMatrix } from "./rule-matrix.ts";
import type { CompiledRule } from "./rule-table.ts";

export interface CompiledPolicy {
  /** Index in `CompiledPolicySet.policies`. */
  readonly number: number;
  readonly ref: PolicyRef;
  /** False: staged, and the data plane does not know it. */
  readonly counts: boolean;
  /** False for the Kubernetes kinds, whose rules Calico's own records do not number. */
  readonly numbered: boolean;
  /** As written; undefined = after all that have one. */
  readonly order: number | undefined;
  /** Pods, by index. */
  readonly subjects: Bitmap;
  readonly governsIngress: boolean;
  readonly governsEgress: boolean;
  readonly ingress: readonly CompiledRule[];
  readonly egress: readonly CompiledRule[];
}

export interface CompiledTier {
  readonly name: string;
  readonly defaultAction: "deny" | "pass";
  /** In the order in which they are asked. */
  readonly policies: readonly CompiledPolicy[];
}

/** What one pod's traffic meets in one direction: the tiers that count there. Shared by pods that the same policies select. */
export interface Chain {
  readonly tiers: readonly ChainTier[];
}
export interface ChainTier {
  readonly name: string;
  /** pass for a tier of staged policies alone, while they are staged. */
  readonly end: "deny" | "pass";
  readonly direction: Direction;
  readonly policies: readonly CompiledPolicy[];
  /** The words of the matrix' rows in which rules of these policies stand, and which bits of them; Log rules left out. */
  readonly words: Uint32Array;
  readonly masks: Uint32Array;
}

/** What `judge` answers: bits 0 and 1, and above them the deciding rule's number + 1 (0 = none). */
export const ALLOWED = 0;
export const DENIED = 1;
export const L7 = 2;
export const RULE_SHIFT = 2;

/** One direction's rules, and each pod's chain through them. */
export class Chains {
  /** By pod; undefined: no policy point there (pods in their host's network). */
  readonly byPod: (Chain | undefined)[] = [];
  readonly #matrix: RuleMatrix;
  readonly #tiers: readonly CompiledTier[];
  readonly #direction: Direction;
  readonly #firstRule: ReadonlyMap<CompiledPolicy, number>;
  readonly #byPolicies = new Map<string, Chain>();

  constructor(tiers: readonly CompiledTier[], endpoints: readonly WorldEndpoint[], direction: Direction) {
    this.#tiers = tiers;
    this.#direction = direction;
    const ordered = tiers.flatMap(({ policies }) =>
      policies.filter((policy) => policy.counts && governs(policy, direction)),
    );
    const firstRule = new Map<CompiledPolicy, number>();
    const rules: CompiledRule[] = [];
    for (const policy of ordered) {
      firstRule.set(policy, rules.length);
      rules.push(...policy[direction]);
    }
    this.#firstRule = firstRule;
    this.#matrix = new RuleMatrix(rules);
    this.#addPods(endpoints);
  }

  /** Takes in pods that came later; `classes` are theirs. */
  include(endpoints: readonly WorldEndpoint[], classes: readonly number[]): void {
    this.#matrix.include(classes);
    this.#addPods(endpoints);
  }

  #addPods(endpoints: readonly WorldEndpoint[]): void {
    const first = this.byPod.length;
    const selecting: Selecting[] = endpoints.slice(first).map(() => ({ policies: [], tiers: [] }));
    const select = (pod: number, policy: CompiledPolicy, tier: number) => {
      selecting[pod - first]?.policies.push(policy);
      selecting[pod - first]?.tiers.push(tier);
    };
    for (const [number, tier] of this.#tiers.entries())
      for (const policy of tier.policies)
        if (!governs(policy, this.#direction)) continue;
        else if (first === 0) policy.subjects.forEach((pod) => select(pod, policy, number));
        else
          for (let pod = first; pod < endpoints.length; pod++)
            if (policy.subjects.has(pod)) select(pod, policy, number);
    for (let pod = first; pod < endpoints.length; pod++)
      this.byPod.push(endpoints[pod]!.hostNetwork === true ? undefined : this.#chain(selecting[pod - first]!));
  }

  #chain(chosen: Selecting): Chain {
    const key = chosen.policies.map(({ number }) => number).join(",");
    let chain = this.#byPolicies.get(key);
    if (chain === undefined)
      this.#byPolicies.set(key, (chain = { tiers: chainTiers(chosen, this.#tiers, this.#direction, this.#firstRule) }));
    return chain;
  }

  /**
   * Hot: the verdict of one flow (classes, numbers) on a chain; `without`: as if that rule were not there. The obvious form of
   * the same walk is explainDirection.
   */
  judge(
    chain: Chain,
    from: number,
    to: number,
    protocol: number,
    fromPort: number,
    port: number,
    code: number,
    without = -1,
  ): number {
    const { tiers } = chain;
    if (tiers.length === 0) return ALLOWED;
    const matrix = this.#matrix;
    const sources = matrix.source(from);
    const destinations = matrix.destination(to);
    const ports = matrix.port(protocol, port);
    nextTier: for (let t = 0; t < tiers.length; t++) {
      const { words, masks, end } = tiers[t]!;
      for (let w = 0; w < words.length; w++) {
        const word = words[w]!;
        let candidates = masks[w]! & sources[word]! & destinations[word]! & ports[word]!;
        while (candidates !== 0) {
          const bit = candidates & -candidates;
          candidates ^= bit;
          const at = (word << 5) + 31 - Math.clz32(bit);
          const rule = matrix.rules[at]!;
          if (matrix.needsLook[at] === 1 && !matchesTraffic(rule, from, to, protocol, fromPort, port, code)) continue;
          if (rule.ref === without) continue;
          if (rule.action === "pass") continue nextTier;
          return (
            ((rule.ref + 1) << RULE_SHIFT) | (rule.action === "deny" ? DENIED : rule.l7 && protocol === 6 ? L7 : 0)
          );
        }
      }
      if (end === "deny") return DENIED;
    }
    return ALLOWED;
  }
}

function governs(policy: CompiledPolicy, direction: Direction): boolean {
  return direction === "ingress" ? policy.governsIngress : policy.governsEgress;
}

/** Policies that select a pod, in the order in which they are asked, and each one's tier. */
interface Selecting {
  readonly policies: CompiledPolicy[];
  readonly tiers: number[];
}

function chainTiers(
  chosen: Selecting,
  tiers: readonly CompiledTier[],
  direction: Direction,
  firstRule: ReadonlyMap<CompiledPolicy, number>,
): ChainTier[] {
  return [...Map.groupBy(chosen.policies.keys(), (at) => chosen.tiers[at]!)].map(([number, places]) => {
    const { name, defaultAction } = tiers[number]!;
    const policies = places.map((at) => chosen.policies[at]!).filter(({ counts }) => counts);
    const masks = new Map<number, number>();
    for (const policy of policies)
      for (const [i, rule] of policy[direction].entries()) {
        const at = firstRule.get(policy)! + i;
        if (rule.action !== "log") masks.set(at >>> 5, (masks.get(at >>> 5) ?? 0) | (1 << (at & 31)));
      }
    return {
      name,
      direction,
      end: policies.length === 0 ? "pass" : defaultAction,
      policies,
      words: Uint32Array.from(masks.keys()),
      masks: Uint32Array.from(masks.values()),
    };
  });
}
