import { readFileSync } from "node:fs";

/** Names kernel addresses. */
export interface Symbols {
  /** The function that holds the address (two words), without compiler suffixes (`.constprop.0`, `.isra.0`); undefined = not known. */
  nameOf(low: number, high: number): string | undefined;
  readonly size: number;
}

/** The running kernel's functions, from kallsyms. Where the kernel hides addresses (kptr_restrict, no rights), nothing is known. */
export function kernelSymbols(path = "/proc/kallsyms"): Symbols {
  return parseSymbols(readFileSync(path));
}

const LINE_END = 10;
const TAB = 9;
const DIGITS = 16; // of an address, then a blank, the kind, a blank, the name
const KIND = 17;
const NAME = 19;
const FUNCTIONS = new Set([..."tTwW"].map((kind) => kind.charCodeAt(0)));
const BEYOND_LAST = 65_536;

/**
 * Reads the form of /proc/kallsyms: `ffffffff81000000 T _stext [module]`. A kernel has 100,000 functions and more: they are kept as their
 * addresses and the bytes of their names, and a name is made when it is asked for.
 */
export function parseSymbols(text: Uint8Array): Symbols {
  return namedBy(tableOf(Buffer.from(text.buffer, text.byteOffset, text.byteLength)));
}

/** Functions by address: where each begins, from the first one's address on, and where its name ends in `packed`. */
interface SymbolTable {
  readonly baseHigh: number;
  readonly baseLow: number;
  readonly starts: Float64Array;
  readonly ends: Uint32Array;
  readonly packed: Buffer;
}

/** A function of its own: a closure made in it would keep the text, 5 MB and more. */
function tableOf(bytes: Buffer): SymbolTable {
  const { highs, lows, names } = functionsOf(bytes);
  const order = Uint32Array.from(highs, (_, i) => i).sort((a, b) => highs[a]! - highs[b]! || lows[a]! - lows[b]!);
  const first = order[0];
  const baseHigh = first === undefined ? 0 : highs[first]!;
  const baseLow = first === undefined ? 0 : lows[first]!;
  const starts = new Float64Array(order.length);
  const ends = new Uint32Array(order.length);
  const packed = Buffer.alloc(names.reduce((sum, at, i) => sum + (i % 2 === 1 ? at - names[i - 1]! : 0), 0));
  let end = 0;
  order.forEach((i, place) => {
    starts[place] = distance(lows[i]!, highs[i]!, baseLow, baseHigh);
    end += bytes.copy(packed, end, names[i * 2], names[i * 2 + 1]);
    ends[place] = end;
  });
  return { baseHigh, baseLow, starts, ends, packed };
}

/** From the first function's address: a kernel's text spans less than 2^53, its absolute addresses do not. */
function distance(low: number, high: number, baseLow: number, baseHigh: number): number {
  return (high - baseHigh) * 4294967296 + (low - baseLow);
}

function namedBy({ baseHigh, baseLow, starts, ends, packed }: SymbolTable): Symbols {
  return {
    size: starts.length,
    nameOf(low, high) {
      const address = distance(low, high, baseLow, baseHigh);
      let from = 0;
      let to = starts.length;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if (starts[middle]! <= address) from = middle + 1;
        else to = middle;
      }
      if (from === 0 || address > starts[starts.length - 1]! + BEYOND_LAST) return undefined;
      const name = packed.toString("latin1", from === 1 ? 0 : ends[from - 2], ends[from - 1]);
      return name.replace(/\.(constprop|isra|part|cold)\.?.*$/, "");
    },
  };
}

/** Addresses of all functions, in two words, and from where to where their names lie in `bytes`. */
function functionsOf(bytes: Buffer): { highs: Uint32Array; lows: Uint32Array; names: Uint32Array } {
  const most = Math.ceil(bytes.length / (NAME + 2)); // the shortest line has one letter
  const [highs, lows, names] = [new Uint32Array(most), new Uint32Array(most), new Uint32Array(most * 2)];
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    let end = bytes.indexOf(LINE_END, at);
    if (end < 0) end = bytes.length;
    if (end - at > NAME && FUNCTIONS.has(bytes[at + KIND]!)) {
      const high = hexAt(bytes, at);
      const low = hexAt(bytes, at + DIGITS / 2);
      if (high !== 0 || low !== 0) {
        let nameEnd = at + NAME;
        while (nameEnd < end && bytes[nameEnd] !== TAB) nameEnd++;
        highs[count] = high;
        lows[count] = low;
        names[count * 2] = at + NAME;
        names[count * 2 + 1] = nameEnd;
        count++;
      }
    }
    at = end + 1;
  }
  return { highs: highs.slice(0, count), lows: lows.slice(0, count), names: names.slice(0, count * 2) };
}

/** Eight hexadecimal digits. */
function hexAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + DIGITS / 2; i++) {
    const digit = bytes[i]!;
    value = value * 16 + (digit <= 57 ? digit - 48 : (digit | 32) - 87);
  }
  return value;
}
