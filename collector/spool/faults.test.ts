/**
 * The disk refuses: at each of its calls, once and for a while, with each error. What was told to be durable is there once, nothing is there twice,
 * and it goes on by itself when the disk does. Then power fails at every point of a segment's life (prefixes of what was written), and every bit flips.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REAL_DISK, SPOOL_LIMITS, SpoolWriter, type Lot, type SpoolDisk } from "./append.ts";
import type { SegmentFile } from "./files.ts";
import { recoverSpool } from "./recover.ts";
import { scanSegment, type Worth } from "./segment.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-faults-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const IDENTITY = { node: "n1", boot: "0a1b2c3d-0000-4000-8000-000000000000", generation: 7 };

/** One row: its number in four bytes. */
function lot(row: number, worth: Worth = "allowed", padding = 0): Lot {
  const payload = new Uint8Array(4 + padding);
  new DataView(payload.buffer).setUint32(0, row, true);
  const line = { minute: 60, type: "open", produced: 1, stored: 1, lost: 0, shed: 0, quarantined: 0, filtered: 0 };
  return { table: "flows", worth, format: "RowBinary", columns: ["n"], rows: 1, payload, books: [line] };
}

/** The rows of what lies in `dir` as the shipper would read it. */
async function rowsIn(segments: readonly SegmentFile[], rowBytes = 4): Promise<number[]> {
  const rows: number[] = [];
  for (const segment of segments) {
    for (const { payload } of scanSegment(await readFile(segment.path), segment.upTo).frames) {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
      for (let at = 0; at < payload.length; at += rowBytes) rows.push(view.getUint32(at, true));
    }
  }
  return rows.toSorted((a, b) => a - b);
}

type Call = keyof SpoolDisk;

/** A file that was opened, and nobody is told so. */
async function closed(result: unknown): Promise<void> {
  if (typeof result === "object" && result !== null && "close" in result) await (result as FileHandle).close();
}

/** A disk whose calls `from` to `from + times - 1` fail. `late`: they do their work first, and then say that they failed. */
function faulty(from: number, times: number, code: string, late: boolean): { disk: SpoolDisk; calls: () => number } {
  let calls = 0;
  const guard =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const call = calls++;
      if (call < from || call >= from + times) return work(...args);
      if (late) await closed(await work(...args));
      throw Object.assign(new Error(`${code}: injected`), { code });
    };
  const disk = Object.fromEntries(
    (Object.keys(REAL_DISK) as Call[]).map((name) => [
      name,
      guard(REAL_DISK[name] as (...args: unknown[]) => Promise<unknown>),
    ]),
  ) as unknown as SpoolDisk;
  return { disk, calls: () => calls };
}

const ROWS = 12;

/** Writes ROWS rows, one a flush, sealing after every third; then `after` more flushes for what waits. What was durable after each flush. */
async function life(
  disk: SpoolDisk,
  after: number,
): Promise<{ sealed: SegmentFile[]; durable: Set<number>; failures: number; waits: boolean }> {
  const sealed: SegmentFile[] = [];
  let failures = 0;
  const durable = new Set<number>();
  const spool = new SpoolWriter(
    { dir, ...IDENTITY },
    {
      sealed: (each) => sealed.push(each),
      failed: () => failures++,
      shed: () => expect.unreachable("nothing is given up"),
    },
    { ...SPOOL_LIMITS, sealRows: 3 },
    disk,
  );
  for (let row = 0; row < ROWS; row++) {
    spool.add(lot(row));
    await spool.flush(row);
    if (!spool.hasPending) for (let known = 0; known <= row; known++) durable.add(known);
  }
  for (let i = 0; i < after; i++) await spool.flush(ROWS);
  await spool.close(ROWS);
  return { sealed, durable, failures, waits: spool.hasPending };
}

const every = Array.from({ length: ROWS }, (_, row) => row);

