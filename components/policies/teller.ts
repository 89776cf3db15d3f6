import type { Text } from "@codemirror/state";
import { LONG, Sliced, textOfLines } from "./long-text.ts";

/** A long text is told to the page after so long without a key. */
const TOLD_AFTER_MS = 250;

/** Tells the page what was typed in one file: at once, a long text in slices once nobody types or the editor is left. */
export class Teller {
  readonly #tell: (text: string) => void;
  readonly #told = new WeakMap<Text, string>();
  /** What is still to be told. */
  #doc: Text | undefined;
  #work: Sliced<string> | undefined;
  #timer = 0;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  changed(doc: Text): void {
    this.#stop();
    this.#doc = doc;
    if (doc.length <= LONG) this.#say(doc, doc.toString());
    else this.#timer = window.setTimeout(() => this.hurry(), TOLD_AFTER_MS);
  }

  /** Waits for no more keys. */
  hurry(): void {
    const doc = this.#doc;
    if (doc === undefined || this.#work !== undefined) return;
    this.#stop();
    this.#work = new Sliced(textOfLines(doc), (text) => this.#say(doc, text));
  }

  /** Tells it now: the page is left. */
  flush(): void {
    this.hurry();
    this.#work?.finish();
  }

  /** `doc` was made of `text`. */
  took(doc: Text, text: string): void {
    this.#told.set(doc, text);
  }

  /** True where `text` is what stands in the editor, or older than what is about to be told. */
  knows(doc: Text, text: string): boolean {
    if (this.#doc !== undefined) return true;
    return (this.#told.get(doc) ?? doc.toString()) === text;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#work?.giveUp();
    this.#work = undefined;
  }

  #say(doc: Text, text: string): void {
    this.#work = undefined;
    this.#doc = undefined;
    this.#told.set(doc, text);
    this.#tell(text);
  }
}
