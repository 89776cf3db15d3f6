"use client";

import { ChevronsLeft, ChevronsRight, CircleHelp, Command } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useState } from "react";
import { KeyCap } from "../parts/KeyCap.tsx";
import { perSecond } from "../parts/numbers.ts";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import { Logo } from "./Logo.tsx";
import { needsRoom, PAGES, type PageEntry } from "./pages.ts";
import { RAIL_COOKIE, keep } from "./preferences.ts";
import styles from "./Rail.module.css";
import { usePageLink } from "./use-page-link.ts";

interface RailProps {
  onCommands(): void;
  onHelp(): void;
}

/** The way between pages; five tabs at the bottom under 700 px. One live number at most: drops a second, while not zero. */
export function Rail({ onCommands, onHelp }: RailProps) {
  const status = useHowMuchWasSeen();
  const drops = status.data?.dropsPerSecond ?? 0;
  const roomy = needsRoom(usePathname());
  return (
    <nav className={styles.rail} aria-label="Pages" data-roomy={roomy}>
      <div className={styles.brand}>
        <Logo />
        <span>Weir</span>
      </div>
      <ul>
        {PAGES.map((page) => (
          <Entry key={page.path} page={page} drops={page.path === "/drops" ? drops : 0} />
        ))}
      </ul>
      <div className={styles.bottom}>
        <button type="button" className={styles.entry} onClick={onCommands} title="Commands">
          <Command size={16} strokeWidth={1.5} aria-hidden="true" />
          <span className={styles.name}>Commands</span>
          <span className={styles.end}>
            <KeyCap>⌘K</KeyCap>
          </span>
        </button>
        <button type="button" className={styles.entry} onClick={onHelp} title="Help">
          <CircleHelp size={16} strokeWidth={1.5} aria-hidden="true" />
          <span className={styles.name}>Help</span>
          <span className={styles.end}>
            <KeyCap>?</KeyCap>
          </span>
        </button>
        <WidthButton roomy={roomy} />
      </div>
    </nav>
  );
}

function Entry({ page, drops }: { readonly page: PageEntry; readonly drops: number }) {
  const path = usePathname();
  const link = usePageLink();
  const Icon = page.icon;
  const current = path.startsWith(page.path);
  return (
    <li className={page.second ? styles.second : undefined}>
      <Link
        href={link(page.path)}
        className={styles.entry}
        title={page.name}
        {...(current ? { "aria-current": "page" as const } : {})}
      >
        <Icon size={16} strokeWidth={1.5} aria-hidden="true" />
        <span className={styles.name}>{page.name}</span>
        {drops > 0 ? (
          <span className={styles.drops}>
            <span className={styles.rate}>{perSecond(drops)}</span>
          </span>
        ) : null}
      </Link>
    </li>
  );
}

function WidthButton({ roomy }: { readonly roomy: boolean }) {
  const [narrow, setNarrow] = useState<boolean | undefined>();
  useEffect(() => {
    const chosen = document.documentElement.dataset["rail"];
    setNarrow(chosen === undefined ? roomy || matchMedia("(max-width: 1199px)").matches : chosen === "narrow");
  }, [roomy]);
  const flip = (): void => {
    const next = narrow === true ? "wide" : "narrow";
    document.documentElement.dataset["rail"] = next;
    keep(RAIL_COOKIE, next);
    setNarrow(next === "narrow");
  };
  const Icon = narrow === true ? ChevronsRight : ChevronsLeft;
  const words = narrow === true ? "Widen the rail" : "Narrow the rail";
  return (
    <button type="button" className={`${styles.entry} ${styles.width}`} onClick={flip} title={words} aria-label={words}>
      <Icon size={16} strokeWidth={1.5} aria-hidden="true" />
      <span className={styles.name}>Narrow</span>
    </button>
  );
}
