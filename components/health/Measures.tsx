import type { ReactNode } from "react";
import type { HealthSnapshot } from "../../model/wire/health.ts";
import { bytes, count, duration, figures } from "../parts/numbers.ts";
import styles from "./HealthPage.module.css";

interface Measure {
  readonly name: string;
  readonly value: string;
  readonly of: ReactNode;
  readonly tone?: "denied" | "degraded" | undefined;
}

/** The collector in numbers, each with what it is of. */
export function Measures({ health }: { readonly health: HealthSnapshot }) {
  return (
    <dl className={styles.measures}>
      {measuresOf(health).map((measure) => (
        <div key={measure.name}>
          <dt>{measure.name}</dt>
          <dd data-tone={measure.tone}>{measure.value}</dd>
          <dd className={styles.of}>{measure.of}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Segments are sealed and sent once a second: one that waits for so long says that the store is away or slow. */
const OLD_MS = 30_000;
const SPOOL_FULL = 0.8;

function measuresOf(health: HealthSnapshot): readonly Measure[] {
  const { books, spool, store, process, live, identities } = health;
  const upSeconds = Math.max(1, (health.at - health.startedMs) / 1000);
  return [
    { name: "Events", value: `${figures(health.eventsPerSecond)} /s`, of: `${count(books.produced)} since it began` },
    { name: "Rows", value: `${figures(health.rowsPerSecond)} /s`, of: `${count(store.insertedRows)} in the store` },
    {
      name: "Fullest ring",
      value: `${(health.ringUse * 100).toFixed(1)} %`,
      of: "of its size, last 10–20 s",
      tone: health.ringUse > 0.5 ? "degraded" : undefined,
    },
    {
      name: "Lost in rings",
      value: count(books.lost - books.unseen),
      of: `of ${count(books.produced)} events`,
      tone: books.lost > books.unseen ? "degraded" : undefined,
    },
    {
      name: "Shed",
      value: count(books.shed),
      of:
        spool.shedRows > 0
          ? `${count(spool.shedRows)} rows, as the spool was full`
          : "events given up to stay within limits",
      tone: books.shed > 0 ? "degraded" : undefined,
    },
    {
      name: "Quarantine",
      value: count(spool.quarantined),
      of: `${spool.quarantined === 1 ? "segment" : "segments"}, ${count(books.quarantined)} events`,
      tone: spool.quarantined > 0 || books.quarantined > 0 ? "degraded" : undefined,
    },
    { name: "Decode", value: duration(health.decodeNs / 1000), of: `an event; ${count(health.malformed)} malformed` },
    {
      name: "Insert lag",
      value: duration(store.lagMs * 1000),
      of:
        store.state === "failing"
          ? `of the last insert that worked; ${count(store.failures)} failed`
          : `an insert takes ${duration(store.insertMs * 1000)}`,
      tone: store.state === "failing" ? "denied" : undefined,
    },
    {
      name: "Spool",
      value: `${count(spool.segments)} ${spool.segments === 1 ? "segment" : "segments"}`,
      of: `${bytes(spool.bytes)} of ${bytes(spool.budgetBytes)}${spool.oldestMs >= 500 ? `, oldest ${duration(Math.round(spool.oldestMs / 1000) * 1e6)}` : ""}`,
      tone: spool.isFailing
        ? "denied"
        : spool.oldestMs > OLD_MS || spool.bytes > SPOOL_FULL * spool.budgetBytes
          ? "degraded"
          : undefined,
    },
    {
      name: "Memory",
      value: bytes(process.rssBytes),
      of: `${((100 * process.cpuSeconds) / upSeconds).toFixed(1)} % of a CPU since it began`,
    },
    {
      name: "Identities",
      value: count(identities.parties),
      of: `${count(identities.names)} names, ${count(identities.sockets)} sockets; ${identities.inventory === "" ? "no inventory" : identities.inventory}`,
    },
    {
      name: "Live viewers",
      value: count(live.clients),
      of: `${count(live.subscriptions)} subscriptions, ${count(live.missed)} flows missed by slow ones`,
    },
  ];
}
