import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemCode, WeirError } from "../model/errors.ts";
import { storeConfig } from "../store/config.ts";
import { handOver } from "./rights/hand-over.ts";
import { canReach, ordinaryUser } from "./rights/ordinary-user.ts";
import { keepLog } from "./keep-log.ts";
import { appAddress } from "./settings.ts";
import { migrateStore } from "./store-migrate.ts";
import { Supervisor, type Part, type Report } from "./supervise.ts";

/** What `weir start` runs besides the store and the app. */
export interface StartOptions {
  readonly env: NodeJS.ProcessEnv;
  /** False: history only, nothing is observed. */
  readonly collect: boolean;
  readonly verbose: boolean;
}

/** The running parts: where to look, and how to end them. */
export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts store, collector and app, each a process of its own, and resolves when the app answers. Throws WeirError with the
 * failing part's own sentence; what had started is stopped again.
 */
export async function startAll({ env: given, collect, verbose }: StartOptions, signal: AbortSignal): Promise<Started> {
  const store = storeConfig(given);
  const env: NodeJS.ProcessEnv = { ...given, WEIR_DATA_DIR: store.dataDir }; // an ordinary user's own default is another directory
  const app = appAddress(env);
  await portIsFree(app.port, app.host, "WEIR_PORT");
  if (store.embedded) await portIsFree(store.storePort, "127.0.0.1", "WEIR_STORE_PORT");
  const supervisor = new Supervisor(await keepLog(store.dataDir, partReport(verbose)));
  const socket = env["WEIR_COLLECTOR_SOCKET"] ?? join(store.dataDir, "run", "collector.sock");
  const say = (text: string): boolean => process.stderr.write(`weir: ${text}\n`);
  const as = partsUser(env, store.dataDir, say);
  try {
    if (as !== undefined) await buildPages(say, signal);
    if (store.embedded) {
      say("starting the store");
      await supervisor.start({ ...storePart(env, store.storePort), ...as }, signal);
    }
    if (!store.embedded) {
      say(`bringing the schema at ${store.url} up to date`);
      await migrateStore(env);
    }
    if (collect) {
      say("starting the collector");
      await supervisor.start(collectorPart(env, socket), signal);
    }
    say("starting the app");
    await supervisor.start({ ...appPart(env, app.port, app.host), ...as }, signal);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  const host = app.host.includes(":") ? `[${app.host}]` : app.host;
  return { url: `http://${host}:${app.port}`, stop: () => supervisor.stop() };
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Whom store and app run as, when root starts them; the data directory is given to him first. Where he cannot look into the package
 * (below /root, say), they keep one right, that of reading files, and that is said.
 */
function partsUser(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  say: (text: string) => boolean,
): Required<Pick<Part, "as">> | undefined {
  const user = ordinaryUser(env, dataDir);
  if (user === undefined) return undefined;
  handOver(dataDir, user);
  const needed = [join(ROOT, "cli"), join(ROOT, "node_modules"), process.execPath, dataDir];
  const readsAll = !canReach(user, needed);
  if (readsAll)
    say(
      `user ${user.uid} cannot look into ${ROOT}, so store and app keep the right to read every file (CAP_DAC_READ_SEARCH); move it to a place that all can read`,
    );
  return { as: { ...user, readsAll } };
}

/** Root builds the pages where they are stale: the app, as an ordinary user, could not write them. Throws WeirError `build-failed`. */
async function buildPages(say: (text: string) => boolean, signal: AbortSignal): Promise<void> {
  const { buildIfStale } = await import("./serve.ts");
  await buildIfStale(say);
  signal.throwIfAborted();
}

function storePart(env: NodeJS.ProcessEnv, port: number): Part {
  return {
    name: "store",
    args: ["store", "serve"],
    env,
    readyWithinMs: 60_000,
    // It answers /ping before its schema is there.
    ready: (signal) => answers({ host: "127.0.0.1", port, path: "/readyz" }, signal),
  };
}

/** Shows what parts say: every line, or only those that tell of trouble. */
export function partReport(verbose: boolean): Report {
  return (line) => {
    if (verbose || /\b(error|ended|refused|warn|fail)/i.test(line)) process.stderr.write(`${line}\n`);
  };
}

/** The collector, listening on `socketPath`. */
export function collectorPart(env: NodeJS.ProcessEnv, socketPath: string): Part {
  return {
    name: "collector",
    args: ["collect"],
    env: { ...env, WEIR_COLLECTOR_SOCKET: socketPath },
    readyWithinMs: 60_000,
    ready: (signal) => answers({ socketPath, path: "/health" }, signal),
  };
}

function appPart(env: NodeJS.ProcessEnv, port: number, host: string): Part {
  const reach = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return {
    name: "app",
    args: ["serve"],
    env,
    // The first start builds the pages; on two cores that takes half a minute.
    readyWithinMs: 300_000,
    ready: (signal) => answers({ host: reach, port, path: "/api/status" }, signal),
  };
}

/** True when a GET is answered with a status below 500. */
function answers(
  target: { host?: string; port?: number; socketPath?: string; path: string },
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ ...target, method: "GET", timeout: 5_000, signal }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 500);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

/** Rejects with a sentence when somebody listens on the port already. Port 0 is always free. */
async function portIsFree(port: number, host: string, setting: string): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen({ port, host, exclusive: true }, resolve);
    });
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "EADDRINUSE") {
      throw new WeirError({
        code: "port-in-use",
        what: `port ${port} on ${host} is in use by another program`,
        next: `stop it, or choose another port: ${setting}=${port + 10} npm start`,
        cause,
      });
    }
    throw new WeirError({
      code: "cannot-listen",
      what: `cannot listen on ${host}:${port} (${code ?? String(cause)})`,
      next: `choose another with ${setting}`,
      cause,
    });
  } finally {
    await new Promise<void>((resolve) => probe.close(() => resolve()));
  }
}
