/** A run's ledger and its pinned counters, from the first event to a clean end; and what an earlier run that had no clean end is booked for. */
import { UNSEEN } from "../../model/book-types.ts";
import { NO_CPU } from "../decode/columns.ts";
import { madeAtPin, pinPath, removePins } from "../kernel/pins.ts";
import type { Reporter } from "../rows/encode.ts";
import type { Source, SourceCounters } from "../sources/source.ts";
import { bookCrashes, type Crashes } from "../spool/crash.ts";
import type { SegmentFile } from "../spool/files.ts";
import { Ledger } from "../spool/ledger.ts";
import type { BooksDelta } from "../spool/segment.ts";
import { typeName } from "./books.ts";

export class RunLedger {
  readonly #dataDir: string;
  readonly #generation: number;
  readonly #ledger: Ledger;

  private constructor(dataDir: string, generation: number, ledger: Ledger) {
    this.#dataDir = dataDir;
    this.#generation = generation;
    this.#ledger = ledger;
  }

  /** Books what killed runs lost and removes what they left. `boot`: of this machine now; pins of another are gone. */
  static async settle(
    dataDir: string,
    spoolDir: string,
    boot: string,
    recovered: readonly SegmentFile[],
  ): Promise<Crashes> {
    const crashes = await bookCrashes(dataDir, spoolDir, boot, recovered, madeAtPin);
    removePins(dataDir);
    return crashes;
  }

  /** Books what killed runs lost, removes what they left, and opens the ledger of this run. `recovered`: the segments that they left. */
  static async open(
    dataDir: string,
    spoolDir: string,
    run: Reporter,
    recovered: readonly SegmentFile[],
    failed: (cause: unknown) => void,
  ): Promise<{ readonly ledger: RunLedger; readonly crashes: Crashes }> {
    const crashes = await RunLedger.settle(dataDir, spoolDir, run.boot, recovered);
    return { ledger: new RunLedger(dataDir, run.generation, new Ledger(dataDir, run, failed)), crashes };
  }

  /** Before the source starts: where it is to keep its counters, if it has any in the kernel. */
  keepCountersOf(source: Source): void {
    if (source.keepCounters === undefined) return;
    const path = pinPath(this.#dataDir, this.#generation);
    if (path !== undefined) source.keepCounters(path, () => this.#ledger.pinnedAt(path));
  }

  /** What the source has counted until now; before the rows made of it are written. */
  note(counters: SourceCounters, nowMs: number): void {
    const made: Record<string, number> = {};
    const readOut: Record<string, number> = {};
    for (const { cpu, type, produced } of counters.rows) {
      const counts = cpu === NO_CPU ? readOut : made;
      const name = typeName(type);
      counts[name] = (counts[name] ?? 0) + produced;
    }
    if (counters.unseenPackets > 0) readOut[UNSEEN] = counters.unseenPackets;
    this.#ledger.note(made, readOut, nowMs);
  }

  readonly durable = (lane: string, number: number, frames: number, books: readonly BooksDelta[]): void =>
    this.#ledger.durable(lane, number, frames, books);

  /** A clean end: everything is in durable books. */
  close(): void {
    this.#ledger.close();
    removePins(this.#dataDir);
  }
}
