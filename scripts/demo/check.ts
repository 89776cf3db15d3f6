import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { storeConfig } from "../../store/config.ts";
import { startStoreProcess } from "../../store/embedded/spawn.ts";
import { openReader } from "../../store/reader.ts";
import { compare, type Comparison } from "./compare.ts";
import { askStore } from "./questions.ts";
import { makeWorld } from "./world.ts";

export interface CheckSettings {
  readonly seed: number;
  readonly seconds: number;
  readonly runId: string;
  /** Folder of the state files, shared by all worlds of this user: a check cleans up after one that was killed. */
  readonly stateDir: string;
  /** Starts a collector with these settings and resolves when it observes. */
  readonly startCollector: (env: Readonly<Record<string, string>>) => Promise<CollectorProcess>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface CollectorProcess {
  /** Resolves when the store has what was seen until now. Throws WeirError when that takes too long. */
  caughtUp(): Promise<void>;
  /** Ends the collector after it has written down all that it has; resolves when it has ended. */
  stop(): Promise<void>;
}

/** After the last connection has ended: a SYN that waits for a silent neighbour dies 3 s later, and what the kernel holds back (a drop's count, a conversation's last delta) comes soon after. */
const LAST_EVENTS_MS = 3600;

/**
 * Makes a world in a store of its own, lets it run for `seconds`, and compares. The collector is there before the first packet
 * and leaves after the last, so nothing is excused but what the books call lost.
 */
export async function checkWorld(settings: CheckSettings): Promise<Comparison> {
  const { seed, seconds, runId, signal, say } = settings;
  const folder = mkdtempSync(join(tmpdir(), "weir-check-"));
  try {
    mkdirSync(join(folder, "world"));
    await using world = await makeWorld({
      seed,
      runId,
      dataDir: join(folder, "world"),
      stateDir: settings.stateDir,
      scratch: folder,
      short: true,
    });
    for (const name of world.cleaned) say(`removed what an earlier demo "${name}" had left`);
    say(`made the world "${runId}" of seed ${seed}`);
    const env = {
      WEIR_DATA_DIR: folder,
      WEIR_STORE_PORT: "0",
      WEIR_CLICKHOUSE_URL: "",
      WEIR_CLICKHOUSE_USER: "",
      WEIR_CLICKHOUSE_PASSWORD: "",
    };
    await using store = await startStoreProcess(env);
    const storeEnv = { ...env, WEIR_STORE_PORT: new URL(store.url).port };
    const collector = await settings.startCollector({
      ...storeEnv,
      WEIR_INVENTORY: world.inventoryFile,
      WEIR_NETNS: world.observedInodes,
      WEIR_NODE: "check",
      WEIR_SOURCE: "ebpf",
    });
    try {
      say(`observing ${world.observed.length} network namespaces for ${seconds} s`);
      world.start();
      await Promise.race([delay(seconds * 1000, undefined, { signal }), world.broken]);
      await world.settle(seconds);
      await delay(LAST_EVENTS_MS, undefined, { signal });
      await collector.caughtUp(); // on a busy machine the spool is behind, and a collector that ends keeps what it could not send
    } finally {
      await collector.stop();
    }
    const ledger = await world.ledger();
    await using reader = openReader(storeConfig({ ...process.env, ...storeEnv }));
    return compare(ledger, await askStore(reader, signal));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
