import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { FILTER_KEYS } from "../../model/filter/ast.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import { milliseconds } from "../../model/time.ts";
import { DropCauses, DropsFacets, DropsSeries, FailuresAnswer } from "../../model/wire/answers/drops.ts";
import {
  Completions,
  ConnectionLife,
  DnsNames,
  FlowsPage,
  IdentitiesAnswer,
  TuplesAnswer,
} from "../../model/wire/answers/flows.ts";
import { BooksAnswer, HealthSeries, SizesAnswer, StatusAnswer } from "../../model/wire/answers/health.ts";
import { EdgeDetails, MapAnswer, NodeDetails, SeriesAnswer, TimelineAnswer } from "../../model/wire/answers/map.ts";
import { TrafficAnswer } from "../../model/wire/answers/what-if.ts";
import { migrations } from "../migrate.ts";
import type { Query, Params, StoreReader } from "../reader.ts";
import { flowRow, HOUR, inHour, startTestStore, unhurried, type TestStore } from "../testing.ts";
import { booksByMinute } from "./books-by-minute.ts";
import { booksInRange } from "./books-in-range.ts";
import { completions } from "./completions.ts";
import { connectionLife } from "./connection-life.ts";
import { dnsNames } from "./dns-names.ts";
import { dropCauses } from "./drop-causes.ts";
import { dropsFacets } from "./drops-facets.ts";
import { dropsTotal } from "./drops-total.ts";
import { dropsSeries } from "./drops-series.ts";
import { edgeDetails } from "./edge-details.ts";
import { edgeSeries } from "./edge-series.ts";
import { EXPORTS, exportSql } from "./exports.ts";
import { failures } from "./failures.ts";
import { flowsPage } from "./flows-page.ts";
import { healthSeries } from "./health-series.ts";
import { identitiesInRange } from "./identities-in-range.ts";
import { mapEdges } from "./map-edges.ts";
import { nodeDetails } from "./node-details.ts";
import { normalDrops } from "./normal-drops.ts";
import { sizes } from "./sizes.ts";
import { status } from "./status.ts";
import { timeline } from "./timeline.ts";
import { tuples } from "./tuples.ts";
import { trafficInRange } from "./tuples-traffic.ts";

let store: TestStore;
/** Asks the store as well, and explains what it asked: every question that a test runs is planned by the engine. */
let asked: StoreReader;
const explained = new Set<string>();

const SECOND = 1000;
const question = (text = "", from = 0, to = 3600, scope: readonly string[] = []) => ({
  range: { from: milliseconds(HOUR + from * SECOND), to: milliseconds(HOUR + to * SECOND) },
  filter: parseFilter(text).filter,
  scope,
});

/**
 * A small hour: web → cart three connections (one seen at both ends), web → db refused by a drop, cart → world.
 * In the hour before: web → cart and web → old.
 */
