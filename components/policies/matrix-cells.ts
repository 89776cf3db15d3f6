import type { FlowEnd, MatrixAnswer } from "./answers.ts";

/** Of each cell: neither, may and did not, did and may not, may and did. Sign and word, never colour alone. */
export const CELLS = [
  { sign: "·", words: "may not, and nobody did" },
  { sign: "○", words: "may, but nobody did" },
  { sign: "×", words: "did, and may not" },
  { sign: "●", words: "may, and did" },
] as const;

/** How rows and columns are put: all alike, or one side by its connections with one of the other. */
export type MatrixOrder =
  { readonly by: "traffic" | "name" } | { readonly by: "source" | "destination"; readonly of: number };

/** Numbers of sources and destinations in the order in which they are shown. */
export interface MatrixPlaces {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** The answer's own order is by traffic. */
export function placesBy(answer: MatrixAnswer, order: MatrixOrder): MatrixPlaces {
  const all = answer.sources.map((_, at) => at);
  const n = all.length;
  if (order.by === "name") {
    const sorted = all.toSorted((a, b) => nameOf(answer.sources[a]!).localeCompare(nameOf(answer.sources[b]!)));
    return { rows: sorted, columns: sorted };
  }
  const by = (cell: (at: number) => number) =>
    all.toSorted(
      (a, b) =>
        answer.connections[cell(b)]! - answer.connections[cell(a)]! || answer.cells[cell(b)]! - answer.cells[cell(a)]!,
    );
  if (order.by === "destination") return { rows: by((at) => at * n + order.of), columns: all };
  if (order.by === "source") return { rows: all, columns: by((at) => order.of * n + at) };
  return { rows: all, columns: all };
}

export function nameOf({ namespace, workload }: FlowEnd): string {
  return namespace === "" ? workload : `${namespace}/${workload}`;
}
