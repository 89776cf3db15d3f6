import { CILIUM_MACHINERY } from "./cilium-from-171.ts";
import { CILIUM_POLICY } from "./cilium-policy.ts";
import { CILIUM_PACKETS } from "./cilium-up-to-169.ts";
import type { CiliumRow } from "./cilium-rows.ts";
import { describe } from "./lookup.ts";
import type { Description } from "./types.ts";

const ROWS: Readonly<Record<number, CiliumRow>> = { ...CILIUM_PACKETS, ...CILIUM_MACHINERY, ...CILIUM_POLICY };
const NUMBERS = new Map(Object.entries(ROWS).map(([number, row]) => [row.name, Number(number)] as const));

/** The text for one of Cilium's drop reasons, by the number in its events or by Hubble's name; unknown ones come back raw, `known: false`. */
export function describeCilium(reason: number | string): Description {
  const number = typeof reason === "number" ? reason : NUMBERS.get(reason);
  const row = number === undefined ? undefined : ROWS[number];
  if (row === undefined) return describe(typeof reason === "number" ? `Cilium ${reason}` : reason, undefined);
  const { name, ...entry } = row;
  return describe(name, { layer: row.policy === true ? "filter" : "other", ...entry });
}

/** Numbers with a text, 130–207; Cilium's events use no other for drops. */
export const CILIUM_NUMBERS: readonly number[] = Object.keys(ROWS).map(Number);
