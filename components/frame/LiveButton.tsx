"use client";

import { Pause, Play } from "lucide-react";
import { KeyCap } from "../parts/KeyCap.tsx";
import { count } from "../parts/numbers.ts";
import { Tooltip } from "../parts/Tooltip.tsx";
import { useLiveState } from "../questions/live.tsx";
import { useNewWhilePaused } from "./new-while-paused.ts";
import styles from "./TopBar.module.css";
import { useUrlState } from "./use-url-state.ts";

/** Live: a dot and the word, pressing pauses. Paused: how to go on, and how much is new. An absolute range: back to now. */
export function LiveButton() {
  const { live, rangeText, setLive } = useUrlState();
  const state = useLiveState();
  const fresh = useNewWhilePaused();
  if (live) {
    const streaming = state === "open" || state === "closed";
    return (
      <Tooltip
        text={
          streaming
            ? "Stop the clock of this page"
            : "No live stream: the page follows what the store has. Stop its clock"
        }
        keyCap="Space"
      >
        <button type="button" className={styles.live} onClick={() => setLive(false)} aria-label="Live; pause">
          <span className={styles.dot} data-state={state} aria-hidden="true" />
          Live
          <Pause size={13} aria-hidden="true" />
          <KeyCap>Space</KeyCap>
        </button>
      </Tooltip>
    );
  }
  const words = rangeText.to === "now" ? (fresh > 0 ? `Resume, ${count(fresh)} new` : "Resume") : "Go live";
  return (
    <button type="button" className={styles.live} onClick={() => setLive(true)}>
      <Play size={13} aria-hidden="true" />
      {words}
      <KeyCap>Space</KeyCap>
    </button>
  );
}
