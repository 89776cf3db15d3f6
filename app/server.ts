import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import next from "next";
import { systemCode, WeirError } from "../model/errors.ts";
import { createGuard } from "./auth/guard.ts";
import type { AppConfig } from "./config.ts";
import { contentSecurityPolicy, SECURITY_HEADERS } from "./csp.ts";
import { openGateway, type Gateway } from "./live/gateway.ts";
import { appLog } from "./log.ts";
import { createAppMetrics } from "./metrics.ts";
import { answerProbe } from "./probes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * A page's question has a few kB of headers and no body to speak of. Node's own: 60 s for headers, 5 min for a request, looked at
 * every 30 s, which lets one who sends a byte now and then hold connections for long.
 */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 10_000,
} as const;

export interface ServeOptions {
  readonly dev: boolean;
  /** Runs once the port is taken and before pages are served: what takes seconds should not end in "port in use". */
  build?(): Promise<void>;
}

export interface RunningApp {
  readonly port: number;
  /** Ends connections and the gateway. */
  close(): Promise<void>;
}

/**
 * Serves pages, routes and `/ws` on one port. Next closes a ws whose path is one of its routes and leaves every other
 * upgrade pending for ever, so upgrades are taken here, before Next sees them, and unknown ones are destroyed.
 * Throws WeirError `port-in-use`, `port-forbidden`, `no-address`.
 */
export async function serveApp(config: AppConfig, { dev, build }: ServeOptions): Promise<RunningApp> {
  process.env["NEXT_TELEMETRY_DISABLED"] = "1";
  const guard = createGuard(config.host, config.names);
  const gateway = openGateway(config.collectorSocket);
  // Next hangs its own upgrade listener on a server that it knows; this one it gets only for reloading in development.
  const decoy = createServer();
  const pages: { handle?: Handle } = {}; // empty until they are built and prepared
  const metrics = createAppMetrics();
  const { collectorSocket } = config;
  const probed = { metrics, gateway, collectorSocket, hasPages: () => pages.handle !== undefined };
  const server = createServer(LIMITS, (request, response) => {
    if (asksTooMuch(request, response)) return;
    const began = performance.now();
    const { url } = request; // Next rewrites it
    response.once("close", () => metrics.answered(url, response.statusCode, (performance.now() - began) / 1000));
    const refused = guard.refuse(request);
    if (refused !== undefined) metrics.refused();
    else if (answerProbe(request, response, probed)) return;
    if (pages.handle === undefined) return notYet(response);
    answer(request, response, refused, dev, pages.handle);
  });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const path = request.url?.split("?")[0];
    if (dev && path?.startsWith("/_next/") === true) return decoy.emit("upgrade", request, socket, head);
    const refused = path === "/ws" ? guard.refuse(request) : "no such stream";
    if (refused === undefined) return gateway.accept(request, socket, head);
    socket.end(`HTTP/1.1 ${path === "/ws" ? "403 Forbidden" : "404 Not Found"}\r\nconnection: close\r\n\r\n`, () =>
      socket.destroy(),
    );
  });
  await listen(server, config);
  const app = await prepared(() => prepare(config, dev, decoy, build), server, gateway);
  pages.handle = app.getRequestHandler();
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await gateway.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.close();
    },
  };
}

async function prepare(
  config: AppConfig,
  dev: boolean,
  decoy: Server,
  build: (() => Promise<void>) | undefined,
): Promise<NextServer> {
  await build?.();
  const app = next({ dev, dir: ROOT, hostname: config.host, port: config.port, httpServer: decoy, quiet: !dev });
  await app.prepare();
  return app;
}

/** What `work` gives; when it fails, the port is given back before the error goes on. */
async function prepared<T>(work: () => Promise<T>, server: Server, gateway: Gateway): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await gateway.close();
    server.closeAllConnections();
    server.close();
    throw error;
  }
}

/** Requests under way on one connection. Browsers wait for an answer before they ask the next; who asks on without reading is let go. */
const MAX_UNDER_WAY = 16;
const underWay = new WeakMap<object, number>();

/** True when the connection was ended because too many of its requests wait for their answers. */
function asksTooMuch(request: IncomingMessage, response: ServerResponse): boolean {
  const { socket } = request;
  const count = (underWay.get(socket) ?? 0) + 1;
  underWay.set(socket, count);
  response.once("close", () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
  if (count > MAX_UNDER_WAY) socket.destroy();
  return socket.destroyed;
}

function notYet(response: ServerResponse): void {
  response
    .writeHead(503, { "retry-after": "2", "content-type": "text/plain" })
    .end("Weir is preparing its pages; reload in a moment.\n");
}

type NextServer = ReturnType<typeof next>;
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  refused: string | undefined,
  dev: boolean,
  handle: Handle,
): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  if (refused !== undefined) {
    response
      .writeHead(403, { "content-type": "application/json" })
      .end(JSON.stringify({ error: { code: "refused", message: refused } }));
    return;
  }
  if (!isStatic(request.url)) {
    const policy = contentSecurityPolicy(dev);
    request.headers["content-security-policy"] = policy; // replaces whatever the client sent
    response.setHeader("content-security-policy", policy);
  }
  handle(request, response).catch((error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    appLog().error({ url: request.url, stack }, "a request failed");
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
}

function isStatic(url: string | undefined): boolean {
  return url?.startsWith("/_next/static/") ?? false;
}

function listen(server: Server, { host, port }: AppConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(cause, host, port)));
    server.listen({ host, port }, () => resolve());
  });
}

function listenError(cause: unknown, host: string, port: number): unknown {
  const code = systemCode(cause);
  if (code === "EADDRINUSE")
    return new WeirError({
      code: "port-in-use",
      what: `port ${port} on ${host} is in use by another program`,
      next: `stop it, or choose another with WEIR_PORT=${port + 1}`,
      cause,
    });
  if (code === "EACCES")
    return new WeirError({
      code: "port-forbidden",
      what: `this user may not listen on port ${port}`,
      next: "choose one above 1023 with WEIR_PORT=7070",
      cause,
    });
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new WeirError({
      code: "no-address",
      where: "WEIR_HOST",
      what: `${host} is no address of this machine`,
      next: "use 127.0.0.1, or 0.0.0.0 for all",
      cause,
    });
  return cause;
}
