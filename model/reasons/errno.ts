import { LOCAL_FAILURES } from "./errno-local.ts";
import { NETWORK_FAILURES } from "./errno-network.ts";
import type { FailureEntry } from "./failure-entry.ts";
import { own } from "./kernel-functions.ts";
import { describe } from "./lookup.ts";
import type { Description } from "./types.ts";

export interface FailureDescription extends Description {
  readonly number: number | undefined;
  readonly inWords: string;
  readonly tellApart: readonly string[];
}

/** Texts of failed connections, by the name of the error. */
const FAILURES: Readonly<Record<string, FailureEntry>> = { ...NETWORK_FAILURES, ...LOCAL_FAILURES };

const BY_NUMBER = new Map(Object.entries(FAILURES).map(([name, entry]) => [entry.number, name] as const));
const RARE = new Map([
  [92, "ENOPROTOOPT"],
  [95, "EOPNOTSUPP"],
  [112, "EHOSTDOWN"],
  [64, "ENONET"],
  [71, "EPROTO"],
]); // include/uapi/asm-generic/errno*.h

/** The name of an errno (`ETIMEDOUT`), `GAVE_UP` for 0, or `errno 122` where this version has no name. */
export function errnoName(number: number): string {
  return BY_NUMBER.get(number) ?? RARE.get(number) ?? `errno ${number}`;
}

/** Linux' number of an error's name; undefined for a name without one here. The reverse of `errnoName`. */
export function errnoNumber(name: string): number | undefined {
  const raw = /^errno (\d+)$/.exec(name);
  if (raw !== null) return Number(raw[1]);
  for (const [number, rare] of RARE) if (rare === name) return number;
  return own(FAILURES, name)?.number;
}

/** The text for the error of a failed connection, by Linux' number or by name; unknown ones come back raw, `known: false`. */
export function describeErrno(error: number | string): FailureDescription {
  const name = typeof error === "number" ? errnoName(error) : error;
  const entry = own(FAILURES, [...RARE.values()].includes(name) ? "EPROTO_OTHER" : name);
  const number = typeof error === "number" ? error : errnoNumber(name);
  return { ...describe(name, entry), number, inWords: entry?.inWords ?? name, tellApart: entry?.tellApart ?? [] };
}

/** All errors with a text, for tests and for completion. */
export const ERRNO_NAMES: readonly string[] = Object.keys(FAILURES);
