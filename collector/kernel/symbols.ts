import { readFileSync } from "node:fs";

/** Names kernel addresses. */
export interface Symbols {
  /** The function that holds the address (two words), without compiler suffixes (`.constprop.0`, `.isra.0`); undefined = not known. */
  nameOf(low: number, high: number): string | undefined;
  readonly size: number;
}

/** The running kernel's functions, from kallsyms. Where the kernel hides addresses (kptr_restrict, no rights), nothing is known. */
export function kernelSymbols(path = "/proc/kallsyms"): Symbols {
  return parseSymbols(readFileSync(path, "latin1"));
}

/** Reads the form of /proc/kallsyms: `ffffffff81000000 T _stext [module]`. */
export function parseSymbols(text: string): Symbols {
  const found: { high: number; low: number; name: string }[] = [];
  for (const line of text.split("\n")) {
    const kind = line[17];
    if (kind !== "t" && kind !== "T" && kind !== "w" && kind !== "W") continue;
    const high = Number.parseInt(line.slice(0, 8), 16);
    const low = Number.parseInt(line.slice(8, 16), 16);
    if (high === 0 && low === 0) continue;
    const end = line.indexOf("\t", 19);
    found.push({ high, low, name: line.slice(19, end < 0 ? undefined : end) });
  }
  found.sort((a, b) => a.high - b.high || a.low - b.low);
  const base = found[0] ?? { high: 0, low: 0 };
  // relative to the first: a kernel's text spans less than 2^53, its absolute addresses do not
  const relative = (low: number, high: number) => (high - base.high) * 4294967296 + (low - base.low);
  const starts = Float64Array.from(found, ({ low, high }) => relative(low, high));
  const names = found.map(({ name }) => name.replace(/\.(constprop|isra|part|cold)\.?.*$/, ""));
  return {
    size: names.length,
    nameOf(low, high) {
      const address = relative(low, high);
      let from = 0;
      let to = starts.length;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (starts[middle]! <= address) from = middle + 1;
        else to = middle;
      }
      return from === 0 || address > starts[starts.length - 1]! + 65536 ? undefined : names[from - 1];
    },
  };
}
