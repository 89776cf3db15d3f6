/** docs/grafana/weir.json against what it shows: every metric is in a scrape, every SQL runs on a filled store and answers with columns that a panel can draw. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { createAppMetrics } from "../app/metrics.ts";
import { openGateway } from "../app/live/gateway.ts";
import { testAgent, testStore, until, type TestStore } from "../collector/testing.ts";
import { storeConfig } from "../store/config.ts";
import { parseOpenMetrics } from "./openmetrics.ts";

const Target = z.object({
  datasource: z.object({ type: z.enum(["prometheus", "grafana-clickhouse-datasource"]), uid: z.string() }),
  expr: z.string().optional(),
  rawSql: z.string().optional(),
  queryType: z.enum(["timeseries", "table"]).optional(),
  refId: z.string(),
});
const Dashboard = z.object({
  uid: z.literal("weir"),
  panels: z.array(
    z.object({
      id: z.number(),
      type: z.string(),
      title: z.string(),
      description: z.string().optional(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(Target).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string(), query: z.unknown() })) }),
});

const dashboard = Dashboard.parse(
  JSON.parse(await readFile(new URL("../docs/grafana/weir.json", import.meta.url), "utf8")),
);
const panels = dashboard.panels.filter((panel) => panel.type !== "row");
const targets = panels.flatMap((panel) => panel.targets.map((target) => ({ panel: panel.title, ...target })));
const queries = targets.flatMap(({ panel, rawSql, queryType, refId }) =>
  rawSql === undefined ? [] : [{ panel: `${panel} ${refId}`, rawSql, queryType }],
);

let store: TestStore;
let names: ReadonlySet<string>;
const nowMs = Date.now();

beforeAll(async () => {
  store = await testStore({ WEIR_STORE_MEMORY: "900000000" });
  const agent = await testAgent({ ...store.env, WEIR_SOURCE: "replay", WEIR_METRICS_PORT: "0" });
  const counts = ["collector_health", "nodes", "drops_1m", "edges_1m", "books"];
  await until(
    "the collector has written something of every kind",
    async () => {
      const [row] = await store.rows(
        `SELECT ${counts.map((table) => `(SELECT count() FROM ${table}) AS ${table}`).join(", ")} LIMIT 1`,
      );
      return counts.every((table) => Number(row![table]) > 0);
    },
    90_000,
  );
  const storeUrl = storeConfig(store.env).url;
  const collector = await askSocket(`${store.dir}/run/collector.sock`, "/metrics");
  const gateway = openGateway(`${store.dir}/run/collector.sock`);
  const metrics = createAppMetrics();
  metrics.answered("/api/map?q=", 200, 0.1);
  const app = (await metrics.text(gateway)).text;
  await gateway.close();
  const all = [collector, await (await fetch(`${storeUrl}/metrics`)).text(), app];
  names = new Set(all.flatMap((text) => [...parseOpenMetrics(text).values()].flatMap(sampleNames)));
  await agent[Symbol.asyncDispose]();
});

afterAll(async () => store?.[Symbol.asyncDispose]());

/** Names that PromQL finds: those of samples, and of families that have none yet. */
function sampleNames({ name, type, samples }: { name: string; type: string; samples: readonly { name: string }[] }) {
  return [...samples.map((sample) => sample.name), ...(type === "counter" ? [`${name}_total`] : [name])];
}

async function askSocket(socketPath: string, path: string): Promise<string> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
}

/** The SQL as grafana-clickhouse-datasource sends it (its README, Macros). */
function filled(sql: string): string {
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  return sql
    .replaceAll(
      /\$__timeFilter\((\w+)\)/g,
      `$1 >= toDateTime(${seconds(nowMs - 3_600_000)}) AND $1 <= toDateTime(${seconds(nowMs + 600_000)})`,
    )
    .replaceAll(/\$__timeInterval\((\w+)\)/g, "toStartOfInterval(toDateTime($1), INTERVAL 60 second)")
    .replaceAll("$__interval_s", "60")
    .replaceAll("${node:singlequote}", "SELECT toString(node) FROM nodes UNION ALL SELECT toString(node) FROM flows");
}

test("panels have a title, words that explain them, a place of their own and questions to known sources", () => {
  const taken = new Set<string>();
  for (const { title, description, gridPos, targets: asked } of panels) {
    expect(title).not.toBe("");
    expect(description ?? "", title).not.toBe("");
    expect(asked.length, title).toBeGreaterThan(0);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`), `${title} lies on another`).toBe(false);
        taken.add(`${x} ${y}`);
      }
  }
  for (const { datasource } of targets) expect(["${prometheus}", "${clickhouse}"]).toContain(datasource.uid);
  expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
});

test("every metric that is asked for is in a scrape of collector, store or app", () => {
  const asked = targets.flatMap(({ expr }) => [...(expr ?? "").matchAll(/\bweir_\w+/g)].map((match) => match[0]));
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
});

test.each(queries)("the SQL of “$panel” runs as a reader", async ({ rawSql, queryType }) => {
  expect(filled(rawSql)).not.toMatch(/\$/);
  expect(rawSql).toMatch(/\bLIMIT \d+$/);
  const rows = await store.rows(filled(rawSql));
  if (queryType === "timeseries") {
    expect(rows.length).toBeGreaterThan(0);
    expect(Object.keys(rows[0]!)[0]).toBe("time");
    expect(typeof Object.values(rows[0]!).at(-1)).toBe("number");
  }
});

test("a time limit that a reader's client sends along is taken, any other setting is refused", async () => {
  const { url } = storeConfig(store.env);
  const ask = async (setting: string): Promise<number> => (await fetch(`${url}/?query=SELECT+1&${setting}`)).status;
  expect(await ask("max_execution_time=60")).toBe(200);
  expect(await ask("max_memory_usage=1")).toBe(500);
});
