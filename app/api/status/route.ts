import { z } from "zod";
import { WeirError } from "../../../model/errors.ts";
import type { SystemStatus } from "../../../model/wire/answers/status.ts";
import { storeConfig } from "../../../store/config.ts";
import { dropsTotal } from "../../../store/queries/drops-total.ts";
import { booksInRange } from "../../../store/queries/books-in-range.ts";
import { status } from "../../../store/queries/status.ts";
import type { StoreReader } from "../../../store/reader.ts";
import { collectorState } from "../../collector.ts";
import { appConfig } from "../../config.ts";
import { machineFacts, WEIR_VERSION } from "../../machine.ts";
import { rangedRoute } from "../answering.ts";
import type { RangedQuestion } from "../question.ts";

type StorePart = Pick<SystemStatus, "store" | "storeProblem" | "books" | "dropsPerSecond">;

/** Books of the range, who reports, and which part is down: each part that does not answer is a fact of the answer, not an error. */
export const GET = rangedRoute(z.object({}), async (question, { store, signal }): Promise<SystemStatus> => {
  const [collector, storePart] = await Promise.all([
    collectorState(appConfig().collectorSocket, signal),
    askStore(store, question, signal),
  ]);
  return {
    ...storePart,
    storeUrl: storeConfig().url,
    collector,
    machine: machineFacts(),
    version: WEIR_VERSION,
    checkedMs: Date.now(),
  };
});

async function askStore(store: StoreReader, question: RangedQuestion, signal: AbortSignal): Promise<StorePart> {
  try {
    const [now, books, drops] = await Promise.all([
      status(store, signal),
      booksInRange(store, question.range, signal),
      dropsPerSecond(store, question, signal),
    ]);
    return { store: now, storeProblem: null, books: books.total, dropsPerSecond: drops };
  } catch (error) {
    if (signal.aborted || !(error instanceof WeirError)) throw error;
    return {
      store: null,
      storeProblem: { code: error.code, message: error.what, next: error.next ?? "" },
      books: null,
      dropsPerSecond: 0,
    };
  }
}

/** Packets dropped in the range, a second of what the answer covers (roll-ups answer whole minutes). */
async function dropsPerSecond(store: StoreReader, question: RangedQuestion, signal: AbortSignal): Promise<number> {
  const { drops, answered } = await dropsTotal(store, question, signal);
  return drops / Math.max(1, (answered.to - answered.from) / 1000);
}
