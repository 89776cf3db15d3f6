import { formatCidr, type Cidr } from "../../model/address.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import type { WorldIndex } from "../world-index.ts";
import { AddressClasses } from "./address-classes.ts";
import { Members } from "./members.ts";
import { PodIndex } from "./pod-index.ts";
import { RuleCompiler } from "./rule-table.ts";
import type { EndpointSliceSpec, NetworkSetSpec } from "./types.ts";

/**
 * What an edited policy leaves as it is: pods by label, the classes of addresses, and every peer and port list that was compiled
 * before. Kept beside the world that it belongs to (and gone with it), so that the next set compiled against the same world
 * computes what the edit brought and nothing else. A new block of addresses, network set or slice makes new classes; pods stay.
 */
export interface PreparedWorld {
  readonly pods: PodIndex;
  readonly members: Members;
  readonly compiler: RuleCompiler;
  readonly classes: AddressClasses;
  readonly blocks: ReadonlySet<string>;
  /** Network sets and slices that went in. */
  readonly key: string;
}

const PREPARED = new WeakMap<WorldIndex, PreparedWorld>();

export function prepareWorld(
  index: WorldIndex,
  sets: readonly PolicyDocument[],
  slices: ReadonlyMap<string, readonly EndpointSliceSpec[]>,
  blocks: readonly Cidr[],
): PreparedWorld {
  const key = membersKey(sets, slices);
  const texts = new Set(blocks.map(formatCidr));
  const before = PREPARED.get(index);
  const known = before !== undefined && !before.pods.isFull && includeLatePods(before, index) ? before : undefined;
  if (known !== undefined && known.key === key && !known.compiler.isFull && isSubset(texts, known.blocks)) return known;
  const pods = known?.pods ?? new PodIndex(index);
  const members = new Members(index.world, pods, sets);
  const classes = new AddressClasses(index, members, blocks);
  const compiler = new RuleCompiler(index, members, classes, slices);
  const prepared: PreparedWorld = { pods, members, classes, compiler, blocks: texts, key };
  PREPARED.set(index, prepared);
  return prepared;
}

/** Takes in pods that came since: false when there is no room for them, and sets compiled against it have to be compiled again. */
export function includeLatePods({ pods, classes, compiler }: PreparedWorld, index: WorldIndex): boolean {
  if (!pods.include(index)) return false;
  classes.include(index);
  compiler.include(index);
  return true;
}

function membersKey(
  sets: readonly PolicyDocument[],
  slices: ReadonlyMap<string, readonly EndpointSliceSpec[]>,
): string {
  const described = sets.map(({ namespace, name, labels, spec }) => [
    namespace,
    name,
    [...labels],
    (spec as NetworkSetSpec).nets.map(formatCidr),
  ]);
  return JSON.stringify([described, [...slices]]);
}

function isSubset(inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean {
  for (const text of inner) if (!outer.has(text)) return false;
  return true;
}
