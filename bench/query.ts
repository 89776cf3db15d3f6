/**
 * How long the screens' questions take: `node bench/query.ts [--rows 1e7] [--minutes 60] [--teams 100] [--runs 20] [--keep DIR]`.
 * Makes a store of its own in a temporary directory, fills it (bench/fill.ts), asks, prints p50 and p90 in milliseconds, and takes it away.
 * Goal: p90 < 300 ms from 10^7 rows. Includes HTTP, JSON and schema checks, as a route has them.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseFilter } from "../model/filter/parse.ts";
import { milliseconds } from "../model/time.ts";
import { storeConfig } from "../store/config.ts";
import { startStoreProcess } from "../store/embedded/spawn.ts";
import { dropCauses } from "../store/queries/drop-causes.ts";
import { dropsFacets } from "../store/queries/drops-facets.ts";
import { dropsSeries } from "../store/queries/drops-series.ts";
import { edgeDetails } from "../store/queries/edge-details.ts";
import { edgeSeries } from "../store/queries/edge-series.ts";
import { failures } from "../store/queries/failures.ts";
import { flowsPage } from "../store/queries/flows-page.ts";
import { mapEdges } from "../store/queries/map-edges.ts";
import { status } from "../store/queries/status.ts";
import { timeline } from "../store/queries/timeline.ts";
import { tuples } from "../store/queries/tuples.ts";
import { openReader, type StoreReader } from "../store/reader.ts";
import { openWriter } from "../store/writer.ts";
import { fillStore } from "./fill.ts";

const LIMIT_MS = 300;
const signal = new AbortController().signal;
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1e7" },
    minutes: { type: "string", default: "60" },
    teams: { type: "string", default: "100" },
    runs: { type: "string", default: "20" },
    keep: { type: "string" },
  },
});

const dataDir = values.keep ?? (await mkdtemp(join(tmpdir(), "weir-bench-query-")));
const env = { WEIR_DATA_DIR: dataDir, WEIR_STORE_PORT: "0" };
const store = await startStoreProcess(env);
try {
  const config = { ...storeConfig(env), url: store.url };
  const until = Date.now();
  const minutes = Number(values.minutes);
  await using writer = await openWriter(config);
  await using reader = openReader(config);
  const filled = await fillStore(
    writer,
    { rows: Number(values.rows), seed: 1, minutes, teams: Number(values.teams), until },
    signal,
  );
  say(`${machine()}`);
  say(
    `${filled.rows} rows of ${minutes} minutes written in ${filled.seconds.toFixed(1)} s (${Math.round(filled.rows / filled.seconds)} rows/s, roll-ups included)`,
  );
  await measureAll(reader, until, minutes, Number(values.runs));
} finally {
  await store.stop();
  if (values.keep === undefined) await rm(dataDir, { recursive: true, force: true });
}

async function measureAll(reader: StoreReader, until: number, minutes: number, runs: number): Promise<void> {
  const question = (last: number, text = "") => ({
    range: { from: milliseconds(until - last * 60_000), to: milliseconds(until) },
    filter: parseFilter(text).filter,
    scope: [] as string[],
  });
  const busiest = (await mapEdges(reader, { ...question(15), limit: 1 }, signal)).edges[0]!;
  const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["map, 15 min", () => mapEdges(reader, { ...question(15), limit: 5000 }, signal)],
    [`map, ${minutes} min`, () => mapEdges(reader, { ...question(minutes), limit: 5000 }, signal)],
    ["map, 15 min, one namespace", () => mapEdges(reader, { ...question(15, "ns:storefront"), limit: 5000 }, signal)],
    ["map, 5 min, from raw rows", () => mapEdges(reader, { ...question(5), limit: 5000 }, signal)],
    ["timeline, 180 steps", () => timeline(reader, { ...question(minutes), buckets: 180 }, signal)],
    [
      "one edge over time",
      () =>
        edgeSeries(
          reader,
          { ...question(15), ends: { source: [busiest.source], destination: [busiest.destination] }, buckets: 90 },
          signal,
        ),
    ],
    [
      "one edge's details, 15 min",
      () =>
        edgeDetails(reader, { ...question(15), source: [busiest.source], destination: [busiest.destination] }, signal),
    ],
    ["drops by reason", () => dropsSeries(reader, { ...question(minutes), buckets: 90 }, signal)],
    ["drops, facets", () => dropsFacets(reader, question(minutes), signal)],
    ["drops, causes", () => dropCauses(reader, { ...question(minutes), limit: 100 }, signal)],
    ["failures with their drops, 15 min", () => failures(reader, { ...question(15), limit: 100 }, signal)],
    ["flows, newest 100", () => flowsPage(reader, { ...question(minutes), limit: 100 }, signal)],
    [
      "flows, filtered by name and port",
      () => flowsPage(reader, { ...question(minutes, "src:catalog port:5432 -verdict:allowed"), limit: 100 }, signal),
    ],
    ["tuples, all", () => tuples(reader, { ...question(minutes), limit: 20_000 }, signal)],
    ["status line", () => status(reader, signal)],
  ];
  say(`${"question".padEnd(36)} ${"p50 ms".padStart(8)} ${"p90 ms".padStart(8)}`);
  for (const [name, ask] of asked) {
    const times: number[] = [];
    await ask(); // the first reads from disk what the others find in memory, as on a screen that refreshes
    for (let run = 0; run < runs; run++) {
      const began = performance.now();
      await ask();
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    const [p50, p90] = [times[Math.floor(runs * 0.5)]!, times[Math.floor(runs * 0.9)]!];
    say(
      `${name.padEnd(36)} ${p50.toFixed(0).padStart(8)} ${p90.toFixed(0).padStart(8)}${p90 > LIMIT_MS ? `  over ${LIMIT_MS}` : ""}`,
    );
  }
  say(`load average at the end ${loadavg()[0]!.toFixed(1)}`);
}

function machine(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  }).trim();
  return `${cpus()[0]?.model ?? "?"}, ${cpus().length} CPUs, Node ${process.version}, commit ${commit}, load average ${loadavg()[0]!.toFixed(1)}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
