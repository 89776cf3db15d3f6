"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { tinykeys, type KeybindingsMap } from "tinykeys";
import { HelpSheet } from "./HelpSheet.tsx";
import { PAGES } from "./pages.ts";
import { singleKeysOn } from "./preferences.ts";
import { usePageLink } from "./use-page-link.ts";
import { useUrlState } from "./use-url-state.ts";

const Palette = dynamic(async () => (await import("./Palette.tsx")).Palette, { ssr: false });

interface FrameKeysProps {
  readonly help: boolean;
  readonly palette: boolean;
  onHelp(open: boolean): void;
  onPalette(open: boolean): void;
}

/** Keys that work on every page, and what they open. */
export function FrameKeys({ help, palette, onHelp, onPalette }: FrameKeysProps) {
  const { live, setLive } = useUrlState();
  const router = useRouter();
  const link = usePageLink();
  useEffect(() => {
    const single = (act: () => void) => (event: KeyboardEvent) => {
      if (!singleKeysOn() || isTyping(event.target) || event.repeat || document.querySelector("dialog[open]") !== null)
        return;
      event.preventDefault();
      act();
    };
    const bindings: KeybindingsMap = {
      "$mod+KeyK": (event) => {
        event.preventDefault();
        onPalette(true);
      },
      "/": single(() => document.querySelector<HTMLInputElement>("[data-frame-filter]")?.focus()),
      t: single(() => document.querySelector<HTMLButtonElement>("[data-frame-time]")?.click()),
      "?": single(() => onHelp(true)),
      "Shift+?": single(() => onHelp(true)), // where the layout needs Shift for it
      Space: (event) => {
        if (
          event.target instanceof Element &&
          event.target.closest("button, a, summary, label, [role=option]") !== null
        )
          return; // Space presses them
        single(() => setLive(!live))(event);
      },
    };
    for (const page of PAGES) bindings[`g ${page.key}`] = single(() => router.push(link(page.path)));
    return tinykeys(window, bindings);
  }, [live, setLive, router, link, onHelp, onPalette]);
  return (
    <>
      <HelpSheet open={help} onClose={() => onHelp(false)} />
      {palette ? <Palette onClose={() => onPalette(false)} onHelp={() => onHelp(true)} /> : null}
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select") !== null)
  );
}
