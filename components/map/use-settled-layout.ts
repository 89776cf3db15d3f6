"use client";

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Graph } from "./graph.ts";
import type { LayoutDone, LayoutJob } from "./layout.worker.ts";
import type { Places } from "./layout.ts";
import { buildScene, type Scene } from "./scene.ts";

export interface SettledLayout {
  /** Undefined while the first layout is running. */
  readonly scene: Scene | undefined;
  /** Pins a node at a place in scene units. */
  move(key: string, x: number, y: number): void;
  /** Lays out everything afresh; `undo` brings the places from before back. */
  tidyUp(): void;
  undo(): void;
  readonly canUndo: boolean;
}

/** Places that a visitor has seen are kept for this browser, so that a map looks the same tomorrow. */
const KEPT_UNDER = "weir-map-places";
const MOST_KEPT = 5_000;
/** Edges to a service that everyone talks to pull a little only, else it would stand in the middle of everything. */
const FAINT_WEIGHT = 0.05;

/**
 * The scene of a graph with stable positions: nodes that have a place keep it, whatever else comes or goes; new ones are
 * settled among them by a worker. `view` names the arrangement (zoom level, scope): each has places of its own.
 */
export function useSettledLayout(graph: Graph | undefined, view: string): SettledLayout {
  const worker = useRef<Worker>(undefined);
  const job = useRef(0);
  const [places, setPlaces] = useState<Places>();
  const [before, setBefore] = useState<Places>();
  const latest = useRef<Places>({});

  useEffect(() => {
    const started = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    started.onmessage = (event: MessageEvent<LayoutDone>) => {
      if (event.data.id !== job.current) return; // an answer to an older question
      latest.current = { ...latest.current, ...event.data.places };
      setPlaces(latest.current);
      keepPlaces(view, latest.current);
    };
    worker.current = started;
    latest.current = readPlaces(view);
    setPlaces(undefined);
    setBefore(undefined);
    return () => started.terminate();
  }, [view]);

  const ask = useCallback((from: Places, of: Graph) => {
    job.current += 1;
    const request: LayoutJob = {
      id: job.current,
      request: {
        nodes: of.nodes.map((node) => ({
          key: node.key,
          group: node.namespace === "" ? `alone ${node.key}` : node.namespace,
        })),
        edges: of.edges.map((edge) => ({
          source: edge.source,
          target: edge.target,
          weight: edge.faint ? FAINT_WEIGHT : 1,
        })),
        places: from,
      },
    };
    worker.current?.postMessage(request);
  }, []);

  useEffect(() => {
    if (graph === undefined) return;
    const known = latest.current;
    const missing = graph.nodes.some((node) => known[node.key] === undefined);
    if (!missing) {
      setPlaces(known);
      return;
    }
    const kept: Places = {};
    for (const node of graph.nodes) {
      const place = known[node.key];
      if (place !== undefined) kept[node.key] = place;
    }
    ask(kept, graph);
  }, [graph, view, ask]);

  const scene = useMemo(
    () => (graph === undefined || places === undefined ? undefined : buildScene(graph, places)),
    [graph, places],
  );

  const move = useCallback(
    (key: string, x: number, y: number) => {
      latest.current = { ...latest.current, [key]: [x, y] };
      setPlaces(latest.current);
      keepPlaces(view, latest.current);
    },
    [view],
  );

  const tidyUp = useCallback(() => {
    if (graph === undefined) return;
    setBefore(latest.current);
    latest.current = {};
    ask({}, graph);
  }, [graph, ask]);

  const undo = useCallback(() => {
    if (before === undefined) return;
    latest.current = before;
    setPlaces(before);
    setBefore(undefined);
    keepPlaces(view, before);
  }, [before, view]);

  return { scene, move, tidyUp, undo, canUndo: before !== undefined };
}

function readPlaces(view: string): Places {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(`${KEPT_UNDER}:${view}`) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    const places: Places = {};
    for (const [key, place] of Object.entries(kept)) {
      if (Array.isArray(place) && Number.isFinite(place[0]) && Number.isFinite(place[1]))
        places[key] = [Number(place[0]), Number(place[1])];
    }
    return places;
  } catch {
    return {}; // storage is off or holds something else: the map is laid out afresh
  }
}

function keepPlaces(view: string, places: Places): void {
  try {
    const entries = Object.entries(places).slice(-MOST_KEPT);
    localStorage.setItem(`${KEPT_UNDER}:${view}`, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // Storage is off or full: places last as long as the page.
  }
}
