import type { SystemStatus } from "../../model/wire/answers/status.ts";
import { bytes, count } from "../parts/numbers.ts";

/** One link of the way from the kernel to this page. */
export interface Link {
  readonly name: string;
  readonly state: "works" | "broken" | "unknown";
  readonly words: string;
}

/** Kernel → collector → spool → store → app, each with what is known of it. */
export function chainOf(status: SystemStatus): readonly Link[] {
  const { collector, machine, store, storeProblem } = status;
  const health = collector.health;
  const kernel = /^\d+\.\d+/.exec(machine.kernel)?.[0] ?? machine.kernel;
  return [
    {
      name: "Kernel",
      state: health !== null ? "works" : machine.btf ? "unknown" : "broken",
      words: `${kernel}, ${machine.btf ? "BTF present" : "no BTF"}`,
    },
    {
      name: "Collector",
      state: collector.state === "running" ? "works" : "broken",
      words:
        collector.state === "running"
          ? health?.source === "replay"
            ? "plays a recording"
            : "running"
          : collector.state,
    },
    {
      name: "Spool",
      state: health === null ? "unknown" : health.store.state === "failing" ? "broken" : "works",
      words:
        health === null
          ? "not known"
          : health.spool.segments === 0
            ? "empty"
            : `${count(health.spool.segments)} waiting, ${bytes(health.spool.pendingBytes)}`,
    },
    {
      name: "Store",
      state: store === null ? "broken" : "works",
      words:
        store === null
          ? (storeProblem?.message ?? "unreachable")
          : store.newestRow === null
            ? "reachable, 0 rows"
            : "reachable",
    },
    { name: "App", state: "works", words: "this page" },
  ];
}

/** What to call the state as a whole, and what it means. */
export function stateWords(status: SystemStatus): { readonly title: string; readonly text: string } {
  if (status.store === null) {
    return {
      title: "The store does not answer",
      text: `The app works, but nothing can be read from ${status.storeUrl}: ${status.storeProblem?.message ?? "there was no answer"}. What collectors see meanwhile waits in their spool and is not lost.`,
    };
  }
  if (status.collector.state === "running") {
    return {
      title: "Waiting for the first row",
      text: "A collector is running and the store answers; no connection has been opened, closed or dropped since. The page appears here within two seconds of the first one.",
    };
  }
  return {
    title: "No collector is sending to this store",
    text: "The app and the store work, but no rows have ever arrived. Start a collector on each machine whose traffic you want to see; the page appears here within two seconds of its first event.",
  };
}
