import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";
import { untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  program
    .command("collect")
    .description("observe this machine's kernel and write what it sees to the store")
    .option("--data-dir <dir>", "where spool and locks are kept (WEIR_DATA_DIR)")
    .option("--inventory <file>", "who addresses, namespaces, containers and units are (WEIR_INVENTORY)")
    .option("--netns <list>", "network namespaces to observe: all, names, inode numbers, prefix* (WEIR_NETNS)")
    .option(
      "--cpu <number>",
      "CPUs that it may use before it leaves out whole connections; 0 = no limit (WEIR_COLLECT_CPU, 1)",
    )
    .option("--replay <file>", "play a recorded sample instead of observing (WEIR_REPLAY)")
    .option("--record <file>", "also record what is observed into a sample for --replay")
    .addHelpText("after", EXAMPLES)
    .action(
      async (options: {
        dataDir?: string;
        inventory?: string;
        netns?: string;
        cpu?: string;
        replay?: string;
        record?: string;
      }) => {
        const { collect } = await import("../collect.ts"); // only now: it loads the engine's client and libbpf
        endWithSupervisor();
        const env: NodeJS.ProcessEnv = { ...process.env };
        if (options.dataDir !== undefined) env["WEIR_DATA_DIR"] = options.dataDir;
        if (options.inventory !== undefined) env["WEIR_INVENTORY"] = options.inventory;
        if (options.netns !== undefined) env["WEIR_NETNS"] = options.netns;
        if (options.cpu !== undefined) env["WEIR_COLLECT_CPU"] = options.cpu;
        if (options.replay !== undefined) Object.assign(env, { WEIR_REPLAY: options.replay, WEIR_SOURCE: "replay" });
        await collect(env, untilSignal(), options.record);
      },
    );
}

const EXAMPLES = `
Exit code: 0 ended by Ctrl-C or SIGTERM, 2 it could not start.

Examples:
  sudo weir collect                                    this machine, all network namespaces
  sudo weir collect --netns 'web,db,shop-*'
  sudo weir collect --cpu 0.5                          at most half a CPU; connections beyond are counted as shed
  weir collect --replay sample.weir                    no rights needed: a recorded sample, its times moved to now
  sudo weir collect --inventory inventory.yaml
`;
