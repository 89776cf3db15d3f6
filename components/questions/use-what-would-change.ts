"use client";

import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { PolicyProblem } from "../../policy/parse/problem.ts";
import type { Profile } from "../../policy/world.ts";
import { useUrlState } from "../frame/use-url-state.ts";
import { useViewRange } from "../frame/view-range.tsx";
import type { Judged, Loaded, PolicyText } from "../policies/answers.ts";
import { WhatIfClient } from "../policies/what-if-client.ts";
import { AnswerError } from "./ask.ts";
import type { Answer } from "./use-question.ts";

/** Traffic is read again when a live range has moved on by so much: texts are judged on the same traffic while one types. */
const STEP_MS = 60_000;

export interface WhatWouldChange {
  /** The traffic of the range, filter and scope. */
  readonly traffic: Answer<Loaded>;
  /** The newest answer; with a `stale` reason it is of an older text. */
  readonly judged: Judged | undefined;
  /** When the answer was made, ms since 1970. */
  readonly at: number;
  /** Why there is no answer to the text as it stands: problems in it, or a failure of the worker. */
  readonly stale: "problems" | "failed" | undefined;
  readonly problems: readonly PolicyProblem[];
  readonly failure: string | undefined;
  /** True while the text as it stands is being judged. */
  readonly busy: boolean;
  readonly client: WhatIfClient | undefined;
}

interface State {
  readonly judged: Judged | undefined;
  readonly id: number;
  readonly at: number;
  readonly stale: WhatWouldChange["stale"];
  readonly problems: readonly PolicyProblem[];
  readonly failure: string | undefined;
}
const NOTHING: State = { judged: undefined, id: 0, at: 0, stale: undefined, problems: [], failure: undefined };

/** What the files would change of the range's traffic, judged anew whenever they change. */
export function useWhatWouldChange(files: readonly PolicyText[], profile: Profile | undefined): WhatWouldChange {
  const { q, scope } = useUrlState();
  const range = useViewRange();
  const client = useRef<WhatIfClient>(undefined);
  const [ready, setReady] = useState<WhatIfClient>();
  const [restarts, setRestarts] = useState(0);
  const [state, setState] = useState<State>(NOTHING);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    const created = new WhatIfClient({
      onUses: (id, lines) =>
        setState((known) =>
          known.id === id && known.judged !== undefined ? { ...known, judged: { ...known.judged, lines } } : known,
        ),
      onOvertaken: (id, judged) =>
        setState((known) => (id > known.id ? { ...known, judged, id, at: Date.now(), stale: undefined } : known)),
      onRestart: () => setRestarts((times) => times + 1),
    });
    client.current = created;
    setReady(created);
    return () => {
      client.current = undefined;
      created.dispose();
    };
  }, []);

  const to = Math.ceil(range.to / STEP_MS) * STEP_MS;
  const from = to - Math.max(STEP_MS, Math.round(range.lengthMs / STEP_MS) * STEP_MS);
  const url = useMemo(() => {
    const query = new URLSearchParams({ from: String(from), to: String(to), q, scope: scope.join(",") });
    return `/api/tuples?${query.toString()}`;
  }, [from, to, q, scope]);

  const traffic = useQuery<Loaded, Error>({
    queryKey: ["what-passed-through", url, restarts],
    enabled: ready !== undefined,
    placeholderData: (before) => before,
    gcTime: 0, // the worker holds the traffic of the last question only
    queryFn: async () => {
      const answer = await client.current!.ask({ kind: "load", url });
      if (answer.kind !== "loaded") throw new Error("the worker answered another question");
      return answer.loaded;
    },
  });

  const loadedAt = traffic.isPlaceholderData ? 0 : traffic.dataUpdatedAt;
  const hung = useRef<readonly PolicyText[]>(undefined);
  const judge = useCallback(async () => {
    const asked = client.current;
    if (asked === undefined || loadedAt === 0 || hung.current === files) return; // the same text would hang again
    setBusy(true);
    try {
      const id = asked.nextId;
      const answer = await asked.ask({ kind: "judge", files, profile });
      if (answer.kind === "judged")
        setState({
          judged: answer.judged,
          id,
          at: Date.now(),
          stale: undefined,
          problems: answer.judged.problems,
          failure: undefined,
        });
      else if (answer.kind === "refused")
        setState((known) => ({ ...known, stale: "problems", problems: answer.refused.problems, failure: undefined }));
      setBusy(false);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return; // a newer text is judged
      setBusy(false);
      if (error instanceof AnswerError && error.code === "worker-hung") hung.current = files;
      setState((known) => ({
        ...known,
        stale: "failed",
        failure: error instanceof Error ? error.message : String(error),
      }));
    }
  }, [files, profile, loadedAt]);
  useEffect(() => void judge(), [judge]);

  return { traffic, ...state, busy, client: ready };
}
