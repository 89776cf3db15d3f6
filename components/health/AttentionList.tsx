import { CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { Attention } from "./attention.ts";
import styles from "./HealthPage.module.css";

/** What to do when something is red; says so when nothing is. */
export function AttentionList({ items }: { readonly items: readonly Attention[] }) {
  if (items.every((item) => item.level === "info")) {
    return (
      <ul className={styles.attention} aria-label="What needs a look">
        <li data-level="good">
          <CircleCheck size={15} aria-hidden="true" />
          <span>Nothing needs a look: programs loaded, nothing shed, the store keeps up.</span>
        </li>
        <Items items={items} />
      </ul>
    );
  }
  return (
    <ul className={styles.attention} aria-label="What needs a look">
      <Items items={items} />
    </ul>
  );
}

function Items({ items }: { readonly items: readonly Attention[] }) {
  return items.map((item) => {
    const Icon = item.level === "info" ? Info : TriangleAlert;
    return (
      <li key={item.what} data-level={item.level}>
        <Icon size={15} role="img" aria-label={item.level} />
        <b>{item.what}</b>
        {item.next === "" ? null : <p>{item.next}</p>}
      </li>
    );
  });
}
