/**
 * Holds the traffic of a range and judges texts on it, so that typing never waits. Questions carry ids; of several that wait, only
 * the newest of each kind is answered. The page ends a worker that hangs and starts another (what-if-client.ts).
 */
import { WeirError } from "../../model/errors.ts";
import { TrafficAnswer } from "../../model/wire/answers/what-if.ts";
import { ask, AnswerError } from "../questions/ask.ts";
import type { Judged, Request, Response } from "./answers.ts";
import { coverage, generate, matrix } from "./ask-traffic.ts";
import { Judge } from "./judge.ts";
import { withoutRepeated } from "./judged-again.ts";
import { proposeEdit } from "./propose.ts";
import { loadedOf, trafficOf } from "./traffic.ts";

let judge: Judge | undefined;
/** For what is tried apart from the screen; the same traffic. */
let trial: Judge | undefined;
let loading: AbortController | undefined;
/** The last answer that the page got. */
let sent: Judged | undefined;
let usesTimer = 0;
/** Which rules nothing needs is worked out once nobody types: it would keep the next key waiting. */
const USES_AFTER_MS = 400;
const waiting = new Map<Request["kind"], Request>();
let scheduled = false;

self.onmessage = (event: MessageEvent<Request>) => {
  const request = event.data;
  if (request.kind === "load") {
    void load(request.id, request.url);
    return;
  }
  waiting.set(request.kind, request); // the latest input wins
  if (!scheduled) {
    scheduled = true;
    setTimeout(answerWaiting, 0);
  }
};

function answerWaiting(): void {
  scheduled = false;
  const requests = [...waiting.values()].toSorted((a, b) => a.id - b.id);
  waiting.clear();
  for (const request of requests) {
    try {
      answer(request);
    } catch (error) {
      fail(request.id, error);
    }
  }
}

function answer(request: Request): void {
  if (judge === undefined || request.kind === "load") return;
  const { id } = request;
  switch (request.kind) {
    case "judge": {
      const answered = judge.judge(request.files, request.profile);
      if (!("counts" in answered)) return say({ kind: "refused", id, refused: answered });
      say({ kind: "judged again", id, judged: withoutRepeated(answered, sent) });
      sent = answered;
      clearTimeout(usesTimer);
      usesTimer = self.setTimeout(() => {
        const lines = judge?.uses();
        if (lines !== undefined) say({ kind: "uses", id, lines });
      }, USES_AFTER_MS);
      return;
    }
    case "try": {
      trial ??= new Judge(judge.traffic);
      const tried = trial.judge(request.files, request.profile);
      return say("counts" in tried ? { kind: "judged", id, judged: tried } : { kind: "refused", id, refused: tried });
    }
    case "explain":
      return say({ kind: "explained", id, explained: judge.explain(request.row) });
    case "coverage":
      return say({ kind: "coverage", id, coverage: coverage(judge) });
    case "matrix":
      return say({ kind: "matrix", id, matrix: matrix(judge) });
    case "generate":
      return say({ kind: "generated", id, generated: generate(judge.traffic, request.request) });
    case "edit":
      return say({ kind: "edited", id, edited: proposeEdit(judge, request.files, request.request) });
  }
}

async function load(id: number, url: string): Promise<void> {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  try {
    const answered = await ask(url, {}, TrafficAnswer, signal);
    const traffic = trafficOf(answered);
    judge = new Judge(traffic, judge);
    trial = undefined;
    sent = undefined;
    say({ kind: "loaded", id, loaded: loadedOf(traffic) });
  } catch (error) {
    if (!signal.aborted) fail(id, error);
  }
}

function fail(id: number, error: unknown): void {
  const known = error instanceof WeirError ? error : undefined;
  say({
    kind: "failed",
    id,
    code: known?.code ?? "bug",
    status: error instanceof AnswerError ? error.status : 500,
    message: known?.what ?? (error instanceof Error ? error.message : String(error)),
    ...(known?.where === undefined ? {} : { where: known.where }),
    ...(known?.next === undefined ? {} : { next: known.next }),
  });
}

function say(response: Response): void {
  self.postMessage(response);
}
