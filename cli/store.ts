/** `weir store`, `weir store sql`, `weir export`: sizes, a read-only question, rows for other programs. Each prints to `out`. */
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { systemCode, WeirError } from "../model/errors.ts";
import { parseFilter } from "../model/filter/parse.ts";
import { milliseconds, type TimeRange } from "../model/time.ts";
import { parseTimeRange } from "../model/time-range.ts";
import { storeConfig, type Environment } from "../store/config.ts";
import { EXPORTS, exportSql, type ExportName } from "../store/queries/exports.ts";
import { sizes } from "../store/queries/sizes.ts";
import { openReader } from "../store/reader.ts";

/** Prints tables with rows, bytes, ages and TTL, most bytes first; `json` prints the answer as it is. Throws StoreError. */
export async function storeSizes(
  env: Environment,
  options: { readonly json: boolean },
  out: Writable,
  signal: AbortSignal,
): Promise<void> {
  await using reader = openReader(storeConfig(env));
  const answer = await sizes(reader, signal);
  if (options.json) {
    out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    return;
  }
  const lines = answer.tables.map((table) => [
    table.table,
    table.rows.toLocaleString("en-US"),
    bytes(table.bytesOnDisk),
    table.bytesPerRow === null ? "" : table.bytesPerRow.toFixed(1),
    day(table.oldest),
    day(table.newest),
    /toIntervalDay\((\d+)\)/.exec(table.ttl)?.[1] ?? "for ever",
  ]);
  const total = answer.tables.reduce((sum, table) => sum + table.bytesOnDisk, 0);
  const where = `${reader.config.url}, database ${reader.config.database}`;
  out.write(
    `${where}: ClickHouse ${answer.storeVersion}${reader.config.embedded ? " (embedded)" : ""}, schema version ${answer.schemaVersion}, ${bytes(total)}\n\n`,
  );
  out.write(table(["table", "rows", "size", "bytes/row", "oldest (UTC)", "newest (UTC)", "kept, days"], lines));
}

/** Formats by the names that people use; any other is handed on to ClickHouse. */
const FORMATS: Readonly<Record<string, string>> = {
  table: "PrettyCompactMonoBlock",
  csv: "CSVWithNames",
  json: "JSONEachRow",
  tsv: "TSVWithNames",
  vertical: "Vertical",
  parquet: "Parquet",
};

/** Runs one statement as a reader and prints its answer. `sql` undefined: read from `input`. Throws StoreError. */
export async function storeSql(
  env: Environment,
  sql: string | undefined,
  format: string,
  input: AsyncIterable<Uint8Array | string>,
  out: Writable,
  signal: AbortSignal,
): Promise<void> {
  const text = (sql ?? (await readAll(input))).trim().replace(/;+\s*$/, "");
  if (text === "")
    throw new WeirError({
      code: "no-sql",
      what: "there is no question",
      expected: "SQL as an argument or on standard input",
      next: 'try weir store sql "SELECT count() FROM flows"',
    });
  const name = FORMATS[format.toLowerCase()] ?? format;
  if (!/^[A-Za-z]\w{0,60}$/.test(name))
    throw new WeirError({
      code: "bad-format",
      where: "--format",
      what: `"${format}" is no format`,
      expected: `${Object.keys(FORMATS).join(", ")} or a name of ClickHouse's`,
    });
  await using reader = openReader(storeConfig(env));
  const answer = /\bFORMAT\s+\w+\s*$/i.test(text)
    ? await reader.bytes(text, undefined, {}, signal)
    : await reader.bytes(text, name, {}, signal);
  await copy(answer, out);
}

export interface ExportOptions {
  readonly what: string;
  readonly format: string;
  readonly from: string;
  readonly to: string;
  readonly filter: string;
  readonly scope: readonly string[];
  /** File to write; undefined = `out`. */
  readonly output: string | undefined;
}

/** Rows of such a slice stay far below the reader's limits, at 10,000 reports a second too. */
const SLICE_MS = 10 * 60_000;

