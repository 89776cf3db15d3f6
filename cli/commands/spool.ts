import type { Command } from "commander";
import { untilSignal } from "../until-signal.ts";
import { choice } from "./choice.ts";

interface Options {
  readonly dataDir?: string;
  readonly format: string;
}

export function register(program: Command): void {
  const spool = program
    .command("spool")
    .description("rows that wait on this disk for the store: list, check, send by hand")
    .addHelpText("after", SPOOL_HELP);
  const both = (command: Command) =>
    command
      .option("--data-dir <dir>", "the collector's data directory (WEIR_DATA_DIR)")
      .option("--format <format>", "table, json", "table");
  both(spool.command("list").description("segments that wait, oldest first, and what is in quarantine"))
    .addHelpText("after", LIST_HELP)
    .action(async (options: Options) => {
      const json = isJson(options);
      const { spoolList } = await import("../spool.ts");
      await spoolList(environment(options), { json }, process.stdout);
    });
  both(spool.command("check").description("read every segment and check every sum"))
    .addHelpText("after", CHECK_HELP)
    .action(async (options: Options) => {
      const json = isJson(options);
      const { spoolCheck } = await import("../spool.ts");
      if (!(await spoolCheck(environment(options), { json }, process.stdout))) process.exitCode = 1;
    });
  spool
    .command("replay")
    .description("send what waits to the store; not while a collector runs on this directory: it does so by itself")
    .option("--data-dir <dir>", "the collector's data directory (WEIR_DATA_DIR)")
    .option("--quarantined", "instead: offer the store again what it refused before")
    .addHelpText("after", REPLAY_HELP)
    .action(async (options: { dataDir?: string; quarantined?: boolean }) => {
      const { spoolReplay } = await import("../spool.ts");
      const asked = { quarantined: options.quarantined ?? false };
      if (!(await spoolReplay(environment(options), asked, process.stdout, untilSignal()))) process.exitCode = 1;
    });
}

const isJson = ({ format }: Options): boolean => choice(format, "--format", ["table", "json"]) === "json";

function environment({ dataDir }: { readonly dataDir?: string }): NodeJS.ProcessEnv {
  return dataDir === undefined ? process.env : { ...process.env, WEIR_DATA_DIR: dataDir };
}

const SPOOL_HELP = `
list and check may be used while a collector runs; replay may not.

Exit code: 0 yes, 1 the answer is no (damage, something is left), 2 there is no answer.

Examples:
  weir spool list
  weir spool check --data-dir /srv/weir
`;

const LIST_HELP = `
Exit code: 0 listed, 2 there is no spool.

Examples:
  weir spool list
  weir spool list --format json | jq '.segments | length'
`;

const CHECK_HELP = `
Exit code: 0 every segment is whole, 1 one is damaged, 2 there is no spool.

Example:
  weir spool check --data-dir /srv/weir
`;

const REPLAY_HELP = `
Exit code: 0 nothing is left, 1 something is, 2 the store does not answer, or a collector holds the directory.

Examples:
  weir spool replay --data-dir /mnt/old-disk/weir
  weir spool replay --quarantined
`;
