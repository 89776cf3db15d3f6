/**
 * Hot: panning and zooming at 60 frames/s with 1,000 nodes and 5,000 edges (bench/map.ts). The scene is drawn once, with a
 * margin, into a bitmap; a pan or zoom only moves and scales that bitmap; after a rest, or when the margin is used up, it
 * is drawn sharp again. Hover has a canvas of its own, so that it never redraws the scene.
 */
import { select, zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior } from "d3";
import { drawHover } from "./draw-hover.ts";
import { drawMap } from "./draw.ts";
import { fitted } from "./extent.ts";
import { hitTest, type Hit, type HitTest } from "./hit.ts";
import type { Look, Viewport } from "./look.ts";
import type { Scene } from "./scene.ts";

export interface MapViewEvents {
  /** A click; undefined = on the empty ground. */
  readonly onSelect: (hit: Hit | undefined) => void;
  readonly onHover: (hit: Hit | undefined, x: number, y: number) => void;
  /** A node was dragged to a place in scene units. */
  readonly onMoveNode: (key: string, x: number, y: number) => void;
  /** Zoom level after a change, for the controls and semantic zoom. */
  readonly onZoom: (k: number) => void;
  /**
   * An edge is dragged, by the pointer's place in the window; `done`: it was let go there, undefined place: the drag was given up.
   * Absent: dragging from an edge pans.
   */
  readonly onDragEdge?:
    ((key: string, at: { readonly x: number; readonly y: number } | undefined, done: boolean) => void) | undefined;
}

const ZOOM_RANGE: [number, number] = [0.08, 4];
/** Share of the view that the bitmap reaches beyond each side. */
const MARGIN = 0.5;
const SHARP_AFTER_MS = 100;
/** A new node comes in this time, ease-out; at once with reduced motion. */
const ARRIVE_MS = 300;

export class MapView {
  readonly #base: HTMLCanvasElement;
  readonly #over: HTMLCanvasElement;
  readonly #events: MapViewEvents;
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  #bitmap = document.createElement("canvas");
  /** The bitmap from before new nodes came: the new one fades in over it. Nothing else moved, so nothing else is seen to change. */
  #before: { readonly bitmap: HTMLCanvasElement; readonly drawn: Viewport; readonly since: number } | undefined;
  #scene: Scene | undefined;
  #look: Look | undefined;
  #hits: HitTest | undefined;
  #viewport: Viewport = { x: 0, y: 0, k: 1, width: 0, height: 0 };
  /** Where the bitmap was drawn. */
  #drawn: Viewport | undefined;
  #frame = 0;
  #sharpTimer = 0;
  #hovered: string | undefined;
  #fitted = false;
  #dragging: { key: string; kind: "node" | "edge"; moved: boolean } | undefined;

