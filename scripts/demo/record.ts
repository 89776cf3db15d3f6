// Makes scripts/demo/sample.weir: what a collector saw of the demo world, for machines where none can be made. Needs root.
//   node scripts/demo/record.ts [seed] [seconds]
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WeirError } from "../../model/errors.ts";
import { startStoreProcess } from "../../store/embedded/spawn.ts";
import { makeWorld } from "./world.ts";

const WEIR = fileURLToPath(new URL("../../bin/weir", import.meta.url));
const SAMPLE = fileURLToPath(new URL("sample.weir", import.meta.url));
/** It is committed and travels with the package. */
const MOST_BYTES = 2_000_000;
const READY_WITHIN_MS = 30_000;

const seed = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? 60);
const folder = mkdtempSync(join(tmpdir(), "weir-record-"));
try {
  await record();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function record(): Promise<void> {
  mkdirSync(join(folder, "world"));
  await using world = await makeWorld({
    seed,
    runId: `record${process.pid}`,
    dataDir: join(folder, "world"),
    stateDir: join(tmpdir(), "weir-record"),
    short: true,
  });
  const storeEnv = { WEIR_DATA_DIR: folder, WEIR_STORE_PORT: "0", WEIR_CLICKHOUSE_URL: "" };
  await using store = await startStoreProcess(storeEnv);
  const socketPath = join(folder, "collector.sock");
  const recorded = join(folder, "sample.weir"); // a collector that has left root may write there alone
  const collector = spawn(WEIR, ["collect", "--record", recorded], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      ...storeEnv,
      WEIR_STORE_PORT: new URL(store.url).port,
      WEIR_SOURCE: "ebpf",
      WEIR_COLLECTOR_SOCKET: socketPath,
      WEIR_INVENTORY: world.inventoryFile,
      WEIR_NETNS: world.observedInodes,
      WEIR_NODE: "demo",
    },
  });
  const ended = new Promise<void>((resolve) => collector.once("exit", () => resolve()));
  try {
    await untilHealthy(socketPath);
    world.start();
    await world.settle(seconds);
    await delay(2000); // the last counts of drops and conversations
  } finally {
    collector.kill("SIGTERM");
    await ended;
  }
  copyFileSync(recorded, SAMPLE);
  const { size } = statSync(SAMPLE);
  if (size > MOST_BYTES)
    throw new WeirError({
      code: "sample-too-large",
      where: SAMPLE,
      what: `${size} bytes`,
      expected: `at most ${MOST_BYTES}`,
      next: "record fewer seconds",
    });
  process.stderr.write(`${SAMPLE}: ${seconds} s of seed ${seed}, ${size} bytes\n`);
}

async function untilHealthy(socketPath: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (existsSync(socketPath) && (await answers(socketPath))) return;
    await delay(100);
  }
  throw new WeirError({
    code: "part-not-ready",
    what: `the collector did not answer within ${READY_WITHIN_MS / 1000} s`,
  });
}

async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request({ socketPath, path: "/health" }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
    asked.end();
  });
}
