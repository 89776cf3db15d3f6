/** What the store says of itself: `/metrics` in OpenMetrics, `/healthz`, `/readyz` (docs/metrics.md). Asks the engine as any reader does. */
import { statfs } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { z } from "zod";
import { readiness, type ReadinessCheck } from "../../model/wire/readiness.ts";
import { migrations } from "../migrate.ts";
import { EngineException } from "./engine.ts";
import { POOL, type Role, type SessionPool } from "./sessions.ts";

/** A probe waits no longer: kubelet's own patience is one second by default, set it to five. */
const WITHIN_MS = 3000;
/** Seconds; a question of a screen should end in the first half of them. */
const PLAIN = "text/plain; charset=utf-8";
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

const Table = z.object({
  table: z.string(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
  parts: z.coerce.number(),
});
const Schema = z.object({ engine: z.string(), schema: z.coerce.number() });

/** How a question ended: `gone` = its client left before the answer. */
export type Outcome = "answered" | "refused" | "failed" | "gone";

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export class StorePages {
  readonly #pool: SessionPool;
  readonly #database: string;
  readonly #dataDir: string;
  readonly #registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  readonly #questions: Counter<"role" | "outcome">;
  readonly #seconds: Histogram<"role">;
  readonly #tables: Readonly<Record<"rows" | "bytes" | "parts", Gauge<"table">>>;
  readonly #gauges: Readonly<Record<"busy" | "waiting" | "memory" | "free" | "schema", Gauge>>;
  readonly #versions: Gauge<"version" | "engine">;
  readonly #cpu: Counter;
  #cpuBefore = 0;

  constructor(pool: SessionPool, database: string, dataDir: string) {
    this.#pool = pool;
    this.#database = database;
    this.#dataDir = dataDir;
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const registers = [this.#registry];
    const gauge = (name: string, help: string) => new Gauge({ name: `weir_store_${name}`, help, registers });
    const ofTable = (name: string, help: string) =>
      new Gauge({ name: `weir_store_table_${name}`, help, labelNames: ["table"], registers });
    this.#versions = new Gauge({
      name: "weir_store_version_info",
      help: "Always 1; the labels say which Weir and which engine run",
      labelNames: ["version", "engine"],
      registers,
    });
    this.#questions = new Counter({
      name: "weir_store_questions_total",
      help: "Statements that were sent, by who asked and how they ended",
      labelNames: ["role", "outcome"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "weir_store_question_seconds",
      help: "Time from a statement's arrival to the end of its answer",
      labelNames: ["role"],
      buckets: BUCKETS,
      registers,
    });
    this.#tables = {
      rows: ofTable("rows", "Rows of a table"),
      bytes: ofTable("bytes", "Bytes of a table on disk"),
      parts: ofTable("parts", "Parts of a table that are not merged yet: many mean that merging falls behind"),
    };
    this.#gauges = {
      busy: gauge("sessions_busy", `Sessions at work, of ${POOL.readers} that read and ${POOL.writers} that write`),
      waiting: gauge("sessions_waiting", "Statements that wait for a free session"),
      memory: gauge("memory_bytes", "Resident memory of the store's process"),
      free: gauge("disk_free_bytes", "Free bytes on the disk of the data directory"),
      schema: gauge("schema_version", "Highest migration that was applied"),
    };
    this.#cpu = new Counter({
      name: "weir_store_cpu_seconds_total",
      help: "CPU time of the store's process",
      registers,
    });
  }

  /** Books one statement. */
  count(role: Role, outcome: Outcome, seconds: number): void {
    this.#questions.inc({ role, outcome });
    if (outcome === "answered") this.#seconds.observe({ role }, seconds);
  }

  /** The page at `path`, or undefined when there is none. Never throws. */
  async at(path: string): Promise<Page | undefined> {
    try {
      if (path === "/healthz") return { status: 200, type: PLAIN, text: "alive\n" };
      if (path === "/readyz") return { ...readiness([await this.#engine()]), type: PLAIN };
      if (path === "/metrics") return { status: 200, type: this.#registry.contentType, text: await this.#metrics() };
      return undefined;
    } catch (thrown) {
      return { status: 500, type: PLAIN, text: `${thrown instanceof Error ? thrown.message : String(thrown)}\n` };
    }
  }

  async #engine(): Promise<ReadinessCheck> {
    const part = "engine";
    try {
      const needs = (await migrations()).at(-1)?.version ?? 0;
      const { engine, schema } = await this.#schema();
      if (schema !== needs)
        return {
          part,
          ready: false,
          says: `schema ${schema} is being brought to ${needs}; rows are taken when it is there`,
        };
      return { part, ready: true, says: `ClickHouse ${engine}, schema ${schema}` };
    } catch (thrown) {
      if (thrown instanceof DOMException)
        return { part, ready: false, says: `no session was free within ${WITHIN_MS / 1000} s` };
      if (!(thrown instanceof EngineException)) throw thrown;
      const isMissing = thrown.engineCode === 60 || thrown.engineCode === 81; // no such table, no such database
      return {
        part,
        ready: false,
        says: isMissing ? "the schema is not there yet" : thrown.message.split("\n")[0]!.trim(),
      };
    }
  }

  async #metrics(): Promise<string> {
    const { busy, waiting, memory, free, schema } = this.#gauges;
    busy.set(this.#pool.load.busy);
    waiting.set(this.#pool.load.waiting);
    memory.set(process.memoryUsage.rss());
    const usage = process.cpuUsage();
    const cpu = (usage.user + usage.system) / 1e6;
    this.#cpu.inc(Math.max(0, cpu - this.#cpuBefore));
    this.#cpuBefore = cpu;
    const { bavail, bsize } = await statfs(this.#dataDir);
    free.set(bavail * bsize);
    try {
      const found = await this.#schema();
      schema.set(found.schema);
      this.#versions.reset();
      this.#versions.set({ version: ownVersion(), engine: found.engine }, 1);
      for (const gauge of Object.values(this.#tables)) gauge.reset();
      for (const { table, ...sums } of await this.#sizes())
        for (const name of ["rows", "bytes", "parts"] as const) this.#tables[name].set({ table }, sums[name]);
    } catch (thrown) {
      if (!(thrown instanceof EngineException) && !(thrown instanceof DOMException)) throw thrown;
      // The engine is busy or has no schema yet: its own figures are left as they were, those of the process are told.
    }
    return this.#registry.metrics();
  }

  async #schema(): Promise<z.infer<typeof Schema>> {
    const sql = `SELECT version() AS engine, max(version) AS schema FROM \`${this.#database}\`.schema_migrations`;
    return Schema.parse((await this.#rows(sql))[0]);
  }

  async #sizes(): Promise<z.infer<typeof Table>[]> {
    const sql = `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE database = '${this.#database}' AND active GROUP BY table ORDER BY table LIMIT 200`;
    return (await this.#rows(sql)).map((row) => Table.parse(row));
  }

  /** Throws EngineException, or the time-out's DOMException. */
  async #rows(sql: string): Promise<unknown[]> {
    const lease = await this.#pool.lease("reader", AbortSignal.timeout(WITHIN_MS));
    try {
      const { bytes } = await lease.connection.run(sql, "JSONEachRow");
      return Buffer.from(bytes)
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line): unknown => JSON.parse(line));
    } finally {
      await lease.release();
    }
  }
}

function ownVersion(): string {
  const file = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return file.version;
}
