/** An HTTP request as ClickHouse's protocol reads it. In: method, URL, headers, body. Out: one question, or an EngineException. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { randomUUID } from "node:crypto";
import { createGunzip, createInflate, createBrotliDecompress } from "node:zlib";
import { EngineException } from "./engine.ts";
import { insertHead, isName, tokens, type Token } from "./statement.ts";

/** SQL in a body longer than this is refused; rows of an INSERT go to a file and may be of any length. */
const MAX_SQL = 16 * 1024 * 1024;

/** URL parameters that belong to the HTTP layer and are no settings of a query. */
const NOT_SETTINGS = new Set([
  "query",
  "database",
  "default_format",
  "query_id",
  "user",
  "password",
  "session_id",
  "session_timeout",
  "session_check",
  "role",
  "quota_key",
  "stacktrace",
  "compress",
  "decompress",
  "wait_end_of_query",
  "buffer_size",
  "send_progress_in_http_headers",
  "http_headers_progress_interval_ms",
  "enable_http_compression",
  "http_zlib_compression_level",
  "http_response_buffer_size",
  "http_write_exception_in_output_format",
  "cancel_http_readonly_queries_on_client_close",
  "client_protocol_version",
  "add_http_cors_header",
]);

export interface Question {
  readonly queryId: string;
  readonly sql: string;
  readonly tokens: readonly Token[];
  readonly database: string;
  readonly defaultFormat: string | undefined;
  readonly params: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
  /** Answer whole, so that an error late in it still has its own status. */
  readonly whole: boolean;
  readonly gzip: boolean;
  /** Rows of an INSERT: a file to read and then remove. */
  readonly body: { readonly path: string; readonly head: string; readonly format: string } | undefined;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Who asks: Authorization: Basic, X-ClickHouse-User/-Key, or user and password in the URL; `default` without a password else. */
export function credentialsOf(request: IncomingMessage, url: URL): Credentials {
  const basic = /^Basic +([\w+/=-]+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return colon < 0 ? { user: text, password: "" } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const header = (name: string) => [request.headers[name]].flat()[0];
  return {
    user: header("x-clickhouse-user") ?? url.searchParams.get("user") ?? "default",
    password: header("x-clickhouse-key") ?? url.searchParams.get("password") ?? "",
  };
}

/** Reads the whole question; an INSERT's rows are written to `tempDir` first, so that a broken upload inserts nothing. */
export async function readQuestion(
  request: IncomingMessage,
  url: URL,
  defaultDatabase: string,
  tempDir: string,
): Promise<Question> {
  const search = new Map(url.searchParams);
  const inUrl = search.get("query") ?? "";
  const inUrlTokens = tokens(inUrl);
  const head = request.method === "GET" ? undefined : insertHead(inUrl, inUrlTokens);
  let sql = inUrl;
  let body: Question["body"];
  if (head !== undefined) {
    const path = join(tempDir, `insert-${randomUUID()}`);
    try {
      await pipeline(decoded(request), createWriteStream(path, { flags: "wx", mode: 0o600 }));
    } catch (cause) {
      await rm(path, { force: true });
      throw new EngineException(
        `Code: 210. DB::Exception: The rows did not arrive whole: ${cause instanceof Error ? cause.message : String(cause)}. (NETWORK_ERROR)`,
        { cause },
      );
    }
    body = { path, head: head.head, format: head.format };
  } else if (request.method !== "GET") {
    const text = await readText(request);
    const boundary = /^multipart\/form-data; *boundary="?([^";]+)/i.exec(request.headers["content-type"] ?? "")?.[1];
    if (boundary !== undefined) for (const [name, value] of formParts(text, boundary)) search.set(name, value);
    sql = boundary !== undefined ? (search.get("query") ?? "") : [inUrl, text].filter((part) => part !== "").join("\n");
  }
  const database = search.get("database") ?? [request.headers["x-clickhouse-database"]].flat()[0] ?? defaultDatabase;
  if (!isName(database))
    throw new EngineException(
      `Code: 81. DB::Exception: Database ${JSON.stringify(database)} does not exist. (UNKNOWN_DATABASE)`,
    );
  if (sql.trim() === "") throw new EngineException("Code: 62. DB::Exception: Empty query. (SYNTAX_ERROR)");
  if (sql.includes("\0"))
    throw new EngineException("Code: 62. DB::Exception: Syntax error: NUL in a query. (SYNTAX_ERROR)");
  const params = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of search) {
    if (name.startsWith("param_")) params.set(checkedName(name.slice(6)), value);
    else if (!NOT_SETTINGS.has(name)) settings.set(checkedName(name), value);
  }
  return {
    queryId: search.get("query_id") ?? randomUUID(),
    sql,
    tokens: sql === inUrl ? inUrlTokens : tokens(sql),
    database,
    defaultFormat: search.get("default_format") ?? [request.headers["x-clickhouse-format"]].flat()[0],
    params,
    settings,
    whole: search.get("wait_end_of_query") === "1",
    gzip:
      search.get("enable_http_compression") !== "0" &&
      /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? "")),
    body,
  };
}

function checkedName(name: string): string {
  if (!isName(name))
    throw new EngineException(
      `Code: 115. DB::Exception: Unknown setting ${JSON.stringify(name.slice(0, 80))}. (UNKNOWN_SETTING)`,
    );
  return name;
}

function decoded(request: IncomingMessage): Readable {
  const encoding = (request.headers["content-encoding"] ?? "identity").toLowerCase();
  const decoder =
    encoding === "gzip"
      ? createGunzip()
      : encoding === "deflate"
        ? createInflate()
        : encoding === "br"
          ? createBrotliDecompress()
          : undefined;
  if (decoder === undefined) {
    if (encoding !== "identity" && encoding !== "")
      throw new EngineException(
        `Code: 89. DB::Exception: Unknown compression method ${encoding}; gzip, deflate, br or none. (UNKNOWN_COMPRESSION_METHOD)`,
      );
    return request;
  }
  request.once("error", (error) => decoder.destroy(error));
  request.once("aborted", () => decoder.destroy(new Error("the client went away")));
  return request.pipe(decoder);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of decoded(request) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_SQL)
      throw new EngineException(
        `Code: 62. DB::Exception: Max query size exceeded: ${MAX_SQL} bytes; put rows of an INSERT into the body and its head into the URL. (SYNTAX_ERROR)`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Parts of a multipart body by name: how the client sends parameters that are too long for a URL. */
function formParts(body: string, boundary: string): [string, string][] {
  const parts: [string, string][] = [];
  for (const part of body.split(`--${boundary}`)) {
    const match = /^\r\n[\s\S]*?name="([\w.-]+)"[\s\S]*?\r\n\r\n([\s\S]*)\r\n$/.exec(part);
    if (match !== null) parts.push([match[1]!, match[2]!]);
  }
  return parts;
}
