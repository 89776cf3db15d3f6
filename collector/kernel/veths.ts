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
  /** Namespaces that could not be entered at the last scan: seen, but CAP_SYS_ADMIN is missing. */
  closed = 0;

  constructor(lib: Libbpf, calls: Syscalls, program: Pointer) {
    this.#lib = lib;
    this.#calls = calls;
    this.#program = program;
  }

  get size(): number {
    return this.#links.size;
  }

  /** Attaches to what is new in `namespaces` and lets go of what is gone. */
  scan(namespaces: readonly NetworkNamespace[]): void {
    const seen = new Set<string>();
    this.closed = 0;
    for (const namespace of namespaces) {
      const entered = inNamespace(this.#calls, namespace, () => {
        for (const { index } of vethDevices(this.#calls)) seen.add(this.#attach(namespace, index));
        return true;
      });
      if (entered === undefined) this.closed++;
    }
    for (const [key, link] of this.#links) {
      if (seen.has(key)) continue;
      link[Symbol.dispose]();
      this.#links.delete(key);
    }
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
