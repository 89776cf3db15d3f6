"use client";

import { Activity, Check, Minus, X } from "lucide-react";
import Link from "next/link";
import type { SystemStatus } from "../../model/wire/answers/status.ts";
import { buttonClass } from "../parts/Button.tsx";
import { CommandLine } from "../parts/CopyButton.tsx";
import { clockSeconds } from "../parts/numbers.ts";
import { chainOf, stateWords, type Link as ChainLink } from "./chain.ts";
import styles from "./NothingYet.module.css";
import { usePageLink } from "./use-page-link.ts";

const ICONS = { works: Check, broken: X, unknown: Minus } as const;

/** In place of a page without rows: the broken link, three ways on, and what was checked. */
export function NothingYet({ status }: { readonly status: SystemStatus }) {
  const link = usePageLink();
  const { title, text } = stateWords(status);
  return (
    <div className={styles.page} tabIndex={0} role="region" aria-label={title}>
      <div className={styles.inside}>
        <h2 className={styles.title}>{title}</h2>
        <p className={styles.text}>{text}</p>
        <Chain links={chainOf(status)} />
        <Ways status={status} />
        <Checked status={status} />
        <p className={styles.doctor}>
          <Link href={link("/health")} className={buttonClass()}>
            <Activity size={14} aria-hidden="true" />
            Open Health
          </Link>
          <span>
            or run <code>./bin/weir doctor</code>: it tests every hook on this machine and says what is missing; it
            changes nothing
          </span>
        </p>
      </div>
    </div>
  );
}

function Chain({ links }: { readonly links: readonly ChainLink[] }) {
  return (
    <ol className={styles.chain}>
      {links.map((one) => {
        const Icon = ICONS[one.state];
        return (
          <li key={one.name} data-state={one.state}>
            <span className={styles.ring}>
              <Icon size={14} strokeWidth={2.2} aria-label={one.state} role="img" />
            </span>
            <b>{one.name}</b>
            <span className={styles.linkWords}>{one.words}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Ways({ status }: { readonly status: SystemStatus }) {
  if (status.store === null) {
    return (
      <div className={styles.ways}>
        <Way
          name="The embedded store"
          what="an engine in a process of its own"
          command="./bin/weir store serve"
          note={status.storeProblem?.next ?? "`weir start` runs it together with collector and app"}
        />
        <Way
          name="A ClickHouse of yours"
          what="any server or cluster"
          command="WEIR_CLICKHOUSE_URL=http://ch:8123 ./bin/weir serve"
          note="user and password go into the URL or into WEIR_CLICKHOUSE_USER and WEIR_CLICKHOUSE_PASSWORD"
        />
      </div>
    );
  }
  if (status.collector.state === "running") return null;
  return (
    <div className={styles.ways}>
      <Way
        name="This machine"
        what="observe the running kernel"
        command="sudo ./bin/weir collect"
        note="needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; nothing is blocked or changed"
      />
      <Way
        name="A demo world"
        what="namespaces with services and faults"
        command="npm run demo"
        note="made on this machine for as long as it runs; as root"
      />
      <Way
        name="No root here"
        what="replay a recorded demo world"
        command="./bin/weir demo --replay"
        note="real events of an earlier run, marked as a recording on every page"
      />
    </div>
  );
}

function Way({
  name,
  what,
  command,
  note,
}: {
  readonly name: string;
  readonly what: string;
  readonly command: string;
  readonly note: string;
}) {
  return (
    <div className={styles.way}>
      <p>
        <b>{name}</b>
        <span>{what}</span>
      </p>
      <CommandLine command={command} />
      <p className={styles.note}>{note}</p>
    </div>
  );
}

function Checked({ status }: { readonly status: SystemStatus }) {
  const { machine, store, collector } = status;
  const rows: readonly (readonly [keyof typeof ICONS, string, string])[] = [
    store === null
      ? ["broken", "Store", `${status.storeUrl}: ${status.storeProblem?.message ?? "no answer"}`]
      : [
          "works",
          "Store",
          `answers at ${status.storeUrl}, schema ${store.schemaVersion}, ${store.newestRow === null ? "0 flows" : "with flows"}`,
        ],
    [collector.state === "running" ? "works" : "broken", "Collector", collector.message],
    [
      machine.btf ? "works" : "broken",
      "Kernel",
      machine.btf
        ? `${machine.kernel} with BTF: programs can be loaded`
        : `${machine.kernel} without /sys/kernel/btf/vmlinux: programs can't be loaded here`,
    ],
    machine.uid === 0
      ? ["works", "Rights", "the app runs as root"]
      : ["unknown", "Rights", `the app runs as uid ${machine.uid} and can't start the collector for you`],
  ];
  return (
    <section className={styles.checked} aria-label="What was checked">
      <h3>
        What was checked <span>{clockSeconds(status.checkedMs)}, again every 5 s</span>
      </h3>
      <dl>
        {rows.map(([state, name, words]) => {
          const Icon = ICONS[state];
          return (
            <div key={name} data-state={state}>
              <dt>
                <Icon size={13} strokeWidth={2} aria-label={state} role="img" />
                {name}
              </dt>
              <dd>{words}</dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}
