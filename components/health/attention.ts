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
/** A drain is due every 100 ms (collector/health/readiness.ts). */
const STALLED_MS = 5000;
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
  items.push(...refusedPrograms(health), ...losses(health), ...storage(health), ...versions(status, health));
  for (const note of health.notes.filter((each) => each.about === undefined))
    items.push({ level: note.level, what: sentence(note.message), next: sentence(note.next ?? "") });
  const rank = { error: 0, warning: 1, info: 2 } as const;
  return items.toSorted((a, b) => rank[a.level] - rank[b.level]);
}

/** True when the books balance but for events that came between two counts. */
function isBalanced({ books, eventsPerSecond }: HealthSnapshot): boolean {
  return Math.abs(books.difference) <= SKEW_S * Math.max(eventsPerSecond, 100);
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
  const inRings = books.lost - books.unseen;
  if (inRings > 0) {
    items.push({
      level: inRings / Math.max(1, books.produced) > 0.001 ? "error" : "warning",
      what: `${count(inRings)} of ${count(books.produced)} events were lost in the rings (${share(inRings, books.produced)}), since the collector began.`,
      next: "The rings were full before they were read. Give the collector more CPU, or observe fewer network namespaces with WEIR_NETNS; the table below says which CPU and type.",
    });
  }
  if (books.unseen > 0)
    items.push({
      level: "info",
      what: `${count(books.unseen)} packets went by while the kernel ran no program, since the collector began: so many drops, at most, are missing.`,
      next: "Kernels of Firecracker guests run no tracing program while process 1 is at work. It is counted, and nothing can be done about it here.",
    });
  if (!isBalanced(health)) {
    items.push({
      level: "error",
      what: `The books do not balance by ${count(Math.abs(books.difference))}.`,
      next: "This is a bug of Weir: please report it with the output of ./bin/weir doctor.",
    });
  }
  if (health.stalledMs > STALLED_MS)
    items.push({
      level: "error",
      what: `Events wait in the rings and none was read for ${duration(health.stalledMs * 1000)}.`,
      next: "The collector hangs: restart it, and please report this with the file that ./bin/weir doctor --bundle FILE writes.",
    });
  if (books.quarantined > 0 || health.spool.quarantined > 0)
    items.push({
      level: "warning",
      what: `${count(books.quarantined)} rows of ${count(health.spool.quarantined)} segments are in quarantine: they could not be read or stored.`,
      next: "Each file in WEIR_DATA_DIR/spool/quarantine has its reason beside it; ./bin/weir spool lists them.",
    });
  const { calls, packets, connections } = health.uncounted;
  if (calls + packets + connections > 0)
    items.push({
      level: "warning",
      what: `Not counted by the kernel programs: ${count(calls)} calls, ${count(packets)} packets of UDP and ping, ${count(connections)} connections.`,
      next: "Their maps had no room, or a program was interrupted by itself. Observe fewer network namespaces with WEIR_NETNS.",
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
      next: `${count(spool.segments)} segments (${bytes(spool.bytes)}) wait on disk and are not lost${roomFor(health)}; it tries again in ${duration(store.retryInMs * 1000)}.`,
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
      next: "When it is full, rows are shed, allowed ones first. Bring the store back.",
    });
  if (spool.isFailing)
    items.push({
      level: "error",
      what: `The spool can't be written: ${spool.lastFailure}.`,
      next: "Rows wait in memory, and the least valuable are shed when that is full. Make room on the disk of WEIR_DATA_DIR, or make it writable.",
    });
  else if (spool.lastFailure !== "")
    items.push({
      level: "info",
      what: `The disk refused ${count(spool.failures)} writes since the collector began; it takes them again.`,
      next: `The last one: ${sentence(spool.lastFailure)}`,
    });
  return items;
}

/** How long the disk budget lasts at the rate at which the spool grew while the store was away; "" while that can't be told. */
function roomFor({ spool }: HealthSnapshot): string {
  if (spool.oldestMs < 10_000 || spool.bytes === 0) return "";
  const seconds = ((spool.budgetBytes - spool.bytes) / spool.bytes) * (spool.oldestMs / 1000);
  return seconds > 0 ? `, with room for about ${duration(seconds * 1e6)} more` : "";
}

function versions(status: SystemStatus, health: HealthSnapshot): readonly Attention[] {
  const items: Attention[] = [];
  if (health.version !== status.version)
    items.push({
      level: "info",
      what: `The collector is Weir ${health.version}, this app is ${status.version}.`,
      next: "Neighbouring versions work together; update the older one when it suits (docs/guarantees.md, Upgrades).",
    });
  const others = new Set((status.store?.nodes ?? []).map((node) => node.agent).filter((agent) => agent !== ""));
  others.delete(status.version);
  others.delete(health.version);
  if (others.size > 0)
    items.push({
      level: "info",
      what: `Other nodes run Weir ${[...others].toSorted().join(", ")}.`,
      next: "Neighbouring versions work together; the table of nodes says which runs what.",
    });
  return items;
}

function sentence(text: string): string {
  if (text === "") return "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?]$/.test(text) ? "" : "."}`;
}
