/** `weir spool`: what waits for the store in a data directory, whether it is whole, and sending it by hand. */
import { existsSync } from "node:fs";
import { readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { RunLedger } from "../collector/health/run-ledger.ts";
import { Shipper } from "../collector/ship/insert.ts";
import { inOrder, listSegments, parseSegmentName } from "../collector/spool/files.ts";
import { leftLedgers } from "../collector/spool/ledger.ts";
import { recoverSpool } from "../collector/spool/recover.ts";
import { scanSegment, SegmentCorrupt } from "../collector/spool/segment.ts";
import { systemCode, WeirError } from "../model/errors.ts";
import { dataDirectory, storeConfig, type Environment } from "../store/config.ts";
import { lockDirectory } from "../store/embedded/lock.ts";
import { openWriter, type TableName } from "../store/writer.ts";
import { columns } from "./columns.ts";
import { visible } from "./observe/format.ts";

export interface SpoolOptions {
  readonly json: boolean;
}

/** What lies in the spool, oldest first, and in quarantine. Reads no rows: it may be gigabytes. Safe while the collector runs. */
export async function spoolList(env: Environment, { json }: SpoolOptions, out: Writable): Promise<void> {
  const dir = spoolDirectory(env);
  const now = Date.now();
  const segments = (await whileItChanges(() => listSegments(dir))).map(({ name, bytes, mtimeMs }) => ({
    id: name.id,
    state: name.sealed ? "waits" : "open",
    table: name.table,
    worth: name.worth,
    bytes,
    ageSeconds: Math.max(0, Math.round((now - mtimeMs) / 1000)),
  }));
  const quarantined = await quarantineOf(dir);
  if (json) return void out.write(`${JSON.stringify({ segments, quarantined }, undefined, 2)}\n`);
  const number = (value: number) => value.toLocaleString("en-US");
  if (segments.length === 0) out.write("Nothing waits: the store has everything.\n");
  else
    out.write(
      columns(
        ["segment", "state", "table", "worth", "bytes", "age, s"],
        [
          ...segments.map(({ id, state, table, worth, bytes, ageSeconds }) => [
            id,
            state,
            table,
            worth,
            number(bytes),
            number(ageSeconds),
          ]),
          [`${segments.length} segments`, "", "", "", number(segments.reduce((sum, each) => sum + each.bytes, 0)), ""],
        ],
        4,
      ),
    );
  if (quarantined.length === 0) return;
  out.write(`\nIn quarantine (${join(dir, "quarantine")}):\n`);
  for (const { name, bytes, reason } of quarantined)
    out.write(`  ${visible(name)}, ${number(bytes)} bytes: ${visible(reason)}\n`);
}

/** Reads every segment and checks every sum. True when all are whole. What a running collector is still writing counts up to its last whole frame. */
export async function spoolCheck(env: Environment, { json }: SpoolOptions, out: Writable): Promise<boolean> {
  const dir = spoolDirectory(env);
  const reports = [];
  for (const { name, path } of await whileItChanges(() => listSegments(dir))) {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") continue; // shipped, or sealed under its other name, meanwhile
      throw cause;
    }
    try {
      const { frames, bad } = scanSegment(bytes, name.upTo);
      // behind the last whole frame of an open segment nothing was ever called durable
      const damage = name.sealed ? bad : bad.filter((each) => each.to < bytes.length);
      reports.push({
        id: name.id,
        rows: frames.reduce((sum, frame) => sum + frame.rows, 0),
        frames: frames.length,
        damage: damage.map(({ from, to, rows, reason }) => ({ from, to, rows, reason })),
      });
    } catch (cause) {
      if (!(cause instanceof SegmentCorrupt)) throw cause;
      if (!name.sealed && bytes.length < 4096) continue; // its header is being written
      reports.push({
        id: name.id,
        rows: 0,
        frames: 0,
        damage: [{ from: 0, to: bytes.length, rows: 0, reason: cause.what }],
      });
    }
  }
  const damaged = reports.filter((report) => report.damage.length > 0);
  if (json) out.write(`${JSON.stringify({ whole: damaged.length === 0, segments: reports }, undefined, 2)}\n`);
  else {
    for (const { id, damage } of damaged)
      for (const { from, to, rows, reason } of damage)
        out.write(`${id}: bytes ${from}–${to}: ${reason}; ${rows} rows\n`);
    const rows = reports.reduce((sum, report) => sum + report.rows, 0).toLocaleString("en-US");
    out.write(
      `${reports.length} segments, ${rows} rows: ${damaged.length === 0 ? "all whole" : `${damaged.length} damaged; the collector puts such parts into quarantine when it sends them`}\n`,
    );
  }
  return damaged.length === 0;
}

