/** `weir spool` as a user has it, on a data directory with a real store beside it. */
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonLot } from "../collector/rows/pipeline.ts";
import { SpoolWriter } from "../collector/spool/append.ts";
import type { SegmentFile } from "../collector/spool/files.ts";
import { recoverSpool } from "../collector/spool/recover.ts";
import { testStore, type TestStore } from "../collector/testing.ts";
import { lockDirectory } from "../store/embedded/lock.ts";
import { weir, type Ended } from "../tests/weir.ts";

let store: TestStore;
let spoolDir: string;
const segments: SegmentFile[] = [];
const spool = (...args: string[]): Promise<Ended> => weir(["spool", ...args], store.env);

beforeAll(async () => {
  store = await testStore();
  spoolDir = join(store.dir, "spool");
  await recoverSpool(spoolDir);
  const writer = new SpoolWriter(
    { dir: spoolDir, node: "n1", boot: "0a1b2c3d-0000-4000-8000-000000000000", generation: 3 },
    { sealed: (each) => segments.push(each), failed: () => expect.unreachable(), shed: () => expect.unreachable() },
  );
  const minute = Math.floor(Date.now() / 60_000) * 60;
  const ts = new Date().toISOString().replace("T", " ").replace("Z", "");
  for (const rows of [4, 6]) {
    writer.add({
      ...jsonLot(
        "collector_health",
        "allowed",
        Array.from({ length: rows }, (_, i) => ({
          ts,
          node: "n1",
          metric: "test",
          label: `${rows}/${i}`,
          value: i,
          text: "",
        })),
      ),
      books: [{ minute, type: "test", produced: rows, stored: rows, lost: 0, shed: 0, quarantined: 0, filtered: 0 }],
    });
    if (rows === 4) await writer.close(Date.now());
    else await writer.flush(Date.now()); // left open, as by a kill
  }
}, 60_000);
afterAll(() => store?.[Symbol.asyncDispose]());

test("list names what waits and what is in quarantine, as a table and as JSON", async () => {
  await mkdir(join(spoolDir, "quarantine"), { recursive: true });
  await writeFile(join(spoolDir, "quarantine", "x.bad"), "12345");
  await writeFile(
    join(spoolDir, "quarantine", "x.bad.reason"),
    "bytes 7–12 of x: rows do not match their CRC; 2 rows\n",
  );
  const { code, stdout } = await spool("list");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^0a1b2c3d-3-00000000-collector_health-allowed +waits +collector_health +allowed +\d/m);
  expect(stdout).toMatch(/^0a1b2c3d-3-00000001-collector_health-allowed +open/m);
  expect(stdout).toMatch(/^2 segments +/m);
  expect(stdout).toContain("x.bad, 5 bytes: bytes 7–12 of x: rows do not match their CRC; 2 rows");
  const answer = JSON.parse((await spool("list", "--format", "json")).stdout) as {
    segments: unknown[];
    quarantined: unknown[];
  };
  expect(answer.segments).toMatchObject([{ state: "waits", worth: "allowed" }, { state: "open" }]);
  expect(answer.quarantined).toHaveLength(1);
});

test("check says yes to whole segments, and names the offset and reason of damage", async () => {
  expect(await spool("check")).toMatchObject({ code: 0, stdout: "2 segments, 10 rows: all whole\n" });
  const { path } = segments[0]!;
  const bytes = await readFile(path);
  const bent = Uint8Array.from(bytes);
  bent[bytes.length - 200]! ^= 1;
  await writeFile(path, bent);
  const { code, stdout } = await spool("check");
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^0a1b2c3d-3-00000000-collector_health-allowed: bytes \d+–\d+: rows do not match their CRC; 4 rows$/m,
  );
  expect(JSON.parse((await spool("check", "--format", "json")).stdout)).toMatchObject({ whole: false });
  await writeFile(path, bytes);
});

test("replay is refused while a collector runs, and sends everything once when none does", async () => {
  const unlock = await lockDirectory(store.dir, "collector");
  const refused = await spool("replay");
  await unlock();
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^weir: .*: the data directory is held by process \d+ .*, which is its collector; stop it/,
  );
  expect(await spool("replay")).toMatchObject({ code: 0, stdout: "10 rows of 2 segments are in the store\n" });
  expect(await spool("replay")).toMatchObject({ code: 0, stdout: "0 rows of 0 segments are in the store\n" });
  const rows = await store.rows(
    "SELECT count() AS n, uniqExact(label) AS different FROM collector_health WHERE node = 'n1' LIMIT 1",
  );
  expect(rows[0]).toMatchObject({ n: 10, different: 10 });
  expect((await spool("list")).stdout).toContain("Nothing waits: the store has everything.");
});

test("a directory without a spool and a wrong format are one sentence", async () => {
  expect(await spool("list", "--data-dir", "/nonexistent")).toMatchObject({
    code: 2,
    stderr:
      "weir: /nonexistent/spool: there is no spool here; choose the collector's data directory with --data-dir or WEIR_DATA_DIR\n",
  });
  expect(await spool("check", "--format", "xml")).toMatchObject({ code: 2 });
  await rm(join(spoolDir, "quarantine", "x.bad"));
  expect(await readdir(join(spoolDir, "quarantine"))).toEqual(["x.bad.reason"]);
  expect(await spool("replay", "--quarantined")).toMatchObject({
    code: 0,
    stdout: "No whole segment is in quarantine.\n",
  });
});
