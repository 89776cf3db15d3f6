/** The store never outlives who started it: else a second one could not open the directory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startStoreProcess } from "./spawn.ts";

test("a store whose starter dies while it still opens its files ends, and the next one opens the same directory", async () => {
  const dir = await mkdtemp(join(tmpdir(), "weir-leash-"));
  const env = {
    ...process.env,
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: "0",
    WEIR_METRICS_PORT: "off",
    UV_THREADPOOL_SIZE: "16",
  };
  try {
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", fileURLToPath(new URL("main.ts", import.meta.url))],
      {
        env,
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      },
    );
    child.disconnect(); // what a dead starter looks like
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(0);
    await using next = await startStoreProcess({ WEIR_DATA_DIR: dir, WEIR_STORE_PORT: "0" });
    expect(next.version).toBeGreaterThan(0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}, 60_000);
