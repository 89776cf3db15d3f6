"use client";

import { yaml } from "@codemirror/lang-yaml";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { editorLook } from "./editor-look.ts";

/** Two texts as one, with lines that go and lines that come. Read-only. */
export function DiffView({ before, after }: { readonly before: string; readonly after: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = new EditorView({
      parent: place.current!,
      doc: after,
      extensions: [
        lineNumbers(),
        yaml(),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ "aria-label": "Difference, YAML", tabindex: "0" }),
        unifiedMergeView({
          original: before,
          mergeControls: false,
          gutter: true,
          highlightChanges: false,
          collapseUnchanged: { margin: 3, minSize: 6 },
        }),
        editorLook(),
      ],
    });
    return () => view.destroy();
  }, [before, after]);
  return <div ref={place} data-testid="policy-diff" />;
}
