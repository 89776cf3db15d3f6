/** The command line as a user has it: a process of its own, its words and its exit code. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";
import type { Environment } from "../store/config.ts";

export const WEIR = fileURLToPath(new URL("../bin/weir", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that still runs. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it said on standard error so far. */
  said(): string;
  /** Resolves when it has said something that matches; rejects with its words when it ends before. */
  untilSays(pattern: RegExp): Promise<void>;
  /** The same for standard output, which it gives. */
  untilPrints(pattern: RegExp): Promise<string>;
}

/** Starts a program with `env` over this process's own. Disposing ends it with SIGTERM and waits. */
export function start(program: string, args: readonly string[], env: Environment = {}): Running {
  const child = spawn(program, args, {
    env: { ...process.env, NO_COLOR: "1", ...env } as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, stdout, stderr }));
  const until = async (stream: Readable, text: () => string, pattern: RegExp): Promise<void> => {
    while (!pattern.test(text())) {
      const end = await Promise.race([once(stream, "data").then(() => undefined), ended]);
      if (end !== undefined && !pattern.test(text()))
        throw new Error(`it ended with ${end.code} without ${String(pattern)}:\n${stderr}`);
    }
  };
  return {
    child,
    ended,
    said: () => stderr,
    untilSays: (pattern) => until(child.stderr, () => stderr, pattern),
    async untilPrints(pattern) {
      await until(child.stdout, () => stdout, pattern);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Runs `weir` to its end. */
export function weir(args: readonly string[], env: Environment = {}): Promise<Ended> {
  return start(WEIR, args, env).ended;
}

/** Runs `weir` after shell commands in a mount namespace of its own: what they mount, nobody else sees. Needs root. */
export function weirAfter(mounts: string, args: readonly string[], env: Environment = {}): Promise<Ended> {
  const script = `set -e; ${mounts}; exec "$0" "$@"`;
  // In a chroot whose root is no mount point there is nothing to make private: who made it took a namespace of its own.
  const propagation = mountPoints().includes("/") ? "private" : "unchanged";
  return start("unshare", ["--mount", "--propagation", propagation, "sh", "-c", script, WEIR, ...args], env).ended;
}

/** A server of somebody else on a port of 127.0.0.1 that answers everything with "mine". */
export async function somebodyElse(): Promise<{ server: Server; port: number; url: string } & AsyncDisposable> {
  const server = createServer((_request, response) => response.end("<h1>mine</h1>"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Fifth field of each line of mountinfo (proc_pid_mountinfo(5)). */
function mountPoints(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
}
