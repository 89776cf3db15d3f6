/** What the older build left (testdata/make.ts) is read by this one, also where git does not have that build: its messages and its segments. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { scanSegment } from "../../collector/spool/segment.ts";
import { until } from "../../collector/testing.ts";
import { HealthSnapshot } from "../../model/wire/health.ts";
import { LiveMessage } from "../../model/wire/live.ts";
import { storeConfig } from "../../store/config.ts";
import { startStoreProcess } from "../../store/embedded/spawn.ts";
import { openReader } from "../../store/reader.ts";
import { start, WEIR } from "../weir.ts";
import { OLD_SCHEMA } from "./old-build.ts";

const golden = (name: string): URL => new URL(`testdata/schema-${OLD_SCHEMA}.${name}`, import.meta.url);

test("an older collector's health and live messages are understood by this app", async () => {
  const health = HealthSnapshot.parse(JSON.parse(await readFile(golden("health.json"), "utf8")));
  expect(health).toMatchObject({ node: "node-a", source: "replay", stalledMs: 0 });
  const messages = z.array(LiveMessage).parse(JSON.parse(await readFile(golden("live.json"), "utf8")));
  expect(messages.map((message) => message.type)).toEqual(["flows", "pulse", "problem"]);
  expect(messages[0]!.type === "flows" && messages[0]!.flows.length).toBeGreaterThan(0);
});

test("an older collector's segment, found by this one at its start, is in this store row for row", async () => {
  const segment = scanSegment(await readFile(golden("flows.seg")));
  const rows = segment.frames.reduce((sum, frame) => sum + frame.rows, 0);
  expect(rows).toBeGreaterThan(0);
  expect(segment.meta.columns).not.toContain("hook"); // of a later schema
  const dir = await mkdtemp(join(tmpdir(), "weir-golden-"));
  const env = {
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: "0",
    WEIR_STORE_MEMORY: "700000000",
    WEIR_KEEP_FLOWS_DAYS: "20000", // its rows are as old as the day on which it was made
  };
  const store = await startStoreProcess(env);
  try {
    await mkdir(join(dir, "spool", "quarantine"), { recursive: true });
    await copyFile(golden("flows.seg"), join(dir, "spool", `${segment.meta.id}.seg`));
    const settings = { ...env, WEIR_STORE_PORT: new URL(store.url).port };
    // Observes nothing, so that what is in the store is the segment's alone.
    await using collector = start(WEIR, ["collect"], {
      ...settings,
      WEIR_SOURCE: "ebpf",
      WEIR_NETNS: "1",
      WEIR_METRICS_PORT: "off",
    });
    await collector.untilSays(/the collector runs/);
    await using reader = openReader(storeConfig(settings));
    const sql =
      "SELECT count() AS n, uniqExact(cpu, seq) AS ids, min(ts) > '2026-01-01' AS dated FROM flows WHERE generation = {generation:UInt32} LIMIT 1";
    const Row = z.object({ n: z.coerce.number(), ids: z.coerce.number(), dated: z.coerce.number() });
    const ask = async () =>
      (await reader.rows({ sql, row: Row }, { generation: segment.meta.generation }, AbortSignal.timeout(20_000)))[0]!;
    await until("the segment's rows are there", async () => (await ask()).n > 0, 90_000);
    expect(await ask()).toEqual({ n: rows, ids: rows, dated: 1 });
    expect(await readdir(join(dir, "spool", "quarantine"))).toEqual([]);
  } finally {
    await store.stop();
    await rm(dir, { recursive: true, force: true });
  }
}, 120_000);
