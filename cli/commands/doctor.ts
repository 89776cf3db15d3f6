import type { Command } from "commander";
import pc from "picocolors";
import type { Diagnosis, Finding } from "../doctor.ts";
import { untilSignal } from "../until-signal.ts";

export function register(program: Command): void {
  program
    .command("doctor")
    .description("check this machine: what works, what is missing, what to type")
    .option("--json", "as JSON")
    .option("--bundle <file>", "write all that a helper needs: NAME.tar.gz, or any other name for a directory")
    .option("--with-addresses", "leave addresses and names in the bundle; secrets never are")
    .addHelpText("after", EXAMPLES)
    .action(async (options: { json?: boolean; bundle?: string; withAddresses?: boolean }) => {
      const { diagnose } = await import("../doctor.ts");
      const signal = untilSignal();
      const diagnosis = await diagnose(process.env, signal);
      process.stdout.write(options.json === true ? `${JSON.stringify(diagnosis, null, 2)}\n` : text(diagnosis));
      if (options.bundle !== undefined) {
        const { writeBundle } = await import("../bundle.ts");
        const wanted = { output: options.bundle, withAddresses: options.withAddresses ?? false };
        const files = await writeBundle(process.env, diagnosis, wanted, signal);
        const listing = files.map(({ name, bytes }) => `  ${String(bytes).padStart(9)} ${name}\n`).join("");
        process.stderr.write(`\n${options.bundle}:\n${listing}Look through it before you send it.\n`);
      }
      if (diagnosis.findings.some((finding) => finding.state === "bad")) process.exitCode = 1;
    });
}

const EXAMPLES = `
Exit code: 0 all well or only warnings, 1 something will not work, 2 the bundle could not be written.

Examples:
  sudo weir doctor
  sudo weir doctor --bundle weir-support.tar.gz
`;

function text({ findings, hooks }: Diagnosis): string {
  const lines = findings.flatMap((finding) => [
    `${sign(finding.state)} ${finding.what.padEnd(16)} ${finding.detail}`,
    ...(finding.next === undefined ? [] : [`  ${" ".repeat(16)} ${pc.dim(finding.next)}`]),
  ]);
  for (const hook of hooks) {
    const state = hook.state === "loaded" ? "ok" : "warning";
    const events = hook.events === undefined ? "" : `, ${hook.events} events seen`;
    lines.push(`${sign(state)} ${`  ${hook.name}`.padEnd(20)} ${hook.state}${events}`);
    if (hook.why !== undefined) lines.push(`  ${" ".repeat(20)} ${hook.why}`);
    if (hook.state !== "loaded" && hook.dark !== undefined) lines.push(`  ${" ".repeat(20)} without it ${hook.dark}`);
  }
  return `${lines.join("\n")}\n`;
}

function sign(state: Finding["state"]): string {
  if (state === "ok") return pc.green("ok  ");
  return state === "warning" ? pc.yellow("look") : pc.red("bad ");
}
