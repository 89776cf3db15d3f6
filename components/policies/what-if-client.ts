import { AnswerError } from "../questions/ask.ts";
import type { Judged, Request, Response } from "./answers.ts";
import { withRepeated } from "./judged-again.ts";

/** A question without its number. */
type Question = Request extends infer R ? (R extends { readonly id: number } ? Omit<R, "id"> : never) : never;

export interface WhatIfEvents {
  /** Rules that nothing needs, some time after an answer. */
  onUses(id: number, uses: Extract<Response, { kind: "uses" }>["lines"]): void;
  /** An answer to a text that was typed on meanwhile: newer than what is shown, older than what is written. */
  onOvertaken(id: number, judged: Judged): void;
  /** The worker hung and was ended; the traffic is read again by the one that follows. */
  onRestart(): void;
}

/** A worker that says nothing for so long hangs; texts of machines (thousands of documents) get more time. */
const HANGS_AFTER_MS = 2_000;
const HANGS_AFTER_LONG_MS = 10_000;
const LONG_CHARACTERS = 200_000;
/** Reading traffic and the slower questions may take longer. */
const SLOW_AFTER_MS = 30_000;

/**
 * The page's end of what-if.worker.ts. Each question is answered once; a newer one of the same kind makes the older fail with
 * AbortError. A worker that hangs is ended and started anew, and what waits for it fails with `worker-hung`.
 */
export class WhatIfClient {
  readonly #events: WhatIfEvents;
  #worker: Worker | undefined;
  #judged: Judged | undefined;
  #next = 0;
  readonly #waiting = new Map<
    number,
    { kind: Question["kind"]; resolve(response: Response): void; reject(error: Error): void; timer: number }
  >();

  constructor(events: WhatIfEvents) {
    this.#events = events;
  }

  /** Ends the worker; what waits fails with AbortError. */
  dispose(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const id of this.#waiting.keys()) this.#fail(id, new DOMException("the page was left", "AbortError"));
  }

  /** The number that the next question gets. */
  get nextId(): number {
    return this.#next + 1;
  }

  ask(question: Question): Promise<Response> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#next;
    for (const [older, { kind }] of this.#waiting)
      if (kind === question.kind) this.#fail(older, new DOMException("a newer question was asked", "AbortError"));
    const limit = limitOf(question);
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => this.#hangs(), limit);
      this.#waiting.set(id, { kind: question.kind, resolve, reject, timer });
      worker.postMessage({ ...question, id });
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./what-if.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = (event: MessageEvent<Response>) => {
      const response = this.#whole(event.data);
      if (response.kind === "uses") return this.#events.onUses(response.id, response.lines);
      const waits = this.#waiting.get(response.id);
      if (waits === undefined) {
        if (event.data.kind === "judged again" && response.kind === "judged")
          this.#events.onOvertaken(response.id, response.judged);
        return; // an answer to an older question
      }
      this.#waiting.delete(response.id);
      clearTimeout(waits.timer);
      if (response.kind !== "failed") return waits.resolve(response);
      const { status, code, message: what, where, next } = response;
      waits.reject(
        new AnswerError(status, {
          code,
          what,
          ...(where === undefined ? {} : { where }),
          ...(next === undefined ? {} : { next }),
        }),
      );
    };
    return worker;
  }

  /** Puts back what an answer left out as it was in the one before. */
  #whole(response: Response): Response {
    if (response.kind !== "judged again") return response;
    this.#judged = withRepeated(response.judged, this.#judged);
    return { kind: "judged", id: response.id, judged: this.#judged };
  }

  #hangs(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#judged = undefined;
    for (const id of this.#waiting.keys())
      this.#fail(
        id,
        new AnswerError(504, {
          code: "worker-hung",
          what: "judging took too long and was stopped (2 s, over 200,000 characters 10 s)",
          next: "make the text smaller, or choose a shorter range",
        }),
      );
    this.#events.onRestart();
  }

  #fail(id: number, error: Error): void {
    const waits = this.#waiting.get(id);
    if (waits === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waits.timer);
    waits.reject(error);
  }
}

function limitOf(question: Question): number {
  if (question.kind === "explain") return HANGS_AFTER_MS;
  if (question.kind !== "judge") return SLOW_AFTER_MS;
  const characters = question.files.reduce((sum, file) => sum + file.text.length, 0);
  return characters > LONG_CHARACTERS ? HANGS_AFTER_LONG_MS : HANGS_AFTER_MS;
}
