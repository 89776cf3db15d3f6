/** Whether the collector does its work: rings are read, the spool takes rows, the store can be asked and has the right schema. */
import type { HealthSnapshot } from "../../model/wire/health.ts";
import type { ReadinessCheck } from "../../model/wire/readiness.ts";
import { storeConfig, type Environment } from "../../store/config.ts";
import { openReader } from "../../store/reader.ts";
import { schemaState } from "../../store/schema.ts";
import type { SourceCounters } from "../sources/source.ts";

/** Events that wait for so long without one being read: the rings are not read. A drain is due every 100 ms. */
const STALLED_MS = 5000;
const STORE_WITHIN_MS = 3000;
/** Probes may come from several sides at once: the store is asked at most so often. */
const STORE_EVERY_MS = 1000;

/** Tells from the kernel's counters and ours whether events that were made are also read. */
export class RingProgress {
  #produced = 0;
  #decoded = 0;
  #progressMs: number;

  constructor(nowMs: number) {
    this.#progressMs = nowMs;
  }

  /** Takes the counters, once a second. */
  tick(counters: SourceCounters, nowMs: number): void {
    let produced = 0;
    let decoded = 0;
    for (const row of counters.rows) {
      produced += row.produced - row.lost;
      decoded += row.decoded;
    }
    // What was made before the last event was read may never come (an event of a dead CPU): only what is new counts.
    if (decoded === this.#decoded && produced > this.#produced) return;
    this.#produced = produced;
    this.#decoded = decoded;
    this.#progressMs = nowMs;
  }

  /** Milliseconds since events were read, or since there was none to read. */
  stalledMs(nowMs: number): number {
    return nowMs - this.#progressMs;
  }
}

/** Asks the store of `env`, and remembers the answer for a second. Never throws: what went wrong is the answer. */
export function storeCheck(env: Environment): () => Promise<ReadinessCheck> {
  let asked: { readonly atMs: number; readonly answer: Promise<ReadinessCheck> } | undefined;
  return () => {
    if (asked === undefined || Date.now() - asked.atMs > STORE_EVERY_MS)
      asked = { atMs: Date.now(), answer: askStore(env) };
    return asked.answer;
  };
}

async function askStore(env: Environment): Promise<ReadinessCheck> {
  const part = "store";
  const config = storeConfig(env);
  await using reader = openReader(config);
  try {
    const { state, says } = await schemaState(reader, AbortSignal.timeout(STORE_WITHIN_MS));
    return { part, ready: state === "right" || state === "newer", says: `${config.url}, ${says}` };
  } catch (thrown) {
    const says =
      thrown instanceof DOMException
        ? `${config.url}: no answer within ${STORE_WITHIN_MS / 1000} s`
        : thrown instanceof Error
          ? thrown.message
          : String(thrown);
    return { part, ready: false, says };
  }
}

/** The collector's own parts, from its snapshot. */
export function ownChecks(health: HealthSnapshot, stalledMs: number): ReadinessCheck[] {
  const loaded = health.hooks.filter((hook) => hook.state === "loaded").length;
  const isStalled = stalledMs > STALLED_MS;
  const rings: ReadinessCheck = {
    part: "rings",
    ready: !isStalled && (health.source === "replay" || loaded > 0),
    says:
      health.source === "replay"
        ? "a recorded sample plays, no ring is read"
        : isStalled
          ? `events wait since ${Math.round(stalledMs / 1000)} s and none was read`
          : `read, ${loaded} of ${health.hooks.length} programs loaded`,
  };
  const { spool, store } = health;
  const isFull = spool.bytes >= spool.budgetBytes;
  const spoolCheck: ReadinessCheck = {
    part: "spool",
    ready: !spool.isFailing && !isFull,
    says: spool.isFailing
      ? `it cannot be written: ${spool.lastFailure}`
      : isFull
        ? "its budget is spent: rows are given up"
        : `${spool.segments} segments wait`,
  };
  const ship: ReadinessCheck = {
    part: "inserts",
    ready: store.state !== "failing",
    says:
      store.state === "failing"
        ? `the store takes no rows: ${store.lastFailure}`
        : store.state === "waiting"
          ? "none was due yet"
          : `the last one took ${Math.round(store.insertMs)} ms`,
  };
  return [rings, spoolCheck, ship];
}
