import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { DEFAULT_RETENTION, fillMigration, splitStatements, type Placement } from "./engines.ts";
import { migrate, migrations } from "./migrate.ts";
import { StoreError } from "./errors.ts";
import { openWriter } from "./writer.ts";
import { flowRow, HOUR, inHour, startTestStore, unhurried, type TestStore } from "./testing.ts";
import { FLOW_COLUMNS } from "./layout.ts";

const ONE: Placement = { database: "weir", cluster: undefined, retention: DEFAULT_RETENTION };
const MANY: Placement = { database: "weir", cluster: "shop", retention: DEFAULT_RETENTION };

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore();
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

describe("a migration's text", () => {
  test("for a cluster is the one that was looked at", async () => {
    const statements = (await migrations()).flatMap((migration) => fillMigration(migration.text, MANY));
    await expect(`${statements.join(";\n\n")};\n`).toMatchFileSnapshot("golden/cluster.sql");
  });

  test("for a cluster is understood by the engine, statement by statement", async () => {
    for (const migration of await migrations()) {
      for (const statement of fillMigration(migration.text, MANY)) {
        const rows = await store.writer.rows(
          `EXPLAIN AST ${statement}`,
          z.object({ explain: z.string() }),
          {},
          unhurried,
        );
        expect(rows.length, statement.slice(0, 80)).toBeGreaterThan(0);
      }
    }
  });

  test("with a mark that nobody knows is refused", () => {
    expect(() => fillMigration("CREATE TABLE @tabel(x) (a UInt8)", ONE)).toThrow("unknown mark @tabel");
    expect(() => fillMigration("ALTER TABLE @table(x) MODIFY TTL a + INTERVAL @ttl(x) DAY", ONE)).toThrow(
      "no retention is set for x",
    );
  });

  test("is split at semicolons that end a line, and comments alone are no statement", () => {
    expect(splitStatements("-- a; b\nSELECT 1;\n\n-- only words\n;\nSELECT ';' ;")).toEqual([
      "-- a; b\nSELECT 1",
      "SELECT ';'",
    ]);
  });
});

describe("the schema", () => {
  test("has a comment with every column and table", async () => {
    const bare = await store.writer.rows(
      "SELECT concat(table, '.', name) AS name FROM system.columns WHERE database = 'weir' AND comment = '' AND table NOT LIKE '%\\_to\\_%' UNION ALL SELECT name FROM system.tables WHERE database = 'weir' AND comment = '' AND engine != 'MaterializedView'",
      z.object({ name: z.string() }),
      {},
      unhurried,
    );
    expect(bare).toEqual([]);
  });

  test("has the columns of the collectors' layout, in its order and of its types", async () => {
    const rows = await store.writer.rows(
      "SELECT name, type FROM system.columns WHERE database = 'weir' AND table = 'flows' AND default_kind != 'ALIAS' ORDER BY position",
      z.object({ name: z.string(), type: z.string() }),
      {},
      unhurried,
    );
    const onTheWire = (type: string) =>
      type.startsWith("Enum8") ? "UInt8" : type.replace("LowCardinality(String)", "String");
    expect(rows.map(({ name, type }) => ({ name, type: onTheWire(type) }))).toEqual(
      FLOW_COLUMNS.map(({ name, type }) => ({ name, type })),
    );
  });

  test("gives every table that rows or roll-ups go into a window of remembered blocks", async () => {
    const bare = await store.writer.rows(
      "SELECT name FROM system.tables WHERE database = 'weir' AND engine LIKE '%MergeTree' AND name NOT LIKE 'schema%' AND engine_full NOT LIKE '%deduplication_window%'",
      z.object({ name: z.string() }),
      {},
      unhurried,
    );
    expect(bare).toEqual([]);
  });
});

describe("migrating", () => {
  test("a store that is up to date changes nothing", async () => {
    const all = await migrations();
    expect(await migrate(store.writer, store.config)).toBe(all.at(-1)!.version);
    const rows = await store.writer.rows(
      "SELECT count() AS n FROM schema_migrations",
      z.object({ n: z.coerce.number() }),
      {},
      unhurried,
    );
    expect(rows[0]!.n).toBe(all.length);
  });

  test("by four at once into an empty database applies each migration once", async () => {
    const config = { ...store.writer.config, database: "weir_four" };
    const writers = await Promise.all([1, 2, 3, 4].map(() => openWriter(config)));
    await Promise.all(writers.map((writer) => migrate(writer, config)));
    const rows = await writers[0]!.rows(
      "SELECT count() AS n, uniqExact(version) AS versions FROM weir_four.schema_migrations",
      z.object({ n: z.coerce.number(), versions: z.coerce.number() }),
      {},
      unhurried,
    );
    expect(rows[0]!.n).toBe(rows[0]!.versions);
    const identities = await writers[0]!.rows(
      "SELECT count() AS n FROM weir_four.identities",
      z.object({ n: z.coerce.number() }),
      {},
      unhurried,
    );
    expect(identities[0]!.n).toBe(11);
    for (const writer of writers) await writer.close();
  });

  test("a store of a newer Weir is refused with both numbers", async () => {
    const own = await migrations();
    const [before, last] = own.slice(-2);
    await expect(migrate(store.writer, store.config, own.slice(0, -1))).rejects.toThrow(
      `the store's schema is of a newer Weir (it has migration ${last!.version}, ${last!.name}; this version knows up to ${before!.version}); update Weir`,
    );
  });

  test("a merged migration that was edited is refused", async () => {
    const own = await migrations();
    const edited = own.map((one) => (one.version === 3 ? { ...one, hash: "0".repeat(64) } : one));
    await expect(migrate(store.writer, store.config, edited)).rejects.toThrow(StoreError);
  });
});

