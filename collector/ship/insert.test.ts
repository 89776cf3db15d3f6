/** From the spool into a real store: once each, whatever dies in between. No rights are needed: the recorded sample plays. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWriter } from "../../store/writer.ts";
import { storeConfig } from "../../store/config.ts";
import { jsonLot } from "../rows/pipeline.ts";
import { SpoolWriter } from "../spool/append.ts";
import type { SegmentFile } from "../spool/files.ts";
import { recoverSpool } from "../spool/recover.ts";
import type { BooksDelta } from "../spool/segment.ts";
import { testStore, until, type TestStore } from "../testing.ts";
import { Shipper, type SegmentStore } from "./insert.ts";

const SAMPLE = fileURLToPath(new URL("../../scripts/demo/sample.weir", import.meta.url));
const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const BOOT = "0a1b2c3d-0000-4000-8000-000000000000";
/** tests/crash.ts has more, with the kernel's own events; these need no rights. */
const KILLS = 4;
const SEED = Number(process.env["WEIR_SEED"] ?? Date.now() % 1e6);

let store: TestStore;
beforeAll(async () => void (store = await testStore()));
afterAll(() => store[Symbol.asyncDispose]());

let generation = 1000;
/** A spool of its own in the test's directory; `health` = sealed segments of `collector_health` with n rows each. */
async function spooled(...sizes: number[]): Promise<{ dir: string; generation: number; segments: SegmentFile[] }> {
  const dir = join(store.dir, `spool-${++generation}`);
  await recoverSpool(dir);
  const segments: SegmentFile[] = [];
  const spool = new SpoolWriter(
    { dir, node: `g${generation}`, boot: BOOT, generation },
    {
      sealed: (each) => segments.push(each),
      failed: (cause) => {
        throw cause;
      },
      shed: () => undefined,
    },
  );
  const minute = Math.floor(Date.now() / 60_000) * 60;
  for (const n of sizes) {
    const rows = Array.from({ length: n }, (_, i) => ({
      ts: "2026-11-24 00:00:00.000".replace("2026-11-24", new Date().toISOString().slice(0, 10)),
      node: `g${generation}`,
      metric: "test",
      label: `${n}/${i}`,
      value: i,
      text: "",
    }));
    spool.add({
      ...jsonLot("collector_health", "allowed", rows),
      books: [{ minute, type: "test", produced: n, stored: n, lost: 0, shed: 0, quarantined: 0, filtered: 0 }],
    });
    await spool.close(Date.now());
  }
  return { dir, generation, segments };
}

const quiet = { shipped: () => undefined, failed: () => undefined, quarantined: () => undefined };
const counts = async (of: number) => {
  const [rows] = await store.rows(
    `SELECT count() AS n, uniqExact(label) AS different FROM collector_health WHERE node = 'g${of}' LIMIT 1`,
  );
  const [books] = await store.rows(
    `SELECT sum(produced) AS produced, sum(stored) AS stored, sum(quarantined) AS quarantined, sum(shed) AS shed FROM books WHERE generation = ${of} LIMIT 1`,
  );
  return { ...rows, ...books };
};

test("a segment is inserted once with its books, and its file goes after that", async () => {
  const { dir, generation: of, segments } = await spooled(5, 7);
  await using writer = await openWriter(storeConfig(store.env));
  const shipper = new Shipper(async () => writer, quiet);
  for (const segment of segments) shipper.add(segment);
  expect(await shipper.drain(AbortSignal.timeout(20_000))).toBe(true);
  expect(await counts(of)).toEqual({ n: 12, different: 12, produced: 12, stored: 12, quarantined: 0, shed: 0 });
  expect(await readdir(dir)).toEqual(["quarantine"]);
});

