import type { YamlEntry, YamlNode } from "./yaml.ts";

/*
 * Hot: ten megabytes, a hundred thousand rules. Budget: a fifth of the library's time (bench/policy.ts).
 *
 * The YAML that people and machines write for policies, read in one pass: block maps and lists, one-line flow ones, plain and quoted
 * scalars of one line, comments, `---`. Whatever else there is (anchors, tags, block scalars, tabs, escapes, texts of several lines, any
 * mistake) is not understood here: the answer is undefined, and the library reads the whole text. What is understood is read as the
 * library reads it, to the offset: a test holds the two against each other.
 */

interface PlainLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
  readonly maxDocuments: number;
}

export interface PlainYaml {
  /** The documents' roots, empty documents left out. */
  readonly roots: readonly YamlNode[];
  /** Offset of each line's first character. */
  readonly lineStarts: number[];
}

/** The documents of a text, or undefined where the library has to read it. */
export function readPlainYaml(text: string, limits: PlainLimits): PlainYaml | undefined {
  const reader = new PlainReader(text, limits);
  try {
    return reader.read();
  } catch (thrown) {
    if (thrown instanceof NotPlain) return undefined;
    throw thrown;
  }
}

class NotPlain extends Error {}
/** One for all: a stack a throw would cost more than the reading. */
const NOT_PLAIN = new NotPlain("not plain");

