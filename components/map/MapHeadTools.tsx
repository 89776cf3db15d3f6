"use client";

import { Download, Ellipsis, MapIcon, Table2 } from "lucide-react";
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
        <Segmented label="Numbers on edges" value={state.metric} onChange={state.setMetric} options={METRICS} />
      </span>
      <span className={styles.wideOnly}>
        <Segmented
          label="Zoom level"
          value={level === "namespace" ? "namespace" : "workload"}
          onChange={state.setLevel}
          options={LEVELS}
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
                <MapIcon className={styles.icon} size={14} aria-hidden="true" /> Map
              </>
            ),
          },
          {
            value: "table",
            label: (
              <>
                <Table2 className={styles.icon} size={14} aria-hidden="true" /> Table
              </>
            ),
          },
        ]}
      />
      <MoreMenu state={state} level={level} scene={scene} look={look} />
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

const METRICS = [
  { value: "connections", label: "Connections" },
  { value: "bytes", label: "Bytes" },
  { value: "rtt", label: "RTT" },
] as const;

const LEVELS = [
  { value: "namespace", label: "Namespaces" },
  { value: "workload", label: "Workloads" },
] as const;

/** On narrow screens: what does not fit beside the title. */
function MoreMenu({ state, level, scene, look }: Pick<Props, "state" | "level" | "scene" | "look">) {
  const ready = scene !== undefined && look !== undefined;
  return (
    <span className={styles.narrowOnly}>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger asChild>
          <Button iconOnly aria-label="More of the map">
            <Ellipsis size={15} aria-hidden="true" />
          </Button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className={styles.menu} align="end" sideOffset={4}>
            <Choice label="Numbers on edges" value={state.metric} options={METRICS} onChange={state.setMetric} />
            <Choice label="Zoom level" value={level} options={LEVELS} onChange={state.setLevel} />
            <DropdownMenu.Label className={styles.menuLabel}>Export</DropdownMenu.Label>
            <DropdownMenu.Item
              className={styles.menuItem}
              disabled={!ready}
              onSelect={() => downloadPng(scene!, look!)}
            >
              PNG, twice the size
            </DropdownMenu.Item>
            <DropdownMenu.Item
              className={styles.menuItem}
              disabled={!ready}
              onSelect={() => downloadSvg(scene!, look!)}
            >
              SVG
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </span>
  );
}

function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  onChange(value: T): void;
}) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      <DropdownMenu.Label className={styles.menuLabel}>{label}</DropdownMenu.Label>
      {options.map((option) => (
        <DropdownMenu.RadioItem key={option.value} className={styles.menuItem} value={option.value}>
          <span className={styles.check} aria-hidden="true">
            {option.value === value ? "✓" : ""}
          </span>
          {option.label}
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}
