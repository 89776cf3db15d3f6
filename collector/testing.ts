/** Real parts for the collector's tests: a store process of its own, network namespaces with a name that nobody else has, conditions to wait for. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { storeConfig, type Environment } from "../store/config.ts";
import { startStoreProcess, type StoreProcess } from "../store/embedded/spawn.ts";
import { openLog } from "../store/log.ts";
import { openReader, type StoreReader } from "../store/reader.ts";
import { Agent } from "./agent.ts";
import { collectorConfig } from "./config.ts";
import { chooseSource } from "./sources/choose.ts";

/** A data directory with a running store. */
export interface TestStore extends AsyncDisposable {
  readonly dir: string;
  readonly env: Environment;
  readonly reader: StoreReader;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Kills the store process as the kernel would, and starts it again on the same port. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
}

export async function testStore(extra: Environment = {}): Promise<TestStore> {
  const dir = await mkdtemp(join(tmpdir(), "weir-collector-"));
  let store: StoreProcess = await startStoreProcess({ ...extra, WEIR_DATA_DIR: dir, WEIR_STORE_PORT: "0" });
  const env = {
    ...process.env,
    ...extra,
    WEIR_DATA_DIR: dir,
    WEIR_STORE_PORT: new URL(store.url).port,
    WEIR_LOG_LEVEL: "fatal",
    WEIR_METRICS_PORT: "off",
  };
  const reader = openReader(storeConfig(env));
  return {
    dir,
    env,
    reader,
    rows: (sql) => reader.rows({ sql, row: z.record(z.string(), z.unknown()) }, {}, AbortSignal.timeout(20_000)),
    async restart(whileAway) {
      process.kill(store.pid, "SIGKILL");
      await store.ended;
      await whileAway?.();
      store = await startStoreProcess(env);
    },
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await store.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A running collector on `env`. */
export async function testAgent(env: Environment): Promise<Agent> {
  const config = collectorConfig(env);
  const agent = new Agent({
    config,
    env,
    log: openLog("collector", { WEIR_LOG_LEVEL: "fatal", ...env }),
    version: "test",
    choose: (sink) => chooseSource(config, sink, () => undefined),
  });
  await agent.start();
  return agent;
}

/** Resolves when `condition` holds; throws with `what` when it does not within the deadline. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const ip = (...args: string[]): string =>
  execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** `ip` inside a network namespace. By nsenter: `ip -n` remounts the root, which fails in a chroot whose root is no mount point. */
export const ipIn = (netns: string, ...args: string[]): string =>
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "ip", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Namespaces `NAME` → its full name, made with loopback up; removed on disposal with all that runs in them. */
export function testNamespaces(
  ...names: string[]
): Disposable & { readonly of: Readonly<Record<string, string>>; run(name: string, script: string): ChildProcess } {
  const of: Record<string, string> = {};
  const children: ChildProcess[] = [];
  for (const name of names) {
    of[name] = `weirc${process.pid}${name}`;
    ip("netns", "add", of[name]);
    ipIn(of[name], "link", "set", "lo", "up");
  }
  return {
    of,
    run(name, script) {
      const child = spawn("nsenter", [`--net=/run/netns/${of[name]!}`, process.execPath, "-e", script], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      return child;
    },
    [Symbol.dispose]() {
      for (const child of children) child.kill("SIGKILL");
      for (const name of Object.values(of)) ip("netns", "del", name);
    },
  };
}

/** A veth between two namespaces with one IPv4 and one IPv6 address each. */
export function connectNamespaces(
  a: string,
  deviceA: string,
  addressesA: readonly string[],
  b: string,
  deviceB: string,
  addressesB: readonly string[],
): void {
  ipIn(a, "link", "add", deviceA, "type", "veth", "peer", "name", deviceB, "netns", b);
  for (const [netns, device, addresses] of [
    [a, deviceA, addressesA],
    [b, deviceB, addressesB],
  ] as const) {
    for (const address of addresses)
      ipIn(netns, "addr", "add", address, "dev", device, ...(address.includes(":") ? ["nodad"] : []));
    ipIn(netns, "link", "set", device, "up");
  }
}
