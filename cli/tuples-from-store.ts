import { EVERYTHING } from "../model/filter/ast.ts";
import { milliseconds, type TimeRange } from "../model/time.ts";
import { parseTimeRange } from "../model/time-range.ts";
import { WeirError } from "../model/errors.ts";
import { tuplesOfAnswers } from "../policy/tuples-of-answers.ts";
import type { TupleSet } from "../policy/tuples.ts";
import { storeConfig } from "../store/config.ts";
import { booksInRange } from "../store/queries/books-in-range.ts";
import { dnsNames } from "../store/queries/dns-names.ts";
import { identitiesInRange } from "../store/queries/identities-in-range.ts";
import { tuples } from "../store/queries/tuples.ts";
import { openReader } from "../store/reader.ts";

/** More unique tuples than this are cut, least traffic first; the set says so. */
const MOST_TUPLES = 500_000;
const MOST_NAMES = 10_000;

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
  const question = { range, filter: EVERYTHING, scope: [] };
  const [answer, identities, books, looked] = await Promise.all([
    tuples(store, { ...question, limit: MOST_TUPLES }, signal),
    identitiesInRange(store, { ...question, limit: MOST_TUPLES }, signal),
    booksInRange(store, range, signal),
    dnsNames(store, { range, scope: [], part: "", limit: MOST_NAMES }, signal),
  ]);
  return tuplesOfAnswers(answer, identities, {
    produced: books.total.produced,
    lost: books.total.lost,
    names: looked.names.filter(({ addresses }) => addresses.length > 0),
  });
}
