"use client";

import { useEffect, useState } from "react";
import type { MapTheme } from "./pen.ts";

/** The map's colours from the page's tokens, read again when the theme changes. Undefined until the page is there. */
export function useMapTheme(): MapTheme | undefined {
  const [theme, setTheme] = useState<MapTheme>();
  useEffect(() => {
    const read = (): void => setTheme(readMapTheme());
    read();
    const attribute = new MutationObserver(read);
    attribute.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", read);
    // Text is measured and drawn with the page's font: once it has arrived, everything is drawn again.
    void document.fonts.ready.then(read);
    return () => {
      attribute.disconnect();
      system.removeEventListener("change", read);
    };
  }, []);
  return theme;
}

function readMapTheme(): MapTheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    canvas: token("--canvas"),
    raised: token("--node"),
    line: token("--hull-line"),
    control: token("--control"),
    text: token("--text"),
    text2: token("--text-2"),
    text3: token("--text-3"),
    allowed: token("--allowed"),
    quiet: token("--quiet"),
    denied: token("--denied"),
    degraded: token("--degraded"),
    fresh: token("--fresh"),
    willAllow: token("--will-allow"),
    gone: token("--gone"),
    hull: token("--hull"),
    sans: token("--font"),
  };
}
