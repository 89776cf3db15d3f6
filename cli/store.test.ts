import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flowRow, inHour, startTestStore, unhurried, type TestStore } from "../store/testing.ts";
import { exportRows, storeSizes, storeSql, type ExportOptions } from "./store.ts";

let store: TestStore;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  store = await startTestStore();
  folder = await mkdtemp(join(tmpdir(), "weir-cli-store-"));
  env = { WEIR_DATA_DIR: store.dataDir, WEIR_STORE_PORT: new URL(store.process.url).port };
  await store.writer.insertRows(
    "flows",
    [
      flowRow({ opened: 1 }),
      flowRow({ ts: inHour(2000), opened: 1, src_name: '=HYPERLINK("http://evil.example")', dst_addr: "fd00::2" }),
    ],
    unhurried,
  );
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const exported = async (options: Partial<ExportOptions>) => {
  const out = new Text();
  await exportRows(
    env,
    { what: "flows", format: "csv", from: "now-3h", to: "now", filter: "", scope: [], output: undefined, ...options },
    out,
    unhurried,
  );
  return out.text;
};

describe("weir store", () => {
  test("prints every table with its rows, size and TTL", async () => {
    const out = new Text();
    await storeSizes(env, { json: false }, out, unhurried);
    expect(out.text).toMatch(/ClickHouse [\d.]+ \(embedded\), schema version \d+/);
    expect(out.text).toMatch(/^flows +2 +[\d.]+ k?B .* 7$/m);
  });

  test("sql asks from the argument or standard input, and only reads", async () => {
    const out = new Text();
    await storeSql(env, undefined, "json", Readable.from(["SELECT count() AS n FROM flows;\n"]), out, unhurried);
    expect(out.text).toBe('{"n":2}\n');
    await expect(storeSql(env, "DROP TABLE flows", "table", Readable.from([]), out, unhurried)).rejects.toThrow(
      "DROP is not a read",
    );
    await expect(storeSql(env, " ", "table", Readable.from([]), out, unhurried)).rejects.toThrow(
      "there is no question",
    );
    await expect(storeSql(env, "SELECT 1", "x; y", Readable.from([]), out, unhurried)).rejects.toThrow(
      '"x; y" is no format',
    );
  });
});

describe("weir export", () => {
  test("writes one head, addresses as text, and no cell that begins a formula", async () => {
    const lines = (await exported({})).trim().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^"time","node","kind"/);
    expect(lines[1]).toContain('"10.0.0.1"');
    expect(lines[2]).toContain('"fd00::2"');
    expect(lines[2]).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
  });

  test("takes a filter and a scope", async () => {
    expect((await exported({ format: "json", filter: "ip:fd00::/16" })).trim().split("\n")).toHaveLength(1);
    expect(await exported({ format: "json", scope: ["elsewhere"] })).toBe("");
  });

  test("writes a new file, Parquet too, and never over one that is there", async () => {
    const output = join(folder, "flows.parquet");
    await exported({ format: "parquet", output });
    expect((await readFile(output)).subarray(0, 4).toString()).toBe("PAR1");
    await expect(exported({ format: "parquet", output })).rejects.toThrow("this file exists already");
  });

  test.each([
    [{ what: "everything" }, "everything: there is no such export"],
    [{ format: "xml" }, '"xml" is no format of an export'],
    [{ from: "now", to: "now-1h" }, "the range is backwards"],
    [{ filter: "colour:red" }, "no filter key"],
    [{ what: "edges", filter: "process:node" }, "edges do not know this"],
    [{ what: "dns", filter: "src:web" }, "dns do not know this"],
  ])("%o is refused in one sentence", async (options, message) => {
    await expect(exported(options)).rejects.toThrow(message);
  });
});
