/**
 * A whole Weir for the browser's tests: an embedded store in a folder of its own, filled by bench/fill.ts, and the built
 * app, on free ports. Prints one JSON line `{url, storeUrl}` and ends with its parent. `--rows 0` leaves the store empty,
 * `--without-store` ends it before the app starts, `--collector` adds one that plays the recorded sample. The messages
 * `stop store` and `start store` of its parent are answered with `done`.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fillStore } from "../bench/fill.ts";
import { serve } from "../cli/serve.ts";
import { storeConfig } from "../store/config.ts";
import { startStoreProcess } from "../store/embedded/spawn.ts";
import { openWriter } from "../store/writer.ts";
import { start, WEIR, type Running } from "../tests/weir.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "60000" },
    minutes: { type: "string", default: "30" },
    "without-store": { type: "boolean", default: false },
    collector: { type: "boolean", default: false },
  },
});
const dataDir = await mkdtemp(join(tmpdir(), "weir-browser-"));
const policies = join(dataDir, "policies"); // for tests to write into; GET /api/policies names it
await mkdir(policies);
const env = {
  ...process.env,
  WEIR_POLICIES: policies,
  WEIR_DATA_DIR: dataDir,
  WEIR_STORE_PORT: "0",
  WEIR_PORT: "0",
  WEIR_CLICKHOUSE_URL: "",
};
let store = await startStoreProcess(env);
Object.assign(process.env, env, { WEIR_STORE_PORT: new URL(store.url).port });
const rows = Number(values.rows);
if (rows > 0) {
  await using writer = await openWriter(storeConfig());
  await fillStore(
    writer,
    { rows, seed: 1, minutes: Number(values.minutes), teams: 0, until: Date.now() },
    AbortSignal.timeout(120_000),
  );
}
if (values["without-store"]) await store.stop();
let collector: Running | undefined;
if (values.collector) {
  const settings = { WEIR_SOURCE: "replay", WEIR_METRICS_PORT: "off", WEIR_LOG_FORMAT: "json" };
  collector = start(WEIR, ["collect"], { ...process.env, ...settings });
  await collector.untilSays(/the collector runs/);
}
const app = await serve(process.env, (line) => process.stderr.write(`${line}\n`));
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${app.port}`, storeUrl: store.url })}\n`);

process.on("message", (message) => void obey(message));
async function obey(message: unknown): Promise<void> {
  if (message === "stop store") await store.stop();
  if (message === "start store") store = await startStoreProcess(process.env);
  process.send?.("done");
}

async function end(): Promise<void> {
  await app.close();
  await collector?.[Symbol.asyncDispose]();
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
}
process.once("SIGTERM", () => void end());
process.once("SIGINT", () => void end());
process.once("disconnect", () => void end());
