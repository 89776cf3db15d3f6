/**
 * How long the screens' questions take: `node bench/query.ts [--rows 1e7] [--minutes 60] [--teams 100] [--runs 20] [--keep DIR]`.
 * Makes a store of its own in a temporary directory, fills it (bench/fill.ts), waits until its parts are merged, asks all questions in
 * turns, and prints p50 and p90 in milliseconds and the CPU time of the store process for one answer, which a busy machine changes less.
 * `--keep DIR` leaves the store there; a second run with it asks without filling. Goal: p90 < 300 ms from 10^7 rows.
 * Includes HTTP, JSON and schema checks, as a route has them. Larger: `--rows 1e8`, `--rows 1e9` (3 and 30 GB; minutes and an hour to fill).
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
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
import { openWriter, type StoreWriter } from "../store/writer.ts";
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
  const minutes = Number(values.minutes);
  await using writer = await openWriter(config);
  await using reader = openReader(config);
  say(machine());
  const until = (await newestRow(writer)) ?? (await fill(writer, minutes));
  await whenMerged(writer);
  await measureAll(reader, until, minutes, Number(values.runs));
} finally {
  await store.stop();
  if (values.keep === undefined) await rm(dataDir, { recursive: true, force: true });
}

/** Time of the newest row of a store that was kept, ms, or undefined of an empty one. */
async function newestRow(writer: StoreWriter): Promise<number | undefined> {
  const [row] = await writer.rows(
    "SELECT count() AS rows, toUnixTimestamp64Milli(max(ts)) AS newest FROM flows",
    z.object({ rows: z.coerce.number(), newest: z.coerce.number() }),
    {},
    signal,
  );
  if (row === undefined || row.rows === 0) return undefined;
  say(`${row.rows} rows of a store that was kept`);
  return row.newest + 1;
}

async function fill(writer: StoreWriter, minutes: number): Promise<number> {
  const until = Date.now();
  const settings = { rows: Number(values.rows), seed: 1, minutes, teams: Number(values.teams), until };
  const { rows, seconds, sentRows, sentSeconds } = await fillStore(writer, settings, signal);
  const copied = rows - sentRows;
  say(
    `${rows} rows of ${minutes} minutes: ${sentRows} sent (${Math.round(sentRows / sentSeconds)} rows/s), ` +
      `${copied} copied in the engine (${Math.round(copied / Math.max(1e-9, seconds - sentSeconds))} rows/s), roll-ups included`,
  );
  return until;
}

/** Merges share the CPU with the questions: they are what is not measured here. Gives up after a while and says so. */
async function whenMerged(writer: StoreWriter): Promise<void> {
  const deadline = Date.now() + 600_000;
  for (let quiet = 0; quiet < 3;) {
    const [row] = await writer.rows(
      "SELECT count() AS n FROM system.merges",
      z.object({ n: z.coerce.number() }),
      {},
      signal,
    );
    quiet = row!.n === 0 ? quiet + 1 : 0;
    if (Date.now() > deadline) return say("parts are still being merged: figures include that");
    await wait(1000);
  }
  const [size] = await writer.rows(
    "SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows'",
    z.object({ rows: z.coerce.number(), bytes: z.coerce.number(), parts: z.coerce.number() }),
    {},
    signal,
  );
  say(`flows: ${(size!.bytes / size!.rows).toFixed(1)} bytes a row on disk, ${size!.parts} parts`);
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
    ["map, 15 min, with RTT", () => mapEdges(reader, { ...question(15), limit: 5000, latency: true }, signal)],
    [`map, ${minutes} min`, () => mapEdges(reader, { ...question(minutes), limit: 5000 }, signal)],
    [
      `map, ${minutes} min, with RTT`,
      () => mapEdges(reader, { ...question(minutes), limit: 5000, latency: true }, signal),
    ],
    ["map, 15 min, one namespace", () => mapEdges(reader, { ...question(15, "ns:storefront"), limit: 5000 }, signal)],
    ["map, 5 min", () => mapEdges(reader, { ...question(5), limit: 5000 }, signal)],
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
  const found = asked.map(() => ({ times: [] as number[], cpuMs: 0 }));
  for (let run = -1; run < runs; run++) {
    for (const [i, [, ask]] of asked.entries()) {
      const [cpu, began] = [storeCpuMs(), performance.now()];
      await ask();
      if (run < 0) continue; // the first reads from disk what the others find in memory, as on a screen that refreshes
      found[i]!.times.push(performance.now() - began);
      found[i]!.cpuMs += storeCpuMs() - cpu;
    }
  }
  say(`${"question".padEnd(36)} ${"p50 ms".padStart(8)} ${"p90 ms".padStart(8)} ${"CPU ms".padStart(8)}`);
  let kept = 0;
  for (const [i, [name]] of asked.entries()) {
    const times = found[i]!.times.toSorted((a, b) => a - b);
    const [p50, p90] = [times[Math.floor(runs * 0.5)]!, times[Math.floor(runs * 0.9)]!];
    if (p90 < LIMIT_MS) kept++;
    const figures = [p50, p90, found[i]!.cpuMs / runs].map((ms) => ms.toFixed(0).padStart(8)).join(" ");
    say(`${name.padEnd(36)} ${figures}${p90 < LIMIT_MS ? "" : `  over ${LIMIT_MS}`}`);
  }
  say(`p90 < ${LIMIT_MS} ms: kept by ${kept} of ${asked.length}`);
  say(`load average at the end ${loadavg()[0]!.toFixed(1)}`);
}

/** CPU time of the store process so far, ms, in steps of 10: user and system, fields 14 and 15 of /proc/PID/stat. */
function storeCpuMs(): number {
  const fields = readFileSync(`/proc/${store.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
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
