/** Which line of a text a field stands on. Lines count from 1. */

const SUBJECT = /^\s+(?:- )?(?:podSelector|endpointSelector|nodeSelector|selector|subject):/;

/** The line that says whom the document that begins at `from` selects; the document's own line where none does. */
export function subjectLine(lines: readonly string[], from: number): number {
  let inSpec = false;
  for (let at = Math.max(0, from - 1); at < lines.length; at++) {
    const content = lines[at]!;
    if (at >= from && content.startsWith("---")) break;
    if (/^specs?:/.test(content)) inSpec = true;
    else if (inSpec && SUBJECT.test(content)) return at + 1;
  }
  return from;
}

/** The line of `spec.ingress[2]` in the document that begins at `from`: a walk over the indentation, exact for block style. */
export function fieldLine(lines: readonly string[], from: number, path: string): number {
  const steps = [...path.matchAll(/([A-Za-z]+)|\[(\d+)\]/g)].map((match) => match[1] ?? Number(match[2]));
  let at = from - 1;
  let indent = -1;
  for (const step of steps) {
    const found = typeof step === "number" ? itemLine(lines, at, step) : keyLine(lines, at, step, indent);
    if (found === undefined) return at + 1;
    [at, indent] = found;
  }
  return at + 1;
}

function keyLine(lines: readonly string[], from: number, key: string, under: number): [number, number] | undefined {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at]!;
    if (at > from && line.startsWith("---")) return undefined;
    const match = /^([\s-]*)([\w.]+):/.exec(line);
    if (match?.[2] === key && match[1]!.length > under) return [at, match[1]!.length];
  }
  return undefined;
}

function itemLine(lines: readonly string[], from: number, index: number): [number, number] | undefined {
  let indent: number | undefined;
  let seen = -1;
  for (let at = from + 1; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    if (line.startsWith("---")) return undefined;
    const dash = /^(\s*)- ?/.exec(line);
    const depth = /^\s*/.exec(line)![0].length;
    indent ??= dash?.[1]!.length;
    if (indent === undefined || depth < indent || (depth === indent && dash === null)) return undefined;
    if (dash !== null && dash[1]!.length === indent && ++seen === index) return [at, indent];
  }
  return undefined;
}
