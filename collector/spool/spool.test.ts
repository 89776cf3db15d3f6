import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SpoolWriter, REAL_DISK, SPOOL_LIMITS, type SpoolDisk } from "./append.ts";
import { shedSegment, toShed } from "./budget.ts";
import type { SegmentFile } from "./files.ts";
import { recoverSpool } from "./recover.ts";
import { encodeFrame, encodeSegmentHeader, scanSegment, SegmentCorrupt, type BooksDelta } from "./segment.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-spool-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const BOOT = "0a1b2c3d-0000-4000-8000-000000000000";
const meta = {
  id: "0a1b2c3d-7-00000001-flows-allowed",
  table: "flows",
  format: "RowBinary" as const,
  columns: ["ts", "node"],
  node: "n1",
  boot: BOOT,
  generation: 7,
  createdMs: 1_700_000_000_000,
};
const line = (stored: number, type = "open"): BooksDelta => ({
  minute: 1_700_000_040,
  type,
  produced: stored,
  stored,
  lost: 0,
  shed: 0,
  quarantined: 0,
  filtered: 0,
});
const bytes = (n: number, fill: number) => new Uint8Array(n).fill(fill);

function segment(sizes: readonly number[]): Uint8Array {
  const parts = [encodeSegmentHeader(meta)];
  let before = 0;
  sizes.forEach((rows, i) => {
    parts.push(...encodeFrame(i, before, rows, [bytes(rows * 3, i + 1)], [line(rows)]));
    before += rows;
  });
  return Buffer.concat(parts);
}

function writer(sealed: SegmentFile[], disk: SpoolDisk = REAL_DISK, failed: unknown[] = []) {
  return new SpoolWriter(
    { dir, node: "n1", boot: BOOT, generation: 7 },
    { sealed: (each) => sealed.push(each), failed: (cause) => failed.push(cause), shed: () => undefined },
    SPOOL_LIMITS,
    disk,
  );
}

const lot = (rows: number, worth: "allowed" | "dropped" = "allowed") => ({
  table: "flows",
  worth,
  format: "RowBinary" as const,
  columns: ["ts"],
  rows,
  payload: bytes(rows * 3, rows),
  books: [line(rows)],
});

test("a segment reads as it was written", () => {
  const scanned = scanSegment(segment([3, 1, 7]));
  expect(scanned.meta).toEqual(meta);
  expect(scanned.bad).toEqual([]);
  expect(scanned.frames.map((frame) => [frame.rows, frame.payload.length, frame.books[0]!.stored])).toEqual([
    [3, 9, 3],
    [1, 3, 1],
    [7, 21, 7],
  ]);
});

test("golden bytes: the format does not change by accident", async () => {
  const golden = await readFile(new URL("./testdata/segment-v1.bin", import.meta.url));
  expect(Buffer.from(segment([2, 3])).equals(golden)).toBe(true);
});

test("a segment torn anywhere is kept up to its last whole frame", () => {
  const whole = segment([3, 1, 7]);
  const header = encodeSegmentHeader(meta).length;
  fc.assert(
    fc.property(fc.integer({ min: header, max: whole.length }), (length) => {
      const { frames, end } = scanSegment(whole.subarray(0, length));
      const expected =
        [[3], [3, 1], [3, 1, 7]].findLast((_, i) => scanSegment(segment([3, 1, 7].slice(0, i + 1))).end <= length) ??
        [];
      expect(frames.map((frame) => frame.rows)).toEqual(expected);
      expect(end).toBeLessThanOrEqual(length);
    }),
  );
});

test("every flipped bit is found: no wrong row is taken, the other frames stand, and the lost rows are counted", () => {
  const whole = segment([3, 1, 7]);
  const header = encodeSegmentHeader(meta).length;
  const good = new Set(scanSegment(whole).frames.map((frame) => Buffer.from(frame.payload).toString("hex")));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bent = Uint8Array.from(whole);
    bent[bit >> 3]! ^= 1 << (bit & 7);
    if (bit >> 3 < header) {
      expect(() => scanSegment(bent)).toThrow(SegmentCorrupt);
      continue;
    }
    const { frames, bad } = scanSegment(bent);
    for (const frame of frames) expect(good.has(Buffer.from(frame.payload).toString("hex"))).toBe(true);
    expect(bad.length).toBeGreaterThan(0);
    const counted = frames.reduce((sum, frame) => sum + frame.rows, 0) + bad.reduce((sum, each) => sum + each.rows, 0);
    // a damaged last head says nothing of its rows; all others are counted
    expect([11, 4]).toContain(counted);
  }
});

test("what was flushed survives a stop without sealing; what was not is gone", async () => {
  const sealed: SegmentFile[] = [];
  const first = writer(sealed);
  first.add(lot(5));
  await first.flush(1000);
  first.add(lot(6)); // never flushed
  const recovered = await recoverSpool(dir);
  expect(recovered.segments.map((each) => each.rows)).toEqual([5]);
  expect(recovered.completed).toBe(1);
  expect(await recoverSpool(dir)).toMatchObject({ completed: 0, segments: [{ id: recovered.segments[0]!.id }] });
});