describe("a disk that refuses", () => {
  test.each([
    ["ENOSPC", 1, false],
    ["ENOSPC", 7, false],
    ["EIO", 1, false],
    ["EIO", 1, true],
    ["EIO", 9, true],
    ["EROFS", 7, false],
    ["EDQUOT", 1, true],
  ])(
    "%s at each call, %i in a row (done all the same: %s): every row once, by itself, and after a restart too",
    async (code, times, late) => {
      const { calls } = await (async () => {
        const counted = faulty(Infinity, 0, code, late);
        await life(counted.disk, 0);
        await rm(dir, { recursive: true });
        await mkdir(dir);
        return counted;
      })();
      for (let at = 0; at < calls(); at++) {
        const { sealed, failures, waits } = await life(faulty(at, times, code, late).disk, times + 2);
        expect({ at, failures: failures > 0 || at >= calls() - 1, waits }).toEqual({
          at,
          failures: true,
          waits: false,
        });
        const { segments, quarantined } = await recoverSpool(dir);
        expect({ at, rows: await rowsIn(segments), quarantined }).toEqual({ at, rows: every, quarantined: [] });
        expect(sealed.length).toBeGreaterThan(0);
        await rm(dir, { recursive: true });
        await mkdir(dir);
      }
    },
  );

  test.each([
    ["EIO", false],
    ["EIO", true],
  ])(
    "%s for ever from each call on (done all the same: %s), then a kill: what was durable is there once",
    async (code, late) => {
      for (let at = 0; at < 40; at++) {
        const { durable } = await life(faulty(at, Infinity, code, late).disk, 1);
        const rows = await rowsIn((await recoverSpool(dir)).segments);
        expect({ at, twice: rows.length - new Set(rows).size }).toEqual({ at, twice: 0 });
        expect({ at, missing: [...durable].filter((row) => !rows.includes(row)) }).toEqual({ at, missing: [] });
        await rm(dir, { recursive: true });
        await mkdir(dir);
      }
    },
  );

  test("a disk that is really full: rows wait in memory, the least worth goes first and is counted, and it heals when there is room", async () => {
    const mount = join(dir, "small");
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mount]);
    try {
      await writeFile(join(mount, "ballast"), new Uint8Array(40_000));
      const shed: Record<string, number> = {};
      let failures = 0;
      const sealed: SegmentFile[] = [];
      const spool = new SpoolWriter(
        { dir: mount, ...IDENTITY },
        {
          sealed: (each) => sealed.push(each),
          failed: () => failures++,
          shed: (rows, books) => {
            expect(books[0]).toMatchObject({ produced: 1, stored: 0, shed: 1 });
            shed["rows"] = (shed["rows"] ?? 0) + rows;
          },
        },
        { ...SPOOL_LIMITS, pendingBytes: 60_000 },
      );
      const added: number[] = [];
      const order: readonly Worth[] = ["denied", "allowed", "dropped", "failed"];
      for (let row = 0; row < 200; row++) {
        spool.add(lot(row, order[row % 4]!, 996));
        added.push(row);
        if (row % 10 === 9) await spool.flush(row);
      }
      expect(failures).toBeGreaterThan(0);
      expect(spool.pendingBytes).toBeLessThanOrEqual(60_000);
      await rm(join(mount, "ballast"));
      execFileSync("mount", ["-o", "remount,size=2m", mount]);
      await spool.flush(1000);
      await spool.close(2000);
      expect(spool.hasPending).toBe(false);
      const rows = await rowsIn(sealed, 1000);
      expect(new Set(rows).size).toBe(rows.length);
      expect(rows.length + (shed["rows"] ?? 0)).toBe(added.length);
      const kept = (worth: Worth, from = 0) => rows.filter((row) => row >= from && order[row % 4] === worth).length;
      // rows of the first flushes had found room; of the later ones the least worth went, and no denial
      expect([kept("allowed", 60), kept("failed", 60), kept("denied")]).toEqual([0, 0, 50]);
      expect(kept("dropped", 60)).toBeGreaterThan(0);
      expect(kept("dropped")).toBeLessThan(50);
    } finally {
      execFileSync("umount", [mount]);
    }
  });

  test("a disk that hangs: memory stays bounded, what is on its way is not given up twice", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let shed = 0;
    const sealed: SegmentFile[] = [];
    const spool = new SpoolWriter(
      { dir, ...IDENTITY },
      { sealed: (each) => sealed.push(each), failed: () => undefined, shed: (rows) => (shed += rows) },
      { ...SPOOL_LIMITS, pendingBytes: 10_000 },
      { ...REAL_DISK, sync: async (handle) => (await gate, handle.datasync()) },
    );
    spool.add(lot(0, "allowed", 996));
    const flush = spool.flush(0);
    for (let row = 1; row < 100; row++) spool.add(lot(row, "allowed", 996));
    expect(spool.pendingBytes).toBeLessThanOrEqual(10_000);
    go();
    await flush;
    await spool.close(1);
    const rows = await rowsIn(sealed, 1000);
    expect(rows.length + shed).toBe(100);
    expect(rows).toContain(0);
    expect(new Set(rows).size).toBe(rows.length);
  });

  test("the clock steps: an hour forward, an hour back, ten years forward and back: rows keep their order and number", async () => {
    const sealed: SegmentFile[] = [];
    const spool = new SpoolWriter(
      { dir, ...IDENTITY },
      { sealed: (each) => sealed.push(each), failed: () => expect.unreachable(), shed: () => expect.unreachable() },
    );
    const hour = 3_600_000;
    const steps = [0, hour, -hour, 10 * 365 * 24 * hour, -(10 * 365 * 24 * hour), 0];
    let row = 0;
    for (const step of steps) {
      for (let i = 0; i < 5; i++) {
        spool.add(lot(row++));
        await spool.flush(1_700_000_000_000 + step + i * 300);
      }
    }
    await spool.close(1_700_000_000_000);
    expect(await rowsIn(sealed)).toEqual(Array.from({ length: row }, (_, i) => i));
    expect(sealed.map((each) => each.number)).toEqual(sealed.map((_, i) => i));
    expect((await rowsIn((await recoverSpool(dir)).segments)).length).toBe(row);
  });
});

