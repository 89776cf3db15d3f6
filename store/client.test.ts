import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeConfig } from "./config.ts";
import { openReader, storeVersion } from "./reader.ts";
import { startTestStore, unhurried, type TestStore } from "./testing.ts";
import { openWriter } from "./writer.ts";

let store: TestStore;
const servers: Server[] = [];
beforeAll(async () => {
  store = await startTestStore();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await store?.[Symbol.asyncDispose]();
});

/** Something that speaks HTTP, but is no ClickHouse. */
async function otherServer(status: number, body: string, type = "text/html"): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status, { "Content-Type": type }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function whatIsSaid(url: string): Promise<string> {
  await using reader = openReader(storeConfig({ WEIR_CLICKHOUSE_URL: url }));
  return storeVersion(reader, unhurried).then(
    (version) => `version ${version}`,
    (thrown: unknown) => `${(thrown as Error).name}: ${(thrown as Error).message}`,
  );
}

describe("a store that does not answer is told in one sentence", () => {
  test("nothing listens", async () => {
    const url = await otherServer(200, "");
    await new Promise((resolve) => servers.pop()!.close(resolve));
    expect(await whatIsSaid(url)).toBe(
      `StoreError: ${url}: nothing listens there; check WEIR_CLICKHOUSE_URL and that the server runs`,
    );
  });

  test("the name has no address", async () => {
    expect(await whatIsSaid("http://no-such-host.invalid:8123")).toBe(
      "StoreError: http://no-such-host.invalid:8123: its name has no address; check the host in WEIR_CLICKHOUSE_URL",
    );
  });

  test("wrong user or password", async () => {
    const url = store.process.url.replace("//", "//writer:wrong@");
    expect(await whatIsSaid(url)).toBe(
      `StoreError: ${store.process.url}: user "writer" or its password is wrong; check WEIR_CLICKHOUSE_USER and WEIR_CLICKHOUSE_PASSWORD`,
    );
  });

  test.each([
    [200, "<!doctype html><h1>It works!</h1>"],
    [404, "<html><body>Not Found</body></html>"],
    [404, "404 page not found"],
    [200, '{"ok":true}'],
    [500, ""],
    [302, "moved"],
  ])("something else answers with %i %s", async (status, body) => {
    const url = await otherServer(status, body);
    expect(await whatIsSaid(url)).toBe(
      `StoreError: ${url}: what answers there is not a ClickHouse server; expected its HTTP port, 8123 or 8443; check WEIR_CLICKHOUSE_URL`,
    );
  });

  test("the database has no schema", async () => {
    await using reader = openReader({ ...store.config, database: "system" });
    await expect(
      reader.rows({ sql: "SELECT count() FROM flows", row: (await import("zod")).z.unknown() }, {}, unhurried),
    ).rejects.toThrow('the database "system" has no tables of Weir');
  });

  test("the embedded store was never started here", async () => {
    await expect(openWriter(storeConfig({ WEIR_DATA_DIR: "/nowhere" }))).rejects.toThrow(
      "/nowhere/run/writer.token: the embedded store has not been started here, or its token cannot be read; start it with weir store serve, as the same user",
    );
  });

  test("and one that does, by its version", async () => {
    expect(await whatIsSaid(store.process.url)).toMatch(/^version \d+\.\d+/);
  });
});

describe("settings", () => {
  test.each([
    [
      { WEIR_CLICKHOUSE_URL: "host:8123" },
      "WEIR_CLICKHOUSE_URL: host:// is not spoken here; expected http:// or https://",
    ],
    [{ WEIR_CLICKHOUSE_URL: "not a url" }, 'WEIR_CLICKHOUSE_URL: "not a url" is not a URL'],
    [{ WEIR_CLICKHOUSE_URL: "http://h:1/a-b" }, 'WEIR_CLICKHOUSE_URL: "a-b" is no database name'],
    [{ WEIR_STORE_PORT: "70000" }, 'WEIR_STORE_PORT: "70000" does not fit'],
    [{ WEIR_CLICKHOUSE_DATABASE: "x; DROP" }, 'WEIR_CLICKHOUSE_DATABASE: "x; DROP" does not fit'],
    [{ WEIR_KEEP_FLOWS_DAYS: "0" }, 'WEIR_KEEP_FLOWS_DAYS: "0" does not fit'],
  ])("%o is refused with its name", (env, message) => {
    expect(() => storeConfig(env)).toThrow(message);
  });

  test("take user, password and database from the URL, and the variables over it", () => {
    expect(storeConfig({ WEIR_CLICKHOUSE_URL: "https://u:p%40@h:8443/db" })).toMatchObject({
      url: "https://h:8443",
      user: "u",
      password: "p@",
      database: "db",
      embedded: false,
    });
    expect(
      storeConfig({
        WEIR_CLICKHOUSE_URL: "https://u:p@h:8443/db",
        WEIR_CLICKHOUSE_USER: "v",
        WEIR_CLICKHOUSE_DATABASE: "e",
      }),
    ).toMatchObject({ user: "v", database: "e" });
  });
});
