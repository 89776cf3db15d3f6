/**
 * The books: what the kernel produced, and what became of it. produced = stored + lost + shed + quarantined + filtered, by minute and type.
 *
 * Rows are booked with their segment, so that the balance is as durable as they are (spool/segment.ts). What makes no row is
 * collected here and goes into the spool's own `books` lane at each flush. The kernel's counters are the judge: what they count
 * and nobody can account for is booked as produced alone, so that the imbalance shows.
 */
import { UNSEEN } from "../../model/book-types.ts";
import { EventType } from "../decode/columns.ts";
import { rowNs, type FlowRows } from "../rows/flow-rows.ts";
import type { SourceCounters } from "../sources/source.ts";
import type { BooksDelta } from "../spool/segment.ts";
import type { BooksTotals } from "../../model/wire/health.ts";

const TYPE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(EventType).map(([name, type]) => [type, name]),
);

/** `open`, `conversationDelta`; `type 6` for one that this version does not know. */
export const typeName = (type: number): string => TYPE_NAMES[type] ?? `type ${type}`;

/**
 * Ticks over which a gap between the kernel's counters and ours must stand before it counts as unexplained. What lies in the rings
 * is no gap; but an event is counted a moment before it is there.
 */
const GAP_TICKS = 10;

type Field = Exclude<keyof BooksDelta, "minute" | "type">;

export class Books {
  #pending = new Map<string, BooksDelta>();
  readonly #totals = { stored: 0, shed: 0, quarantined: 0, filtered: 0 };
  readonly #lostBefore = new Map<string, number>();
  readonly #shedBefore = new Map<string, number>();
  readonly #gaps = new Map<number, number[]>();
  readonly #unexplained = new Map<number, number>();
  #malformedBefore = 0;
  #unseenBefore = 0;
  #produced = 0;
  #lost = 0;
  #unseen = 0;
  #inRing = 0;

  /** Books for the rows of a chunk, to go into their segment. */
  rowsOf(rows: FlowRows): BooksDelta[] {
    const counts = new Map<number, number>(); // minute * 32 + type: one entry a type, mostly
    for (let row = 0; row < rows.length; row++) {
      const key = Math.floor(rowNs(rows, row) / 60e9) * 32 + rows.type[row]!;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    this.#totals.stored += rows.length;
    return [...counts].map(([key, n]) =>
      line(Math.floor(key / 32) * 60, typeName(key % 32), { produced: n, stored: n }),
    );
  }

  /** Books for rows of another table that stand for `n` events. */
  records(minute: number, type: number, n: number): BooksDelta[] {
    this.#totals.stored += n;
    return [line(minute, typeName(type), { produced: n, stored: n })];
  }

  /** An event that makes no row, and why. */
  count(type: number, minute: number, field: "filtered" | "shed", n = 1): void {
    this.#totals[field] += n;
    this.#add(minute, typeName(type), "produced", n);
    this.#add(minute, typeName(type), field, n);
  }

  /** Rows that were to be stored, and were shed or quarantined instead, by their own books. */
  moved(books: readonly BooksDelta[], field: "shed" | "quarantined"): void {
    for (const each of books) {
      const n = each[field];
      this.#totals.stored -= n;
      this.#totals[field] += n;
    }
  }

  /** Lines whose rows never reached a segment: they go into the books lane. */
  carry(books: readonly BooksDelta[]): void {
    for (const each of books)
      for (const field of ["produced", "stored", "lost", "shed", "quarantined", "filtered"] as const)
        this.#add(each.minute, each.type, field, each[field]);
  }

  /** Takes the source's counters, once a second: books new losses, and what nobody can account for. */
  tick(counters: SourceCounters, nowMs: number): void {
    const minute = Math.floor(nowMs / 60_000) * 60;
    const gapByType = new Map<number, number>();
    for (const row of counters.rows) {
      const key = `${row.cpu} ${row.type}`;
      const lost = row.lost - (this.#lostBefore.get(key) ?? 0);
      this.#lostBefore.set(key, row.lost);
      if (lost > 0) {
        this.#add(minute, typeName(row.type), "produced", lost);
        this.#add(minute, typeName(row.type), "lost", lost);
      }
      const shed = row.shed - (this.#shedBefore.get(key) ?? 0);
      this.#shedBefore.set(key, row.shed);
      if (shed > 0) this.count(row.type, minute, "shed", shed);
      const gap = row.produced - row.lost - row.shed - row.decoded - row.waiting;
      gapByType.set(row.type, (gapByType.get(row.type) ?? 0) + gap);
    }
    const unseen = counters.unseenPackets - this.#unseenBefore;
    if (unseen > 0) {
      this.#unseenBefore += unseen;
      this.#add(minute, UNSEEN, "produced", unseen);
      this.#add(minute, UNSEEN, "lost", unseen);
    }
    this.look(counters);
    if (counters.settled) for (const [type, gap] of gapByType) this.#judge(type, gap, minute);
    const malformed = counters.malformed - this.#malformedBefore;
    this.#malformedBefore = counters.malformed;
    if (malformed > 0) {
      this.#totals.quarantined += malformed;
      this.#add(minute, "malformed", "quarantined", malformed);
    }
  }

  /** Books what stood as a gap long enough. */
  #judge(type: number, gap: number, minute: number): void {
    const explained = this.#unexplained.get(type) ?? 0;
    const gaps = [...(this.#gaps.get(type) ?? []), gap - explained].slice(-GAP_TICKS);
    this.#gaps.set(type, gaps);
    const least = Math.min(...gaps);
    if (gaps.length < GAP_TICKS || least <= 0) return;
    this.#unexplained.set(type, explained + least);
    this.#gaps.delete(type);
    this.#add(minute, typeName(type), "produced", least);
  }

  /** Takes the counters for `totals` alone: nothing is booked. */
  look(counters: SourceCounters): void {
    this.#unseen = counters.unseenPackets;
    this.#produced = this.#unseen;
    this.#lost = this.#unseen;
    this.#inRing = 0;
    for (const row of counters.rows) {
      this.#produced += row.produced;
      this.#lost += row.lost;
      this.#inRing += row.produced - row.lost - row.shed - row.decoded;
    }
    for (const each of this.#unexplained.values()) this.#inRing -= each;
  }

  /** What is to be written into the books lane; empties it. */
  take(): BooksDelta[] {
    const lines = [...this.#pending.values()];
    this.#pending = new Map();
    return lines;
  }

  /**
   * This run's balance, at the counters of the last `look`: exact at every moment. `waiting` = rows made and not yet in a segment. Losses are
   * the kernel's own count, since those of the last second are not in a line yet; `difference` is what nobody can account for.
   */
  totals(waiting: number): BooksTotals {
    const { stored, shed, quarantined, filtered } = this.#totals;
    const lost = this.#lost;
    const inFlight = this.#inRing + waiting;
    const accounted = stored + lost + shed + quarantined + filtered;
    return {
      produced: this.#produced,
      stored,
      lost,
      unseen: this.#unseen,
      shed,
      quarantined,
      filtered,
      inFlight,
      difference: this.#produced - accounted - inFlight,
    };
  }

  #add(minute: number, type: string, field: Field, n: number): void {
    if (n === 0) return;
    const key = `${minute} ${type}`;
    let delta = this.#pending.get(key);
    if (delta === undefined) this.#pending.set(key, (delta = line(minute, type, {})));
    delta[field] += n;
  }
}

function line(minute: number, type: string, counts: Partial<Record<Field, number>>): BooksDelta {
  return { minute, type, produced: 0, stored: 0, lost: 0, shed: 0, quarantined: 0, filtered: 0, ...counts };
}
