/** The store is away for an hour at 5,000 rows a second: by rows and by the clock that the spool is told, not by waiting. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { REAL_DISK, SPOOL_LIMITS, SpoolWriter } from "../spool/append.ts";
import type { Worth } from "../spool/segment.ts";
import { Shipper } from "./insert.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-outage-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const SECONDS = 3600;
const ROWS_A_SECOND = 5000;
/** A row of four bytes: what is kept in memory does not depend on what is on the disk. */
const PAYLOAD = new Uint8Array((ROWS_A_SECOND / 5) * 4);

test("memory does not grow with the outage: 18,000,000 rows wait in some hundred files, and none in memory", async () => {
  let rows = 0;
  const shipper = new Shipper(() => Promise.reject(new Error("the store is away")), {
    shipped: () => expect.unreachable("there is no store"),
    failed: () => undefined,
    quarantined: () => expect.unreachable("nothing is damaged"),
  });
  const spool = new SpoolWriter(
    { dir, node: "n1", boot: "0a1b2c3d-0000-4000-8000-000000000000", generation: 1 },
    {
      sealed: (segment) => {
        rows += segment.rows ?? 0;
        shipper.add(segment);
      },
      failed: () => expect.unreachable("the disk is well"),
      shed: () => expect.unreachable("nothing is given up"),
    },
    SPOOL_LIMITS,
    { ...REAL_DISK, sync: async () => undefined, syncDirectory: async () => undefined }, // how fast a disk syncs is not the question
  );
  spool.patience = 10; // as the collector sets it while the store is away
  const end = new AbortController();
  const running = shipper.run(end.signal);
  const lanes: readonly Worth[] = ["allowed", "allowed", "allowed", "failed", "dropped"];
  const line = {
    minute: 60,
    type: "open",
    produced: 1000,
    stored: 1000,
    lost: 0,
    shed: 0,
    quarantined: 0,
    filtered: 0,
  };
  let early = 0;
  for (let second = 0; second < SECONDS; second++) {
    for (const worth of lanes)
      spool.add({
        table: "flows",
        worth,
        format: "RowBinary",
        columns: ["n"],
        rows: 1000,
        payload: PAYLOAD,
        books: [line],
      });
    await spool.flush(second * 1000);
    if (second === SECONDS / 10) early = memory();
  }
  await spool.close(SECONDS * 1000);
  const late = memory();
  end.abort();
  await running;
  expect(rows).toBe(SECONDS * ROWS_A_SECOND);
  expect(spool.pendingBytes).toBe(0);
  expect(shipper.waiting.length).toBeLessThan(1500);
  expect(late - early).toBeLessThan(8 * 1024 * 1024);
}, 120_000);
