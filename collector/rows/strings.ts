/** Strings as numbers: rows carry indices, texts stand here once, beside their RowBinary form. Index 0 is "". */
import { StringTable } from "../../store/row-binary.ts";

/** More different strings than this within one run come out as "": names are chosen by strangers, memory is not. */
const MAX_STRINGS = 250_000;

export class Strings {
  /** The same numbers as here, encoded. */
  readonly table = new StringTable();
  readonly #texts: string[] = [""];

  /** The index of `text`, which must be harmless already (identity/visible-text.ts). */
  intern(text: string): number {
    if (this.table.size >= MAX_STRINGS && text !== "") return 0;
    const number = this.table.intern(text);
    if (number === this.#texts.length) this.#texts.push(text);
    return number;
  }

  at(index: number): string {
    return this.#texts[index] ?? "";
  }

  get size(): number {
    return this.#texts.length;
  }
}
