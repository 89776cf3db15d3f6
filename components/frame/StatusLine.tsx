"use client";

import { BookOpen, TriangleAlert } from "lucide-react";
import Link from "next/link";
import type { StatusAnswer } from "../../model/wire/answers/status.ts";
import { ago, count, figures, share } from "../parts/numbers.ts";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import { usePulse } from "../questions/live.tsx";
import styles from "./StatusLine.module.css";
import { useClient } from "./use-client.ts";
import { usePageLink } from "./use-page-link.ts";
import { useUrlState } from "./use-url-state.ts";

const SEEN_ENOUGH = 0.999; // below, the line turns to degraded

/** The books of the shown range, never hidden. */
export function StatusLine() {
  const status = useHowMuchWasSeen();
  const { live } = useUrlState();
  const pulse = usePulse(live);
  const client = useClient();
  const answer = status.data;
  return (
    <footer className={styles.line} aria-label="Status">
      {answer === undefined ? (
        <span>{status.isError ? "The app does not answer; asking again" : "Reading the books of the range"}</span>
      ) : (
        <Books status={answer} />
      )}
      {answer === undefined ? null : (
        <>
          <Part>{figures(pulse?.eventsPerSecond ?? answer.collector.eventsPerSecond)} events/s</Part>
          <Part>
            {answer.nodes.reporting} of {answer.nodes.known} {answer.nodes.known === 1 ? "node" : "nodes"} reporting
            {answer.newestMs === null ? "" : `, newest row ${ago(answer.newestMs, answer.checkedMs)}`}
          </Part>
        </>
      )}
      <span className={styles.right}>
        {answer?.collector.source === "replay" ? <span className={styles.sample}>Recorded sample</span> : null}
        <span className={styles.zone}>{client ? `Times in ${zoneWords()}` : ""}</span>
        {answer === undefined ? null : (
          <Part>
            {answer.collector.kernel === "" ? "" : `Kernel ${shortKernel(answer.collector.kernel)} · `}Weir{" "}
            {answer.version}
          </Part>
        )}
      </span>
    </footer>
  );
}

function Part({ children }: { readonly children: React.ReactNode }) {
  return <span className={styles.part}>{children}</span>;
}

function Books({ status }: { readonly status: StatusAnswer }) {
  const link = usePageLink();
  const { books } = status;
  if (status.store.state === "unreachable")
    return <Trouble tone="denied" words="Store unreachable" href={link("/health")} />;
  if (status.collector.state !== "running" && status.nodes.reporting === 0)
    return <Trouble tone="denied" words="No collector" href={link("/health")} />;
  if (books === null || books.produced === 0) return <span className={styles.books}>No events in this range</span>;
  const gone = books.lost + books.shed + books.quarantined;
  const seen = books.produced - gone;
  const words = (
    <>
      <b>{share(seen, books.produced)} seen</b>{" "}
      <span className={styles.detail}>· {count(books.lost)} lost in ring </span>
      <span className={styles.more}>
        · {count(books.shed)} shed · {count(books.quarantined)} quarantined
      </span>
    </>
  );
  if (seen / books.produced < SEEN_ENOUGH) return <Trouble tone="degraded" words={words} href={link("/health")} />;
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
  readonly words: React.ReactNode;
  readonly href: React.ComponentProps<typeof Link>["href"];
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
