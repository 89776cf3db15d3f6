/**
 * The store misbehaves: a real engine behind a proxy that, for a while, is away, slow, answers nonsense, or cuts the line before or after it
 * has passed the insert on. Each row is stored once, the books balance, and nobody has to help.
 */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeConfig, type Environment } from "../../store/config.ts";
import { tokenPath } from "../../store/embedded/token.ts";
import { openWriter } from "../../store/writer.ts";
import { jsonLot } from "../rows/pipeline.ts";
import { SpoolWriter } from "../spool/append.ts";
import type { SegmentFile } from "../spool/files.ts";
import { recoverSpool } from "../spool/recover.ts";
import { testStore, until, type TestStore } from "../testing.ts";
import { Shipper } from "./insert.ts";

/** What the proxy does with an insert. */
type Fault = (
  pass: () => Promise<{ readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: Buffer }>,
  response: ServerResponse,
) => Promise<void>;

const CLICKHOUSE = { "x-clickhouse-summary": "{}" };
const cut = (response: ServerResponse): void => void response.socket?.destroy();
const say = (response: ServerResponse, status: number, body: string, headers = {}): void =>
  void response.writeHead(status, headers).end(body);

/** CI's form of five seconds an insert. */
const SLOW_MS = 150;

const FAULTS: Readonly<Record<string, Fault>> = {
  "is away": async (_pass, response) => cut(response),
  "is slow, and answers": async (pass, response) => {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS)); // the fault itself
    const { status, headers, body } = await pass();
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    response.writeHead(status, headers).end(body);
  },
  "answers 500": async (_pass, response) =>
    say(response, 500, "Code: 999. DB::Exception: injected. (KEEPER)", CLICKHOUSE),
  "answers 503 without a word": async (_pass, response) => say(response, 503, ""),
  "answers a page of somebody else": async (_pass, response) => say(response, 200, "<!doctype html><h1>mine</h1>"),
  "says yes to everything and is no ClickHouse": async (_pass, response) => say(response, 200, ""),
  "answers 200 with the exception in the body": async (_pass, response) =>
    say(response, 200, "Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)", CLICKHOUSE),
  "commits, then fails with 200 and an exception": async (pass, response) => {
    await pass();
    say(response, 200, "Code: 210. DB::NetException: injected. (NETWORK_ERROR)", CLICKHOUSE);
  },
  "commits, then resets": async (pass, response) => {
    await pass();
    cut(response);
  },
  "resets behind the headers": async (pass, response) => {
    const { status, headers } = await pass();
    response.writeHead(status, { ...headers, "content-length": "10" });
    response.write("");
    cut(response);
  },
  "has too many parts": async (_pass, response) =>
    say(response, 500, "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)", CLICKHOUSE),
  "is read-only": async (_pass, response) =>
    say(response, 500, "Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)", CLICKHOUSE),
};

let store: TestStore;
let proxy: Server;
let env: Environment;
let fault: Fault | undefined;
let faults = 0;

beforeAll(async () => {
  store = await testStore();
  const port = Number(store.env["WEIR_STORE_PORT"]);
  proxy = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const pass = () => forward(port, incoming, Buffer.concat(chunks));
      const isInsert =
        decodeURIComponent(incoming.url ?? "").includes("INSERT") ||
        chunks.some((chunk) => chunk.includes("INSERT INTO"));
      const now = isInsert ? fault : undefined;
      if (now !== undefined) faults++;
      const done =
        now === undefined
          ? pass().then(({ status, headers, body }) => void response.writeHead(status, headers).end(body))
          : now(pass, response);
      done.catch(() => cut(response));
    });
  });
  proxy.listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  env = {
    WEIR_DATA_DIR: store.dir,
    WEIR_CLICKHOUSE_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    WEIR_CLICKHOUSE_USER: "writer",
    WEIR_CLICKHOUSE_PASSWORD: (await readFile(tokenPath(store.dir), "utf8")).trim(),
  };
});
afterAll(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  await store?.[Symbol.asyncDispose]();
});

function forward(port: number, incoming: IncomingMessage, body: Buffer): ReturnType<Parameters<Fault>[0]> {
  return new Promise((resolve, reject) => {
    const headers = { ...incoming.headers, "content-length": String(body.length) };
    delete (headers as Record<string, unknown>)["transfer-encoding"];
    const out = request({ host: "127.0.0.1", port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const kept = { ...answer.headers };
        delete kept["transfer-encoding"];
        resolve({ status: answer.statusCode ?? 500, headers: kept, body: Buffer.concat(chunks) });
      });
      answer.on("error", reject);
    });
    out.on("error", reject);
    out.end(body);
  });
}

let generation = 100;
const BOOT = "0a1b2c3d-0000-4000-8000-000000000000";

