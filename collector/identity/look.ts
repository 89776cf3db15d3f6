/** Looks at the machine every few seconds: namespaces, addresses, listeners. What it finds goes to Who; what it costs is bounded. */
import { lookAtNamespaces } from "./netns.ts";
import { holdersOf, type ProcessFacts } from "./processes.ts";
import { PROC, type ProcessView } from "./process-view.ts";
import type { Who } from "./who.ts";

export class MachineLook {
  readonly #who: Who;
  readonly #processes: () => ProcessView | undefined;
  /** Socket inode → its process; undefined = looked for and not found (gone, or not ours to see). */
  #holders = new Map<number, ProcessFacts | undefined>();

  /** `processes`: who knows more of processes than /proc tells, once there is somebody. */
  constructor(who: Who, processes: () => ProcessView | undefined = () => undefined) {
    this.#who = who;
    this.#processes = processes;
  }

  /** One look. Only listeners that were not there at the last look cost a walk through the descriptors of all processes. */
  async look(): Promise<void> {
    const beganMs = Date.now();
    const processes = this.#processes() ?? PROC;
    const views = await lookAtNamespaces(processes);
    const endedMs = Date.now();
    const inodes = new Set(views.flatMap((view) => view.listeners.map((listener) => listener.inode)));
    const unknown = new Set([...inodes].filter((inode) => !this.#holders.has(inode)));
    const found = await holdersOf(processes, unknown);
    const holders = new Map<number, ProcessFacts | undefined>();
    for (const inode of inodes) holders.set(inode, found.get(inode) ?? this.#holders.get(inode));
    this.#holders = holders;
    const listeners = new Map<string, ProcessFacts>();
    for (const view of views) {
      for (const { protocol, port, inode } of view.listeners) {
        const process = holders.get(inode);
        if (process !== undefined) listeners.set(`${view.inode} ${protocol} ${port}`, process);
      }
    }
    this.#who.update(views, listeners, beganMs * 1e6, endedMs * 1e6);
  }
}
