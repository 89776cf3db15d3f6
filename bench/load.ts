/** Builds and runs bench/load.c between two network namespaces of their own. Needs root, iproute2 and a C compiler. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type LoadKind = "rr" | "crr" | "bulk";

const SERVER = { v4: "10.253.1.3", v6: "fd53:1::3" } as const;
const PORT = 9000;

/** Two namespaces joined by a veth, with a server in one. Disposing ends all and deletes them. */
export class LoadWorld implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), "weir-load-"));
  readonly #names: readonly [string, string];
  readonly #program: string;
  readonly #children: ChildProcess[] = [];
  #server: ChildProcess | undefined;

  constructor(prefix: string) {
    this.#program = join(this.#dir, "load");
    execFileSync("cc", ["-O2", "-o", this.#program, fileURLToPath(new URL("load.c", import.meta.url))]);
    this.#names = [`${prefix}${process.pid}c`, `${prefix}${process.pid}s`];
    const [client, server] = this.#names;
    const ip = (...words: string[]) => execFileSync("ip", words);
    for (const name of this.#names) ip("netns", "add", name);
    this.#ip(client, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", server);
    for (const [name, host] of [
      [client, 2],
      [server, 3],
    ] as const) {
      this.#ip(name, "link", "set", "lo", "up");
      this.#ip(name, "addr", "add", `10.253.1.${host}/24`, "dev", "eth0");
      this.#ip(name, "addr", "add", `fd53:1::${host}/64`, "dev", "eth0", "nodad");
      this.#ip(name, "link", "set", "eth0", "up");
    }
    this.#in(client, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535");
  }

  get inodes(): readonly number[] {
    return this.#names.map((name) => statSync(`/run/netns/${name}`).ino);
  }

  #in(name: string, ...words: string[]): void {
    execFileSync("nsenter", [`--net=/run/netns/${name}`, ...words], { stdio: "pipe" });
  }

  #ip(name: string, ...words: string[]): void {
    this.#in(name, "ip", ...words);
  }

  #start(name: string, cpu: number | undefined, words: readonly string[]): ChildProcess {
    const pinned = cpu === undefined ? [] : ["taskset", "-c", String(cpu)];
    const all = [`--net=/run/netns/${name}`, ...pinned, this.#program, ...words];
    const child = spawn("nsenter", all, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    return child;
  }

  /** Starts the server; resolves once it listens. */
  async serve(cpu?: number): Promise<void> {
    this.#server = this.#start(this.#names[1], cpu, ["serve", String(PORT)]);
    await once(this.#server.stdout!, "data");
  }

  /** CPU seconds of the server (proc_pid_schedstat: ns first). */
  #serverCpu(): number {
    return Number(readFileSync(`/proc/${this.#server!.pid}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  }

  /**
   * Runs a load; what was done a second (requests, connections or bytes), how much in all, and in a second of CPU of both ends: that hardly
   * changes when others want the CPU, too. `rate` a second, 0 = all it can.
   */
  async run(
    kind: LoadKind,
    seconds: number,
    rate = 0,
    family: "v4" | "v6" = "v4",
    cpu?: number,
  ): Promise<{ readonly done: number; readonly perSecond: number; readonly perCpuSecond: number }> {
    const before = this.#serverCpu();
    const words = [kind, SERVER[family], String(PORT), String(seconds), String(rate)];
    const child = this.#start(this.#names[0], cpu, words);
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (part: string) => (text += part));
    const [code] = (await once(child, "close")) as [number];
    if (code !== 0) throw new Error(`the load ended with ${code}`);
    const [done, took, cpuSeconds] = text.split(" ").map(Number) as [number, number, number];
    return { done, perSecond: done / took, perCpuSecond: done / (cpuSeconds + this.#serverCpu() - before) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, "exit");
    }
    for (const name of this.#names) execFileSync("ip", ["netns", "del", name]);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
