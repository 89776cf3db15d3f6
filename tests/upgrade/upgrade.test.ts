/**
 * Builds of two versions side by side (docs/guarantees.md, Upgrades). The older one is the last commit of one schema back, taken out of
 * git; where git does not have it (a shallow clone), its store stands for it: this engine with the migrations of then.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { until } from "../../collector/testing.ts";
import { storeConfig } from "../../store/config.ts";
import { migrations } from "../../store/migrate.ts";
import { openReader } from "../../store/reader.ts";
import { openWriter } from "../../store/writer.ts";
import { start, WEIR, type Running } from "../weir.ts";
import { OLD_SCHEMA, oldBuild, type OldBuild } from "./old-build.ts";

const newest = (await migrations()).at(-1)!.version;
const unhurried = new AbortController().signal;
let old: OldBuild | undefined;
let dir: string;
let env: Record<string, string>;

beforeAll(async () => {
  old = await oldBuild();
  const base =
    old === undefined ? "git does not have the older build: its store stands for it" : `older build ${old.commit}`;
  process.stdout.write(`${base}\n`);
  dir = await mkdtemp(join(tmpdir(), "weir-upgrade-"));
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  env = {
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: String(port),
    WEIR_STORE_MEMORY: "700000000",
    WEIR_SOURCE: "replay",
    WEIR_METRICS_PORT: "off",
    WEIR_LOG_FORMAT: "json",
    WEIR_LOG: "info",
  };
});

const started: Running[] = [];

afterAll(async () => {
  for (const { child } of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await old?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const newWeir = (...args: string[]): Running => start(WEIR, args, env);
const oldWeir = (...args: string[]): Running => start(join(old!.dir, "bin", "weir"), args, env);

async function store(build: "old" | "new"): Promise<Running> {
  const running =
    build === "new"
      ? newWeir("store", "serve")
      : old !== undefined
        ? oldWeir("store", "serve")
        : start(
            process.execPath,
            ["--disable-warning=ExperimentalWarning", fileURLToPath(new URL("old-store.ts", import.meta.url))],
            {
              ...env,
              UV_THREADPOOL_SIZE: "16",
            },
          );
  started.push(running);
  await running.untilPrints(/"ready":true/);
  return running;
}

/** The collector of the older build where it can be had, else this one's: what is asked of the store is the same. */
async function collector(build: "old" | "new"): Promise<Running> {
  const running = build === "old" && old !== undefined ? oldWeir("collect") : newWeir("collect");
  started.push(running);
  await running.untilSays(/the collector runs/);
  return running;
}

async function end(running: Running, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  running.child.kill(signal);
  await running.ended;
}

/** Ends a collector in order, and lets one that observes nothing send what still waits, however busy the machine is. */
async function endAllSent(agent: Running): Promise<void> {
  agent.child.kill("SIGTERM");
  expect((await agent.ended).code).toBe(0);
  if ((await spool()).waiting === 0) return;
  const sender = start(WEIR, ["collect"], { ...env, WEIR_SOURCE: "ebpf", WEIR_NETNS: "1" });
  started.push(sender);
  await until("all is sent", async () => (await spool()).waiting === 0, 90_000);
  sender.child.kill("SIGTERM");
  expect((await sender.ended).code).toBe(0);
}

const Counts = z.object({
  flows: z.coerce.number(),
  ids: z.coerce.number(),
  sent: z.coerce.number(),
  schema: z.coerce.number(),
});

/** Rows, distinct rows, rows of segments that were acknowledged, schema. */
async function counts(): Promise<z.infer<typeof Counts>> {
  await using reader = openReader(storeConfig(env));
  const sql =
    "SELECT (SELECT count() FROM flows) AS flows, (SELECT uniqExact(node, boot, generation, cpu, seq) FROM flows) AS ids, (SELECT sum(rows) FROM segments FINAL WHERE target = 'flows') AS sent, (SELECT max(version) FROM schema_migrations) AS schema LIMIT 1";
  return (await reader.rows({ sql, row: Counts }, {}, unhurried))[0]!;
}

/** Segments that wait, and files in quarantine. */
async function spool(): Promise<{ waiting: number; quarantined: string[] }> {
  const names = await readdir(join(dir, "spool"));
  const quarantined = await readdir(join(dir, "spool", "quarantine")).catch(() => []);
  return { waiting: names.filter((name) => /-flows-.*\.(seg|open)$/.test(name)).length, quarantined };
}

async function app(build: string): Promise<Record<string, unknown>> {
  const args = [fileURLToPath(new URL("old-app.ts", import.meta.url)), build, join(dir, "run", "collector.sock")];
  const ended = await start(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    ...args,
    env["WEIR_STORE_PORT"]!,
  ]).ended;
  if (ended.code !== 0) throw new Error(ended.stderr);
  return JSON.parse(ended.stdout) as Record<string, unknown>;
}