  constructor(base: HTMLCanvasElement, over: HTMLCanvasElement, events: MapViewEvents) {
    this.#base = base;
    this.#over = over;
    this.#events = events;
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent(ZOOM_RANGE)
      .filter((event: MouseEvent | WheelEvent) => !event.ctrlKey && event.button === 0 && this.#dragging === undefined)
      .on("zoom", (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => this.#moved(event.transform));
    over.addEventListener("pointerdown", this.#pointerDown, { capture: true });
    over.addEventListener("pointermove", this.#pointerMove);
    over.addEventListener("pointerup", this.#pointerUp);
    over.addEventListener("pointercancel", this.#pointerCancel);
    over.addEventListener("pointerleave", this.#pointerLeave);
    over.addEventListener("click", this.#click);
    select(over).call(this.#zoom).on("dblclick.zoom", null);
  }

  /** Releases timers and listeners. */
  dispose(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#sharpTimer);
    select(this.#over).on(".zoom", null);
    this.#over.removeEventListener("pointerdown", this.#pointerDown, { capture: true });
    this.#over.removeEventListener("pointermove", this.#pointerMove);
    this.#over.removeEventListener("pointerup", this.#pointerUp);
    this.#over.removeEventListener("pointercancel", this.#pointerCancel);
    this.#over.removeEventListener("pointerleave", this.#pointerLeave);
    this.#over.removeEventListener("click", this.#click);
  }

  /** Shows another scene or look. The first scene is fitted to the view; later ones never move it. */
  show(scene: Scene, look: Look): void {
    if (scene !== this.#scene) this.#hits = hitTest(scene);
    if (this.#drawn !== undefined && hasNewNodes(this.#scene, scene) && !reducedMotion()) {
      this.#before = { bitmap: this.#bitmap, drawn: this.#drawn, since: performance.now() };
      this.#bitmap = document.createElement("canvas");
    }
    this.#scene = scene;
    this.#look = look;
    if (!this.#fitted && scene.nodes.length > 0 && this.#viewport.width > 0) {
      this.#fitted = true;
      this.fit();
    }
    this.#drawn = undefined;
    this.#request();
  }

  resize(width: number, height: number): void {
    const ratio = devicePixelRatio;
    for (const canvas of [this.#base, this.#over]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#viewport = { ...this.#viewport, width, height };
    this.#drawn = undefined;
    if (!this.#fitted && this.#scene !== undefined && this.#scene.nodes.length > 0) {
      this.#fitted = true;
      this.fit();
    }
    this.#request();
  }

  /** Whole map in view, with its words. */
  fit(): void {
    if (this.#scene === undefined || this.#look === undefined) return;
    const { width, height } = this.#viewport;
    // A canvas of one pixel measures words as well as any.
    const pen = document.createElement("canvas").getContext("2d")!;
    const { x, y, k } = fitted(pen, this.#scene, this.#look, { width, height, least: ZOOM_RANGE[0] });
    this.#goTo(x, y, k);
  }

  zoomBy(factor: number): void {
    select(this.#over).call(this.#zoom.scaleBy, factor);
  }

  panBy(dx: number, dy: number): void {
    select(this.#over).call(this.#zoom.translateBy, dx / this.#viewport.k, dy / this.#viewport.k);
  }

  /** Brings a node to the middle, keeping the zoom. */
  centreOn(key: string): void {
    const node = this.#scene?.nodeByKey.get(key);
    if (node === undefined) return;
    const { k, width, height } = this.#viewport;
    this.#goTo(width / 2 - node.x * k, height / 2 - node.y * k, k);
  }

  get viewport(): Viewport {
    return this.#viewport;
  }

  #goTo(x: number, y: number, k: number): void {
    select(this.#over).call(this.#zoom.transform, zoomIdentity.translate(x, y).scale(k));
  }

  #moved(transform: { x: number; y: number; k: number }): void {
    const zoomed = transform.k !== this.#viewport.k;
    this.#viewport = { ...this.#viewport, x: transform.x, y: transform.y, k: transform.k };
    if (zoomed) this.#events.onZoom(transform.k);
    clearTimeout(this.#sharpTimer);
    this.#sharpTimer = window.setTimeout(() => {
      if (this.#drawn?.k === this.#viewport.k && this.#covers(this.#drawn)) return;
      this.#drawn = undefined;
      this.#request();
    }, SHARP_AFTER_MS);
    this.#request();
  }

  #request(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    if (this.#scene === undefined || this.#look === undefined || this.#viewport.width === 0) return;
    if (this.#drawn === undefined || !this.#covers(this.#drawn)) this.#drawBitmap(this.#scene, this.#look);
    const pen = this.#base.getContext("2d")!;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalAlpha = 1;
    pen.clearRect(0, 0, this.#base.width, this.#base.height);
    const before = this.#before;
    if (before !== undefined) {
      const passed = (performance.now() - before.since) / ARRIVE_MS;
      if (passed >= 1) this.#before = undefined;
      else {
        this.#place(pen, before.bitmap, before.drawn);
        pen.globalAlpha = 1 - (1 - passed) ** 3;
        this.#request();
      }
    }
    this.#place(pen, this.#bitmap, this.#drawn!);
    this.#paintHover();
  }

  /** A bitmap where the viewport has it now. */
  #place(pen: CanvasRenderingContext2D, bitmap: HTMLCanvasElement, drawn: Viewport): void {
    const ratio = devicePixelRatio;
    const scale = this.#viewport.k / drawn.k;
    const x = (this.#viewport.x - drawn.x * scale) * ratio;
    const y = (this.#viewport.y - drawn.y * scale) * ratio;
    pen.drawImage(bitmap, x, y, bitmap.width * scale, bitmap.height * scale);
  }

  /** True while the bitmap reaches over the whole view and is not blurred beyond use. */
  #covers(drawn: Viewport): boolean {
    const { x, y, k, width, height } = this.#viewport;
    const scale = k / drawn.k;
    if (scale > 2.5) return false;
    const left = x - drawn.x * scale;
    const top = y - drawn.y * scale;
    const bounds = this.#scene!.bounds;
    // What is not on the bitmap matters only where the scene has something.
    const sceneLeft = Math.max(0, x + bounds.x0 * k);
    const sceneTop = Math.max(0, y + bounds.y0 * k);
    const sceneRight = Math.min(width, x + bounds.x1 * k);
    const sceneBottom = Math.min(height, y + bounds.y1 * k);
    return (
      left <= sceneLeft + 1 &&
      top <= sceneTop + 1 &&
      left + drawn.width * scale >= sceneRight - 1 &&
      top + drawn.height * scale >= sceneBottom - 1
    );
  }

  #drawBitmap(scene: Scene, look: Look): void {
    const ratio = devicePixelRatio;
    const { x, y, k, width, height } = this.#viewport;
    const wide = Math.ceil(width * (1 + 2 * MARGIN));
    const high = Math.ceil(height * (1 + 2 * MARGIN));
    if (this.#bitmap.width !== wide * ratio || this.#bitmap.height !== high * ratio) {
      this.#bitmap.width = wide * ratio;
      this.#bitmap.height = high * ratio;
    }
    const viewport: Viewport = { x: x + width * MARGIN, y: y + height * MARGIN, k, width: wide, height: high };
    const pen = this.#bitmap.getContext("2d")!;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    drawMap(pen, scene, viewport, look);
    this.#drawn = viewport;
  }

  #paintHover(): void {
    const pen = this.#over.getContext("2d")!;
    const ratio = devicePixelRatio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.#viewport.width, this.#viewport.height);
    if (this.#scene !== undefined && this.#look !== undefined && this.#hovered !== undefined) {
      drawHover(pen, this.#scene, this.#viewport, this.#look, this.#hovered);
    }
  }

  #hitAt(event: MouseEvent): Hit | undefined {
    const box = this.#over.getBoundingClientRect();
    return this.#hits?.at(event.clientX - box.left, event.clientY - box.top, this.#viewport);
  }

  readonly #pointerDown = (event: PointerEvent): void => {
    const hit = this.#hitAt(event);
    this.#setHover(undefined, 0, 0);
    if (event.button !== 0 || hit === undefined) return;
    if (hit.kind === "edge" && this.#events.onDragEdge === undefined) return;
    this.#dragging = { key: hit.kind === "node" ? hit.node.key : hit.edge.key, kind: hit.kind, moved: false };
    this.#over.setPointerCapture(event.pointerId);
  };

  readonly #pointerMove = (event: PointerEvent): void => {
    const box = this.#over.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    if (this.#dragging !== undefined) {
      if (Math.abs(event.movementX) + Math.abs(event.movementY) === 0 && !this.#dragging.moved) return;
      this.#dragging.moved = true;
      if (this.#dragging.kind === "edge")
        return this.#events.onDragEdge?.(this.#dragging.key, { x: event.clientX, y: event.clientY }, false);
      this.#events.onMoveNode(
        this.#dragging.key,
        (x - this.#viewport.x) / this.#viewport.k,
        (y - this.#viewport.y) / this.#viewport.k,
      );
      return;
    }
    if (event.buttons !== 0) return;
    this.#setHover(this.#hits?.at(x, y, this.#viewport), x, y);
  };

  readonly #pointerCancel = (): void => {
    if (this.#dragging?.kind === "edge") this.#events.onDragEdge?.(this.#dragging.key, undefined, true);
    this.#dragging = undefined;
  };

  readonly #pointerUp = (event: PointerEvent): void => {
    const dragged = this.#dragging?.moved === true;
    if (dragged && this.#dragging?.kind === "edge")
      this.#events.onDragEdge?.(this.#dragging.key, { x: event.clientX, y: event.clientY }, true);
    // The click that ends a drag is not a selection.
    window.setTimeout(() => (this.#dragging = undefined), dragged ? 0 : undefined);
    if (!dragged) this.#dragging = undefined;
  };

  readonly #pointerLeave = (): void => this.#setHover(undefined, 0, 0);

  readonly #click = (event: MouseEvent): void => {
    if (this.#dragging?.moved === true) return;
    this.#events.onSelect(this.#hitAt(event));
  };

  #setHover(hit: Hit | undefined, x: number, y: number): void {
    const key = hit === undefined ? undefined : hit.kind === "node" ? hit.node.key : hit.edge.key;
    this.#events.onHover(hit, x, y);
    if (key === this.#hovered) return;
    this.#hovered = key;
    this.#over.dataset["over"] = hit?.kind ?? "";
    this.#paintHover();
  }
}

/** True when a scene shows nodes that the one before it did not. */
function hasNewNodes(old: Scene | undefined, scene: Scene): boolean {
  return old !== undefined && scene.nodes.some((node) => !old.nodeByKey.has(node.key));
}

function reducedMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
