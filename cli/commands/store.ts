import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";
import { untilSignal } from "../until-signal.ts";
import { choice } from "./choice.ts";

export function register(program: Command): void {
  const store = program
    .command("store")
    .description("sizes and schema version of the store, and questions to it")
    .option("--json", "as JSON")
    .addHelpText("after", STORE_HELP)
    .action(async (options: { json?: boolean }) => {
      const { storeSizes } = await import("../store.ts");
      await storeSizes(process.env, { json: options.json ?? false }, process.stdout, untilSignal());
    });
  store
    .command("sql")
    .description("ask the store in SQL, as a reader: nothing can be changed")
    .argument("[sql]", "the question; left out: standard input")
    .option("--output <format>", "table, json, csv, tsv, vertical, parquet", "table")
    .addHelpText("after", SQL_HELP)
    .action(async (sql: string | undefined, options: { output: string }) => {
      const { storeSql } = await import("../store.ts");
      await storeSql(process.env, sql, options.output, process.stdin, process.stdout, untilSignal());
    });
  store
    .command("books")
    .description("what the kernel produced and what became of it, by node and minute")
    .option("--since <time>", "from when: 1h, now-2h, 2026-11-24", "1h")
    .option("--until <time>", "until when", "now")
    .option("--node <name>", "only this node", "")
    .option("--rows", "count the rows that are in the store, too: they must be as many as are booked")
    .option("--format <format>", "table, json", "table")
    .addHelpText("after", BOOKS_HELP)
    .action(async (options: { since: string; until: string; node: string; rows?: boolean; format: string }) => {
      const format = choice(options.format, "--format", ["table", "json"]);
      const { storeBooks } = await import("../store-books.ts");
      const asked = { since: options.since, until: options.until, node: options.node };
      const rest = { rows: options.rows ?? false, json: format === "json" };
      if (!(await storeBooks(process.env, { ...asked, ...rest }, process.stdout, untilSignal()))) process.exitCode = 1;
    });
  store
    .command("migrate")
    .description(
      "bring the schema of a ClickHouse of your own up to this version; the embedded store does so by itself",
    )
    .addHelpText("after", MIGRATE_HELP)
    .action(async () => {
      const { migrateStore } = await import("../store-migrate.ts");
      const version = await migrateStore(process.env);
      process.stdout.write(`schema version ${version}\n`);
    });
  store
    .command("serve")
    .description("run the embedded store alone, behind ClickHouse's HTTP protocol on loopback")
    .option("--port <port>", "port (WEIR_STORE_PORT, 7071)")
    .option("--data-dir <dir>", "where its data is (WEIR_DATA_DIR)")
    .addHelpText("after", SERVE_HELP)
    .action(async (options: { port?: string; dataDir?: string }) => {
      endWithSupervisor();
      if (options.port !== undefined) process.env["WEIR_STORE_PORT"] = options.port;
      if (options.dataDir !== undefined) process.env["WEIR_DATA_DIR"] = options.dataDir;
      await import("../../store/embedded/main.ts");
    });
  program
    .command("export")
    .description("write recorded rows: flows, edges, tuples, dns")
    .argument("<what>", "flows, edges, tuples (for weir whatif --tuples), dns")
    .argument("[filter...]", "terms of the filter language")
    .option("--format <format>", "csv, json, parquet; tuples: also jsonl, the default there")
    .option("--since <time>", "from when: 7d, now-2h, 2026-11-24", "1h")
    .option("--until <time>", "until when", "now")
    .option("--scope <list>", "only flows with an end in these namespaces, comma-separated", "")
    .option("-o, --output <file>", "file to write; default: standard output")
    .addHelpText("after", EXPORT_HELP)
    .action(async (what: string, terms: string[], options: ExportOptions) => {
      const { exportCommand } = await import("../export.ts");
      await exportCommand(process.env, { what, filter: terms.join(" "), ...options }, untilSignal());
    });
}

interface ExportOptions {
  readonly format?: string;
  readonly since: string;
  readonly until: string;
  readonly scope: string;
  readonly output?: string;
}

const STORE_HELP = `
Exit code: 0 answered, 2 there is no answer (no store, bad input).

Examples:
  weir store
  weir store sql "SELECT reason, sum(drops) FROM flows WHERE kind = 'drop' GROUP BY reason"
  weir store serve & curl 'http://127.0.0.1:7071/?query=SELECT+1'
`;

const EXPORT_HELP = `
Exit code: 0 written, also when nothing matched; 2 there is no answer (no store, bad input).

Examples:
  weir export flows src:web --since 2h --format csv -o flows.csv
  weir export edges --since 7d --format parquet -o edges.parquet
  weir export tuples --since 7d -o tuples.jsonl
`;

const SQL_HELP = `
Exit code: 0 answered, 2 there is no answer (no store, wrong SQL, a statement that would change something).

Examples:
  weir store sql "SELECT dst_workload, sum(opened) FROM flows GROUP BY dst_workload"
  weir store sql --output csv < question.sql > answer.csv
`;

const BOOKS_HELP = `
produced = stored + lost in ring + lost in crash + unseen + shed + quarantined + filtered; the difference is what nobody can account for.
A minute is closed a minute after its end; open ones may still grow. --rows: rows older than flows are kept are not there any more.

Exit code: 0 every closed minute balances, 1 one does not, 2 there is no answer (no store, bad input).

Examples:
  weir store books --since 24h
  weir store books --rows --node node-a --format json
`;

const MIGRATE_HELP = `
Exit code: 0 the schema is this version's, 2 it is not (no server, a newer schema, no rights).

Example:
  WEIR_CLICKHOUSE_URL=http://ch:8123 weir store migrate
`;

const SERVE_HELP = `
Exit code: 0 ended by Ctrl-C or SIGTERM, 2 it could not start.

Example:
  weir store serve --port 7171 --data-dir /srv/weir
`;
