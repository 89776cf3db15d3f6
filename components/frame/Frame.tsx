"use client";

import { usePathname } from "next/navigation";
import { Suspense, useState, type ReactNode } from "react";
import styles from "./Frame.module.css";
import { FrameKeys } from "./FrameKeys.tsx";
import { LiveProvider } from "../questions/live.tsx";
import { needsRoom } from "./pages.ts";
import { Rail } from "./Rail.tsx";
import { SampleNote } from "./SampleNote.tsx";
import { StatusLine } from "./StatusLine.tsx";
import { SystemGate } from "./SystemGate.tsx";
import { TopBar } from "./TopBar.tsx";
import { ViewRangeProvider } from "./view-range.tsx";

/** Rail, top bar, page, status line: the same around every page. `startedAt` is the server's clock, so that both render alike. */
export function Frame({ children, startedAt }: { readonly children: ReactNode; readonly startedAt: number }) {
  const path = usePathname();
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  return (
    <Suspense>
      <ViewRangeProvider startedAt={startedAt}>
        <LiveProvider>
          <div className={styles.frame} data-path={path} data-roomy={needsRoom(path)}>
            <a href="#page" className={styles.skip}>
              Skip to the page
            </a>
            <Rail onCommands={() => setPalette(true)} onHelp={() => setHelp(true)} />
            <TopBar />
            <main id="page" className={styles.page} tabIndex={-1}>
              <SampleNote />
              <SystemGate>{children}</SystemGate>
            </main>
            <StatusLine />
          </div>
          <FrameKeys help={help} onHelp={setHelp} palette={palette} onPalette={setPalette} />
        </LiveProvider>
      </ViewRangeProvider>
    </Suspense>
  );
}
