/** The store process: `weir store serve` and the supervisor run this file. Prints one JSON line when it listens, one sentence when it cannot. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { storeConfig } from "../config.ts";
import { openLog } from "../log.ts";
import { migrate } from "../migrate.ts";
import { openWriter } from "../writer.ts";
import { WeirError } from "../../model/errors.ts";
import { startEmbedded } from "./server.ts";

/** Sessions (2 + 4 + 1), streams and files each hold a thread of libuv's pool while they work: with its default of 4, four long queries would keep even KILL waiting. */
const POOL_THREADS = 16;

// The pool's size is read once, before any of our code: so the work is done by a second process that has it in its environment.
if (process.env["UV_THREADPOOL_SIZE"] === undefined) process.exit(await again());

async function again(): Promise<number> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: String(POOL_THREADS) },
    stdio: ["ignore", "inherit", "inherit", "ipc"], // the ipc channel only tells it that we are gone
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill("SIGTERM"));
  process.once("disconnect", () => child.kill("SIGTERM"));
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

// Heard from the first moment on: whoever started us may die while the engine still opens its files.
let isRunning = false;
const left = new Promise<void>((resolve) => {
  const end = (): void => (isRunning ? resolve() : process.exit(0));
  process.once("disconnect", end);
  if (process.send !== undefined && !process.connected) end();
});

try {
  const config = storeConfig();
  const log = openLog("store", process.env);
  const store = await startEmbedded({
    dataDir: config.dataDir,
    port: config.storePort,
    database: config.database,
    engineMemory: config.engineMemory,
  });
  const own = {
    ...config,
    embedded: true,
    url: store.url,
    user: "writer",
    password: store.writerToken,
    cluster: undefined,
  };
  await using writer = await openWriter(own);
  const version = await migrate(writer, own);
  log.info({ url: store.url, schema: version, dataDir: config.dataDir }, "the store runs");
  process.stdout.write(`${JSON.stringify({ ready: true, url: store.url, version, pid: process.pid })}\n`);
  isRunning = true;
  const told = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
  await Promise.race([told, left]);
  log.info("the store ends");
  await store.close();
  process.exit(0);
} catch (thrown) {
  if (!(thrown instanceof WeirError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exit(2);
}
