/**
 * The network namespaces of this machine: inode, name, a process in each, the addresses that are local there, and who listens.
 * Found by looking at processes, /proc/PID/net (which anybody may read) and /run/netns; a look takes a few ms, so every few seconds, not per event. All on the main thread: it
 * alone keeps rights (kernel/leave-root.ts), the threads behind node:fs/promises have none.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "../../model/address.ts";
import type { Listener, ProcessView } from "./process-view.ts";
import { visibleText } from "./visible-text.ts";

export interface NetnsView {
  readonly inode: number;
  /** Its name under /run/netns (`ip netns`), "" when it has none. */
  readonly name: string;
  /** A process in it, to read its /proc/PID/net; 0 when none runs there. */
  readonly pid: number;
  /** Local addresses, 4 words each (bytes in network order); undefined when they cannot be read. */
  readonly addresses: Uint32Array | undefined;
  readonly listeners: readonly Listener[];
  /** Device names by index. */
  readonly devices: ReadonlyMap<number, string>;
}

const NAMED = ["/run/netns", "/var/run/docker/netns"];

/** Inode of the network namespace that this process is in. */
export async function ownNetns(): Promise<number> {
  return statSync("/proc/self/ns/net").ino;
}

/** All namespaces that have a name or a process, as `processes` knows them. */
export async function lookAtNamespaces(processes: ProcessView): Promise<NetnsView[]> {
  const pids = new Map<number, number>();
  for (const [pid, inode] of processes.namespaces()) if (!pids.has(inode)) pids.set(inode, pid);
  const names = new Map<number, string>();
  for (const dir of NAMED) {
    for (const name of await namesIn(dir)) {
      try {
        names.set(statSync(join(dir, name)).ino, name);
      } catch {
        continue; // deleted meanwhile
      }
    }
  }
  const listeners = processes.listeners(pids);
  const views: NetnsView[] = [];
  for (const inode of new Set([...pids.keys(), ...names.keys()])) {
    const pid = pids.get(inode) ?? 0;
    views.push({
      inode,
      name: names.get(inode) ?? "",
      pid,
      addresses: pid === 0 ? undefined : await localAddresses(pid),
      listeners: listeners.get(inode) ?? [],
      devices: pid === 0 ? new Map() : await devicesOf(pid),
    });
  }
  return views;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return readdirSync(dir);
  } catch {
    return []; // nobody made a named namespace
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // ended meanwhile, or IPv6 is off
  }
}

async function localAddresses(pid: number): Promise<Uint32Array | undefined> {
  const v4 = await textOf(`/proc/${pid}/net/fib_trie`);
  if (v4 === undefined) return undefined;
  const found = [...parseFibTrie(v4), ...parseIfInet6((await textOf(`/proc/${pid}/net/if_inet6`)) ?? "")];
  const words = new Uint32Array(found.length * 4);
  const bytes = new Uint8Array(words.buffer);
  found.forEach((address, i) => bytes.set(address, i * 16));
  return words;
}

/** The addresses with `/32 host LOCAL`, without loopback's. */
export function parseFibTrie(text: string): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  let leaf = "";
  for (const line of text.split("\n")) {
    const address = /^\s*\|-- (\S+)$/.exec(line)?.[1];
    if (address !== undefined) leaf = address;
    else if (/\/32 host LOCAL/.test(line) && !leaf.startsWith("127.")) {
      const bytes = parseAddress(leaf);
      if (bytes !== undefined) found.set(leaf, bytes);
    }
  }
  return [...found.values()];
}

/** The addresses of /proc/net/if_inet6 without ::1. Link-local ones stay out: every namespace may have the same. */
export function parseIfInet6(text: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const line of text.split("\n")) {
    const hex = /^([0-9a-f]{32}) /.exec(line)?.[1];
    if (hex === undefined || hex.startsWith("fe80") || hex === "00000000000000000000000000000001") continue;
    found.push(Uint8Array.from(Buffer.from(hex, "hex")));
  }
  return found;
}

async function devicesOf(pid: number): Promise<Map<number, string>> {
  const igmp = (await textOf(`/proc/${pid}/net/igmp`)) ?? "";
  const v6 = (await textOf(`/proc/${pid}/net/if_inet6`)) ?? "";
  return parseDevices(igmp, v6);
}

/** Index and name of every device with an IPv4 (/proc/net/igmp) or IPv6 (/proc/net/if_inet6) side; /sys shows only the own namespace's. */
export function parseDevices(igmp: string, ifInet6: string): Map<number, string> {
  const devices = new Map<number, string>();
  for (const line of igmp.split("\n")) {
    const match = /^(\d+)\s+(\S+)\s*:/.exec(line);
    if (match !== null) devices.set(Number(match[1]), visibleText(match[2]!, 32));
  }
  for (const line of ifInet6.split("\n")) {
    const match = /^[0-9a-f]{32} ([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ [0-9a-f]+\s+(\S+)/.exec(line);
    if (match !== null) devices.set(Number.parseInt(match[1]!, 16), visibleText(match[2]!, 32));
  }
  return devices;
}
