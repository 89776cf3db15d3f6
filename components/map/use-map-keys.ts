"use client";

import { useEffect, type RefObject } from "react";
import { tinykeys } from "tinykeys";
import { singleKeysOn } from "../frame/preferences.ts";
import type { MapView } from "./map-view.ts";
import type { MapState } from "./use-map-state.ts";

/** Keys of the map: `+ - 0` zoom, `f` focus on the selection. Not while typing, and not when single keys are turned off. */
export function useMapKeys(view: RefObject<MapView | undefined>, state: MapState): void {
  useEffect(() => {
    const when =
      (run: () => void) =>
      (event: KeyboardEvent): void => {
        if (!singleKeysOn()) return;
        if (
          event.target instanceof Element &&
          event.target.closest("input, textarea, [contenteditable=true], [role=dialog]") !== null
        )
          return;
        event.preventDefault();
        run();
      };
    return tinykeys(window, {
      "+": when(() => view.current?.zoomBy(1.3)),
      "Shift++": when(() => view.current?.zoomBy(1.3)),
      "=": when(() => view.current?.zoomBy(1.3)),
      "-": when(() => view.current?.zoomBy(1 / 1.3)),
      "0": when(() => view.current?.fit()),
      f: when(() => state.setFocus(!state.focus)),
    });
  }, [view, state]);
}
