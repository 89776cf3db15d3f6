/** The support bundle: what is in it, and above all what is not. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testAgent, testStore, until, type TestStore } from "../collector/testing.ts";
import { Redactor } from "../cli/bundle/redact.ts";
import { weir } from "./weir.ts";

const PASSWORD = "correct-horse-battery";
let store: TestStore;
let out: string;
let env: Record<string, string>;

beforeAll(async () => {
  store = await testStore({ WEIR_STORE_MEMORY: "700000000" });
  out = await mkdtemp(join(tmpdir(), "weir-bundle-"));
  const agent = await testAgent({ ...store.env, WEIR_SOURCE: "replay" });
  await until("who is who is in the store", async () => {
    const [row] = await store.rows(
      "SELECT (SELECT count() FROM identities) AS ids, (SELECT count() FROM collector_health) AS health, (SELECT count() FROM flows) AS flows LIMIT 1",
    );
    return ["ids", "health", "flows"].every((name) => Number(row![name]) > 0);
  });
  await agent[Symbol.asyncDispose]();
  env = {
    WEIR_DATA_DIR: store.dir,
    WEIR_STORE_PORT: store.env["WEIR_STORE_PORT"]!,
    WEIR_CLICKHOUSE_PASSWORD: PASSWORD,
    WEIR_NODE: "db-prod-17",
    WEIR_PORT: "1",
  };
  const [one] = await store.rows(
    "SELECT toString(src_addr) AS address, src_workload AS workload, src_endpoint AS endpoint FROM flows WHERE src_workload != '' AND src_endpoint != '' LIMIT 1",
  );
  const line = `collector: the password ${PASSWORD} of ${String(one!["workload"])}, pod ${String(one!["endpoint"])}, at ${String(one!["address"]).replace("::ffff:", "")} and fd00:17::9`;
  await mkdir(join(store.dir, "log"));
  await writeFile(join(store.dir, "log", "weir.log"), `${line}\n`);
});

afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await rm(out, { recursive: true, force: true });
});

async function allText(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = files.map(async (file) => {
    const path = join(file.parentPath, file.name);
    return [path.slice(folder.length + 1), await readFile(path, "utf8")] as const;
  });
  return new Map(await Promise.all(texts));
}

async function forbidden(): Promise<{ readonly addresses: string[]; readonly names: string[] }> {
  const column = async (sql: string): Promise<string[]> =>
    (await store.rows(sql)).map((row) => String(row["v"])).filter((value) => value !== "");
  const addresses = await column(
    "SELECT DISTINCT toString(arrayJoin([src_addr, dst_addr, service_addr])) AS v FROM flows LIMIT 100000",
  );
  const names = await column(
    "SELECT DISTINCT arrayJoin([toString(namespace), toString(workload)]) AS v FROM identities UNION DISTINCT SELECT DISTINCT toString(endpoint) AS v FROM endpoints",
  );
  const common = new Set([
    "world",
    "unknown",
    "host",
    "weir",
    "kernel",
    "node",
    "store",
    "app",
    "collector",
    "default",
  ]);
  return {
    addresses: addresses
      .map((address) => address.replace("::ffff:", ""))
      .filter((address) => !["::", "::1", "127.0.0.1", "0.0.0.0", "255.255.255.255"].includes(address)),
    names: [...names.filter((name) => !common.has(name)), hostname(), "db-prod-17"],
  };
}

/** A name as a word of its own: `db` is not in `dbus`. */
function holds(text: string, word: string): boolean {
  return new RegExp(`(?<![\\w-])${word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`).test(text);
}

test("a bundle without addresses holds no password, no token, no address and no name, and says what it holds", async () => {
  const path = join(out, "support.tar.gz");
  const { stderr } = await weir(["doctor", "--bundle", path], env);
  execFileSync("tar", ["-xzf", path, "-C", out]); // a tar of ours is a tar to others
  const files = await allText(join(out, "support"));
  const token = (await readFile(join(store.dir, "run", "writer.token"), "utf8")).trim();
  for (const name of [
    "about.txt",
    "versions.json",
    "machine.txt",
    "doctor.json",
    "config.txt",
    "spool.txt",
    "store/schema.sql",
    "store/migrations.jsonl",
    "store/sizes.json",
    "store/health-last-hour.jsonl",
    "store/books-last-day.jsonl",
    "store/metrics.txt",
    "log/weir.log",
  ]) {
    expect(files.get(name) ?? "", name).not.toBe("");
    expect(stderr).toContain(name);
  }
  expect(files.get("store/schema.sql")).toContain("CREATE TABLE");
  expect(files.get("config.txt")).toContain("WEIR_CLICKHOUSE_PASSWORD=(set, hidden)");
  expect(files.get("log/weir.log")).toMatch(
    /the password \(hidden\) of name-\d+, pod name-\d+, at address-\d+ and address-\d+/,
  );
  const { addresses, names } = await forbidden();
  expect(addresses.length).toBeGreaterThan(10);
  expect(names.length).toBeGreaterThan(10);
  for (const [name, text] of files) {
    expect(text, name).not.toContain(PASSWORD);
    expect(text, name).not.toContain(token);
    if (name === "store/schema.sql") continue; // columns and comments: the same text in every installation
    expect(
      addresses.filter((address) => holds(text, address)),
      name,
    ).toEqual([]);
    expect(
      names.filter((word) => holds(text, word)),
      name,
    ).toEqual([]);
  }
});

test("with addresses they are there, a password still is not; a directory is made where no .tar.gz is named, and nothing is overwritten", async () => {
  const path = join(out, "with");
  await weir(["doctor", "--bundle", path, "--with-addresses"], env);
  const files = await allText(path);
  expect(files.get("log/weir.log")).toContain("fd00:17::9");
  expect(files.get("config.txt")).toContain("WEIR_NODE=db-prod-17");
  for (const [name, text] of files) expect(text, name).not.toContain(PASSWORD);
  const again = await weir(["doctor", "--bundle", path], env);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("there is something of that name already") });
});

test("stand-ins are the same for the same, versions and loopback stay, a name inside of another word stays", () => {
  const redactor = new Redactor({
    secrets: ["hunter2", "hunter22"],
    names: ["db", "web-0", "shop", "store", "two words"],
    keep: ["26.5.1.882"],
    withAddresses: false,
  });
  expect(
    redactor.text(
      "ClickHouse 26.5.1.882 at 127.0.0.1:7071; 10.0.0.7:80 → 10.0.0.7:81, dbus db, web-0.shop.svc. hunter22 12:30:01 store http://ch.example:8123 two words",
    ),
  ).toBe(
    "ClickHouse 26.5.1.882 at 127.0.0.1:7071; address-2:80 → address-2:81, dbus name-4, name-5.name-6.svc. (hidden) 12:30:01 store http://name-3:8123 name-1",
  );
});

test("a data directory where no file system makes directories is said at once", async () => {
  const { code, stdout } = await weir(["doctor", "--json"], { ...env, WEIR_DATA_DIR: "/proc/weir/data" });
  expect(code).toBe(1);
  expect(stdout).toMatch(/no directory can be made there/);
  const demo = await weir(["demo", "--port", "0"], { WEIR_DATA_DIR: "/proc/weir/data", WEIR_STORE_PORT: "0" });
  expect(demo).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("the data directory cannot be written by this user"),
  });
});
