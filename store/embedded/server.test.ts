import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createClient, type ClickHouseClient } from "@clickhouse/client";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestStore, unhurried, type TestStore } from "../testing.ts";
import { startStoreProcess } from "./spawn.ts";

let store: TestStore;
let reader: ClickHouseClient;
let writer: ClickHouseClient;
const run = promisify(execFile);

beforeAll(async () => {
  store = await startTestStore();
  reader = createClient({ url: store.process.url, username: "reader", database: "weir" });
  writer = createClient({
    url: store.process.url,
    username: "writer",
    password: store.writer.config.password,
    database: "weir",
  });
  await writer.command({
    query:
      "CREATE TABLE numbers_of_test (n UInt32, word String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
  });
});

afterAll(async () => {
  await reader?.close();
  await writer?.close();
  await store?.[Symbol.asyncDispose]();
});

/** Waits until `condition` holds; the test's own deadline ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

const running = async (mark: string) => {
  const answer = await reader.query({
    query:
      "SELECT count() AS n FROM system.processes WHERE query LIKE {mark:String} AND query NOT LIKE '%system.processes%'",
    query_params: { mark: `%${mark}%` },
    format: "JSONEachRow",
  });
  const [row] = await answer.json<{ n: number }>();
  return row!.n > 0;
};

describe("@clickhouse/client", () => {
  test("pings, with and without a query", async () => {
    expect(await reader.ping()).toEqual({ success: true });
    expect(await reader.ping({ select: true })).toEqual({ success: true });
  });

  test("reads rows as JSON with its statistics", async () => {
    const answer = await reader.query({ query: "SELECT number AS n FROM numbers(3)", format: "JSON" });
    const { data, rows } = await answer.json<{ n: string }>();
    expect(data).toHaveLength(3);
    expect(rows).toBe(3);
    expect(answer.response_headers["x-clickhouse-format"]).toBe("JSON");
  });

  test("streams a million rows", async () => {
    const answer = await reader.query({ query: "SELECT number AS n FROM numbers(1000000)", format: "JSONEachRow" });
    let sum = 0;
    for await (const batch of answer.stream<{ n: number }>()) sum += batch.length;
    expect(sum).toBe(1_000_000);
  });

  test("gets the same bytes with gzip in both directions", async () => {
    const zipped = createClient({
      url: store.process.url,
      username: "writer",
      password: store.writer.config.password,
      database: "weir",
      compression: { request: true, response: true },
    });
    await zipped.insert({ table: "numbers_of_test", values: [{ n: 900_001, word: "zipped" }], format: "JSONEachRow" });
    const answer = await zipped.query({
      query: "SELECT word FROM numbers_of_test WHERE n = 900001",
      format: "JSONEachRow",
    });
    expect(await answer.json()).toEqual([{ word: "zipped" }]);
    await zipped.close();
  });

  test("inserts objects, and a stream of lines", async () => {
    await writer.insert({
      table: "numbers_of_test",
      values: [
        { n: 1, word: "one" },
        { n: 2, word: "two" },
      ],
      format: "JSONEachRow",
    });
    await writer.insert({
      table: "numbers_of_test",
      values: Readable.from([{ n: 3, word: "three" }], { objectMode: true }),
      format: "JSONEachRow",
    });
    const answer = await reader.query({
      query: "SELECT n, word FROM numbers_of_test WHERE n < 10 ORDER BY n",
      format: "JSONEachRow",
    });
    expect(await answer.json()).toEqual([
      { n: 1, word: "one" },
      { n: 2, word: "two" },
      { n: 3, word: "three" },
    ]);
  });

  test("binds every string exactly, whatever is in it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { maxLength: 4 }),
        async (text, list) => {
          const wellFormed = text.toWellFormed();
          const answer = await reader.query({
            query: "SELECT hex({text:String}) AS text, {list:Array(String)} AS list",
            query_params: { text: wellFormed, list },
            format: "JSONEachRow",
          });
          const [row] = await answer.json<{ text: string; list: string[] }>();
          expect(row).toEqual({ text: Buffer.from(wellFormed).toString("hex").toUpperCase(), list });
        },
      ),
      { numRuns: 60 },
    );
  });

  test("takes parameters that are too long for a URL", async () => {
    const many = createClient({ url: store.process.url, username: "reader", use_multipart_params_auto: true });
    const ids = Array.from({ length: 5000 }, (_, i) => i * 1000);
    const answer = await many.query({
      query: "SELECT length({ids:Array(UInt64)}) AS n",
      query_params: { ids },
      format: "JSONEachRow",
    });
    expect(await answer.json()).toEqual([{ n: 5000 }]);
    await many.close();
  });

  test("a parameter of an earlier query is not there for the next", async () => {
    for (let i = 0; i < 8; i++)
      await reader
        .query({ query: "SELECT {left:String}", query_params: { left: "over" } })
        .then((answer) => answer.text());
    for (let i = 0; i < 8; i++)
      await expect(reader.query({ query: "SELECT {left:String}" })).rejects.toMatchObject({ code: "456" });
  });

  test("a setting of one insert does not hold for the next", async () => {
    const { query_id } = await writer.command({
      query: "INSERT INTO numbers_of_test SELECT 50, 'x'",
      clickhouse_settings: { insert_deduplication_token: "t" },
    });
    expect(query_id).not.toBe("");
    for (let i = 0; i < 4; i++) {
      const answer = await writer.query({
        query: "SELECT value FROM system.settings WHERE name = 'insert_deduplication_token'",
        format: "JSONEachRow",
      });
      expect(await answer.json()).toEqual([{ value: "" }]);
    }
  });

  test.each([
    ["selec 1", "62"],
    ["SELECT * FROM weir.nothing_here", "60"],
    ["SELECT nothing_here(1)", "46"],
    ["SELECT file('/etc/passwd')", "164"],
    ["DROP TABLE flows", "164"],
    ["SELECT throwIf(1)", "395"],
  ])("%s fails with code %s", async (query, code) => {
    await expect(reader.query({ query, format: "JSONEachRow" }).then((answer) => answer.json())).rejects.toMatchObject({
      code,
    });
  });

  test("an exception behind the first rows reaches the reader of the stream", async () => {
    const answer = await reader.query({
      query: "SELECT throwIf(number = 700000) AS x FROM numbers(1000000)",
      format: "JSONEachRow",
    });
    const drain = async () => {
      for await (const batch of answer.stream()) void batch;
    };
    await expect(drain()).rejects.toMatchObject({ code: "395" });
  });

  test("an abort ends the query in the engine", async () => {
    const mark = randomUUID();
    const abort = new AbortController();
    const query = reader.query({
      query: `SELECT sum(sipHash64(number)) AS x, '${mark}' FROM numbers(3900000000)`,
      abort_signal: abort.signal,
      format: "JSONEachRow",
    });
    const ended = expect(query).rejects.toThrow();
    await until(() => running(mark));
    abort.abort();
    await ended;
    await until(async () => !(await running(mark)));
  });

  test("a wrong password and an unknown user are refused", async () => {
    for (const [username, password] of [
      ["writer", "wrong"],
      ["default", "wrong"],
      ["admin", ""],
    ] as const) {
      const other = createClient({ url: store.process.url, username, password });
      await expect(other.query({ query: "SELECT 1" })).rejects.toMatchObject({ code: "516" });
      await other.close();
    }
  });

  test("ten queries at once, more than there are sessions, all are answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        reader
          .query({ query: "SELECT {i:UInt32} AS i, sleep(0.05)", query_params: { i }, format: "JSONEachRow" })
          .then((answer) => answer.json<{ i: number }>()),
      ),
    );
    expect(answers.map(([row]) => row!.i)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("curl", () => {
  const curl = async (...args: string[]) => (await run("curl", ["-sS", ...args])).stdout;

  test("asks in the URL and in the body", async () => {
    expect(await curl(`${store.process.url}/?query=SELECT%201`)).toBe("1\n");
    expect(await curl(store.process.url, "--data-binary", "SELECT number FROM numbers(3) FORMAT CSV")).toBe(
      "0\n1\n2\n",
    );
    expect(await curl(`${store.process.url}/?query=SELECT%20`, "--data-binary", "2+2")).toBe("4\n");
    expect(
      await curl(`${store.process.url}/?param_x=7&default_format=JSONEachRow`, "-d", "SELECT {x:UInt8} AS x"),
    ).toBe('{"x":7}\n');
    expect(await curl(`${store.process.url}/ping`)).toBe("Ok.\n");
  });

  test("sees a real status and the exception's code", async () => {
    const head = await curl("-i", store.process.url, "-d", "SELECT * FROM nothing_here");
    expect(head).toMatch(/^HTTP\/1.1 404/);
    expect(head).toMatch(/X-ClickHouse-Exception-Code: 60/i);
    expect(head).toMatch(/Code: 60\. DB::Exception: .*UNKNOWN_TABLE/);
  });

  test("inserts with rows in the body, compressed as well, and nothing of a body that breaks off", async () => {
    const auth = `writer:${store.writer.config.password}`;
    expect(
      await curl(
        "-u",
        auth,
        `${store.process.url}/?query=INSERT+INTO+numbers_of_test+FORMAT+CSV`,
        "--data-binary",
        '70,"seventy"\n71,"more"\n',
      ),
    ).toBe("");
    expect(await curl(store.process.url, "-d", "SELECT count() FROM numbers_of_test WHERE n IN (70, 71)")).toBe("2\n");
    const half = request(`${store.process.url}/?query=INSERT+INTO+numbers_of_test+FORMAT+CSV`, {
      method: "POST",
      auth,
      headers: { "Content-Length": "1000" },
    });
    half.on("error", () => undefined); // it is ours that breaks it
    half.write('80,"eighty"\n');
    await until(async () => half.socket?.bytesWritten !== undefined && half.socket.bytesWritten > 0);
    half.destroy();
    await new Promise((resolve) => half.once("close", resolve));
    expect(await curl(store.process.url, "-d", "SELECT count() FROM numbers_of_test WHERE n = 80")).toBe("0\n");
  });

  test("a web page in a browser gets nothing", async () => {
    expect(await curl("-i", "-H", "Origin: http://evil.example", `${store.process.url}/?query=SELECT%201`)).toMatch(
      /^HTTP\/1.1 403/,
    );
    expect(await curl("-i", "-H", "Host: evil.example", `${store.process.url}/?query=SELECT%201`)).toMatch(
      /^HTTP\/1.1 403/,
    );
  });
});

describe("starting", () => {
  test("a directory that another process holds is named with its holder", async () => {
    await expect(startStoreProcess({ WEIR_DATA_DIR: store.dataDir, WEIR_STORE_PORT: "0" })).rejects.toThrow(
      `${store.dataDir}: the data directory is held by process ${store.process.pid}`,
    );
  });

  test("a port in use is one sentence", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const dataDir = await mkdtemp(join(tmpdir(), "weir-store-test-"));
    await expect(startStoreProcess({ WEIR_DATA_DIR: dataDir, WEIR_STORE_PORT: String(port) })).rejects.toThrow(
      `port ${port} is in use by another program; stop it, or choose another with WEIR_STORE_PORT=`,
    );
    other.close();
    await rm(dataDir, { recursive: true });
  });

  test("a place that cannot be written is one sentence", async () => {
    const place = await mkdtemp(join(tmpdir(), "weir-store-test-"));
    await writeFile(join(place, "file"), "");
    await expect(startStoreProcess({ WEIR_DATA_DIR: join(place, "file"), WEIR_STORE_PORT: "0" })).rejects.toThrow(
      "a file stands where the data directory should be",
    );
    await expect(startStoreProcess({ WEIR_DATA_DIR: "/sys/kernel/weir", WEIR_STORE_PORT: "0" })).rejects.toThrow(
      "choose another with WEIR_DATA_DIR",
    );
    await mkdir(join(place, "closed"));
    await chmod(join(place, "closed"), 0o500);
    if (process.getuid?.() !== 0)
      await expect(
        startStoreProcess({ WEIR_DATA_DIR: join(place, "closed", "x"), WEIR_STORE_PORT: "0" }),
      ).rejects.toThrow("cannot be written");
    await rm(place, { recursive: true });
  });

  test("killed and started again, it has what it acknowledged, and takes over the dead one's lock", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "weir-store-test-"));
    const env = { WEIR_DATA_DIR: dataDir, WEIR_STORE_PORT: "0" };
    const first = await startStoreProcess(env);
    const { openWriter } = await import("../writer.ts");
    await using one = await openWriter({ ...store.config, url: first.url, dataDir });
    await one.insertRows("nodes", [{ node: "kept", boot: randomUUID(), cpus: 3 }], unhurried);
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    const second = await startStoreProcess(env);
    const { stdout } = await run("curl", ["-sS", second.url, "-d", "SELECT cpus FROM weir.nodes WHERE node = 'kept'"]);
    expect(stdout).toBe("3\n");
    await second.stop();
    await rm(dataDir, { recursive: true });
  });
});
