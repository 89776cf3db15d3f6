"use client";

import { FilterField } from "./FilterField.tsx";
import { LiveButton } from "./LiveButton.tsx";
import { ScopeMenu } from "./ScopeMenu.tsx";
import { TimeControl } from "./TimeControl.tsx";
import styles from "./TopBar.module.css";

/** Scope is what I look at, filter narrows it; time and live. All of it in the URL. */
export function TopBar() {
  return (
    <div className={styles.bar} role="search" aria-label="Scope, filter and time">
      <ScopeMenu />
      <FilterField />
      <TimeControl />
      <LiveButton />
    </div>
  );
}
