import { attachTcxEgress, type DeviceLink } from "./attach.ts";
import type { Libbpf, Pointer, Syscalls } from "./libbpf.ts";
import { inNamespace, vethDevices, type NetworkNamespace } from "./netns.ts";

/** A tc program at the egress of every veth of the network namespaces observed, kept up with by `scan`. */
export class VethLinks implements Disposable {
  readonly #lib: Libbpf;
  readonly #calls: Syscalls;
  readonly #program: Pointer;
  readonly #links = new Map<string, DeviceLink>();
  /** Why the last device could not be attached to. */
  refused: string | undefined;
  /** Namespaces that could never be entered, as of the last scan: CAP_SYS_ADMIN is missing. */
  closed = 0;
  /** Namespaces (inodes) whose devices were looked at, of those that there are. */
  #entered = new Set<number>();

  constructor(lib: Libbpf, calls: Syscalls, program: Pointer) {
    this.#lib = lib;
    this.#calls = calls;
    this.#program = program;
  }

  get size(): number {
    return this.#links.size;
  }

  /**
   * Attaches to what is new in `namespaces` and lets go of what is gone. Where rights were given up meanwhile, the devices of a
   * namespace that was entered before stay attached for as long as they live.
   */
  scan(namespaces: readonly NetworkNamespace[]): void {
    const seen = new Set<string>();
    const entered = new Set<number>();
    this.closed = 0;
    for (const namespace of namespaces) {
      const isOpen = inNamespace(this.#calls, namespace, () => {
        for (const { index } of vethDevices(this.#calls)) seen.add(this.#attach(namespace, index));
        return true;
      });
      if (isOpen === true || this.#entered.has(namespace.inode)) entered.add(namespace.inode);
      else this.closed++;
      if (isOpen === undefined) this.#keepLiving(namespace.inode, seen);
    }
    this.#entered = entered;
    for (const [key, link] of this.#links) {
      if (seen.has(key)) continue;
      link[Symbol.dispose]();
      this.#links.delete(key);
    }
  }

  #keepLiving(inode: number, seen: Set<string>): void {
    for (const [key, link] of this.#links) if (key.startsWith(`${inode}:`) && link.isAlive()) seen.add(key);
  }

  #attach(namespace: NetworkNamespace, index: number): string {
    const key = `${namespace.inode}:${index}`;
    const held = this.#links.get(key);
    if (held?.isAlive()) return key;
    held?.[Symbol.dispose](); // inode and index were given again to another namespace's device
    this.#links.delete(key);
    const link = attachTcxEgress(this.#lib, this.#calls, this.#program, index);
    if (typeof link === "string") this.refused = link;
    else this.#links.set(key, link);
    return key;
  }

  [Symbol.dispose](): void {
    for (const link of this.#links.values()) link[Symbol.dispose]();
    this.#links.clear();
  }
}
