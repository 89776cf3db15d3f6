"use client";

import { useEffect, useRef, type KeyboardEvent, type RefObject } from "react";
import type { Hit } from "./hit.ts";
import type { Look } from "./look.ts";
import { MapView, type MapViewEvents } from "./map-view.ts";
import styles from "./SceneCanvas.module.css";
import type { Scene } from "./scene.ts";

interface Props {
  readonly scene: Scene;
  readonly look: Look;
  /** Set to the view while it is mounted, for zoom buttons and search. */
  readonly view: RefObject<MapView | undefined>;
  readonly onSelect: (hit: Hit | undefined) => void;
  readonly onHover: (hit: Hit | undefined, x: number, y: number) => void;
  readonly onMoveNode: (key: string, x: number, y: number) => void;
  readonly onZoom: (k: number) => void;
  readonly onDragEdge?: MapViewEvents["onDragEdge"];
}

const PAN_PX = 60;
const NUDGE = 12;

/** The map as pixels: the scene on one canvas, hover on another. Arrow keys pan, `+ - 0` zoom, Shift + arrows move the selected node. */
export function SceneCanvas({ scene, look, view, onSelect, onHover, onMoveNode, onZoom, onDragEdge }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const events = useRef({ onSelect, onHover, onMoveNode, onZoom, onDragEdge });
  useEffect(() => {
    events.current = { onSelect, onHover, onMoveNode, onZoom, onDragEdge };
  });

  const dragsEdges = onDragEdge !== undefined;
  useEffect(() => {
    const created = new MapView(base.current!, over.current!, {
      onSelect: (hit) => events.current.onSelect(hit),
      onHover: (hit, x, y) => events.current.onHover(hit, x, y),
      onMoveNode: (key, x, y) => events.current.onMoveNode(key, x, y),
      onZoom: (k) => events.current.onZoom(k),
      onDragEdge: dragsEdges ? (key, at, done) => events.current.onDragEdge?.(key, at, done) : undefined,
    });
    view.current = created;
    const size = new ResizeObserver(([entry]) => created.resize(entry!.contentRect.width, entry!.contentRect.height));
    size.observe(frame.current!);
    return () => {
      size.disconnect();
      created.dispose();
      view.current = undefined;
    };
  }, [view, dragsEdges]);

  useEffect(() => view.current?.show(scene, look), [scene, look, view]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const arrow = ARROWS[event.key];
    if (arrow === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const node = look.selected === undefined ? undefined : scene.nodeByKey.get(look.selected);
    if (event.shiftKey && node !== undefined)
      onMoveNode(node.key, node.x + arrow[0] * NUDGE, node.y + arrow[1] * NUDGE);
    else view.current?.panBy(-arrow[0] * PAN_PX, -arrow[1] * PAN_PX);
  };

  return (
    <div
      ref={frame}
      className={styles.frame}
      tabIndex={0}
      role="application"
      aria-label="Service map. Arrow keys pan, plus and minus zoom. The same as a table: press the Table button."
      onKeyDown={onKeyDown}
    >
      <canvas ref={base} className={styles.canvas} />
      <canvas ref={over} className={styles.over} data-testid="map-canvas" />
    </div>
  );
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
