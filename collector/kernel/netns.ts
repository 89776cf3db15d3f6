import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { systemCode } from "../../model/errors.ts";
import { addressOf, type Syscalls } from "./libbpf.ts";

/** A network namespace and a path by which it can be entered. */
export interface NetworkNamespace {
  readonly inode: number;
  readonly path: string;
  /** Its name under /run/netns (`ip netns`), if it has one. */
  readonly name?: string;
}

const CLONE_NEWNET = 0x40000000;
const OWN = "/proc/thread-self/ns/net";

/** Inode of the network namespace that this process is in. */
export const ownNamespace = (): number => statSync(OWN).ino;

/**
 * Every network namespace with a name or a process in it (`processes`: id → inode); the own one first. Those held by nothing but a
 * descriptor are not found.
 */
export function networkNamespaces(processes: ReadonlyMap<number, number>): NetworkNamespace[] {
  const found = new Map<number, NetworkNamespace>();
  const note = (path: string, name?: string) => {
    try {
      const inode = statSync(path).ino;
      if (!found.has(inode)) found.set(inode, name === undefined ? { inode, path } : { inode, path, name });
    } catch (error) {
      if (!isGone(error)) throw error; // the process or the namespace ended meanwhile, or is not ours to see
    }
  };
  const own = ownNamespace();
  for (const name of entries("/run/netns")) note(`/run/netns/${name}`, name);
  if (!found.has(own)) found.set(own, { inode: own, path: OWN });
  for (const [pid, inode] of processes) if (!found.has(inode)) found.set(inode, { inode, path: `/proc/${pid}/ns/net` });
  return [...found.values()].toSorted((a, b) => Number(b.inode === own) - Number(a.inode === own));
}

/**
 * What `run` answers with this thread in `namespace`, or undefined when it cannot be entered (it is gone, or CAP_SYS_ADMIN is missing).
 * `run` must not wait: until it returns, every socket and device of this thread is the namespace's. Its descriptor is not kept, which
 * would keep the namespace alive.
 */
export function inNamespace<T>(calls: Syscalls, namespace: NetworkNamespace, run: () => T): T | undefined {
  const home = openSync(OWN, "r");
  try {
    let target: number;
    try {
      target = openSync(namespace.path, "r");
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
    const entered = calls.setns(target, CLONE_NEWNET) === 0;
    closeSync(target);
    if (!entered) return namespace.inode === ownNamespace() ? run() : undefined;
    try {
      return run();
    } finally {
      goHome(calls, home);
    }
  } finally {
    closeSync(home);
  }
}

/** Failing here would leave this thread in a stranger's network: a bug that must not go on. */
function goHome(calls: Syscalls, home: number): void {
  if (calls.setns(home, CLONE_NEWNET) !== 0) throw new Error("could not return to the own network namespace");
}

/** Index and name of the veth devices of the namespace that this thread is in. */
export function vethDevices(calls: Syscalls): { name: string; index: number }[] {
  const fd = calls.socket(2, 2 | 0o2000000, 0); // AF_INET, SOCK_DGRAM | SOCK_CLOEXEC
  if (fd < 0) return [];
  try {
    return deviceNames()
      .filter((name) => driverOf(calls, fd, name) === "veth")
      .map((name) => ({ name, index: calls.interfaceIndex(name) }))
      .filter(({ index }) => index !== 0);
  } finally {
    closeSync(fd);
  }
}

/** /sys/class/net shows the namespace of the mount, /proc/thread-self/net that of the thread. */
function deviceNames(): string[] {
  return readFileSync("/proc/thread-self/net/dev", "latin1")
    .split("\n")
    .slice(2)
    .map((line) => line.slice(0, line.lastIndexOf(":")).trim())
    .filter((name) => name !== "" && name.length < 16);
}

const SIOCETHTOOL = 0x8946;
const ETHTOOL_GDRVINFO = 3;

/** The driver of a device: struct ifreq { char name[16]; void *data }, data = struct ethtool_drvinfo { u32 cmd; char driver[32]; … }. */
function driverOf(calls: Syscalls, fd: number, name: string): string {
  const info = Buffer.alloc(196);
  info.writeUInt32LE(ETHTOOL_GDRVINFO, 0);
  const request = Buffer.alloc(40);
  request.write(name, 0, 15, "latin1");
  request.writeBigUInt64LE(addressOf(info), 16);
  if (calls.ioctl(fd, SIOCETHTOOL, request) !== 0) return "";
  return info.toString("latin1", 4, 36).replace(/\0.*$/s, "");
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(systemCode(error) ?? "");
}
