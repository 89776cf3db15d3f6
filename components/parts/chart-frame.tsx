"use client";

import { scaleTime, timeFormat, type ScaleTime } from "d3";
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  type RefObject,
} from "react";
import styles from "./charts.module.css";

/** Where the crosshair stands, in ms, shared by all charts under one provider: a failure lines up with the RTT it came with. */
interface Crosshair {
  readonly atMs: number | undefined;
  setAt(ms: number | undefined): void;
}

const CrosshairContext = createContext<Crosshair>({ atMs: undefined, setAt: () => undefined });

export function CrosshairProvider({ children }: { readonly children: ReactNode }) {
  const [atMs, setAt] = useState<number | undefined>();
  const value = useMemo(() => ({ atMs, setAt }), [atMs]);
  return <CrosshairContext value={value}>{children}</CrosshairContext>;
}

/** The shared crosshair; without a provider it never shows. */
export function useCrosshair(): Crosshair {
  return useContext(CrosshairContext);
}

/** The element's width in CSS px, 0 until measured. */
export function useWidth(): readonly [RefObject<HTMLDivElement | null>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

const SECONDS = timeFormat("%H:%M:%S");

/** The time scale of a chart of `width` px. */
export function timeScale(from: number, to: number, width: number): ScaleTime<number, number> {
  return scaleTime([from, to], [0, width]);
}

interface BrushProps {
  readonly x: ScaleTime<number, number>;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly stepMs: number;
  /** Undefined: the chart only shows the crosshair. */
  onZoom?: ((from: number, to: number) => void) | undefined;
}

const MIN_DRAG_PX = 4;

/**
 * The layer that takes the pointer: moving sets the crosshair, dragging chooses a range. Arrows move the crosshair,
 * Shift with arrows stretches a range, Enter zooms to it, Esc gives it up.
 */
export function BrushLayer({ x, width, height, label, stepMs, onZoom }: BrushProps) {
  const { atMs, setAt } = useCrosshair();
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | undefined>();
  const clamp = useCallback((px: number) => Math.max(0, Math.min(width, px)), [width]);
  const place = (event: PointerEvent<SVGRectElement>): number =>
    clamp(event.clientX - event.currentTarget.getBoundingClientRect().left);
  const move = (event: PointerEvent<SVGRectElement>): void => {
    const px = place(event);
    setAt(x.invert(px).getTime());
    if (drag !== undefined && event.buttons === 1) setDrag({ from: drag.from, to: px });
  };
  const down = (event: PointerEvent<SVGRectElement>): void => {
    if (onZoom === undefined || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const px = place(event);
    setDrag({ from: px, to: px });
  };
  const zoom = (from: number, to: number): void => {
    const [a, b] = from < to ? [from, to] : [to, from];
    const start = Math.floor(x.invert(a).getTime() / stepMs) * stepMs;
    onZoom?.(start, Math.max(start + stepMs, Math.ceil(x.invert(b).getTime() / stepMs) * stepMs));
  };
  const up = (): void => {
    if (drag !== undefined && Math.abs(drag.to - drag.from) >= MIN_DRAG_PX) zoom(drag.from, drag.to);
    setDrag(undefined);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const step = x(new Date(x.invert(0).getTime() + stepMs)) * (event.key === "ArrowLeft" ? -1 : 1);
      const px = clamp((atMs === undefined ? width / 2 : x(new Date(atMs))) + step);
      if (event.shiftKey && onZoom !== undefined) setDrag({ from: drag?.from ?? px - step, to: px });
      setAt(x.invert(px).getTime());
    } else if (event.key === "Enter" && drag !== undefined) up();
    else if (event.key === "Escape" && drag !== undefined) setDrag(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <>
      {drag === undefined ? null : (
        <rect
          className={styles.brush}
          x={Math.min(drag.from, drag.to)}
          width={Math.abs(drag.to - drag.from)}
          height={height}
        />
      )}
      <rect
        className={onZoom === undefined ? styles.pointer : styles.pointerBrush}
        width={width}
        height={height}
        tabIndex={0}
        role="slider"
        aria-label={`${label}: crosshair`}
        aria-valuemin={x.domain()[0]!.getTime()}
        aria-valuemax={x.domain()[1]!.getTime()}
        aria-valuenow={atMs ?? x.domain()[0]!.getTime()}
        aria-valuetext={atMs === undefined ? "not set" : SECONDS(new Date(atMs))}
        onPointerMove={move}
        onPointerDown={down}
        onPointerUp={up}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => (drag === undefined ? setAt(undefined) : undefined)}
        onKeyDown={key}
        onBlur={() => setAt(undefined)}
      />
    </>
  );
}

/** The vertical line of the crosshair, drawn where the time is within the chart. */
export function CrosshairLine({ x, height }: { readonly x: ScaleTime<number, number>; readonly height: number }) {
  const { atMs } = useCrosshair();
  if (atMs === undefined) return null;
  const px = x(new Date(atMs));
  if (px < x.range()[0]! || px > x.range()[1]!) return null;
  return <line className={styles.crosshair} x1={px} x2={px} y1={0} y2={height} />;
}
