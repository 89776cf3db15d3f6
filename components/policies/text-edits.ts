/** Edits of a policy's text that leave every other line as it is, comments and order included. Lines count from 1. */

/** One item of a list as lines without indentation: the first begins with `- `. */
export type Item = readonly string[];

/**
 * `text` with `item` at the end of the list `spec.<field>` of the document that begins at line `from`. Undefined where that list is
 * written in flow style (`[…]`), which has no lines of its own.
 */
export function withItem(text: string, from: number, field: "ingress" | "egress", item: Item): string | undefined {
  const lines = text.split("\n");
  const end = documentEnd(lines, from - 1);
  const spec = findLine(lines, from - 1, end, (line) => /^spec:\s*(#.*)?$/.test(line));
  if (spec === undefined) return undefined;
  const firstChild = findLine(lines, spec + 1, end, (line) => isContent(line));
  const indent = firstChild === undefined ? 2 : indentOf(lines[firstChild]!);
  if (indent === 0) return undefined;
  const at = findLine(
    lines,
    spec + 1,
    end,
    (line) => indentOf(line) === indent && line.trimStart().startsWith(`${field}:`),
  );
  if (at === undefined) {
    const last = lastContent(lines, spec, end);
    return spliced(lines, last + 1, 0, [`${" ".repeat(indent)}${field}:`, ...indented(item, indent + 2)]);
  }
  const value = lines[at]!.trimStart()
    .slice(field.length + 1)
    .replace(/#.*$/, "")
    .trim();
  if (value === "[]") return spliced(lines, at, 1, [`${" ".repeat(indent)}${field}:`, ...indented(item, indent + 2)]);
  if (value !== "") return undefined;
  const firstItem = findLine(lines, at + 1, end, (line) => isContent(line));
  const isList =
    firstItem !== undefined && lines[firstItem]!.trimStart().startsWith("-") && indentOf(lines[firstItem]!) >= indent;
  const depth = isList ? indentOf(lines[firstItem]!) : indent + 2;
  let last = at;
  for (let line = at + 1; line < end; line++) {
    if (!isContent(lines[line]!)) continue;
    const here = indentOf(lines[line]!);
    if (here < depth || (here === depth && !lines[line]!.trimStart().startsWith("-"))) break;
    last = line;
  }
  return spliced(lines, last + 1, 0, indented(item, depth));
}

/** `text` without the list item that begins at `line`. A list that gets empty is written `[]`. Undefined where no item begins there. */
export function withoutItem(text: string, line: number): string | undefined {
  const lines = text.split("\n");
  const range = itemRange(lines, line);
  if (range === undefined) return undefined;
  const [start, end, indent] = range;
  const before = lastContent(lines, -1, start);
  const after = findLine(lines, end, lines.length, isContent);
  const alone =
    /:\s*(#.*)?$/.test(lines[before] ?? "") &&
    (after === undefined || indentOf(lines[after]!) < indent || !lines[after]!.trimStart().startsWith("-"));
  const out = lines.toSpliced(start, end - start);
  if (alone) out[before] = out[before]!.replace(/:\s*(#.*)?$/, ": []");
  return out.join("\n");
}

/** `text` with `item` in the place of the list item that begins at `line`. Undefined where no item begins there. */
export function withItemReplaced(text: string, line: number, item: Item): string | undefined {
  const lines = text.split("\n");
  const range = itemRange(lines, line);
  if (range === undefined) return undefined;
  const [start, end, indent] = range;
  return spliced(lines, start, end - start, indented(item, indent));
}

/** First and next line (from 0) of the item at `line` (from 1), and its indentation. */
function itemRange(lines: readonly string[], line: number): [number, number, number] | undefined {
  const start = line - 1;
  const first = lines[start];
  if (first === undefined || !first.trimStart().startsWith("-")) return undefined;
  const indent = indentOf(first);
  let end = start + 1;
  while (
    end < lines.length &&
    (!isContent(lines[end]!) ? !lines[end]!.startsWith("---") : indentOf(lines[end]!) > indent)
  )
    end++;
  return [start, lastContent(lines, start - 1, end) + 1, indent];
}

function documentEnd(lines: readonly string[], from: number): number {
  return findLine(lines, from + 1, lines.length, (line) => line.startsWith("---")) ?? lines.length;
}

function findLine(
  lines: readonly string[],
  from: number,
  end: number,
  is: (line: string) => boolean,
): number | undefined {
  for (let at = from; at < end; at++) if (is(lines[at]!)) return at;
  return undefined;
}

/** The last line with content before `end`; `from` where there is none. */
function lastContent(lines: readonly string[], from: number, end: number): number {
  let last = end - 1;
  while (last > from && !isContent(lines[last]!)) last--;
  return last;
}

function isContent(line: string): boolean {
  const text = line.trim();
  return text !== "" && !text.startsWith("#") && !line.startsWith("---");
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function indented(item: Item, indent: number): string[] {
  return item.map((line) => " ".repeat(indent) + line);
}

function spliced(lines: readonly string[], at: number, remove: number, added: readonly string[]): string {
  return lines.toSpliced(at, remove, ...added).join("\n");
}
