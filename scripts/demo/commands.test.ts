import { describe, expect, test } from "vitest";
import { checkMachine, run } from "./commands.ts";

const ABLE = { platform: "linux", uid: 0, has: () => true };

describe("a machine for the world", () => {
  test("is one with Linux, root and the tools", () => {
    expect(() => checkMachine(ABLE)).not.toThrow();
  });

  test("is told what to type when it is not root", () => {
    expect(() => checkMachine({ ...ABLE, uid: 1000 })).toThrow(/needs root; run `sudo/);
  });

  test("is told which package brings a missing tool", () => {
    expect(() => checkMachine({ ...ABLE, has: (tool) => tool !== "nft" })).toThrow(
      "nft is not installed; run `apt-get install -y nftables`",
    );
    expect(() => checkMachine({ ...ABLE, has: () => false })).toThrow(/iproute2 nftables util-linux/);
  });

  test("is no other system", () => {
    expect(() => checkMachine({ ...ABLE, platform: "darwin" })).toThrow(/darwin/);
  });
});

test("a command that fails says so in its own words", async () => {
  await expect(run("sh", ["-c", "echo no such thing >&2; exit 3"])).rejects.toThrow("no such thing");
  await expect(run("weir-no-such-program", [])).rejects.toMatchObject({ code: "demo-command" });
});
