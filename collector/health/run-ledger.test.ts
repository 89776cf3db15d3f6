/** A collector that is killed under load: what the kernel had counted until then is booked to the event by the next start. Needs root. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CRASH_MARK, UNSEEN } from "../../model/book-types.ts";
import { madeAtPin } from "../kernel/pins.ts";
import { listSegments } from "../spool/files.ts";
import { leftLedgers, type LedgerState } from "../spool/ledger.ts";
import { scanSegment } from "../spool/segment.ts";
import { testNamespaces, until } from "../testing.ts";
import { NOTHING_COUNTED } from "../sources/source.ts";
import { RunLedger } from "./run-ledger.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const LOAD = `
const net = require("node:net");
const server = net.createServer((socket) => socket.on("data", () => socket.end("x")).on("error", () => {}));
server.listen(8080, "127.0.0.1", () => {
  const one = () => net.connect(8080, "127.0.0.1").on("connect", function () { this.write("hello"); }).on("error", () => {}).resume().on("close", () => setImmediate(one));
  for (let i = 0; i < 8; i++) one();
});
`;

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-ledger-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A collector whose store is away: all that it books stays in the spool. */
function collector(): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "collect"], {
    env: {
      ...process.env,
      WEIR_DATA_DIR: dir,
      WEIR_CLICKHOUSE_URL: "http://127.0.0.1:9",
      WEIR_NODE: "n1",
      WEIR_SOURCE: "ebpf",
      WEIR_METRICS_PORT: "off",
      WEIR_LOG_LEVEL: "fatal",
      WEIR_NETNS: `weirc${process.pid}*`,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Events by type in the books of `generation` that lie in the spool; with CRASH_MARK apart. */
async function booked(generation: number): Promise<{ normal: Map<string, number>; crash: Map<string, number> }> {
  const normal = new Map<string, number>();
  const crash = new Map<string, number>();
  for (const { name, path } of await listSegments(join(dir, "spool"))) {
    if (name.generation !== generation) continue;
    for (const line of scanSegment(await readFile(path), name.upTo).frames.flatMap((frame) => frame.books)) {
      expect(line.produced).toBe(line.stored + line.lost + line.shed + line.quarantined + line.filtered);
      const to = line.type.endsWith(CRASH_MARK) ? crash : normal;
      const type = line.type.replace(CRASH_MARK, "");
      to.set(type, (to.get(type) ?? 0) + line.produced);
    }
  }
  return { normal, crash };
}

const ended = (child: ChildProcess): Promise<void> =>
  until("the collector has ended", () => child.exitCode !== null || child.signalCode !== null, 30_000);
const ledger = (): LedgerState | undefined => leftLedgers(dir)[0]?.state;

test("a killed collector's unwritten events are counted to the event, once, and nothing pinned is left after the next clean end", async () => {
  using world = testNamespaces("load");
  const first = collector();
  await until("the collector keeps a ledger", () => ledger()?.pin !== undefined && ledger()?.pin !== "");
  world.run("load", LOAD);
  await until("a thousand openings are booked", () => (ledger()?.booked["open"] ?? 0) > 1000);
  first.kill("SIGKILL");
  await ended(first);
  const state = ledger()!;
  const made = madeAtPin(state.pin)!;
  expect(made["open"]).toBeGreaterThan(1000);
  expect(made["open"]).toBeGreaterThanOrEqual(state.made["open"]!);

  let generation = state.generation;
  for (const end of ["SIGKILL", "SIGTERM"] as const) {
    const next = collector();
    generation += 1;
    await until("the next collector observes", () => {
      const newest = leftLedgers(dir).at(-1)?.state;
      return newest?.generation === generation && newest.made["open"] !== undefined;
    });
    next.kill(end);
    await ended(next);
    const { normal, crash } = await booked(state.generation);
    const counted = Object.keys({ ...made, ...state.readOut }).map((type) => [
      type,
      (normal.get(type) ?? 0) + (crash.get(type) ?? 0),
    ]);
    expect(Object.fromEntries(counted)).toEqual(
      Object.fromEntries(counted.map(([type]) => [type, (made[type!] ?? 0) + (state.readOut[type!] ?? 0)])),
    );
    expect([...crash.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
  }
  expect(leftLedgers(dir)).toEqual([]);
  expect(existsSync(state.pin)).toBe(false);
  const pins = existsSync(dirname(state.pin)) ? readdirSync(dirname(state.pin)) : [];
  expect(pins.filter((name) => name.startsWith(basename(state.pin).split("~")[0]!))).toEqual([]);
  expect((await readdir(join(dir, "spool"))).filter((name) => name.includes("99999999"))).toHaveLength(2); // one a killed run
}, 90_000);

test("packets that went by while no program ran are in a killed run's books, too", async () => {
  const spool = join(dir, "spool");
  const run = { node: "n1", boot: "b", generation: 1 };
  await mkdir(spool);
  const { ledger: first } = await RunLedger.open(dir, spool, run, [], () => {});
  first.note({ ...NOTHING_COUNTED, unseenPackets: 3 }, Date.now());
  first.durable("books-record", 1, 1, [
    { minute: 0, type: UNSEEN, produced: 2, stored: 0, lost: 2, shed: 0, quarantined: 0, filtered: 0 },
  ]);
  const { runs } = await RunLedger.settle(dir, spool, "another boot", []);
  expect(runs).toMatchObject([{ generation: 1, lost: 1 }]);
});
