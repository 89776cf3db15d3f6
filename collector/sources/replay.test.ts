/** Samples: what is written is read again, hostile files are refused, and a replay makes new rows of old events. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connColumns, dnsColumns, EventType, NO_CPU, typeOf, type Batch } from "../decode/columns.ts";
import { until } from "../testing.ts";
import { openSample, ReplaySource } from "./replay.ts";
import { decodeSample, encodeBatch, encodeSample, type SampleWorld } from "./sample.ts";

const COMMITTED = fileURLToPath(new URL("../../scripts/demo/sample.weir", import.meta.url));
const FROM = 1_700_000_000_000_000_000n;
const world: SampleWorld = {
  node: "demo",
  kernel: "6.18.0",
  recorded: "2026-11-24T00:00:00.000Z",
  fromNs: String(FROM),
  toNs: String(FROM + 200_000_000n),
  hostNetns: 1,
  reasons: { 3: "NO_SOCKET" },
  functions: {},
  callers: {},
  cgroups: {},
  namespaces: [],
  inventory: "",
};

function opened(afterMs: number): Batch {
  const batch = connColumns(4);
  const ns = FROM + BigInt(afterMs) * 1_000_000n;
  batch.length = 1;
  batch.tags[0] = EventType.open;
  batch.tsLow[0] = Number(ns & 0xffffffffn);
  batch.tsHigh[0] = Number(ns >> 32n);
  batch.cookieLow[0] = 77;
  batch.ports[0] = 443 << 16;
  return batch;
}

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-sample-"))));
afterAll(() => rm(dir, { recursive: true, force: true }));

test("a sample reads as it was written, names and addresses of DNS answers too", () => {
  const dns = dnsColumns(8);
  dns.length = 1;
  dns.names.push("api.example.com");
  dns.addressLength = 2;
  dns.addressCount[0] = 2;
  dns.addresses.set([1, 2, 3, 4, 5, 6, 7, 8]);
  dns.ttl.set([60, 30]);
  const read = decodeSample(encodeSample(world, [encodeBatch(opened(5)), encodeBatch(dns)]), "s");
  expect(read.world).toEqual(world);
  expect(read.batches.map((batch) => [batch.kind, batch.length])).toEqual([
    ["connections", 1],
    ["dns", 1],
  ]);
  const [conn, answer] = read.batches;
  expect([conn!.cookieLow[0], conn!.ports[0]! >>> 16, conn!.tsHigh[0]]).toEqual([77, 443, opened(5).tsHigh[0]]);
  expect(
    answer!.kind === "dns" && [answer!.names, [...answer!.addresses.subarray(0, 8)], [...answer!.ttl.subarray(0, 2)]],
  ).toEqual([["api.example.com"], [1, 2, 3, 4, 5, 6, 7, 8], [60, 30]]);
});

test.each([
  ["a file that is none", () => Buffer.from("hello"), "this is no recorded sample"],
  [
    "another version",
    () => {
      const file = encodeSample(world, []);
      file.writeUInt16LE(9, 8);
      return file;
    },
    "the sample is of version 9",
  ],
  ["a damaged one", () => encodeSample(world, [encodeBatch(opened(1))]).subarray(0, 60), "the sample is damaged"],
  [
    "one whose columns lie",
    () => encodeSample(world, [encodeBatch({ ...opened(1), capacity: 1 } as Batch)]),
    "does not fit its columns",
  ],
])("%s is refused with a sentence", (_name, make, sentence) => {
  expect(() => decodeSample(make(), "s.weir")).toThrow(sentence);
});

test("a replay moves times to now, numbers its rows anew, and goes round with new sockets", async () => {
  const path = join(dir, "s.weir");
  await writeFile(path, encodeSample(world, [encodeBatch(opened(0)), encodeBatch(opened(100))]));
  const seen: { ns: bigint; seq: number; cpu: number; cookie: string }[] = [];
  const began = BigInt(Date.now()) * 1_000_000n;
  await using source = new ReplaySource(await openSample(path), (batch) => {
    expect(typeOf(batch, 0)).toBe(EventType.open);
    seen.push({
      ns: (BigInt(batch.tsHigh[0]!) << 32n) | BigInt(batch.tsLow[0]!),
      seq: batch.seq[0]!,
      cpu: batch.cpu[0]!,
      cookie: `${batch.cookieHigh[0]}:${batch.cookieLow[0]}`,
    });
  });
  await source.start(new AbortController().signal);
  await until("two rounds were played", () => seen.length >= 4);
  expect(seen.slice(0, 4).map((each) => each.seq)).toEqual([0, 1, 2, 3]);
  expect(seen.every((each) => each.cpu === NO_CPU && each.ns >= began)).toBe(true);
  expect(seen[1]!.ns - seen[0]!.ns).toBe(100_000_000n);
  expect([seen[0]!.cookie === seen[1]!.cookie, seen[0]!.cookie === seen[2]!.cookie]).toEqual([true, false]);
  expect(source.counters().rows).toMatchObject([
    { type: EventType.open, produced: seen.length, decoded: seen.length, lost: 0, shed: 0 },
  ]);
});

test("the sample that the package brings can be read, and holds every kind of event", async () => {
  const { batches, world: recorded } = decodeSample(await readFile(COMMITTED), COMMITTED);
  expect(new Set(batches.map((batch) => batch.kind))).toEqual(
    new Set(["connections", "drops", "conversations", "dns", "nat"]),
  );
  expect(recorded.inventory).toContain("entries:");
  expect(Object.values(recorded.reasons)).toContain("NETFILTER_DROP");
});

test("a sample that is not there is said in a sentence", async () => {
  await expect(openSample("/nowhere/s.weir")).rejects.toThrow(
    "/nowhere/s.weir: the recorded sample cannot be read (ENOENT)",
  );
});
