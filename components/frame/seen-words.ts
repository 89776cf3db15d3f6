/** How much of a range was seen, in one line: `99.98 % seen · 1,204 lost in ring at 14:02 on node-a`. */
import type { BooksAnswer, WorstMinute } from "../../model/wire/answers/health.ts";
import { count, share } from "../parts/numbers.ts";

export interface SeenWords {
  /** `quiet`: (nearly) everything was seen; `degraded`: look at it; `denied`: the figures cannot be trusted. */
  readonly tone: "quiet" | "degraded" | "denied";
  readonly text: string;
}

const SEEN_ENOUGH = 0.999; // as the status line has it

/** `clock` writes a moment as the screen does. Undefined: nothing was booked in the range, so nothing can be said. */
export function seenWords(books: BooksAnswer, clock: (ms: number) => string): SeenWords | undefined {
  const { total, worst, unbalanced } = books;
  if (unbalanced !== 0) {
    const events = `${count(unbalanced)} ${unbalanced === 1 ? "event is" : "events are"}`;
    return { tone: "denied", text: `The books of this range do not balance: ${events} unaccounted for` };
  }
  const wanted = total.produced - total.filtered;
  if (wanted <= 0) return undefined;
  const gone = total.lost + total.shed + total.quarantined;
  const seen = `${share(wanted - gone, wanted)} seen`;
  const first = worst[0];
  if (gone === 0 || first === undefined) return { tone: "quiet", text: seen };
  const most = `${reason(first)} at ${clock(first.at)} on ${first.node}`;
  const others = gone - first.lost - first.crashed - first.unseen - first.shed - first.quarantined;
  return {
    tone: (wanted - gone) / wanted < SEEN_ENOUGH ? "degraded" : "quiet",
    text: `${seen} · ${most}${others > 0 ? ` · ${count(others)} more at other times` : ""}`,
  };
}

function reason({ lost, crashed, unseen, shed, quarantined }: WorstMinute): string {
  return [
    [lost, "lost in ring"],
    [crashed, "lost in a crash"],
    [unseen, "unseen by the kernel's programs"],
    [shed, "shed"],
    [quarantined, "quarantined"],
  ]
    .filter(([n]) => Number(n) > 0)
    .map(([n, words]) => `${count(Number(n))} ${String(words)}`)
    .join(", ");
}
