import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import {
  Annotation,
  Compartment,
  EditorState,
  type Extension,
  type Transaction,
  type TransactionSpec,
} from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { completePolicy, fieldHover } from "./completion.ts";
import { MOST_CHARACTERS } from "./drafts.ts";
import { editorLook } from "./editor-look.ts";
import { changeBar, cursorLine, policyMarks } from "./editor-marks.ts";
import type { LongPaste } from "./long-paste.ts";
import { LONG } from "./long-text.ts";
import type { PolicyEditorProps } from "./PolicyEditor.tsx";
import type { Teller } from "./teller.ts";

/** A change that the page made, not the one who types. */
export const fromOutside = Annotation.define<boolean>();
/** Empty for long texts: CodeMirror reads them in slices of 100 ms, which a key would have to wait for. So no colours, no folding. */
const language = new Compartment();

/** All that the editor of one file can do. */
export function editorExtensions(
  latest: { readonly current: PolicyEditorProps },
  told: Teller,
  paste: LongPaste,
  isLong: boolean,
): Extension {
  return [
    changeBar(() => latest.current.inForce),
    lineNumbers(),
    foldGutter({ openText: "⌄", closedText: "›" }),
    policyMarks((line) => latest.current.onLine(line)),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    bracketMatching(),
    closeBrackets(),
    indentOnInput(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    language.of(isLong ? [] : yaml()),
    autocompletion({ override: [completePolicy(() => latest.current.names)], icons: false }),
    fieldHover,
    keymap.of([
      ...completionKeymap,
      ...lintKeymap,
      ...searchKeymap,
      ...foldKeymap,
      ...historyKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    EditorView.contentAttributes.of({
      "aria-label": `Policy ${latest.current.name}, YAML. Escape, then Tab leaves the editor.`,
    }),
    EditorState.transactionFilter.of((transaction: Transaction): TransactionSpec => {
      if (!transaction.docChanged || transaction.changes.newLength <= MOST_CHARACTERS) return transaction;
      latest.current.onTooLong(transaction.changes.newLength);
      return {};
    }),
    EditorState.transactionExtender.of((transaction: Transaction) => {
      const willBeLong = transaction.changes.newLength > LONG;
      if (willBeLong === transaction.startState.doc.length > LONG) return null;
      return { effects: language.reconfigure(willBeLong ? [] : yaml()) };
    }),
    EditorView.domEventHandlers({
      mousemove: (event, view) => {
        const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
        latest.current.onHover(at === null ? undefined : view.state.doc.lineAt(at).number);
      },
      mouseleave: () => latest.current.onHover(undefined),
      blur: () => told.hurry(),
    }),
    EditorView.updateListener.of((update) => {
      const outside = update.transactions.some((transaction) => transaction.annotation(fromOutside) === true);
      if (update.docChanged && !outside) told.changed(update.state.doc);
      if (update.selectionSet && !update.docChanged) {
        const line = cursorLine(update.state);
        if (line !== cursorLine(update.startState)) latest.current.onLine(line);
      }
    }),
    editorLook(),
    paste.extension((view, characters) => {
      const { doc, selection } = view.state;
      const length = selection.ranges.reduce((sum, { from, to }) => sum - to + from, doc.length + characters);
      if (length > MOST_CHARACTERS) latest.current.onTooLong(length);
      return length <= MOST_CHARACTERS;
    }),
  ];
}
