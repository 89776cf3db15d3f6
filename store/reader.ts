/** Questions to the store: typed parameters in, checked rows out, cancelled by the caller's signal. */
import { Readable } from "node:stream";
import { z } from "zod";
import { systemCode } from "../model/errors.ts";
import { createStoreClient, isClickHouse, notClickHouse, storeFailure, type StoreClient } from "./client.ts";
import type { StoreConfig } from "./config.ts";
import { StoreError } from "./errors.ts";

/** A question: its SQL, with `{name:Type}` places, and what a row of its answer looks like. */
export interface Query<Row> {
  readonly sql: string;
  readonly row: z.ZodType<Row>;
}

/** What a parameter may be. Dates go as text (model/time.ts, clickhouseTime), identities as decimal text, lists of them as bigints. */
export type Params = Readonly<
  Record<string, string | number | boolean | readonly string[] | readonly number[] | readonly bigint[]>
>;

export interface StoreReader extends AsyncDisposable {
  readonly config: StoreConfig;
  /** All rows of the answer. Throws StoreError; AbortError on `signal`, which also ends the query in the store. */
  rows<Row>(query: Query<Row>, params: Params, signal: AbortSignal): Promise<Row[]>;
  /** The rows in batches as they come, for answers that need not be held whole. */
  stream<Row>(query: Query<Row>, params: Params, signal: AbortSignal): AsyncGenerator<Row[], void, undefined>;
  /** The answer's bytes in a format of the store's (`CSVWithNames`, `Parquet`, …), for exports; undefined = the SQL names it itself. */
  bytes(
    sql: string,
    format: string | undefined,
    params: Params,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/** A reader of `config`'s store. Inert until asked. */
export function openReader(config: StoreConfig): StoreReader {
  // The embedded store reads for anybody on this machine; its writer's password stays out of the readers' hands.
  const own = config.embedded ? { ...config, user: "reader", password: "" } : config;
  return new Reader(createStoreClient(own), own);
}

class Reader implements StoreReader {
  readonly config: StoreConfig;
  readonly #client: StoreClient;

  constructor(client: StoreClient, config: StoreConfig) {
    this.#client = client;
    this.config = config;
  }

  async rows<Row>(query: Query<Row>, params: Params, signal: AbortSignal): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const batch of this.stream(query, params, signal)) rows.push(...batch);
    return rows;
  }

  async *stream<Row>(query: Query<Row>, params: Params, signal: AbortSignal): AsyncGenerator<Row[], void, undefined> {
    signal.throwIfAborted();
    try {
      const answer = await this.#client.query({
        query: query.sql,
        format: "JSONEachRow",
        query_params: { ...params },
        abort_signal: signal,
      });
      const stream = answer.stream<unknown>();
      if (!isClickHouse(answer.response_headers)) {
        stream.destroy();
        throw notClickHouse(this.config.url);
      }
      const isCut = boundRow(answer, this.config.url);
      const stop = () => stream.destroy(); // closes the socket: the store ends the query
      signal.addEventListener("abort", stop, { once: true });
      try {
        let length = 0;
        for await (const batch of stream) {
          for (const row of batch) length += row.text.length + ROW_COST;
          if (length > MAX_ANSWER) throw tooMuch(this.config.url);
          yield batch.map((row) => query.row.parse(row.json()));
        }
        signal.throwIfAborted();
        if (isCut()) throw cutShort(this.config.url);
      } finally {
        signal.removeEventListener("abort", stop);
        stream.destroy();
      }
    } catch (thrown) {
      signal.throwIfAborted();
      throw this.#failure(thrown);
    }
  }

  async bytes(
    sql: string,
    format: string | undefined,
    params: Params,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    try {
      const answer = await this.#client.exec({
        query: format === undefined ? sql : `${sql}\nFORMAT ${format}`,
        query_params: { ...params },
        abort_signal: signal,
      });
      if (!isClickHouse(answer.response_headers)) {
        answer.stream.destroy();
        throw notClickHouse(this.config.url);
      }
      return answer.stream as AsyncIterable<Uint8Array>;
    } catch (thrown) {
      signal.throwIfAborted();
      throw this.#failure(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #failure(thrown: unknown): unknown {
    if (thrown instanceof z.ZodError) return strangeAnswer(this.config.url, thrown);
    // Text that is no JSON where rows should be: something else answers there.
    if (thrown instanceof SyntaxError) return notClickHouse(this.config.url, thrown);
    const known = storeFailure(thrown, this.config);
    return isForeign(known) ? strangeWords(this.config.url, known) : known;
  }
}