const SEES = {
  collector: "running",
  refused: 0,
  nodes: 1,
  edges: expect.toSatisfy((n: number) => n > 0),
  flows: expect.toSatisfy((n: number) => n > 0),
  causes: expect.toSatisfy((n: number) => n > 0),
  minutes: expect.toSatisfy((n: number) => n > 0),
};

test("store, collector and app go up one after the other under load: no row is lost, none is there twice, and each app understands each collector", async () => {
  let running = await store("old");
  let agent = await collector("old");
  // this build's collector keeps its rows until the schema is the one it knows
  if (old === undefined) await agent.untilSays(/weir store migrate brings it up to date/);
  else await until("the older build has rows", async () => (await counts()).flows > 50, 90_000);
  expect((await counts()).schema).toBe(OLD_SCHEMA);

  // The store goes first: rows wait in the older collector's spool meanwhile.
  await end(running, "SIGKILL");
  await until("rows wait", async () => (await spool()).waiting > 0);
  running = await store("new");
  const before = await counts();
  expect(before.schema).toBe(newest);
  await until(
    "the older collector goes on with the newer store",
    async () => (await counts()).flows > before.flows + 50,
    90_000,
  );
  if (old !== undefined) {
    expect(await app(old.dir)).toMatchObject(SEES);
    expect(await app(join(import.meta.dirname, "../.."))).toMatchObject(SEES);
  }

  // Then the collector, killed: what it had made durable is the newer one's to send.
  await end(running, "SIGKILL");
  await until("rows wait again", async () => (await spool()).waiting > 0);
  await end(agent, "SIGKILL");
  agent = await collector("new");
  running = await store("new");
  await until(
    "the newer collector has sent what the older one left",
    async () => (await counts()).flows > before.flows + 100,
    90_000,
  );
  if (old !== undefined) expect(await app(old.dir)).toMatchObject(SEES);
  expect(await app(join(import.meta.dirname, "../.."))).toMatchObject(SEES);

  await endAllSent(agent);
  const after = await counts();
  expect(after.ids).toBe(after.flows);
  expect(after.sent).toBe(after.flows);
  expect(await spool()).toEqual({ waiting: 0, quarantined: [] });
  await end(running);
}, 480_000);

test("a build that meets a newer schema refuses in one sentence and changes nothing", async () => {
  const running = await store("new");
  const { flows } = await counts();
  const from = old === undefined ? newest : OLD_SCHEMA;
  if (old === undefined) {
    await using writer = await openWriter(storeConfig(env));
    await writer.command(
      `INSERT INTO schema_migrations (version, name, hash) VALUES (${newest + 1}, 'of_tomorrow', 'x')`,
      unhurried,
    );
  }
  await end(running);
  const refused = await (old === undefined ? newWeir("store", "serve") : oldWeir("store", "serve")).ended;
  expect(refused.code).toBe(2);
  expect(refused.stderr.trim().split("\n").at(-1)).toMatch(
    new RegExp(
      `the store's schema is of a newer Weir \\(it has migration \\d+, \\w+; this version knows up to ${from}\\); update Weir, or point it to another database`,
    ),
  );
  if (old === undefined) return; // the schema of tomorrow stays in this directory, which goes
  const again = await store("new");
  expect(await counts()).toMatchObject({ flows, schema: newest });
  await end(again);
}, 240_000);

test("a newer collector on a store that was not migrated yet keeps its rows and says what to do; after weir store migrate they are there", async () => {
  const own = await mkdtemp(join(tmpdir(), "weir-upgrade-own-"));
  env = { ...env, WEIR_DATA_DIR: own };
  dir = own;
  const running = await store("old");
  const token = await readFile(join(own, "run", "writer.token"), "utf8");
  // As a ClickHouse of one's own: nobody migrates it at start.
  env = {
    ...env,
    WEIR_CLICKHOUSE_URL: `http://127.0.0.1:${env["WEIR_STORE_PORT"]!}`,
    WEIR_CLICKHOUSE_USER: "writer",
    WEIR_CLICKHOUSE_PASSWORD: token.trim(),
  };
  const agent = await collector("new");
  await agent.untilSays(/schema 7 is older than this version's \d+; weir store migrate brings it up to date/);
  await until("segments wait", async () => (await spool()).waiting > 2);
  expect(await spool()).toMatchObject({ quarantined: [] });
  expect((await counts()).flows).toBe(0);
  const migrated = await newWeir("store", "migrate").ended;
  expect(migrated).toMatchObject({ code: 0, stdout: `schema version ${newest}\n` });
  await until("rows are there", async () => (await counts()).flows > 50, 90_000);
  await endAllSent(agent);
  const after = await counts();
  expect([after.ids, after.sent]).toEqual([after.flows, after.flows]);
  await end(running);
  await rm(own, { recursive: true, force: true });
}, 240_000);
