// Runs every check and test of the project and ends with "N passed, N failed".
//   node scripts/run-tests.ts            everything
//   node scripts/run-tests.ts PATH …     only the unit and integration tests at these paths
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const NODE = process.execPath;
const scratch = mkdtempSync(join(tmpdir(), "weir-tests-"));
const tally = { passed: 0, failed: 0 };
const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);

/** Runs one command with its output shown; the exit code. */
function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env["PATH"]}`,
        NEXT_TELEMETRY_DISABLED: "1",
      },
    });
    child.on("error", () => done(127));
    child.on("exit", (code) => done(code ?? 1));
  });
}

/** A check that is one test: passes when its command exits with 0. */
async function check(name: string, command: string, ...args: string[]): Promise<void> {
  const began = Date.now();
  const code = await run(command, args);
  if (code === 0) tally.passed++;
  else tally.failed++;
  process.stdout.write(`${code === 0 ? "ok" : "FAILED"} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
}

/** vitest's own counts, so that each test counts as one. */
async function vitest(paths: readonly string[]): Promise<void> {
  const report = join(scratch, "vitest.json");
  const code = await run(bin("vitest"), [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...paths,
  ]);
  if (!existsSync(report)) {
    tally.failed++;
    return;
  }
  const counts = JSON.parse(readFileSync(report, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numTotalTests: number;
  };
  tally.passed += counts.numPassedTests;
  tally.failed += counts.numFailedTests;
  // A file that could not be loaded has no tests to fail, yet it is a failure.
  if (code !== 0 && counts.numFailedTests === 0) tally.failed++;
}

/** Playwright's own counts. A flaky test is a failed one: retries are off. */
async function playwright(): Promise<void> {
  const report = join(scratch, "playwright.json");
  process.env["PLAYWRIGHT_JSON_OUTPUT_NAME"] = report;
  const code = await run(bin("playwright"), ["test", "--reporter=list,json"]);
  if (!existsSync(report)) {
    tally.failed++;
    return;
  }
  const { stats } = JSON.parse(readFileSync(report, "utf8")) as {
    stats: { expected: number; unexpected: number; flaky: number };
  };
  tally.passed += stats.expected;
  tally.failed += stats.unexpected + stats.flaky;
  if (code !== 0 && stats.unexpected + stats.flaky === 0) tally.failed++;
}

const paths = process.argv.slice(2);
if (paths.length > 0) {
  await vitest(paths);
} else {
  await check("the lockfile suits npm ci", NODE, "scripts/lock-platforms.mjs", "--check");
  await check("npm ci takes the lockfile", "npm", "ci", "--dry-run", "--ignore-scripts", "--silent");
  await check("formatting (repair: npx prettier --write .)", bin("prettier"), "--check", "--log-level=warn", ".");
  await check("lint (oxlint)", bin("oxlint"), "--deny-warnings");
  await check("the import rule between rooms", NODE, "scripts/check-rooms.ts");
  await check("types (tsc)", bin("tsc"), "--noEmit", "-p", ".");
  await check("no dead code (knip)", bin("knip"));
  await check("the committed BPF object is that of its sources", "sh", "scripts/build-bpf.sh", "--check");
  await check("the app builds", "./bin/weir", "serve", "--build-only");
  await vitest([]);
  await playwright();
  for (const seed of ["1", "2", "3"]) {
    await check(
      `the store tells what the demo world did, seed ${seed}`,
      "./bin/weir",
      "demo",
      "--check",
      "--seed",
      seed,
      "--seconds",
      "30",
    );
  }
}
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
