/** The app's figures in the OpenMetrics text format (docs/metrics.md). Counted where requests come in, before Next sees them. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Gateway } from "./live/gateway.ts";
import { WEIR_VERSION } from "./machine.ts";

/** Seconds; a screen's answer should come in the first half of them. */
const BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

export interface AppMetrics {
  /** Books one answer of `url`: its route, status and time. */
  answered(url: string | undefined, status: number, seconds: number): void;
  refused(): void;
  text(gateway: Gateway): Promise<{ readonly type: string; readonly text: string }>;
}

/** Inert until something is counted. */
export function createAppMetrics(): AppMetrics {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name: `weir_app_${name}`, help, registers });
  new Gauge({
    name: "weir_app_version_info",
    help: "Always 1; the label says which Weir runs",
    labelNames: ["version"],
    registers,
  }).set({ version: WEIR_VERSION }, 1);
  const requests = new Counter({
    name: "weir_app_requests_total",
    help: "Requests that were answered, by route and class of status",
    labelNames: ["route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "weir_app_request_seconds",
    help: "Time from a request's arrival to the end of its answer",
    labelNames: ["route"],
    buckets: BUCKETS,
    registers,
  });
  const refused = new Counter({
    name: "weir_app_requests_refused_total",
    help: "Requests for a name or from an origin that is not the app's",
    registers,
  });
  const clients = gauge("live_clients", "Browsers on the live stream");
  const missed = new Counter({
    name: "weir_app_live_missed_flows_total",
    help: "Flows that slow browsers did not get",
    registers,
  });
  const memory = gauge("memory_bytes", "Resident memory of the app");
  const delay = gauge("event_loop_delay_seconds", "99th percentile of how late timers were since the last scrape");
  const cpu = new Counter({ name: "weir_app_cpu_seconds_total", help: "CPU time of the app", registers });
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  let missedBefore = 0;
  let cpuBefore = 0;
  return {
    answered(url, status, took) {
      const route = routeOf(url, status);
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
      seconds.observe({ route }, took);
    },
    refused: () => refused.inc(),
    async text(gateway) {
      clients.set(gateway.clients);
      missed.inc(gateway.missed - missedBefore);
      missedBefore = gateway.missed;
      memory.set(process.memoryUsage.rss());
      const usage = process.cpuUsage();
      const used = (usage.user + usage.system) / 1e6;
      cpu.inc(Math.max(0, used - cpuBefore));
      cpuBefore = used;
      delay.set(Number.isNaN(loop.percentile(99)) ? 0 : loop.percentile(99) / 1e9);
      loop.reset();
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** `/api/map`, `page`, `static`; `other` for what is not there, so that a stranger's URLs make no series. */
function routeOf(url: string | undefined, status: number): string {
  if (status === 404) return "other";
  const path = url?.split("?")[0] ?? "";
  if (path.startsWith("/_next/")) return "static";
  const api = /^\/api\/([a-z-]{1,32})(?:\/|$)/.exec(path)?.[1];
  return api === undefined ? "page" : `/api/${api}`;
}
