/**
 * The embedded engine behind ClickHouse's HTTP protocol on loopback: lock the directory, open the sessions, listen; a request is
 * read, checked against its user, given a session, answered in chunks. Closing the socket ends the query.
 *
 * Users: `default` and `reader` without a password, who only read, within limits; `writer` with the token in DATA_DIR/run/writer.token,
 * which only the owner of the directory can read.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { systemCode } from "../../model/errors.ts";
import { StoreError } from "../errors.ts";
import { drainEngine, EngineException } from "./engine.ts";
import { asStoreError, lockDirectory } from "./lock.ts";
import { forgetBlocksWithoutPart } from "./remembered-blocks.ts";
import { StorePages, type Outcome } from "./pages.ts";
import { Answer } from "./respond.ts";
import { credentialsOf, readQuestion } from "./request.ts";
import { runQuestion } from "./run.ts";
import { SessionPool, type Role } from "./sessions.ts";
import { tokenPath } from "./token.ts";

export interface EmbeddedSettings {
  readonly dataDir: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly database: string;
  /** RAM that the engine may take, bytes. */
  readonly engineMemory: number;
}

export interface EmbeddedStore {
  readonly url: string;
  readonly writerToken: string;
  close(): Promise<void>;
}

/** Starts the embedded store. Throws StoreError: directory held, not writable, port in use, engine missing. */
export async function startEmbedded(settings: EmbeddedSettings): Promise<EmbeddedStore> {
  const unlock = await lockDirectory(settings.dataDir);
  const engineDir = join(settings.dataDir, "store");
  const tempDir = join(settings.dataDir, "tmp");
  const pool = new SessionPool();
  try {
    await mkdir(engineDir, { recursive: true, mode: 0o700 });
    await mkdir(tempDir, { recursive: true, mode: 0o700 });
    for (const left of await readdir(tempDir))
      if (left.startsWith("insert-")) await rm(join(tempDir, left), { force: true });
    await forgetBlocksWithoutPart(engineDir);
    await pool.open({ dataDir: engineDir, memory: settings.engineMemory }, settings.database);
    const pages = new StorePages(pool, settings.database, settings.dataDir);
    const writerToken = await ownToken(tokenPath(settings.dataDir));
    const server = createServer(
      {
        keepAliveTimeout: 30_000,
        headersTimeout: 10_000, // who sends his headers byte by byte is let go
        connectionsCheckingInterval: 2000,
        requestTimeout: 0, // an INSERT may take its time
        maxHeaderSize: 1024 * 1024,
      },
      (request, response) => {
        void answer(request, response, { pool, pages, writerToken, database: settings.database, tempDir });
      },
    );
    await listen(server, settings.port);
    const port = (server.address() as AddressInfo).port;
    return {
      url: `http://127.0.0.1:${port}`,
      writerToken,
      async close() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await drainEngine();
        pool.close();
        await drainEngine();
        await unlock();
      },
    };
  } catch (thrown) {
    pool.close();
    await unlock();
    throw asStoreError(thrown, settings.dataDir);
  }
}

/** The token of this directory, made once: writers keep working over a restart of the store. */
async function ownToken(path: string): Promise<string> {
  const old = await readFile(path, "utf8").catch(() => ""); // not there yet
  if (/^[\w-]{32}\n$/.test(old)) return old.trim();
  const token = randomBytes(24).toString("base64url");
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  return token;
}

interface Room {
  readonly pool: SessionPool;
  readonly pages: StorePages;
  readonly writerToken: string;
  readonly database: string;
  readonly tempDir: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, room: Room): Promise<void> {
  const url = urlOf(request);
  if (url === undefined) return plain(response, 400, "This is no path.");
  const refused = misplaced(request);
  if (refused !== undefined) return plain(response, 403, refused);
  if (url.pathname === "/ping") return plain(response, 200, "Ok.");
  if (url.pathname !== "/" && url.pathname !== "/query") {
    if (url.pathname === "/replicas_status") return plain(response, 200, "Ok.");
    const page = await room.pages.at(url.pathname);
    if (page !== undefined) {
      response.writeHead(page.status, { "Content-Type": page.type, "Cache-Control": "no-store" });
      response.end(page.text);
      return;
    }
    return plain(response, 404, `There is no handle ${url.pathname}. Use /, /ping, /metrics, /healthz or /readyz.`);
  }
  if (url.pathname === "/" && request.method === "GET" && !url.searchParams.has("query"))
    return plain(response, 200, "Ok.");
  if (request.method !== "GET" && request.method !== "POST" && request.method !== "HEAD")
    return plain(response, 405, "GET or POST.");

  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new Error("the client went away"));
  });
  let out = new Answer(response, url.searchParams.get("query_id") ?? "");
  const began = performance.now();
  let role: Role = "reader"; // until it is known who asks
  const book = (outcome: Outcome): void => room.pages.count(role, outcome, (performance.now() - began) / 1000);
  try {
    role = roleOf(request, url, room.writerToken);
    const question = await readQuestion(request, url, room.database, room.tempDir);
    out = new Answer(response, question.queryId);
    try {
      await runQuestion(question, role, room.pool, out, gone.signal);
    } finally {
      if (question.body !== undefined) await rm(question.body.path, { force: true });
    }
    book("answered");
  } catch (thrown) {
    if (gone.signal.aborted) return book("gone");
    book(thrown instanceof EngineException && REFUSALS.has(thrown.engineCode) ? "refused" : "failed");
    out.fail(
      thrown instanceof EngineException
        ? thrown
        : new EngineException(
            `Code: 1002. DB::Exception: ${thrown instanceof Error ? thrown.message : String(thrown)}. (UNKNOWN_EXCEPTION)`,
            { cause: thrown },
          ),
    );
  }
}

/** `//` and the like are no URL for a reader of them; undefined then. */
function urlOf(request: IncomingMessage): URL | undefined {
  const text = request.url ?? "/";
  return URL.canParse(text, "http://store") ? new URL(text, "http://store") : undefined;
}

/** Codes of answers that say "you may not": wrong user, not a read. */
const REFUSALS = new Set([164, 497, 516]);

/** Loopback keeps other machines out; Host and Origin keep out web pages that a browser on this one has open. */
function misplaced(request: IncomingMessage): string | undefined {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host))
    return `The store answers to 127.0.0.1 and localhost, not to ${JSON.stringify(host)}.`;
  if (request.headers.origin !== undefined || request.headers["sec-fetch-site"] !== undefined)
    return "The store does not answer browsers; open Weir's own address.";
  return undefined;
}

function roleOf(request: IncomingMessage, url: URL, writerToken: string): Role {
  const { user, password } = credentialsOf(request, url);
  if ((user === "default" || user === "reader") && password === "") return "reader";
  if (user === "writer" && sameText(password, writerToken)) return "writer";
  throw new EngineException(
    `Code: 516. DB::Exception: ${user.slice(0, 60)}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
  );
}

function sameText(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=UTF-8",
    "X-ClickHouse-Server-Display-Name": "weir",
  });
  response.end(`${text}\n`);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      if (systemCode(error) !== "EADDRINUSE") return reject(error);
      reject(
        new StoreError({
          code: "port-in-use",
          where: `127.0.0.1:${port}`,
          what: `port ${port} is in use by another program`,
          next: `stop it, or choose another with WEIR_STORE_PORT=${port + 1}`,
          cause: error,
        }),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}
