/** Measures the collector and says how it is: the snapshot of `GET /health`, with words where something is not as it should be. */
import type { HealthSnapshot } from "../../model/wire/health.ts";
import type { ChosenSource } from "../agent.ts";
import type { Who } from "../identity/who.ts";
import type { LiveHub } from "../live/hub.ts";
import type { Sockets } from "../rows/row-maker.ts";
import type { Reporter } from "../rows/encode.ts";
import type { RowPipeline } from "../rows/pipeline.ts";
import type { Shipper } from "../ship/insert.ts";
import type { SpoolWriter } from "../spool/append.ts";
import type { Governor } from "../sources/governor.ts";
import type { SourceCounters } from "../sources/source.ts";
import type { CrashedRun } from "../spool/crash.ts";
import { typeName, type Books } from "./books.ts";
import { RingProgress } from "./readiness.ts";

export interface MeterParts {
  readonly reporter: Reporter;
  readonly version: string;
  readonly kernel: string;
  readonly startedMs: number;
  readonly budgetBytes: number;
  readonly chosen: ChosenSource;
  readonly books: Books;
  readonly pipeline: RowPipeline;
  readonly spool: SpoolWriter;
  readonly shipper: Shipper;
  readonly hub: LiveHub;
  readonly who: Who;
  readonly sockets: Sockets;
}

type Note = HealthSnapshot["notes"][number];

/** A failure is worth a line in the log once, then again after this. */
const LOG_EVERY_MS = 60_000;
/** While rows wait and the disk refuses, a write fails ten times a second. */
const FAILING_MS = 3000;
/** Longer than this without the store taking anything is worth words on the screen. */
const LATE_MS = 30_000;

export class HealthMeter {
  readonly #parts: MeterParts;
  #counters: SourceCounters;
  #eventsBefore = 0;
  #lostBefore = 0;
  #rowsBefore = 0;
  #tickedMs: number;
  rates = { eventsPerSecond: 0, rowsPerSecond: 0, lost: 0 };
  inventory = "";
  /** What holds the limit of CPU, if there is one. */
  governor: Governor | undefined;
  shedRows = 0;
  quarantined = 0;
  /** Runs before this one that were killed. */
  crashes: readonly CrashedRun[] = [];
  #spoolFailures = 0;
  #spoolFailure = "";
  #spoolFailedMs = 0;
  readonly #rings: RingProgress;
  #insertMs = 0;
  #insertedRows = 0;
  #insertedSegments = 0;
  #shipFailures = 0;
  #shipFailure = "";
  #shipFailing = false;
  #shipLoggedMs = 0;

  constructor(parts: MeterParts) {
    this.#parts = parts;
    this.#counters = parts.chosen.source.counters();
    this.#tickedMs = parts.startedMs;
    this.#rings = new RingProgress(parts.startedMs);
  }

