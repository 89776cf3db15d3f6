import { z } from "zod";
import { WeirError } from "../../model/errors.ts";
import type { Filter } from "../../model/filter/ast.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { milliseconds, type TimeRange } from "../../model/time.ts";
import { parseTimeRange } from "../../model/time-range.ts";

/** What every question about a range brings: `from`, `to`, `q`, `scope`. */
export interface RangedQuestion {
  readonly range: TimeRange;
  readonly filter: Filter;
  /** Namespaces in view, cut to what the viewer may see; empty = all. */
  readonly scope: readonly string[];
}

const Ranged = z.object({
  from: z.string().max(64).default("now-15m"),
  to: z.string().max(64).default("now"),
  q: z.string().max(4096).default(""),
  scope: z.string().max(4096).default(""),
});

/** Reads the shared part of a question. Throws WeirError `bad-range` or `bad-filter` with what is wrong and where. */
export function rangedQuestion(params: Readonly<Record<string, string>>): RangedQuestion {
  const asked = readParams(Ranged, params);
  const answer = parseTimeRange({ from: asked.from, to: asked.to }, milliseconds(Date.now()));
  if ("problem" in answer)
    throw new WeirError({ code: "bad-range", where: "from, to", what: answer.problem, next: "choose another range" });
  const { filter, problems } = parseFilter(asked.q);
  const first = problems[0];
  if (first !== undefined)
    throw new WeirError({
      code: "bad-filter",
      where: `filter, character ${first.at + 1}`,
      what: first.message,
      next: "mend or remove that term",
    });
  const scope = asked.scope.split(",").filter((name) => name !== "");
  return { range: answer.range, filter, scope };
}

/** Checks URL parameters against `shape`. Throws WeirError `bad-question` that names the first wrong one. */
export function readParams<T extends z.ZodType>(shape: T, params: Readonly<Record<string, string>>): z.infer<T> {
  const parsed = shape.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new WeirError({ code: "bad-question", where: issue.path.join("."), what: issue.message });
}
