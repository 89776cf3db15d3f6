/**
 * The one place where engine names, ON CLUSTER, retention and deduplication windows get into the SQL of a migration.
 *
 * In: a migration's text with marks. Out: statements in order, ready to run one by one.
 *
 *   @table(flows)              one machine: db.flows        cluster: db.flows_local (and db.flows, Distributed, made behind it)
 *   @all(flows)                db.flows                     db.flows, so the rows of all shards
 *   @view(flows_to_edges_1m)   the same name in both; on a cluster it reads and fills the local tables
 *   @cluster                   nothing                      ON CLUSTER 'name'
 *   @engine(MergeTree[, args]) MergeTree(args)              ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}'[, args])
 *   @ttl(flows)                days, from the retention settings
 *   @durable                   (non_)replicated_deduplication_window = N, fsync_after_insert = 1, fsync_part_directory = 1
 */
import { WeirError } from "../model/errors.ts";

/** Tables that have a TTL, and how long they are kept, in days. */
export interface Retention {
  readonly flows: number;
  readonly edges_1m: number;
  readonly edges_5m: number;
  readonly edges_1h: number;
  readonly drops_1m: number;
  readonly tuples_1h: number;
  readonly dns_answers: number;
  readonly books: number;
  readonly collector_health: number;
  readonly segments: number;
}

/** A week of rows, a month of minutes, a year of hours: about 30 GB for a node with 100 reports a second (30 bytes a row). */
export const DEFAULT_RETENTION: Retention = {
  flows: 7,
  edges_1m: 30,
  edges_5m: 30,
  edges_1h: 400,
  drops_1m: 30,
  tuples_1h: 90,
  dns_answers: 30,
  books: 400,
  collector_health: 30,
  segments: 14,
};

export interface Placement {
  readonly database: string;
  /** Name of the cluster in the server's configuration, or undefined for one machine (embedded or a single server). */
  readonly cluster: string | undefined;
  readonly retention: Retention;
}

/**
 * Blocks that a table remembers by their token. A segment is one block a partition, a node sends one or two segments a second
 * and asks before it sends older ones, so 10,000 is more than an hour; `segments` answers for what is older.
 */
export const DEDUPLICATION_WINDOW = 10_000;

/** How rows of a table are spread over shards: a segment comes from one node and must reach one shard whole, or its token means nothing. */
const SHARD_KEY: Readonly<Record<string, string>> = {
  edges_1m: "cityHash64(src_id)",
  edges_5m: "cityHash64(src_id)",
  edges_1h: "cityHash64(src_id)",
  tuples_1h: "cityHash64(src_id)",
  roll_ups: "cityHash64(roll_up)",
  identities: "id",
  endpoints: "cityHash64(address)",
  services: "cityHash64(address)",
  policies: "cityHash64(uid)",
  named_ports: "identity",
  segments: "cityHash64(segment)",
};
const SHARD_BY_NODE = "cityHash64(node)";

/** The statements of a migration for this placement, comments kept. Throws WeirError on an unknown mark or table. */
export function fillMigration(text: string, placement: Placement): string[] {
  const { database, cluster, retention } = placement;
  const name = (table: string) => `${database}.${cluster === undefined ? table : `${table}_local`}`;
  const statements: string[] = [];
  for (const source of splitStatements(text)) {
    const filled = source
      .replace(/@table\((\w+)\)/g, (_, table: string) => name(table))
      .replace(/@all\((\w+)\)/g, (_, table: string) => `${database}.${table}`)
      .replace(/@view\((\w+)\)/g, (_, view: string) => `${database}.${view}`)
      .replace(/ ?@cluster/g, cluster === undefined ? "" : ` ON CLUSTER '${cluster}'`)
      .replace(/@engine\((\w+)((?:, *\w+)*)\)/g, (_, engine: string, args: string) => engineName(engine, args, cluster))
      .replace(/@ttl\((\w+)\)/g, (_, table: string) => String(daysOf(table, retention)))
      .replace(
        /@durable/g,
        `${cluster === undefined ? "non_replicated" : "replicated"}_deduplication_window = ${DEDUPLICATION_WINDOW}, fsync_after_insert = 1, fsync_part_directory = 1`,
      );
    const left = /@\w+/.exec(filled);
    if (left !== null)
      throw new WeirError({
        code: "migration-mark",
        what: `unknown mark ${left[0]} in a migration`,
        expected: "@table, @all, @view, @cluster, @engine, @ttl or @durable",
      });
    statements.push(filled);
    const made = /CREATE TABLE IF NOT EXISTS @table\((\w+)\)/.exec(source)?.[1];
    if (cluster !== undefined && made !== undefined) statements.push(distributed(made, database, cluster));
  }
  return statements;
}

/** `; ` ends a statement at the end of a line only: no migration holds one inside of a text. */
export function splitStatements(text: string): string[] {
  return text
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replace(/--.*$/gm, "").trim() !== "");
}

function engineName(engine: string, args: string, cluster: string | undefined): string {
  const list = args
    .split(",")
    .map((arg) => arg.trim())
    .filter((arg) => arg !== "");
  if (cluster === undefined) return `${engine}(${list.join(", ")})`;
  return `Replicated${engine}(${["'/clickhouse/tables/{uuid}/{shard}'", "'{replica}'", ...list].join(", ")})`;
}

function distributed(table: string, database: string, cluster: string): string {
  const key = SHARD_KEY[table] ?? SHARD_BY_NODE;
  return `CREATE TABLE IF NOT EXISTS ${database}.${table} ON CLUSTER '${cluster}' AS ${database}.${table}_local\nENGINE = Distributed('${cluster}', '${database}', '${table}_local', ${key})`;
}

function daysOf(table: string, retention: Retention): number {
  if (!Object.hasOwn(retention, table))
    throw new WeirError({ code: "migration-mark", what: `no retention is set for ${table}` });
  return retention[table as keyof Retention];
}
