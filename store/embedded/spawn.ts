/** Starts the store process and waits until it answers. Used by the supervisor, the CLI, benches and tests. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Environment } from "../config.ts";
import { StoreError } from "../errors.ts";

const Ready = z.object({ ready: z.literal(true), url: z.string(), version: z.number(), pid: z.number() });

export interface StoreProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Schema version that the migrations reached. */
  readonly version: number;
  /** Resolves with the exit code when the process has ended, by whatever cause. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** Sessions (2 + 4 + 1), streams and files each hold a thread of libuv's pool while they work; its default of 4 would be a dead end. */
const POOL_THREADS = "16";

/** Starts `store/embedded/main.ts` with `env` over this process's own. Throws StoreError with the sentence that it printed. */
export async function startStoreProcess(env: Environment = {}): Promise<StoreProcess> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", fileURLToPath(new URL("main.ts", import.meta.url))],
    {
      env: { ...process.env, UV_THREADPOOL_SIZE: POOL_THREADS, ...env } as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe", "ipc"], // the ipc channel only tells it that we are gone
    },
  );
  const said: string[] = [];
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said.push(text);
    if (said.length > 50) said.shift();
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  const first = await firstLine(child);
  if (first === undefined) {
    await ended;
    const words = said.join("").trim();
    throw new StoreError({
      code: "store-start",
      what: words === "" ? "the store process ended without a word" : words.split("\n").at(-1)!,
    });
  }
  const { url, pid, version } = Ready.parse(JSON.parse(first));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(late);
  };
  return { url, pid, version, ended, stop, [Symbol.asyncDispose]: stop };
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  for await (const line of createInterface({ input: child.stdout! })) return line;
  return undefined;
}
