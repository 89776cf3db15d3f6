import type { CompiledRules, Entry, TieredSemantics } from "../compile/entry.ts";
import type { Direction } from "../verdict.ts";
import { resolvePorts, type AppliedEntry, type DecideOptions } from "./decide.ts";

/** What a tiered set is made of: rules, and how its profile reads them. */
export interface TieredParts {
  readonly compiled: CompiledRules;
  readonly semantics: TieredSemantics;
}

/** What is judged where: the default of a subject and the entries that select it, in order. */
export interface SubjectPlan {
  readonly isSubject: boolean;
  readonly entries: readonly number[];
  readonly options: DecideOptions;
}

/** The plan of a subject: which of its entries count, and what holds when none decides. */
export function subjectPlan(
  semantics: TieredSemantics,
  compiled: CompiledRules,
  side: number,
  direction: Direction,
  selecting: readonly number[],
  enforced: boolean,
  isolated: boolean,
): SubjectPlan {
  const isSubject = semantics.isSubject(side, direction) && !semantics.enforceNothing;
  const defaultDenied = isSubject && (isolated || semantics.isolateAll || semantics.alwaysIsolated(side));
  // What the plugin adds by itself (the local host's allowance) counts only where something isolates.
  const entries = selecting.filter((id) => compiled.entries[id]!.builtin === undefined || (defaultDenied && enforced));
  const authInUse = entries.some((id) => compiled.entries[id]!.auth !== undefined);
  return {
    isSubject,
    entries,
    options: { defaultDenied, defaultBeforeBaseline: semantics.isolationBeforeBaseline, authInUse },
  };
}

/** An entry with its names resolved on the destination. */
export function applyEntry(id: number, entry: Entry, semantics: TieredSemantics, destination: number): AppliedEntry {
  const { tier, level, action, redirect, auth, direction } = entry;
  const ports = resolvePorts(entry.ports, (name, slot) => semantics.namedPorts(destination, name, slot, direction));
  return { id, tier, level, action, redirect, auth, ports, namesPeer: entry.peers !== undefined };
}
