import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SystemStatus } from "../../model/wire/answers/status.ts";
import { HealthSnapshot } from "../../model/wire/health.ts";
import { attentionOf } from "./attention.ts";

/** A collector's own snapshot (tests/upgrade/testdata/make.ts), with what a test changes. */
function snapshot(changes: (health: HealthSnapshot) => object): HealthSnapshot {
  const text = readFileSync(new URL("../../tests/upgrade/testdata/schema-7.health.json", import.meta.url), "utf8");
  const calm = HealthSnapshot.parse(JSON.parse(text));
  const well = {
    ...calm,
    version: "1.0.0",
    notes: [],
    store: { ...calm.store, state: "ok" as const, lagMs: 500, lastFailure: "" },
    spool: { ...calm.spool, segments: 1, oldestMs: 500, lastFailure: "" },
    books: { ...calm.books, difference: 0 },
  };
  return HealthSnapshot.parse({ ...well, ...changes(well) });
}

const STATUS = {
  store: { nodes: [] },
  storeProblem: null,
  storeUrl: "http://127.0.0.1:7071",
  version: "1.0.0",
} as unknown as SystemStatus;

const told = (changes: (health: HealthSnapshot) => object, status: object = {}): string =>
  attentionOf({ ...STATUS, ...status }, snapshot(changes))
    .map(({ level, what, next }) => `${level}: ${what} ${next}`)
    .join("\n");

test("nothing is told while all is well", () => {
  expect(told(() => ({}))).toBe("");
});

test("losses are told with their share and what to do", () => {
  const text = told(({ books }) => ({ books: { ...books, produced: 10_000, lost: 40 } }));
  expect(text).toMatch(/^error: 40 of 10,000 events were lost in the rings \(0\.40 %\).*Give the collector more CPU/);
});

test("a store that is away is told once, with what waits and for how long there is room", () => {
  const text = told(({ spool, store }) => ({
    store: { ...store, state: "failing", lastFailure: "nothing listens there", retryInMs: 4000 },
    spool: { ...spool, segments: 60, bytes: 10_000_000, budgetBytes: 100_000_000, oldestMs: 60_000 },
    notes: [{ level: "error", about: "store", message: "The store takes no rows: nothing listens there" }],
  }));
  expect(text).toBe(
    "error: The collector can't insert into the store: nothing listens there. 60 segments (10.0 MB) wait on disk and are not lost, with room for about 9 min 0 s more; it tries again in 4.00 s.",
  );
});

test("a disk that refuses is an error while it does, and afterwards only told", () => {
  const failing = (isFailing: boolean) =>
    told(({ spool }) => ({ spool: { ...spool, failures: 12, lastFailure: "ENOSPC: no space left", isFailing } }));
  expect(failing(true)).toMatch(/^error: The spool can't be written: ENOSPC.*Make room on the disk/);
  expect(failing(false)).toMatch(/^info: The disk refused 12 writes since the collector began; it takes them again\./);
});

test("rings that nobody reads, events that nobody counted, quarantine and a foreign version are told", () => {
  const text = told(({ spool }) => ({
    stalledMs: 20_000,
    uncounted: { calls: 0, packets: 7, connections: 3 },
    spool: { ...spool, quarantined: 2 },
    version: "0.9.0",
    ringUse: 0.9,
  }));
  expect(text).toMatch(/^error: Events wait in the rings and none was read for 20\.0 s\. .*restart it/m);
  expect(text).toMatch(
    /^warning: Not counted by the kernel programs: 0 calls, 7 packets of UDP and ping, 3 connections/m,
  );
  expect(text).toMatch(/^warning: 0 rows of 2 segments are in quarantine.*reason beside it/m);
  expect(text).toMatch(/^warning: The fullest ring is 90 % full/m);
  expect(text).toMatch(/^info: The collector is Weir 0\.9\.0, this app is 1\.0\.0\./m);
});
