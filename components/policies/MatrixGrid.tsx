"use client";

import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { MatrixAnswer } from "./answers.ts";
import styles from "./Matrix.module.css";
import { CELLS, nameOf, type MatrixOrder, type MatrixPlaces } from "./matrix-cells.ts";

/** Side of a cell, width of the row heads, height of the column heads: as in Matrix.module.css. */
const CELL = 24;
const HEAD_WIDTH = 180;
const HEAD_HEIGHT = 140;
/** Cells beyond the edge of the view that are there already. */
const OVERSCAN = 4;

interface Props {
  readonly answer: MatrixAnswer;
  readonly places: MatrixPlaces;
  readonly order: MatrixOrder;
  /** The cell that is pointed at: source × n + destination. */
  readonly at: number | undefined;
  onAt(cell: number | undefined): void;
  onOrder(order: MatrixOrder): void;
  onOpen(cell: number): void;
}

/** The cells that are in view, of 200 × 200: forty thousand at once would keep the page from answering. */
export function MatrixGrid({ answer, places, order, at, onAt, onOrder, onOpen }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const view = useView(frame);
  const n = answer.sources.length;
  const rows = span(view.top - HEAD_HEIGHT, view.height, n);
  const columns = span(view.left - HEAD_WIDTH, view.width, n);
  const [row, column] =
    at === undefined ? [-1, -1] : [places.rows.indexOf(Math.floor(at / n)), places.columns.indexOf(at % n)];
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === "Enter" && at !== undefined && event.target === frame.current) return onOpen(at);
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = [clamp(row + step[0], n), clamp(column + step[1], n)] as const;
    onAt(places.rows[next[0]]! * n + places.columns[next[1]]!);
    bringIntoView(frame.current!, next[0], next[1]);
  };
  return (
    <div
      ref={frame}
      className={styles.grid}
      tabIndex={0}
      role="grid"
      aria-label="Matrix"
      aria-rowcount={n + 1}
      aria-colcount={n + 1}
      aria-activedescendant={at === undefined ? undefined : `cell-${at}`}
      onKeyDown={onKeyDown}
      onMouseLeave={() => onAt(undefined)}
    >
      <div className={styles.sheet} ref={placed({ width: HEAD_WIDTH + n * CELL, height: HEAD_HEIGHT + n * CELL })}>
        <div className={styles.heads} role="row" aria-rowindex={1}>
          <span className={styles.corner} role="columnheader" aria-label="Source" />
          {columns.map((place) => {
            const to = places.columns[place]!;
            return (
              <span
                key={to}
                role="columnheader"
                aria-colindex={place + 2}
                aria-sort={order.by === "destination" && order.of === to ? "descending" : "none"}
                className={styles.columnHead}
                data-at={place === column}
                ref={placed({ left: HEAD_WIDTH + place * CELL })}
              >
                <button
                  type="button"
                  tabIndex={-1}
                  title={`${nameOf(answer.destinations[to]!)}: sort sources by connections to it`}
                  onClick={() => onOrder({ by: "destination", of: to })}
                >
                  {nameOf(answer.destinations[to]!)}
                </button>
              </span>
            );
          })}
        </div>
        {rows.map((place) => {
          const from = places.rows[place]!;
          return (
            <div
              key={from}
              className={styles.row}
              role="row"
              aria-rowindex={place + 2}
              ref={placed({ top: HEAD_HEIGHT + place * CELL })}
            >
              <span
                role="rowheader"
                className={styles.rowHead}
                data-at={place === row}
                aria-sort={order.by === "source" && order.of === from ? "descending" : "none"}
              >
                <button
                  type="button"
                  tabIndex={-1}
                  title={`${nameOf(answer.sources[from]!)}: sort destinations by connections from it`}
                  onClick={() => onOrder({ by: "source", of: from })}
                >
                  {nameOf(answer.sources[from]!)}
                </button>
              </span>
              {columns.map((columnPlace) => {
                const cell = from * n + places.columns[columnPlace]!;
                const kind = answer.cells[cell]!;
                return (
                  <span
                    key={columnPlace}
                    id={`cell-${cell}`}
                    role="gridcell"
                    aria-colindex={columnPlace + 2}
                    aria-label={CELLS[kind]!.words}
                    aria-selected={cell === at}
                    className={styles.cell}
                    data-kind={kind}
                    data-at={cell === at}
                    ref={placed({ left: HEAD_WIDTH + columnPlace * CELL })}
                    onMouseEnter={() => onAt(cell)}
                    onClick={() => onOpen(cell)}
                  >
                    {CELLS[kind]!.sign}
                  </span>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Puts an element at its place, in px. Not as a `style` in the page's text: its policy on content refuses those. */
function placed(to: Readonly<Record<string, number>>): (element: HTMLElement | null) => void {
  return (element) => {
    for (const [name, px] of Object.entries(to)) element?.style.setProperty(name, `${px}px`);
  };
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function clamp(place: number, n: number): number {
  return Math.min(n - 1, Math.max(0, place));
}

/** Places from `start` px on for `length` px, some more on both sides. */
function span(start: number, length: number, n: number): number[] {
  const first = Math.max(0, Math.floor(start / CELL) - OVERSCAN);
  const last = Math.min(n, Math.ceil((start + length + HEAD_WIDTH) / CELL) + OVERSCAN);
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
}

function bringIntoView(frame: HTMLElement, row: number, column: number): void {
  const top = row * CELL;
  const left = column * CELL;
  if (top < frame.scrollTop) frame.scrollTop = top;
  else if (top + CELL + HEAD_HEIGHT > frame.scrollTop + frame.clientHeight)
    frame.scrollTop = top + CELL + HEAD_HEIGHT - frame.clientHeight;
  if (left < frame.scrollLeft) frame.scrollLeft = left;
  else if (left + CELL + HEAD_WIDTH > frame.scrollLeft + frame.clientWidth)
    frame.scrollLeft = left + CELL + HEAD_WIDTH - frame.clientWidth;
}

/** What of the sheet is in view, in px; follows scrolling by whole cells. */
function useView(frame: { readonly current: HTMLElement | null }) {
  const [view, setView] = useState({ top: 0, left: 0, width: 1200, height: 800 });
  useEffect(() => {
    const element = frame.current!;
    const look = (): void => {
      const next = {
        top: Math.floor(element.scrollTop / CELL) * CELL,
        left: Math.floor(element.scrollLeft / CELL) * CELL,
        width: element.clientWidth,
        height: element.clientHeight,
      };
      setView((known) =>
        known.top === next.top && known.left === next.left && known.width === next.width && known.height === next.height
          ? known
          : next,
      );
    };
    look();
    const size = new ResizeObserver(look);
    size.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      size.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [frame]);
  return view;
}
