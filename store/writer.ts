/**
 * Rows into the store. A spool segment is one insert whose id is the deduplication token: sent twice, it counts once, in the table and
 * in every roll-up behind it. After the store has acknowledged it, its id goes into `segments`, which is asked on restart.
 */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { parseError } from "@clickhouse/client";
import { z } from "zod";
import {
  createStoreClient,
  isClickHouse,
  notClickHouse,
  storeFailure,
  type StoreClient,
  type StoreSettings,
} from "./client.ts";
import type { StoreConfig } from "./config.ts";
import { tokenPath } from "./embedded/token.ts";
import { StoreError } from "./errors.ts";

export type TableName =
  | "flows"
  | "identities"
  | "endpoints"
  | "services"
  | "named_ports"
  | "policies"
  | "nodes"
  | "dns_answers"
  | "books"
  | "collector_health"
  | "segments";

export interface SegmentInsert {
  readonly table: TableName;
  readonly format: "RowBinary" | "JSONEachRow" | "Native";
  /** Columns in the order of the rows' bytes. */
  readonly columns: readonly string[];
  /** Path of a file that holds the rows and nothing else, or their bytes. */
  readonly body: string | Uint8Array | Readable;
  readonly segmentId: string;
  readonly node: string;
  readonly rows: number;
}

export interface StoreWriter extends AsyncDisposable {
  readonly config: StoreConfig;
  /** Inserts a segment and remembers its id. Throws StoreError; safe to call again with the same segment, whatever happened. */
  insertSegment(segment: SegmentInsert, signal: AbortSignal): Promise<void>;
  /** Which of `ids` the store has acknowledged for `table`. */
  segmentsArrived(table: TableName, ids: readonly string[], signal: AbortSignal): Promise<Set<string>>;
  /** Inserts a few rows as objects; `token` makes a repetition count once. Times are `YYYY-MM-DD hh:mm:ss.fff` UTC, UInt64 decimal text. */
  insertRows(
    table: TableName,
    rows: readonly Readonly<Record<string, unknown>>[],
    signal: AbortSignal,
    token?: string,
  ): Promise<void>;
  /** Runs a statement that answers nothing. */
  command(sql: string, signal: AbortSignal): Promise<void>;
  /** Rows of a question, for migrations and checks. */
  rows<Row>(
    sql: string,
    row: z.ZodType<Row>,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Row[]>;
  close(): Promise<void>;
}

const MOST_WORDS = 16_384;

/** One insert is one block for deduplication: nothing may regroup its rows in between. */
const SEGMENT_SETTINGS: StoreSettings = { async_insert: 0, insert_distributed_sync: 1 } as StoreSettings;

/** A writer of `config`'s store. For the embedded one the token is read from its data directory; throws StoreError when it is not there. */
export async function openWriter(config: StoreConfig): Promise<StoreWriter> {
  const own =
    config.embedded && config.user !== "writer"
      ? { ...config, user: "writer", password: await writerToken(config) }
      : config;
  return new Writer(createStoreClient(own), own);
}

async function writerToken(config: StoreConfig): Promise<string> {
  try {
    return (await readFile(tokenPath(config.dataDir), "utf8")).trim();
  } catch (cause) {
    throw new StoreError({
      code: "store-no-token",
      where: tokenPath(config.dataDir),
      what: "the embedded store has not been started here, or its token cannot be read",
      next: "start it with weir store serve, as the same user",
      cause,
    });
  }
}

class Writer implements StoreWriter {
  readonly config: StoreConfig;
  readonly #client: StoreClient;

  constructor(client: StoreClient, config: StoreConfig) {
    this.#client = client;
    this.config = config;
  }

  async insertSegment(segment: SegmentInsert, signal: AbortSignal): Promise<void> {
    const values =
      typeof segment.body === "string"
        ? createReadStream(segment.body)
        : segment.body instanceof Readable
          ? segment.body
          : Readable.from([segment.body]);
    await this.#send(
      `INSERT INTO ${segment.table} (${segment.columns.map(checkedColumn).join(", ")}) FORMAT ${segment.format}`,
      values,
      { ...SEGMENT_SETTINGS, insert_deduplication_token: segment.segmentId } as StoreSettings,
      signal,
    );
    const arrived = {
      segment: segment.segmentId,
      target: segment.table,
      node: segment.node,
      rows: segment.rows,
      arrived: new Date().toISOString().replace("T", " ").replace("Z", ""),
    };
    await this.insertRows("segments", [arrived], signal, `segments/${segment.segmentId}/${segment.table}`);
  }

  async segmentsArrived(table: TableName, ids: readonly string[], signal: AbortSignal): Promise<Set<string>> {
    const sql =
      "SELECT DISTINCT segment FROM segments WHERE target = {table:String} AND segment IN {ids:Array(String)}";
    const rows = await this.rows(sql, z.object({ segment: z.string() }), { table, ids }, signal);
    return new Set(rows.map((row) => row.segment));
  }

  async insertRows(
    table: TableName,
    rows: readonly Readonly<Record<string, unknown>>[],
    signal: AbortSignal,
    token?: string,
  ): Promise<void> {
    if (rows.length === 0) return;
    const columns = Object.keys(rows[0]!).map(checkedColumn);
    const body = rows.map((row) => JSON.stringify(row)).join("\n");
    await this.#send(
      `INSERT INTO ${table} (${columns.join(", ")}) FORMAT JSONEachRow`,
      Readable.from([Buffer.from(body)]),
      {
        ...SEGMENT_SETTINGS,
        ...(token === undefined ? { insert_deduplicate: 0 } : { insert_deduplication_token: token }),
      } as StoreSettings,
      signal,
    );
  }

  async command(sql: string, signal: AbortSignal): Promise<void> {
    await this.#guard(signal, () => this.#client.command({ query: sql, abort_signal: signal }));
  }

  async rows<Row>(
    sql: string,
    row: z.ZodType<Row>,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Row[]> {
    return this.#guard(signal, async () => {
      const answer = await this.#client.query({
        query: sql,
        format: "JSONEachRow",
        query_params: { ...params },
        abort_signal: signal,
      });
      return (await answer.json<unknown>()).map((one) => row.parse(one));
    });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(query: string, values: Readable, settings: StoreSettings, signal: AbortSignal): Promise<void> {
    await this.#guard(signal, async () => {
      const { stream, response_headers: headers } = await this.#client.exec({
        query,
        values,
        clickhouse_settings: settings,
        abort_signal: signal,
      });
      // An acknowledgement has no words. A server that fails after its headers writes the exception behind a status of 200.
      let words = "";
      for await (const chunk of stream) if (words.length < MOST_WORDS) words += String(chunk);
      if (words.trim() !== "") throw parseError(words);
      if (!isClickHouse(headers)) throw notClickHouse(this.config.url);
    });
  }

  async #guard<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      throw storeFailure(thrown, this.config);
    }
  }
}

function checkedColumn(name: string): string {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new RangeError(`not a column: ${name}`);
  return name;
}
