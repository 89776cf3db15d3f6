"use client";

import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "../parts/Button.tsx";
import { KeyCap } from "../parts/KeyCap.tsx";
import { Segmented } from "../parts/Segmented.tsx";
import { Switch } from "../parts/Switch.tsx";
import { KEY_WORDS } from "./filter-words.ts";
import styles from "./HelpSheet.module.css";
import { PAGES } from "./pages.ts";
import { applyTheme, chosenTheme, keepSingleKeys, singleKeysOn, type Theme } from "./preferences.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "write a filter"],
  ["t", "choose the time"],
  ["Space", "pause, resume"],
  ["Ctrl K", "commands"],
  ...PAGES.map((page) => [`g ${page.key}`, page.name] as const),
  ["j k", "next and previous row, in a table"],
  ["Enter", "open what is selected"],
  ["Esc", "close the panel or list"],
  ["?", "this help"],
];

/** Keys, the filter language, and what this browser remembers. */
export function HelpSheet({ open, onClose }: { readonly open: boolean; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && dialog.current?.open === false) dialog.current.showModal();
    if (!open && dialog.current?.open === true) dialog.current.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className={styles.sheet}
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => (event.target === dialog.current ? onClose() : undefined)}
    >
      {open ? <HelpWords onClose={onClose} /> : null}
    </dialog>
  );
}

function HelpWords({ onClose }: { onClose(): void }) {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const [keys, setKeys] = useState(singleKeysOn);
  return (
    <div className={styles.inside}>
      <header>
        <h2 id="help-title">Help</h2>
        <Button look="bare" small iconOnly aria-label="Close help" onClick={onClose}>
          <X size={14} aria-hidden="true" />
        </Button>
      </header>
      <div className={styles.columns}>
        <section>
          <h3>Keys</h3>
          <dl className={styles.keys}>
            {KEYS.map(([key, words]) => (
              <div key={key}>
                <dt>
                  {key.split(" ").map((cap) => (
                    <KeyCap key={cap}>{cap}</KeyCap>
                  ))}
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
          <Switch
            checked={keys}
            onChange={(on) => {
              keepSingleKeys(on);
              setKeys(on);
            }}
          >
            Single-letter keys
          </Switch>
          <h3>Theme</h3>
          <Segmented
            label="Theme"
            value={theme}
            options={[
              { value: "system", label: "System" },
              { value: "dark", label: "Dark" },
              { value: "light", label: "Light" },
            ]}
            onChange={(next) => {
              applyTheme(next);
              setTheme(next);
            }}
          />
        </section>
        <section>
          <h3>Filter</h3>
          <p className="soft">
            Terms are and-ed, a comma means or, a minus in front excludes. The same language as{" "}
            <code>weir observe</code>.
          </p>
          <dl className={styles.words}>
            {Object.entries(KEY_WORDS).map(([key, words]) => (
              <div key={key}>
                <dt>
                  <code>{key}:</code>
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}
