"use client";

import { X } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { Button } from "./Button.tsx";
import styles from "./Panel.module.css";

interface PanelProps {
  /** The kind of thing in a word: "Edge", "Connection". */
  readonly kind: string;
  readonly title: ReactNode;
  readonly badge?: ReactNode;
  readonly facts?: ReactNode;
  /** Icon buttons before the close button. */
  readonly tools?: ReactNode;
  /** Actions, the likely next step first. */
  readonly foot?: ReactNode;
  readonly children: ReactNode;
  onClose(): void;
}

const MIN_PX = 320;
const MAX_PX = 640;
const START_PX = 372;

/** The one selected thing, at the right; a sheet from below under 1,000 px. Esc closes, the left edge resizes. */
export function Panel({ kind, title, badge, facts, tools, foot, children, onClose }: PanelProps) {
  const element = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(START_PX);
  useEffect(() => element.current?.style.setProperty("--panel-width", `${width}px`), [width]);
  useEffect(() => {
    const close = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest("dialog, [role=dialog], [role=menu], input") !== null)
        return;
      onClose();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <aside ref={element} className={styles.panel} aria-label={kind}>
      <Resizer width={width} onWidth={(px) => setWidth(Math.min(MAX_PX, Math.max(MIN_PX, px)))} />
      <header className={styles.head}>
        <div className={styles.top}>
          <span>{kind}</span>
          {tools}
          <Button look="bare" small iconOnly aria-label="Close the panel" onClick={onClose}>
            <X size={14} aria-hidden="true" />
          </Button>
        </div>
        <div className={styles.title}>
          <h2>{title}</h2>
          {badge}
        </div>
        {facts === undefined ? null : <div className={styles.facts}>{facts}</div>}
      </header>
      <div className={styles.body} tabIndex={0} role="group" aria-label={`${kind} details`}>
        {children}
      </div>
      {foot === undefined ? null : <footer className={styles.foot}>{foot}</footer>}
    </aside>
  );
}

/** A part of a panel; sections go from "how much" to "why" to "who". */
export function PanelSection({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className={styles.section}>
      <h3>
        {title}
        {note === undefined ? null : <span>{note}</span>}
      </h3>
      {children}
    </section>
  );
}

/** Name and value, one a line. */
export function FactList({
  facts,
}: {
  readonly facts: readonly { readonly name: string; readonly value: ReactNode }[];
}) {
  return (
    <dl className={styles.list}>
      {facts.map((fact) => (
        <div key={fact.name}>
          <dt>{fact.name}</dt>
          <dd>{fact.value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Resizer({ width, onWidth }: { readonly width: number; onWidth(px: number): void }) {
  const start = useRef<{ readonly x: number; readonly width: number } | undefined>(undefined);
  const down = (event: PointerEvent<HTMLDivElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, width };
  };
  const move = (event: PointerEvent): void => {
    if (start.current !== undefined) onWidth(start.current.width + start.current.x - event.clientX);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowLeft") onWidth(width + 16);
    else if (event.key === "ArrowRight") onWidth(width - 16);
    else return;
    event.preventDefault();
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={width}
      aria-valuemin={MIN_PX}
      aria-valuemax={MAX_PX}
      tabIndex={0}
      className={styles.resizer}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => (start.current = undefined)}
      onKeyDown={key}
    />
  );
}
