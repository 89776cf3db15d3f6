/**
 * Makes what the older build left, for clones whose git does not have it: node tests/upgrade/testdata/make.ts. Its collector plays the
 * recorded sample without a store; kept are the smallest segment of flows, its health, and the first messages of its live stream.
 */
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { until } from "../../../collector/testing.ts";
import { start } from "../../weir.ts";
import { oldBuild, OLD_SCHEMA } from "../old-build.ts";

await using old = await oldBuild();
if (old === undefined) throw new Error("git does not have the older build");
const dir = await mkdtemp(join(tmpdir(), "weir-golden-"));
const collector = start(join(old.dir, "bin", "weir"), ["collect"], {
  WEIR_DATA_DIR: dir,
  WEIR_SOURCE: "replay",
  WEIR_NODE: "node-a",
  WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1",
});
await collector.untilSays(/the collector runs/);
const socketPath = join(dir, "run", "collector.sock");
const live = new WebSocket(`ws+unix://${socketPath}:/live`);
const messages: { type: string; flows?: unknown[]; edges?: unknown[] }[] = [];
live.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as (typeof messages)[number]));
await once(live, "open");
live.send(JSON.stringify({ type: "subscribe", id: "all", filter: "" }));
live.send(JSON.stringify({ type: "subscribe", id: "bad", filter: "port:99999" }));
const ofType = (type: string) => messages.find((message) => message.type === type && message.edges?.length !== 0);
await until("one of each has come", () => ["flows", "pulse", "problem"].every((type) => ofType(type) !== undefined));
const sealed = async (): Promise<string[]> =>
  (await readdir(join(dir, "spool"))).filter((name) => /-flows-.*\.seg$/.test(name));
await until("segments are sealed", async () => (await sealed()).length > 3);
const sizes = await Promise.all(
  (await sealed()).map(async (name) => ({ name, size: (await stat(join(dir, "spool", name))).size })),
);
const smallest = sizes.toSorted((a, b) => a.size - b.size)[0]!;
const { request } = await import("node:http");
const health = await new Promise<string>((resolve) => {
  request({ socketPath, path: "/health" }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (part: string) => (text += part));
    answer.on("end", () => resolve(text));
  }).end();
});
live.terminate();
const to = (name: string): URL => new URL(`schema-${OLD_SCHEMA}.${name}`, import.meta.url);
await copyFile(join(dir, "spool", smallest.name), to("flows.seg"));
await writeFile(to("health.json"), `${JSON.stringify(JSON.parse(health), null, 2)}\n`);
const kept = ["flows", "pulse", "problem"].map((type) => {
  const message = ofType(type)!;
  return { ...message, ...(message.flows === undefined ? {} : { flows: message.flows.slice(0, 5) }) };
});
await writeFile(to("live.json"), `${JSON.stringify(kept, null, 2)}\n`);
process.stdout.write(`${smallest.name}, ${smallest.size} bytes, of ${old.commit}\n`);
await collector[Symbol.asyncDispose]();
await rm(dir, { recursive: true, force: true });
