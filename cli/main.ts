import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { failure } from "./failure.ts";
import { interruption } from "./until-signal.ts";

/** Exit codes of every command: 0 yes, 1 the answer is no, 2 there is no answer (bad input, nothing to ask). */
export const EXIT = { yes: 0, no: 1, noAnswer: 2 } as const;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("weir")
  .description("See the traffic of this machine or cluster, see why packets die, try a policy before it bites.")
  .version(version, "-V, --version")
  .showHelpAfterError("(weir --help lists the commands, weir COMMAND --help their options)")
  .addHelpText(
    "after",
    `
Exit code of each command: 0 yes, 1 the answer is no, 2 there is no answer (bad input, nothing to ask).

Examples:
  weir start                    observe this machine and print the URL of the screens
  weir doctor                   what works here, what is missing, what to type
  weir observe -f verdict:dropped,failed
`,
  )
  .exitOverride();

// Each command is imported only when it is asked for: `weir --help` need not load an engine.
for (const register of [
  () => import("./commands/start.ts"),
  () => import("./commands/collect.ts"),
  () => import("./commands/serve.ts"),
  () => import("./commands/store.ts"),
  () => import("./commands/spool.ts"),
  () => import("./commands/observe.ts"),
  () => import("./commands/policy.ts"),
  () => import("./commands/demo.ts"),
  () => import("./commands/doctor.ts"),
  () => import("./commands/completion.ts"),
]) {
  (await register()).register(program);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.yes : EXIT.noAnswer;
  else process.exitCode = interruption(error) ?? failure(error);
}
