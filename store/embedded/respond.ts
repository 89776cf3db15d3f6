/** The answer to a question, as ClickHouse's HTTP protocol writes it: status, headers, chunks, and an exception at the end of a stream. */
import type { ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createGzip, type Gzip } from "node:zlib";
import type { EngineException } from "./engine.ts";

/** The names of formats that have short ones. */
const FULL_NAME: Readonly<Record<string, string>> = {
  TSV: "TabSeparated",
  TSVRaw: "TabSeparatedRaw",
  TSVWithNames: "TabSeparatedWithNames",
  TSVWithNamesAndTypes: "TabSeparatedWithNamesAndTypes",
  NDJSON: "JSONEachRow",
  JSONLines: "JSONEachRow",
};

const CONTENT_TYPE: readonly (readonly [RegExp, string])[] = [
  [/^JSON(Strings|Compact|ColumnsWithMetadata|CompactStrings|Columns)?$/, "application/json; charset=UTF-8"],
  [/EachRow|JSONLines/, "application/x-ndjson; charset=UTF-8"],
  [/^CSV/, "text/csv; charset=UTF-8; header=present"],
  [/^(TSV|TabSeparated)/, "text/tab-separated-values; charset=UTF-8"],
  [/^(RowBinary|Native|Parquet|Arrow|ORC|Avro|MsgPack|Npy)/, "application/octet-stream"],
];

export interface Totals {
  readonly readRows: number;
  readonly readBytes: number;
  readonly writtenRows: number;
  readonly resultRows: number;
  readonly seconds: number;
}

/** HTTP status of an exception (ClickHouse: src/Server/HTTPHandler.cpp, exceptionCodeToHTTPStatus). */
export function statusOf(code: number): number {
  if ([194, 516, 192, 193, 497].includes(code)) return code === 194 ? 401 : 403;
  if ([60, 81, 46, 115, 71, 73].includes(code)) return 404; // unknown table, database, function, setting, format
  if ([62, 27, 26, 33, 36, 42, 43, 44, 47, 53, 72, 117, 130, 456, 457, 130, 386, 6, 41, 38, 89].includes(code))
    return 400;
  if (code === 159) return 408;
  if (code === 202) return 503;
  return 500;
}

/** Writes one answer. Used once: `begin`, then `write` any number of times, then `end` or `fail`. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #headers: Record<string, string>;
  #sink: ServerResponse | Gzip;
  #begun = false;
  readonly #tag = randomBytes(8).toString("hex"); // 16 characters, as the client expects

  constructor(response: ServerResponse, queryId: string) {
    this.#response = response;
    this.#sink = response;
    this.#headers = {
      "X-ClickHouse-Query-Id": headerText(queryId),
      "X-ClickHouse-Server-Display-Name": "weir",
      "X-ClickHouse-Timezone": "UTC",
    };
  }

  begin(format: string, gzip: boolean, totals: Totals | undefined): void {
    const name = FULL_NAME[format] ?? format;
    this.#headers["X-ClickHouse-Format"] = headerText(name);
    this.#headers["Content-Type"] =
      CONTENT_TYPE.find(([pattern]) => pattern.test(name))?.[1] ?? "text/plain; charset=UTF-8";
    this.#headers["X-ClickHouse-Exception-Tag"] = this.#tag;
    this.#headers["X-ClickHouse-Summary"] = summary(
      totals ?? { readRows: 0, readBytes: 0, writtenRows: 0, resultRows: 0, seconds: 0 },
    );
    if (gzip) this.#headers["Content-Encoding"] = "gzip";
    this.#response.writeHead(200, this.#headers);
    if (gzip) {
      this.#sink = createGzip({ level: 3 });
      this.#sink.pipe(this.#response);
    }
    this.#begun = true;
  }

  /** Resolves when more may be written; waits for a slow reader. */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (bytes.length === 0 || this.#sink.write(bytes)) return;
    await once(this.#sink, "drain", { signal });
  }

  end(): void {
    this.#sink.end();
  }

  /** An exception: with its status while nothing was sent, else behind the rows, framed by the tag that the header named. */
  fail(exception: EngineException): void {
    const text = `${exception.message.trim()}\n`;
    if (!this.#begun) {
      this.#response.writeHead(statusOf(exception.engineCode), {
        ...this.#headers,
        "X-ClickHouse-Exception-Code": String(exception.engineCode),
        "Content-Type": "text/plain; charset=UTF-8",
        ...(exception.engineCode === 194 && { "WWW-Authenticate": 'Basic realm="ClickHouse server HTTP API"' }),
      });
      this.#response.end(text);
      return;
    }
    const size = Buffer.byteLength(text);
    this.#sink.write(`\r\n__exception__\r\n${this.#tag}\r\n${text}${size} ${this.#tag}\r\n__exception__\r\n`);
    this.#sink.end();
  }
}

function summary(totals: Totals): string {
  return JSON.stringify({
    read_rows: String(totals.readRows),
    read_bytes: String(totals.readBytes),
    written_rows: String(totals.writtenRows),
    written_bytes: "0", // the engine's C interface does not tell
    total_rows_to_read: "0",
    result_rows: String(totals.resultRows),
    result_bytes: "0",
    elapsed_ns: String(Math.round(totals.seconds * 1e9)),
  });
}

/** Nothing that a header must not hold. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