/** `segments` segments of three rows each in a spool of their own. */
async function spooled(
  segments: number,
): Promise<{ dir: string; node: string; generation: number; segments: SegmentFile[] }> {
  const of = ++generation;
  const dir = join(store.dir, `spool-${of}`);
  const node = `g${of}`;
  await recoverSpool(dir);
  const sealed: SegmentFile[] = [];
  const spool = new SpoolWriter(
    { dir, node, boot: BOOT, generation: of },
    { sealed: (each) => sealed.push(each), failed: () => expect.unreachable(), shed: () => expect.unreachable() },
  );
  const minute = Math.floor(Date.now() / 60_000) * 60;
  const ts = new Date().toISOString().replace("T", " ").replace("Z", "");
  for (let i = 0; i < segments; i++) {
    const rows = [0, 1, 2].map((row) => ({ ts, node, metric: "test", label: `${i}/${row}`, value: row, text: "" }));
    const books = [{ minute, type: "test", produced: 3, stored: 3, lost: 0, shed: 0, quarantined: 0, filtered: 0 }];
    spool.add({ ...jsonLot("collector_health", "allowed", rows), books });
    await spool.close(Date.now());
  }
  return { dir, node, generation: of, segments: sealed };
}

async function stored(node: string, of: number): Promise<Record<string, number>> {
  const [rows] = await store.rows(
    `SELECT count() AS n, uniqExact(label) AS different FROM collector_health WHERE node = '${node}' LIMIT 1`,
  );
  const [books] = await store.rows(
    `SELECT sum(b.produced) AS produced, sum(b.stored) AS stored, sum(b.quarantined) AS quarantined FROM books AS b WHERE generation = ${of} LIMIT 1`,
  );
  return Object.fromEntries(Object.entries({ ...rows, ...books }).map(([name, value]) => [name, Number(value)]));
}

const quiet = { shipped: () => undefined, failed: () => undefined, quarantined: () => undefined };

test.each(Object.keys(FAULTS))("a store that %s: every row is stored once and booked once, by itself", async (name) => {
  const { dir, node, generation: of, segments } = await spooled(4);
  await using writer = await openWriter(storeConfig(env));
  const shipper = new Shipper(async () => writer, quiet);
  for (const segment of segments) shipper.add(segment);
  fault = FAULTS[name];
  faults = 0;
  const end = new AbortController();
  const running = shipper.run(end.signal);
  try {
    await until("the fault has struck three times", () => faults >= 3);
    fault = undefined;
    await until("everything has arrived", async () => shipper.waiting.length === 0, 40_000);
  } finally {
    fault = undefined;
    end.abort();
    await running;
  }
  expect(await stored(node, of)).toEqual({ n: 12, different: 12, produced: 12, stored: 12, quarantined: 0 });
  expect(await readdir(dir)).toEqual(["quarantine"]);
});

test("a directory that becomes read-only after the insert: only the removal is tried again, no row is sent twice", async () => {
  const { node, generation: of, segments } = await spooled(1);
  await using writer = await openWriter(storeConfig(env));
  let inserts = 0;
  const counting = {
    segmentsArrived: writer.segmentsArrived.bind(writer),
    insertRows: writer.insertRows.bind(writer),
    insertSegment: (...args: Parameters<typeof writer.insertSegment>) => (inserts++, writer.insertSegment(...args)),
  };
  const failures: unknown[] = [];
  const shipper = new Shipper(async () => counting, { ...quiet, failed: (cause) => failures.push(cause) });
  // a path below a file cannot be removed: ENOTDIR, as any other refusal of the directory
  const [segment] = segments as [SegmentFile];
  let isRefused = true;
  const moving: SegmentFile = {
    ...segment,
    get path() {
      return inserts > 0 && isRefused ? join(segment.path, "x") : segment.path;
    },
  };
  shipper.add(moving);
  for (let i = 0; i < 4; i++) expect(await shipper.drain(AbortSignal.timeout(20_000))).toBe(false);
  isRefused = false;
  expect(await shipper.drain(AbortSignal.timeout(20_000))).toBe(true);
  expect({ inserts, failures: failures.length }).toEqual({ inserts: 1, failures: 4 });
  expect(await stored(node, of)).toEqual({ n: 3, different: 3, produced: 3, stored: 3, quarantined: 0 });
});

test("a segment whose header is destroyed: its bytes are kept, its rows are counted as quarantined, the rest goes on", async () => {
  const { dir, node, generation: of, segments } = await spooled(3);
  const bytes = await readFile(segments[1]!.path);
  bytes[9]! ^= 0x40;
  await writeFile(segments[1]!.path, bytes);
  const told: string[] = [];
  await using writer = await openWriter(storeConfig(env));
  const shipper = new Shipper(
    async () => writer,
    { ...quiet, quarantined: (_segment, _books, reason) => told.push(reason) },
    Date.now,
    { node, boot: BOOT },
  );
  for (const segment of segments) shipper.add(segment);
  expect(await shipper.drain(AbortSignal.timeout(20_000))).toBe(true);
  expect(told).toHaveLength(1);
  expect(await stored(node, of)).toEqual({ n: 6, different: 6, produced: 9, stored: 6, quarantined: 3 });
  const kept = await readdir(join(dir, "quarantine"));
  expect(kept.toSorted()).toEqual([`${segments[1]!.id}.seg`, `${segments[1]!.id}.seg.reason`]);
  expect(await readFile(join(dir, "quarantine", `${segments[1]!.id}.seg.reason`), "utf8")).toMatch(/^byte 0: /);
});
