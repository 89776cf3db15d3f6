"use client";

import { PageHead } from "../frame/PageHead.tsx";
import type { CollectorState } from "../../model/wire/answers/status.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { CommandLine } from "../parts/CopyButton.tsx";
import { duration } from "../parts/numbers.ts";
import { useCollectorHealth } from "../questions/use-collector-health.ts";
import { useHowMuchWasSeen } from "../questions/use-how-much-was-seen.ts";
import { attentionOf } from "./attention.ts";
import { AttentionList } from "./AttentionList.tsx";
import { BooksTable } from "./BooksTable.tsx";
import styles from "./HealthPage.module.css";
import { HooksTable } from "./HooksTable.tsx";
import { LossTable } from "./LossTable.tsx";
import { Measures } from "./Measures.tsx";
import { NodesTable } from "./NodesTable.tsx";
import { OverTime } from "./OverTime.tsx";
import { RangeBooks } from "./RangeBooks.tsx";
import { Versions } from "./Versions.tsx";

/** What Weir itself does on this machine: what it sees, what it loses, and what to do about it. */
export function HealthPage() {
  const answer = useCollectorHealth();
  const status = useHowMuchWasSeen();
  const collector = answer.data?.collector;
  const health = collector?.health ?? undefined;
  const totals =
    health === undefined
      ? undefined
      : `collector on ${health.node}, up ${duration((health.at - health.startedMs) * 1000)}, ${health.version === "" ? "" : `Weir ${health.version}, `}kernel ${health.kernel}`;
  return (
    <>
      <PageHead title="Health" totals={totals} />
      <div className={styles.page} tabIndex={0} role="region" aria-label="Health">
        {status.data === undefined || (health === undefined && status.data.store !== null) ? null : (
          <AttentionList items={attentionOf(status.data, health)} />
        )}
        {collector === undefined ? <AnswerNote answer={answer} of="collector's health" /> : null}
        {collector !== undefined && health === undefined ? <NoCollectorHere collector={collector} /> : null}
        {health === undefined ? null : (
          <>
            <Measures health={health} />
            <BooksTable books={health.books} />
            <LossTable loss={health.loss} />
          </>
        )}
        <RangeBooks />
        <OverTime />
        {health === undefined ? null : <HooksTable hooks={health.hooks} />}
        {status.data?.store === null || status.data === undefined ? null : (
          <NodesTable store={status.data.store} checkedMs={status.data.checkedMs} />
        )}
        {status.data === undefined ? null : <Versions status={status.data} health={health} />}
      </div>
    </>
  );
}

function NoCollectorHere({ collector }: { readonly collector: CollectorState }) {
  return (
    <section className={styles.absent} aria-label="Collector">
      <h2>
        {collector.state === "not running"
          ? "No collector runs on this machine"
          : "The collector of this machine does not answer"}
      </h2>
      <p>
        The app looked: {collector.message}. What collectors of other machines store is shown all the same; to observe
        this one, start its own.
      </p>
      <CommandLine command="sudo ./bin/weir collect" />
    </section>
  );
}
