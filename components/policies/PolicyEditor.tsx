"use client";

import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, type Transaction, type TransactionSpec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import type { Names } from "./answers.ts";
import { MOST_CHARACTERS } from "./drafts.ts";
import { completePolicy, fieldHover } from "./completion.ts";
import { editorLook, pageNonce } from "./editor-look.ts";
import { changeBar, cursorLine, policyMarks, setMarks, type Marks } from "./editor-marks.ts";
import { LONG, Teller } from "./teller.ts";

export interface PolicyEditorProps {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly inForce: string | undefined;
  readonly problems: readonly PolicyProblem[];
  readonly marks: Marks;
  readonly names: Names | undefined;
  readonly readOnly: boolean;
  /** A line to bring into view; a new object each time. */
  readonly reveal: { readonly line: number } | undefined;
  onChange(text: string): void;
  /** The cursor came to a line, or its count was pressed. */
  onLine(line: number): void;
  /** The pointer rests on a line; undefined: it left. */
  onHover(line: number | undefined): void;
  /** More than may be judged was pasted; it was not taken. */
  onTooLong(characters: number): void;
}

const fromOutside = Annotation.define<boolean>();
/** Empty for long texts: CodeMirror reads them in slices of 100 ms, which a key would have to wait for. So no colours, no folding. */
const language = new Compartment();

/** One file of policies as text. `Esc`, then `Tab` leaves it; `Tab` alone indents. */
export function PolicyEditor(props: PolicyEditorProps) {
  const { id, name, text, problems, marks, reveal, readOnly } = props;
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const states = useRef(new Map<string, EditorState>());
  const [view, setView] = useState<EditorView>();
  const teller = useRef<Teller>(undefined);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const created = new EditorView({ parent: place.current!, extensions: EditorView.cspNonce.of(pageNonce()) }); // before the first style
    setView(created);
    teller.current = new Teller(created, (told) => latest.current.onChange(told));
    const flush = (): void => teller.current?.flush();
    window.addEventListener("pagehide", flush, { capture: true }); // before the drafts are kept for the last time
    return () => {
      flush();
      window.removeEventListener("pagehide", flush, { capture: true });
      created.destroy();
    };
  }, []);

  // Each file has a state of its own: undo never crosses from one to another.
  useEffect(() => {
    if (view === undefined) return;
    const kept = states.current;
    view.setState(kept.get(`${id} ${readOnly}`) ?? freshState(latest, teller, readOnly));
    return () => {
      teller.current?.flush();
      kept.set(`${id} ${readOnly}`, view.state);
    };
  }, [view, id, readOnly]);

  useEffect(() => {
    if (view === undefined || teller.current?.knows(text) === true) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, annotations: fromOutside.of(true) });
  }, [view, id, text]);

  useEffect(() => {
    if (view === undefined) return;
    view.dispatch(
      setDiagnostics(
        view.state,
        problems.filter((it) => it.file === name).map((problem) => diagnostic(view.state, problem)),
      ),
    );
  }, [view, id, name, problems]);

  useEffect(() => view?.dispatch({ effects: setMarks.of(marks) }), [view, id, marks]);

  useEffect(() => {
    if (view === undefined || reveal === undefined || reveal.line > view.state.doc.lines) return;
    view.dispatch({
      effects: EditorView.scrollIntoView(view.state.doc.line(reveal.line).from, { y: "nearest", yMargin: 60 }),
    });
  }, [view, reveal]);

  return <div ref={place} data-testid="policy-editor" />;
}

function freshState(
  latest: { readonly current: PolicyEditorProps },
  teller: { readonly current: Teller | undefined },
  readOnly: boolean,
): EditorState {
  return EditorState.create({
    doc: latest.current.text,
    extensions: [
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
      language.of(latest.current.text.length > LONG ? [] : yaml()),
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
      EditorState.readOnly.of(readOnly),
      EditorView.editable.of(!readOnly),
      EditorView.contentAttributes.of({
        "aria-label": `Policy ${latest.current.name}, YAML. Escape, then Tab leaves the editor.`,
        ...(readOnly ? { tabindex: "0" } : {}),
      }),
      EditorState.transactionFilter.of((transaction: Transaction): TransactionSpec => {
        if (!transaction.docChanged || transaction.newDoc.length <= MOST_CHARACTERS) return transaction;
        latest.current.onTooLong(transaction.newDoc.length);
        return {};
      }),
      EditorState.transactionExtender.of((transaction: Transaction) => {
        const isLong = transaction.newDoc.length > LONG;
        if (isLong === transaction.startState.doc.length > LONG) return null;
        return { effects: language.reconfigure(isLong ? [] : yaml()) };
      }),
      EditorView.domEventHandlers({
        mousemove: (event, view) => {
          const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
          latest.current.onHover(at === null ? undefined : view.state.doc.lineAt(at).number);
        },
        mouseleave: () => latest.current.onHover(undefined),
        blur: () => teller.current?.flush(),
      }),
      EditorView.updateListener.of((update) => {
        const outside = update.transactions.some((transaction) => transaction.annotation(fromOutside) === true);
        if (update.docChanged && !outside) teller.current?.changed();
        if (update.selectionSet && !update.docChanged) {
          const line = cursorLine(update.state);
          if (line !== cursorLine(update.startState)) latest.current.onLine(line);
        }
      }),
      editorLook(),
    ],
  });
}

/** A problem where it stands: its word, or the rest of its line. */
function diagnostic(state: EditorState, problem: PolicyProblem): Diagnostic {
  const line = state.doc.line(Math.min(Math.max(1, problem.line), state.doc.lines));
  const from = Math.min(line.to, line.from + Math.max(0, problem.column - 1));
  const word = /^["']?[^\s:,\]}]+/.exec(state.doc.sliceString(from, line.to))?.[0].length ?? 0;
  return {
    from,
    to: word > 0 ? from + word : line.to,
    severity: problem.severity,
    message: `${problem.path === "" ? "" : `${problem.path}: `}${problem.message}${problem.expected === undefined ? "" : `; expected ${problem.expected}`}`,
  };
}
