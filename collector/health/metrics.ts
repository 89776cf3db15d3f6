/** The collector's figures in the OpenMetrics text format, made from the same snapshot that the Health page shows. */
import { Counter, Gauge, Registry } from "prom-client";
import type { HealthSnapshot } from "../../model/wire/health.ts";

/** `GET /metrics`. Names end in their unit; totals count since the collector began. */
export async function metricsText(health: HealthSnapshot): Promise<{ type: string; text: string }> {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: `weir_collector_${name}`, help, registers }).set(value);
  const total = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `weir_collector_${name}_total`, help, labelNames, registers });

  const produced = total("events_produced", "Events that the kernel programs made", ["cpu", "type"]);
  const lost = total("events_lost", "Events that found their ring full", ["cpu", "type"]);
  for (const row of health.loss) {
    const labels = { cpu: row.cpu === 65535 ? "none" : String(row.cpu), type: row.type };
    produced.inc(labels, row.produced);
    lost.inc(labels, row.lost);
  }
  const books = total("events_booked", "What became of events", ["fate"]);
  for (const fate of ["stored", "lost", "shed", "quarantined", "filtered"] as const)
    books.inc({ fate }, Math.max(0, health.books[fate]));
  gauge(
    "books_difference_events",
    "Events that the kernel counted and nobody can account for",
    health.books.difference,
  );
  gauge("ring_used_ratio", "Greatest share of a ring in use when a drain began", health.ringUse);
  gauge("decode_seconds", "Mean cost of reading and decoding an event", health.decodeNs / 1e9);
  gauge("spool_bytes", "Bytes on disk that the store does not have yet", health.spool.bytes);
  gauge("spool_segments", "Segments that the store does not have yet", health.spool.segments);
  gauge(
    "spool_oldest_seconds",
    "Age of the oldest segment that the store does not have yet",
    health.spool.oldestMs / 1000,
  );
  total("spool_shed_rows", "Rows given up because the disk budget was spent").inc(health.spool.shedRows);
  total("segments_quarantined", "Segments, or parts of one, that could not be used").inc(health.spool.quarantined);
  total("spool_failures", "Writes that the disk refused").inc(health.spool.failures);
  total("rows_inserted", "Rows that the store acknowledged").inc(health.store.insertedRows);
  total("segments_inserted", "Segments that the store acknowledged").inc(health.store.insertedSegments);
  total("insert_failures", "Inserts that failed and were tried again").inc(health.store.failures);
  gauge("insert_lag_seconds", "From a segment's last row to the store's answer", health.store.lagMs / 1000);
  gauge("live_clients", "Connections to the live stream", health.live.clients);
  total("live_missed_flows", "Flows that slow clients did not get").inc(health.live.missed);
  const hook = new Gauge({
    name: "weir_collector_hook_loaded",
    help: "1 = the program is loaded and attached",
    labelNames: ["hook"],
    registers,
  });
  for (const each of health.hooks) hook.set({ hook: each.name }, each.state === "loaded" ? 1 : 0);
  gauge("memory_bytes", "Resident memory of the collector", health.process.rssBytes);
  total("cpu_seconds", "CPU time of the collector").inc(health.process.cpuSeconds);
  gauge("replay", "1 = a recorded sample plays instead of this machine's traffic", health.source === "replay" ? 1 : 0);
  return { type: registry.contentType, text: await registry.metrics() };
}
