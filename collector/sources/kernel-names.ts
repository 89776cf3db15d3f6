/** Names that only the running kernel has: drop reasons from its BTF, functions from its symbols. */
import { dropReasons, kernelBtf } from "../kernel/btf.ts";
import { kernelSymbols, type Symbols } from "../kernel/symbols.ts";
import type { Who } from "../identity/who.ts";
import type { KernelNames } from "../rows/row-maker.ts";

/** Kernel addresses of a stack by its id, innermost first, as (low, high) pairs: EbpfSource.stackOf. */
export type StackOf = (id: number) => Uint32Array;

export const NO_STACK = 0xffffffff;

/** Reads both once: some tens of milliseconds and, for the symbols, some megabytes. */
export function kernelNames(who: Who, stackOf: StackOf): KernelNames {
  const reasons = dropReasons(kernelBtf());
  const symbols: Symbols = kernelSymbols();
  return {
    dropReason: (reason) => reasons.get(reason) ?? `reason ${reason}`,
    functionAt: (low, high) => symbols.nameOf(low, high) ?? "",
    callersOf: (stack, low, high) => callersIn(stackOf, symbols, stack, low, high),
    device: (netns, ifindex) => who.deviceName(netns, ifindex),
  };
}

/** The functions behind the frame at the address (which is where kfree_skb was called), innermost first. Empty where the stack lacks it. */
export function callersIn(
  stackOf: StackOf,
  symbols: Symbols,
  stack: number,
  low: number,
  high: number,
): readonly string[] {
  if (stack === NO_STACK) return [];
  const frames = stackOf(stack);
  const callers: string[] = [];
  let found = false;
  for (let i = 0; i + 1 < frames.length; i += 2) {
    if (found) callers.push(symbols.nameOf(frames[i]!, frames[i + 1]!) ?? "");
    else found = frames[i] === low && frames[i + 1] === high;
  }
  return callers;
}
