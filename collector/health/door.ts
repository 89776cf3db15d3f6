/** `/metrics`, `/healthz`, `/readyz`: on the collector's socket, and for scrapers on a TCP port (loopback unless told otherwise). */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemCode, WeirError } from "../../model/errors.ts";
import { readiness, type ReadinessCheck } from "../../model/wire/readiness.ts";

export interface HealthPages {
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly ready: () => Promise<readonly ReadinessCheck[]>;
}

export interface MetricsAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** False: nobody asked for this port, so a collector whose port is taken runs without it. */
  readonly required: boolean;
}

/** Answers one of the three paths; false for any other, which is not answered. */
export async function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  pages: HealthPages,
): Promise<boolean> {
  const say = (status: number, type: string, body: string): true => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(body);
    return true;
  };
  const path = request.url?.split("?")[0];
  if (path === "/healthz") return say(200, "text/plain", "alive\n");
  if (path === "/readyz") {
    const { status, text } = readiness(await pages.ready());
    return say(status, "text/plain; charset=utf-8", text);
  }
  if (path !== "/metrics") return false;
  const { type, text } = await pages.metrics();
  return say(200, type, text);
}

function nameOf(host: string | undefined): string {
  return (host ?? "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** Listens for scrapers. Undefined when the port is taken and was not asked for. Throws WeirError when it was. */
export async function openDoor(
  address: MetricsAddress,
  pages: HealthPages,
): Promise<({ readonly port: number } & AsyncDisposable) | undefined> {
  const { host, port, required } = address;
  const server = createServer((request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405).end("only GET\n");
      return;
    }
    if (isLoopback(host) && !isLoopback(nameOf(request.headers.host))) {
      response.writeHead(403).end("this port answers to 127.0.0.1 and localhost only\n"); // a web page with a name of its own for this address
      return;
    }
    answerHealth(request, response, pages).then(
      (answered) => {
        if (!answered) response.writeHead(404).end("there are /metrics, /healthz and /readyz\n");
      },
      (error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(`${error instanceof Error ? error.message : String(error)}\n`);
      },
    );
  });
  server.headersTimeout = 10_000;
  server.maxConnections = 64;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
  } catch (cause) {
    if (!required) return undefined;
    throw new WeirError({
      code: "cannot-listen",
      where: "WEIR_METRICS_PORT",
      what: `cannot listen on ${host}:${port} (${systemCode(cause) ?? String(cause)})`,
      next: "choose another port or WEIR_METRICS_HOST, or WEIR_METRICS_PORT=off",
      cause,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