/**
 * Sends what waits to the store, without a collector: recovers as a start does, books what a killed run lost, ships. `quarantined`: what the store refused
 * before, once more. True when nothing is left. Throws WeirError while a collector holds the directory.
 */
export async function spoolReplay(
  env: Environment,
  { quarantined }: { readonly quarantined: boolean },
  out: Writable,
  signal: AbortSignal,
): Promise<boolean> {
  const dir = spoolDirectory(env);
  const dataDir = dataDirectory(env);
  const unlock = await lockDirectory(dataDir, "collector");
  try {
    await using writer = await openWriter(storeConfig(env));
    if (quarantined) return await replayRefused(dir, writer, out, signal);
    const { segments } = await recoverSpool(dir);
    const state = leftLedgers(dataDir).at(-1)?.state;
    const self = state ?? { node: "", boot: "", generation: 0 };
    const crashes = state === undefined ? undefined : await RunLedger.settle(dataDir, dir, self.boot, segments);
    let rows = 0;
    let failure: unknown;
    const shipper = new Shipper(
      async () => writer,
      {
        shipped: (_segment, count) => (rows += count),
        failed: (cause) => (failure = cause),
        quarantined: (segment, _books, reason) => out.write(`${segment.id}: ${reason}; put into quarantine\n`),
      },
      Date.now,
      self,
    );
    for (const segment of [...segments, ...(crashes?.segments ?? [])]) shipper.add(segment, true);
    const done = await shipper.drain(signal);
    signal.throwIfAborted();
    const left = shipper.waiting.length;
    out.write(
      `${rows.toLocaleString("en-US")} rows of ${segments.length - left} segments are in the store${left === 0 ? "" : `; ${left} segments are left`}\n`,
    );
    if (!done && failure !== undefined) throw failure;
    return done;
  } finally {
    await unlock();
  }
}

async function replayRefused(
  dir: string,
  writer: Awaited<ReturnType<typeof openWriter>>,
  out: Writable,
  signal: AbortSignal,
): Promise<boolean> {
  const from = join(dir, "quarantine");
  const names = (await readdir(from)).flatMap((file) => parseSegmentName(file) ?? []).filter((name) => name.sealed);
  let left = 0;
  for (const name of names.toSorted(inOrder)) {
    const path = join(from, `${name.id}.seg`);
    try {
      const { meta, frames } = scanSegment(await readFile(path));
      const rows = frames.reduce((sum, frame) => sum + frame.rows, 0);
      const table = name.table as TableName;
      if (!(await writer.segmentsArrived(table, [name.id], signal)).has(name.id))
        await writer.insertSegment(
          {
            table,
            format: meta.format,
            columns: meta.columns,
            body: Readable.from(frames.map((frame) => frame.payload)),
            segmentId: name.id,
            node: meta.node,
            rows,
          },
          signal,
        );
      await unlink(path);
      await rename(`${path}.reason`, `${path}.replayed`);
      out.write(
        `${name.id}: ${rows.toLocaleString("en-US")} rows are in the store now; the books still call them quarantined\n`,
      );
    } catch (cause) {
      signal.throwIfAborted();
      left++;
      out.write(`${name.id}: ${cause instanceof Error ? visible(cause.message) : "it is refused again"}\n`);
    }
  }
  if (names.length === 0) out.write("No whole segment is in quarantine.\n");
  return left === 0;
}

function spoolDirectory(env: Environment): string {
  const dir = join(dataDirectory(env), "spool");
  if (existsSync(dir)) return dir;
  throw new WeirError({
    code: "no-spool",
    where: dir,
    what: "there is no spool here",
    next: "choose the collector's data directory with --data-dir or WEIR_DATA_DIR",
  });
}

/** A collector removes and renames files while they are listed: once more, then. */
async function whileItChanges<T>(list: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await list();
    } catch (cause) {
      if (systemCode(cause) !== "ENOENT" || tries === 20) throw cause;
    }
  }
}

async function quarantineOf(dir: string): Promise<{ name: string; bytes: number; reason: string }[]> {
  const from = join(dir, "quarantine");
  const files = await readdir(from).catch(() => []);
  const found = [];
  for (const name of files.filter((file) => !/\.(reason|replayed)$/.test(file)).toSorted()) {
    const { size } = await stat(join(from, name));
    const reason = await readFile(join(from, `${name}.reason`), "utf8").catch(() => "no reason was written");
    found.push({ name, bytes: size, reason: reason.trim() });
  }
  return found;
}
