import type { Command } from "commander";
import { endWithSupervisor } from "../supervise.ts";
import { untilSignal } from "../until-signal.ts";

interface Options {
  readonly seed: string;
  readonly seconds: string;
  readonly id?: string;
  readonly check?: boolean;
  readonly port?: string;
  readonly verbose?: boolean;
}

export function register(program: Command): void {
  program
    .command("demo")
    .description("make a small world of services in network namespaces and watch it; root only")
    .option("--seed <number>", "what the world does depends on this alone", "1")
    .option("--check", "no screen: compare what the world did with what the store says, exit 1 when they differ")
    .option("--seconds <number>", "how long the checked world runs", "30")
    .option("--id <name>", "name of the world; two of different names do not disturb each other")
    .option("--port <port>", "port of the app (WEIR_PORT, 7070)")
    .option("-v, --verbose", "show every line that the parts say")
    .addHelpText(
      "after",
      "\nExit code: 0 ended, or the check agrees; 1 the check does not; 2 it could not run.\n\nExamples:\n  weir demo\n  weir demo --check --seed 7 --seconds 30\n",
    )
    .action(async (options: Options) => {
      const { checkDemo, showDemo, wholeNumber } = await import("../demo.ts");
      const signal = untilSignal();
      endWithSupervisor();
      const env: NodeJS.ProcessEnv = { ...process.env };
      if (options.port !== undefined) env["WEIR_PORT"] = options.port;
      const common = {
        seed: wholeNumber(options.seed, "--seed", 0, 2 ** 32 - 1),
        id: options.id ?? (options.check === true ? `check${process.pid}` : "demo"),
        env,
        verbose: options.verbose ?? false,
      };
      if (options.check !== true) return showDemo(common, signal);
      const agrees = await checkDemo(
        { ...common, seconds: wholeNumber(options.seconds, "--seconds", 5, 3600) },
        signal,
      );
      if (!agrees) process.exitCode = 1;
    });
}