  /** Once a second: takes the counters, books losses. */
  tick(nowMs: number): void {
    this.#counters = this.#parts.chosen.source.counters();
    this.#parts.books.tick(this.#counters, nowMs);
    this.#rings.tick(this.#counters, nowMs);
    const events = this.#counters.rows.reduce((sum, row) => sum + row.produced, 0);
    const lost = this.#counters.rows.reduce((sum, row) => sum + row.lost, 0);
    const seconds = Math.max(0.001, (nowMs - this.#tickedMs) / 1000);
    const { rowsMade } = this.#parts.pipeline;
    this.rates = {
      eventsPerSecond: Math.max(0, Math.round((events - this.#eventsBefore) / seconds)),
      rowsPerSecond: Math.max(0, Math.round((rowsMade - this.#rowsBefore) / seconds)),
      lost: Math.max(0, lost - this.#lostBefore),
    };
    this.#eventsBefore = events;
    this.#lostBefore = lost;
    this.#rowsBefore = rowsMade;
    this.#tickedMs = nowMs;
  }

  shipped(rows: number, tookMs: number): void {
    this.#shipFailing = false;
    this.#insertMs = tookMs;
    this.#insertedRows += rows;
    this.#insertedSegments++;
  }

  /** True when it is worth a line in the log. */
  shipFailed(cause: unknown): boolean {
    this.#shipFailures++;
    this.#shipFailing = true;
    this.#shipFailure = cause instanceof Error ? cause.message : String(cause);
    const now = Date.now();
    if (now - this.#shipLoggedMs < LOG_EVERY_MS) return false;
    this.#shipLoggedMs = now;
    return true;
  }

  spoolFailed(cause: unknown): void {
    this.#spoolFailures++;
    this.#spoolFailedMs = Date.now();
    this.#spoolFailure = cause instanceof Error ? cause.message : String(cause);
  }

  snapshot(nowMs: number): HealthSnapshot {
    const { reporter, chosen, books, pipeline, spool, shipper, hub, who } = this.#parts;
    const { waiting } = shipper;
    const oldest = waiting.reduce((least, segment) => Math.min(least, segment.sealedMs), nowMs);
    const usage = process.cpuUsage();
    const counters = chosen.source.counters();
    books.look(counters);
    return {
      at: nowMs,
      node: reporter.node,
      boot: reporter.boot,
      generation: reporter.generation,
      version: this.#parts.version,
      kernel: this.#parts.kernel,
      startedMs: this.#parts.startedMs,
      source: chosen.kind,
      sourceNote: chosen.note,
      hooks: chosen.source.hooks().map((hook) => ({ ...hook })),
      eventsPerSecond: this.rates.eventsPerSecond,
      rowsPerSecond: this.rates.rowsPerSecond,
      ringUse: counters.ringUse,
      decodeNs: counters.decodeNs,
      malformed: counters.malformed,
      stalledMs: this.#rings.stalledMs(nowMs),
      uncounted: {
        calls: counters.missed,
        packets: counters.packetsNotCounted,
        connections: counters.connectionsNotTracked,
      },
      loss: counters.rows.map((row) => ({
        cpu: row.cpu,
        type: typeName(row.type),
        produced: row.produced,
        lost: row.lost,
        shed: row.shed,
      })),
      ...(this.governor === undefined
        ? {}
        : {
            sampling: {
              share: this.governor.share,
              cores: this.governor.cores,
              limit: this.governor.limit,
              packetsShed: counters.packetsShed,
            },
          }),
      books: books.totals(pipeline.waitingRows),
      spool: {
        segments: waiting.length,
        bytes: waiting.reduce((sum, segment) => sum + segment.bytes, 0) + spool.openBytes,
        budgetBytes: this.#parts.budgetBytes,
        pendingBytes: spool.pendingBytes,
        oldestMs: Math.max(0, nowMs - oldest),
        quarantined: this.quarantined,
        shedRows: this.shedRows,
        failures: this.#spoolFailures,
        lastFailure: this.#spoolFailure,
        isFailing: nowMs - this.#spoolFailedMs < FAILING_MS,
      },
      store: {
        state: this.#shipFailing ? "failing" : this.#insertedSegments > 0 ? "ok" : "waiting",
        lagMs: shipper.lagMs,
        insertMs: this.#insertMs,
        insertedRows: this.#insertedRows,
        insertedSegments: this.#insertedSegments,
        failures: this.#shipFailures,
        lastFailure: this.#shipFailure,
        retryInMs: shipper.pauseMs,
      },
      identities: {
        parties: who.identities.parties,
        names: who.names.size,
        sockets: this.#parts.sockets.table.size,
        inventory: this.inventory,
      },
      live: { clients: hub.clients, subscriptions: hub.subscriptions, missed: hub.missed },
      process: { rssBytes: process.memoryUsage.rss(), cpuSeconds: (usage.user + usage.system) / 1e6 },
      notes: this.#notes(nowMs, oldest),
    };
  }

  #notes(nowMs: number, oldestMs: number): Note[] {
    const { chosen } = this.#parts;
    const notes: Note[] = [];
    if (chosen.kind === "replay")
      notes.push({
        level: "warning",
        message: `A recorded sample plays: this is not this machine's traffic. ${chosen.note}`,
      });
    for (const hook of chosen.source.hooks()) {
      if (hook.state === "loaded") continue;
      notes.push({
        level: "warning",
        about: "hooks",
        message: `${hook.name} is ${hook.state}: ${hook.why ?? "no reason given"}${hook.dark === undefined ? "" : `; not seen: ${hook.dark}`}`,
        next: "weir doctor",
      });
    }
    if (this.rates.lost > 0)
      notes.push({
        level: "warning",
        about: "rings",
        message: `${this.rates.lost} events were lost in the last second: the rings were full`,
        next: "the host is overloaded, or the collector gets too little CPU",
      });
    if (this.governor !== undefined && this.governor.share < 1)
      notes.push({
        level: "warning",
        message: `Only ${percent(this.governor.share)} of connections are told of, each whole: the collector may use ${this.governor.limit} CPUs; the others are counted as shed`,
        next: "it takes more again by itself when there is less to do; raise WEIR_COLLECT_CPU, or observe fewer namespaces with WEIR_NETNS",
      });
    if (this.#shipFailing && nowMs - oldestMs > LATE_MS)
      notes.push({
        level: "error",
        about: "store",
        message: `The store takes no rows: ${this.#shipFailure}`,
        next: "rows wait in the spool; nothing is lost until its budget is spent",
      });
    if (this.shedRows > 0)
      notes.push({
        level: "error",
        about: "spool",
        message: `${this.shedRows} rows were given up: the spool's budget was spent`,
        next: "bring the store back, or raise WEIR_SPOOL_MB",
      });
    if (nowMs - this.#spoolFailedMs < LATE_MS)
      notes.push({
        level: "error",
        about: "spool",
        message: `The spool cannot be written: ${this.#spoolFailure}`,
        next: "make room on the disk, or choose another with WEIR_DATA_DIR",
      });
    for (const { generation, atMs, lost, exact } of this.crashes) {
      const at = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
      notes.push({
        level: "warning",
        message: `The collector of generation ${generation} was killed at ${at}: ${lost} events that it had not written yet are booked as lost${exact ? "" : "; what came in its last tenth of a second is not known, since no counters were pinned"}`,
      });
    }
    if (this.quarantined > 0)
      notes.push({
        level: "warning",
        about: "quarantine",
        message: `${this.quarantined} segments are in quarantine`,
        next: "look at DATA_DIR/spool/quarantine: each has its reason beside it",
      });
    return notes;
  }
}

function percent(share: number): string {
  return `${share < 0.1 ? (share * 100).toPrecision(2) : Math.round(share * 100)} %`;
}