beforeAll(async () => {
  store = await startTestStore();
  const names = (id: string, workload: string, namespace: string, kind = "workload") => ({
    id,
    kind,
    shape: "",
    namespace,
    workload,
    labels: { app: workload },
    first_seen: inHour(-3600),
    last_seen: inHour(3600),
  });
  await store.writer.insertRows(
    "identities",
    [
      names("1000", "web", "shop"),
      names("2000", "cart", "shop"),
      names("3000", "db", "data"),
      names("4000", "old", "shop"),
    ],
    unhurried,
  );
  await store.writer.insertRows(
    "endpoints",
    [
      {
        address: "::ffff:10.0.0.2",
        netns: 1,
        node: "node-a",
        identity: "2000",
        endpoint: "cart-0",
        process: "node",
        valid_from: inHour(-3600),
        valid_to: "2200-01-01 00:00:00",
        updated: inHour(0),
      },
    ],
    unhurried,
  );
  const http = { identity: "2000", name: "http", protocol: 6 };
  await store.writer.insertRows(
    "named_ports",
    [
      { ...http, port: 80, first_seen: inHour(-7200), last_seen: inHour(-3500) },
      { ...http, port: 8080, first_seen: inHour(-3400), last_seen: inHour(600) },
    ],
    unhurried,
  );
  const cart = { src_port: 41_000, socket: "77" };
  const db = {
    dst_id: "3000",
    dst_workload: "db",
    dst_ns: "data",
    dst_endpoint: "db-0",
    dst_addr: "::ffff:10.0.0.3",
    dst_port: 5432,
    src_port: 42_000,
  };
  await store.writer.insertRows(
    "flows",
    [
      flowRow({ ts: inHour(-1000), opened: 1 }),
      flowRow({ ts: inHour(-1000), opened: 1, dst_id: "4000", dst_workload: "old" }),
      flowRow({ ts: inHour(10), ...cart, opened: 1, rtt_us: 200, connect_us: 210 }),
      flowRow({
        ts: inHour(12),
        ...cart,
        kind: "close",
        closed: 1,
        bytes_to_server: 100,
        bytes_to_client: 900,
        packets_to_server: 2,
        packets_to_client: 3,
        retransmits: 1,
        duration_us: 2_000_000,
        rtt_us: 220,
      }),
      flowRow({
        ts: inHour(12),
        ...cart,
        socket: "78",
        kind: "close",
        reporter: "server",
        direction: "ingress",
        counted: 0,
        closed: 1,
        bytes_to_server: 100,
        bytes_to_client: 900,
        retransmits: 4,
        process: "cart",
      }),
      flowRow({ ts: inHour(70), opened: 1, dst_port: 9090 }),
      flowRow({ ts: inHour(3000), opened: 1 }),
      flowRow({
        ts: inHour(100),
        ...db,
        kind: "drop",
        verdict: "dropped",
        reason: "NETFILTER_DROP",
        location: "nft_do_chain",
        drops: 3,
        counted: 0,
        reporter: "server",
        direction: "ingress",
        device: "eth0",
      }),
      flowRow({
        ts: inHour(103),
        ...db,
        kind: "drop",
        verdict: "denied",
        reason: "NETFILTER_DROP",
        location: "nft_do_chain",
        drops: 2,
        counted: 0,
        reporter: "server",
        direction: "ingress",
        device: "eth0",
      }),
      flowRow({
        ts: inHour(106),
        ...db,
        kind: "fail",
        verdict: "failed",
        reason: "ETIMEDOUT",
        failed: 1,
        connect_us: 6_000_000,
      }),
      flowRow({
        ts: inHour(200),
        src_id: "2000",
        src_workload: "cart",
        dst_id: "2",
        dst_workload: "world",
        dst_ns: "",
        dst_name: "api.example",
        dst_addr: "::ffff:203.0.113.9",
        dst_port: 443,
        opened: 1,
        process: "cart",
      }),
    ],
    unhurried,
  );
  await store.writer.insertRows(
    "dns_answers",
    [
      {
        ts: inHour(5),
        node: "node-a",
        client_id: "1000",
        client_addr: "::ffff:10.0.0.1",
        server_addr: "::1",
        name: "api.example",
        qtype: "A",
        rcode: "NOERROR",
        addresses: ["::ffff:203.0.113.9"],
        latency_us: 900,
      },
      {
        ts: inHour(6),
        node: "node-a",
        client_id: "1000",
        client_addr: "::ffff:10.0.0.1",
        server_addr: "::1",
        name: "no.example",
        qtype: "A",
        rcode: "NXDOMAIN",
        addresses: [],
        latency_us: 100,
      },
    ],
    unhurried,
  );
  const boot = "6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0001";
  await store.writer.insertRows(
    "books",
    [1, 2].map(() => ({
      minute: inHour(60).slice(0, 19),
      node: "node-a",
      boot,
      generation: 1,
      type: "connection",
      produced: 50,
      stored: 40,
      lost: 5,
      shed: 0,
      quarantined: 1,
      filtered: 4,
    })),
    unhurried,
  );
  await store.writer.insertRows(
    "collector_health",
    [1, 3].map((value, i) => ({
      ts: inHour(60 + i),
      node: "node-a",
      metric: "ring_used_ratio",
      label: "cpu0",
      value,
      text: "",
    })),
    unhurried,
  );
  const real = store.reader;
  const explain = async (query: Query<unknown>, params: Params) => {
    await real.rows({ sql: `EXPLAIN ${query.sql}`, row: z.object({ explain: z.string() }) }, params, unhurried);
    explained.add(query.sql);
  };
  asked = {
    config: real.config,
    async rows(query, params, signal) {
      await explain(query, params);
      return real.rows(query, params, signal);
    },
    stream: (query, params, signal) => real.stream(query, params, signal),
    bytes: (sql, format, params, signal) => real.bytes(sql, format, params, signal),
    close: () => real.close(),
    [Symbol.asyncDispose]: () => real.close(),
  };
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

describe("the map", () => {
  test("sums traffic by the counted report, retransmits by both ends, and names what is new and gone", async () => {
    const answer = MapAnswer.parse(await mapEdges(asked, { ...question(), limit: 100, latency: true }, unhurried));
    expect(answer.answered.by).toBe("edges_1m");
    const edge = (source: string, destination: string) =>
      answer.edges.find((one) => one.source === source && one.destination === destination);
    expect(edge("1000", "2000")).toMatchObject({
      opened: 3,
      closed: 1,
      bytesToServer: 100,
      bytesToClient: 900,
      retransmits: 5,
      news: "steady",
      firstSeen: HOUR + 10_000,
      lastSeen: HOUR + 3_000_000,
    });
    expect(edge("1000", "2000")!.ports).toEqual([
      { port: 8080, protocol: 6, opened: 2, failed: 0 },
      { port: 9090, protocol: 6, opened: 1, failed: 0 },
    ]);
    expect(edge("1000", "3000")).toMatchObject({
      opened: 0,
      failed: 1,
      drops: 5,
      denied: 2,
      news: "new",
      reasons: [
        { value: "NETFILTER_DROP", count: 5 },
        { value: "ETIMEDOUT", count: 1 },
      ],
    });
    expect(edge("1000", "4000")).toMatchObject({ opened: 0, news: "gone" });
    expect(edge("1000", "2000")!.rtt.p50).toBeGreaterThan(195);
    expect(edge("1000", "2000")!.rtt.p50).toBeLessThan(225);
    expect(answer.nodes.find((node) => node.id === "2000")).toMatchObject({
      namespace: "shop",
      workload: "cart",
      endpoints: 1,
      opened: 3,
      labels: { app: "cart" },
    });
    expect(answer.nodes.find((node) => node.id === "2")).toMatchObject({ workload: "world", kind: "reserved" });
  });

  test("is the same from raw rows as from the roll-up, and without round-trip times but for these", async () => {
    const present = (answer: MapAnswer) => answer.edges.filter((one) => one.news !== "gone");
    const ask = (text: string, latency: boolean) =>
      mapEdges(asked, { ...question(text, 0, 3600), limit: 100, latency }, unhurried);
    const [rolled, raw] = [await ask("", true), await ask("-process:nobody", true)];
    expect(raw.answered.by).toBe("flows");
    expect(present(raw)).toEqual(present(rolled));
    const unmeasured = { p50: null, p95: null, p99: null };
    expect(present(await ask("", false))).toEqual(present(rolled).map((one) => ({ ...one, rtt: unmeasured })));
  });

  test("of minutes takes raw rows at its ends only, and is exact to the millisecond", async () => {
    const rows = await store.reader.rows(
      {
        sql: "SELECT toUnixTimestamp64Milli(ts) AS at FROM flows ORDER BY ts LIMIT 3",
        row: z.object({ at: z.coerce.number() }),
      },
      {},
      unhurried,
    );
    for (const { at } of rows) {
      for (const [from, to] of [
        [at - 130_000, at],
        [at - 130_000, at + 1],
        [at, at + 130_000],
        [at + 1, at + 130_000],
      ]) {
        const range = { from: milliseconds(from!), to: milliseconds(to!) };
        const ask = (text: string) =>
          mapEdges(asked, { ...question(text), range, limit: 100, latency: true }, unhurried);
        const [ends, raw] = [await ask(""), await ask("-process:nobody")];
        expect([ends.answered.by, raw.answered.by, ends.answered.from, ends.answered.to]).toEqual([
          "edges_1m",
          "flows",
          from,
          to,
        ]);
        expect(ends.edges).toEqual(raw.edges);
      }
    }
  });

  test("of a store that is older than the roll-up by five minutes takes minutes where that one is not whole", async () => {
    const whole = await mapEdges(asked, { ...question("", -7200, 7200), limit: 100 }, unhurried);
    await store.writer.command(
      `INSERT INTO roll_ups VALUES ('edges_5m', toDateTime(${HOUR / 1000 + 1800}, 'UTC'))`,
      unhurried,
    );
    await store.writer.command(
      "ALTER TABLE edges_5m DELETE WHERE slot < (SELECT max(begins) FROM roll_ups) SETTINGS mutations_sync = 1",
      unhurried,
    );
    expect(await mapEdges(asked, { ...question("", -7200, 7200), limit: 100 }, unhurried)).toEqual(whole);
  });

  test("of a scope has the edges with an end in it, and of a limit the busiest, saying so", async () => {
    const scoped = await mapEdges(asked, { ...question("", 0, 3600, ["data"]), limit: 100 }, unhurried);
    expect(scoped.edges.map((one) => one.destination)).toEqual(["3000"]);
    const cut = await mapEdges(asked, { ...question(), limit: 1 }, unhurried);
    expect(cut.answered.truncated).toBe(true);
  });

  test("of a long range takes hours in the middle and minutes at the ends, and counts nothing twice", async () => {
    const answer = await mapEdges(asked, { ...question("", -7200, 7200), limit: 100 }, unhurried);
    expect(answer.answered.by).toBe("edges_1h");
    expect(answer.edges.find((one) => one.destination === "2000")).toMatchObject({ opened: 4 });
    const ragged = await mapEdges(asked, { ...question("", -7200 + 60, 3000), limit: 100 }, unhurried);
    expect(ragged.edges.find((one) => one.destination === "2000")).toMatchObject({ opened: 3 });
  });

  test("over time has its traffic in its steps", async () => {
    const series = SeriesAnswer.parse(
      await edgeSeries(
        asked,
        { ...question(), buckets: 60, ends: { source: ["1000"], destination: ["2000"] } },
        unhurried,
      ),
    );
    expect(series.points.map((point) => [point.at - HOUR, point.opened])).toEqual([
      [0, 1],
      [60_000, 1],
      [3_000_000, 1],
    ]);
    const line = TimelineAnswer.parse(await timeline(asked, { ...question("", 0, 600), buckets: 60 }, unhurried));
    expect(line.bucketMs).toBe(10_000);
    expect(line.points.reduce((sum, point) => sum + point.drops, 0)).toBe(5);
  });

  test("tells an edge by ports, failures, drops, processes and talkers", async () => {
    const cart = EdgeDetails.parse(
      await edgeDetails(asked, { ...question(), source: ["1000"], destination: ["2000"] }, unhurried),
    );
    expect(cart.total).toMatchObject({ opened: 3, retransmits: 5 });
    expect(cart.processes.map((one) => [one.side, one.process])).toEqual([
      ["client", "node"],
      ["server", "cart"],
    ]);
    expect(cart.talkers[0]).toMatchObject({
      source: "web-0",
      destination: "cart-0",
      sourceAddress: "10.0.0.1",
      opened: 3,
    });
    const db = EdgeDetails.parse(
      await edgeDetails(asked, { ...question(), source: ["1000"], destination: ["3000"] }, unhurried),
    );
    expect(db.failures).toMatchObject([{ reason: "ETIMEDOUT", count: 1, medianWaitUs: 6_000_000 }]);
    expect(db.drops.map((one) => [one.verdict, one.drops])).toEqual([
      ["dropped", 3],
      ["denied", 2],
    ]);
  });

  test("tells a node by its sums, peers and endpoints", async () => {
    const cart = NodeDetails.parse(await nodeDetails(asked, { ...question(), node: ["2000"] }, unhurried));
    expect(cart.inbound.opened).toBe(3);
    expect(cart.outbound.opened).toBe(1);
    expect(cart.endpoints).toMatchObject([{ endpoint: "cart-0", address: "10.0.0.2", to: null }]);
  });
});

describe("drops", () => {
  test("are counted by step and reason, by facet, and by cause", async () => {
    const series = DropsSeries.parse(await dropsSeries(asked, { ...question(), buckets: 60 }, unhurried));
    expect(series.points).toEqual([{ at: HOUR + 60_000, reason: "NETFILTER_DROP", drops: 5 }]);
    const facets = DropsFacets.parse(await dropsFacets(asked, question(), unhurried));
    expect(facets.total).toBe(5);
    expect((await dropsTotal(asked, question(), unhurried)).drops).toBe(5);
    expect(facets.destination).toEqual([{ label: "data/db", term: "dst:data/db", drops: 5 }]);
    expect(facets.verdict.map((one) => [one.label, one.drops])).toEqual([
      ["dropped", 3],
      ["denied", 2],
    ]);
    const causes = DropCauses.parse(await dropCauses(asked, { ...question(), limit: 10 }, unhurried));
    expect(causes.causes.map((one) => [one.verdict, one.drops, one.spark.reduce((a, b) => a + b, 0)])).toEqual([
      ["dropped", 3, 3],
      ["denied", 2, 2],
    ]);
  });

  test("that are normal are listed apart: none of these", async () => {
    expect(await normalDrops(asked, question(), unhurried)).toEqual({ keys: [], hidden: [] });
  });

  test("of the same addresses and ports are joined to the attempt that failed", async () => {
    const answer = FailuresAnswer.parse(await failures(asked, { ...question(), limit: 10 }, unhurried));
    expect(answer.total).toBe(1);
    expect(answer.failures[0]).toMatchObject({
      reason: "ETIMEDOUT",
      failed: 1,
      opened: 0,
      causes: [{ reason: "NETFILTER_DROP", drops: 5, failures: 1, reversed: false }],
    });
  });
});

describe("flows", () => {
  test("come newest first, page by page, each row once", async () => {
    const ids: string[] = [];
    let before: string | undefined;
    for (let page = 0; page < 20; page++) {
      const answer = FlowsPage.parse(
        await flowsPage(asked, { ...question("", -3600, 3600), limit: 3, before }, unhurried),
      );
      ids.push(...answer.flows.map((flow) => flow.rowId));
      if (answer.next === null) break;
      before = answer.next;
    }
    expect(ids).toHaveLength(11);
    expect(new Set(ids).size).toBe(11);
    await expect(flowsPage(asked, { ...question(), limit: 3, before: "x" }, unhurried)).rejects.toThrow(
      "before: this is no place in a list of flows",
    );
  });

  test("of one connection are found from one of its rows, and its drops from a failure", async () => {
    const page = await flowsPage(asked, { ...question("port:8080", 0, 60), limit: 10 }, unhurried);
    const open = page.flows.find((flow) => flow.kind === "open")!;
    const life = ConnectionLife.parse(
      await connectionLife(asked, { rowId: open.rowId, at: milliseconds(Date.parse(open.time)), scope: [] }, unhurried),
    );
    expect(life.flows.map((flow) => [flow.kind, flow.reporter])).toEqual([
      ["open", "client"],
      ["close", "client"],
      ["close", "server"],
    ]);
    const failed = (await flowsPage(asked, { ...question("kind:fail"), limit: 10 }, unhurried)).flows[0]!;
    const dead = await connectionLife(
      asked,
      { rowId: failed.rowId, at: milliseconds(Date.parse(failed.time)), scope: [] },
      unhurried,
    );
    expect(dead.flows.map((flow) => flow.kind)).toEqual(["drop", "drop", "fail"]);
  });

  test.each(FILTER_KEYS)("offer what exists for %s:", async (key) => {
    const answer = Completions.parse(await completions(asked, { ...question(), key, part: "", limit: 20 }, unhurried));
    if (key === "dst") expect(answer.values.map((one) => one.value)).toContain("data/db");
    if (key === "label") expect(answer.values.map((one) => one.value)).toContain("app=cart");
    if (key === "proto") expect(answer.values).toMatchObject([{ value: "tcp" }]);
  });

  test("make tuples, from the roll-up and from raw rows alike", async () => {
    const rolled = TuplesAnswer.parse(await tuples(asked, { ...question(), limit: 100 }, unhurried));
    const raw = TuplesAnswer.parse(await tuples(asked, { ...question("-process:nobody"), limit: 100 }, unhurried));
    expect([rolled.answered.by, raw.answered.by]).toEqual(["tuples_1h", "flows"]);
    const bare = (answer: z.infer<typeof TuplesAnswer>) =>
      answer.tuples.map(({ sampleRow, ...rest }) => (expect(sampleRow).not.toBe(""), rest));
    expect(bare(raw)).toEqual(bare(rolled));
    expect(rolled.tuples.find((one) => one.destination === "2")).toMatchObject({
      destinationAddress: "203.0.113.9",
      destinationName: "api.example",
    });
  });

  test("give what a policy is tried on in one answer: tuples, their identities with addresses and port names, books", async () => {
    const traffic = TrafficAnswer.parse(await trafficInRange(asked, { ...question(), limit: 100 }, unhurried));
    expect(traffic.tuples.tuples.length).toBeGreaterThan(1);
    expect(new Set(traffic.tuples.tuples.map((one) => one.family))).toEqual(new Set([4]));
    expect(traffic.identities.identities.map((one) => one.workload)).not.toContain("old");
    expect(traffic.addresses).toEqual([{ id: "2000", addresses: ["10.0.0.2"] }]);
    // The number that the name had before is aged, and said no more.
    expect(traffic.ports).toEqual([{ id: "2000", ports: [{ name: "http", port: 8080, protocol: "TCP" }] }]);
    expect(traffic.books.produced).toBe(100);
  });

  test.each(EXPORTS)("%s are exported, and no cell begins a formula", async (name) => {
    const { sql, params } = exportSql(name, question("", 0, 3600), true);
    const text: Buffer[] = [];
    for await (const chunk of await asked.bytes(sql, "CSVWithNames", params, unhurried)) text.push(Buffer.from(chunk));
    expect(Buffer.concat(text).toString().split("\n").length).toBeGreaterThan(2);
    await store.reader.rows({ sql: `EXPLAIN ${sql}`, row: z.object({ explain: z.string() }) }, params, unhurried);
  });
});

describe("health", () => {
  test("books are added up and balance", async () => {
    const answer = BooksAnswer.parse(await booksInRange(asked, question().range, unhurried));
    expect(answer.total).toEqual({
      produced: 100,
      stored: 80,
      lost: 10,
      shed: 0,
      quarantined: 2,
      filtered: 8,
      pending: 0,
      crashed: 0,
      unseen: 0,
    });
    expect(answer.seen).toBeCloseTo(1 - 12 / 92);
    expect(answer.worst).toMatchObject([{ lost: 10, crashed: 0, quarantined: 2 }]);
    expect(answer.unbalanced).toBe(0);
    const lines = await booksByMinute(asked, { ...question(), node: "", countRows: true }, unhurried);
    expect(lines).toMatchObject([{ produced: 100, stored: 80, lost: 10, difference: 0 }]);
  });

  test("status, sizes, names, DNS and measurements are answered", async () => {
    expect(StatusAnswer.parse(await status(asked, unhurried))).toMatchObject({
      newestRow: HOUR + 3_000_000,
      schemaVersion: (await migrations()).at(-1)!.version,
    });
    const tables = SizesAnswer.parse(await sizes(asked, unhurried)).tables;
    expect(tables.find((one) => one.table === "flows")).toMatchObject({
      rows: 11,
      ttl: "toDateTime(ts) + toIntervalDay(7)",
    });
    expect(
      IdentitiesAnswer.parse(await identitiesInRange(asked, { ...question(), limit: 100 }, unhurried)).identities,
    ).toHaveLength(15);
    expect(
      DnsNames.parse(await dnsNames(asked, { ...question(), part: "", limit: 10 }, unhurried)).names.map((one) => [
        one.name,
        one.failed,
      ]),
    ).toEqual([
      ["no.example", 1],
      ["api.example", 0],
    ]);
    expect(
      HealthSeries.parse(await healthSeries(asked, { ...question(), buckets: 60 }, unhurried)).series,
    ).toMatchObject([{ metric: "ring_used_ratio", newest: 3, points: [{ value: 2 }] }]);
  });
});

test("every question's SQL was planned by the engine here", async () => {
  const folder = new URL("./", import.meta.url);
  const plain = (sql: string) =>
    sql
      .replace(/\/\*.*?\*\//gs, "")
      .replace(/\s+/g, " ")
      .trim();
  const seen = [...explained].map(plain).join("\n");
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))) {
    for (const [, name, sql] of (await readFile(new URL(file, folder), "utf8")).matchAll(
      /const (\w+_SQL) = `([^`]*)`/g,
    )) {
      const first = plain(sql!.split(/\/\*|\$\{/)[0]!).slice(0, 60);
      expect(seen, `${file}: ${name}`).toContain(first);
    }
  }
});
