"use client";

import { useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { MapIndex } from "./graph-from-answer.ts";
import type { Hit } from "./hit.ts";
import { hoverFacts } from "./hover-facts.ts";
import styles from "./MapTooltip.module.css";

/** Tells the tooltip what the pointer is on; set while the tooltip is mounted, so that moving the pointer renders nothing else. */
export type ShowHover = (hit: Hit | undefined, x: number, y: number) => void;

interface Props {
  readonly show: RefObject<ShowHover | undefined>;
  readonly index: MapIndex;
}

const OFF_PX = 14;

/** Name and figures of the node or edge under the pointer. Everything in it is in the panel and the table too. */
export function MapTooltip({ show, index }: Props) {
  const [hover, setHover] = useState<{ readonly hit: Hit; readonly x: number; readonly y: number }>();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    show.current = (hit, x, y) => setHover(hit === undefined ? undefined : { hit, x, y });
    return () => {
      show.current = undefined;
    };
  }, [show]);
  useLayoutEffect(() => {
    const element = box.current;
    const around = element?.parentElement;
    if (element === null || around === null || around === undefined || hover === undefined) return;
    const left = hover.x + OFF_PX + element.offsetWidth > around.clientWidth ? -OFF_PX - element.offsetWidth : OFF_PX;
    const top = hover.y + OFF_PX + element.offsetHeight > around.clientHeight ? -OFF_PX - element.offsetHeight : OFF_PX;
    element.style.transform = `translate(${hover.x + left}px, ${hover.y + top}px)`;
  });
  const facts = hover === undefined ? undefined : hoverFacts(hover.hit, index, index.seconds);
  if (facts === undefined) return null;
  return (
    <div ref={box} className={styles.tip} role="tooltip">
      <b>{facts.title}</b>
      <dl>
        {facts.rows.map((row) => (
          <div key={row.name}>
            <dt>{row.name}</dt>
            <dd className={row.trouble === true ? "tone-denied" : undefined}>{row.value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
