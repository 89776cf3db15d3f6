/** Reads the inventory again when it changes. A file that is bad keeps the last good one in force, and says so. */
import { stat } from "node:fs/promises";
import { systemCode } from "../../model/errors.ts";
import { InventoryProblem, readInventory } from "./inventory.ts";
import { InventoryIndex } from "./inventory-index.ts";

export interface InventoryEvents {
  /** `atMs`: from when it holds. */
  readonly loaded: (index: InventoryIndex, atMs: number) => void;
  readonly refused: (problem: InventoryProblem) => void;
}

/** Looking at one file's time costs nothing, and works where file watches do not (network disks, replaced files). */
const LOOK_MS = 500;

export class InventoryWatch implements Disposable {
  readonly #path: string;
  readonly #events: InventoryEvents;
  #stamp = "";
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(path: string, events: InventoryEvents) {
    this.#path = path;
    this.#events = events;
  }

  /** Reads the file, if it is there, and goes on looking. A bad file at the start is refused with words, too: the collector runs without. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => {
      if (this.#looking) return;
      this.#looking = true;
      void this.look().finally(() => (this.#looking = false));
    }, LOOK_MS);
  }

  /** Looks once, now. */
  async look(): Promise<void> {
    const stamp = await stampOf(this.#path);
    if (stamp === this.#stamp) return;
    const hadOne = this.#stamp !== "";
    this.#stamp = stamp;
    if (stamp === "") {
      if (hadOne) this.#events.loaded(new InventoryIndex([]), Date.now()); // taken away
      return;
    }
    try {
      this.#events.loaded(new InventoryIndex(await readInventory(this.#path)), Date.now());
    } catch (cause) {
      if (!(cause instanceof InventoryProblem)) throw cause;
      this.#events.refused(cause);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (cause) {
    return systemCode(cause) === "ENOENT" ? "" : `unreadable ${systemCode(cause)}`;
  }
}
