/**
 * Holds the collector's CPU under a limit, by letting the kernel leave out whole connections. Twice a second: over the limit, or while
 * rings overflow, fewer are kept; with room, more, up to all. What is left out is counted in the kernel as shed.
 */

/** At least so many are kept, so that the load can still be told. */
const LEAST_SHARE = 1 / 4096;
/** Start-up compiles, loads and looks at the whole machine: that is no load to shed. */
const GRACE_MS = 5000;
/** Weight of the newest reading: one hot half second alone sheds nothing, two do. */
const NEWEST = 0.5;
/** More is kept only well below the limit, or the share would swing. */
const ROOM = 0.8;
/** What is aimed at, of the limit. */
const AIM = 0.9;

export interface Load {
  readonly nowMs: number;
  /** User and system time of the process since it began. */
  readonly cpuSeconds: number;
  /** Events that found a full ring, in all. */
  readonly lost: number;
}

export class Governor {
  /** Share of connections that is kept, 0–1. */
  share = 1;
  /** CPUs used, smoothed over about a second. */
  cores = 0;
  readonly limit: number;
  readonly #keep: (share: number) => void;
  readonly #startedMs: number;
  #before: Load;
  #overflowed = false;

  /** `limit` in CPUs; `keep` is told each new share. */
  constructor(limit: number, now: Load, keep: (share: number) => void) {
    this.limit = limit;
    this.#keep = keep;
    this.#startedMs = now.nowMs;
    this.#before = now;
  }

  /** Takes a reading; tells a new share where one is due. */
  tick(now: Load): void {
    const seconds = (now.nowMs - this.#before.nowMs) / 1000;
    if (seconds < 0.05) return;
    const isStarting = now.nowMs - this.#startedMs < GRACE_MS;
    const newest = (now.cpuSeconds - this.#before.cpuSeconds) / seconds;
    this.cores = isStarting ? newest : this.cores * (1 - NEWEST) + newest * NEWEST;
    const overflows = now.lost > this.#before.lost;
    const share = isStarting ? this.share : this.#next(overflows, overflows && this.#overflowed);
    this.#overflowed = overflows;
    this.#before = now;
    if (share === this.share) return;
    this.share = share;
    this.#keep(share);
  }

  #next(overflows: boolean, keepsOverflowing: boolean): number {
    const { share, cores, limit } = this;
    if (cores > limit) return Math.max(LEAST_SHARE, share * Math.min(0.95, Math.max(0.25, (AIM * limit) / cores)));
    if (keepsOverflowing) return Math.max(LEAST_SHARE, share * 0.7);
    if (share === 1 || overflows || cores > ROOM * limit) return share;
    const more = share * Math.min(2, (AIM * limit) / Math.max(cores, 0.001));
    return more > 0.97 ? 1 : more;
  }
}
