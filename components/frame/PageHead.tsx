import type { ReactNode } from "react";
import styles from "./PageHead.module.css";

/** Title, one line of totals, then the page's own switches at the right. */
export function PageHead({
  title,
  totals,
  children,
}: {
  readonly title: string;
  readonly totals?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <header className={styles.head}>
      <h1>{title}</h1>
      <p className={styles.totals}>{totals}</p>
      <div className={styles.tools}>{children}</div>
    </header>
  );
}
