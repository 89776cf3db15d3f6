import { spawn, type ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WeirError } from "../../model/errors.ts";
import { checkMachine } from "./commands.ts";
import { DROP_COUNTERS, readDropCounters } from "./firewall.ts";
import { inventoryOf } from "./inventory.ts";
import { LedgerSums, type Ledger, type Sums } from "./ledger.ts";
import { allReplicas, buildNetwork, namespaceName, namespaceNames, routerName } from "./network.ts";
import type { Assignment, Notice, Order } from "./program/messages.ts";
import { planOf, type Plan } from "./schedule.ts";
import { labelOf, workloadOfReplica } from "./shop.ts";
import { cleanLeftovers, removeState, removeWorld, writeState } from "./state.ts";

export interface DemoSettings {
  /** A whole number; the same one makes the same traffic. */
  readonly seed: number;
  /** Part of every namespace's name: small letters, digits and `-`, at most 16. */
  readonly runId: string;
  /** Inventory and ledger files; made if missing. */
  readonly dataDir: string;
  /** Where the state file is, the same for all worlds of a machine's user; default `dataDir/run`. */
  readonly stateDir?: string;
  /** A temporary folder (`weir-check-…`) that is to go when a later world cleans up after this one. */
  readonly scratch?: string;
  /** A check: the new and the gone edge come early, and every ledger entry is written as a line. */
  readonly short?: boolean;
}

const PROGRAM = fileURLToPath(new URL("program/main.ts", import.meta.url));
/** Small heaps: there are twenty of these beside a browser and a store. */
const NODE_FLAGS = ["--max-semi-space-size=1", "--max-old-space-size=64", "--v8-pool-size=1", "--no-warnings"];

/** The longest that anything of the schedule takes after its end: a connect of 8 s, then retransmits of what was lost last. */
const SETTLE_WITHIN_MS = 30_000;

/** The running world. Creating it (`runDemo`) makes namespaces and programs; `start` begins traffic. */
export class World {
  readonly settings: DemoSettings;
  readonly plan: Plan;
  readonly inventoryFile: string;
  /** Namespaces that a collector is to observe: all but those of what is outside. */
  readonly observed: readonly string[];
  readonly #programs = new Map<string, ChildProcess>();
  readonly #namespaces: readonly string[];
  readonly #stateDir: string;
  /** Run ids of dead worlds whose namespaces `build` removed first. */
  cleaned: readonly string[] = [];
  #epochMs = 0;
  #question = 0;
  #ended = false;
  #failure: ((error: Error) => void) | undefined;
  /** Rejects when a program of the world ends by itself. */
  readonly broken: Promise<never>;

