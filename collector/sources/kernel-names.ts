/** Names that only the running kernel has: drop reasons from its BTF, functions from its symbols. */
import { dropReasons, kernelBtf } from "../kernel/btf.ts";
import { kernelSymbols, type Symbols } from "../kernel/symbols.ts";
import type { Who } from "../identity/who.ts";
import type { KernelNames } from "../rows/row-maker.ts";

/** Reads both once: some tens of milliseconds and, for the symbols, some megabytes. */
export function kernelNames(who: Who): KernelNames {
  const reasons = dropReasons(kernelBtf());
  const symbols: Symbols = kernelSymbols();
  return {
    dropReason: (reason) => reasons.get(reason) ?? `reason ${reason}`,
    functionAt: (low, high) => symbols.nameOf(low, high) ?? "",
    device: (netns, ifindex) => who.deviceName(netns, ifindex),
  };
}
