import { WeirError } from "../../model/errors.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { milliseconds } from "../../model/time.ts";
import { parseTimeRange } from "../../model/time-range.ts";
import { storeConfig } from "../../store/config.ts";
import { flowsPage } from "../../store/queries/flows-page.ts";
import { openReader } from "../../store/reader.ts";
import type { Printer } from "./format.ts";

export interface HistoryQuestion {
  readonly filter: string;
  readonly since: string;
  readonly until: string;
  readonly last: string;
}

const MOST = 1_000_000;
const PAGE = 1000;

/** Prints the newest flows of a range, oldest first. Throws WeirError on a wrong range or number, or when the store has no answer. */
export async function printHistory(question: HistoryQuestion, out: Printer, signal: AbortSignal): Promise<void> {
  const wanted = Number(question.last);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST) {
    throw new WeirError({
      code: "bad-option",
      where: "--last",
      what: `“${question.last}” does not fit`,
      expected: `a whole number from 1 to ${MOST}`,
    });
  }
  const answer = parseTimeRange({ from: question.since, to: question.until }, milliseconds(Date.now()));
  if ("problem" in answer)
    throw new WeirError({
      code: "bad-range",
      where: "--since, --until",
      what: answer.problem,
      next: "choose another range; weir observe --help has examples",
    });
  await using store = openReader(storeConfig());
  const { filter } = parseFilter(question.filter);
  const lines: string[] = [];
  let before: string | undefined;
  do {
    const page = await flowsPage(
      store,
      { range: answer.range, filter, scope: [], limit: Math.min(PAGE, wanted - lines.length), before },
      signal,
    );
    for (const flow of page.flows) lines.push(out.line(flow));
    before = page.next ?? undefined;
  } while (before !== undefined && lines.length < wanted);
  if (out.header !== undefined) process.stdout.write(`${out.header}\n`);
  if (lines.length > 0) process.stdout.write(`${lines.toReversed().join("\n")}\n`);
  if (before !== undefined) process.stderr.write(`weir: these are the newest ${lines.length}; more with --last\n`);
}
