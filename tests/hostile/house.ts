/** What hostile inputs are thrown at: the real store process with rows of hostile names, the collector's real live hub, the real app. All on loopback. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Identities } from "../../collector/identity/identities.ts";
import { LiveHub } from "../../collector/live/hub.ts";
import { flowRows, Kind, Outcome, type FlowRows } from "../../collector/rows/flow-rows.ts";
import { Strings } from "../../collector/rows/strings.ts";
import { flowRow, inHour, startTestStore, unhurried, type TestStore } from "../../store/testing.ts";
import { start, WEIR, type Running } from "../weir.ts";
import { EVIL } from "./names.ts";

export interface House extends AsyncDisposable {
  readonly store: TestStore;
  readonly storePort: number;
  readonly hub: LiveHub;
  readonly hubSocket: string;
  readonly app: Running;
  readonly appPort: number;
  /** Environment of a command that reads this store. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder for the files of inputs. */
  readonly folder: string;
  /** Resident memory of the app, bytes. */
  appMemory(): number;
  /** Rejects when one of the three does not answer an honest question. */
  answersHonestly(): Promise<void>;
}

/** Starts all of it; the app builds its pages first where they are stale. */
export async function openHouse(): Promise<House> {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "weir-hostile-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const store = stack.use(await startTestStore());
  await store.writer.insertRows("flows", hostileRows(), unhurried);
  await mkdir(join(folder, "run"));
  const hubSocket = join(folder, "run", "collector.sock");
  const hub = new LiveHub(
    hubSocket,
    {
      reporter: { node: "n", boot: "00000000-0000-0000-0000-000000000001", generation: 1 },
      identities: new Identities(),
      strings: new Strings(),
    },
    { health: () => ({}), metrics: async () => ({ type: "text/plain", text: "" }), ready: async () => [] },
  );
  await hub.start();
  stack.use(hub);
  const storePort = Number(new URL(store.process.url).port);
  const env = {
    WEIR_DATA_DIR: store.dataDir,
    WEIR_STORE_PORT: String(storePort),
    WEIR_COLLECTOR_SOCKET: hubSocket,
    WEIR_CLICKHOUSE_URL: "",
  };
  const app = stack.use(start(WEIR, ["serve", "--port", "0"], { ...env, WEIR_PORT: "0" }));
  await app.untilSays(/the screens are at http:\/\/127\.0\.0\.1:\d+/);
  const appPort = Number(/the screens are at http:\/\/127\.0\.0\.1:(\d+)/.exec(app.said())![1]);
  const owned = stack.move();
  return {
    store,
    storePort,
    hub,
    hubSocket,
    app,
    appPort,
    env,
    folder,
    appMemory: () => residentBytes(app.child.pid!),
    async answersHonestly() {
      // A machine that is busy with other things may need a moment; a server that is down does not come back.
      const deadline = Date.now() + 60_000;
      for (;;) {
        try {
          return await ask();
        } catch (trouble) {
          if (Date.now() > deadline) throw trouble;
        }
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };

  /** Rejects when one of the three does not answer with 200. */
  async function ask(): Promise<void> {
    const [page, storeSays, hubSays] = await Promise.all([
      statusOf({ host: "127.0.0.1", port: appPort, path: "/api/flows?limit=1&from=now-3h" }),
      statusOf({ host: "127.0.0.1", port: storePort, path: "/?query=SELECT%201" }),
      statusOf({ socketPath: hubSocket, path: "/health" }),
    ]);
    if (page !== 200) throw new Error(`the app answers an honest question with ${page}: ${app.said().slice(-600)}`);
    if (storeSays !== 200) throw new Error(`the store answers an honest question with ${storeSays}`);
    if (hubSays !== 200) throw new Error(`the collector answers an honest question with ${hubSays}`);
  }
}

/** Flows whose every name is one of EVIL, in turn. */
function hostileRows(): Record<string, unknown>[] {
  return EVIL.map((name, i) =>
    flowRow({
      ts: inHour(60 + i),
      opened: 1,
      src_ns: name,
      src_workload: name,
      src_endpoint: name,
      src_name: name,
      dst_ns: name,
      dst_workload: name,
      dst_endpoint: name,
      dst_name: name,
      process: name,
      service: name,
      location: name,
      node: `node-${i}`,
    }),
  );
}

/** Rows of opened connections to `ports`, for the hub to publish. */
export function rowsTo(...ports: readonly number[]): FlowRows {
  const rows = flowRows(ports.length);
  rows.length = ports.length;
  ports.forEach((port, row) => {
    rows.kind[row] = Kind.open;
    rows.verdict[row] = Outcome.allowed;
    rows.protocol[row] = 6;
    rows.destinationPort[row] = port;
    rows.seq[row] = row;
  });
  return rows;
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
}

/** Status of a GET on a connection of its own; 0 when there is no answer. */
function statusOf(target: { host?: string; port?: number; socketPath?: string; path: string }): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ ...target, agent: false, timeout: 20_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", () => resolve(0));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

/** Waits until `holds`; rejects with `what` after 60 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
