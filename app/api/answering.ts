import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { WeirError } from "../../model/errors.ts";
import type { StoreReader } from "../../store/reader.ts";
import { appLog } from "../log.ts";
import { scopeFor, viewerOf, type Viewer } from "../auth/viewer.ts";
import { storeReader } from "../store.ts";
import { rangedQuestion, readParams, type RangedQuestion } from "./question.ts";

/** What a route's handler gets beside its question. `signal` fires when the client goes away: hand it to the query. */
export interface RouteContext {
  readonly viewer: Viewer;
  readonly store: StoreReader;
  readonly signal: AbortSignal;
  readonly request: Request;
}

type Handler<Q> = (question: Q, context: RouteContext) => Promise<unknown>;
type Get = (request: Request) => Promise<Response>;

/**
 * A GET route: parameters checked by `shape`, then the viewer, then one question to the store, then JSON.
 * `export const GET = route(z.object({ id: z.string() }), (question, { store, signal }) => …)`. A handler may give a
 * Response itself, for exports. Errors become `{error: {code, message, where, next}}`.
 */
export function route<T extends z.ZodType>(shape: T, handler: Handler<z.infer<T>>): Get {
  return (request) => answer(request, async (params, context) => handler(readParams(shape, params), context));
}

/** The same for a question about the page's range: `from`, `to`, `q`, `scope` are read, cut to the viewer's, and handed on. */
export function rangedRoute<T extends z.ZodType>(shape: T, handler: Handler<RangedQuestion & z.infer<T>>): Get {
  return (request) =>
    answer(request, async (params, context) => {
      const ranged = rangedQuestion(params);
      const scope = scopeFor(context.viewer, ranged.scope).namespaces;
      const own = readParams(shape, params) as z.infer<T>;
      return handler(Object.assign({}, own, ranged, { scope }), context);
    });
}

async function answer(
  request: Request,
  ask: (params: Record<string, string>, context: RouteContext) => Promise<unknown>,
): Promise<Response> {
  const { signal } = request;
  try {
    const viewer = await viewerOf(request);
    const params = Object.fromEntries(new URL(request.url).searchParams);
    const body = await ask(params, { viewer, store: storeReader(), signal, request });
    if (body instanceof Response) return body;
    return Response.json(body, { headers: { "cache-control": "no-store" } });
  } catch (error) {
    if (signal.aborted) return new Response(null, { status: 499 }); // the client has gone; nobody reads this
    return failed(error);
  }
}

/** HTTP status of the codes that are not a mistake in the question. */
const STATUS: Readonly<Record<string, number>> = {
  "no-permission": 403,
  "not-found": 404,
  "store-unreachable": 503,
  "store-gone": 503,
  "store-tls": 503,
  "store-password": 503,
  "store-not-clickhouse": 503,
  "store-no-schema": 503,
  "store-timeout": 504,
};

function failed(error: unknown): Response {
  if (error instanceof WeirError) {
    const { code, where, next } = error;
    const status = STATUS[code] ?? (code.startsWith("store-") ? 502 : 400);
    return Response.json({ error: { code, message: error.what, where, next } }, { status });
  }
  const id = randomUUID().slice(0, 8);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  appLog().error({ bug: id, stack }, "a question failed with an error of the app's own");
  return Response.json(
    {
      error: {
        code: "bug",
        message: `the app failed with an error of its own (${id})`,
        next: `its log has the details under ${id}; please report them`,
      },
    },
    { status: 500 },
  );
}
