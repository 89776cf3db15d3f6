"use client";

import { Download, MapIcon, Table2 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Button } from "../parts/Button.tsx";
import { Segmented } from "../parts/Segmented.tsx";
import { Switch } from "../parts/Switch.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import { downloadPng, downloadSvg } from "./export.ts";
import type { Graph, MapLevel } from "./graph.ts";
import type { Look } from "./look.ts";
import { troubleCount } from "./map-totals.ts";
import type { Scene } from "./scene.ts";
import styles from "./ServiceMap.module.css";
import type { MapState } from "./use-map-state.ts";

interface Props {
  readonly state: MapState;
  readonly shown: "map" | "table";
  readonly level: MapLevel;
  readonly graph: Graph | undefined;
  readonly scene: Scene | undefined;
  readonly look: Look | undefined;
}

/** The switches of the map page: only trouble, what the numbers are, zoom level, map or table, export. */
export function MapHeadTools({ state, shown, level, graph, scene, look }: Props) {
  const trouble = graph === undefined ? 0 : troubleCount(graph);
  return (
    <>
      <Switch checked={state.onlyTrouble} onChange={state.setOnlyTrouble}>
        <span className={styles.wideOnly}>Only trouble</span>
        <span className={styles.narrowOnly}>Trouble</span>
        {trouble > 0 ? <b className="tone-denied">{trouble}</b> : null}
      </Switch>
      <span className={styles.wideOnly}>
        <Segmented
          label="Numbers on edges"
          value={state.metric}
          onChange={state.setMetric}
          options={[
            { value: "connections", label: "Connections" },
            { value: "bytes", label: "Bytes" },
            { value: "rtt", label: "RTT" },
          ]}
        />
      </span>
      <span className={styles.wideOnly}>
        <Segmented
          label="Zoom level"
          value={level === "namespace" ? "namespace" : "workload"}
          onChange={state.setLevel}
          options={[
            { value: "namespace", label: "Namespaces" },
            { value: "workload", label: "Workloads" },
          ]}
        />
      </span>
      <Segmented
        label="View"
        value={shown}
        onChange={state.setView}
        options={[
          {
            value: "map",
            label: (
              <>
                <MapIcon size={14} aria-hidden="true" /> Map
              </>
            ),
          },
          {
            value: "table",
            label: (
              <>
                <Table2 size={14} aria-hidden="true" /> Table
              </>
            ),
          },
        ]}
      />
      <span className={styles.wideOnly}>
        <DropdownMenu.Root>
          <Tooltip text="Export the map">
            <DropdownMenu.Trigger asChild>
              <Button iconOnly aria-label="Export the map" disabled={scene === undefined || look === undefined}>
                <Download size={15} aria-hidden="true" />
              </Button>
            </DropdownMenu.Trigger>
          </Tooltip>
          <DropdownMenu.Portal>
            <DropdownMenu.Content className={styles.menu} align="end" sideOffset={4}>
              <DropdownMenu.Item className={styles.menuItem} onSelect={() => downloadPng(scene!, look!)}>
                PNG, twice the size
              </DropdownMenu.Item>
              <DropdownMenu.Item className={styles.menuItem} onSelect={() => downloadSvg(scene!, look!)}>
                SVG
              </DropdownMenu.Item>
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </span>
    </>
  );
}
