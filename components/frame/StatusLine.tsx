"use client";

import { BookOpen, TriangleAlert } from "lucide-react";
import Link from "next/link";
import type { ComponentProps, ReactNode } from "react";
import type { SystemStatus } from "../../model/wire/answers/status.ts";
import { ago, count, figures, share } from "../parts/numbers.ts";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import { usePulse } from "../questions/live.tsx";
import styles from "./StatusLine.module.css";
import { useClient } from "./use-client.ts";
import { usePageLink } from "./use-page-link.ts";
import { useUrlState } from "./use-url-state.ts";

const REPORTING_WITHIN_MS = 60_000;
const SEEN_ENOUGH = 0.999; // below, the line turns to degraded

/** The books of the shown range, never hidden. */
export function StatusLine() {
  const status = useHowMuchWasSeen();
  const { live } = useUrlState();
  const pulse = usePulse(live);
  const client = useClient();
  const answer = status.data;
  const health = answer?.collector.health ?? null;
  return (
    <footer className={styles.line} aria-label="Status">
      {answer === undefined ? (
        <span>{status.isError ? `${status.error.message}; asking again` : "Reading the books of the range"}</span>
      ) : (
        <>
          <Books status={answer} />
          <Part>{figures(pulse?.eventsPerSecond ?? health?.eventsPerSecond ?? 0)} events/s</Part>
          <Reporting status={answer} />
        </>
      )}
      <span className={styles.right}>
        {health?.source === "replay" ? <span className={styles.sample}>Recorded sample</span> : null}
        <span className={styles.zone}>{client ? `Times in ${zoneWords()}` : ""}</span>
        {answer === undefined ? null : (
          <Part>
            Kernel {shortKernel(health?.kernel ?? answer.machine.kernel)} · Weir {answer.version}
          </Part>
        )}
      </span>
    </footer>
  );
}

function Part({ children }: { readonly children: ReactNode }) {
  return <span className={styles.part}>{children}</span>;
}

/** How many nodes sent rows within the last minute, and how old the newest row is. */
function Reporting({ status }: { readonly status: SystemStatus }) {
  if (status.store === null) return null;
  const { nodes, newestRow } = status.store;
  const reporting = nodes.filter((node) => status.checkedMs - node.newestRow < REPORTING_WITHIN_MS).length;
  return (
    <Part>
      {reporting} of {nodes.length} {nodes.length === 1 ? "node" : "nodes"} reporting
      {newestRow === null ? "" : `, newest row ${ago(newestRow, status.checkedMs)}`}
    </Part>
  );
}

function Books({ status }: { readonly status: SystemStatus }) {
  const link = usePageLink();
  const { books, store, collector } = status;
  if (store === null) return <Trouble tone="denied" words="Store unreachable" href={link("/health")} />;
  const isReporting = store.nodes.some((node) => status.checkedMs - node.newestRow < REPORTING_WITHIN_MS);
  if (collector.state !== "running" && !isReporting)
    return <Trouble tone="denied" words="No collector" href={link("/health")} />;
  if (books === null || books.produced === 0) return <span className={styles.books}>No events in this range</span>;
  const wanted = books.produced - books.filtered;
  const seen = wanted - books.lost - books.shed - books.quarantined;
  const words = (
    <>
      <b>{share(seen, wanted)} seen</b> <span>· {count(books.lost - books.crashed - books.unseen)} lost in ring </span>
      <span className={styles.more}>
        {books.crashed > 0 ? <>· {count(books.crashed)} lost in a crash </> : null}
        {books.unseen > 0 ? <>· {count(books.unseen)} unseen </> : null}· {count(books.shed)} shed ·{" "}
        {count(books.quarantined)} quarantined
      </span>
    </>
  );
  if (seen / wanted < SEEN_ENOUGH) return <Trouble tone="degraded" words={words} href={link("/health")} />;
  return (
    <span className={styles.books}>
      <BookOpen size={12} aria-hidden="true" />
      <span>{words}</span>
    </span>
  );
}

function Trouble({
  tone,
  words,
  href,
}: {
  readonly tone: "denied" | "degraded";
  readonly words: ReactNode;
  readonly href: ComponentProps<typeof Link>["href"];
}) {
  return (
    <Link className={`${styles.books} tone-${tone}`} href={href}>
      <TriangleAlert size={12} aria-hidden="true" />
      <span>{words}</span>
    </Link>
  );
}

/** `CET (UTC+1)` */
function zoneWords(): string {
  const minutes = -new Date().getTimezoneOffset();
  const name =
    new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
      .formatToParts()
      .find((part) => part.type === "timeZoneName")?.value ?? "";
  if (minutes === 0) return "UTC";
  const sign = minutes < 0 ? "−" : "+";
  const hours = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `${name} (UTC${sign}${hours}${rest === 0 ? "" : `:${String(rest).padStart(2, "0")}`})`;
}

function shortKernel(release: string): string {
  return /^\d+\.\d+/.exec(release)?.[0] ?? release;
}
