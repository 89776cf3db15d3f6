// Bad input through the front door: `bin/weir` and the app's routes, on the real engine and the real kernel. Each gets one clear
// sentence with what to do, exit code 2 or a 4xx, no stack trace; nothing is lost and what should stay up stays up.
// Tested beside the code, and not again here:
//   store/client.test.ts               every way in which a store does not answer; every wrong store setting
//   store/embedded/server.test.ts      store port in use, data directory held by a store, a file in its place, other users' browsers
//   store/engines.test.ts              a newer schema and an edited migration, by the library
//   app/server.test.ts                 the app's port in use, an address of another machine, a failed build
//   app/auth/guard.test.ts, app/live/gateway.test.ts     foreign Host and Origin; wrong filters and messages on the live stream
//   collector/config.test.ts           every wrong setting of the collector
//   collector/identity/inventory.test.ts     every way in which an entry can be wrong
//   collector/sources/ebpf.faults.test.ts    a kernel that refuses a program (an old one does), each missing capability, a broken object
//   collector/spool/spool.test.ts, collector/ship/insert.test.ts     failing disks, torn segments, rows that the store never takes
//   collector/live/hub.test.ts         a second collector on one socket
//   model/filter/parse.test.ts, model/time-range.test.ts, app/api/question.test.ts     every malformed filter, range, parameter
//   cli/observe/format.test.ts, collector/identity/visible-text.ts (identity.test.ts)  hidden characters, character by character
//   cli/policy-commands.test.ts        malformed policies
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { HealthSnapshot } from "../model/wire/health.ts";
import type { Environment } from "../store/config.ts";
import { flowRow, inHour, startTestStore, unhurried, type TestStore } from "../store/testing.ts";
import { somebodyElse, start, WEIR, weir, weirAfter, type Ended, type Running } from "./weir.ts";

const HOSTILE = "<script>alert(1)</script>";
const ANSI = "\u001b[2J\u001b]0;owned\u0007\u202Ereversed";

let store: TestStore;
let folder: string;
/** The shared store, for a reader. */
let reading: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-bad-input-"));
  await chmod(folder, 0o755); // nobody looks in, too
  store = await startTestStore();
  reading = { WEIR_DATA_DIR: store.dataDir, WEIR_STORE_PORT: new URL(store.process.url).port };
  await store.writer.insertRows(
    "flows",
    [
      flowRow({
        ts: inHour(60),
        opened: 1,
        src_workload: HOSTILE,
        dst_name: HOSTILE,
        process: ANSI,
        dst_endpoint: ANSI,
      }),
    ],
    unhurried,
  );
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A new directory below the test's own. */
async function place(name: string): Promise<string> {
  const path = join(folder, `${name}-${randomUUID().slice(0, 8)}`);
  await mkdir(path);
  return path;
}

/** Exit code 2, nothing on standard output, no stack, and a last line that matches; the lines before it are progress. */
function refusedWith({ code, stdout, stderr }: Ended, sentence: RegExp | string): void {
  const lines = stderr.trim().split("\n");
  expect(lines.at(-1)).toMatch(sentence);
  expect(stderr).not.toMatch(/\n\s+at |this is a bug|Error:/);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
}

