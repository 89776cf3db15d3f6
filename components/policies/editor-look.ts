import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** The page's nonce: styles that the editor adds must bear it, or the content security policy refuses them. */
export function pageNonce(): string {
  return document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? "";
}

/** Colours and measures from the page's tokens. */
export function editorLook(): Extension {
  return [
    EditorView.cspNonce.of(pageNonce()),
    syntaxHighlighting(
      HighlightStyle.define([
        { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
        { tag: [tags.string, tags.content, tags.special(tags.string)], color: "var(--code-text)" },
        { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
        { tag: [tags.comment, tags.lineComment], color: "var(--code-comment)" },
        { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--text-3)" },
      ]),
    ),
    EditorView.theme({
      "&": { height: "100%", backgroundColor: "var(--canvas)", color: "var(--code-text)", fontSize: "12.5px" },
      "&.cm-focused": { outline: "none" },
      ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", fontFeatureSettings: '"zero", "calt" 0' },
      ".cm-content": { padding: "6px 0", caretColor: "var(--text)" },
      ".cm-line": { padding: "0 8px 0 6px" },
      ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
      "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
        background: "var(--active)",
      },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
      "&.cm-focused .cm-activeLine": { backgroundColor: "var(--hover)" },
      ".cm-gutters": { backgroundColor: "var(--canvas)", color: "var(--text-3)", border: "none" },
      ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 8px", minWidth: "26px" },
      ".cm-changes": { width: "4px" },
      ".cm-changed": { backgroundColor: "var(--degraded)" },
      ".cm-counts .cm-gutterElement": { padding: "0 12px 0 6px", textAlign: "right", cursor: "pointer" },
      ".cm-count": { fontSize: "11px", color: "var(--text-3)", fontFamily: "var(--font)", whiteSpace: "nowrap" },
      ".cm-count-denied": { color: "var(--denied)", fontWeight: "600" },
      ".cm-count-will-allow": { color: "var(--will-allow)", fontWeight: "600" },
      ".cm-line-denied": { backgroundColor: "var(--mark-denied)" },
      ".cm-line-near": { backgroundColor: "var(--mark-degraded)" },
      ".cm-line-selected": { boxShadow: "inset 2px 0 0 var(--text)" },
      // The editor measures blocks without their margins, so a note keeps its distance by padding.
      ".cm-note": { padding: "1px 10px 3px 22px" },
      ".cm-note > div": {
        padding: "1px 8px",
        borderLeft: "2px solid",
        font: "12px/17px var(--font)",
        whiteSpace: "normal",
        color: "var(--text-2)",
      },
      ".cm-note-denied > div": { borderColor: "var(--denied)", backgroundColor: "var(--mark-denied)" },
      ".cm-note-degraded > div": { borderColor: "var(--degraded)", backgroundColor: "var(--mark-degraded)" },
      ".cm-note-allowed > div": { borderColor: "var(--allowed)", backgroundColor: "var(--mark-allowed)" },
      ".cm-note button": { fontWeight: "600", color: "var(--text)", textDecoration: "underline" },
      ".cm-foldPlaceholder": { background: "var(--active)", border: "none", color: "var(--text-2)", padding: "0 4px" },
      ".cm-tooltip": {
        border: "1px solid var(--line-2)",
        borderRadius: "5px",
        backgroundColor: "var(--raised)",
        color: "var(--text)",
        boxShadow: "var(--shadow)",
        font: "12px/16px var(--font)",
      },
      ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "220px" },
      ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--active)", color: "var(--text)" },
      ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", fontFamily: "var(--font)" },
      ".cm-completionInfo": { padding: "5px 8px", maxWidth: "260px" },
      ".cm-field-hover": { padding: "5px 8px", maxWidth: "320px" },
      ".cm-field-hover p": { color: "var(--text-3)" },
      ".cm-diagnostic": { padding: "4px 8px", borderLeft: "3px solid var(--denied)" },
      ".cm-diagnostic-warning": { borderLeftColor: "var(--degraded)" },
      ".cm-lintRange-error": {
        backgroundImage: "none",
        textDecoration: "underline wavy var(--denied)",
        textUnderlineOffset: "3px",
      },
      ".cm-lintRange-warning": {
        backgroundImage: "none",
        textDecoration: "underline wavy var(--degraded)",
        textUnderlineOffset: "3px",
      },
      ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)", borderColor: "var(--line)" },
      ".cm-panel input, .cm-panel button": {
        font: "12px/16px var(--font)",
        background: "var(--canvas)",
        backgroundImage: "none",
        color: "var(--text)",
        border: "1px solid var(--line-2)",
        borderRadius: "3px",
      },
      ".cm-searchMatch": { backgroundColor: "var(--mark-degraded)", outline: "1px solid var(--degraded)" },
      ".cm-collapsedLines": {
        padding: "2px 8px",
        background: "var(--hover)",
        color: "var(--text-3)",
        font: "11px/16px var(--font)",
      },
      ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '""' },
      ".cm-deletedLineGutter, &.cm-merge-b .cm-changedLineGutter": { background: "none" },
      ".cm-deletedChunk": { backgroundColor: "var(--mark-denied)" },
      "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--mark-will-allow)" },
      "&.cm-merge-b .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: "none" },
    }),
  ];
}
