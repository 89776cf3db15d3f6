/**
 * Three network namespaces for tests on the real kernel: client – router – server, joined by routed veths, IPv4 and IPv6.
 *
 *   client 10.77.1.2, fd77:1::2   ── router 10.77.1.1, 10.77.2.1 ──   server 10.77.2.2, fd77:2::2      10.77.2.9: nobody
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Batch, Sink } from "../decode/columns.ts";

export const ADDRESS = {
  client: { v4: "10.77.1.2", v6: "fd77:1::2" },
  server: { v4: "10.77.2.2", v6: "fd77:2::2" },
  nobody: { v4: "10.77.2.9", v6: "fd77:2::9" },
  service: { v4: "10.77.200.1", v6: "fd77:200::1" },
} as const;

export type Place = "client" | "router" | "server";

/** For nsenter. Not `ip netns exec`: it remounts the root, which fails in a chroot whose root is no mount point. */
export const netnsOption = (name: string): string => `--net=/run/netns/${name}`;

/** A world of its own names; `dispose` ends its programs and deletes it. */
export class World implements AsyncDisposable {
  readonly #prefix: string;
  readonly #programs: ChildProcess[] = [];

  constructor(name: string) {
    this.#prefix = `weirk${process.pid}${name}`;
    const [c, r, s] = (["client", "router", "server"] as const).map((place) => this.nameOf(place));
    const ip = (words: string) => execFileSync("ip", words.split(" "), { stdio: "pipe" });
    const ipIn = (ns: string | undefined, words: string) =>
      execFileSync("nsenter", [netnsOption(ns!), "ip", ...words.split(" ")], { stdio: "pipe" });
    for (const ns of [c, r, s]) {
      ip(`netns add ${ns}`);
      ipIn(ns, `link set lo up`);
    }
    for (const [n, ns] of [
      [1, c],
      [2, s],
    ] as const) {
      ipIn(r, `link add v${n} type veth peer name eth0 netns ${ns}`);
      for (const [at, device, host] of [
        [r, `v${n}`, 1],
        [ns, "eth0", 2],
      ] as const) {
        ipIn(at, `addr add 10.77.${n}.${host}/24 dev ${device}`);
        ipIn(at, `addr add fd77:${n}::${host}/64 dev ${device} nodad`);
        ipIn(at, `link set ${device} up`);
      }
      ipIn(ns, `route add default via 10.77.${n}.1`);
      ipIn(ns, `route add default via fd77:${n}::1`);
    }
    this.sysctl("router", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  }

  nameOf(place: Place): string {
    return `${this.#prefix}${place[0]}`;
  }

  inode(place: Place): number {
    return statSync(`/run/netns/${this.nameOf(place)}`).ino;
  }

  get inodes(): number[] {
    return [this.inode("client"), this.inode("router"), this.inode("server")];
  }

  run(place: Place, command: string, ...words: string[]): string {
    return execFileSync("nsenter", [netnsOption(this.nameOf(place)), command, ...words], {
      encoding: "utf8",
      stdio: "pipe",
    });
  }

  sysctl(place: Place, ...settings: string[]): void {
    for (const setting of settings) this.run(place, "sysctl", "-qw", setting);
  }

  nft(place: Place, rules: string): void {
    this.run(place, "nft", rules);
  }

  /** Runs a Node program in a place and answers what it prints, parsed. It sees `input` as the global of that name. */
  async node<T>(place: Place, program: string, input: unknown = {}): Promise<T> {
    const child = this.#spawn(place, program, input);
    let text = "";
    child.stdout!.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    if (code !== 0) throw new Error(`a program in ${place} ended with ${code}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Starts a Node program that prints one line of JSON once it is ready, and answers that. */
  async serve<T>(place: Place, program: string, input: unknown = {}): Promise<T & { stop: () => Promise<void> }> {
    const child = this.#spawn(place, program, input);
    const [line] = (await once(createInterface(child.stdout!), "line")) as [string];
    const stop = async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    };
    return { ...(JSON.parse(line) as T), stop };
  }

  #spawn(place: Place, program: string, input: unknown): ChildProcess {
    const source = `const input = ${JSON.stringify(input)};\nconst net = await import("node:net"), dgram = await import("node:dgram"), dns = await import("node:dns/promises"), { once } = await import("node:events");\n${program}`;
    const words = [netnsOption(this.nameOf(place)), process.execPath, "--input-type=module", "-e", source];
    const child = spawn("nsenter", words, { stdio: ["ignore", "pipe", "inherit"] });
    this.#programs.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#programs) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, "exit");
    }
    for (const place of ["client", "router", "server"] as const)
      execFileSync("ip", ["netns", "del", this.nameOf(place)]);
  }
}

/** Collects rows: `read` is called for each row of its kind while the batch lives. */
export class Rows<B extends Batch, Row> {
  readonly rows: Row[] = [];
  readonly #kind: B["kind"];
  readonly #read: (batch: B, row: number) => Row;

  constructor(kind: B["kind"], read: (batch: B, row: number) => Row) {
    this.#kind = kind;
    this.#read = read;
  }

  readonly take: Sink = (batch) => {
    if (batch.kind === this.#kind) for (let i = 0; i < batch.length; i++) this.rows.push(this.#read(batch as B, i));
  };
}

/** Waits until `done`, asking again whenever the event loop comes round; throws with `what` after `seconds`. */
export async function until(what: string, done: () => boolean, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!done()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
