"use client";

import { useMemo } from "react";
import { SeenLine } from "../frame/SeenLine.tsx";
import { useUrlState } from "../frame/use-url-state.ts";
import { StackedArea } from "../parts/StackedArea.tsx";
import { useFlowsOverTime } from "../questions/use-which-flows.ts";
import styles from "./Flows.module.css";

/** Connections and failures over the range; drag to zoom. */
export function FlowsHistogram() {
  const { zoomTo } = useUrlState();
  const answer = useFlowsOverTime();
  const layers = useMemo(() => {
    if (answer.data === undefined) return [];
    const { answered, bucketMs, points } = answer.data;
    const start = Math.floor(answered.from / bucketMs) * bucketMs;
    const length = Math.max(1, Math.ceil((answered.to - start) / bucketMs));
    const opened = Array.from({ length }, () => 0);
    const failed = Array.from({ length }, () => 0);
    for (const point of points) {
      const at = Math.round((point.at - start) / bucketMs);
      if (at < 0 || at >= length) continue;
      opened[at] = point.opened;
      failed[at] = point.failed;
    }
    return [
      { name: "connections", color: "quiet", values: opened } as const,
      { name: "failed", color: "denied", values: failed } as const,
    ];
  }, [answer.data]);
  if (answer.data === undefined) return <div className={styles.histogram} />;
  return (
    <div className={styles.histogram}>
      <SeenLine />
      <StackedArea
        label="Connections over time"
        from={answer.data.answered.from}
        to={answer.data.answered.to}
        stepMs={answer.data.bucketMs}
        layers={layers}
        height={44}
        onZoom={zoomTo}
      />
    </div>
  );
}