describe("a wrong word on the command line is one sentence and exit code 2", () => {
  test.each<[string, readonly string[], Record<string, string>, RegExp]>([
    [
      "a filter",
      ["observe", "port:x"],
      {},
      /filter, character 1: “x” is no port; expected 0–65535 .*--help has examples/,
    ],
    ["a live filter", ["observe", "-f", "colour:red"], {}, /filter, character 1: .*colour/],
    [
      "a backwards range",
      ["observe", "--since", "now", "--until", "now-1h"],
      {},
      /the range is backwards: .*; choose another/,
    ],
    [
      "a backwards export",
      ["export", "flows", "--since", "now", "--until", "now-1h"],
      {},
      /the range is backwards: .*; choose/,
    ],
    ["a time", ["observe", "--since", "yesterdayish"], {}, /--since, --until: .*yesterdayish/],
    ["a number", ["observe", "--last", "many"], {}, /--last: “many” does not fit; expected a whole number from 1 to/],
    ["a format", ["observe", "--output", "xml"], {}, /--output: no format “xml”; expected compact, table, json/],
    [
      "an export",
      ["export", "everything"],
      {},
      /everything: there is no such export; expected flows, edges, tuples, dns/,
    ],
    ["a shell", ["completion", "csh"], {}, /shell: “csh” is not taken; expected bash, zsh, fish/],
    [
      "an app port",
      ["start", "--port", "seven"],
      {},
      /WEIR_PORT: "seven" cannot be used; expected a port number, 0–65535/,
    ],
    [
      "a store port",
      ["store"],
      { WEIR_STORE_PORT: "70000" },
      /WEIR_STORE_PORT: "70000" does not fit; expected a port number/,
    ],
    [
      "days",
      ["store"],
      { WEIR_KEEP_FLOWS_DAYS: "some" },
      /WEIR_KEEP_FLOWS_DAYS: "some" does not fit; expected whole days/,
    ],
    ["namespaces", ["collect", "--netns", "a b"], {}, /WEIR_NETNS: "a b" cannot be used; expected all, or names/],
    ["a URL", ["collect"], { WEIR_CLICKHOUSE_URL: "here" }, /WEIR_CLICKHOUSE_URL: "here" is not a URL; expected http:/],
    [
      "no such inventory",
      ["collect", "--inventory", "/no/such.yaml"],
      {},
      /WEIR_INVENTORY: there is no file \/no\/such.yaml; write/,
    ],
    ["no such sample", ["collect", "--replay", "/no/such.weir"], {}, /\/no\/such\.weir/],
  ])("%s", async (_what, args, env, sentence) => {
    refusedWith(await weir(args, { WEIR_DATA_DIR: await place("word"), ...env }), sentence);
  });

  test.each([
    ["command", ["obsrve"], "unknown command 'obsrve'"],
    ["option", ["observe", "--folow"], "unknown option '--folow'"],
  ])("an unknown %s is named, with where to look", async (_what, args, sentence) => {
    const ended = await weir(args);
    expect(ended.stderr).toContain(sentence);
    refusedWith(ended, /weir --help lists the commands, weir COMMAND --help their options/);
  });
});

describe("a port in use", () => {
  test("of the app or the store ends weir start before anything is made; the other program stays", async () => {
    await using other = await somebodyElse();
    const port = String(other.port);
    const dir = await place("ports");
    const env = { WEIR_DATA_DIR: join(dir, "data") };
    refusedWith(
      await weir(["start", "--port", port], env),
      `port ${port} on 127.0.0.1 is in use by another program; stop it, or choose another port: WEIR_PORT=`,
    );
    refusedWith(
      await weir(["start", "--port", "0"], { ...env, WEIR_STORE_PORT: port }),
      `port ${port} on 127.0.0.1 is in use by another program; stop it, or choose another port: WEIR_STORE_PORT=`,
    );
    expect(await readdir(dir)).toEqual([]);
    expect(await (await fetch(other.url)).text()).toContain("mine");
  });
});

test("Ctrl-C while the parts start ends them without a word of failure", async () => {
  const dir = await place("interrupted");
  await using starting = start(WEIR, ["start", "--no-collect", "--port", "0"], {
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: "0",
  });
  await starting.untilSays(/starting the store/);
  starting.child.kill("SIGINT");
  expect(await starting.ended).toEqual({ code: 130, stdout: "", stderr: "weir: starting the store\n" });
});

