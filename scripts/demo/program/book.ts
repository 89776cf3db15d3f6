import { openSync, writeSync } from "node:fs";
import { LedgerSums, type Entry, type Sums } from "../ledger.ts";

/** Lines wait this long at most before they are in the file. */
const FLUSH_MS = 250;

/** A program's own record: sums always, and each entry as a line when there is a file. */
export class LedgerBook {
  readonly #sums = new LedgerSums();
  readonly #file: number | undefined;
  #lines: string[] = [];

  constructor(path: string | undefined) {
    if (path === undefined) return;
    this.#file = openSync(path, "a");
    setInterval(() => this.flush(), FLUSH_MS).unref();
  }

  add(entry: Entry): void {
    this.#sums.add(entry);
    if (this.#file !== undefined) this.#lines.push(JSON.stringify(entry));
  }

  flush(): void {
    if (this.#file === undefined || this.#lines.length === 0) return;
    writeSync(this.#file, `${this.#lines.join("\n")}\n`);
    this.#lines = [];
  }

  sums(): Sums {
    return this.#sums.sums();
  }
}
