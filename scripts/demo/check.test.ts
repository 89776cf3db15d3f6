import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const WEIR = fileURLToPath(new URL("../../bin/weir", import.meta.url));
const CAN = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/sbin/nft");
const folder = mkdtempSync(join(tmpdir(), "weir-check-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!CAN)("weir demo --check", () => {
  test("finds in the store what the world did, from the kernel on", async () => {
    const { code, stdout } = await weir(
      "demo",
      "--check",
      "--seed",
      "20261124",
      "--seconds",
      "8",
      "--id",
      `c${process.pid}`,
    );
    expect(stdout).toMatch(/All of it is accounted for/);
    expect(stdout).toMatch(/NETFILTER_DROP storefront\/cart → data\/db/);
    expect(code).toBe(0);
  });

  test.each([
    [["--seed", "seven"], '--seed: "seven" does not fit'],
    [["--seconds", "0"], '--seconds: "0" does not fit'],
    [["--id", "../../etc"], "cannot name a demo world"],
  ])("answers %j with one sentence and exit code 2", async (options, sentence) => {
    const { code, stderr } = await weir("demo", "--check", ...options);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });
});

async function weir(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await new Promise((resolve) => {
    const env = { ...process.env, WEIR_DATA_DIR: folder, NODE_OPTIONS: "" };
    const child = execFile(WEIR, args, { env, maxBuffer: 8 << 20 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    );
  });
}
