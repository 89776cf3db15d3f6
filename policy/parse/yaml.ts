import {
  Composer,
  Lexer,
  LineCounter,
  Parser,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Node,
  type YAMLMap,
} from "yaml";
import type { PolicyProblem, Position } from "./problem.ts";
import { readPlainYaml } from "./yaml-plain.ts";

/**
 * Text to a tree with positions. In: any text. Out: plain nodes, at most the limits below, and a problem for whatever was
 * refused; never a throw. Maps are `Map`s, so a key called `__proto__` is a key like any other. An alias is the anchor's own
 * node again (a shared reference, not a copy), and what a walk would visit is bounded by `maxNodes`: bombs stay small.
 */
export const YAML_LIMITS = {
  /** In UTF-16 units. The API server takes 3 MB an object, etcd 1.5 MB. */
  maxLength: 10 * 1024 * 1024,
  maxDocuments: 10_000,
  maxDepth: 64,
  maxAliases: 100,
  /** Nodes of all documents, aliases counted as often as they are used. */
  maxNodes: 2_500_000,
  /** Noted; more say nothing new. */
  maxProblems: 1000,
} as const;

interface At {
  /** Offset in the text, UTF-16 units. */
  readonly at: number;
  /** Nodes under this one and itself, aliases expanded. */
  readonly weight: number;
}
export interface YamlScalar extends At {
  readonly kind: "scalar";
  readonly value: string | number | bigint | boolean | null;
  /** As written, without quotes. */
  readonly source: string;
}
export interface YamlList extends At {
  readonly kind: "list";
  readonly items: readonly YamlNode[];
}
export interface YamlEntry {
  readonly at: number;
  readonly value: YamlNode;
}
export interface YamlMap extends At {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, YamlEntry>;
}
export type YamlNode = YamlScalar | YamlList | YamlMap;

/** The text that nodes' offsets count in, and how to say where they are. */
export interface YamlSource {
  readonly file: string;
  position(offset: number): Position;
}
export interface YamlDocument {
  readonly source: YamlSource;
  readonly root: YamlNode;
}

/** Every document of `text` that could be read, empty ones left out, and what is wrong with the others. */
export function parseYaml(text: string, file: string): { documents: YamlDocument[]; problems: PolicyProblem[] } {
  const plain = text.length > YAML_LIMITS.maxLength ? undefined : readPlainYaml(text, YAML_LIMITS);
  if (plain === undefined) return parseAnyYaml(text, file);
  const lines = new LineCounter();
  lines.lineStarts = plain.lineStarts;
  const source: YamlSource = {
    file,
    position(offset) {
      const { line, col } = lines.linePos(offset);
      return { file, line, column: col };
    },
  };
  return { documents: plain.roots.map((root) => ({ source, root })), problems: [] };
}

/** The same by the library, which knows all of YAML, in five times the time. */
export function parseAnyYaml(text: string, file: string): { documents: YamlDocument[]; problems: PolicyProblem[] } {
  const lines = new LineCounter();
  const source: YamlSource = {
    file,
    position(offset) {
      const { line, col } = lines.linePos(offset);
      return line === 0 ? { file, line: 1, column: 1 } : { file, line, column: col };
    },
  };
  const problems: PolicyProblem[] = [];
  const documents: YamlDocument[] = [];
  const refuse = (offset: number, message: string, expected?: string) => {
    if (problems.length >= YAML_LIMITS.maxProblems) return;
    const place = source.position(offset);
    problems.push({ ...place, path: "", message, ...(expected === undefined ? {} : { expected }), severity: "error" });
  };
  if (text.length > YAML_LIMITS.maxLength) {
    refuse(0, `the text has ${text.length} characters`, `at most ${YAML_LIMITS.maxLength}`);
    return { documents, problems };
  }
  let nodes = 0;
  try {
    for (const document of composed(text, lines)) {
      if (documents.length === YAML_LIMITS.maxDocuments) {
        refuse(document.range[0], "too many documents in one file", `at most ${YAML_LIMITS.maxDocuments}`);
        break;
      }
      for (const error of document.errors) refuse(error.pos[0], firstLine(error.message));
      if (document.errors.length > 0 || document.contents === null) continue;
      const root = convert(document, refuse, YAML_LIMITS.maxNodes - nodes);
      if (root === undefined) continue;
      nodes += root.weight;
      if (!(root.kind === "scalar" && root.value === null)) documents.push({ source, root });
    }
  } catch (thrown) {
    if (thrown instanceof TooDeep) refuse(thrown.offset, "nested too deeply", `at most ${YAML_LIMITS.maxDepth} levels`);
    else refuse(0, `not readable as YAML (${thrown instanceof Error ? firstLine(thrown.message) : "unknown failure"})`);
  }
  return { documents, problems };
}

