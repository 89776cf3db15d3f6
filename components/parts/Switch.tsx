import type { ReactNode } from "react";
import styles from "./controls.module.css";

interface SwitchProps {
  readonly checked: boolean;
  readonly children: ReactNode;
  onChange(checked: boolean): void;
}

/** On or off, at once. */
export function Switch({ checked, children, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      className={styles.switch}
      onClick={() => onChange(!checked)}
    >
      <span className={styles.track} aria-hidden="true" />
      {children}
    </button>
  );
}
