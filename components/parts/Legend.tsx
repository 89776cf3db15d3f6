import type { ReactNode } from "react";
import type { MarkColor } from "./colors.ts";
import styles from "./controls.module.css";

/** What each colour of a chart stands for, in the chart's order. */
export function Legend({
  items,
}: {
  readonly items: readonly { readonly color: MarkColor; readonly label: ReactNode }[];
}) {
  return (
    <ul className={styles.legend}>
      {items.map((item, index) => (
        <li key={index}>
          <Swatch color={item.color} />
          {item.label}
        </li>
      ))}
    </ul>
  );
}

/** The square in front of a name. */
export function Swatch({ color }: { readonly color: MarkColor }) {
  return <i className={styles.swatch} data-color={color} aria-hidden="true" />;
}
