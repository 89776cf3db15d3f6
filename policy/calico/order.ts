import type { PolicyDocument } from "../parse/documents.ts";
import { BUILTIN_TIERS, TIER_ORDER_WHEN_ABSENT, type CalicoPolicySpec, type TierSpec } from "./types.ts";

/** A policy ready to be ordered: the document as the user wrote it, its Calico reading, and the kind by which ties are broken. */
export interface OrderedPolicy {
  readonly document: PolicyDocument;
  readonly spec: CalicoPolicySpec;
  readonly tieKind: string;
  readonly staged: boolean;
}

export interface OrderedTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: "deny" | "pass";
  /** False: policies name it, no Tier document makes it. Calico then puts it last and denies at its end. */
  readonly exists: boolean;
  readonly policies: readonly OrderedPolicy[];
}

/** Tiers in the order in which they are asked, each with its policies in theirs (felix/calc/policy_sorter.go 3.32.1). */
export function orderTiers(tiers: ReadonlyMap<string, TierSpec>, policies: readonly OrderedPolicy[]): OrderedTier[] {
  const byTier = Map.groupBy(policies, ({ spec }) => spec.tier);
  const specs = new Map<string, TierSpec | undefined>([...byTier.keys()].map((name) => [name, undefined]));
  for (const [name, spec] of BUILTIN_TIERS) specs.set(name, spec);
  for (const [name, spec] of tiers) if (!BUILTIN_TIERS.has(name)) specs.set(name, spec);
  const out = [...specs].map(([name, spec]): OrderedTier => ({
    name,
    order: spec?.order ?? TIER_ORDER_WHEN_ABSENT,
    defaultAction: spec?.defaultAction ?? "deny",
    exists: spec !== undefined,
    policies: (byTier.get(name) ?? []).toSorted(comparePolicies),
  }));
  return out.sort(
    (a, b) => Number(b.exists) - Number(a.exists) || (a.exists ? a.order - b.order : 0) || compareText(a.name, b.name),
  );
}

/** By order, none last; ties by the text NAME/NAMESPACE/KIND, so that `c1-b/…` is before `c1/…`. */
export function comparePolicies(a: OrderedPolicy, b: OrderedPolicy): number {
  const orderA = a.spec.order ?? Number.POSITIVE_INFINITY;
  const orderB = b.spec.order ?? Number.POSITIVE_INFINITY;
  return orderA === orderB ? compareText(tieText(a), tieText(b)) : orderA < orderB ? -1 : 1;
}

function tieText({ document, tieKind }: OrderedPolicy): string {
  return `${document.name}/${document.namespace}/${tieKind}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
