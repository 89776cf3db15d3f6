"use client";

import { useCallback, useState } from "react";

/** An edge on its way from the map to the editor. */
export interface DraggedEdge {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  /** True: let go here, it is taken. */
  readonly over: boolean;
}

/** Marks the element that takes edges. */
export const TAKES_EDGES = { "data-takes-edges": "" };

/** Follows an edge that is dragged on the map; `onDrop`: it was let go over what takes edges. */
export function useEdgeDrag(onDrop: (key: string) => void) {
  const [dragged, setDragged] = useState<DraggedEdge>();
  const onDragEdge = useCallback(
    (key: string, at: { readonly x: number; readonly y: number } | undefined, done: boolean) => {
      const taker = document.querySelector<HTMLElement>("[data-takes-edges]");
      const box = taker?.getBoundingClientRect();
      const over =
        at !== undefined &&
        box !== undefined &&
        at.x >= box.left &&
        at.x <= box.right &&
        at.y >= box.top &&
        at.y <= box.bottom;
      if (taker !== null) taker.dataset["over"] = String(over && !done);
      setDragged(done || at === undefined ? undefined : { key, ...at, over });
      if (done && over) onDrop(key);
    },
    [onDrop],
  );
  return { dragged, onDragEdge };
}
