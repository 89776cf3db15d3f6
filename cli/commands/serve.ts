import type { Command } from "commander";
import { policiesFolder } from "../policies-folder.ts";
import { endWithSupervisor } from "../supervise.ts";
import { fired, untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  program
    .command("serve")
    .description("run the app alone, on a store that runs elsewhere")
    .option("--port <port>", "port (WEIR_PORT, 7070)")
    .option("--host <address>", "address to listen on (WEIR_HOST, 127.0.0.1)")
    .option("--policies <dir>", "policies in force: a folder that the page Policies reads and watches (WEIR_POLICIES)")
    .option("--build-only", "build the pages where they are older than their sources, and end")
    .addHelpText(
      "after",
      "\nExit code: 0 ended by Ctrl-C or SIGTERM, 2 it could not start.\n\nExample:\n  WEIR_CLICKHOUSE_URL=http://ch:8123 weir serve --port 8080\n",
    )
    .action(async (options: { port?: string; host?: string; policies?: string; buildOnly?: boolean }) => {
      const { buildIfStale, serve } = await import("../serve.ts");
      if (options.buildOnly === true) return buildIfStale((line) => process.stderr.write(`weir: ${line}\n`));
      const signal = untilSignal();
      endWithSupervisor();
      const env: NodeJS.ProcessEnv = { ...process.env };
      if (options.port !== undefined) env["WEIR_PORT"] = options.port;
      if (options.host !== undefined) env["WEIR_HOST"] = options.host;
      if (options.policies !== undefined) env["WEIR_POLICIES"] = policiesFolder(options.policies);
      Object.assign(process.env, { WEIR_POLICIES: env["WEIR_POLICIES"] ?? "" }); // routes read the process's own
      const app = await serve(env, (line) => process.stderr.write(`weir: ${line}\n`));
      await fired(signal);
      await app.close();
      process.exit(0); // Next's caches keep timers, which would keep the process
    });
}
