"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useCallback, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import styles from "./Table.module.css";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** A grid track: `120px`, `minmax(140px, 2fr)`. */
  readonly width: string;
  readonly numeric?: boolean;
  cell(row: Row): ReactNode;
  /** Makes the column sortable here; rows that the server sorts give `onSort` to the table instead. */
  sortValue?(row: Row): number | string;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface TableProps<Row> {
  /** What the rows are, for screen readers: "Causes of drops". */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  rowKey(row: Row): string;
  readonly selected?: string | undefined;
  onSelect?(row: Row | undefined): void;
  /** Enter or double click. */
  onOpen?(row: Row): void;
  readonly sort?: Sort;
  /** Given: the caller sorts. Not given: columns with `sortValue` sort here. */
  onSort?(sort: Sort): void;
  /** 28 px, or 36 comfortable, 53 on touch. */
  readonly rowHeight?: number;
  /** Called when the last rows come into view. */
  onEnd?(): void;
  /** Below the last row: "all rows shown", "reading older flows". */
  readonly foot?: ReactNode;
  /** The table scrolls by itself and fills its place (default), or grows with its rows. */
  readonly grow?: boolean;
}

/** Rows of fixed height, drawn only where they can be seen. j/k and arrows move the selection, Enter opens, Home/End jump. */
export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, rowKey, selected, onSelect, onOpen, rowHeight = 28, onEnd, foot, grow = true } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const { sort, setSort, sorted } = useSorted(props);
  const index = useMemo(
    () => (selected === undefined ? -1 : sorted.findIndex((row) => rowKey(row) === selected)),
    [selected, sorted, rowKey],
  );
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    enabled: grow,
  });
  const items = grow ? virtual.getVirtualItems() : sorted.map((_, at) => ({ index: at, start: at * rowHeight }));
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd !== undefined && last >= 0 && last >= rows.length - 5) onEnd();
  }, [last, rows.length, onEnd]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    element.style.setProperty("--columns", columns.map((column) => column.width).join(" "));
    element.style.setProperty("--least", `${leastWidth(columns)}px`);
    element.style.setProperty("--row", `${rowHeight}px`);
  }, [columns, rowHeight]);

  const move = useCallback(
    (to: number) => {
      const row = sorted[Math.max(0, Math.min(sorted.length - 1, to))];
      if (row === undefined) return;
      onSelect?.(row);
      if (grow) virtual.scrollToIndex(sorted.indexOf(row), { align: "auto" });
    },
    [sorted, onSelect, virtual, grow],
  );
  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 280) / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      j: index + 1,
      ArrowDown: index + 1,
      k: Math.max(0, index - 1),
      ArrowUp: Math.max(0, index - 1),
      Home: 0,
      End: sorted.length - 1,
      PageDown: index + page,
      PageUp: index - page,
    };
    const to = steps[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" && index >= 0 && event.target === event.currentTarget) onOpen?.(sorted[index]!);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={scroller}
      className={grow ? styles.scroller : styles.whole}
      role="grid"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      aria-colcount={columns.length}
      tabIndex={0}
      aria-activedescendant={index >= 0 ? `${id}-${index}` : undefined}
      onKeyDown={key}
    >
      <div className={styles.head} role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <HeadCell
            key={column.id}
            column={column}
            sort={sort}
            onSort={setSort}
            sortable={column.sortValue !== undefined || props.onSort !== undefined}
          />
        ))}
      </div>
      <Body height={sorted.length * rowHeight}>
        {items.map((item) => {
          const row = sorted[item.index]!;
          const isSelected = item.index === index;
          return (
            <RowPlace
              key={rowKey(row)}
              id={`${id}-${item.index}`}
              top={item.start}
              rowIndex={item.index + 2}
              selected={isSelected}
              onClick={() => onSelect?.(isSelected ? undefined : row)}
              onDoubleClick={() => onOpen?.(row)}
            >
              {columns.map((column) => (
                <div key={column.id} role="gridcell" className={column.numeric === true ? styles.number : styles.cell}>
                  {column.cell(row)}
                </div>
              ))}
            </RowPlace>
          );
        })}
      </Body>
      {foot === undefined ? null : <div className={styles.foot}>{foot}</div>}
    </div>
  );
}

const SIDES_PX = 16; // padding of a row

/** What the columns need at least: below it the table scrolls sideways, head and rows alike. */
function leastWidth(columns: readonly { readonly width: string }[]): number {
  return columns.reduce((sum, column) => sum + Number(/\d+/.exec(column.width)?.[0] ?? 0), SIDES_PX);
}

function useSorted<Row>({ rows, columns, sort: given, onSort }: TableProps<Row>) {
  const [own, setOwn] = useState<Sort | undefined>(given);
  const sort = onSort === undefined ? own : given;
  const sorted = useMemo(() => {
    const by =
      onSort === undefined && sort !== undefined
        ? columns.find((column) => column.id === sort.column)?.sortValue
        : undefined;
    if (by === undefined || sort === undefined) return rows;
    const sign = sort.descending ? -1 : 1;
    return rows.toSorted((a, b) => sign * compare(by(a), by(b)));
  }, [rows, columns, sort, onSort]);
  return { sort, setSort: onSort ?? setOwn, sorted };
}

function compare(a: number | string, b: number | string): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

function HeadCell<Row>({
  column,
  sort,
  sortable,
  onSort,
}: {
  readonly column: Column<Row>;
  readonly sort: Sort | undefined;
  readonly sortable: boolean;
  onSort(sort: Sort): void;
}) {
  const active = sort?.column === column.id ? sort : undefined;
  const Arrow = active?.descending === true ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={active === undefined ? "none" : active.descending ? "descending" : "ascending"}
      className={column.numeric === true ? styles.number : styles.cell}
    >
      {sortable ? (
        <button
          type="button"
          onClick={() =>
            onSort({
              column: column.id,
              descending: active === undefined ? column.numeric === true : !active.descending,
            })
          }
        >
          {column.title}
          {active === undefined ? null : <Arrow size={11} aria-hidden="true" />}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

/** Gives the scroll area its whole height. Set by script: the CSP lets no style attribute of the server through. */
function Body({ height, children }: { readonly height: number; readonly children: ReactNode }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element.current !== null) element.current.style.height = `${height}px`;
  }, [height]);
  return (
    <div ref={element} className={styles.body} role="rowgroup">
      {children}
    </div>
  );
}

interface RowPlaceProps {
  readonly id: string;
  readonly top: number;
  readonly rowIndex: number;
  readonly selected: boolean;
  readonly children: ReactNode;
  onClick(): void;
  onDoubleClick(): void;
}

function RowPlace({ id, top, rowIndex, selected, children, onClick, onDoubleClick }: RowPlaceProps) {
  const place = useCallback(
    (element: HTMLDivElement | null) => element?.style.setProperty("transform", `translateY(${top}px)`),
    [top],
  );
  return (
    <div
      ref={place}
      id={id}
      role="row"
      aria-rowindex={rowIndex}
      aria-selected={selected}
      className={styles.row}
      onClick={onClick}
      onDoubleClick={onDoubleClick}
    >
      {children}
    </div>
  );
}
