import {
  RangeSet,
  RangeSetBuilder,
  StateEffect,
  StateField,
  type EditorState,
  type Extension,
  type Text,
} from "@codemirror/state";
import { Decoration, EditorView, gutter, GutterMarker, WidgetType, type DecorationSet } from "@codemirror/view";
import { count } from "../parts/numbers.ts";
import type { LineUse } from "./answers.ts";
import { LONG } from "./long-text.ts";

/** What the answer says about lines: counts at the right, grounds, notes below lines. */
export interface Marks {
  readonly uses: readonly LineUse[];
  /** Lines from 1. */
  readonly selected: number | undefined;
  readonly near: readonly number[];
  /** Words below a line. */
  readonly notes: readonly {
    readonly line: number;
    readonly tone: "denied" | "degraded" | "allowed";
    readonly text: string;
    readonly fix?: { readonly label: string; run(): void };
  }[];
}

export const setMarks = StateEffect.define<Marks>();

class CountMarker extends GutterMarker {
  readonly text: string;
  readonly tone: string;
  readonly title: string;
  constructor(text: string, tone: string, title: string) {
    super();
    this.text = text;
    this.tone = tone;
    this.title = title;
  }
  override eq(other: CountMarker): boolean {
    return other.text === this.text && other.tone === this.tone;
  }
  override toDOM(): Node {
    return Object.assign(document.createElement("span"), {
      textContent: this.text,
      title: this.title,
      className: `cm-count cm-count-${this.tone}`,
    });
  }
}

class NoteWidget extends WidgetType {
  readonly note: Marks["notes"][number];
  constructor(note: Marks["notes"][number]) {
    super();
    this.note = note;
  }
  override eq(other: NoteWidget): boolean {
    return (
      other.note.text === this.note.text &&
      other.note.tone === this.note.tone &&
      other.note.fix?.label === this.note.fix?.label
    );
  }
  override toDOM(): HTMLElement {
    const dom = Object.assign(document.createElement("div"), { className: `cm-note cm-note-${this.note.tone}` });
    const inside = Object.assign(document.createElement("div"), { textContent: this.note.text });
    dom.append(inside);
    const { fix } = this.note;
    if (fix !== undefined) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: fix.label });
      button.addEventListener("click", () => fix.run());
      inside.append(" ", button);
    }
    return dom;
  }
  override ignoreEvent(): boolean {
    return true;
  }
}

interface Drawn {
  readonly counts: RangeSet<GutterMarker>;
  readonly lines: DecorationSet;
}

const drawn = StateField.define<Drawn>({
  create: () => ({ counts: RangeSet.empty, lines: Decoration.none }),
  update(value, transaction) {
    // Half-typed text keeps what was said of the text before, moved along with it.
    let next = transaction.docChanged
      ? { counts: value.counts.map(transaction.changes), lines: value.lines.map(transaction.changes) }
      : value;
    for (const effect of transaction.effects) if (effect.is(setMarks)) next = draw(transaction.state.doc, effect.value);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field, (value) => value.lines),
});

/** Lines with counts at most, those that change something first: ten thousand would keep the next key waiting. */
const MOST_MARKED = 2_000;

