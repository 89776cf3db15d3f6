"use client";

import { History } from "lucide-react";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import styles from "./SampleNote.module.css";

/** Says on every page that what is shown is a recording, and why. */
export function SampleNote() {
  const health = useHowMuchWasSeen().data?.collector.health;
  if (health?.source !== "replay") return null;
  return (
    <p className={styles.note} role="note">
      <History size={13} aria-hidden="true" />
      <b>Recorded sample.</b>
      <span>
        Real events of an earlier run, played again; not this machine&apos;s traffic
        {health.sourceNote === "" ? "." : `: ${health.sourceNote}`}
      </span>
    </p>
  );
}
