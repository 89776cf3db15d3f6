/**
 * What the way into the store costs: `node bench/ingest.ts [--rows 200000] [--rounds 5] [--teams 10]`.
 * Rows a second from sealed spool segments to queryable, through the collector's own shipper, over HTTP, into an embedded store with all
 * its roll-ups, ÷ the engine's own INSERT SELECT of the same rows into the same tables from a table beside them. Both in turns in one run.
 * Limits: ratio ≥ 0.6, bytes a row on disk ≤ 40. Rows are those of bench/fill.ts; writing the segments is not part of the time.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Shipper } from "../collector/ship/insert.ts";
import { SPOOL_LIMITS, SpoolWriter } from "../collector/spool/append.ts";
import { makeSpoolDirectory, type SegmentFile } from "../collector/spool/files.ts";
import { storeConfig } from "../store/config.ts";
import { startStoreProcess } from "../store/embedded/spawn.ts";
import { FLOW_COLUMNS } from "../store/layout.ts";
import { openWriter, type StoreWriter } from "../store/writer.ts";
import { BOOT, IngestRows } from "./ingest-rows.ts";

const RATIO_LIMIT = 0.6;
const BYTES_LIMIT = 40;
const NAMES = FLOW_COLUMNS.map((column) => column.name);
const signal = new AbortController().signal;
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "5" },
    teams: { type: "string", default: "10" },
  },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];

const folder = await mkdtemp(join(tmpdir(), "weir-bench-ingest-"));
const env = { WEIR_DATA_DIR: join(folder, "data"), WEIR_STORE_PORT: "0" };
const spoolDir = join(folder, "spool");
await makeSpoolDirectory(spoolDir);
const store = await startStoreProcess(env);
try {
  await using writer = await openWriter({ ...storeConfig(env), url: store.url });
  const made = new IngestRows(Number(values.teams));
  await fillBeside(writer, made);
  const found = { ours: nothing(), pieces: nothing(), whole: nothing() };
  let segmentsMade = 0;
  for (let round = 0; round <= rounds; round++) {
    const generation = round * 3 + 1;
    const segments = await spooled(made, generation);
    segmentsMade = segments.length;
    const took = {
      ours: await timed(() => shipped(writer, segments)),
      pieces: await timed(() => inserted(writer, generation + 1, SPOOL_LIMITS.sealRows)),
      whole: await timed(() => inserted(writer, generation + 2, rows)),
    };
    if (round === 0) continue; // parts, dictionaries and compilers warm up
    for (const side of ["ours", "pieces", "whole"] as const) {
      found[side].ms.push(took[side].ms);
      found[side].cpuMs += took[side].cpuMs;
    }
  }
  await report(writer, found, segmentsMade);
} finally {
  await store.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Writes the rows as a collector does, frame by frame with a group fsync each; gives back the sealed segments. */
async function spooled(made: IngestRows, generation: number): Promise<SegmentFile[]> {
  const sealed: SegmentFile[] = [];
  const spool = new SpoolWriter(
    { dir: spoolDir, node: "node-a", boot: BOOT, generation },
    {
      sealed: (segment) => void sealed.push(segment),
      failed: (cause) => {
        throw cause;
      },
      shed: (shed) => {
        throw new Error(`${shed} rows were shed`);
      },
    },
  );
  const began = Date.now(); // the clock stands still, so that a segment is sealed by its rows, however busy the machine is
  const minute = Math.floor(began / 60_000) * 60;
  for (const { rows: count, payload } of made.frames(rows, generation)) {
    const book = {
      minute,
      type: "connection",
      produced: count,
      stored: count,
      lost: 0,
      shed: 0,
      quarantined: 0,
      filtered: 0,
    };
    spool.add({
      table: "flows",
      worth: "allowed",
      format: "RowBinary",
      columns: NAMES,
      rows: count,
      payload,
      books: [book],
    });
    await spool.flush(began);
  }
  await spool.close(began);
  return sealed;
}

/** From segments on disk to rows that a question finds. */
async function shipped(writer: StoreWriter, segments: readonly SegmentFile[]): Promise<number> {
  const stop = new AbortController();
  const shipper = new Shipper(async () => writer, {
    shipped: () => undefined,
    failed: (cause) => stop.abort(cause),
    quarantined: (segment) => stop.abort(new Error(`${segment.id} was put aside`)),
  });
  for (const segment of segments) shipper.add(segment);
  const running = shipper.run(stop.signal);
  if (!(await shipper.whenEmpty(stop.signal))) throw stop.signal.reason;
  stop.abort();
  await running;
  return countOf(writer, segments[0]!.generation);
}

