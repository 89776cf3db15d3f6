"use client";

import { Maximize, Minus, Plus, Search, Undo2, WandSparkles } from "lucide-react";
import { useId, useState, type KeyboardEvent, type RefObject } from "react";
import { Button } from "../parts/Button.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import { search, type Graph } from "./graph.ts";
import styles from "./MapControls.module.css";
import type { MapView } from "./map-view.ts";

interface Props {
  readonly view: RefObject<MapView | undefined>;
  readonly graph: Graph;
  readonly zoom: number;
  readonly canUndo: boolean;
  onTidyUp(): void;
  onUndo(): void;
  onFound(keys: ReadonlySet<string>): void;
  onSelect(key: string): void;
}

/** Search at the left, zoom and arrangement at the right, over the map. */
export function MapControls({ view, graph, zoom, canUndo, onTidyUp, onUndo, onFound, onSelect }: Props) {
  return (
    <>
      <NodeSearch graph={graph} view={view} onFound={onFound} onSelect={onSelect} />
      <div className={styles.zoom} role="group" aria-label="Zoom and arrangement">
        {canUndo ? (
          <Tooltip text="Undo tidying up" side="left">
            <Button iconOnly aria-label="Undo tidying up" onClick={onUndo}>
              <Undo2 size={15} aria-hidden="true" />
            </Button>
          </Tooltip>
        ) : null}
        <Tooltip text="Tidy up: lay everything out afresh" side="left">
          <Button iconOnly aria-label="Tidy up" onClick={onTidyUp}>
            <WandSparkles size={15} aria-hidden="true" />
          </Button>
        </Tooltip>
        <Tooltip text="Zoom in" keyCap="+" side="left">
          <Button iconOnly aria-label="Zoom in" onClick={() => view.current?.zoomBy(1.3)}>
            <Plus size={15} aria-hidden="true" />
          </Button>
        </Tooltip>
        <Tooltip text={`Zoom out, now ${Math.round(zoom * 100)} %`} keyCap="-" side="left">
          <Button iconOnly aria-label="Zoom out" onClick={() => view.current?.zoomBy(1 / 1.3)}>
            <Minus size={15} aria-hidden="true" />
          </Button>
        </Tooltip>
        <Tooltip text="Show the whole map" keyCap="0" side="left">
          <Button iconOnly aria-label="Show the whole map" onClick={() => view.current?.fit()}>
            <Maximize size={15} aria-hidden="true" />
          </Button>
        </Tooltip>
      </div>
    </>
  );
}

const MOST_SHOWN = 8;

/** Finds a node by name: the others are dimmed while typing, Enter selects the first and brings it to the middle. */
function NodeSearch({ graph, view, onFound, onSelect }: Pick<Props, "graph" | "view" | "onFound" | "onSelect">) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const hits = search(graph, text).toSorted((a, b) => b.weight - a.weight);
  const type = (next: string): void => {
    setText(next);
    setAt(0);
    onFound(new Set(search(graph, next).map((node) => node.key)));
  };
  const choose = (key: string): void => {
    type("");
    onSelect(key);
    view.current?.centreOn(key);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") type("");
    else if (event.key === "ArrowDown") setAt(Math.min(at + 1, Math.min(hits.length, MOST_SHOWN) - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter" && hits[at] !== undefined) choose(hits[at].key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={styles.search}>
      <Search size={14} aria-hidden="true" />
      <input
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={onKeyDown}
        placeholder="Find on the map"
        aria-label="Find a workload on the map"
        role="combobox"
        aria-expanded={text !== ""}
        aria-controls={list}
        aria-activedescendant={text !== "" && hits.length > 0 ? `${list}-${at}` : undefined}
      />
      <ul id={list} role="listbox" aria-label="Workloads found" hidden={text === ""}>
        {hits.slice(0, MOST_SHOWN).map((node, index) => (
          <li
            key={node.key}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => choose(node.key)}
          >
            {node.namespace === "" ? null : <span>{node.namespace}/</span>}
            {node.name}
          </li>
        ))}
        {hits.length === 0 ? <li className={styles.none}>No workload is named like this</li> : null}
        {hits.length > MOST_SHOWN ? <li className={styles.none}>{hits.length - MOST_SHOWN} more; type on</li> : null}
      </ul>
    </div>
  );
}
