import WebSocket from "ws";
import { systemCode, WeirError } from "../../model/errors.ts";
import type { Flow } from "../../model/flow.ts";
import { LiveMessage } from "../../model/wire/live.ts";

export interface LiveBatch {
  readonly flows: readonly Flow[];
  /** Matching flows that were not sent because this reader was too slow. */
  readonly missed: number;
}

/**
 * Matching flows from the collector's socket as they happen, until `signal` fires. Throws WeirError when no collector runs,
 * or when it refuses the filter.
 */
export async function* liveFlows(socketPath: string, filter: string, signal: AbortSignal): AsyncGenerator<LiveBatch> {
  const socket = new WebSocket(`ws+unix://${socketPath}:/live`, { perMessageDeflate: false });
  const queue: (LiveBatch | Error)[] = [];
  let wake = (): void => {};
  const push = (item: LiveBatch | Error): void => {
    queue.push(item);
    wake();
  };
  socket.on("open", () => socket.send(JSON.stringify({ type: "subscribe", id: "observe", filter })));
  socket.on("error", (cause) => push(unreachable(socketPath, cause)));
  socket.on("close", () =>
    push(
      new WeirError({
        code: "collector-gone",
        what: "the collector ended the stream",
        next: "see if weir start or weir collect still runs",
      }),
    ),
  );
  socket.on("message", (data: Buffer) => {
    const message = LiveMessage.safeParse(JSON.parse(data.toString("utf8")));
    if (!message.success)
      push(new WeirError({ code: "message-unknown", what: "the collector speaks another version of the live stream" }));
    else if (message.data.type === "flows") push({ flows: message.data.flows, missed: message.data.missed });
    else if (message.data.type === "problem")
      push(new WeirError({ code: "collector-refused", what: message.data.message }));
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const item = queue.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if (item instanceof Error) throw item;
      yield item;
    }
  } finally {
    socket.removeAllListeners("close");
    socket.on("error", () => undefined); // closing before it opened is reported as an error
    socket.close();
  }
}

function unreachable(socketPath: string, cause: Error): WeirError {
  const code = systemCode(cause);
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return new WeirError({
      code: "no-collector",
      what: `no collector runs here (${socketPath})`,
      next: "start one with weir start or weir collect; history is there without it: leave out --follow",
      cause,
    });
  }
  if (code === "EACCES")
    return new WeirError({
      code: "no-access",
      what: `no right to open ${socketPath}`,
      next: "run this as the user that runs the collector",
      cause,
    });
  return new WeirError({
    code: "collector-unreachable",
    what: `the collector at ${socketPath} cannot be reached: ${cause.message}`,
    cause,
  });
}
