import { X } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./controls.module.css";

/** An outline around a fact; with `onRemove` it can be taken away. `label` names what is removed. */
export function Chip({
  children,
  label,
  onRemove,
}: {
  readonly children: ReactNode;
  readonly label?: string;
  onRemove?: () => void;
}) {
  return (
    <span className={styles.chip}>
      {children}
      {onRemove === undefined ? null : (
        <button type="button" onClick={onRemove} aria-label={`Remove ${label ?? "this"}`}>
          <X size={12} aria-hidden="true" />
        </button>
      )}
    </span>
  );
}
