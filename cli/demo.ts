import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { WeirError } from "../model/errors.ts";
import { HealthSnapshot } from "../model/wire/health.ts";
import { checkWorld, type CollectorProcess } from "../scripts/demo/check.ts";
import { checkMachine } from "../scripts/demo/commands.ts";
import { allReplicas } from "../scripts/demo/network.ts";
import { formatComparison } from "../scripts/demo/table.ts";
import { runDemo } from "../scripts/demo/world.ts";
import { dataDirectory } from "../store/config.ts";
import { makeDirectory } from "../store/directory.ts";
import { asStoreError } from "../store/embedded/lock.ts";
import { collectorPart, partReport, startAll } from "./start.ts";
import { Supervisor } from "./supervise.ts";
import { fired } from "./until-signal.ts";

export interface ShowOptions {
  readonly seed: number;
  /** Names the world; two worlds of different names do not disturb each other. */
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly verbose: boolean;
}

export interface CheckOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly verbose: boolean;
}

/**
 * Makes the world, watches it in a data directory of its own (`DATA_DIR/demo`), prints the URL, and takes everything down again
 * when `signal` fires. Where namespaces cannot be made, the recording of such a world plays instead, and that is said.
 * Throws WeirError when a tool is missing or a part does not start.
 */
export async function showDemo({ seed, id, env, verbose }: ShowOptions, signal: AbortSignal): Promise<void> {
  const home = dataDirectory(env);
  const folder = join(home, "demo");
  await usable(folder);
  const shown = { ...env, WEIR_DATA_DIR: folder };
  try {
    checkMachine();
  } catch (error) {
    if (!(error instanceof WeirError) || error.code === "demo-tool-missing") throw error;
    process.stderr.write(`weir: ${error.what}; a recording of the demo world plays instead\n`);
    return await show(
      { ...shown, WEIR_SOURCE: "replay" },
      "A recording of the demo world, its times moved to now.",
      verbose,
      signal,
    );
  }
  await using world = await runDemo({ seed, runId: id, dataDir: folder, stateDir: join(home, "run") });
  for (const name of world.cleaned) process.stderr.write(`weir: removed what an earlier demo "${name}" had left\n`);
  const live = {
    ...shown,
    WEIR_SOURCE: "ebpf",
    WEIR_INVENTORY: world.inventoryFile,
    WEIR_NETNS: world.observedInodes,
  };
  const programs = allReplicas().length;
  await show(
    live,
    `The demo world "shop", seed ${seed}: ${programs} programs in network namespaces of their own.`,
    verbose,
    signal,
    world.broken,
  );
}

async function show(
  env: NodeJS.ProcessEnv,
  what: string,
  verbose: boolean,
  signal: AbortSignal,
  broken?: Promise<never>,
): Promise<void> {
  const started = await startAll({ env, collect: true, verbose }, signal);
  try {
    process.stdout.write(`\n  ${started.url}\n\n  ${what}\n  Ctrl-C ends it and leaves nothing running.\n`);
    await Promise.race([fired(signal), ...(broken === undefined ? [] : [broken])]);
  } finally {
    await started.stop();
  }
}

/** Makes a directory of the world's. Throws StoreError where none can be made. */
async function usable(folder: string): Promise<void> {
  try {
    await makeDirectory(folder);
  } catch (thrown) {
    throw asStoreError(thrown, folder);
  }
}

/** Runs the check and prints its table. True when all that differs is counted as lost. */
export async function checkDemo(
  { seed, seconds, id, env, verbose }: CheckOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const say = (line: string): boolean => process.stderr.write(`weir: ${line}\n`);
  await usable(join(dataDirectory(env), "run"));
  const comparison = await checkWorld({
    seed,
    seconds,
    runId: id,
    stateDir: join(dataDirectory(env), "run"),
    startCollector: (settings) => startCollector({ ...env, ...settings }, verbose, signal),
    say,
    signal,
  });
  process.stdout.write(`${formatComparison(comparison)}\n`);
  return comparison.agrees;
}

/** A whole number of an option, or WeirError. */
export function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new WeirError({
      code: "bad-option",
      where: option,
      what: `"${text}" does not fit`,
      expected: `a whole number from ${least} to ${most}`,
    });
  }
  return value;
}

async function startCollector(
  env: NodeJS.ProcessEnv,
  verbose: boolean,
  signal: AbortSignal,
): Promise<CollectorProcess> {
  const supervisor = new Supervisor(partReport(verbose));
  const socketPath = join(env["WEIR_DATA_DIR"]!, "run", "collector.sock");
  const part = collectorPart(env, socketPath);
  try {
    await supervisor.start(part, signal);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  return { stop: () => supervisor.stop(), caughtUp: () => untilCaughtUp(socketPath, signal) };
}

/** Longest wait for the store to take what the spool holds. */
const CAUGHT_UP_WITHIN_MS = 120_000;
/** A segment younger than this is only on its way: the spool seals one a second. */
const ON_ITS_WAY_MS = 3000;

async function untilCaughtUp(socketPath: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + CAUGHT_UP_WITHIN_MS;
  for (let calm = 0; calm < 2;) {
    if (Date.now() > deadline) {
      throw new WeirError({
        code: "demo-store-behind",
        what: `the store did not take all rows within ${CAUGHT_UP_WITHIN_MS / 1000} s`,
        next: "run the check again on a machine that is less busy",
      });
    }
    await delay(1000, undefined, { signal });
    const health = await healthOf(socketPath);
    const behind = health === undefined || health.spool.segments > 1 || health.spool.oldestMs > ON_ITS_WAY_MS;
    calm = behind ? 0 : calm + 1;
  }
}

/** The collector's own account; undefined when it does not answer. */
async function healthOf(socketPath: string): Promise<HealthSnapshot | undefined> {
  return await new Promise((resolve) => {
    const asked = request({ socketPath, path: "/health", timeout: 2000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        resolve(response.statusCode === 200 ? HealthSnapshot.parse(JSON.parse(text)) : undefined),
      );
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}
