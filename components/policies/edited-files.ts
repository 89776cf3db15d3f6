import {
  Compartment,
  EditorState,
  Transaction,
  type Extension,
  type Text,
  type TransactionSpec,
} from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { editorExtensions, fromOutside } from "./editor-extensions.ts";
import { LongPaste } from "./long-paste.ts";
import { linesOfText, LONG, Sliced } from "./long-text.ts";
import type { PolicyEditorProps } from "./PolicyEditor.tsx";
import { Teller } from "./teller.ts";

interface Edited {
  readonly told: Teller;
  readonly paste: LongPaste;
  /** As it was left; undefined: it was not shown yet, or is shown now. */
  state: EditorState | undefined;
}

/** The files of one editor, each with a state of its own: undo never crosses from one to another. */
export class EditedFiles {
  readonly #view: EditorView;
  readonly #latest: { readonly current: PolicyEditorProps };
  readonly #files = new Map<string, Edited>();
  #shown: string | undefined;
  #work: Sliced<Text> | undefined;

  constructor(view: EditorView, latest: { readonly current: PolicyEditorProps }) {
    this.#view = view;
    this.#latest = latest;
  }

  /** Shows the page's file; `onShown` is called once its text stands in the editor. What comes back leaves the file. */
  show(id: string, onShown: () => void): () => void {
    const file = this.#file(id);
    const stands = (state: EditorState): void => {
      if (state !== this.#view.state) this.#view.setState(state);
      this.#shown = id;
      onShown();
    };
    const { text } = this.#latest.current;
    if (file.state !== undefined) stands(file.state);
    else if (text.length <= LONG) stands(EditorState.create({ doc: text, extensions: this.#extensions(file, false) }));
    else this.#fill(file, text, stands);
    return () => {
      this.#work?.giveUp();
      this.#work = undefined;
      if (this.#shown === id) file.state = this.#view.state;
      this.#shown = undefined;
      file.told.hurry();
    };
  }

  /** Puts the page's text of the shown file into the editor, where it does not come from there. */
  update(id: string, text: string): void {
    const { told } = this.#file(id);
    const { doc } = this.#view.state;
    if (told.knows(doc, text)) return;
    this.#work?.giveUp();
    const put = (insert: Text | string): void => {
      this.#view.dispatch({
        changes: { from: 0, to: this.#view.state.doc.length, insert },
        annotations: fromOutside.of(true),
      });
      told.took(this.#view.state.doc, text);
    };
    if (text.length <= LONG) put(text);
    else this.#work = new Sliced(linesOfText(text), put);
  }

  /** Tells at once what is still to be told: the page is left. */
  flush(): void {
    for (const { paste, told } of this.#files.values()) {
      paste.finish();
      told.flush();
    }
  }

  close(): void {
    for (const { paste, told } of this.#files.values()) {
      paste.finish();
      told.hurry();
    }
    this.#work?.giveUp();
    this.#view.destroy();
  }

  #file(id: string): Edited {
    let file = this.#files.get(id);
    if (file === undefined) {
      file = {
        told: new Teller((text) => this.#latest.current.onChange(id, text)),
        paste: new LongPaste((lines) => this.#paste(id, lines)),
        state: undefined,
      };
      this.#files.set(id, file);
    }
    return file;
  }

  /**
   * A long text comes into an empty editor that was on the screen: one that has not measured its letters yet lays out all of a line of
   * megabytes, which takes seconds.
   */
  #fill(file: Edited, text: string, stands: (state: EditorState) => void): void {
    const closed = new Compartment();
    const extensions = [closed.of(EditorView.editable.of(false)), this.#extensions(file, true)];
    this.#view.setState(EditorState.create({ extensions }));
    this.#work = new Sliced(linesOfText(text), (insert) => {
      this.#view.dispatch({
        changes: { from: 0, insert },
        effects: closed.reconfigure([]),
        annotations: [fromOutside.of(true), Transaction.addToHistory.of(false)],
      });
      file.told.took(this.#view.state.doc, text);
      stands(this.#view.state);
    });
  }

  #extensions({ told, paste }: Edited, isLong: boolean): Extension {
    return editorExtensions(this.#latest, told, paste, isLong);
  }

  /** Into a file that may not be shown any more. */
  #paste(id: string, lines: Text): void {
    const file = this.#file(id);
    const change = (state: EditorState): TransactionSpec[] => [
      state.replaceSelection(lines),
      { userEvent: "input.paste", scrollIntoView: true },
    ];
    if (this.#shown === id) return this.#view.dispatch(...change(this.#view.state));
    if (file.state === undefined) return;
    file.state = file.state.update(...change(file.state)).state;
    file.told.changed(file.state.doc);
  }
}
