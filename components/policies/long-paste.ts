import type { Text } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Extension } from "@codemirror/state";
import { linesOfText, LONG, Sliced } from "./long-text.ts";

/**
 * Pastes of long texts: the editor would split one into lines while the page stands still, even one that is not taken. Here it comes
 * in slices, one paste after the other; a key that is pressed meanwhile waits for it, so that what is written stays in order.
 */
export class LongPaste {
  readonly #put: (lines: Text) => void;
  readonly #waiting: string[] = [];
  #work: Sliced<Text> | undefined;

  /** `put` replaces the selection. */
  constructor(put: (lines: Text) => void) {
    this.#put = put;
  }

  finish(): void {
    while (this.#work !== undefined) this.#work.finish();
  }

  /** `fits`: whether that many characters more, in the place of the selection, are taken; it says so where they are not. */
  extension(fits: (view: EditorView, characters: number) => boolean): Extension {
    return EditorView.domEventHandlers({
      paste: (event, view) => {
        const text = event.clipboardData?.getData("text/plain") ?? "";
        if (view.state.readOnly) return false;
        if (text.length <= LONG) {
          this.finish();
          return false;
        }
        if (fits(view, text.length)) {
          this.#waiting.push(text);
          if (this.#work === undefined) this.#next();
        }
        return true;
      },
      keydown: ({ key, ctrlKey, metaKey }) => {
        const pastes = (ctrlKey || metaKey) && key.toLowerCase() === "v";
        if (!pastes && !["Control", "Meta", "Shift", "Alt"].includes(key)) this.finish();
        return false;
      },
      mousedown: () => {
        this.finish(); // it may put the cursor elsewhere
        return false;
      },
    });
  }

  #next(): void {
    const text = this.#waiting.shift();
    this.#work =
      text === undefined
        ? undefined
        : new Sliced(linesOfText(text), (lines) => {
            this.#put(lines);
            this.#next();
          });
  }
}
