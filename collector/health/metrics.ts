/** The collector's figures in the OpenMetrics text format, made from the same snapshot that the Health page shows (docs/metrics.md). */
import { Counter, Gauge, Registry } from "prom-client";
import type { HealthSnapshot } from "../../model/wire/health.ts";

const FATES = ["stored", "lost", "shed", "quarantined", "filtered"] as const;

/** `GET /metrics`. Names end in their unit; totals count since the collector began. */
export async function metricsText(health: HealthSnapshot): Promise<{ type: string; text: string }> {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: `weir_collector_${name}`, help, registers }).set(value);
  const total = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `weir_collector_${name}_total`, help, labelNames, registers });
  const labelled = (name: string, help: string, labelNames: readonly string[]) =>
    new Gauge({ name: `weir_collector_${name}`, help, labelNames, registers });

  labelled("version_info", "Always 1; the labels say which Weir runs on which kernel, and what it observes", [
    "version",
    "kernel",
    "node",
    "source",
  ]).set({ version: health.version, kernel: health.kernel, node: health.node, source: health.source }, 1);
  gauge("start_time_seconds", "When the collector began, seconds since 1970", health.startedMs / 1000);

  const produced = total("events_produced", "Events that the kernel programs made", ["cpu", "type"]);
  const lost = total("events_lost", "Events that found their ring full", ["cpu", "type"]);
  const shed = total("events_shed", "Events not sent, as their connection was left out to hold the limit of CPU", [
    "cpu",
    "type",
  ]);
  for (const row of health.loss) {
    const labels = { cpu: row.cpu === 65535 ? "none" : String(row.cpu), type: row.type };
    produced.inc(labels, row.produced);
    lost.inc(labels, row.lost);
    shed.inc(labels, row.shed);
  }
  const books = total("events_booked", "What became of events: with those in flight, the sum is what was produced", [
    "fate",
  ]);
  for (const fate of FATES) books.inc({ fate }, Math.max(0, health.books[fate]));
  gauge("events_in_flight", "Events in rings and memory that are not booked yet", health.books.inFlight);
  gauge(
    "books_difference_events",
    "Events that the kernel counted and nobody can account for",
    health.books.difference,
  );
  if (health.sampling !== undefined) {
    gauge(
      "kept_connections_ratio",
      "Share of connections that are told of; below 1 the others are shed",
      health.sampling.share,
    );
    gauge("cpu_limit_cpus", "CPUs that the collector may use (WEIR_COLLECT_CPU)", health.sampling.limit);
    total("packets_shed", "Packets of UDP and ping conversations that were left out").inc(health.sampling.packetsShed);
  }
  gauge(
    "ring_used_ratio",
    "Greatest share of a ring in use when a drain began, in the last 10 to 20 s",
    health.ringUse,
  );
  gauge(
    "ring_stalled_seconds",
    "Time since events were read while some waited; 0 when none did",
    health.stalledMs / 1000,
  );
  gauge("decode_seconds", "Mean cost of reading and decoding an event", health.decodeNs / 1e9);
  total("records_malformed", "Records from a ring that could not be read").inc(health.malformed);
  total("calls_skipped", "Calls of a program that the kernel skipped since it ran already: events never made").inc(
    health.uncounted.calls,
  );
  total("packets_uncounted", "Packets of UDP and ping for which the map of conversations had no room").inc(
    health.uncounted.packets,
  );
  total("connections_untracked", "TCP connections without side and latency, as the map of connections was full").inc(
    health.uncounted.connections,
  );

  gauge("spool_bytes", "Bytes on disk that the store does not have yet", health.spool.bytes);
  gauge("spool_budget_bytes", "Bytes that the spool may take (WEIR_SPOOL_MB)", health.spool.budgetBytes);
  gauge("spool_pending_bytes", "Bytes of rows in memory that are not durable yet", health.spool.pendingBytes);
  gauge("spool_segments", "Segments that the store does not have yet", health.spool.segments);
  gauge(
    "spool_oldest_seconds",
    "Age of the oldest segment that the store does not have yet",
    health.spool.oldestMs / 1000,
  );
  total("spool_shed_rows", "Rows given up because the disk budget was spent").inc(health.spool.shedRows);
  total("spool_failures", "Writes that the disk refused").inc(health.spool.failures);
  total("segments_quarantined", "Segments, or parts of one, that could not be used").inc(health.spool.quarantined);

  total("rows_inserted", "Rows that the store acknowledged").inc(health.store.insertedRows);
  total("segments_inserted", "Segments that the store acknowledged").inc(health.store.insertedSegments);
  total("insert_failures", "Inserts that failed and were tried again").inc(health.store.failures);
  gauge("insert_seconds", "Time that the last insert took", health.store.insertMs / 1000);
  gauge("insert_lag_seconds", "From a segment's last row to the store's answer", health.store.lagMs / 1000);
  gauge("store_failing", "1 = the newest insert failed", health.store.state === "failing" ? 1 : 0);

  gauge("identities", "Workloads, services and others that have a name", health.identities.parties);
  gauge("sockets", "Open sockets whose owner is known", health.identities.sockets);
  gauge("live_clients", "Connections to the live stream", health.live.clients);
  gauge("live_subscriptions", "Subscriptions on the live stream", health.live.subscriptions);
  total("live_missed_flows", "Flows that slow clients did not get").inc(health.live.missed);
  const hook = labelled("hook_loaded", "1 = the program is loaded and attached", ["hook"]);
  for (const each of health.hooks) hook.set({ hook: each.name }, each.state === "loaded" ? 1 : 0);

  gauge("memory_bytes", "Resident memory of the collector", health.process.rssBytes);
  total("cpu_seconds", "CPU time of the collector").inc(health.process.cpuSeconds);
  gauge("replay", "1 = a recorded sample plays instead of this machine's traffic", health.source === "replay" ? 1 : 0);
  return { type: registry.contentType, text: await registry.metrics() };
}