test("an answer that is lost after the commit: the segment is sent again and counts once", async () => {
  const { generation: of, segments } = await spooled(5, 7);
  await using writer = await openWriter(storeConfig(store.env));
  let losses = 0;
  const lossy: SegmentStore = {
    segmentsArrived: (...args) => writer.segmentsArrived(...args),
    insertSegment: async (...args) => {
      await writer.insertSegment(...args);
      if (losses++ < 3) throw new Error("the answer was lost");
    },
    insertRows: async (...args) => {
      await writer.insertRows(...args);
      if (losses++ < 5) throw new Error("the answer was lost");
    },
  };
  const shipper = new Shipper(async () => lossy, quiet);
  for (const segment of segments) shipper.add(segment);
  const signal = AbortSignal.timeout(20_000);
  while (!(await shipper.drain(signal))) signal.throwIfAborted();
  expect(losses).toBeGreaterThan(4);
  expect(await counts(of)).toEqual({ n: 12, different: 12, produced: 12, stored: 12, quarantined: 0, shed: 0 });
});

test("after a restart the store is asked which segments arrived, and those are not sent again", async () => {
  const { dir, generation: of, segments } = await spooled(5, 7);
  await using writer = await openWriter(storeConfig(store.env));
  const bytes = await Promise.all(segments.map((segment) => readFile(segment.path)));
  const first = new Shipper(async () => writer, quiet);
  first.add(segments[0]!);
  await first.drain(AbortSignal.timeout(20_000));
  await writeFile(segments[0]!.path, bytes[0]!); // as if it had died before the unlink
  let inserts = 0;
  const watched: SegmentStore = {
    segmentsArrived: (...args) => writer.segmentsArrived(...args),
    insertRows: (...args) => writer.insertRows(...args),
    insertSegment: (...args) => {
      inserts++;
      return writer.insertSegment(...args);
    },
  };
  const second = new Shipper(async () => watched, quiet);
  for (const segment of (await recoverSpool(dir)).segments) second.add(segment, true);
  expect(await second.drain(AbortSignal.timeout(20_000))).toBe(true);
  expect(inserts).toBe(1);
  expect(await counts(of)).toEqual({ n: 12, different: 12, produced: 12, stored: 12, quarantined: 0, shed: 0 });
});

test("a segment with a damaged stretch: the rest goes on, the bad bytes are kept with their reason, the books say so", async () => {
  const { dir, generation: of, segments } = await spooled(5, 7);
  const bytes = await readFile(segments[0]!.path);
  bytes[bytes.length - 200]! ^= 0x10; // in the rows of its only frame
  await writeFile(segments[0]!.path, bytes);
  const told: [readonly BooksDelta[], string][] = [];
  await using writer = await openWriter(storeConfig(store.env));
  const shipper = new Shipper(async () => writer, {
    ...quiet,
    quarantined: (_segment, books, reason) => told.push([books, reason]),
  });
  for (const segment of segments) shipper.add(segment);
  expect(await shipper.drain(AbortSignal.timeout(20_000))).toBe(true);
  expect(await counts(of)).toEqual({ n: 7, different: 7, produced: 12, stored: 7, quarantined: 5, shed: 0 });
  expect(told).toHaveLength(1);
  const kept = await readdir(join(dir, "quarantine"));
  expect(kept.filter((file) => file.endsWith(".bad"))).toHaveLength(1);
  expect(
    await readFile(
      join(
        dir,
        "quarantine",
        kept.find((file) => file.endsWith(".reason"))!,
      ),
      "utf8",
    ),
  ).toMatch(/^bytes \d+–\d+ of .*: rows do not match their CRC; 5 rows\n$/);
});

test("a segment that the store will never take is put aside after some attempts, and the next goes on", async () => {
  const { dir, generation: of, segments } = await spooled(3);
  const bad = new SpoolWriter(
    { dir, node: `g${of}`, boot: BOOT, generation: of + 5000 },
    { sealed: (each) => segments.unshift(each), failed: () => undefined, shed: () => undefined },
  );
  const minute = Math.floor(Date.now() / 60_000) * 60;
  bad.add({
    ...jsonLot("collector_health", "allowed", [{ ts: "not a time", node: 1 }]),
    books: [{ minute, type: "test", produced: 1, stored: 1, lost: 0, shed: 0, quarantined: 0, filtered: 0 }],
  });
  await bad.close(Date.now());
  await using writer = await openWriter(storeConfig(store.env));
  const shipper = new Shipper(async () => writer, quiet);
  for (const segment of segments) shipper.add(segment);
  const signal = AbortSignal.timeout(20_000);
  while (!(await shipper.drain(signal))) signal.throwIfAborted();
  expect(await counts(of)).toMatchObject({ n: 3, stored: 3 });
  expect(await counts(of + 5000)).toMatchObject({ n: 0, produced: 1, stored: 0, quarantined: 1 });
});

