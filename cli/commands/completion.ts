import type { Command } from "commander";
import { choice } from "./choice.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export function register(program: Command): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .argument("<shell>", SHELLS.join(", "))
    .addHelpText(
      "after",
      '\nExit code: 0 printed, 2 no such shell.\n\nExamples:\n  eval "$(weir completion bash)"\n  weir completion fish > ~/.config/fish/completions/weir.fish\n',
    )
    .action((shell: string) => {
      const chosen = choice(shell, "shell", SHELLS)!;
      process.stdout.write(script(chosen, wordsOf(program, [])));
    });
}

/** What may follow a command: its sub-commands and long options. */
interface Words {
  readonly path: readonly string[];
  readonly words: readonly { readonly word: string; readonly about: string }[];
}

function wordsOf(command: Command, path: readonly string[]): readonly Words[] {
  const own = [
    ...command.commands.map((sub) => ({ word: sub.name(), about: sub.description() })),
    ...command.options.map((option) => ({ word: option.long ?? option.short ?? "", about: option.description })),
    { word: "--help", about: "show help" },
  ].filter(({ word }) => word !== "");
  return [{ path, words: own }, ...command.commands.flatMap((sub) => wordsOf(sub, [...path, sub.name()]))];
}

function script(shell: (typeof SHELLS)[number], all: readonly Words[]): string {
  if (shell === "fish") return fish(all);
  const cases = all
    .map(({ path, words }) => `    "${path.join(" ")}") words="${words.map(({ word }) => word).join(" ")}" ;;`)
    .join("\n");
  const body = `_weir() {
  local path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case " ${all
      .map(({ path }) => path.join("/"))
      .filter((path) => path !== "")
      .join(" ")} " in
      *" \${path:+\${path// //}/}$word "*) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _weir weir
`;
  return shell === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${body}` : body;
}

function fish(all: readonly Words[]): string {
  return all
    .flatMap(({ path, words }) => {
      const when =
        path.length === 0
          ? "__fish_use_subcommand"
          : path.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
      return words.map(({ word, about }) => {
        const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
        return `complete -c weir -n '${when}' ${what} -d '${about.replaceAll("'", "’")}'`;
      });
    })
    .join("\n")
    .concat("\n");
}
