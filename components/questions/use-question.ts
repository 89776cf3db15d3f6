"use client";

import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { z } from "zod";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import { ask, type AskParams } from "./ask.ts";

export interface QuestionOptions {
  /** Further parameters of the route; part of the key. */
  readonly params?: AskParams;
  /** False: not asked yet (nothing selected). */
  readonly enabled?: boolean;
  /** True: the answer of the range before stays on the screen while the next one is fetched (default). */
  readonly keepPrevious?: boolean;
  /** Adds the page's range, filter and scope (default). False: the question is not about a range. */
  readonly ranged?: boolean;
  /** Asks again every so many ms, for what is not about a range. */
  readonly everyMs?: number;
}

export type Answer<T> = UseQueryResult<T, Error>;

/**
 * One question to the app, keyed by everything it depends on: `from`, `to` (ms), `q`, `scope` of the page and `params`.
 * A live range moves by itself, so the answer follows. `key` names the question in one word.
 */
export function useQuestion<T extends z.ZodType>(
  key: string,
  path: string,
  schema: T,
  options: QuestionOptions = {},
): Answer<z.infer<T>> {
  const { q, scope } = useUrlState();
  const range = useViewRange();
  const ranged = options.ranged ?? true;
  const page: AskParams = ranged ? { from: range.from, to: range.to, q, scope: scope.join(",") } : {};
  const params = { ...page, ...options.params };
  return useQuery<z.infer<T>, Error>({
    queryKey: [key, path, params],
    queryFn: ({ signal }) => ask(path, params, schema, signal),
    enabled: options.enabled ?? true,
    ...((options.keepPrevious ?? true) ? { placeholderData: keepPreviousData } : {}),
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
  } as Parameters<typeof useQuery<z.infer<T>, Error>>[0]);
}
