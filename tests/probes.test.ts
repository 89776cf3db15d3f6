/** What scrapers and probes see of store, collector and app: valid OpenMetrics, counters that agree with the books, and readiness that tells the truth. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appConfig } from "../app/config.ts";
import { serveApp, type RunningApp } from "../app/server.ts";
import { until } from "../collector/testing.ts";
import { HealthSnapshot } from "../model/wire/health.ts";
import { startStoreProcess, type StoreProcess } from "../store/embedded/spawn.ts";
import { storeConfig } from "../store/config.ts";
import { openReader } from "../store/reader.ts";
import { z } from "zod";
import { parseOpenMetrics, valueOf } from "./openmetrics.ts";
import { start, WEIR, type Running } from "./weir.ts";

let dir: string;
let store: StoreProcess;
let collector: Running;
let app: RunningApp;
let metricsUrl: string;
let env: Record<string, string>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "weir-probes-"));
  store = await startStoreProcess({ WEIR_DATA_DIR: dir, WEIR_STORE_PORT: "0", WEIR_STORE_MEMORY: "700000000" });
  env = { WEIR_DATA_DIR: dir, WEIR_STORE_PORT: new URL(store.url).port, WEIR_SOURCE: "replay" };
  collector = start(WEIR, ["collect"], { ...env, WEIR_METRICS_PORT: "0", WEIR_LOG_FORMAT: "json" });
  await collector.untilSays(/"the collector runs"/);
  metricsUrl = /"metrics":"([^"]+)"/.exec(collector.said())![1]!;
  // The app without its pages: what is asked here is answered before Next.
  process.env["WEIR_DATA_DIR"] = dir;
  process.env["WEIR_STORE_PORT"] = env["WEIR_STORE_PORT"];
  const never = new Promise<void>(() => undefined);
  const port = await freePort();
  void serveApp(appConfig({ ...env, WEIR_PORT: String(port) }), { dev: false, build: () => never });
  app = { port, close: async () => undefined };
  await until("the app answers", async () => (await fetch(`${appUrl()}/healthz`)).ok);
});

afterAll(async () => {
  await collector?.[Symbol.asyncDispose]();
  await store?.stop();
  await rm(dir, { recursive: true, force: true });
});

const appUrl = (): string => `http://127.0.0.1:${app.port}`;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function scrape(url: string) {
  const answer = await fetch(url);
  expect(answer.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  return parseOpenMetrics(await answer.text());
}

async function ready(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
}

const collectorReady = () => ready(metricsUrl.replace("/metrics", "/readyz"));
const storeReady = () => ready(`${store.url}/readyz`);
const appReady = () => ready(`${appUrl()}/readyz`);

test("all three are scraped as strict OpenMetrics, every name begins with its process and ends in a unit or what is counted", async () => {
  const units =
    /_(seconds|bytes|ratio|events|rows|segments|parts|info|version|clients|subscriptions|identities|sockets|busy|waiting|loaded|failing|replay|in_flight)$/;
  const docs = await readFile(new URL("../docs/metrics.md", import.meta.url), "utf8");
  for (const [part, url] of [
    ["collector", metricsUrl],
    ["store", `${store.url}/metrics`],
    ["app", `${appUrl()}/metrics`],
  ] as const) {
    const families = await scrape(url);
    expect(families.size).toBeGreaterThan(8);
    for (const { name, type, samples } of families.values()) {
      expect(name).toMatch(new RegExp(`^weir_${part}_[a-z_]+$`));
      expect(docs).toContain(`\`${name}${type === "counter" ? "_total" : ""}\``);
      if (type === "gauge") expect(name).toMatch(units);
      for (const sample of samples) if (type === "counter") expect(sample.name).toMatch(/_total$/);
    }
    expect(valueOf(families, `weir_${part}_memory_bytes`)).toBeGreaterThan(10e6);
    expect(valueOf(families, `weir_${part}_cpu_seconds_total`)).toBeGreaterThan(0);
  }
});

test("the collector's counters are those of its books, and what it calls inserted is in the store", async () => {
  await until("rows are in the store", async () => {
    return valueOf(await scrape(metricsUrl), "weir_collector_rows_inserted_total") > 500;
  });
  const families = await scrape(metricsUrl);
  const of = (name: string, labels = {}) => valueOf(families, `weir_collector_${name}`, labels);
  const produced = families
    .get("weir_collector_events_produced")!
    .samples.reduce((sum, sample) => sum + sample.value, 0);
  const fates = ["stored", "lost", "shed", "quarantined", "filtered"];
  const booked = fates.reduce((sum, fate) => sum + of("events_booked_total", { fate }), 0);
  expect(booked + of("events_in_flight") + of("books_difference_events")).toBe(produced);
  expect(of("books_difference_events")).toBe(0);
  expect(of("replay")).toBe(1);
  await using reader = openReader(storeConfig(env));
  const sql = "SELECT sum(rows) AS n FROM segments WHERE target != 'books' LIMIT 1";
  const [row] = await reader.rows({ sql, row: z.object({ n: z.coerce.number() }) }, {}, AbortSignal.timeout(20_000));
  expect(row!.n).toBeGreaterThanOrEqual(of("rows_inserted_total"));
});

test("the store counts statements by who asked and how they ended", async () => {
  const before = await scrape(`${store.url}/metrics`);
  const count = (families: typeof before, outcome: string) => {
    const samples = families.get("weir_store_questions")!.samples;
    return samples.find((each) => each.labels["role"] === "reader" && each.labels["outcome"] === outcome)?.value ?? 0;
  };
  expect((await fetch(`${store.url}/?query=SELECT+1`)).ok).toBe(true);
  expect((await fetch(`${store.url}/?query=DROP+TABLE+flows`, { method: "POST" })).ok).toBe(false);
  const after = await scrape(`${store.url}/metrics`);
  expect(count(after, "answered")).toBeGreaterThan(count(before, "answered"));
  expect(count(after, "refused")).toBe(count(before, "refused") + 1);
  expect(valueOf(after, "weir_store_table_rows", { table: "flows" })).toBeGreaterThan(0);
});

test("a page with a name of its own for loopback gets nothing from the collector's port or the app", async () => {
  const { request } = await import("node:http");
  const statusFor = (url: string, host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(url, { headers: { host } }, (answer) => resolve(answer.resume().statusCode))
        .on("error", reject)
        .end();
    });
  expect(await statusFor(metricsUrl, "evil.example")).toBe(403);
  expect(await statusFor(metricsUrl, "localhost:1")).toBe(200);
  expect(await statusFor(`${appUrl()}/metrics`, "evil.example")).toBe(503); // its pages are not there yet; never the metrics
  expect(await statusFor(`${store.url}/metrics`, "evil.example")).toBe(403);
});

test("alive is alive; ready says in words what is missing, goes with the store and comes back with it", async () => {
  expect(await (await fetch(`${store.url}/healthz`)).text()).toBe("alive\n");
  expect(await (await fetch(metricsUrl.replace("/metrics", "/healthz"))).text()).toBe("alive\n");
  expect(await storeReady()).toEqual({
    status: 200,
    text: expect.stringMatching(/^ready\nok {2}engine: ClickHouse [\d.]+, schema \d+\n$/),
  });
  await until("the collector is ready", async () => (await collectorReady()).status === 200);
  expect((await collectorReady()).text).toMatch(
    /^ready\nok {2}rings: a recorded sample plays.*\nok {2}spool: \d+ segments wait\nok {2}inserts: .*\nok {2}store: http:\/\/127\.0\.0\.1:\d+, schema \d+\n$/,
  );
  const app = await appReady();
  expect(app.status).toBe(503); // no pages are built here, and it says so
  expect(app.text).toMatch(
    /^not ready\nnot pages: .*\nok {2}store: .*, ClickHouse [\d.]+, schema \d+\nok {2}collector: running: /,
  );

  await store.stop();
  const isGone = /^not ready\n[\s\S]*not store: http:.*nothing listens there/;
  await until("the collector says that the store is gone", async () => isGone.test((await collectorReady()).text));
  expect((await collectorReady()).status).toBe(503);
  expect((await appReady()).text).toMatch(/not store: http:.*nothing listens there/);

  store = await startStoreProcess({ ...env, WEIR_STORE_MEMORY: "700000000" });
  await until("the collector is ready again", async () => (await collectorReady()).status === 200, 60_000);
  expect((await appReady()).text).toMatch(/ok {2}store: /);
});

test("a store whose schema is of a newer Weir is said to be one; an older one is not ready", async () => {
  const { openWriter } = await import("../store/writer.ts");
  await using writer = await openWriter(storeConfig(env));
  const signal = AbortSignal.timeout(20_000);
  await writer.command(
    "INSERT INTO schema_migrations (version, name, hash) VALUES (9999, 'from_the_future', 'x')",
    signal,
  );
  expect((await appReady()).text).toMatch(
    /ok {2}store: .*schema 9999 is of a newer Weir than this one, which knows \d+; update this one/,
  );
  expect(await storeReady()).toMatchObject({ status: 503 });
  await writer.command("DELETE FROM schema_migrations WHERE version = 9999", signal);
  await until("the store is ready", async () => (await storeReady()).status === 200);
});

test("the snapshot of a collector of one version back, without the newer fields, is read", async () => {
  const { request } = await import("node:http");
  const text = await new Promise<string>((resolve, reject) => {
    request({ socketPath: join(dir, "run", "collector.sock"), path: "/health" }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (part: string) => (body += part));
      answer.on("end", () => resolve(body));
    })
      .on("error", reject)
      .end();
  });
  const { stalledMs: _stalled, uncounted: _uncounted, ...old } = JSON.parse(text) as HealthSnapshot;
  expect(HealthSnapshot.parse(old)).toMatchObject({ stalledMs: 0, uncounted: { calls: 0 } });
});