describe("power fails", () => {
  interface Step {
    readonly call: Call;
    /** State of the directory's files after it: name → bytes, as far as they were synced, and all. */
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly durable: readonly number[];
  }

  /** Every write is cut at every eighth byte as well: a page may have reached the disk in part. */
  async function steps(): Promise<Step[]> {
    const taken: Step[] = [];
    let durable: number[] = [];
    const snapshot = async (call: Call) => {
      const files = new Map<string, Uint8Array>();
      for (const name of await readdir(dir)) files.set(name, await readFile(join(dir, name)));
      taken.push({ call, files, durable: [...durable] });
    };
    const disk: SpoolDisk = {
      open: async (path) => (await snapshot("open"), REAL_DISK.open(path)),
      write: async (handle, parts, at) => {
        const bytes = Buffer.concat(parts);
        for (let length = 0; length < bytes.length; length += 8) {
          await REAL_DISK.write(handle, [bytes.subarray(length, Math.min(length + 8, bytes.length))], at + length);
          await snapshot("write");
        }
      },
      sync: async (handle) => (await REAL_DISK.sync(handle), snapshot("sync")),
      rename: async (from, to) => (await REAL_DISK.rename(from, to), snapshot("rename")),
      unlink: async (path) => (await REAL_DISK.unlink(path), snapshot("unlink")),
      syncDirectory: async (path) => (await REAL_DISK.syncDirectory(path), snapshot("syncDirectory")),
    };
    const spool = new SpoolWriter(
      { dir, ...IDENTITY },
      { sealed: () => undefined, failed: () => expect.unreachable(), shed: () => expect.unreachable() },
      { ...SPOOL_LIMITS, sealRows: 3 },
      disk,
    );
    for (let row = 0; row < 5; row++) {
      spool.add(lot(row));
      await spool.flush(row);
      durable = Array.from({ length: row + 1 }, (_, i) => i);
    }
    await spool.close(9);
    await snapshot("sync");
    return taken;
  }

  test("at every prefix of writes, syncs and renames of a segment's life: each durable row is recovered once, also when recovery is cut off", async () => {
    const images = await steps();
    expect(images.length).toBeGreaterThan(150);
    for (const [at, { call, files, durable }] of images.entries()) {
      await rm(dir, { recursive: true });
      await mkdir(dir);
      for (const [name, bytes] of files) await writeFile(join(dir, name), bytes);
      for (let start = 0; start < 2; start++) {
        const { segments, quarantined } = await recoverSpool(dir);
        const rows = await rowsIn(segments);
        expect({ at, call, quarantined, twice: rows.length - new Set(rows).size }).toEqual({
          at,
          call,
          quarantined: [],
          twice: 0,
        });
        expect({ at, call, missing: durable.filter((row) => !rows.includes(row)) }).toEqual({ at, call, missing: [] });
      }
    }
  });
});
