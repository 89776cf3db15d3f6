/**
 * Brings the store to this version's schema: forward only, each file once, under a lock. In: store/migrations/NNNN_noun.sql.
 * The lock is a row with a lease in a small table: a second migrator waits for it, a dead one's lease runs out.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { StoreConfig } from "./config.ts";
import { fillMigration, type Placement } from "./engines.ts";
import { StoreError } from "./errors.ts";
import { applyRetention, changedRetention, keptTables } from "./retention.ts";
import { openWriter, type StoreWriter } from "./writer.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text: a merged file must not change. */
  readonly hash: string;
}

const FOLDER = new URL("migrations/", import.meta.url);
const LEASE_SECONDS = 60;

/** All migrations of this version, in order. */
export async function migrations(folder: URL = FOLDER): Promise<Migration[]> {
  const list: Migration[] = [];
  for (const file of (await readdir(folder)).toSorted()) {
    const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
    if (match === null) continue;
    const text = await readFile(new URL(file, folder), "utf8");
    list.push({
      version: Number(match[1]),
      name: match[2]!,
      text,
      hash: createHash("sha256").update(text).digest("hex"),
    });
  }
  return list;
}

const Applied = z.object({ version: z.number(), name: z.string(), hash: z.string() });
const Claim = z.object({ holder: z.string() });

/** Applies what is missing and the days that rows are kept, and returns the schema's version. Throws StoreError when the store is of a newer Weir, or a merged file changed. */
export async function migrate(
  writer: StoreWriter,
  config: StoreConfig,
  all?: readonly Migration[],
  signal: AbortSignal = AbortSignal.timeout(300_000),
): Promise<number> {
  const list = all ?? (await migrations());
  const placement: Placement = { database: config.database, cluster: config.cluster, retention: config.retention };
  await prepare(writer, placement, signal);
  const kept = keptTables(list.map((migration) => migration.text));
  if (
    pending(await applied(writer, placement, signal), list, config).length === 0 &&
    (await changedRetention(writer, kept, placement, signal)).length === 0
  )
    return list.at(-1)?.version ?? 0;
  const holder = `${hostname()}/${process.pid}/${createHash("sha256").update(String(process.hrtime.bigint())).digest("hex").slice(0, 12)}`;
  await lock(writer, placement, holder, signal);
  try {
    for (const migration of pending(await applied(writer, placement, signal), list, config)) {
      for (const statement of fillMigration(migration.text, placement)) await writer.command(statement, signal);
      const { version, name, hash } = migration;
      await writer.command(
        `INSERT INTO ${placement.database}.schema_migrations (version, name, hash) VALUES (${version}, '${name}', '${hash}')`,
        signal,
      );
    }
    await applyRetention(writer, kept, placement, signal);
  } finally {
    await release(writer, placement, holder, signal);
  }
  return list.at(-1)?.version ?? 0;
}

/** Version, name and time of what was applied; empty on a store without a schema. */
export async function applied(
  writer: Pick<StoreWriter, "rows">,
  placement: Pick<Placement, "database">,
  signal: AbortSignal,
): Promise<z.infer<typeof Applied>[]> {
  return writer.rows(
    `SELECT version, any(name) AS name, any(hash) AS hash FROM ${placement.database}.schema_migrations GROUP BY version ORDER BY version`,
    Applied,
    {},
    signal,
  );
}

function pending(
  done: readonly z.infer<typeof Applied>[],
  list: readonly Migration[],
  config: StoreConfig,
): Migration[] {
  const known = new Map(list.map((migration) => [migration.version, migration]));
  for (const { version, name, hash } of done) {
    const own = known.get(version);
    if (own === undefined) {
      throw new StoreError({
        code: "store-newer-schema",
        where: `${config.url}, database ${config.database}`,
        what: `the store's schema is of a newer Weir (it has migration ${version}, ${name}; this version knows up to ${list.at(-1)?.version ?? 0})`,
        next: "update Weir, or point it to another database with WEIR_CLICKHOUSE_DATABASE or WEIR_DATA_DIR",
      });
    }
    if (own.hash !== hash) {
      throw new StoreError({
        code: "store-schema-changed",
        where: `migration ${version} (${name})`,
        what: "it was applied with another text than this version's",
        next: "never edit a merged migration: add a new one",
      });
    }
  }
  const have = new Set(done.map((one) => one.version));
  return list.filter((migration) => !have.has(migration.version));
}

async function prepare(writer: StoreWriter, { database, cluster }: Placement, signal: AbortSignal): Promise<void> {
  const on = cluster === undefined ? "" : ` ON CLUSTER '${cluster}'`;
  const engine = (args: string) =>
    cluster === undefined
      ? `ReplacingMergeTree(${args})`
      : `ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/all', '{shard}-{replica}', ${args})`;
  if (database !== "default") {
    await using root = await openWriter({ ...writer.config, database: "default" }); // a server refuses any query in a database that is not there yet
    await root.command(`CREATE DATABASE IF NOT EXISTS ${database}${on}`, signal);
  }
  await writer.command(
    `CREATE TABLE IF NOT EXISTS ${database}.schema_migrations${on} (version UInt32 COMMENT 'number of the migration', name String COMMENT 'its noun', hash String COMMENT 'SHA-256 of its text', applied DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it was applied') ENGINE = ${engine("applied")} ORDER BY version COMMENT 'which migrations were applied'`,
    signal,
  );
  await writer.command(
    `CREATE TABLE IF NOT EXISTS ${database}.schema_lock${on} (holder String COMMENT 'host/pid/nonce', at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'when it claimed or let go', released UInt8 COMMENT '1 = let go', version UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) COMMENT 'latest row of a holder holds') ENGINE = ${engine("version")} ORDER BY holder TTL toDateTime(at) + INTERVAL 1 DAY COMMENT 'who migrates: the oldest claim that is neither let go nor older than its lease'`,
    signal,
  );
}

/** Claims, then waits until the oldest living claim is ours. */
async function lock(writer: StoreWriter, { database }: Placement, holder: string, signal: AbortSignal): Promise<void> {
  await writer.command(`INSERT INTO ${database}.schema_lock (holder, released) VALUES ('${holder}', 0)`, signal);
  const oldest = `SELECT holder FROM ${database}.schema_lock FINAL WHERE released = 0 AND at > now64(6) - INTERVAL ${LEASE_SECONDS} SECOND ORDER BY at, holder LIMIT 1`;
  const deadline = Date.now() + 2 * LEASE_SECONDS * 1000;
  for (;;) {
    const [first] = await writer.rows(oldest, Claim, {}, signal);
    if (first === undefined || first.holder === holder) return;
    if (Date.now() > deadline) {
      throw new StoreError({
        code: "store-migrating",
        what: `${first.holder} is migrating the store and does not end`,
        next: "wait for it, or stop it",
      });
    }
    await wait(200, undefined, { signal });
  }
}

async function release(
  writer: StoreWriter,
  { database }: Placement,
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  await writer.command(`INSERT INTO ${database}.schema_lock (holder, released) VALUES ('${holder}', 1)`, signal);
}