class TooDeep extends Error {
  readonly offset: number;
  constructor(offset: number) {
    super("nested too deeply");
    this.offset = offset;
  }
}

/** Documents one by one. The composer is recursive, so depth is bounded while the parser (which is not) builds its stack. */
function* composed(text: string, lines: LineCounter): Generator<Document.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: "silent" });
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) yield* composer.next(token) as Generator<Document.Parsed>;
    if (parser.stack.length > YAML_LIMITS.maxDepth + 2) throw new TooDeep(parser.offset);
  }
  for (const token of parser.end()) yield* composer.next(token) as Generator<Document.Parsed>;
  yield* composer.end(false, text.length) as Generator<Document.Parsed>;
}

/** The document's own tree, or undefined when a limit refuses it. */
function convert(
  document: Document.Parsed,
  refuse: (offset: number, message: string, expected?: string) => void,
  maxNodes: number,
): YamlNode | undefined {
  const anchors = new Map<string, YamlNode>();
  let aliases = 0;
  let total = 0;
  let failed = false;
  const fail = (at: number, message: string, expected?: string): YamlNode => {
    if (!failed) refuse(at, message, expected);
    failed = true;
    return { kind: "scalar", value: null, source: "", at, weight: 1 };
  };
  const walk = (node: Node | null, fallback: number): YamlNode => {
    const at = node?.range?.[0] ?? fallback;
    if (failed) return { kind: "scalar", value: null, source: "", at, weight: 1 };
    if (++total > maxNodes) return fail(at, "too many fields in one file", `at most ${YAML_LIMITS.maxNodes}`);
    if (node === null) return { kind: "scalar", value: null, source: "", at, weight: 1 };
    if (isAlias(node)) {
      if (++aliases > YAML_LIMITS.maxAliases) return fail(at, "too many aliases", `at most ${YAML_LIMITS.maxAliases}`);
      const target = anchors.get(node.source);
      if (target === undefined) return fail(at, `*${clip(node.source)} refers to no anchor before it`);
      total += target.weight;
      if (total > maxNodes)
        return fail(at, "too many fields once aliases are expanded", `at most ${YAML_LIMITS.maxNodes}`);
      return target;
    }
    let out: YamlNode;
    if (isMap(node)) out = walkMap(node, at);
    else if (isSeq(node)) {
      const items = node.items.map((item) => walk(item as Node | null, at));
      out = { kind: "list", items, at, weight: items.reduce((sum, item) => sum + item.weight, 1) };
    } else if (isScalar(node)) {
      const value = node.value;
      const plain =
        typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null;
      const source = node.source ?? String(value);
      out = { kind: "scalar", value: plain || typeof value === "bigint" ? value : source, source, at, weight: 1 };
    } else out = fail(at, "not readable as a value");
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) anchors.set(anchor, out);
    return out;
  };
  const walkMap = (map: YAMLMap, at: number): YamlNode => {
    const entries = new Map<string, YamlEntry>();
    // The library's own check compares every key with every other: ten megabytes of keys would take hours.
    const written = new Set<string>();
    let weight = 1;
    for (const pair of map.items) {
      const key = pair.key as Node | null;
      const keyAt = key?.range?.[0] ?? at;
      if (!isScalar(key)) return fail(keyAt, "a key is no plain text", "a field's name");
      const value = walk(pair.value as Node | null, key.range?.[1] ?? keyAt);
      weight += value.weight;
      if (key.value === "<<" && key.source === "<<" && key.type === "PLAIN") {
        const merged = value.kind === "list" ? value.items : [value];
        for (const from of merged) {
          if (from.kind !== "map") return fail(keyAt, "<< merges something that is no object", "an alias of an object");
          for (const [name, entry] of from.entries) if (!entries.has(name)) entries.set(name, entry);
        }
        continue;
      }
      const name = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
      if (written.has(name)) return fail(keyAt, `key ${JSON.stringify(clip(name))} is written twice`, "each key once");
      written.add(name);
      entries.set(name, { at: keyAt, value });
    }
    return { kind: "map", entries, at, weight };
  };
  const root = walk(document.contents, document.range[0]);
  return failed ? undefined : root;
}

function firstLine(message: string): string {
  return clip(message.split("\n")[0] ?? message);
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
