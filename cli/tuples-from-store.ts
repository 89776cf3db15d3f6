import { EVERYTHING } from "../model/filter/ast.ts";
import { milliseconds, type TimeRange } from "../model/time.ts";
import { parseTimeRange } from "../model/time-range.ts";
import { WeirError } from "../model/errors.ts";
import { tuplesOfTraffic } from "../policy/tuples-of-answers.ts";
import type { TupleSet } from "../policy/tuples.ts";
import { storeConfig } from "../store/config.ts";
import { trafficInRange } from "../store/queries/tuples-traffic.ts";
import { openReader } from "../store/reader.ts";

/** More unique tuples than this are cut, least traffic first. */
const MOST_TUPLES = 500_000;

/** The range of `--since` and `--until`. `7d` is taken as `now-7d`. Throws WeirError. */
export function rangeOf(since: string, until: string): TimeRange {
  const from = /^\d+(ms|s|m|h|d|w)$/.test(since) ? `now-${since}` : since;
  const answer = parseTimeRange({ from, to: until }, milliseconds(Date.now()));
  if ("problem" in answer)
    throw new WeirError({
      code: "bad-range",
      where: "--since, --until",
      what: answer.problem,
      next: "choose another range; --help has examples",
    });
  return answer.range;
}

/** Everything that was seen in a range, as unique tuples with counts, and what was lost of it. Throws StoreError. */
export async function tuplesFromStore(
  env: NodeJS.ProcessEnv,
  range: TimeRange,
  signal: AbortSignal,
): Promise<TupleSet> {
  await using store = openReader(storeConfig(env));
  const question = { range, filter: EVERYTHING, scope: [], limit: MOST_TUPLES };
  return tuplesOfTraffic(await trafficInRange(store, question, signal));
}