const LF = 10;
const SPACE = 32;
const HASH = 35;
const DASH = 45;
const COLON = 58;
const [QUOTE, DOUBLE, BACKSLASH] = [39, 34, 92];
const [COMMA, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [44, 91, 93, 123, 125];
/** What no plain scalar begins with: indicators, and what is left to the library. */
const INDICATORS: ReadonlySet<number> = new Set([..."[]{},#&*!|>@`%'\"?"].map((c) => c.charCodeAt(0)));
/** A carriage return, a tab, any other control character, a byte order mark, or line ends that only some take for such. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNUSUAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

class PlainReader {
  readonly #text: string;
  readonly #limits: PlainLimits;
  readonly #lineStarts: number[] = [0];
  /** Where reading is, and where its line began. */
  #at = 0;
  #line = 0;
  /** Column of the next content, −1 at the end of a document. */
  #column = 0;
  #depth = 0;
  #nodes = 0;

  constructor(text: string, limits: PlainLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  read(): PlainYaml {
    if (UNUSUAL.test(this.#text)) throw NOT_PLAIN;
    const roots: YamlNode[] = [];
    for (let documents = 0; ; documents++) {
      this.#toContent();
      if (this.#column >= 0) {
        const root = this.#node();
        if (root.kind === "scalar" || this.#column >= 0) throw NOT_PLAIN;
        roots.push(root);
      }
      if (this.#at >= this.#text.length) break;
      if (documents > this.#limits.maxDocuments) throw NOT_PLAIN;
      this.#at += 3; // past ---
      const rest = this.#text.charCodeAt(this.#at);
      if (this.#at < this.#text.length && rest !== LF && rest !== SPACE) throw NOT_PLAIN;
      this.#endOfLine();
    }
    if (roots.length > this.#limits.maxDocuments) throw NOT_PLAIN;
    return { roots, lineStarts: this.#lineStarts };
  }

  /** From a line's beginning to the next line with content. */
  #toContent(): void {
    const text = this.#text;
    for (;;) {
      let at = this.#at;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (code === HASH) {
        at = text.indexOf("\n", at);
        if (at < 0) at = text.length;
      }
      if (at >= text.length) {
        this.#at = text.length;
        this.#column = -1;
        return;
      }
      if (text.charCodeAt(at) === LF) {
        this.#newLine(at + 1);
        continue;
      }
      this.#column = at - this.#line;
      this.#at = at;
      if (this.#column === 0) {
        if (code === DASH && text.startsWith("---", at)) this.#column = -1;
        else if (code === 46 && text.startsWith("...", at)) throw NOT_PLAIN;
      }
      return;
    }
  }

  #newLine(at: number): void {
    this.#at = this.#line = at;
    this.#lineStarts.push(at);
  }

  /** Past spaces and a comment to the next line; anything else is not plain. */
  #endOfLine(): void {
    const text = this.#text;
    let at = this.#at;
    while (text.charCodeAt(at) === SPACE) at++;
    if (text.charCodeAt(at) === HASH) {
      if (at === this.#at) throw NOT_PLAIN; // no comment without a space before it
      at = text.indexOf("\n", at);
      if (at < 0) at = text.length;
    }
    if (at >= text.length) this.#at = at;
    else if (text.charCodeAt(at) === LF) this.#newLine(at + 1);
    else throw NOT_PLAIN;
  }

  #count(): void {
    if (++this.#nodes > this.#limits.maxNodes) throw NOT_PLAIN;
  }

  /** A node in block context: at its first character, whose column is known. Ends at the next content. */
  #node(): YamlNode {
    if (++this.#depth > this.#limits.maxDepth / 4) throw NOT_PLAIN; // the library counts in another way
    const code = this.#text.charCodeAt(this.#at);
    let node: YamlNode;
    if (code === DASH && this.#isItem()) node = this.#list();
    else if (code === OPEN_MAP || code === OPEN_LIST) node = this.#lastOnLine(this.#flow());
    else if (this.#findKey() >= 0) node = this.#map();
    else node = this.#lastOnLine(this.#scalar(false));
    this.#depth--;
    return node;
  }

  /** What stands alone on the rest of its line; deeper lines after it would be more of it. */
  #lastOnLine(node: YamlNode): YamlNode {
    this.#endOfLine();
    this.#toContent();
    return node;
  }

  #isItem(): boolean {
    const next = this.#text.charCodeAt(this.#at + 1);
    return next === SPACE || next === LF || this.#at + 1 >= this.#text.length;
  }

  #list(): YamlNode {
    this.#count();
    const column = this.#column;
    const at = this.#at;
    const items: YamlNode[] = [];
    let weight = 1;
    while (this.#column === column && this.#text.charCodeAt(this.#at) === DASH && this.#isItem()) {
      this.#at++;
      const item = this.#value(column, false);
      weight += item.weight;
      items.push(item);
      if (this.#column > column) throw NOT_PLAIN;
    }
    return { kind: "list", items, at, weight };
  }

  #map(): YamlNode {
    this.#count();
    const column = this.#column;
    const at = this.#at;
    const entries = new Map<string, YamlEntry>();
    let weight = 1;
    for (;;) {
      const keyAt = this.#at;
      const colon = this.#findKey();
      if (colon < 0) throw NOT_PLAIN;
      const name = this.#key(colon);
      if (entries.has(name) || name === "<<") throw NOT_PLAIN;
      this.#at = colon + 1;
      const value = this.#value(column, true);
      weight += value.weight;
      entries.set(name, { at: keyAt, value });
      if (this.#column < column) break;
      if (this.#column > column) throw NOT_PLAIN;
      if (this.#text.charCodeAt(this.#at) === DASH && this.#isItem()) throw NOT_PLAIN;
    }
    return { kind: "map", entries, at, weight };
  }

  /** What comes behind `-` or `key:`, on the line or below it. `ofKey`: a list may stand at the key's own column. */
  #value(column: number, ofKey: boolean): YamlNode {
    const text = this.#text;
    while (text.charCodeAt(this.#at) === SPACE) this.#at++;
    const code = text.charCodeAt(this.#at);
    if (code === LF || code === HASH || this.#at >= text.length) {
      const at = this.#at;
      if (code === HASH && text.charCodeAt(at - 1) !== SPACE) throw NOT_PLAIN;
      this.#at = code === HASH ? at - 1 : at;
      this.#endOfLine();
      this.#toContent();
      if (this.#column > column) return this.#node();
      if (ofKey && this.#column === column && text.charCodeAt(this.#at) === DASH && this.#isItem()) return this.#node();
      this.#count();
      return { kind: "scalar", value: null, source: "", at, weight: 1 };
    }
    if (!ofKey) {
      this.#column = this.#at - this.#line;
      return this.#below(this.#node(), column);
    }
    if (code === DASH && this.#isItem()) throw NOT_PLAIN;
    const node = code === OPEN_MAP || code === OPEN_LIST ? this.#flow() : this.#scalar(false);
    return this.#below(this.#lastOnLine(node), column);
  }

  /** Deeper lines after what stood on the line are more of it, or wrong. */
  #below(node: YamlNode, column: number): YamlNode {
    if (this.#column > column) throw NOT_PLAIN;
    return node;
  }

  /** Offset of the colon that ends the key at hand, −1 where the line has none. */
  #findKey(): number {
    const text = this.#text;
    const first = text.charCodeAt(this.#at);
    if (first === QUOTE || first === DOUBLE) {
      const end = this.#quotedEnd(first);
      const code = text.charCodeAt(end);
      if (code === SPACE) {
        // `"a" : b` is left to the library, a comment or nothing behind it is none
        let at = end;
        while (text.charCodeAt(at) === SPACE) at++;
        if (text.charCodeAt(at) === COLON) throw NOT_PLAIN;
        return -1;
      }
      return code === COLON && this.#endsKey(end) ? end : -1;
    }
    for (let at = this.#at; ; at++) {
      const code = text.charCodeAt(at);
      if (code === COLON && this.#endsKey(at)) return at;
      if (at >= text.length || code === LF) return -1;
      if (code === HASH && text.charCodeAt(at - 1) === SPACE) return -1;
    }
  }

  #endsKey(colon: number): boolean {
    const next = this.#text.charCodeAt(colon + 1);
    return next === SPACE || next === LF || colon + 1 >= this.#text.length;
  }

  /** The key's text, as maps have it. */
  #key(colon: number): string {
    const first = this.#text.charCodeAt(this.#at);
    if (first === QUOTE || first === DOUBLE) return this.#unquoted(this.#at, colon);
    this.#checkPlain(first);
    const name = this.#text.slice(this.#at, colon);
    if (name.endsWith(" ") || name.length > 1000) throw NOT_PLAIN; // keys of more than 1024 characters are refused
    return name;
  }

  #checkPlain(first: number): void {
    if (INDICATORS.has(first)) throw NOT_PLAIN;
    if (first !== DASH && first !== COLON) return;
    const next = this.#text.charCodeAt(this.#at + 1);
    if (!(next > SPACE) || next === COMMA || next === OPEN_LIST || next === OPEN_MAP) throw NOT_PLAIN;
    if (next === CLOSE_LIST || next === CLOSE_MAP) throw NOT_PLAIN;
  }

  /** A scalar of this line; reading ends behind it. */
  #scalar(inFlow: boolean): YamlNode {
    this.#count();
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    if (first === QUOTE || first === DOUBLE) {
      const end = this.#quotedEnd(first);
      const value = this.#unquoted(start, end);
      this.#at = end;
      return { kind: "scalar", value, source: value, at: start, weight: 1 };
    }
    this.#checkPlain(first);
    let at = start;
    let last = start;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LF) break;
      if (code === SPACE) continue;
      if (code === HASH && text.charCodeAt(at - 1) === SPACE) break;
      if (inFlow && (code === COMMA || code === CLOSE_LIST || code === CLOSE_MAP)) break;
      if (inFlow && (code === OPEN_LIST || code === OPEN_MAP)) throw NOT_PLAIN;
      if (code === COLON) {
        const next = text.charCodeAt(at + 1);
        if (!(next > SPACE)) throw NOT_PLAIN;
        if (inFlow && (next === COMMA || next === OPEN_LIST || next === CLOSE_LIST)) throw NOT_PLAIN;
        if (inFlow && (next === OPEN_MAP || next === CLOSE_MAP)) throw NOT_PLAIN;
      }
      last = at + 1;
    }
    if (inFlow && (at >= text.length || text.charCodeAt(at) === LF || text.charCodeAt(at) === HASH)) throw NOT_PLAIN;
    this.#at = last;
    const source = text.slice(start, last);
    return { kind: "scalar", value: plainValue(source), source, at: start, weight: 1 };
  }

  /** Offset behind the closing quote, on this line. */
  #quotedEnd(quote: number): number {
    const text = this.#text;
    for (let at = this.#at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LF || (code === BACKSLASH && quote === DOUBLE)) throw NOT_PLAIN;
      if (code !== quote) continue;
      if (quote === QUOTE && text.charCodeAt(at + 1) === QUOTE) at++;
      else return at + 1;
    }
    throw NOT_PLAIN;
  }

  #unquoted(start: number, end: number): string {
    const inner = this.#text.slice(start + 1, end - 1);
    return this.#text.charCodeAt(start) === QUOTE ? inner.replaceAll("''", "'") : inner;
  }

  /** `{…}` or `[…]` on one line; reading ends behind it. */
  #flow(): YamlNode {
    if (++this.#depth > this.#limits.maxDepth / 4) throw NOT_PLAIN;
    this.#count();
    const at = this.#at;
    const isMap = this.#text.charCodeAt(this.#at++) === OPEN_MAP;
    const node = isMap ? this.#flowMap(at) : this.#flowList(at);
    this.#depth--;
    // `{a: b}: c` and `[a]b` are left to the library.
    const next = this.#text.charCodeAt(this.#at);
    if (next === COLON || next === HASH) throw NOT_PLAIN;
    return node;
  }

  #flowList(at: number): YamlNode {
    const items: YamlNode[] = [];
    let weight = 1;
    for (;;) {
      if (this.#closes(CLOSE_LIST)) return { kind: "list", items, at, weight };
      const item = this.#flowValue();
      weight += item.weight;
      items.push(item);
      this.#separates(CLOSE_LIST);
    }
  }

  #flowMap(at: number): YamlNode {
    const entries = new Map<string, YamlEntry>();
    let weight = 1;
    for (;;) {
      if (this.#closes(CLOSE_MAP)) return { kind: "map", entries, at, weight };
      const keyAt = this.#at;
      const colon = this.#findKey();
      if (colon < 0) throw NOT_PLAIN;
      const name = this.#key(colon);
      if (/[,[\]{}#]/.test(name) && this.#text.charCodeAt(keyAt) !== QUOTE && this.#text.charCodeAt(keyAt) !== DOUBLE)
        throw NOT_PLAIN;
      if (entries.has(name) || name === "<<") throw NOT_PLAIN;
      this.#at = colon + 1;
      this.#spaces();
      const value = this.#flowValue();
      weight += value.weight;
      entries.set(name, { at: keyAt, value });
      this.#separates(CLOSE_MAP);
    }
  }

  #flowValue(): YamlNode {
    const code = this.#text.charCodeAt(this.#at);
    return code === OPEN_MAP || code === OPEN_LIST ? this.#flow() : this.#scalar(true);
  }

  #spaces(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
  }

  #closes(close: number): boolean {
    this.#spaces();
    if (this.#text.charCodeAt(this.#at) !== close) return false;
    this.#at++;
    return true;
  }

  #separates(close: number): void {
    this.#spaces();
    const code = this.#text.charCodeAt(this.#at);
    if (code === COMMA) this.#at++;
    else if (code !== close) throw NOT_PLAIN;
  }
}

const NULLS: ReadonlySet<string> = new Set(["~", "null", "Null", "NULL", ""]);
const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  (["true", "false"] as const).flatMap((word) =>
    [word, word[0]!.toUpperCase() + word.slice(1), word.toUpperCase()].map((text) => [text, word === "true"] as const),
  ),
);

/** What a plain scalar stands for (YAML 1.2's core schema). */
function plainValue(source: string): string | number | boolean | null {
  const first = source.charCodeAt(0);
  const isLetter = (first > 64 && first < 91) || (first > 96 && first < 123);
  if (isLetter || first === 126) {
    if (source.length > 5) return source;
    if (NULLS.has(source)) return null;
    return BOOLEANS.get(source) ?? source;
  }
  const isNumber = (first > 47 && first < 58) || first === 43 || first === DASH || first === 46;
  if (!isNumber) return source;
  if (/^\d{1,15}$/.test(source)) return Number(source);
  // Other forms of numbers are left to the library; what only begins like one (an address, a date) is text.
  if (/^(?:[-+]?\d+|0[ox][\da-fA-F]+|[-+]?(?:\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN)$/.test(source)) throw NOT_PLAIN;
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(source)) throw NOT_PLAIN;
  return source;
}