test("each prefix of a segment being written is recovered to whole frames", async () => {
  const whole = segment([3, 1, 7]);
  const header = encodeSegmentHeader(meta).length;
  for (let length = 0; length <= whole.length; length += 7) {
    await writeFile(join(dir, `${meta.id}.open`), whole.subarray(0, length));
    const { segments, quarantined } = await recoverSpool(dir);
    expect(quarantined).toEqual([]);
    const rows = segments[0]?.rows ?? 0;
    expect([0, 3, 4, 11]).toContain(rows);
    if (length < header) expect(segments).toEqual([]);
    for (const file of await readdir(dir)) if (file !== "quarantine") await rm(join(dir, file));
  }
});

test("a write that fails once keeps its rows for the next segment, none doubled", async () => {
  let fail = true;
  const sealed: SegmentFile[] = [];
  const failed: unknown[] = [];
  const disk: SpoolDisk = {
    ...REAL_DISK,
    sync: async (handle) => {
      await handle.datasync();
      if (fail) {
        fail = false;
        throw Object.assign(new Error("EIO"), { code: "EIO" });
      }
    },
  };
  const spool = writer(sealed, disk, failed);
  spool.add(lot(5));
  await spool.flush(0);
  expect(failed).toHaveLength(1);
  await spool.flush(10);
  await spool.close(20);
  expect(sealed.map((each) => each.rows)).toEqual([5]);
  expect((await recoverSpool(dir)).segments).toHaveLength(1);
});

test("a failed fsync between good ones: frames behind the durable length do not count, also after a restart", async () => {
  let calls = 0;
  const sealed: SegmentFile[] = [];
  const disk: SpoolDisk = {
    ...REAL_DISK,
    sync: async (handle) => {
      await handle.datasync();
      calls += 1;
      if (calls === 2) throw new Error("EIO");
    },
  };
  const spool = writer(sealed, disk);
  for (const rows of [5, 6, 7]) {
    spool.add(lot(rows));
    await spool.flush(0);
  }
  await spool.close(1);
  const { segments } = await recoverSpool(dir);
  let rows = 0;
  for (const each of segments)
    rows += scanSegment(await readFile(each.path), each.upTo).frames.reduce((sum, frame) => sum + frame.rows, 0);
  expect(rows).toBe(18);
});

test("the budget takes allowed flows before drops, oldest first, and the stub's books say shed", async () => {
  const sealed: SegmentFile[] = [];
  const spool = writer(sealed);
  for (const at of [0, 2000, 4000]) {
    spool.add({ ...lot(3000, "dropped") });
    spool.add({ ...lot(3000, "allowed") });
    await spool.flush(at);
    await spool.close(at);
  }
  const total = sealed.reduce((sum, each) => sum + each.bytes, 0);
  const chosen = toShed(sealed, total, total - 10_000);
  expect(chosen.map((each) => each.worth)).toEqual(["allowed", "allowed"]);
  expect(chosen[0]!.number).toBeLessThan(chosen[1]!.number);
  const { stub, rows } = await shedSegment(chosen[0]!);
  expect(rows).toBe(3000);
  const scanned = scanSegment(await readFile(stub.path));
  expect(scanned.meta.id).toBe(chosen[0]!.id);
  expect(scanned.frames[0]!.books).toEqual([{ ...line(3000), stored: 0, shed: 3000 }]);
  expect(toShed(sealed, total, 0).every((each) => each.worth !== "record")).toBe(true);
});

test("a file that is no segment goes to quarantine with its reason, and the start goes on", async () => {
  const sealed: SegmentFile[] = [];
  const spool = writer(sealed);
  spool.add(lot(4));
  await spool.close(0);
  const garbage = bytes(9000, 0x41);
  garbage.set([0x57, 0x46, 0x52, 0x4d], 100);
  await writeFile(join(dir, "0a1b2c3d-6-00000009-flows-allowed.open"), garbage);
  const { segments, quarantined } = await recoverSpool(dir);
  expect(segments).toHaveLength(1);
  expect(quarantined).toEqual([
    { name: "0a1b2c3d-6-00000009-flows-allowed", reason: "the file does not begin as a segment does" },
  ]);
  expect((await readdir(join(dir, "quarantine"))).toSorted()).toEqual([
    "0a1b2c3d-6-00000009-flows-allowed.open",
    "0a1b2c3d-6-00000009-flows-allowed.open.reason",
  ]);
});

test("a cut-off complete segment keeps its frames and tells of the rest", async () => {
  const path = join(dir, `${meta.id}.seg`);
  const whole = segment([3, 1, 7]);
  await writeFile(path, whole);
  await truncate(path, whole.length - 5);
  const scanned = scanSegment(await readFile(path));
  expect(scanned.frames.map((frame) => frame.rows)).toEqual([3, 1]);
  expect(scanned.bad).toMatchObject([{ rows: 7, reason: "frame is cut off" }]);
});