describe("a segment", () => {
  const sums = async () => {
    const row = z.object({
      raw: z.coerce.number(),
      m: z.coerce.number(),
      h: z.coerce.number(),
      t: z.coerce.number(),
      d: z.coerce.number(),
      retransmits: z.coerce.number(),
    });
    const [one] = await store.writer.rows(
      `SELECT (SELECT count() FROM flows) AS raw, (SELECT sum(opened) FROM edges_1m) AS m, (SELECT sum(opened) FROM edges_1h) AS h, (SELECT sum(opened) FROM tuples_1h) AS t,
        (SELECT sum(drops) FROM drops_1m) AS d, (SELECT sum(retransmits) FROM edges_1h) AS retransmits`,
      row,
      {},
      unhurried,
    );
    return one!;
  };
  const rows = [
    flowRow({ opened: 1, rtt_us: 100 }),
    flowRow({ opened: 1, reporter: "server", counted: 0, kind: "close", retransmits: 3 }),
    flowRow({ kind: "close", closed: 1, retransmits: 2, bytes_to_server: 10 }),
    flowRow({ kind: "drop", verdict: "dropped", reason: "NO_SOCKET", drops: 5, counted: 0 }),
  ];
  const segment = (id: string) => ({
    table: "flows" as const,
    format: "JSONEachRow" as const,
    columns: Object.keys(rows[0]!),
    body: Buffer.from(rows.map((row) => JSON.stringify(row)).join("\n")),
    segmentId: id,
    node: "node-a",
    rows: rows.length,
  });

  test("sent twice counts once: in the raw table and in every roll-up; traffic by the counted report, retransmits by both", async () => {
    await store.writer.insertSegment(segment("s-1"), unhurried);
    await store.writer.insertSegment(segment("s-1"), unhurried);
    expect(await sums()).toEqual({ raw: 4, m: 1, h: 1, t: 1, d: 5, retransmits: 5 });
    await store.writer.insertSegment(segment("s-2"), unhurried);
    expect(await sums()).toEqual({ raw: 8, m: 2, h: 2, t: 2, d: 10, retransmits: 10 });
  });

  test("is known as arrived for its table only", async () => {
    expect(await store.writer.segmentsArrived("flows", ["s-1", "s-2", "s-3"], unhurried)).toEqual(
      new Set(["s-1", "s-2"]),
    );
    expect(await store.writer.segmentsArrived("dns_answers", ["s-1"], unhurried)).toEqual(new Set());
  });

  test("with a row that does not fit its columns inserts nothing", async () => {
    const before = await sums();
    const torn = { ...segment("s-torn"), body: Buffer.from(`${JSON.stringify(rows[0])}\n{"ts": "no time"}\n`) };
    await expect(store.writer.insertSegment(torn, unhurried)).rejects.toThrow();
    expect(await sums()).toEqual(before);
    expect(await store.writer.segmentsArrived("flows", ["s-torn"], unhurried)).toEqual(new Set());
  });

  test("an hour's rows stand in the hour that they belong to", async () => {
    const hours = await store.writer.rows(
      "SELECT toUnixTimestamp(hour) * 1000 AS at FROM edges_1h GROUP BY hour",
      z.object({ at: z.coerce.number() }),
      {},
      unhurried,
    );
    expect(hours).toEqual([{ at: HOUR }]);
    expect(inHour(0)).toMatch(/:00:00\.000$/);
  });
});

test("the docs of the schema name every table", async () => {
  const text = await readFile(new URL("../docs/formats/store.md", import.meta.url), "utf8");
  const tables = await store.writer.rows(
    "SELECT name FROM system.tables WHERE database = 'weir' AND engine LIKE '%MergeTree'",
    z.object({ name: z.string() }),
    {},
    unhurried,
  );
  for (const { name } of tables) expect(text).toContain(`\`${name}\``);
});
