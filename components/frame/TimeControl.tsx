"use client";

import { ChevronDown, ChevronLeft, ChevronRight, Clock } from "lucide-react";
import { Popover } from "radix-ui";
import { useRef, useState, type FormEvent } from "react";
import type { TimeRangeText } from "../../model/time-range.ts";
import { rangeWords } from "../parts/numbers.ts";
import { Tooltip } from "../parts/Tooltip.tsx";
import styles from "./TopBar.module.css";
import { readTypedRange } from "./typed-range.ts";
import { useUrlState } from "./use-url-state.ts";
import { useClient } from "./use-client.ts";
import { useViewRange } from "./view-range.tsx";

const NAMED: readonly { readonly name: string; readonly from: string }[] = [
  { name: "Last 5 min", from: "now-5m" },
  { name: "Last 15 min", from: "now-15m" },
  { name: "Last hour", from: "now-1h" },
  { name: "Last 6 hours", from: "now-6h" },
  { name: "Last 24 hours", from: "now-24h" },
  { name: "Last 7 days", from: "now-7d" },
  { name: "Last 30 days", from: "now-30d" },
];

/** Name and absolute times in one control; the arrows step by its length; the list takes typed ranges. */
export function TimeControl() {
  const { rangeText, setRange, zoomTo } = useUrlState();
  const range = useViewRange();
  const client = useClient();
  const [open, setOpen] = useState(false);
  const step = (direction: 1 | -1): void =>
    zoomTo(range.from + direction * range.lengthMs, range.to + direction * range.lengthMs);
  const choose = (chosen: TimeRangeText): void => {
    setRange(chosen);
    setOpen(false);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <div className={range.problem === undefined ? styles.time : `${styles.time} ${styles.wrong}`}>
        <Tooltip text="Back by its length">
          <button type="button" className={styles.step} aria-label="Earlier" onClick={() => step(-1)}>
            <ChevronLeft size={14} aria-hidden="true" />
          </button>
        </Tooltip>
        <Popover.Trigger asChild>
          <button type="button" data-frame-time="" aria-label={`Time range: ${nameOf(rangeText)}`}>
            <Clock size={14} aria-hidden="true" />
            <span className={styles.name}>{nameOf(rangeText)}</span>
            <span className={styles.absolute}>{client ? rangeWords(range.from, range.to, range.nowMs) : ""}</span>
            <ChevronDown size={13} aria-hidden="true" />
          </button>
        </Popover.Trigger>
        <Tooltip text="On by its length">
          <button type="button" className={styles.step} aria-label="Later" onClick={() => step(1)}>
            <ChevronRight size={14} aria-hidden="true" />
          </button>
        </Tooltip>
      </div>
      <Popover.Portal>
        <Popover.Content
          className={styles.menu}
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label="Time range"
        >
          <TypedRangeField onRange={choose} problem={range.problem} />
          {NAMED.map(({ name, from }) => (
            <button
              key={from}
              type="button"
              className={styles.item}
              aria-pressed={rangeText.from === from && rangeText.to === "now"}
              onClick={() => choose({ from, to: "now" })}
            >
              {name}
              <span className={styles.count}>{from}</span>
            </button>
          ))}
          <p className={styles.hint}>
            Times in {client ? Intl.DateTimeFormat().resolvedOptions().timeZone : "your zone"}. Drag in a chart to zoom;
            Back undoes.
          </p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function TypedRangeField({
  onRange,
  problem,
}: {
  onRange(range: TimeRangeText): void;
  readonly problem: string | undefined;
}) {
  const field = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(problem);
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    const read = readTypedRange(field.current?.value ?? "", Date.now());
    if ("problem" in read) setWrong(read.problem);
    else onRange(read.range);
  };
  return (
    <form onSubmit={apply}>
      <input
        ref={field}
        className={styles.typed}
        placeholder="now-6h, or Tue 14:00 – 14:30"
        aria-label="Type a range"
        aria-invalid={wrong !== undefined}
        aria-describedby="range-problem"
        onInput={() => setWrong(undefined)}
        spellCheck={false}
        autoComplete="off"
      />
      <p id="range-problem" className={wrong === undefined ? "visually-hidden" : styles.problem} role="status">
        {wrong}
      </p>
    </form>
  );
}

/** `Last 15 min` for what the list has, `Last 90 min` for other relative ones, `Fixed range` else. */
function nameOf({ from, to }: TimeRangeText): string {
  if (to !== "now") return from.startsWith("now") ? `${from} – ${to}` : "Fixed range";
  const named = NAMED.find((entry) => entry.from === from);
  if (named !== undefined) return named.name;
  const length = /^now-(\d+)([smhdw])$/.exec(from);
  return length === null ? "Since then" : `Last ${length[1]} ${UNITS[length[2]!]}`;
}

const UNITS: Readonly<Record<string, string>> = { s: "s", m: "min", h: "hours", d: "days", w: "weeks" };
