import type { IncomingMessage, ServerResponse } from "node:http";
import { readiness } from "../model/wire/readiness.ts";
import type { Gateway } from "./live/gateway.ts";
import { appLog } from "./log.ts";
import type { AppMetrics } from "./metrics.ts";
import { appChecks } from "./ready.ts";
import { storeReader } from "./store.ts";

export interface Probed {
  readonly metrics: AppMetrics;
  readonly gateway: Gateway;
  readonly collectorSocket: string;
  hasPages(): boolean;
}

/** Answers `/healthz`, `/readyz` and `/metrics`, also while pages are being built; false for any other path, which is not answered. */
export function answerProbe(request: IncomingMessage, response: ServerResponse, probed: Probed): boolean {
  const path = request.url?.split("?")[0];
  if (path !== "/healthz" && path !== "/readyz" && path !== "/metrics") return false;
  page(path, probed).then(
    ({ status, type, text }) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text),
    (error: unknown) => {
      appLog().error({ path, error: String(error) }, "a probe could not be answered");
      response.writeHead(500).end();
    },
  );
  return true;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function page(path: "/healthz" | "/readyz" | "/metrics", probed: Probed): Promise<Page> {
  if (path === "/metrics") return { status: 200, ...(await probed.metrics.text(probed.gateway)) };
  const type = "text/plain; charset=utf-8";
  if (path === "/healthz") return { status: 200, type, text: "alive\n" };
  return { ...readiness(await appChecks(probed.hasPages(), storeReader(), probed.collectorSocket)), type };
}
