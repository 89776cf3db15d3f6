/** `weir store books`: what the kernel produced and what became of it, by node and minute; the exit code says whether it balances. */
import type { Writable } from "node:stream";
import { storeConfig, type Environment } from "../store/config.ts";
import { booksByMinute, goneOf, type BooksLine } from "../store/queries/books-by-minute.ts";
import { openReader } from "../store/reader.ts";
import { columns } from "./columns.ts";
import { visible } from "./observe/format.ts";
import { rangeOf } from "./tuples-from-store.ts";

export interface BooksOptions {
  readonly since: string;
  readonly until: string;
  /** "" = all. */
  readonly node: string;
  readonly json: boolean;
  /** Count the rows that are in the store, too. */
  readonly rows: boolean;
}

/** A minute is closed this long after its end: what came late is in its line, rings are drained ten times a second. */
const CLOSED_AFTER_MS = 60_000;
const FIELDS = [
  "produced",
  "stored",
  "lost",
  "crashed",
  "unseen",
  "shed",
  "quarantined",
  "filtered",
  "difference",
] as const;

/** Prints the lines and their sum. True when every closed minute balances. Throws WeirError for a wrong option, StoreError. */
export async function storeBooks(
  env: Environment,
  options: BooksOptions,
  out: Writable,
  signal: AbortSignal,
): Promise<boolean> {
  const range = rangeOf(options.since, options.until);
  await using reader = openReader(storeConfig(env));
  const now = Date.now();
  const lines = await booksByMinute(reader, { range, node: options.node, countRows: options.rows }, signal);
  const wrong = lines.filter((line) => isClosed(line, now) && !balances(line));
  if (options.json) {
    const answer = lines.map(({ moment, ...line }) => ({
      minute: new Date(moment).toISOString(),
      closed: isClosed({ moment }, now),
      ...line,
    }));
    out.write(`${JSON.stringify({ balances: wrong.length === 0, lines: answer }, undefined, 2)}\n`);
    return wrong.length === 0;
  }
  if (lines.length === 0) {
    out.write(
      `No books between ${iso(range.from)} and ${iso(range.to)}${options.node === "" ? "" : ` of ${options.node}`}.\n`,
    );
    return true;
  }
  out.write(booksTable(lines, options.rows, now));
  out.write(`\n${verdict(lines, wrong)}\n`);
  return wrong.length === 0;
}

function booksTable(lines: readonly BooksLine[], withRows: boolean, now: number): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const sums = FIELDS.map((field) => number(lines.reduce((sum, line) => sum + line[field], 0)));
  const rowsSum = number(lines.reduce((sum, line) => sum + (line.rows ?? 0), 0));
  return columns(
    [
      "node",
      "minute (UTC)",
      "produced",
      "stored",
      "lost in ring",
      "lost in crash",
      "unseen",
      "shed",
      "quarantined",
      "filtered",
      "difference",
      ...(withRows ? ["rows"] : []),
    ],
    [
      ...lines.map((line) => [
        visible(line.node),
        `${iso(line.moment).slice(0, 16).replace("T", " ")}${isClosed(line, now) ? "" : " open"}`,
        ...FIELDS.map((field) => number(line[field])),
        ...(withRows ? [number(line.rows ?? 0)] : []),
      ]),
      ["all", "", ...sums, ...(withRows ? [rowsSum] : [])],
    ],
    2,
  );
}

function verdict(lines: readonly BooksLine[], wrong: readonly BooksLine[]): string {
  const sum = (of: (line: BooksLine) => number) => lines.reduce((total, line) => total + of(line), 0);
  const wanted = sum((line) => line.produced - line.filtered);
  const gone = sum(goneOf);
  const seen = wanted === 0 ? "Nothing was worth storing" : `${share(wanted - gone, wanted)} seen`;
  if (wrong.length === 0) return `${seen}. The books balance.`;
  const first = wrong[0]!;
  const what =
    first.difference === 0
      ? `${(first.rows ?? 0).toLocaleString("en-US")} rows where ${first.stored.toLocaleString("en-US")} are booked as stored`
      : `${Math.abs(first.difference).toLocaleString("en-US")} events ${first.difference > 0 ? "that nobody can account for" : "more than the kernel made"}`;
  return `${seen}. The books do not balance in ${wrong.length} ${wrong.length === 1 ? "minute" : "minutes"}, first on ${visible(first.node)} at ${iso(first.moment).slice(0, 16)}Z: ${what}.`;
}

/** Never "100.00 %" when something is missing. */
function share(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  return part === whole ? "100 %" : `${(Math.floor(percent * 100) / 100).toFixed(2)} %`;
}

const balances = (line: BooksLine): boolean =>
  line.difference === 0 && (line.rows === undefined || line.rows === line.stored);
const isClosed = ({ moment }: { readonly moment: number }, now: number): boolean =>
  moment + 60_000 + CLOSED_AFTER_MS <= now;
const iso = (at: number): string => new Date(at).toISOString();
