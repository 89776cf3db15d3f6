import type { Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

/** Characters from which a text is of a machine, not of a person. */
export const LONG = 400_000;
/** A long text is told to the page after so long without a key: as one string it costs tens of milliseconds. */
const TOLD_AFTER_MS = 250;

/** Tells the page what was typed: at once, a long text once nobody types, the editor is left, or the page is. */
export class Teller {
  readonly #view: EditorView;
  readonly #tell: (text: string) => void;
  #told: { readonly doc: Text; readonly text: string } | undefined;
  #timer = 0;

  constructor(view: EditorView, tell: (text: string) => void) {
    this.#view = view;
    this.#tell = tell;
  }

  changed(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.flush(), TOLD_AFTER_MS);
    if (this.#view.state.doc.length <= LONG) this.flush();
  }

  flush(): void {
    if (this.#timer === 0) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    const { doc } = this.#view.state;
    this.#told = { doc, text: doc.toString() };
    this.#tell(this.#told.text);
  }

  /** True where `text` is what stands in the editor, or older than what is about to be told. */
  knows(text: string): boolean {
    const { doc } = this.#view.state;
    if (this.#timer !== 0) return true;
    return this.#told?.doc === doc ? this.#told.text === text : doc.toString() === text;
  }
}
