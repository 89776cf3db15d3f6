"use client";

import { useMemo, useRef } from "react";
import { count } from "../parts/numbers.ts";
import type { Change } from "../../policy/what-if.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import type { EdgeState, Graph, GraphEdge } from "../map/graph.ts";
import { MapLegendLines } from "./MapLegendLines.tsx";
import type { MapView } from "../map/map-view.ts";
import { SceneCanvas } from "../map/SceneCanvas.tsx";
import { useMapTheme } from "../map/use-map-theme.ts";
import { useSettledLayout } from "../map/use-settled-layout.ts";
import type { EdgeChange, Judged, Loaded } from "./answers.ts";
import styles from "./Impact.module.css";
import { useEdgeDrag } from "./use-edge-drag.ts";
import page from "./Policies.module.css";

const STATES: Readonly<Record<Change, EdgeState>> = {
  "newly-denied": "newly-denied",
  "newly-allowed": "newly-allowed",
  "still-denied": "denied",
  "still-allowed": "allowed",
};

interface Props {
  readonly loaded: Loaded;
  readonly judged: Judged;
  readonly lit: readonly string[];
  readonly edge: string | undefined;
  onEdge(key: string | undefined): void;
  /** An edge was dragged into the editor. */
  onDropEdge(key: string): void;
}

/** The traffic as on the service map, in the same places, coloured by what would change. */
export function ImpactMap({ loaded, judged, lit, edge, onEdge, onDropEdge }: Props) {
  const { dragged, onDragEdge } = useEdgeDrag(onDropEdge);
  const theme = useMapTheme();
  const { scope } = useUrlState();
  const view = useRef<MapView>(undefined);
  const seconds = Math.max(1, (loaded.basis.to - loaded.basis.from) / 1000);
  const chosen = edge ?? (lit.length === 1 ? lit[0] : undefined);
  // The layout asks for nodes only; edges change on every key.
  const graph = useMemo(
    (): Graph => ({
      nodes: loaded.nodes.map((node) => ({
        key: node.key,
        namespace: node.namespace,
        name: node.name,
        shape: node.shape,
        count: node.count,
        detail: "",
        detailIsTrouble: false,
        failing: 0,
        gone: false,
        weight: node.connections,
      })),
      edges: judged.edges.map((it) => graphEdge(it, seconds, chosen)),
    }),
    [loaded.nodes, judged.edges, seconds, chosen],
  );
  const { scene, move } = useSettledLayout(graph, `${loaded.level}:${scope.join(",")}`);
  const found = useMemo(
    () => new Set(edge === undefined && lit.length > 0 ? ends(graph, lit) : []),
    [graph, lit, edge],
  );
  const look = useMemo(
    () => (theme === undefined ? undefined : { theme, selected: chosen, focus: false, found }),
    [theme, chosen, found],
  );
  const states = useMemo(() => new Set(graph.edges.map((it) => it.state)), [graph]);
  return (
    <div className={styles.map} data-testid="impact-map" data-edges={summary(judged)}>
      {scene === undefined || look === undefined ? (
        <p className={page.loading}>Laying out {count(graph.nodes.length)} nodes</p>
      ) : (
        <SceneCanvas
          scene={scene}
          look={look}
          view={view}
          onSelect={(hit) => onEdge(hit?.kind === "edge" ? hit.edge.key : undefined)}
          onHover={() => undefined}
          onMoveNode={move}
          onZoom={() => undefined}
          {...(loaded.level === "workload" ? { onDragEdge } : {})}
        />
      )}
      <MapLegendLines states={states} />
      {dragged === undefined ? null : (
        <p
          className={styles.dragged}
          data-over={dragged.over}
          ref={(element) => {
            element?.style.setProperty("left", `${dragged.x + 12}px`);
            element?.style.setProperty("top", `${dragged.y + 12}px`);
          }}
        >
          {dragged.key}
          <span>{dragged.over ? "let go for a policy" : "drag into the editor"}</span>
        </p>
      )}
    </div>
  );
}

function graphEdge(edge: EdgeChange, seconds: number, chosen: string | undefined): GraphEdge {
  const total = Object.values(edge.connections).reduce((sum, n) => sum + n, 0);
  const part = edge.connections[edge.change];
  const words =
    edge.change === "newly-denied"
      ? "newly denied"
      : edge.change === "newly-allowed"
        ? "newly allowed"
        : edge.change === "still-denied"
          ? "denied"
          : "allowed";
  return {
    key: edge.key,
    source: edge.source,
    target: edge.target,
    state: STATES[edge.change],
    perSecond: total / seconds,
    // Words stand on the chosen edge only; the others have their mark.
    label:
      edge.change === "still-allowed" || edge.key !== chosen
        ? ""
        : part === total
          ? `${words}, ${count(part)}`
          : `${words}, ${count(part)} of ${count(total)}`,
    stoppedAt: "ingress",
    faint: edge.target === "platform/dns" || edge.target.endsWith("/kube-dns") || edge.target.endsWith("/coredns"),
  };
}

function ends(graph: Graph, keys: readonly string[]): string[] {
  const wanted = new Set(keys);
  return graph.edges.flatMap((edge) => (wanted.has(edge.key) ? [edge.source, edge.target] : []));
}

/** What a screen reader or a test reads of the picture: `2 newly denied, 1 newly allowed`. */
function summary(judged: Judged): string {
  const counted = new Map<string, number>();
  for (const { change } of judged.edges) counted.set(change, (counted.get(change) ?? 0) + 1);
  return [...counted].map(([change, n]) => `${n} ${change}`).join(", ");
}