/** The peer's rows lie in a table with the columns of flows that no roll-up reads. */
async function fillBeside(writer: StoreWriter, made: IngestRows): Promise<void> {
  await writer.command("CREATE TABLE beside AS flows ENGINE = MergeTree ORDER BY ts", signal);
  let frame = 0;
  for (const { rows: count, payload } of made.frames(rows, 0)) {
    const segmentId = `beside-${frame++}`;
    await writer.insertSegment(
      {
        table: "beside" as "flows",
        format: "RowBinary",
        columns: NAMES,
        body: payload,
        segmentId,
        node: "node-a",
        rows: count,
      },
      signal,
    );
  }
  await writer.command("OPTIMIZE TABLE beside FINAL", signal);
}

/** INSERT SELECT of all rows, `piece` rows a statement; as rows of their own by `generation`. */
async function inserted(writer: StoreWriter, generation: number, piece: number): Promise<number> {
  const selected = NAMES.map((name) => (name === "generation" ? `toUInt32(${generation}) AS generation` : name));
  for (let from = 0; from < rows; from += piece)
    await writer.command(
      `INSERT INTO flows (${NAMES.join(", ")}) SELECT ${selected.join(", ")} FROM beside LIMIT ${piece} OFFSET ${from} SETTINGS insert_deduplicate = 0, max_threads = 1`,
      signal,
    );
  return countOf(writer, generation);
}

async function countOf(writer: StoreWriter, generation: number): Promise<number> {
  const sql = "SELECT count() AS n FROM flows WHERE generation = {generation:UInt32}";
  return (await writer.rows(sql, z.object({ n: z.coerce.number() }), { generation }, signal))[0]!.n;
}

/** Milliseconds by the wall, and CPU milliseconds of the store and of this process, which ships. Throws when rows are missing. */
async function timed(work: () => Promise<number>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const [cpu, own, began] = [storeCpuMs(), process.cpuUsage(), performance.now()];
  const stored = await work();
  const ms = performance.now() - began;
  const spent = process.cpuUsage(own);
  if (Math.abs(stored - rows) > 6) throw new Error(`${stored} of ${rows} rows arrived`);
  return { ms, cpuMs: storeCpuMs() - cpu + (spent.user + spent.system) / 1000 };
}

/** CPU time of the store process so far, ms, in steps of 10: user and system, fields 14 and 15 of /proc/PID/stat. */
function storeCpuMs(): number {
  const fields = readFileSync(`/proc/${store.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

interface Found {
  readonly ms: number[];
  cpuMs: number;
}

function nothing(): Found {
  return { ms: [], cpuMs: 0 };
}

async function report(
  writer: StoreWriter,
  found: Readonly<Record<"ours" | "pieces" | "whole", Found>>,
  segments: number,
): Promise<void> {
  // The peers' rows are copies of each other, which compress too well.
  await writer.command("ALTER TABLE flows DELETE WHERE generation % 3 != 1 SETTINGS mutations_sync = 1", signal);
  await writer.command("OPTIMIZE TABLE flows FINAL", signal); // what merges make of the parts sooner or later
  const [size] = await writer.rows(
    "SELECT sum(bytes_on_disk) / sum(rows) AS raw FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows'",
    z.object({ raw: z.number() }),
    {},
    signal,
  );
  const line = (name: string, { ms, cpuMs }: Found) => {
    const rate = (one: number) => Math.round((rows / one) * 1000).toLocaleString("en");
    return `${name.padEnd(30)} ${rate(median(ms))} rows/s (${rate(Math.max(...ms))}–${rate(Math.min(...ms))}), ${((cpuMs * 1e6) / (rows * ms.length)).toFixed(0)} ns of CPU a row\n`;
  };
  const ratio = median(found.whole.ms) / median(found.ours.ms);
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  }).trim();
  process.stdout.write(
    `${cpus()[0]?.model ?? "?"} · ${cpus().length} CPUs · Linux ${release()} · Node ${process.version} · commit ${commit} · load average ${loadavg()[0]!.toFixed(1)}\n` +
      `${rows} rows a round, ${segments} segments, ${rounds} rounds in turns; median (least–most)\n` +
      line("spool → queryable", found.ours) +
      line("INSERT SELECT, one statement", found.whole) +
      line("INSERT SELECT, one a segment", found.pieces) +
      `ours ÷ INSERT SELECT: ${ratio.toFixed(2)} (limit ${RATIO_LIMIT}: ${ratio >= RATIO_LIMIT ? "kept" : "missed"}), by CPU time ${(found.whole.cpuMs / found.ours.cpuMs).toFixed(2)}; ` +
      `÷ one a segment: ${(median(found.pieces.ms) / median(found.ours.ms)).toFixed(2)}, by CPU time ${(found.pieces.cpuMs / found.ours.cpuMs).toFixed(2)}\n` +
      `on disk: ${size!.raw.toFixed(1)} bytes a row (limit ${BYTES_LIMIT}: ${size!.raw <= BYTES_LIMIT ? "kept" : "missed"})\n`,
  );
  process.exitCode = ratio >= RATIO_LIMIT && size!.raw <= BYTES_LIMIT ? 0 : 1;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}
