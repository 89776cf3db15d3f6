import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";
import { untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  const store = program.command("store").description("sizes, schema and questions of the store");
  store
    .command("serve")
    .description("run the embedded store alone, behind ClickHouse's HTTP protocol on loopback")
    .option("--port <port>", "port (WEIR_STORE_PORT, 7071)")
    .option("--data-dir <dir>", "where its data is (WEIR_DATA_DIR)")
    .addHelpText("after", "\nExample:\n  weir store serve & curl 'http://127.0.0.1:7071/?query=SELECT+1'\n")
    .action(async (options: { port?: string; dataDir?: string }) => {
      endWithSupervisor();
      if (options.port !== undefined) process.env["WEIR_STORE_PORT"] = options.port;
      if (options.dataDir !== undefined) process.env["WEIR_DATA_DIR"] = options.dataDir;
      await import("../../store/embedded/main.ts");
    });
  store.option("--json", "the whole answer as JSON").action(async (options: { json?: boolean }) => {
    const { storeSizes } = await import("../store.ts");
    await storeSizes(process.env, { json: options.json === true }, process.stdout, untilSignal());
  });
  store
    .command("sql [statement]")
    .description("a read-only question in SQL, from the argument or standard input")
    .option("--format <format>", "table, csv, json, tsv, vertical, parquet or a name of ClickHouse's", "table")
    .addHelpText("after", '\nExample:\n  weir store sql "SELECT reason, sum(drops) FROM drops_1m GROUP BY reason"\n')
    .action(async (statement: string | undefined, options: { format: string }) => {
      const { storeSql } = await import("../store.ts");
      await storeSql(process.env, statement, options.format, process.stdin, process.stdout, untilSignal());
    });
  program
    .command("export <what>")
    .description("rows for other programs: flows, edges, tuples or dns")
    .option("--format <format>", "csv, json (one object a line) or parquet", "csv")
    .option("--from <time>", "now-1h, now-7d or ISO 8601", "now-1h")
    .option("--to <time>", "as --from", "now")
    .option("--filter <filter>", "as in the filter field: src:web -verdict:allowed", "")
    .option("--scope <namespaces>", "comma-separated namespaces; an end of a flow lies in one", "")
    .option("--output <file>", "a new file; standard output else")
    .addHelpText(
      "after",
      "\nExample:\n  weir export flows --from now-15m --filter verdict:dropped --output drops.csv\n",
    )
    .action(
      async (
        what: string,
        options: { format: string; from: string; to: string; filter: string; scope: string; output?: string },
      ) => {
        const { exportRows } = await import("../store.ts");
        const scope = options.scope.split(",").filter((name) => name !== "");
        await exportRows(
          process.env,
          { ...options, what, scope, output: options.output },
          process.stdout,
          untilSignal(),
        );
      },
    );
}