test("a recording that cannot be written ends the collector with a sentence, after it has written its rows", async () => {
  const dir = await place("recording");
  await using collecting = start(WEIR, ["collect", "--record", "/dev/full"], {
    WEIR_DATA_DIR: dir,
    WEIR_CLICKHOUSE_URL: "http://127.0.0.1:9",
    WEIR_METRICS_PORT: "off",
    WEIR_SOURCE: "ebpf",
    WEIR_LOG_LEVEL: "info",
  });
  await collecting.untilSays(/the collector runs/);
  await fetch("http://127.0.0.1:9").catch(() => "something to record");
  collecting.child.kill("SIGTERM");
  const { code, stderr } = await collecting.ended;
  expect(code).toBe(2);
  expect(stderr).toContain(
    "/dev/full: the recording cannot be written (EINVAL); record into a file on a disk with room",
  );
  expect((await readdir(join(dir, "spool"))).some((name) => name.endsWith(".seg"))).toBe(true);
});

describe("the store's address", () => {
  const asked = (url: string) => weir(["store"], { WEIR_CLICKHOUSE_URL: url });

  test("with nothing behind it, a wrong password or another server: each its own sentence", async () => {
    const other = await somebodyElse();
    refusedWith(
      await asked(other.url),
      "what answers there is not a ClickHouse server; expected its HTTP port, 8123 or 8443; check",
    );
    await other[Symbol.asyncDispose]();
    refusedWith(await asked(other.url), "nothing listens there; check WEIR_CLICKHOUSE_URL and that the server runs");
    const wrong = store.process.url.replace("//", "//writer:wrong@");
    refusedWith(
      await asked(wrong),
      'user "writer" or its password is wrong; check WEIR_CLICKHOUSE_USER and WEIR_CLICKHOUSE_PASSWORD',
    );
    refusedWith(
      await weir(["start", "--port", "0"], { WEIR_CLICKHOUSE_URL: wrong, WEIR_DATA_DIR: await place("url") }),
      /password is wrong/,
    );
  });

  test("a schema of a newer Weir is left alone, and what is in it stays", async () => {
    const token = (await readFile(join(store.dataDir, "run", "writer.token"), "utf8")).trim();
    const newer = {
      WEIR_CLICKHOUSE_URL: store.process.url.replace("//", `//writer:${token}@`),
      WEIR_DATA_DIR: await place("newer"),
    };
    const flows = () =>
      store.reader.rows(
        { sql: "SELECT count() AS n FROM flows", row: z.object({ n: z.coerce.number() }) },
        {},
        unhurried,
      );
    expect((await weir(["store", "migrate"], newer)).stdout).toMatch(/^schema version \d+\n$/);
    const before = await flows();
    await store.writer.command(
      "INSERT INTO weir.schema_migrations (version, name, hash) VALUES (9999, 'future', 'f')",
      unhurried,
    );
    try {
      const sentence =
        /schema is of a newer Weir \(it has migration 9999, future; this version knows up to \d+\); update Weir/;
      refusedWith(await weir(["store", "migrate"], newer), sentence);
      refusedWith(await weir(["start", "--port", "0"], newer), sentence);
      expect(await flows()).toEqual(before);
    } finally {
      await store.writer.command(
        "ALTER TABLE weir.schema_migrations DELETE WHERE version = 9999 SETTINGS mutations_sync = 1",
        unhurried,
      );
    }
  });
});

