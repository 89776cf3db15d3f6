import type { FlowRow, Judged, JudgedAgain } from "./answers.ts";

/** `judged` without what is as in `before`, the answer that was sent last. Runs in the worker: comparing there is cheaper than copying. */
export function withoutRepeated(judged: Judged, before: Judged | undefined): JudgedAgain {
  if (before === undefined) return judged;
  const { edges, changed, unchanged, unjudged, ...rest } = judged;
  return {
    ...rest,
    ...(sameEdges(edges, before.edges) ? {} : { edges }),
    ...(sameRows(changed, before.changed) ? {} : { changed }),
    ...(sameRows(unchanged, before.unchanged) ? {} : { unchanged }),
    ...(sameRows(unjudged, before.unjudged) ? {} : { unjudged }),
  };
}

/** The whole answer again. What is taken from `before` stays the same object, so that nothing is drawn anew for it. */
export function withRepeated(again: JudgedAgain, before: Judged | undefined): Judged {
  const { edges, changed, unchanged, unjudged } = { ...before, ...again };
  return { ...again, edges: edges ?? [], changed: changed ?? [], unchanged: unchanged ?? [], unjudged: unjudged ?? [] };
}

function sameEdges(a: Judged["edges"], b: Judged["edges"]): boolean {
  return (
    a.length === b.length &&
    a.every((edge, at) => {
      const other = b[at]!;
      return (
        edge.key === other.key &&
        edge.change === other.change &&
        edge.connections["newly-denied"] === other.connections["newly-denied"] &&
        edge.connections["newly-allowed"] === other.connections["newly-allowed"] &&
        edge.connections["still-denied"] === other.connections["still-denied"] &&
        edge.connections["still-allowed"] === other.connections["still-allowed"]
      );
    })
  );
}

function sameRows(a: readonly FlowRow[], b: readonly FlowRow[]): boolean {
  return (
    a.length === b.length &&
    a.every((row, at) => {
      const other = b[at]!;
      return (
        row.row === other.row &&
        row.change === other.change &&
        row.needsL7 === other.needsL7 &&
        row.by?.file === other.by?.file &&
        row.by?.line === other.by?.line &&
        row.by?.isDefault === other.by?.isDefault
      );
    })
  );
}
