"use client";

import { Command } from "cmdk";
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { PAGES } from "./pages.ts";
import styles from "./Palette.module.css";
import { applyTheme } from "./preferences.ts";
import { usePageLink } from "./use-page-link.ts";
import { useUrlState } from "./use-url-state.ts";

/** Everything that can be done on any page, by its name. */
export function Palette({ onClose, onHelp }: { onClose(): void; onHelp(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const router = useRouter();
  const link = usePageLink();
  const url = useUrlState();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    field.current?.focus(); // showModal would choose the list around it
  }, []);
  const run = (act: () => void) => () => {
    dialog.current?.close();
    act();
  };
  return (
    <dialog
      ref={dialog}
      className={styles.palette}
      aria-label="Commands"
      onClose={onClose}
      onClick={(event) => (event.target === dialog.current ? dialog.current.close() : undefined)}
    >
      <Command label="Commands" loop>
        <Command.Input ref={field} className={styles.input} placeholder="What to do" />
        <Command.List className={styles.list}>
          <Command.Empty className={styles.empty}>No command has these words.</Command.Empty>
          <Command.Group heading="Go to">
            {PAGES.map((page) => (
              <Command.Item key={page.path} className={styles.item} onSelect={run(() => router.push(link(page.path)))}>
                <page.icon size={15} strokeWidth={1.5} aria-hidden="true" />
                {page.name}
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading="Time">
            <Command.Item className={styles.item} onSelect={run(() => url.setLive(!url.live))}>
              {url.live ? "Pause" : "Go live"}
            </Command.Item>
            {[
              ["Last 5 min", "now-5m"],
              ["Last 15 min", "now-15m"],
              ["Last hour", "now-1h"],
              ["Last 24 hours", "now-24h"],
            ].map(([name, from]) => (
              <Command.Item
                key={from}
                className={styles.item}
                onSelect={run(() => url.setRange({ from: from!, to: "now" }))}
              >
                {name}
              </Command.Item>
            ))}
          </Command.Group>
          <Command.Group heading="View">
            {url.q === "" ? null : (
              <Command.Item className={styles.item} onSelect={run(() => url.setFilter(""))}>
                Clear the filter
              </Command.Item>
            )}
            {url.scope.length === 0 ? null : (
              <Command.Item className={styles.item} onSelect={run(() => url.setScope([]))}>
                Show all namespaces
              </Command.Item>
            )}
            <Command.Item className={styles.item} onSelect={run(() => applyTheme("dark"))}>
              Dark theme
            </Command.Item>
            <Command.Item className={styles.item} onSelect={run(() => applyTheme("light"))}>
              Light theme
            </Command.Item>
            <Command.Item className={styles.item} onSelect={run(() => applyTheme("system"))}>
              Theme of the system
            </Command.Item>
            <Command.Item
              className={styles.item}
              onSelect={run(() => void navigator.clipboard?.writeText(location.href))}
            >
              Copy a link to this view
            </Command.Item>
            <Command.Item className={styles.item} onSelect={run(onHelp)}>
              Help and keys
            </Command.Item>
          </Command.Group>
        </Command.List>
      </Command>
    </dialog>
  );
}