async function ended(child: ChildProcess): Promise<void> {
  await until(`collector ${child.pid} has ended`, () => child.exitCode !== null || child.signalCode !== null, 40_000);
}

function collector(): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "collect", "--replay", SAMPLE], {
    env: {
      ...store.env,
      WEIR_NODE: "killed",
      WEIR_LOG_LEVEL: process.env["WEIR_LOG_LEVEL"] ?? "fatal",
    } as unknown as NodeJS.ProcessEnv,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

test(`collector and store killed with -9 under load (WEIR_SEED=${SEED}): nothing durable lost, nothing doubled, the books balance`, async () => {
  let random = SEED;
  const next = (below: number) => (random = (random * 1103515245 + 12345) % 2147483648) % below;
  // Of this run alone: at its start it also sends what the one before left.
  const seen = async (generation: number) =>
    Number(
      (
        await store.rows(`SELECT count() AS n FROM flows WHERE node = 'killed' AND generation = ${generation} LIMIT 1`)
      )[0]!["n"],
    );
  for (let kill = 0; kill < KILLS; kill++) {
    const child = collector();
    await until("rows of this run have arrived", async () => (await seen(kill + 1)) > 0, 120_000);
    await new Promise((resolve) => setTimeout(resolve, next(700))); // a random moment is the point
    if (kill % 2 === 1)
      await store.restart(async () => void (await new Promise((resolve) => setTimeout(resolve, next(1500)))));
    child.kill("SIGKILL");
    await ended(child);
  }
  const spoolDir = join(store.dir, "spool");
  const left = async () => (await readdir(spoolDir)).filter((file) => file !== "quarantine");
  // an orderly end ships what it can within seconds; on a busy machine the rest waits for the next start
  for (let start = 0; start === 0 || (await left()).length > 0; start++) {
    expect(start).toBeLessThan(5);
    const last = collector();
    await until(
      "what the killed ones left has arrived, and rows of this run",
      async () =>
        (await left()).every((file) => Number(file.split("-")[1]) > KILLS + start) &&
        (await seen(KILLS + 1 + start)) > 0,
      120_000,
    );
    last.kill("SIGTERM");
    await ended(last);
  }
  const generations = await store.rows(
    `SELECT generation, sum(stored) AS kept, sum(produced) - sum(stored) - sum(lost) - sum(shed) - sum(quarantined) - sum(filtered) AS difference FROM books WHERE node = 'killed' GROUP BY generation ORDER BY generation LIMIT 100`,
  );
  const flows = await store.rows(
    "SELECT generation, count() AS n, uniqExact(boot, cpu, seq) AS different FROM flows WHERE node = 'killed' GROUP BY generation ORDER BY generation LIMIT 100",
  );
  expect(generations.length).toBeGreaterThanOrEqual(KILLS + 1);
  expect(generations.map((row) => Number(row["difference"]))).toEqual(generations.map(() => 0));
  expect(flows.map((row) => row["n"])).toEqual(flows.map((row) => row["different"]));
  // each row that the books call stored is there: flows by generation, and the DNS answers, which carry no generation
  const [answers] = await store.rows("SELECT count() AS n FROM dns_answers WHERE node = 'killed' LIMIT 1");
  const stored = generations.reduce((sum, row) => sum + Number(row["kept"]), 0);
  expect(flows.reduce((sum, row) => sum + Number(row["n"]), 0) + Number(answers!["n"])).toBe(stored);
  expect(stored).toBeGreaterThan(100);
}, 600_000);
