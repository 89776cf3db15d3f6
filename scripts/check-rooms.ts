// The import rule: which room may import which. Fails with file, line and what to do instead.
//   node scripts/check-rooms.ts
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Room → rooms it may import from, itself understood. Tests (`*.test.ts`, tests/, playwright/, bench/) may import any. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  model: [],
  policy: ["model"],
  store: ["model"],
  collector: ["model", "policy", "store"],
  reports: ["model", "policy", "store"],
  kube: ["model", "store"],
  components: ["model", "policy"],
  app: ["model", "policy", "store", "reports", "kube", "components"],
  cli: ["model", "policy", "store", "collector", "reports", "kube", "components", "app", "scripts"],
  scripts: ["model", "policy", "store", "collector"],
};

/** Imports that break the rule for a reason: "importer → imported": why. The list may only get shorter. */
const DEBT: Readonly<Record<string, string>> = {};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^"';]*?from\s*["']([^"']+)["']|(?:^|[^.\w])import\(\s*["']([^"']+)["']\s*\)|(?:^|\n)\s*import\s*["']([^"']+)["']|new URL\(\s*["'](\.[^"']+\.ts)["']/g;

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.tsx", "*.mjs"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "");
let problems = 0;
for (const file of files) {
  const room = file.split("/")[0]!;
  const allowed = MAY[room];
  if (allowed === undefined || /\.test\.tsx?$/.test(file)) continue;
  const text = readFileSync(resolve(ROOT, file), "utf8");
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? match[2] ?? match[3] ?? match[4]!;
    const line = text.slice(0, match.index + match[0].indexOf(target)).split("\n").length;
    if (!target.startsWith(".")) {
      if ((room === "policy" || room === "model") && target.startsWith("node:")) {
        report(file, line, `${room}/ is pure and runs in a browser: it may not import ${target}`);
      }
      continue;
    }
    const imported = relative(ROOT, resolve(ROOT, dirname(file), target));
    const other = imported.split("/")[0]!;
    if (other === room || !(other in MAY) || allowed.includes(other)) continue;
    if (DEBT[`${file} → ${imported}`] !== undefined) continue;
    report(
      file,
      line,
      `${room}/ may not import ${imported}; it may import ${allowed.join(", ") || "nothing of ours"} (what two rooms need belongs in model/)`,
    );
  }
}
if (problems > 0) process.exit(1);

function report(file: string, line: number, message: string): void {
  problems++;
  process.stderr.write(`${file}:${line}: ${message}\n`);
}
