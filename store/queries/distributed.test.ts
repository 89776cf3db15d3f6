/**
 * The questions over Distributed tables, as a cluster has them. The embedded engine knows no cluster, but `remote` makes the same tables:
 * here two shards that both are this store, so that every sum is twice that of one and what is asked by key stays what it is.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { FILTER_KEYS } from "../../model/filter/ast.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { milliseconds } from "../../model/time.ts";
import { openReader, type StoreReader } from "../reader.ts";
import { flowRow, HOUR, inHour, startTestStore, unhurried, type TestStore } from "../testing.ts";
import { booksInRange } from "./books-in-range.ts";
import { completions } from "./completions.ts";
import { connectionLife } from "./connection-life.ts";
import { dnsNames } from "./dns-names.ts";
import { dropCauses } from "./drop-causes.ts";
import { dropsFacets } from "./drops-facets.ts";
import { dropsSeries } from "./drops-series.ts";
import { dropsTotal } from "./drops-total.ts";
import { edgeDetails } from "./edge-details.ts";
import { edgeSeries } from "./edge-series.ts";
import { EXPORTS, exportSql } from "./exports.ts";
import { failures } from "./failures.ts";
import { flowsPage } from "./flows-page.ts";
import { healthSeries } from "./health-series.ts";
import { identitiesInRange } from "./identities-in-range.ts";
import { mapEdges } from "./map-edges.ts";
import { nodeDetails } from "./node-details.ts";
import { status } from "./status.ts";
import { timeline } from "./timeline.ts";
import { tuples } from "./tuples.ts";

let store: TestStore;
let shards: StoreReader;

beforeAll(async () => {
  store = await startTestStore();
  const { writer } = store;
  const identity = (id: string, namespace: string, workload: string) => ({
    id,
    kind: "workload",
    namespace,
    workload,
    labels: { app: workload },
    first_seen: inHour(0),
    last_seen: inHour(3000),
  });
  await writer.insertRows("identities", [identity("1000", "shop", "web"), identity("2000", "data", "db")], unhurried);
  const ends = {
    src_id: "1000",
    dst_id: "2000",
    src_ns: "shop",
    src_workload: "web",
    dst_ns: "data",
    dst_workload: "db",
  };
  const both = { ...ends, src_port: 40_001, dst_port: 5432, src_addr: "::ffff:10.0.0.1", dst_addr: "::ffff:10.0.0.2" };
  await writer.insertRows(
    "flows",
    [
      flowRow({ ...both, ts: inHour(10), opened: 1, rtt_us: 200, socket: "7" }),
      flowRow({ ...both, ts: inHour(20), kind: "close", closed: 1, bytes_to_server: 100, socket: "7" }),
      flowRow({
        ...both,
        ts: inHour(70),
        kind: "fail",
        verdict: "failed",
        reason: "ETIMEDOUT",
        failed: 1,
        connect_us: 900,
      }),
      flowRow({
        ...both,
        ts: inHour(70),
        kind: "drop",
        verdict: "dropped",
        reason: "NETFILTER_DROP",
        drops: 5,
        counted: 0,
      }),
    ],
    unhurried,
  );
  const tables = await writer.rows(
    "SELECT name FROM system.tables WHERE database = 'weir' AND engine LIKE '%MergeTree'",
    z.object({ name: z.string() }),
    {},
    unhurried,
  );
  await writer.command("CREATE DATABASE shards", unhurried);
  for (const { name } of tables)
    await writer.command(`CREATE TABLE shards.${name} AS remote('127.0.0.1,127.0.0.1', weir, ${name})`, unhurried);
  shards = openReader({ ...store.config, database: "shards" });
});
afterAll(async () => {
  await shards?.close();
  await store?.[Symbol.asyncDispose]();
});

const question = (text = "", scope: readonly string[] = []) => ({
  range: { from: milliseconds(HOUR), to: milliseconds(HOUR + 3_600_000) },
  filter: parseFilter(text).filter,
  scope,
});

describe("over two shards", () => {
  test.each([
    ["", []],
    ["ns:data", []],
    ["src:web label:app=web", []],
    ["-process:nobody", []],
    ["", ["shop"]],
  ])("the map of '%s' in %j sums both", async (text, scope) => {
    const answer = await mapEdges(shards, { ...question(text, scope), limit: 10, latency: true }, unhurried);
    expect(answer.edges).toMatchObject([
      { source: "1000", destination: "2000", opened: 2, closed: 2, failed: 2, drops: 10, bytesToServer: 200 },
    ]);
    expect(answer.nodes.map((node) => node.workload).toSorted()).toEqual(["db", "web"]);
  });

  test("series, timelines, details and tuples sum both", async () => {
    const ends = { source: ["1000"], destination: ["2000"] };
    const series = await edgeSeries(shards, { ...question("ns:shop"), ends, buckets: 60 }, unhurried);
    expect(series.points.map((point) => [point.opened, point.failed])).toEqual([
      [2, 0],
      [0, 2],
    ]);
    expect((await timeline(shards, { ...question("", ["data"]), buckets: 10 }, unhurried)).points).toMatchObject([
      { opened: 2, drops: 10 },
    ]);
    const edge = await edgeDetails(shards, { ...question(), ...ends }, unhurried);
    expect([edge.total.opened, edge.drops[0]?.drops, edge.talkers[0]?.opened]).toEqual([2, 10, 2]);
    expect((await nodeDetails(shards, { ...question(), node: ["2000"] }, unhurried)).inbound.opened).toBe(2);
    for (const text of ["", "ns:shop", "-process:nobody"])
      expect(
        (await tuples(shards, { ...question(text, ["shop"]), limit: 10 }, unhurried)).tuples.map((one) => one.opened),
      ).toContain(2);
  });

  test("drops and failures sum both, and find each other", async () => {
    for (const text of ["", "ns:data", "-word"]) {
      expect((await dropsTotal(shards, question(text), unhurried)).drops).toBe(10);
      expect((await dropsFacets(shards, question(text, ["shop"]), unhurried)).total).toBe(10);
      expect((await dropCauses(shards, { ...question(text), limit: 10 }, unhurried)).causes[0]?.drops).toBe(10);
      expect(
        (await dropsSeries(shards, { ...question(text), buckets: 10, by: "source" }, unhurried)).points[0]?.drops,
      ).toBe(10);
    }
    const [failure] = (await failures(shards, { ...question("ns:data", ["shop"]), limit: 10 }, unhurried)).failures;
    expect(failure).toMatchObject({
      failed: 2,
      opened: 2,
      reason: "ETIMEDOUT",
      causes: [{ reason: "NETFILTER_DROP" }],
    });
  });

  test.each(EXPORTS)("%s are exported", async (name) => {
    const { sql, params } = exportSql(name, name === "dns" ? question() : question("ns:shop", ["data"]), true);
    let size = 0;
    for await (const chunk of await shards.bytes(sql, "CSV", params, unhurried)) size += chunk.length;
    expect(size > 0).toBe(name !== "dns"); // no DNS answers here
  });

  test("flows, lives, completions, names, books and status are answered", async () => {
    const page = await flowsPage(shards, { ...question("label:app=web", ["data"]), limit: 3 }, unhurried);
    expect(page.flows).toHaveLength(3);
    const rest = await flowsPage(shards, { ...question("label:app=web"), limit: 3, before: page.next! }, unhurried);
    expect(rest.flows.length).toBeGreaterThan(0);
    const open = { rowId: page.flows[0]!.rowId, at: milliseconds(Date.parse(page.flows[0]!.time)) };
    expect((await connectionLife(shards, { ...open, scope: ["shop"] }, unhurried)).flows.length).toBeGreaterThan(0);
    for (const key of FILTER_KEYS)
      await completions(shards, { ...question("", ["shop"]), key, part: "", limit: 20 }, unhurried);
    await dnsNames(shards, { ...question("", ["shop"]), part: "", limit: 10 }, unhurried);
    await booksInRange(shards, question().range, unhurried);
    await healthSeries(shards, { ...question(), buckets: 60 }, unhurried);
    const known = await identitiesInRange(shards, { ...question("", ["shop"]), limit: 100 }, unhurried);
    expect(known.identities.map((one) => one.workload)).toContain("web");
    expect((await status(shards, unhurried)).newestRow).toBe(HOUR + 70_000);
  });
});
