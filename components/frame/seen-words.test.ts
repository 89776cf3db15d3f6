import { describe, expect, test } from "vitest";
import { BooksAnswer } from "../../model/wire/answers/health.ts";
import { seenWords } from "./seen-words.ts";

const sums = { produced: 0, stored: 0, lost: 0, shed: 0, quarantined: 0, filtered: 0, pending: 0 };
const answer = (total: Partial<typeof sums>, rest: object = {}) =>
  BooksAnswer.parse({
    answered: { from: 0, to: 60_000, by: "books", truncated: false },
    total: { ...sums, ...total },
    seen: null,
    nodes: [],
    minutes: [],
    ...rest,
  });
const minute = { node: "node-a", at: 120_000, lost: 0, crashed: 0, unseen: 0, shed: 0, quarantined: 0 };
const words = (books: ReturnType<typeof answer>) => seenWords(books, () => "14:02");

describe("the line on a chart", () => {
  test.each([
    ["nothing booked: nothing is said", answer({}), undefined],
    ["only what was left out on purpose", answer({ produced: 9, filtered: 9 }), undefined],
    ["all seen", answer({ produced: 1000, stored: 990, filtered: 10 }), { tone: "quiet", text: "100 % seen" }],
    [
      "one loss",
      answer({ produced: 6_020_000, stored: 6_018_796, lost: 1204 }, { worst: [{ ...minute, lost: 1204 }] }),
      { tone: "quiet", text: "99.98 % seen · 1,204 lost in ring at 14:02 on node-a" },
    ],
    [
      "several losses of several kinds",
      answer(
        { produced: 1000, stored: 900, lost: 60, shed: 40 },
        { worst: [{ ...minute, lost: 20, crashed: 30, shed: 40 }] },
      ),
      {
        tone: "degraded",
        text: "90.0 % seen · 20 lost in ring, 30 lost in a crash, 40 shed at 14:02 on node-a · 10 more at other times",
      },
    ],
    [
      "packets that went by while the kernel ran no program",
      answer({ produced: 10_000, stored: 9_995, lost: 5 }, { worst: [{ ...minute, unseen: 5 }] }),
      { tone: "quiet", text: "99.95 % seen · 5 unseen by the kernel's programs at 14:02 on node-a" },
    ],
    [
      "books that do not balance come first",
      answer({ produced: 1000, stored: 995, pending: 5 }, { unbalanced: 5 }),
      { tone: "denied", text: "The books of this range do not balance: 5 events are unaccounted for" },
    ],
  ])("%s", (_, books, expected) => expect(words(books)).toEqual(expected));
});
