"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { useUrlState } from "../frame/use-url-state.ts";
import type { Window } from "./scrub.ts";

export type ReplaySpeed = 1 | 10 | 60;

export interface Replay {
  /** The window that plays now; undefined = nothing plays. */
  readonly window: Window | undefined;
  readonly speed: ReplaySpeed;
  /** Plays a window of `lengthMs` through `context`, from its start. */
  start(context: Window, lengthMs: number): void;
  stop(): void;
  setSpeed(speed: ReplaySpeed): void;
}

/** How often the map follows the replay: each step asks the store. */
const STEP_MS = 1_000;

/** Moves the page's range through the past at a speed, as if it were live. Ends at the end of the context. */
export function useReplay(): Replay {
  const { zoomTo } = useUrlState();
  const [window, setWindow] = useState<Window>();
  const [speed, setSpeed] = useState<ReplaySpeed>(10);
  const end = useRef(0);
  const start = useCallback((context: Window, lengthMs: number) => {
    end.current = context.to;
    setWindow({ from: context.from, to: context.from + lengthMs });
  }, []);
  const stop = useCallback(() => setWindow(undefined), []);
  useEffect(() => {
    if (window === undefined) return;
    zoomTo(Math.round(window.from), Math.round(window.to));
    const timer = setTimeout(() => {
      const step = STEP_MS * speed;
      setWindow(window.to + step > end.current ? undefined : { from: window.from + step, to: window.to + step });
    }, STEP_MS);
    return () => clearTimeout(timer);
  }, [window, speed, zoomTo]);
  return { window, speed, start, stop, setSpeed };
}
