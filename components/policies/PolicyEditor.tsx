"use client";

import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import type { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef, useState } from "react";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import type { Names } from "./answers.ts";
import { EditedFiles } from "./edited-files.ts";
import { pageNonce } from "./editor-look.ts";
import { setMarks, type Marks } from "./editor-marks.ts";

export interface PolicyEditorProps {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly inForce: string | undefined;
  readonly problems: readonly PolicyProblem[];
  readonly marks: Marks;
  readonly names: Names | undefined;
  /** A line to bring into view; a new object each time. */
  readonly reveal: { readonly line: number } | undefined;
  /** The file of this id was typed in, maybe a moment ago: another may be shown by now. */
  onChange(id: string, text: string): void;
  /** The cursor came to a line, or its count was pressed. */
  onLine(line: number): void;
  /** The pointer rests on a line; undefined: it left. */
  onHover(line: number | undefined): void;
  /** More than may be judged was pasted; it was not taken. */
  onTooLong(characters: number): void;
}

/** One file of policies as text. `Esc`, then `Tab` leaves it; `Tab` alone indents. */
export function PolicyEditor(props: PolicyEditorProps) {
  const { id, name, text, problems, marks, reveal } = props;
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const files = useRef<EditedFiles>(undefined);
  const [view, setView] = useState<EditorView>();
  /** The file whose text stands in the editor; a long one takes a moment. */
  const [shown, setShown] = useState<string>();
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const created = new EditorView({ parent: place.current!, extensions: EditorView.cspNonce.of(pageNonce()) }); // before the first style
    const opened = new EditedFiles(created, latest);
    files.current = opened;
    setView(created);
    const flush = (): void => opened.flush();
    const before = ["beforeunload", "pagehide"]; // the drafts are kept for the last time
    for (const event of before) window.addEventListener(event, flush, { capture: true });
    return () => {
      for (const event of before) window.removeEventListener(event, flush, { capture: true });
      opened.close();
    };
  }, []);

  useEffect(() => files.current?.show(id, () => setShown(id)), [view, id]);

  const ready = view !== undefined && shown === id;
  useEffect(() => {
    if (ready) files.current?.update(id, text);
  }, [ready, id, text]);

  useEffect(() => {
    if (!ready) return;
    view.dispatch(
      setDiagnostics(
        view.state,
        problems
          .filter((it) => it.file === name)
          .slice(0, MOST_PROBLEMS)
          .map((problem) => diagnostic(view.state, problem)),
      ),
    );
  }, [view, ready, id, name, problems]);

  useEffect(() => (ready ? view.dispatch({ effects: setMarks.of(marks) }) : undefined), [view, ready, id, marks]);

  useEffect(() => {
    if (!ready || reveal === undefined || reveal.line > view.state.doc.lines) return;
    view.dispatch({
      effects: EditorView.scrollIntoView(view.state.doc.line(reveal.line).from, { y: "nearest", yMargin: 60 }),
    });
  }, [view, ready, reveal]);

  return <div ref={place} data-testid="policy-editor" />;
}

/** Problems underlined at most; how many there are stands above the text. */
const MOST_PROBLEMS = 500;
/** Letters of a word that are underlined at most: a line may have megabytes. */
const MOST_WORD = 200;

/** A problem where it stands: its word, or the rest of its line. */
function diagnostic(state: EditorState, problem: PolicyProblem): Diagnostic {
  const line = state.doc.line(Math.min(Math.max(1, problem.line), state.doc.lines));
  const from = Math.min(line.to, line.from + Math.max(0, problem.column - 1));
  const word =
    /^["']?[^\s:,\]}]+/.exec(state.doc.sliceString(from, Math.min(line.to, from + MOST_WORD)))?.[0].length ?? 0;
  return {
    from,
    to: word > 0 ? from + word : Math.min(line.to, from + MOST_WORD),
    severity: problem.severity,
    message: `${problem.path === "" ? "" : `${problem.path}: `}${problem.message}${problem.expected === undefined ? "" : `; expected ${problem.expected}`}`,
  };
}