/** Characters of one answer. The largest honest one, a day's tuples, has a tenth of it. */
const MAX_ANSWER = 400_000_000;
/** What a row costs beside its text, in characters of text. */
const ROW_COST = 100;
/** Characters of one row: the longest has lists of some thousand addresses. */
const MAX_ROW = 32_000_000;

function tooMuch(where: string): StoreError {
  return new StoreError({
    code: "store-too-much",
    where,
    what: `the answer has a row of more than ${MAX_ROW / 1e6} MB, or more than ${MAX_ANSWER / 1e6} MB`,
    next: "choose a shorter range or a narrower filter",
  });
}

/**
 * The client holds a row until its end has come, and some have none; a last row without an end it leaves out. So the answer's bytes are
 * looked at on their way to it: what comes back tells, when all has come, whether the answer was cut in the middle of a row.
 */
function boundRow(answer: object, where: string): () => boolean {
  const source = "_stream" in answer ? answer._stream : undefined;
  if (!(source instanceof Readable)) return () => false;
  let unbroken = 0;
  source.on("data", (part: Uint8Array) => {
    const end = part.lastIndexOf(0x0a);
    unbroken = end < 0 ? unbroken + part.length : part.length - end - 1;
    if (unbroken > MAX_ROW) source.destroy(tooMuch(where));
  });
  return () => unbroken > 0;
}

function cutShort(where: string): StoreError {
  return new StoreError({
    code: "store-gone",
    where,
    what: "the answer ended in the middle of a row",
    next: "ask again",
  });
}

/** Rows of another shape than was asked for: another version's schema, or no honest store. */
function strangeAnswer(where: string, cause: z.ZodError): StoreError {
  const [issue] = cause.issues;
  return new StoreError({
    code: "store-answer",
    where,
    what: `the store's answer does not fit the question (${issue?.path.join(".") ?? ""}: ${issue?.message ?? "of another shape"})`,
    next: "run weir store migrate; app and store should be of one version",
    cause,
  });
}

/** An exception in words that the client did not read as one of ClickHouse's: it hands them on whole, in an Error of no kind. */
function isForeign(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.constructor === Error && /^Code: \d+\. DB::/.test(thrown.message);
}

function strangeWords(where: string, cause: Error): StoreError {
  const words = cause.message.slice(0, 300);
  return new StoreError({ code: "store-answer", where, what: `the store refused in these words: ${words}`, cause });
}

const Version = z.object({ version: z.string().regex(/^\d+\.\d+/) });

/** The server's version. Throws StoreError that says what is wrong: unreachable, wrong password, not a ClickHouse. */
export async function storeVersion(reader: StoreReader, signal: AbortSignal): Promise<string> {
  try {
    const [row] = await reader.rows({ sql: "SELECT version() AS version", row: Version }, {}, signal);
    if (row !== undefined) return row.version;
  } catch (thrown) {
    // A refusal in words that are none of ClickHouse's comes as a bare Error without a code.
    const foreign =
      thrown instanceof z.ZodError ||
      (thrown instanceof Error && thrown.constructor === Error && systemCode(thrown) === undefined);
    if (!foreign) throw thrown;
  }
  throw notClickHouse(reader.config.url);
}