describe("the machine", () => {
  const missing = { WEIR_SOURCE: "ebpf", WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1" };
  const doctor = async (ended: Promise<Ended>): Promise<string> => {
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^ok +Node/m);
    return stdout;
  };

  test("without type information (an old kernel, or one built without BTF)", async () => {
    const env = { ...missing, WEIR_DATA_DIR: await place("btf") };
    const hide = "mount -t tmpfs none /sys/kernel/btf";
    refusedWith(
      await weirAfter(hide, ["collect"], env),
      /no type information \(BTF\).*; expected a kernel of 5\.10 or newer/,
    );
    expect(await doctor(weirAfter(hide, ["doctor"], { WEIR_DATA_DIR: env.WEIR_DATA_DIR }))).toMatch(
      /^bad +kernel +no BTF .*\n +use a kernel with CONFIG_DEBUG_INFO_BTF/m,
    );
  });

  test("without libbpf", async () => {
    const env = { ...missing, WEIR_DATA_DIR: await place("libbpf") };
    const listed = execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
    const library = await realpath(/libbpf\.so\.1 .*=> (\S+)/.exec(listed)![1]!);
    const hide = `mount --bind /dev/null ${library}`;
    refusedWith(
      await weirAfter(hide, ["collect"], env),
      /libbpf\.so\.1.* is not installed; install it: apt-get install libbpf1/,
    );
    expect(await doctor(weirAfter(hide, ["doctor"], { WEIR_DATA_DIR: env.WEIR_DATA_DIR }))).toMatch(
      /^bad +kernel .*libbpf.*\n +install it: apt-get install libbpf1/m,
    );
  });

  test("with a read-only disk: nothing is written to what is there", async () => {
    const dir = await place("read-only");
    await cp(join(import.meta.dirname, "../collector/spool/testdata/segment-v1.bin"), join(dir, "spool", "kept.seg"));
    const before = (await readdir(dir, { recursive: true })).toSorted();
    const freeze = `mount --bind ${dir} ${dir}; mount -o remount,ro,bind ${dir}`;
    const env = { WEIR_DATA_DIR: dir, WEIR_STORE_PORT: "0" };
    const sentence =
      "the data directory is on a read-only disk; make it writable, or choose another with WEIR_DATA_DIR";
    refusedWith(await weirAfter(freeze, ["store", "serve"], env), sentence);
    refusedWith(await weirAfter(freeze, ["collect"], { ...env, WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1" }), sentence);
    refusedWith(await weirAfter(freeze, ["start", "--port", "0"], env), sentence);
    expect(await doctor(weirAfter(freeze, ["doctor"], env))).toMatch(
      /^bad +data directory .*read-only\n +choose another/m,
    );
    expect((await readdir(dir, { recursive: true })).toSorted()).toEqual(before);
  });

  test("without rights: doctor says what is missing, the sample plays, and who insists is refused", async () => {
    const dir = await place("nobody");
    await chmod(dir, 0o777);
    const env = { WEIR_DATA_DIR: dir, WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1", HOME: dir };
    const asNobody = (args: readonly string[], more: Environment = {}): Running =>
      start("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", WEIR, ...args], { ...env, ...more });
    const lacks = /it lacks CAP_BPF.*CAP_NET_ADMIN/;
    expect((await asNobody(["doctor"]).ended).stdout).toMatch(/^bad +kernel .*it lacks CAP_BPF.*\n +run it as root/m);
    refusedWith(await asNobody(["collect"], { WEIR_SOURCE: "ebpf" }).ended, lacks);
    await using collector = asNobody(["collect"]);
    await collector.untilSays(/the collector runs/);
    expect(collector.said()).toMatch(/it lacks CAP_BPF.*run it as root.*; the recorded sample plays instead/);
    expect(await health(dir)).toMatchObject({ source: "replay", sourceNote: expect.stringMatching(lacks) });
    collector.child.kill("SIGTERM");
    expect((await collector.ended).code).toBe(0);
  });
});

describe("a running collector", () => {
  test("keeps its data directory: a second one is refused with the first one's number, and the first goes on", async () => {
    const env = {
      WEIR_DATA_DIR: await place("held"),
      WEIR_SOURCE: "replay",
      WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1",
    };
    await using first = start(WEIR, ["collect"], env);
    await first.untilSays(/the collector runs/);
    const sentence = `the data directory is held by process ${first.child.pid} (`;
    const second = await weir(["collect"], env);
    expect(second.stderr).toContain(sentence);
    refusedWith(second, /which is its collector; stop it, or choose another directory with WEIR_DATA_DIR/);
    expect(await health(env.WEIR_DATA_DIR)).toMatchObject({ source: "replay" });
  });

  test("says file, line and column of a bad inventory, at the start and later, and keeps the last good one", async () => {
    const dir = await place("inventory");
    const file = join(dir, "names.yaml");
    const good = "entries:\n  - { address: 10.1.0.1, namespace: shop, workload: web }\n";
    const overlapping = `${good}  - { address: 10.1.0.1, namespace: shop, workload: cart }\n`;
    // A sample brings its own names; the kernel it is, with nothing of it to look at.
    const env = { WEIR_DATA_DIR: dir, WEIR_SOURCE: "ebpf", WEIR_NETNS: "1", WEIR_CLICKHOUSE_URL: "http://127.0.0.1:1" };
    await writeFile(file, "entries:\n  - { adress: 10.1.0.1, workload: web }\n");
    await using collector = start(WEIR, ["collect", "--inventory", file], env);
    await collector.untilSays(/names\.yaml:2:\d+.*adress[^\n]*the inventory cannot be used/);
    await collector.untilSays(/the collector runs/);
    await writeFile(file, good);
    await untilInventory(dir, /^1 entries of .*names\.yaml$/);
    await writeFile(file, overlapping);
    await untilInventory(dir, /names\.yaml:3:\d+/);
    expect(collector.said()).toMatch(/names\.yaml:3:\d+[^\n]*the last good one stays/);
    await writeFile(file, good);
    await untilInventory(dir, /^1 entries of /);
  });

  async function untilInventory(dir: string, pattern: RegExp): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const { inventory } = (await health(dir)).identities;
      if (pattern.test(inventory)) return;
      if (Date.now() > deadline) throw new Error(`not within 30 s: ${String(pattern)}; it says ${inventory}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

describe("names of strangers", () => {
  test("reach a terminal without control or direction characters, in every format", async () => {
    for (const format of ["compact", "table", "json"]) {
      const { code, stdout, stderr } = await weir(["observe", "--since", "now-3h", "-o", format], reading);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      // oxlint-disable-next-line no-control-regex -- the characters that must not come through
      expect(stdout, format).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/u);
      expect(stdout, format).toContain(HOSTILE);
    }
  });

  test("come from the app's routes as JSON, never as a page, and read back as they were", async () => {
    const answer = await ask("flows?from=now-3h");
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(await answer.clone().json()).toMatchObject({
      flows: [{ process: ANSI, source: { workload: HOSTILE }, destination: { endpoint: ANSI, name: HOSTILE } }],
    });
    // oxlint-disable-next-line no-control-regex -- the characters that must not come through
    expect(await answer.text()).not.toMatch(/[\u0000-\u001f]/u);
  });
});

describe("a wrong question to the app is a 400 with a sentence", () => {
  test.each([
    ["flows?q=port:x", { code: "bad-filter", where: "filter, character 1", next: "mend or remove that term" }],
    ["flows?from=now&to=now-1h", { code: "bad-range", message: expect.stringContaining("the range is backwards") }],
    ["flows?from=never", { code: "bad-range" }],
    ["flows?limit=-1", { code: "bad-question", where: "limit" }],
    ["map?q=%22", { code: "bad-filter" }],
    ["map?from=now&to=now-1h", { code: "bad-range" }],
    ["drops?q=verdict:maybe", { code: "bad-filter" }],
    ["drops?from=now&to=now-1h", { code: "bad-range" }],
  ])("%s", async (question, error) => {
    const answer = await ask(question);
    expect(await answer.json()).toMatchObject({ error });
    expect(answer.status).toBe(400);
  });
});

/** What a route of the app answers from the shared store. */
async function ask(question: string): Promise<Response> {
  Object.assign(process.env, reading); // read when a route first asks the store
  const name = question.split("?")[0]!;
  const { GET } = (await import(`../app/api/${name}/route.ts`)) as { GET: (request: Request) => Promise<Response> };
  return GET(new Request(`http://127.0.0.1/api/${question}`));
}

/** The account that a running collector gives of itself. */
function health(dataDir: string): Promise<HealthSnapshot> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(dataDir, "run", "collector.sock"), path: "/health" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        try {
          resolve(HealthSnapshot.parse(JSON.parse(text)));
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}
