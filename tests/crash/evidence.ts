/** What was true when a collector died, taken from the disk and the kernel before anything is started again; and whether the store agrees in the end. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { madeAtPin } from "../../collector/kernel/pins.ts";
import { listSegments } from "../../collector/spool/files.ts";
import { leftLedgers } from "../../collector/spool/ledger.ts";
import { scanSegment } from "../../collector/spool/segment.ts";
import { storeConfig } from "../../store/config.ts";
import { openReader } from "../../store/reader.ts";

/** The sum over what was found. All must be 0 but the first two and the last. */
export interface Verdict {
  readonly events: number;
  readonly rows: number;
  /** Rows that were durable when the collector died and that the store does not have. */
  readonly lost: number;
  /** Rows that the store has twice, in `flows` or in a roll-up. */
  readonly doubled: number;
  /** Events that a dead collector's kernel counters have and the books do not, or the other way round. */
  readonly uncounted: number;
  /** Events that the books call lost with a collector. */
  readonly crashed: number;
  /** Sentences about each thing that is not as it should be. */
  readonly findings: readonly string[];
}

export class Evidence {
  readonly #dataDir: string;
  /** Segment → rows that were durable in it when the collector died. */
  readonly #durable = new Map<string, { readonly table: string; readonly rows: number }>();
  /** Generation → events that its kernel programs and readers made. */
  readonly #made = new Map<number, number>();

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Call when no collector runs. */
  async take(): Promise<void> {
    for (const { path, name } of await listSegments(join(this.#dataDir, "spool"))) {
      const rows = await readRows(path, name.upTo);
      if (rows > 0) this.#durable.set(name.id, { table: name.table, rows });
    }
    for (const { state } of leftLedgers(this.#dataDir)) {
      if (state === undefined) continue;
      const made = state.pin === "" ? undefined : madeAtPin(state.pin);
      // a generation that died before its programs were loaded made nothing
      if (made !== undefined) this.#made.set(state.generation, sum(made) + sum(state.readOut));
    }
  }

  /** Asks the store, when all that waited has arrived. */
  async judge(env: NodeJS.ProcessEnv): Promise<Verdict> {
    await using reader = openReader(storeConfig(env));
    const ask = async (sql: string) =>
      reader.rows(
        { sql: `${sql} LIMIT 100000`, row: z.record(z.string(), z.coerce.string()) },
        {},
        AbortSignal.timeout(60_000),
      );
    const findings: string[] = [];

    const arrived = new Map(
      (await ask("SELECT segment, any(rows) AS n FROM segments GROUP BY segment")).map((row) => [
        row["segment"]!,
        Number(row["n"]),
      ]),
    );
    let lost = 0;
    for (const [id, { rows }] of this.#durable) {
      const has = arrived.get(id) ?? 0;
      if (has === rows) continue;
      lost += Math.max(0, rows - has);
      findings.push(`segment ${id} held ${rows} durable rows; the store acknowledged ${has}`);
    }

    const flows = await ask(
      "SELECT generation, count() AS n, uniqExact(boot, cpu, seq) AS different FROM flows GROUP BY generation",
    );
    const [dns] = await ask("SELECT count() AS n FROM dns_answers");
    const books = await ask(
      "SELECT generation, sum(b.produced) AS made, sum(b.stored) AS kept, sum(b.produced) - sum(b.stored) - sum(b.lost) - sum(b.shed) - sum(b.quarantined) - sum(b.filtered) AS difference, sumIf(b.lost, endsWith(b.type, ' (crash)')) AS crashed FROM books AS b GROUP BY generation",
    );
    const total = (rows: readonly Record<string, string>[], field: string) =>
      rows.reduce((all, row) => all + Number(row[field]), 0);
    const stored = total(flows, "n") + Number(dns?.["n"] ?? 0);
    let doubled = total(flows, "n") - total(flows, "different");
    if (doubled > 0) findings.push(`${doubled} rows of flows are there twice`);
    const bySegments = [...arrived]
      .filter(([id]) => /-(flows|dns_answers)-/.test(id))
      .reduce((all, [, n]) => all + n, 0);
    if (bySegments !== stored) {
      findings.push(`${stored} rows are in the tables, ${bySegments} were acknowledged`);
      lost += Math.max(0, bySegments - stored);
      doubled += Math.max(0, stored - bySegments);
    }
    for (const rollUp of ["edges_1m", "edges_1h"]) {
      const reports = Number((await ask(`SELECT sum(reports) AS n FROM ${rollUp}`))[0]?.["n"] ?? 0);
      const off = reports - total(flows, "n");
      if (off !== 0) findings.push(`${rollUp} is of ${reports} rows, flows has ${total(flows, "n")}`);
      doubled += Math.max(0, off);
      lost += Math.max(0, -off);
    }

    if (total(books, "kept") !== stored)
      findings.push(`${stored} rows are in the tables, the books call ${total(books, "kept")} stored`);
    lost += Math.max(0, total(books, "kept") - stored);
    let uncounted = 0;
    for (const row of books) {
      if (Number(row["difference"]) !== 0)
        findings.push(`generation ${row["generation"]}: the books differ by ${row["difference"]}`);
      uncounted += Math.abs(Number(row["difference"]));
    }
    const produced = new Map(books.map((row) => [Number(row["generation"]), Number(row["made"])]));
    for (const [generation, made] of this.#made) {
      const off = made - (produced.get(generation) ?? 0);
      if (off !== 0)
        findings.push(
          `generation ${generation}: the kernel counted ${made} events, the books have ${produced.get(generation) ?? 0}`,
        );
      uncounted += Math.abs(off);
    }
    return {
      events: total(books, "made"),
      rows: stored,
      lost,
      doubled,
      uncounted,
      crashed: total(books, "crashed"),
      findings,
    };
  }
}

async function readRows(path: string, upTo: number | undefined): Promise<number> {
  try {
    return scanSegment(await readFile(path), upTo).frames.reduce((rows, frame) => rows + frame.rows, 0);
  } catch {
    return 0; // died within the header: no row was in it
  }
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, n) => all + n, 0);
