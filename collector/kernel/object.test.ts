import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/build-bpf.sh", import.meta.url));

test("the committed object is what its sources give; where another compiler or kernel made it, the hash of the sources says so", () => {
  const said = execFileSync(SCRIPT, ["--check"], { encoding: "utf8" });
  expect(said).toMatch(/byte for byte|hash of the sources/);
});
