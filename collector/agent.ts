/** Wires a source to rows, live stream, spool and store. Nothing is decided here that a room of its own could decide. */
import { mkdir, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { WeirError, systemCode } from "../model/errors.ts";
import type { HealthSnapshot } from "../model/wire/health.ts";
import { lockDirectory } from "../store/embedded/lock.ts";
import { storeConfig, type Environment } from "../store/config.ts";
import { requireSchema } from "../store/schema.ts";
import { openWriter, type StoreWriter } from "../store/writer.ts";
import { LiveEdges } from "./aggregate/edges.ts";
import type { CollectorConfig } from "./config.ts";
import type { Batch } from "./decode/columns.ts";
import { Books } from "./health/books.ts";
import { openDoor, type HealthPages } from "./health/door.ts";
import { HealthMeter } from "./health/meter.ts";
import { RunLedger } from "./health/run-ledger.ts";
import { metricsText } from "./health/metrics.ts";
import { ownChecks, storeCheck } from "./health/readiness.ts";
import { endpointLot, healthLot, identityLot, nodeLot, portLot, serviceLot } from "./health/records.ts";
import { InventoryWatch } from "./identity/inventory-watch.ts";
import { MachineLook } from "./identity/look.ts";
import { ownNetns } from "./identity/netns.ts";
import { Who } from "./identity/who.ts";
import { LiveHub } from "./live/hub.ts";
import { FlowEncoder, type Reporter } from "./rows/encode.ts";
import { RowPipeline } from "./rows/pipeline.ts";
import { ProcessNames, Sockets, type KernelNames, type RowContext } from "./rows/row-maker.ts";
import { Strings } from "./rows/strings.ts";
import { Tuples } from "./rows/tuples.ts";
import { Shipper, type ShipEvents } from "./ship/insert.ts";
import { Governor, type Load } from "./sources/governor.ts";
import type { Source } from "./sources/source.ts";
import { SpoolWriter, type Lot } from "./spool/append.ts";
import { shedSegment, toShed } from "./spool/budget.ts";
import { nextGeneration } from "./spool/generation.ts";
import { recoverSpool } from "./spool/recover.ts";

/** A source with what only it can say. */
export interface ChosenSource {
  readonly source: Source;
  readonly kind: "ebpf" | "replay";
  /** Why it is a replay; "" when it is not. */
  readonly note: string;
  readonly kernel: (who: Who) => KernelNames;
  /** The names of the sample's world, for a replay: this machine's own are not looked at then. */
  readonly prepare?: (who: Who) => void;
}

export interface AgentOptions {
  readonly config: CollectorConfig;
  readonly env: Environment;
  readonly log: Logger;
  readonly version: string;
  /** Chooses and makes the source; it delivers to `sink`. */
  readonly choose: (sink: (batch: Batch) => void) => Promise<ChosenSource>;
}

const TICK_MS = 100;
const GOVERN_MS = 500;
const LOOK_MS = 2000;
/** While the store is away or slow, segments are sealed so many times later: an hour of 5,000 rows a second is hundreds of inserts then, not thousands. */
const PATIENCE_WHILE_BEHIND = 10;
/** So many that wait say that it is slow: ten seconds' worth. */
const MANY_SEGMENTS = 40;
/** What is known of identities is written again after this, so that its age can be told (store/queries/tuples-names.ts). */
const REPEAT_MS = 600_000;
/** Less than what the supervisor waits before it kills. */
const DRAIN_AT_END_MS = 8000;

export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #books = new Books();
  readonly #strings = new Strings();
  readonly #sockets = new Sockets();
  readonly #stop = new AbortController();
  readonly #shipStop = new AbortController();
  #shipping: Promise<void> | undefined;
  #reporter: Reporter = { node: "", boot: "", generation: 0 };
  #meter!: HealthMeter;
  #pipeline!: RowPipeline;
  #spool!: SpoolWriter;
  #shipper!: Shipper;
  #hub!: LiveHub;
  #who!: Who;
  #edges!: LiveEdges;
  #chosen!: ChosenSource;
  #ledger: RunLedger | undefined;
  #startedMs = 0;
  #ticking: Promise<void> | undefined;
  readonly #endpoints = new Map<string, string>();
  /** The inventory whose port names were written. */
  #portsOfNs = Number.NaN;
  #repeatedMs = 0;
  #identitiesWrittenMs = 0;

  readonly #pages: HealthPages;

  constructor(options: AgentOptions) {
    this.#options = options;
    const store = storeCheck(options.env);
    this.#pages = {
      metrics: () => metricsText(this.health()),
      ready: async () => {
        const health = this.health();
        return [...ownChecks(health, health.stalledMs), await store()];
      },
    };
  }

  health(): HealthSnapshot {
    return this.#meter.snapshot(Date.now());
  }

  /** Starts everything; resolves once events flow and the socket answers. Throws WeirError with what is in the way. */
  async start(): Promise<void> {
    const { config, log } = this.#options;
    const spoolDir = join(config.dataDir, "spool");
    const unlock = await lockDirectory(config.dataDir, "collector");
    this.#stack.defer(unlock);
    const recovered = await inDataDir(config.dataDir, async () => {
      await mkdir(spoolDir, { recursive: true, mode: 0o750 });
      return recoverSpool(spoolDir);
    });
    this.#startedMs = Date.now();
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const generation = await inDataDir(config.dataDir, () => nextGeneration(config.dataDir, spoolDir));
    this.#reporter = { node: config.node, boot, generation };
    for (const { name, reason } of recovered.quarantined)
      log.error({ segment: name, reason }, "a segment was put into quarantine");

    const { ledger, crashes } = await inDataDir(config.dataDir, () =>
      RunLedger.open(config.dataDir, spoolDir, this.#reporter, recovered.segments, (cause) =>
        log.warn({ cause: String(cause) }, "the ledger cannot be written: after a crash less would be known"),
      ),
    );
    this.#ledger = ledger;
    for (const run of crashes.runs)
      log.warn({ ...run }, "an earlier collector was killed: what it had not written yet is booked as lost");

    this.#who = new Who({ node: config.node, hostNetns: await ownNetns(), observes: config.observes });
    this.#edges = new LiveEdges(this.#who.identities);
    this.#shipper = this.#makeShipper();
    this.#spool = this.#makeSpool(spoolDir);
    for (const segment of [...recovered.segments, ...crashes.segments]) this.#shipper.add(segment, true);

    this.#pipeline = new RowPipeline(
      {
        lot: (lot) => this.#spool.add(lot),
        live: (rows) => {
          this.#edges.add(rows);
          this.#hub.publish(rows);
        },
      },
      this.#books,
    );
    this.#pipeline.node = config.node;
    this.#hub = new LiveHub(
      config.socket,
      { reporter: this.#reporter, identities: this.#who.identities, strings: this.#strings },
      { health: () => this.health(), ...this.#pages },
    );

    this.#chosen = await this.#options.choose((batch) => this.#pipeline.accept(batch));
    this.#meter = new HealthMeter({
      reporter: this.#reporter,
      version: this.#options.version,
      kernel: release(),
      startedMs: this.#startedMs,
      budgetBytes: config.spoolBytes,
      chosen: this.#chosen,
      books: this.#books,
      pipeline: this.#pipeline,
      spool: this.#spool,
      shipper: this.#shipper,
      hub: this.#hub,
      who: this.#who,
      sockets: this.#sockets,
    });
    this.#meter.quarantined = recovered.quarantined.length;
    this.#meter.crashes = crashes.runs;
    ledger.keepCountersOf(this.#chosen.source);
    const context = this.#context();
    this.#pipeline.use(context, new FlowEncoder(this.#reporter, this.#who.identities, this.#strings));

    const look = new MachineLook(this.#who, () => this.#chosen.source.processes?.());
    if (this.#chosen.prepare === undefined) {
      await this.#watchInventory();
      await look.look();
    } else this.#chosen.prepare(this.#who);

    await this.#hub.start();
    this.#stack.use(this.#hub);
    const metrics = await this.#openDoor();
    await this.#chosen.source.start(this.#stop.signal);
    this.#runClocks(look);
    log.info(
      {
        node: config.node,
        generation,
        source: this.#chosen.kind,
        socket: config.socket,
        metrics,
        waiting: recovered.segments.length,
      },
      "the collector runs",
    );
  }

  /** Ends in order: no more events, all rows durable, what the store takes within a few seconds shipped. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      await this.#chosen?.source[Symbol.asyncDispose]();
    } finally {
      // whatever went wrong with the source: what was seen is written, and nothing keeps the process alive
      this.#stop.abort(new Error("the collector ends"));
      await this.#writeAll().finally(() => this.#letGo());
    }
  }

  async #writeAll(): Promise<void> {
    if (this.#ticking !== undefined) await this.#ticking;
    if (this.#pipeline === undefined) return;
    this.#pipeline.drain();
    this.#meter?.tick(Date.now());
    this.#addRecords(Date.now(), true);
    this.#addBooks();
    await this.#spool.close(Date.now());
    if (!this.#spool.hasPending) this.#ledger?.close();
    await this.#shipper.whenEmpty(AbortSignal.timeout(DRAIN_AT_END_MS));
  }

  async #letGo(): Promise<void> {
    this.#shipStop.abort(new Error("the collector ends"));
    await this.#shipping;
    await this.#stack.disposeAsync();
  }

  /** Opens the port for scrapers; gives its address, or why there is none. */
  async #openDoor(): Promise<string> {
    const { metrics } = this.#options.config;
    if (metrics === undefined) return "on the socket only";
    const door = await openDoor(metrics, this.#pages);
    if (door === undefined) {
      this.#options.log.warn({ ...metrics }, "the port for metrics is taken; they are on the socket only");
      return "on the socket only";
    }
    this.#stack.use(door);
    return `http://${metrics.host}:${door.port}/metrics`;
  }

  #context(): RowContext {
    const { config } = this.#options;
    return {
      who: this.#who,
      strings: this.#strings,
      processes: new ProcessNames(this.#strings),
      kernel: this.#chosen.kernel(this.#who),
      sink: this.#pipeline,
      tuples: new Tuples(),
      sockets: this.#sockets,
      startedNs: this.#startedMs * 1e6,
      keepNoise: config.keepNoise,
    };
  }

  #makeSpool(dir: string): SpoolWriter {
    const { log } = this.#options;
    return new SpoolWriter(
      { dir, ...this.#reporter },
      {
        writing: () => {
          // books may be written before a source is chosen, and where none could be
          if (this.#chosen !== undefined) this.#ledger?.note(this.#chosen.source.counters(), Date.now());
        },
        durable: (...frame) => this.#ledger?.durable(...frame),
        sealed: (segment) => this.#shipper.add(segment),
        failed: (cause, lane) => {
          this.#meter.spoolFailed(cause);
          log.error({ lane, cause: String(cause) }, "the spool cannot be written; rows wait in memory");
        },
        shed: (rows, books) => {
          this.#meter.shedRows += rows;
          this.#books.moved(books, "shed");
          this.#books.carry(books);
        },
      },
    );
  }

  #makeShipper(): Shipper {
    const { env, log } = this.#options;
    let writer: StoreWriter | undefined;
    this.#stack.defer(async () => writer?.close());
    const openStore = async (): Promise<StoreWriter> => {
      const config = storeConfig(env);
      await requireSchema(config); // rows with columns that an older store lacks would be put aside as unusable
      return (writer ??= await openWriter(config));
    };
    const events: ShipEvents = {
      shipped: (_segment, rows, tookMs) => this.#meter.shipped(rows, tookMs),
      failed: (cause) => {
        if (this.#meter.shipFailed(cause))
          log.warn(
            { cause: cause instanceof Error ? cause.message : String(cause) },
            "the store does not take rows; they wait in the spool",
          );
      },
      quarantined: (segment, books, reason) => {
        this.#meter.quarantined++;
        this.#books.moved(books, "quarantined");
        log.error({ segment: segment.id, reason }, "a segment, or a part of it, was put into quarantine");
      },
    };
    return new Shipper(openStore, events, Date.now, this.#reporter);
  }

  async #watchInventory(): Promise<void> {
    const { config, log } = this.#options;
    if (config.inventory === undefined) return;
    const watch = new InventoryWatch(config.inventory, {
      loaded: (index, atMs) => {
        this.#who.setInventory(index, atMs * 1e6);
        this.#spool.add(serviceLot(this.#who, atMs, atMs));
        this.#meter.inventory = `${index.entries.length} entries of ${config.inventory}`;
      },
      refused: (problem) => {
        this.#meter.inventory = problem.message;
        log.error({ problems: problem.problems }, "the inventory cannot be used; the last good one stays");
      },
    });
    await watch.start();
    this.#stack.use(watch);
  }

  #runClocks(look: MachineLook): void {
    const { log } = this.#options;
    const every = (ms: number, run: () => void) => {
      const timer = setInterval(run, ms);
      this.#stop.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    };
    every(TICK_MS, () => this.#tick());
    every(1000, () => this.#second());
    this.#govern(every);
    if (this.#chosen.prepare === undefined) {
      let looking = false;
      every(LOOK_MS, () => {
        if (looking) return;
        looking = true;
        void look
          .look()
          .catch((cause: unknown) =>
            log.warn({ cause: String(cause) }, "this machine could not be looked at; names stay as they were"),
          )
          .finally(() => (looking = false));
      });
    }
    every(10_000, () => this.#spool.add(healthLot(this.health())));
    this.#shipping = this.#shipper.run(this.#shipStop.signal);
  }

  /** Holds the limit of CPU, where there is one and the source can leave out connections. */
  #govern(every: (ms: number, run: () => void) => void): void {
    const { cpuLimit } = this.#options.config;
    const { source } = this.#chosen;
    if (cpuLimit === undefined || source.keep === undefined) return;
    const load = (): Load => {
      const { user, system } = process.cpuUsage();
      const lost = source.counters().rows.reduce((sum, row) => sum + row.lost, 0);
      return { nowMs: performance.now(), cpuSeconds: (user + system) / 1e6, lost };
    };
    const governor = new Governor(cpuLimit, load(), (share) => source.keep?.(share));
    this.#meter.governor = governor;
    every(GOVERN_MS, () => governor.tick(load()));
  }

  #tick(): void {
    this.#pipeline.tick();
    if (this.#ticking !== undefined) return; // the disk is slow: what comes meanwhile joins the next group
    const nowMs = Date.now();
    this.#ledger?.note(this.#chosen.source.counters(), nowMs);
    const isBehind = this.#shipper.pauseMs > 0 || this.#shipper.waiting.length > MANY_SEGMENTS;
    this.#spool.patience = isBehind ? PATIENCE_WHILE_BEHIND : 1;
    this.#ticking = this.#spool
      .flush(nowMs)
      .then(() => this.#holdBudget())
      .catch((cause: unknown) => {
        this.#meter.spoolFailed(cause);
        this.#options.log.error({ cause: String(cause) }, "the spool's budget cannot be held now; it is tried again");
      })
      .finally(() => (this.#ticking = undefined));
  }

  #second(): void {
    const nowMs = Date.now();
    this.#meter.tick(nowMs);
    this.#addBooks();
    this.#addRecords(nowMs, false);
    const { edges, leftOut } = this.#edges.take(2000);
    const health = this.#meter.rates;
    this.#hub.pulse({
      type: "pulse",
      at: nowMs,
      node: this.#reporter.node,
      source: this.#chosen.kind,
      eventsPerSecond: health.eventsPerSecond,
      lost: health.lost,
      edges,
      edgesLeftOut: leftOut,
    });
  }

  #addBooks(): void {
    const books = this.#books.take();
    if (books.length === 0) return;
    const lot: Lot = {
      table: "books",
      worth: "record",
      format: "JSONEachRow",
      columns: [],
      rows: 0,
      payload: new Uint8Array(),
      books,
      sealMs: 5000,
    };
    this.#spool.add(lot);
  }

  /** New identities at once (flows without names are of no use), everything known now and then. */
  #addRecords(nowMs: number, atEnd: boolean): void {
    const fresh = this.#who.identities.takeFresh();
    if (fresh.length > 0) this.#spool.add(identityLot(fresh, nowMs, nowMs));
    if (!atEnd && nowMs - this.#identitiesWrittenMs < 60_000) return;
    this.#identitiesWrittenMs = nowMs;
    this.#spool.add(nodeLot(this.#reporter, this.#options.version, this.#startedMs, nowMs));
    this.#spool.add(endpointLot(this.#who, this.#reporter.node, this.#endpoints, this.#startedMs, nowMs));
    const { latestFromNs } = this.#who.inventory;
    const repeats = nowMs - this.#repeatedMs >= REPEAT_MS;
    if (repeats || latestFromNs !== this.#portsOfNs) this.#spool.add(portLot(this.#who, nowMs));
    if (repeats) {
      // Questions about a range choose among those that were known in it.
      this.#spool.add(identityLot([...this.#who.identities.all()], nowMs, nowMs));
      this.#repeatedMs = nowMs;
    }
    this.#portsOfNs = latestFromNs;
  }

  async #holdBudget(): Promise<void> {
    const { config, log } = this.#options;
    const { waiting } = this.#shipper;
    const bytes = waiting.reduce((sum, segment) => sum + segment.bytes, 0) + this.#spool.openBytes;
    if (bytes <= config.spoolBytes) return;
    for (const segment of toShed(waiting, bytes, config.spoolBytes)) {
      if (!this.#shipper.hold(segment.id)) continue; // on its way to the store: makes room by itself
      const { stub, rows, books } = await shedSegment(segment);
      this.#shipper.replace(stub);
      this.#books.moved(books, "shed");
      this.#meter.shedRows += rows;
      log.error({ segment: segment.id, rows }, "the spool's budget is spent: rows were shed");
    }
  }
}

/** Runs `work`, saying in one sentence what is wrong with the directory when it cannot be used. */
async function inDataDir<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || cause instanceof WeirError) throw cause;
    const why =
      code === "EROFS"
        ? "is on a read-only disk"
        : code === "ENOSPC"
          ? "is on a disk that is full"
          : `cannot be written (${code})`;
    throw new WeirError({
      code: "data-dir",
      where: dataDir,
      what: `the data directory ${why}`,
      next: "make it writable, or choose another with WEIR_DATA_DIR",
      cause,
    });
  }
}

/** This package's version. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
