import type { ReactNode } from "react";
import styles from "./controls.module.css";

/** A key, shown only where it works. */
export function KeyCap({ children }: { readonly children: ReactNode }) {
  return <kbd className={styles.keycap}>{children}</kbd>;
}
