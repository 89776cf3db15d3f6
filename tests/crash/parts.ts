/** What the crash test kills: store, collector and app, each a process of its own on one data directory; and the load that they watch. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ip, ipIn } from "../../collector/testing.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const START_WITHIN_MS = 120_000;

export type PartName = "store" | "collector" | "app";

/** One process that can be killed and started again. */
export class Part {
  readonly name: PartName;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #answers: () => Promise<boolean>;
  #child: ChildProcess | undefined;
  #words = "";
  #closed: Promise<void> = Promise.resolve();

  constructor(name: PartName, args: readonly string[], env: NodeJS.ProcessEnv, answers: () => Promise<boolean>) {
    this.name = name;
    this.#args = args;
    this.#env = env;
    this.#answers = answers;
  }

  start(): void {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...this.#args], {
      env: this.#env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#words = "";
    this.#closed = new Promise((resolve) => child.once("close", () => resolve()));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#words = (this.#words + text).slice(-4000)));
    this.#child = child;
  }

  /** Resolves once it answers. One that ends by itself is started again, as a supervisor does, and `said` is told; throws when it takes too long. */
  async ready(said: (sentence: string) => void): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS;
    while (!(await this.#answers())) {
      const child = this.#child;
      if (child !== undefined && this.#hasEnded) {
        await this.#closed; // its words may come after its end
        said(`the ${this.name} ended by itself (${child.exitCode ?? child.signalCode}): ${this.#words.slice(-600)}`);
        this.start();
      }
      if (Date.now() > deadline) throw new Error(`the ${this.name} does not answer: ${this.#words}`);
      await pause(20);
    }
  }

  /** Sends the signal and resolves when the kernel has taken the process down. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#hasEnded) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await gone;
  }

  get #hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** The parts on a data directory and a network namespace of their own. Disposing ends and removes all of it. */
export interface Machine extends AsyncDisposable {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly parts: Readonly<Record<"store" | "collector", Part>> & { readonly app: Part | undefined };
}

/** Makes the namespace with its load: `rate` connections a second, each a request and an answer. Nothing is started yet but the load. */
export async function makeMachine(rate: number, withApp: boolean): Promise<Machine> {
  const dataDir = await mkdtemp(join(tmpdir(), "weir-crash-"));
  const netns = `weirz${process.pid}`;
  ip("netns", "add", netns);
  ipIn(netns, "link", "set", "lo", "up");
  const load = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", LOAD, String(rate)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [storePort, appPort] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    WEIR_DATA_DIR: dataDir,
    WEIR_STORE_PORT: String(storePort),
    WEIR_CLICKHOUSE_URL: "",
    WEIR_PORT: String(appPort),
    WEIR_METRICS_PORT: "off",
    WEIR_SOURCE: "ebpf",
    WEIR_NODE: "killed",
    WEIR_NETNS: netns,
    WEIR_LOG_LEVEL: "error",
  };
  const socketPath = join(dataDir, "run", "collector.sock");
  // with the size of its thread pool it is one process: else the signal would meet only the one that waits for it
  const store = new Part("store", ["store", "serve"], { ...env, UV_THREADPOOL_SIZE: "16" }, () =>
    answers({ port: storePort, path: "/ping" }),
  );
  const collector = new Part("collector", ["collect"], env, () => answers({ socketPath, path: "/health" }));
  const app = withApp
    ? new Part("app", ["serve"], env, () => answers({ port: appPort, path: "/api/status?from=now-5m&to=now" }))
    : undefined;
  const all = [app, collector, store];
  return {
    dataDir,
    env,
    parts: { store, collector, app },
    async [Symbol.asyncDispose]() {
      for (const part of all) await part?.end("SIGKILL");
      load.kill("SIGKILL");
      ip("netns", "del", netns);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Connects over loopback at a rate that is kept on average; both ends are in this one process. */
const LOAD = `
const net = require("node:net");
const rate = Number(process.argv[1]);
const server = net.createServer((socket) => socket.on("data", () => socket.end("answer")).on("error", () => {}));
server.listen(8080, "127.0.0.1", () => {
  const began = Date.now();
  let made = 0;
  setInterval(() => {
    for (const due = ((Date.now() - began) / 1000) * rate; made < due; made++)
      net.connect(8080, "127.0.0.1").on("connect", function () { this.write("question"); }).on("error", () => {}).resume();
  }, 5);
});
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(target: {
  readonly port?: number;
  readonly socketPath?: string;
  readonly path: string;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", timeout: 5000, ...target }, (response) => {
      response.resume().on("close", () => resolve(response.complete && (response.statusCode ?? 500) < 500));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
