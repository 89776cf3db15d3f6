/**
 * The in-process engine as the server sees it: sessions of one data directory, each running one query at a time.
 * The only importer of chdb. Traps, all measured (docs/formats/store-embedded.md): parameters bound through the package's own call
 * are process-wide, so they are SET on the session instead; KILL … SYNC hangs for good; a stream repeats headers and footers a chunk.
 */
import { createRequire } from "node:module";
import { StoreError } from "../errors.ts";
import type * as Chdb from "chdb";

const require = createRequire(import.meta.url);

/** An exception of the engine: `Code: 62. DB::Exception: … (SYNTAX_ERROR)`. */
export class EngineException extends Error {
  readonly engineCode: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineException";
    this.engineCode = Number(/Code: (\d+)/.exec(message)?.[1] ?? 1001); // 1001 = STD_EXCEPTION
  }
}

/** A connection to the engine. Not for two queries at once: the pool sees to that. */
export interface Connection {
  /** Runs a statement to its end; the answer whole. */
  run(
    sql: string,
    format?: string,
  ): Promise<{
    readonly bytes: Uint8Array;
    readonly rowsRead: number;
    readonly bytesRead: number;
    readonly seconds: number;
  }>;
  /** Chunks of a SELECT's answer. Only for formats without head and foot. */
  stream(
    sql: string,
    format: string,
  ): AsyncGenerator<{ readonly bytes: Uint8Array; readonly rows: number }, void, undefined>;
  close(): void;
}

/** Formats in which the engine's chunks, put one behind the other, are the answer: rows without head and foot. */
export const STREAMABLE: ReadonlySet<string> = new Set([
  "JSONEachRow",
  "JSONLines",
  "NDJSON",
  "JSONCompactEachRow",
  "JSONStringsEachRow",
  "JSONCompactStringsEachRow",
  "TSV",
  "TabSeparated",
  "TSVRaw",
  "TabSeparatedRaw",
  "CSV",
  "RowBinary",
  "Native",
  "LineAsString",
  "RawBLOB",
]);

export interface EngineSettings {
  readonly dataDir: string;
  /** Bytes of RAM that the engine may take altogether. */
  readonly memory: number;
}

/** Opens one more connection to the engine's data directory. Throws StoreError when another process holds it or it cannot be written. */
export function connect(settings: EngineSettings): Connection {
  const { Session } = loadEngine();
  let session: Chdb.Session;
  try {
    session = new Session(settings.dataDir, { connectionArgs: [`--max_server_memory_usage=${settings.memory}`] });
  } catch (thrown) {
    throw openingFailure(settings.dataDir, thrown);
  }
  return {
    async run(sql, format = "TabSeparated") {
      const answer = await session.queryAsync(sql, { format }).catch(rethrow);
      return { bytes: answer.bytes(), rowsRead: answer.rowsRead, bytesRead: answer.bytesRead, seconds: answer.elapsed };
    },
    async *stream(sql, format) {
      try {
        for await (const chunk of session.queryStream(sql, { format }))
          yield { bytes: chunk.raw(), rows: chunk.numRows };
      } catch (thrown) {
        // A stream that failed stays in the engine, with its memory, until its session runs something else (tried).
        await session.queryAsync("SELECT 1").catch(() => undefined); // it is the failure of the stream that counts
        rethrow(thrown);
      }
    },
    close: () => session.close(),
  };
}

/** Waits until nothing of the engine runs any more: after it, the process may end without an abort in native code. */
export async function drainEngine(): Promise<void> {
  await loadEngine().drainPending();
}

function loadEngine(): typeof Chdb {
  try {
    return require("chdb") as typeof Chdb;
  } catch (cause) {
    throw new StoreError({
      code: "engine-missing",
      what: `the embedded ClickHouse engine does not load on ${process.platform}-${process.arch}`,
      expected: "glibc Linux or macOS, x64 or arm64, with its npm package installed",
      next: "run npm ci again, or set WEIR_CLICKHOUSE_URL to a ClickHouse server",
      cause,
    });
  }
}

function rethrow(thrown: unknown): never {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  throw new EngineException(message, { cause: thrown });
}

function openingFailure(dataDir: string, cause: unknown): StoreError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Cannot lock file/.test(message)) {
    return new StoreError({
      code: "store-held",
      where: dataDir,
      what: "another process holds this data directory",
      next: "stop it, or choose another directory with WEIR_DATA_DIR",
      cause,
    });
  }
  if (/Read-only file system|Permission denied|errno: (13|30)/.test(message)) {
    return new StoreError({
      code: "store-read-only",
      where: dataDir,
      what: "the data directory cannot be written",
      next: "make it writable, or choose another with WEIR_DATA_DIR",
      cause,
    });
  }
  return new StoreError({
    code: "store-opening",
    where: dataDir,
    what: `the embedded engine does not open: ${message.split("\n")[0]}`,
    cause,
  });
}
