import { nearestName } from "../../policy/parse/problem.ts";
import type { Hint, Names } from "./answers.ts";

const MOST_HINTS = 50;
const PAIR = /(["']?)([\w./-]+)\1\s*:\s*(["']?)([\w.-]+)\3/g;

/** Labels in selectors that nobody of the traffic has, with the one that was probably meant: a rule for them matches nothing. */
export function labelHints(
  file: string,
  text: string,
  { labels, namespaces }: Pick<Names, "labels" | "namespaces">,
): Hint[] {
  const values = new Map(labels.map(({ key, values: known }) => [key, known]));
  const hints: Hint[] = [];
  let selector = "";
  let block: number | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    if (hints.length === MOST_HINTS) break;
    const content = line.trimStart();
    if (content === "" || content.startsWith("#")) continue;
    const indent = line.length - content.length;
    if (block !== undefined && indent <= block) block = undefined;
    const opens = /(podSelector|endpointSelector|namespaceSelector|fromEndpoints|toEndpoints|namespaces|pods)\s*:/.exec(
      line,
    );
    if (opens !== null) selector = opens[1]!;
    const inline = /matchLabels\s*:\s*\{([^}]*)\}/.exec(line);
    const start = inline === null ? (block === undefined ? undefined : indent) : line.indexOf("{", inline.index) + 1;
    if (start !== undefined) {
      const end = inline === null ? line.length : line.indexOf("}", start);
      for (const pair of line.slice(start, end).matchAll(PAIR)) {
        const [, , key, , value] = pair as unknown as [string, string, string, string, string];
        const ofNamespaces = selector === "namespaceSelector" || selector === "namespaces";
        const known = key === "kubernetes.io/metadata.name" ? namespaces : ofNamespaces ? undefined : values.get(key);
        if (known === undefined || known.includes(value)) continue;
        const instead = nearestName(value, known);
        const column = start + pair.index + pair[0].lastIndexOf(value) + 1;
        hints.push({ file, line: at + 1, column, key, value, ...(instead === undefined ? {} : { instead }) });
      }
    }
    if (/matchLabels\s*:\s*(#.*)?$/.test(line)) block = line.indexOf("matchLabels");
  }
  return hints;
}
