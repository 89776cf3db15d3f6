/** What bench/map.ts opens in the browser: the map's own layout, scene and view with a made-up graph; no React, no store. */
import type { Graph, GraphEdge, GraphNode } from "../components/map/graph.ts";
import { drawMap } from "../components/map/draw.ts";
import { layout } from "../components/map/layout.ts";
import type { Look } from "../components/map/look.ts";
import { MapView } from "../components/map/map-view.ts";
import { buildScene } from "../components/map/scene.ts";
import { random } from "./random.ts";

/** Milliseconds, all of them. */
export interface MapFigures {
  readonly layoutMs: number;
  /** One whole frame into a bitmap, script only; median of ten. */
  readonly drawMs: number;
  /** Between frames while panning, in order. */
  readonly gaps: readonly number[];
}

const NAMESPACES = 40;

/** A graph with hubs: half of all edges go to one node in twenty. */
function makeGraph(nodeCount: number, edgeCount: number, seed: number): Graph {
  const next = random(seed);
  const nodes: GraphNode[] = Array.from({ length: nodeCount }, (_, i) => ({
    key: `team-${i % NAMESPACES}/workload-${i}`,
    namespace: `team-${i % NAMESPACES}`,
    name: `workload-${i}`,
    shape: (["workload", "workload", "datastore", "gateway"] as const)[i % 4]!,
    count: 1 + (i % 7),
    detail: "",
    detailIsTrouble: false,
    failing: i % 50 === 0 ? 0.2 : 0,
    gone: false,
    weight: next() * 1000,
  }));
  const edges = new Map<string, GraphEdge>();
  while (edges.size < edgeCount) {
    const source = nodes[Math.floor(next() * nodeCount)]!;
    const target = nodes[next() < 0.5 ? Math.floor(next() * (nodeCount / 20)) * 20 : Math.floor(next() * nodeCount)]!;
    const key = `${source.key} → ${target.key}`;
    if (source === target || edges.has(key)) continue;
    const draw = next();
    edges.set(key, {
      key,
      source: source.key,
      target: target.key,
      state: draw < 0.01 ? "denied" : draw < 0.03 ? "degraded" : draw < 0.04 ? "fresh" : "allowed",
      perSecond: next() ** 4 * 900,
      label: String(Math.round(next() * 900)),
      stoppedAt: "ingress",
      faint: false,
    });
  }
  return { nodes, edges: [...edges.values()] };
}

const LOOK: Look = {
  selected: undefined,
  focus: false,
  found: new Set(),
  theme: {
    canvas: "#11161c",
    raised: "#171d25",
    line: "#222b35",
    control: "#667585",
    text: "#e6ebf0",
    text2: "#aab5c0",
    text3: "#8794a1",
    allowed: "#56b4e9",
    quiet: "#3e7396",
    denied: "#f0793a",
    degraded: "#e3b341",
    fresh: "#d98bb6",
    gone: "#9aa3af",
    willAllow: "#2bc49a",
    hull: "#161c23",
    sans: "system-ui, sans-serif",
  },
};

/** Lays out, shows, and drags the map there and back for `seconds` at `speed` px a second, with mouse events as a hand makes them. */
async function measure(nodes: number, edges: number, seconds: number, speed: number): Promise<MapFigures> {
  const graph = makeGraph(nodes, edges, 1);
  const began = performance.now();
  const places = layout({
    nodes: graph.nodes.map((node) => ({ key: node.key, group: node.namespace })),
    edges: graph.edges.map((edge) => ({ source: edge.source, target: edge.target, weight: 1 })),
    places: {},
  });
  const layoutMs = performance.now() - began;
  const scene = buildScene(graph, places);
  const [base, over] = [...document.querySelectorAll("canvas")] as [HTMLCanvasElement, HTMLCanvasElement];
  const ignore = (): void => undefined;
  const view = new MapView(base, over, { onSelect: ignore, onHover: ignore, onMoveNode: ignore, onZoom: ignore });
  view.resize(innerWidth, innerHeight);
  view.show(scene, LOOK);
  view.zoomBy(3); // the whole is too small to pan; a part fills the screen
  const offscreen = document.createElement("canvas");
  offscreen.width = innerWidth * 2;
  offscreen.height = innerHeight * 2;
  const pen = offscreen.getContext("2d")!;
  const draws = Array.from({ length: 10 }, () => {
    const start = performance.now();
    pen.clearRect(0, 0, offscreen.width, offscreen.height);
    drawMap(pen, scene, { ...view.viewport, width: offscreen.width, height: offscreen.height }, LOOK);
    return performance.now() - start;
  }).toSorted((a, b) => a - b);
  await frames(500, ignore); // the first sharp bitmap is not part of the pan
  const mouse = (type: string, x: number, y: number): MouseEvent =>
    new MouseEvent(type, {
      clientX: x,
      clientY: y,
      button: 0,
      buttons: 1,
      bubbles: true,
      cancelable: true,
      view: window,
    });
  const [x, y] = [innerWidth / 2, innerHeight / 2];
  over.dispatchEvent(mouse("mousedown", x, y));
  let moved = 0;
  const from = view.viewport.x;
  const gaps = await frames(seconds * 1000, (ms) => {
    // To one side and back: farther than the bitmap's margin of half a screen, so that sharp redraws are part of it.
    const way = (Math.min(ms, seconds * 1000 - ms) / 1000) * speed;
    dispatchEvent(mouse("mousemove", x + way, y + way / 5));
    moved = Math.max(moved, Math.abs(view.viewport.x - from));
  });
  if (moved < (speed * seconds) / 3) throw new Error(`the map moved by ${moved} px only`);
  dispatchEvent(mouse("mouseup", x, y));
  view.dispose();
  return { layoutMs, drawMs: draws[5]!, gaps };
}

/** Calls back on each frame for `ms`; the gaps between them. */
function frames(ms: number, each: (passed: number) => void): Promise<number[]> {
  return new Promise((resolve) => {
    const gaps: number[] = [];
    let start = 0;
    let last = 0;
    const frame = (now: number): void => {
      if (start === 0) start = now;
      else gaps.push(now - last);
      last = now;
      each(now - start);
      if (now - start < ms) requestAnimationFrame(frame);
      else resolve(gaps);
    };
    requestAnimationFrame(frame);
  });
}

Object.assign(window, { measure });
