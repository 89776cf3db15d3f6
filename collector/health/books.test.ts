import { expect, test } from "vitest";
import { EventType } from "../decode/columns.ts";
import { NOTHING_COUNTED, type CounterRow, type SourceCounters } from "../sources/source.ts";
import { Books } from "./books.ts";

const counters = (row: Partial<CounterRow>, settled = true): SourceCounters => ({
  ...NOTHING_COUNTED,
  rows: [{ cpu: 0, type: EventType.close, produced: 0, lost: 0, shed: 0, decoded: 0, waiting: 0, ...row }],
  settled,
});

test("a ring that is never empty is no imbalance, however long", () => {
  const books = new Books();
  for (let second = 1; second <= 100; second++) {
    const produced = second * 100;
    // every third time an event came while the counters were read, and what waits was not counted
    books.tick(counters({ produced, decoded: produced - 10, waiting: 10 }, second % 3 > 0), second * 1000);
    books.tick(counters({ produced, decoded: produced - 10 }, false), second * 1000);
  }
  expect(books.take()).toEqual([]);
});

test("what was made, is in no ring and was never decoded is booked as produced alone, once, while events go on", () => {
  const books = new Books();
  for (let second = 1; second <= 50; second++) {
    const produced = second * 100;
    const gone = second > 20 ? 7 : 0;
    const inTheMaking = second % 4 === 0 ? 1 : 0; // counted, and not in the ring yet
    books.tick(counters({ produced, decoded: produced - 10 - gone - inTheMaking, waiting: 10 }), second * 1000);
  }
  const lines = books.take();
  expect(lines.map(({ type, produced, stored, lost }) => ({ type, produced, stored, lost }))).toEqual([
    { type: "close", produced: 7, stored: 0, lost: 0 },
  ]);
});
