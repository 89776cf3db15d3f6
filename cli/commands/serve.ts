import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";
import { serve } from "../serve.ts";
import { fired, untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  program
    .command("serve")
    .description("serve the screens; the store and the collector run elsewhere")
    .option("--port <port>", "port to listen on (WEIR_PORT, 7070; 0 = any free one)")
    .option("--host <address>", "address to listen on (WEIR_HOST, 127.0.0.1)")
    .addHelpText("after", EXAMPLES)
    .action(async (options: { port?: string; host?: string }) => {
      const signal = untilSignal();
      endWithSupervisor();
      const env: NodeJS.ProcessEnv = { ...process.env };
      if (options.port !== undefined) env["WEIR_PORT"] = options.port;
      if (options.host !== undefined) env["WEIR_HOST"] = options.host;
      const app = await serve(env, (line) => process.stderr.write(`weir: ${line}\n`));
      const host = env["WEIR_HOST"] ?? "127.0.0.1";
      process.stdout.write(`http://${host.includes(":") ? `[${host}]` : host}:${app.port}\n`);
      await fired(signal);
      await app.close();
    });
}

const EXAMPLES = `
Examples:
  weir serve                                    the embedded store's rows on http://127.0.0.1:7070
  WEIR_CLICKHOUSE_URL=http://ch:8123 weir serve
  weir serve --host 0.0.0.0                     for other machines; who reaches the port sees everything
`;