function draw(doc: Text, { uses: all, selected, near, notes }: Marks): Drawn {
  const uses =
    all.length <= MOST_MARKED
      ? all
      : all
          .toSorted((a, b) => b.newlyDenied + b.newlyAllowed - a.newlyDenied - a.newlyAllowed || a.line - b.line)
          .slice(0, MOST_MARKED);
  const byLine = new Map<number, LineUse[]>();
  for (const use of uses) if (use.line <= doc.lines) byLine.set(use.line, [...(byLine.get(use.line) ?? []), use]);
  const counts = new RangeSetBuilder<GutterMarker>();
  for (const [line, list] of [...byLine].toSorted((a, b) => a[0] - b[0])) {
    const marker = markerOf(list);
    if (marker !== undefined) counts.add(doc.line(line).from, doc.line(line).from, marker);
  }
  const ranges: { at: number; decoration: Decoration; block: boolean }[] = [];
  const ground = (line: number, name: string) => {
    if (line >= 1 && line <= doc.lines)
      ranges.push({ at: doc.line(line).from, decoration: Decoration.line({ class: name }), block: false });
  };
  for (const [line, list] of byLine) if (list.some((use) => use.newlyDenied > 0)) ground(line, "cm-line-denied");
  for (const line of near) ground(line, "cm-line-near");
  if (selected !== undefined) ground(selected, "cm-line-selected");
  for (const note of notes)
    if (note.line >= 1 && note.line <= doc.lines)
      ranges.push({
        at: doc.line(note.line).to,
        decoration: Decoration.widget({ widget: new NoteWidget(note), block: true, side: 1 }),
        block: true,
      });
  return {
    counts: counts.finish(),
    lines: Decoration.set(
      ranges.map(({ at, decoration }) => decoration.range(at)),
      true,
    ),
  };
}

function markerOf(list: readonly LineUse[]): CountMarker | undefined {
  const sum = (of: (use: LineUse) => number) => list.reduce((total, use) => total + of(use), 0);
  const [newlyDenied, newlyAllowed, denied, allowed] = [
    sum((it) => it.newlyDenied),
    sum((it) => it.newlyAllowed),
    sum((it) => it.denied),
    sum((it) => it.allowed),
  ];
  if (newlyDenied > 0)
    return new CountMarker(
      `− ${count(newlyDenied)}`,
      "denied",
      `${count(newlyDenied)} connections of the range newly denied by this line`,
    );
  if (newlyAllowed > 0)
    return new CountMarker(
      `+ ${count(newlyAllowed)}`,
      "will-allow",
      `${count(newlyAllowed)} connections of the range newly allowed by this line`,
    );
  if (denied > 0)
    return new CountMarker(
      `× ${count(denied)}`,
      "denied",
      `${count(denied)} connections of the range denied by this line, before and after`,
    );
  if (allowed > 0) {
    const state = list[0]!.state;
    return new CountMarker(
      count(allowed),
      "plain",
      `${count(allowed)} connections of the range decided by this line${state === "decides" ? "" : `, and ${state}: others let them in, too`}`,
    );
  }
  const state = list[0]!.state;
  return state === "decides"
    ? undefined
    : new CountMarker(
        state,
        "idle",
        state === "never hit"
          ? "no traffic of the range matches this rule"
          : "other rules decide all that this one matches",
      );
}

/** Grounds, notes and the column of counts. `onLine`: a count was pressed. */
export function policyMarks(onLine: (line: number) => void): Extension {
  return [
    drawn,
    gutter({
      class: "cm-counts",
      side: "after",
      markers: (view) => view.state.field(drawn).counts,
      initialSpacer: () => new CountMarker("never hit", "plain", ""),
      domEventHandlers: {
        mousedown: (view, block) => {
          onLine(view.state.doc.lineAt(block.from).number);
          return true;
        },
      },
    }),
  ];
}

/** Lines that differ from the text in force, as a bar at the left. */
export function changeBar(inForce: () => string | undefined): Extension {
  const marker = new (class extends GutterMarker {
    override elementClass = "cm-changed";
  })();
  return gutter({
    class: "cm-changes",
    lineMarker: (view, line) => {
      const base = inForce();
      if (base === undefined || base.length > LONG) return null; // its lines would be a set of hundreds of thousands
      const known = linesOf(base);
      return known.has(view.state.doc.lineAt(line.from).text) ? null : marker;
    },
    lineMarkerChange: (update) => update.docChanged,
  });
}

let kept: { text: string; lines: ReadonlySet<string> } | undefined;
function linesOf(text: string): ReadonlySet<string> {
  if (kept?.text !== text) kept = { text, lines: new Set(text.split("\n")) };
  return kept.lines;
}

/** The line of the main cursor, from 1. */
export function cursorLine(state: EditorState): number {
  return state.doc.lineAt(state.selection.main.head).number;
}
