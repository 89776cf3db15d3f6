import type { Command } from "commander";
import { policiesFolder } from "../policies-folder.ts";
import { startAll } from "../start.ts";
import { fired, untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  program
    .command("start")
    .description("run store, collector and app on this machine and print the URL")
    .option("--port <port>", "port of the app (WEIR_PORT, 7070)")
    .option("--host <address>", "address that the app listens on (WEIR_HOST, 127.0.0.1)")
    .option("--data-dir <dir>", "where everything is kept (WEIR_DATA_DIR; root: /var/lib/weir)")
    .option("--policies <dir>", "policies in force: a folder that the page Policies reads and watches (WEIR_POLICIES)")
    .option("--no-collect", "observe nothing, show what the store has")
    .option("-v, --verbose", "show every line that the parts say")
    .addHelpText("after", EXAMPLES)
    .action(
      async (options: {
        port?: string;
        host?: string;
        dataDir?: string;
        policies?: string;
        collect: boolean;
        verbose?: boolean;
      }) => {
        const signal = untilSignal();
        const env: NodeJS.ProcessEnv = { ...process.env };
        if (options.port !== undefined) env["WEIR_PORT"] = options.port;
        if (options.host !== undefined) env["WEIR_HOST"] = options.host;
        if (options.dataDir !== undefined) env["WEIR_DATA_DIR"] = options.dataDir;
        if (options.policies !== undefined) env["WEIR_POLICIES"] = policiesFolder(options.policies);
        const started = await startAll({ env, collect: options.collect, verbose: options.verbose ?? false }, signal);
        process.stdout.write(`\n  ${started.url}\n\n  Ctrl-C ends it. What was recorded stays.\n`);
        await fired(signal);
        await started.stop();
      },
    );
}

const EXAMPLES = `
Exit code: 0 ended by Ctrl-C or SIGTERM, 2 it could not start.

Examples:
  weir start                                   observe this machine (as root; without rights the recorded sample plays)
  weir start --port 8080
  weir start --policies deploy/policies        judge drafts against the policies of a folder
  WEIR_CLICKHOUSE_URL=http://ch:8123 weir start   keep the rows in a ClickHouse of your own
`;
