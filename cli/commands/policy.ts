import type { Command } from "commander";
import { WeirError } from "../../model/errors.ts";

const PROFILES = ["kubernetes", "cilium", "calico"] as const;

export function register(program: Command): void {
  const policy = program.command("policy").description("check, verify and explain network policies");
  policy
    .command("verify")
    .description("judge every flow of case files and compare with the reference engine's verdicts")
    .argument("<file...>", "case files (JSON lines)")
    .option("--profile <profile>", `whose reading decides: ${PROFILES.join(", ")}; default: what each case names`)
    .option("--limit <number>", "mismatches to print at most", "100")
    .action(async (files: string[], options: { profile?: string; limit: string }) => {
      const { policyVerify } = await import("../policy-verify.ts");
      const profile = PROFILES.find((known) => known === options.profile);
      if (options.profile !== undefined && profile === undefined) {
        throw new WeirError({
          code: "bad-option",
          where: "--profile",
          what: `“${options.profile}” is no profile`,
          expected: PROFILES.join(", "),
        });
      }
      process.exitCode = await policyVerify(
        { files, limit: Number(options.limit), ...(profile === undefined ? {} : { profile }) },
        (line) => process.stdout.write(`${line}\n`),
      );
    });
}
