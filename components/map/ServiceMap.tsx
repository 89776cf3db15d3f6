"use client";

import { useEffect, useMemo, useRef, useState } from "react";
import { PageHead } from "../frame/PageHead.tsx";
import { SeenLine } from "../frame/SeenLine.tsx";
import { useNarrow } from "../frame/use-narrow.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { useWhoTalksToWhom } from "../questions/use-who-talks-to-whom.ts";
import { EdgePanel } from "./EdgePanel.tsx";
import { graphFromAnswer } from "./graph-from-answer.ts";
import { onlyTrouble, type MapLevel } from "./graph.ts";
import { MapControls } from "./MapControls.tsx";
import { MapHeadTools } from "./MapHeadTools.tsx";
import { MapLegend } from "./MapLegend.tsx";
import { MapTable } from "./MapTable.tsx";
import { mapTotals } from "./map-totals.ts";
import type { MapView } from "./map-view.ts";
import { MapTooltip, type ShowHover } from "./MapTooltip.tsx";
import { NodePanel } from "./NodePanel.tsx";
import { SceneCanvas } from "./SceneCanvas.tsx";
import { Scrubber } from "./Scrubber.tsx";
import styles from "./ServiceMap.module.css";
import { useMapKeys } from "./use-map-keys.ts";
import { useMapState } from "./use-map-state.ts";
import { useMapTheme } from "./use-map-theme.ts";
import { useSettledLayout } from "./use-settled-layout.ts";

/** Above this many workloads the map begins folded to namespaces: more circles than that say nothing. */
const FOLD_ABOVE = 150;

/** Under this width the table comes first. */
const NARROW_PX = 700;

const NOTHING: ReadonlySet<string> = new Set();

/** The service map of the URL's range, filter and scope, with its table twin, the panel of what is selected, and the scrubber. */
export function ServiceMap() {
  const state = useMapState();
  const { scope } = useUrlState();
  const theme = useMapTheme();
  const view = useRef<MapView>(undefined);
  const hover = useRef<ShowHover>(undefined);
  const narrow = useNarrow(NARROW_PX);
  const [zoom, setZoom] = useState(1);
  const [isPointed, setIsPointed] = useState(false);
  const [found, setFound] = useState<ReadonlySet<string>>(NOTHING);

  const shown = state.view ?? (narrow ? "table" : "map");
  // The tooltip, the table and one of the measures show round-trip times.
  const answer = useWhoTalksToWhom(isPointed || shown === "table" || state.metric === "rtt");

  const level: MapLevel = state.level ?? ((answer.data?.nodes.length ?? 0) > FOLD_ABOVE ? "namespace" : "workload");
  const index = useMemo(
    () => (answer.data === undefined ? undefined : graphFromAnswer(answer.data, level, state.metric)),
    [answer.data, level, state.metric],
  );
  const graph = useMemo(
    () => (index === undefined ? undefined : state.onlyTrouble ? onlyTrouble(index.graph) : index.graph),
    [index, state.onlyTrouble],
  );
  const layout = useSettledLayout(index?.graph, `${level}:${scope.join(",")}`);
  // Positions come from the whole graph, so that "Only trouble" moves nothing.
  const scene = useMemo(() => {
    if (layout.scene === undefined || graph === undefined || !state.onlyTrouble) return layout.scene;
    const nodes = new Set(graph.nodes.map((node) => node.key));
    const edges = new Set(graph.edges.map((edge) => edge.key));
    return {
      ...layout.scene,
      nodes: layout.scene.nodes.filter((node) => nodes.has(node.key)),
      edges: layout.scene.edges.filter((edge) => edges.has(edge.key)),
      hulls: layout.scene.hulls.filter((hull) => graph.nodes.some((node) => node.namespace === hull.namespace)),
    };
  }, [layout.scene, graph, state.onlyTrouble]);
  const look = useMemo(
    () => (theme === undefined ? undefined : { theme, selected: state.selected, focus: state.focus, found }),
    [theme, state.selected, state.focus, found],
  );
  useMapKeys(view, state);

  const empty = graph === undefined || graph.nodes.length === 0;
  const selectedEdge =
    state.selected === undefined ? undefined : index?.graph.edges.find((edge) => edge.key === state.selected);
  const selectedNode =
    state.selected === undefined ? undefined : index?.graph.nodes.find((node) => node.key === state.selected);

  return (
    <>
      <PageHead title="Service map" totals={index === undefined ? undefined : mapTotals(index.graph, level)}>
        <MapHeadTools state={state} shown={shown} level={level} graph={index?.graph} scene={scene} look={look} />
      </PageHead>
      <div className={styles.columns}>
        <div className={styles.main}>
          <div className={styles.stage}>
            {empty ? (
              <AnswerNote
                answer={answer}
                of="service map"
                {...(state.onlyTrouble && index !== undefined && index.graph.nodes.length > 0
                  ? {
                      empty: {
                        kind: "nothing-happened",
                        text: "No edge is in trouble: nothing denied, under 1 % failing, under 1 % retransmitted.",
                      } as const,
                    }
                  : {})}
              />
            ) : shown === "table" ? (
              <MapTable
                graph={graph}
                index={index!}
                selected={state.selected}
                onSelect={state.select}
                answer={answer.data!}
                narrow={narrow}
              />
            ) : scene === undefined || look === undefined ? (
              <p className={styles.laying}>Laying out {graph.nodes.length} nodes</p>
            ) : (
              <>
                <SceneCanvas
                  scene={scene}
                  look={look}
                  view={view}
                  onSelect={(hit) =>
                    state.select(hit === undefined ? undefined : hit.kind === "node" ? hit.node.key : hit.edge.key)
                  }
                  onHover={(hit, x, y) => {
                    setIsPointed(hit !== undefined);
                    hover.current?.(hit, x, y);
                  }}
                  onMoveNode={layout.move}
                  onZoom={setZoom}
                />
                <MapTooltip show={hover} index={index!} />
                <MapControls
                  view={view}
                  graph={graph}
                  zoom={zoom}
                  canUndo={layout.canUndo}
                  onTidyUp={layout.tidyUp}
                  onUndo={layout.undo}
                  onFound={setFound}
                  onSelect={state.select}
                />
              </>
            )}
          </div>
          {shown === "map" && !empty ? <MapLegend graph={graph} level={level} /> : null}
          <SeenLine padded />
          <Scrubber />
        </div>
        {selectedEdge === undefined ? null : (
          <EdgePanel edge={selectedEdge} index={index!} onClose={() => state.select(undefined)} />
        )}
        {selectedNode === undefined ? null : (
          <NodePanel
            node={selectedNode}
            index={index!}
            onSelect={state.select}
            onClose={() => state.select(undefined)}
          />
        )}
      </div>
      <MapAnnouncer text={index === undefined ? "" : mapTotals(index.graph, level)} />
    </>
  );
}

const ANNOUNCE_EVERY_MS = 10_000;

/** Tells a screen reader what changed, at most every 10 s. */
function MapAnnouncer({ text }: { readonly text: string }) {
  const [said, setSaid] = useState("");
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  }, [text]);
  useEffect(() => {
    const timer = setInterval(() => setSaid(latest.current), ANNOUNCE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}
