import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WeirError } from "../model/errors.ts";
import type { OrdinaryUser } from "./rights/ordinary-user.ts";

/** One of the processes that `weir start` keeps up. */
export interface Part {
  readonly name: string;
  /** Arguments of `weir`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Whom it runs as, without any right; undefined = as this process. `readsAll`: but for that of reading every file. */
  readonly as?: OrdinaryUser & { readonly readsAll: boolean };
  /** True once the part answers. Called until it does, then no more. `lastWords`: the newest line that it printed. */
  readonly ready: (signal: AbortSignal, lastWords: string) => Promise<boolean>;
  readonly readyWithinMs: number;
}

/** What a supervised part did; shown to the user as it happens. */
export type Report = (line: string) => void;

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const LAUNCH = fileURLToPath(new URL("./rights/launch.ts", import.meta.url));
const QUIET = "--disable-warning=ExperimentalWarning";
const STOP_WITHIN_MS = 10_000;
const FIRST_RESTART_MS = 500;
const LAST_RESTART_MS = 30_000;

/**
 * The collector has 20 MB of objects that live, and garbage from its start and its viewers: V8 would keep room for a nursery of 48 MB, and
 * wait until its heap has doubled (bin/weir has the same).
 */
const COLLECTOR_HEAP = ["--max-semi-space-size=1", "--initial-old-space-size=32", "--heap-growing-percent=25"];
/** The app's is 47 MB, however many questions it has answered; left alone V8 takes 250 MB: 394 MB of memory under questions, 244 with these. */
const APP_HEAP = ["--max-semi-space-size=4", "--initial-old-space-size=96", "--heap-growing-percent=50"];
/** glibc takes freed buffers of up to 32 MiB for its heap, which one small block at its end keeps: 70 MB under load. Others ignore it. */
const SMALL_HEAP = { MALLOC_MMAP_THRESHOLD_: "131072", MALLOC_TRIM_THRESHOLD_: "262144", MALLOC_ARENA_MAX: "2" };

const isCollector = (part: Part): boolean => part.args[0] === "collect";

/**
 * Keeps parts running in the order they were started: a part that ends is started again after a pause that doubles; all
 * are stopped in reverse order. A part that never became ready is not retried: `start` rejects with its last words.
 */
export class Supervisor {
  readonly #running = new Map<string, ChildProcess>();
  readonly #order: string[] = [];
  readonly #report: Report;
  #stopping = false;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Starts a part and resolves when it answers. Throws WeirError `part-failed` with the part's own sentence when it ends before. */
  async start(part: Part, signal: AbortSignal): Promise<void> {
    const { child, lastWords } = this.#spawn(part);
    this.#order.push(part.name);
    const ended = new Promise<never>((_, reject) => {
      child.once("exit", (code) => {
        const said = lastWords().replace(/^weir: /, "");
        const what = said === "" ? `the ${part.name} ended with code ${code} before it answered` : said;
        reject(new WeirError({ code: "part-failed", what }));
      });
    });
    const decided = new AbortController(); // a part that ended is not asked any more
    try {
      await Promise.race([untilReady(part, lastWords, AbortSignal.any([signal, decided.signal])), ended]);
    } finally {
      decided.abort();
    }
    child.removeAllListeners("exit");
    child.once("exit", () => this.#again(part, FIRST_RESTART_MS, lastWords()));
  }

  /** Ends all parts, last started first. Resolves when none is left; what does not end by itself is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const name of this.#order.toReversed()) {
      const child = this.#running.get(name);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      await gone;
      clearTimeout(timer);
    }
  }

  #spawn(part: Part): { child: ChildProcess; lastWords: () => string } {
    // The IPC channel is only a leash: a part ends when it breaks, so that nothing is left after kill -9 of this process.
    const child = spawn(process.execPath, commandOf(part), {
      stdio: ["ignore", "pipe", "pipe", "ipc"], // cli/rights/launch.ts counts on the place of the channel
      env: { ...process.env, ...part.env, ...(isCollector(part) ? SMALL_HEAP : {}), WEIR_LEASH: "1" },
    });
    let last = "";
    for (const stream of [child.stdout!, child.stderr!]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!.slice(-8192);
        for (const line of lines) {
          if (line.trim() === "") continue;
          if (!/^ +at /.test(line)) last = line; // a frame of a stack says nothing to a user
          this.#report(`${part.name}: ${line}`);
        }
      });
    }
    this.#running.set(part.name, child);
    return { child, lastWords: () => last };
  }

  #again(part: Part, pauseMs: number, said: string): void {
    if (this.#stopping) return;
    this.#report(
      `${part.name} ended (${said === "" ? "without a word" : said}); starting it again in ${pauseMs / 1000} s`,
    );
    setTimeout(() => {
      if (this.#stopping) return;
      const began = Date.now();
      const { child, lastWords } = this.#spawn(part);
      child.once("exit", () => {
        const settled = Date.now() - began > LAST_RESTART_MS;
        this.#again(part, settled ? FIRST_RESTART_MS : Math.min(pauseMs * 2, LAST_RESTART_MS), lastWords());
      });
    }, pauseMs);
  }
}

/** Arguments of Node: the command, or what gives up root and then turns into it. */
function commandOf(part: Part): string[] {
  const { args, as } = part;
  const heap = isCollector(part) ? COLLECTOR_HEAP : part.args[0] === "serve" ? APP_HEAP : [];
  const command = [QUIET, ...heap, "--disable-proto=delete", MAIN, ...args];
  if (as === undefined) return command;
  return [QUIET, LAUNCH, String(as.uid), String(as.gid), as.readsAll ? "1" : "0", ...command];
}

async function untilReady(part: Part, lastWords: () => string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + part.readyWithinMs;
  while (Date.now() < deadline) {
    if (await part.ready(signal, lastWords()).catch(() => false)) return;
    await delay(100, undefined, { signal });
  }
  throw new WeirError({
    code: "part-not-ready",
    what: `the ${part.name} did not answer within ${part.readyWithinMs / 1000} s`,
    next: "its last lines above say why; weir doctor checks the machine",
  });
}

/** Ends this process when the supervisor that started it is gone. Does nothing in a process that nobody supervises. */
export function endWithSupervisor(): void {
  if (process.env["WEIR_LEASH"] !== "1" || process.channel === undefined) return;
  process.channel?.unref?.();
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
