import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";

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
}
