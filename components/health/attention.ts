import type { SystemStatus } from "../../model/wire/answers/status.ts";
import type { HealthSnapshot } from "../../model/wire/health.ts";
import { bytes, count, duration, share } from "../parts/numbers.ts";

export interface Attention {
  readonly level: "error" | "warning" | "info";
  readonly what: string;
  readonly next: string;
}

/** The share of a ring, spool or lag from which on a person should look. */
const RING_FULL = 0.5;
const SPOOL_FULL = 0.8;
const LAG_MS = 10_000;
/** The kernel's and the collector's counts are read one after the other while events come in: seconds of events that this may make. */
const SKEW_S = 3;

/** Everything that is not as it should be, worst first, each with what to do. Empty when all is well. */
export function attentionOf(status: SystemStatus, health: HealthSnapshot | undefined): readonly Attention[] {
  const items: Attention[] = [];
  if (status.storeProblem !== null) {
    items.push({
      level: "error",
      what: `The store does not answer at ${status.storeUrl}: ${status.storeProblem.message}.`,
      next: sentence(status.storeProblem.next),
    });
  }
  if (health === undefined) return items; // the page says so in its own place
  items.push(...refusedPrograms(health), ...losses(health), ...storage(health));
  for (const note of health.notes)
    items.push({ level: note.level, what: sentence(note.message), next: sentence(note.next ?? "") });
  const rank = { error: 0, warning: 1, info: 2 } as const;
  return items.toSorted((a, b) => rank[a.level] - rank[b.level]);
}

function refusedPrograms(health: HealthSnapshot): readonly Attention[] {
  return health.hooks
    .filter((hook) => hook.state === "refused")
    .map((hook) => ({
      level: "warning" as const,
      what: `The kernel refused ${hook.name}${hook.dark === undefined ? "" : `, so ${hook.dark}`}.`,
      next: `${hook.why === undefined ? "" : `It says: ${hook.why}. `}./bin/weir doctor tells what this kernel lacks.`,
    }));
}

function losses(health: HealthSnapshot): readonly Attention[] {
  const items: Attention[] = [];
  const { books } = health;
  if (books.lost > 0) {
    items.push({
      level: books.lost / Math.max(1, books.produced) > 0.001 ? "error" : "warning",
      what: `${count(books.lost)} of ${count(books.produced)} events were lost in the rings (${share(books.lost, books.produced)}), since the collector began.`,
      next: "The rings were full before they were read. Give the collector more CPU, or observe fewer network namespaces with WEIR_NETNS; the table below says which CPU and type.",
    });
  }
  if (Math.abs(books.difference) > SKEW_S * Math.max(health.eventsPerSecond, 100)) {
    items.push({
      level: "error",
      what: `The books do not balance by ${count(Math.abs(books.difference))}.`,
      next: "This is a bug of Weir: please report it with the output of ./bin/weir doctor.",
    });
  }
  if (books.quarantined > 0)
    items.push({
      level: "warning",
      what: `${count(books.quarantined)} rows are in quarantine: they could not be read or stored.`,
      next: "They are kept in the spool's quarantine folder; please report them.",
    });
  if (health.ringUse >= RING_FULL)
    items.push({
      level: "warning",
      what: `The fullest ring is ${Math.round(health.ringUse * 100)} % full.`,
      next: "A burst may be lost soon; see what else uses this machine's CPUs.",
    });
  return items;
}

function storage(health: HealthSnapshot): readonly Attention[] {
  const items: Attention[] = [];
  const { spool, store } = health;
  if (store.state === "failing") {
    items.push({
      level: "error",
      what: `The collector can't insert into the store: ${store.lastFailure || "no answer"}.`,
      next: `${count(spool.segments)} segments (${bytes(spool.pendingBytes)}) wait on disk and are not lost; it tries again in ${duration(store.retryInMs * 1000)}.`,
    });
  } else if (store.lagMs > LAG_MS) {
    items.push({
      level: "warning",
      what: `Rows reach the store ${duration(store.lagMs * 1000)} after they happened.`,
      next: "The store is slower than the traffic; give it more memory or CPU.",
    });
  }
  if (spool.shedRows > 0)
    items.push({
      level: "error",
      what: `${count(spool.shedRows)} rows were shed because the spool was full.`,
      next: "The store was away for too long. Raise the spool's budget, or bring the store back sooner.",
    });
  else if (spool.bytes > SPOOL_FULL * spool.budgetBytes)
    items.push({
      level: "warning",
      what: `The spool holds ${bytes(spool.bytes)} of ${bytes(spool.budgetBytes)}.`,
      next: "When it is full, the oldest rows are shed. Bring the store back.",
    });
  if (spool.lastFailure !== "")
    items.push({
      level: "error",
      what: `The spool can't be written: ${spool.lastFailure}.`,
      next: "Make room on the disk of WEIR_DATA_DIR, or make it writable.",
    });
  return items;
}

function sentence(text: string): string {
  if (text === "") return "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?]$/.test(text) ? "" : "."}`;
}
