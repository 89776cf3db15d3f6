import { Command } from "commander";
import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { weir } from "./weir.ts";

/** Every command with its path, as the command line registers them. */
async function commands(): Promise<readonly [string, Command][]> {
  const program = new Command("weir");
  for (const file of globSync(join(import.meta.dirname, "../cli/commands/*.ts"))) {
    const { register } = (await import(file)) as { register?: (program: Command) => void };
    register?.(program);
  }
  const below = (command: Command, path: string): [string, Command][] =>
    command.commands.flatMap((sub): [string, Command][] => [
      [`${path} ${sub.name()}`, sub],
      ...below(sub, `${path} ${sub.name()}`),
    ]);
  return below(program, "weir");
}

const all = await commands();

describe("--help has an example that begins with the command, and says the exit codes", () => {
  test("of weir itself, which lists every command", async () => {
    const { code, stdout, stderr } = await weir(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/Exit code of each command: 0 .*1 .*2 [\s\S]*Examples:\n {2}weir /);
    for (const [path] of all.filter(([name]) => name.split(" ").length === 2))
      expect(stdout).toMatch(new RegExp(`^ {2}${path.slice("weir ".length)}\\b`, "m"));
  });

  test.each(all)("of %s", (path, command) => {
    let text = "";
    command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    expect(text).toMatch(/\nExit code[^\n]*: 0 /);
    expect(text.slice(text.search(/\nExamples?:\n/))).toContain(path);
  });
});