/** Writes rows of a range as csv, json (one object a line) or parquet. Throws WeirError for a wrong option, StoreError. */
export async function exportRows(
  env: Environment,
  options: ExportOptions,
  out: Writable,
  signal: AbortSignal,
): Promise<void> {
  const name = EXPORTS.find((one) => one === options.what);
  if (name === undefined)
    throw new WeirError({
      code: "bad-export",
      where: options.what,
      what: "there is no such export",
      expected: EXPORTS.join(", "),
    });
  if (!["csv", "json", "parquet"].includes(options.format))
    throw new WeirError({
      code: "bad-format",
      where: "--format",
      what: `"${options.format}" is no format of an export`,
      expected: "csv, json or parquet",
    });
  const asked = parseTimeRange({ from: options.from, to: options.to }, milliseconds(Date.now()));
  if ("problem" in asked) throw new WeirError({ code: "bad-range", where: "--from, --to", what: asked.problem });
  const { filter, problems } = parseFilter(options.filter);
  if (problems[0] !== undefined)
    throw new WeirError({
      code: "bad-filter",
      where: `--filter, character ${problems[0].at + 1}`,
      what: problems[0].message,
    });
  await using reader = openReader(storeConfig(env));
  const target = options.output === undefined ? out : await newFile(options.output);
  let first = true;
  for (const range of slices(asked.range, options.format === "parquet" ? undefined : name)) {
    const { sql, params } = exportSql(name, { range, filter, scope: options.scope }, options.format === "csv");
    const format =
      options.format === "parquet"
        ? "Parquet"
        : options.format === "json"
          ? "JSONEachRow"
          : first
            ? "CSVWithNames"
            : "CSV";
    await copy(await reader.bytes(sql, format, params, signal), target);
    if (target.destroyed || target.errored) return; // who read it has had enough
    first = false;
  }
  if (target !== out) {
    target.end();
    await once(target, "finish");
  }
}

async function newFile(path: string): Promise<Writable> {
  try {
    return (await open(path, "wx")).createWriteStream();
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "EEXIST")
      throw new WeirError({
        code: "file-exists",
        where: path,
        what: "this file exists already",
        next: "choose another name for --output, or remove it first",
        cause: thrown,
      });
    if (code === "ENOENT" || code === "EACCES" || code === "EROFS" || code === "ENOTDIR")
      throw new WeirError({
        code: "file-unwritable",
        where: path,
        what: "this file cannot be made",
        next: "choose another place for --output",
        cause: thrown,
      });
    throw thrown;
  }
}

/** A long range in pieces, so that no question meets the reader's limits; Parquet is one file with one foot, so one piece. */
function* slices(range: TimeRange, name: ExportName | undefined): Generator<TimeRange> {
  const step = name === "flows" || name === "dns" ? SLICE_MS : 24 * 3_600_000;
  if (name === undefined) return yield range;
  for (let from: number = range.from; from < range.to; from = Math.floor(from / step + 1) * step) {
    yield { from: milliseconds(from), to: milliseconds(Math.min(range.to, Math.floor(from / step + 1) * step)) };
  }
}

/** Copies until the end, or until the reader of a pipe has had enough (`| head`): that is no failure. */
async function copy(from: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  const closed = new AbortController();
  const onError = (error: Error) => closed.abort(error);
  to.on("error", onError);
  try {
    for await (const chunk of from) {
      if (closed.signal.aborted) break;
      if (!to.write(chunk)) await once(to, "drain", { signal: closed.signal });
    }
  } catch (thrown) {
    if (!closed.signal.aborted) throw thrown;
  } finally {
    // The handler stays where the pipe broke: its errors may come later still.
    if (!closed.signal.aborted) to.off("error", onError);
  }
  if (closed.signal.aborted && systemCode(closed.signal.reason) !== "EPIPE") throw closed.signal.reason;
}

async function readAll(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let value = count;
  for (; value >= 1000 && at < units.length - 1; at++) value /= 1000;
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}

function day(at: number | null): string {
  return at === null ? "" : new Date(at).toISOString().slice(0, 16).replace("T", " ");
}

/** Columns by width, numbers to the right. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const row = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i >= 1 && i <= 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return `${[head, ...lines].map(row).join("\n")}\n`;
}
