import { documentFields, type Field, type Fields } from "./schema.ts";

/** Where a line stands in its document: the keys above it by indentation, as a reader sees them. Works on half-typed text. */
export interface YamlPlace {
  /** Keys from the root to the parent: `spec`, `ingress`, `from`. List items don't count. */
  readonly parents: readonly string[];
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
}

const KEY = /^(\s*(?:- +)*)(["']?)([\w./-]+)\2\s*:/;

/** The place of line `at` (from 0) when its key stands at column `column`. */
export function placeOf(lines: readonly string[], at: number, column: number): YamlPlace {
  const parents: string[] = [];
  let indent = column;
  for (let line = at - 1; line >= 0 && indent > 0; line--) {
    const text = lines[line]!;
    if (text.startsWith("---")) break;
    const key = KEY.exec(text);
    if (key === null || text.trimStart().startsWith("#")) continue;
    const own = key[1]!.length;
    const dash = text.indexOf("-") >= 0 && text.trimStart().startsWith("-") ? text.indexOf("-") : own;
    if (own < indent) {
      parents.unshift(key[3]!);
      indent = own;
    }
    // The item's own dash may stand where its list's key does.
    if (dash < indent) indent = Math.min(indent, dash + 1);
  }
  const [start, end] = documentAround(lines, at);
  const valueOf = (name: string) =>
    lines
      .slice(start, end)
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .replace(/#.*$/, "")
      .trim()
      .replaceAll(/^["']|["']$/g, "");
  return { parents, apiVersion: valueOf("apiVersion"), kind: valueOf("kind") };
}

function documentAround(lines: readonly string[], at: number): [number, number] {
  let start = at;
  while (start > 0 && !lines[start]!.startsWith("---")) start--;
  let end = at + 1;
  while (end < lines.length && !lines[end]!.startsWith("---")) end++;
  return [start, end];
}

/** The fields that may stand at a place; the parent's own field, too. */
export function fieldsAt({ parents, apiVersion, kind }: YamlPlace): { fields: Fields; parent: Field | undefined } {
  let fields = documentFields(apiVersion, kind);
  let parent: Field | undefined;
  for (const name of parents) {
    parent = fields[name];
    if (parent === undefined) return { fields: {}, parent: undefined };
    fields = parent.fields ?? {};
  }
  return { fields, parent };
}
