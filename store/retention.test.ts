import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { storeConfig, type Environment, type StoreConfig } from "./config.ts";
import { DEFAULT_RETENTION, fillMigration, type Placement } from "./engines.ts";
import { startStoreProcess } from "./embedded/spawn.ts";
import { migrations } from "./migrate.ts";
import { keptTables, retentionStatements } from "./retention.ts";
import { flowRow, unhurried } from "./testing.ts";
import { openWriter, type StoreWriter } from "./writer.ts";

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "weir-retention-test-"));
});
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts the store of this file's directory with `env`, hands out a writer, stops it. */
async function withStore<T>(
  env: Environment,
  work: (writer: StoreWriter, config: StoreConfig) => Promise<T>,
): Promise<T> {
  const own = { WEIR_DATA_DIR: dataDir, WEIR_STORE_PORT: "0", WEIR_STORE_MEMORY: "700000000", ...env };
  await using store = await startStoreProcess(own);
  const config = { ...storeConfig(own), url: store.url };
  await using writer = await openWriter(config);
  return await work(writer, config);
}

const count = async (writer: StoreWriter, sql: string) =>
  (await writer.rows(sql, z.object({ n: z.coerce.number() }), {}, unhurried))[0]!.n;
const MUTATIONS = "SELECT count() AS n FROM system.mutations WHERE database = 'weir'";
const daysAgo = (days: number) =>
  new Date(Date.now() - days * 86_400_000).toISOString().replace("T", " ").replace("Z", "");

describe("days that rows are kept", () => {
  test("change on tables that exist: shorter ones drop what is older, equal ones touch nothing, longer ones hold", async () => {
    const days = async (writer: StoreWriter) =>
      writer.rows(
        "SELECT name, extract(engine_full, 'toIntervalDay\\\\(([0-9]+)\\\\)') AS days FROM system.tables WHERE database = 'weir' AND name IN ('flows', 'edges_1m', 'drops_1m') ORDER BY name",
        z.object({ name: z.string(), days: z.string() }),
        {},
        unhurried,
      );
    await withStore({}, async (writer) => {
      await writer.insertRows("flows", [flowRow({ ts: daysAgo(5) }), flowRow({ ts: daysAgo(1) })], unhurried);
      expect(await count(writer, "SELECT count() AS n FROM flows")).toBe(2);
      expect(await count(writer, MUTATIONS)).toBe(0);
    });
    await withStore({ WEIR_KEEP_FLOWS_DAYS: "3" }, async (writer) => {
      expect(await days(writer)).toEqual([
        { name: "drops_1m", days: "30" },
        { name: "edges_1m", days: "30" },
        { name: "flows", days: "3" },
      ]);
      await vi.waitFor(async () => expect(await count(writer, "SELECT count() AS n FROM flows")).toBe(1), {
        timeout: 20_000,
        interval: 100,
      });
      expect(await count(writer, "SELECT count() AS n FROM edges_1m")).toBe(2);
    });
    const before = await withStore({ WEIR_KEEP_FLOWS_DAYS: "3" }, (writer) => count(writer, MUTATIONS));
    expect(before).toBe(1); // one start changed it, the next found it right
    await withStore({ WEIR_KEEP_FLOWS_DAYS: "20", WEIR_KEEP_MINUTES_DAYS: "60" }, async (writer) => {
      expect((await days(writer)).map((one) => one.days)).toEqual(["60", "60", "20"]);
      await writer.insertRows("flows", [flowRow({ ts: daysAgo(15) })], unhurried);
      expect(await count(writer, "SELECT count() AS n FROM flows")).toBe(2);
    });
  }, 60_000);

  test("of every table that a migration gives a TTL are known, replicated ones changed on all their replicas", async () => {
    const texts = (await migrations()).map((migration) => migration.text);
    const kept = keptTables(texts);
    const cluster: Placement = {
      database: "weir",
      cluster: "shop",
      retention: { ...DEFAULT_RETENTION, flows: 3 },
    };
    const forgetting = texts.flatMap((text) => fillMigration(text, cluster)).filter((text) => /^TTL /m.test(text));
    expect(kept).toHaveLength(forgetting.length);
    expect(retentionStatements(kept[0]!, cluster)).toEqual([
      "ALTER TABLE weir.flows_local ON CLUSTER 'shop' MODIFY SETTING materialize_ttl_recalculate_only = 1",
      "ALTER TABLE weir.flows_local ON CLUSTER 'shop' MODIFY TTL toDateTime(ts) + INTERVAL 3 DAY",
    ]);
    await withStore({}, async (writer) => {
      for (const statement of kept.flatMap((one) => retentionStatements(one, cluster))) {
        const rows = await writer.rows(`EXPLAIN AST ${statement}`, z.object({ explain: z.string() }), {}, unhurried);
        expect(rows.length, statement).toBeGreaterThan(0);
      }
    });
  });
});
