/**
 * How long rows are kept, on tables that exist already: CREATE TABLE IF NOT EXISTS leaves an old TTL alone, so a changed WEIR_KEEP_*
 * is applied here, after the migrations. In: the TTL clauses of the migrations. Out: an ALTER for each table whose days differ.
 */
import { z } from "zod";
import { splitStatements, type Placement, type Retention } from "./engines.ts";
import type { StoreWriter } from "./writer.ts";

/** A table that forgets: the time that its TTL counts from, and the setting that names its days. */
export interface KeptTable {
  readonly table: string;
  /** SQL of the time, as in the migration: `toDateTime(ts)`, `minute`. */
  readonly since: string;
  readonly setting: keyof Retention;
}

/** The tables with a TTL in these migrations' texts, in their order. */
export function keptTables(texts: readonly string[]): KeptTable[] {
  return texts.flatMap(splitStatements).flatMap((statement) => {
    const table = /CREATE TABLE IF NOT EXISTS @table\((\w+)\)/.exec(statement)?.[1];
    const ttl = /^TTL (.+) \+ INTERVAL @ttl\((\w+)\) DAY$/m.exec(statement);
    if (table === undefined || ttl === null) return [];
    return [{ table, since: ttl[1]!, setting: ttl[2]! as keyof Retention }]; // fillMigration refuses a setting that is none
  });
}

/**
 * What gives `kept` the days of the placement. The first statement keeps the second from rewriting the rows of every part: only its note
 * of when it expires is made anew; expired parts are then dropped whole.
 */
export function retentionStatements(
  { table, since, setting }: KeptTable,
  { database, cluster, retention }: Placement,
): string[] {
  const name = cluster === undefined ? `${database}.${table}` : `${database}.${table}_local ON CLUSTER '${cluster}'`;
  return [
    `ALTER TABLE ${name} MODIFY SETTING materialize_ttl_recalculate_only = 1`,
    `ALTER TABLE ${name} MODIFY TTL ${since} + INTERVAL ${retention[setting]} DAY`,
  ];
}

const Kept = z.object({ name: z.string(), days: z.coerce.number() });

/** Tables whose days differ from the settings; on a cluster by what the asked replica has. */
export async function changedRetention(
  writer: Pick<StoreWriter, "rows">,
  kept: readonly KeptTable[],
  { database, cluster, retention }: Placement,
  signal: AbortSignal,
): Promise<KeptTable[]> {
  const rows = await writer.rows(
    `SELECT name, toUInt32OrZero(extract(engine_full, 'TTL .*toIntervalDay\\\\(([0-9]+)\\\\)')) AS days FROM system.tables WHERE database = {database:String}`,
    Kept,
    { database },
    signal,
  );
  const days = new Map(rows.map((row) => [row.name, row.days]));
  return kept.filter(({ table, setting }) => {
    const now = days.get(cluster === undefined ? table : `${table}_local`);
    return now !== undefined && now !== retention[setting];
  });
}

/** Gives every table the days of the settings; one whose days are right is not touched. Returns the names of those that were changed. Throws StoreError. */
export async function applyRetention(
  writer: StoreWriter,
  kept: readonly KeptTable[],
  placement: Placement,
  signal: AbortSignal,
): Promise<string[]> {
  const changed = await changedRetention(writer, kept, placement, signal);
  for (const one of changed)
    for (const statement of retentionStatements(one, placement)) await writer.command(statement, signal);
  return changed.map((one) => one.table);
}