  constructor(settings: DemoSettings) {
    this.settings = settings;
    this.plan = planOf(settings.seed, settings.short === true);
    this.inventoryFile = join(settings.dataDir, "inventory.yaml");
    this.#namespaces = namespaceNames(settings.runId);
    this.#stateDir = settings.stateDir ?? join(settings.dataDir, "run");
    const inside = allReplicas().filter((replica) => workloadOfReplica(replica.name).kind !== "outside");
    this.observed = [
      routerName(settings.runId),
      ...inside.map((replica) => namespaceName(settings.runId, replica.name)),
    ];
    this.broken = new Promise((_, reject) => (this.#failure = reject));
    this.broken.catch(() => undefined); // who waits for it hears of it
  }

  /** Namespaces, links, firewall, inventory, programs that listen. No traffic yet. */
  async build(): Promise<void> {
    const { runId, dataDir } = this.settings;
    this.cleaned = await cleanLeftovers(this.#stateDir, runId);
    mkdirSync(join(dataDir, "ledger"), { recursive: true });
    writeState(this.#stateDir, runId, this.#namespaces, this.settings.scratch ?? "");
    await buildNetwork(runId);
    writeFileSync(this.inventoryFile, inventoryOf(runId));
    await Promise.all(allReplicas().map((replica) => this.#spawn(replica.name)));
  }

  /** For WEIR_NETNS: inode numbers, which the collector tells to the kernel, so that nobody else's events are even sent. Needs `build`. */
  get observedInodes(): string {
    return this.observed.map((name) => statSync(`/run/netns/${name}`).ino).join(",");
  }

  /** Begins the traffic. */
  start(): void {
    this.#epochMs = Date.now();
    this.#order({ type: "start", epochMs: this.#epochMs });
  }

  /** Seconds since traffic began. */
  get elapsedSeconds(): number {
    return (Date.now() - this.#epochMs) / 1000;
  }

  /** Lets all programs do what is due before `seconds` and nothing after; resolves when every connection has ended. Throws WeirError when that takes too long. */
  async settle(seconds: number): Promise<void> {
    const open = new Set(this.#programs.keys());
    const settled = Promise.all(
      [...this.#programs].map(async ([replica, program]) => {
        await noticeOf(program, (notice) => notice.type === "settled");
        open.delete(replica);
      }),
    );
    this.#order({ type: "until", ms: seconds * 1000 });
    const inTime = Math.max(0, seconds - this.elapsedSeconds) * 1000 + SETTLE_WITHIN_MS;
    await Promise.race([
      settled,
      this.broken,
      tooLate(inTime, () => `${[...open].join(", ")} still ${open.size === 1 ? "has" : "have"} connections open`),
    ]);
  }

  /** What the world did so far, from the programs' own records and the router's counters. */
  async ledger(): Promise<Ledger> {
    const question = ++this.#question;
    const reports = Promise.all(
      [...this.#programs.values()].map(
        async (program) =>
          await noticeOf(program, (notice) => notice.type === "report" && notice.question === question),
      ),
    );
    this.#order({ type: "report", question });
    const sums = new LedgerSums();
    for (const notice of await Promise.race([reports, this.broken])) sums.merge((notice as { sums: Sums }).sums);
    const counters = await readDropCounters(routerName(this.settings.runId));
    const drops = DROP_COUNTERS.map((drop) => ({ ...drop, packets: counters.get(drop.counter) ?? 0 }));
    const retransmitting = drops.some((drop) => drop.counter.startsWith("lost_") && drop.packets > 0)
      ? ["storefront/catalog → data/db"]
      : [];
    const overrun = (await this.#kernelCounter("Udp", "RcvbufErrors")).get("platform/dns") ?? 0;
    drops.push({
      counter: "overrun",
      reason: "SOCKET_RCVBUFF",
      what: "receive buffer full",
      from: "storefront/web",
      to: "platform/dns",
      packets: overrun,
    });
    const retransmits = [...(await this.#kernelCounter("Tcp", "RetransSegs"))].map(([workload, segments]) => ({
      workload,
      segments,
    }));
    return { ...sums.sums(), drops, retransmits, retransmitting };
  }

  /** Ends the programs and deletes the namespaces. Safe to call twice, and after a failed build. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.all([...this.#programs.values()].map(endOf));
    await removeWorld(this.#namespaces);
    removeState(this.#stateDir, this.settings.runId);
  }

  /** A counter of /proc/net/snmp, summed over the replicas of each observed workload. */
  async #kernelCounter(protocol: "Tcp" | "Udp", name: string): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    for (const [replica, program] of this.#programs) {
      const workload = workloadOfReplica(replica);
      if (workload.kind === "outside") continue;
      const [names, values] = (await readFile(`/proc/${program.pid}/net/snmp`, "utf8"))
        .split("\n")
        .filter((line) => line.startsWith(`${protocol}:`));
      const value = Number(values!.split(" ")[names!.split(" ").indexOf(name)]);
      sums.set(labelOf(workload), (sums.get(labelOf(workload)) ?? 0) + value);
    }
    return sums;
  }

  async #spawn(replica: string): Promise<void> {
    const { runId, dataDir, short } = this.settings;
    const assignment: Assignment = {
      replica,
      plan: this.plan,
      ...(short === true ? { ledgerFile: join(dataDir, "ledger", `${replica}.jsonl`) } : {}),
    };
    const program = spawn(
      "nsenter",
      [
        `--net=/run/netns/${namespaceName(runId, replica)}`,
        process.execPath,
        ...NODE_FLAGS,
        PROGRAM,
        JSON.stringify(assignment),
      ],
      {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          NODE_COMPILE_CACHE: join(this.#stateDir, "demo-compiled"),
          UV_THREADPOOL_SIZE: "1",
        },
      },
    );
    program.setMaxListeners(32);
    this.#programs.set(replica, program);
    let said = "";
    program.stderr!.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
    const failed = new Promise<never>((_, reject) => {
      program.once("exit", (code, signal) => {
        if (this.#ended) return;
        const error = new WeirError({
          code: "demo-program-ended",
          what: `the demo's program ${replica} ended by itself (${signal ?? code})${
            said === ""
              ? ""
              : `: ${
                  said
                    .trim()
                    .split("\n")
                    .find((line) => /Error/.test(line)) ?? said.trim()
                }`
          }`,
        });
        this.#failure!(error);
        reject(error);
      });
    });
    failed.catch(() => undefined);
    await Promise.race([noticeOf(program, (notice) => notice.type === "ready"), failed]);
  }

  #order(order: Order): void {
    for (const program of this.#programs.values()) program.send(order);
  }
}

/** Makes the world and starts its traffic; it ends when disposed of or when `signal` fires. Throws WeirError on a machine that can't hold it. */
export async function runDemo(settings: DemoSettings & { readonly signal?: AbortSignal }): Promise<World> {
  const world = await makeWorld(settings);
  world.start();
  return world;
}

/** The world without traffic: a collector can attach before the first packet. */
export async function makeWorld(settings: DemoSettings & { readonly signal?: AbortSignal }): Promise<World> {
  checkMachine();
  if (!/^[a-z0-9][a-z0-9-]{0,15}$/.test(settings.runId)) {
    throw new WeirError({
      code: "demo-bad-id",
      what: `"${settings.runId}" cannot name a demo world`,
      expected: "at most 16 small letters, digits and -",
    });
  }
  const world = new World(settings);
  try {
    await world.build();
  } catch (error) {
    if (!(error instanceof WeirError && (error.code === "demo-running" || error.code === "demo-namespace-taken")))
      await world[Symbol.asyncDispose]();
    throw error;
  }
  settings.signal?.addEventListener("abort", () => void world[Symbol.asyncDispose](), { once: true });
  return world;
}

async function noticeOf(program: ChildProcess, wanted: (notice: Notice) => boolean): Promise<Notice> {
  return await new Promise((resolve) => {
    const listen = (notice: Notice) => {
      if (!wanted(notice)) return;
      program.off("message", listen);
      resolve(notice);
    };
    program.on("message", listen);
  });
}

async function tooLate(ms: number, why: () => string): Promise<never> {
  await delay(ms, undefined, { ref: false });
  throw new WeirError({ code: "demo-not-settled", what: `the demo world did not come to rest: ${why()}` });
}

async function endOf(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => program.once("exit", () => resolve()));
  program.kill("SIGKILL"); // its record is with us already; nothing of it is on disk but whole lines
  await gone;
}
