import type { z } from "zod";
import { WeirError } from "../../model/errors.ts";

/** An answer that is an error: what the server said, with the HTTP status. 0 = it could not be reached at all. */
export class AnswerError extends WeirError {
  readonly status: number;

  constructor(status: number, facts: ConstructorParameters<typeof WeirError>[0]) {
    super(facts);
    this.status = status;
  }
}

/** Asks again only where that can help: the network, or a server that is busy or starting. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AnswerError && (error.status === 0 || error.status === 503 || error.status === 429);
}

export type AskParams = Readonly<Record<string, string | number | undefined>>;

/**
 * GETs a JSON answer and checks it against `schema`. Throws AnswerError with the server's own words; a shape that the
 * screen does not know is one too (`answer-unknown`). AbortError when `signal` fires.
 */
export async function ask<T extends z.ZodType>(
  path: string,
  params: AskParams,
  schema: T,
  signal: AbortSignal,
): Promise<z.infer<T>> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== "") query.set(name, String(value));
  const response = await get(query.size === 0 ? path : `${path}?${query.toString()}`, signal);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new AnswerError(response.status, factsOf(body, response.status));
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AnswerError(response.status, {
    code: "answer-unknown",
    what: `the server's answer has a shape that this page does not know`,
    where: `${path} ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    next: "reload the page; if it stays, the app and the page are of different versions",
  });
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, headers: { accept: "application/json" }, credentials: "same-origin" });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new AnswerError(0, {
      code: "app-unreachable",
      what: "the Weir app does not answer",
      next: "see if `weir serve` still runs; this page asks again by itself",
      cause,
    });
  }
}

/** `{error: {code, message, where, next}}` of a route as facts. */
function factsOf(body: unknown, status: number): ConstructorParameters<typeof WeirError>[0] {
  const error =
    typeof body === "object" && body !== null && "error" in body ? (body.error as Record<string, unknown>) : {};
  const text = (name: string): string | undefined => (typeof error[name] === "string" ? error[name] : undefined);
  const where = text("where");
  const next = text("next");
  return {
    code: text("code") ?? `http-${status}`,
    what: text("message") ?? `the server answered with status ${status}`,
    ...(where === undefined ? {} : { where }),
    ...(next === undefined ? {} : { next }),
  };
}
