"use client";

import { useId, type ReactNode } from "react";
import styles from "./controls.module.css";

interface SegmentedProps<T extends string> {
  /** What is chosen here, for screen readers: "Measure". */
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: ReactNode }[];
  onChange(value: T): void;
}

/** One of a few, all of them in sight. A radio group: arrows move, Tab leaves. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={styles.segmented}>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          {option.label}
        </label>
      ))}
    </div>
  );
}
