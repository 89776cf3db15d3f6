/** Where something stands in a file of policies. Line and column count from 1, the column in UTF-16 units. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing wrong in a document, with its place: an error refuses the document, a warning does not. */
export interface PolicyProblem extends Position {
  /** The field: `spec.ingress[0].ports[0].port`; "" for the document or the file. */
  readonly path: string;
  /** One sentence without a full stop: `"htpp" is no port`. */
  readonly message: string;
  /** What would have been right: `1–65535 or a port's name`. */
  readonly expected?: string;
  readonly severity: "error" | "warning";
}

/** A problem in one line: `web.yaml:12:15 spec.ingress[0].from: "x" is no list; expected a list of peers`. */
export function formatProblem(problem: PolicyProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const where = problem.path === "" ? place : `${place} ${problem.path}`;
  const expected = problem.expected === undefined ? "" : `; expected ${problem.expected}`;
  const level = problem.severity === "warning" ? "warning: " : "";
  return `${where}: ${level}${problem.message}${expected}`;
}

/** The name among `known` that `word` was probably meant to be (at most a third of its letters off), or undefined. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const distance =
      name.toLowerCase() === word.toLowerCase()
        ? 0
        : editDistance(word.toLowerCase(), name.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Levenshtein distance of two short words; anything from `limit` on counts as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}
