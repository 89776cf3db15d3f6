import { request } from "node:http";
import { systemCode } from "../model/errors.ts";
import type { CollectorState } from "../model/wire/answers/status.ts";
import { HealthSnapshot } from "../model/wire/health.ts";
import { WIRE_HEADER, wireProblem } from "../model/wire/version.ts";

const WITHIN_MS = 1500;
const MAX_BYTES = 4_000_000;

/** Asks this machine's collector for `/health` on its unix socket. Never throws: what went wrong is the answer. */
export async function collectorState(socketPath: string, signal: AbortSignal): Promise<CollectorState> {
  try {
    const { text, problem } = await get(
      socketPath,
      "/health",
      AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]),
    );
    if (problem !== undefined) return { state: "no answer", message: `${problem} (${socketPath})`, health: null };
    const parsed = HealthSnapshot.safeParse(JSON.parse(text));
    if (parsed.success) return { state: "running", message: `answers on ${socketPath}`, health: parsed.data };
    const issue = parsed.error.issues[0];
    return {
      state: "no answer",
      message: `the collector on ${socketPath} is of another version than this app (${issue?.path.join(".") ?? ""})`,
      health: null,
    };
  } catch (error) {
    return { ...absence(error, socketPath), health: null };
  }
}

function absence(error: unknown, socketPath: string): Pick<CollectorState, "state" | "message"> {
  const code = systemCode(error);
  if (code === "ENOENT") return { state: "not running", message: `there is no socket ${socketPath}` };
  if (code === "ECONNREFUSED") return { state: "not running", message: `no process listens on ${socketPath} any more` };
  if (code === "EACCES" || code === "EPERM")
    return { state: "no answer", message: `this user may not open ${socketPath}` };
  if (error instanceof DOMException)
    return { state: "no answer", message: `no answer on ${socketPath} within ${WITHIN_MS / 1000} s` };
  return { state: "no answer", message: `what answers on ${socketPath} is no collector` };
}

interface Got {
  readonly text: string;
  /** Why it can't be read: it is of a version that this app does not know. */
  readonly problem: string | undefined;
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) asked.destroy(new Error("too long"));
      });
      response.on("end", () =>
        response.statusCode === 200
          ? resolve({ text, problem: wireProblem(response.headers[WIRE_HEADER]) })
          : reject(new Error(`status ${response.statusCode}`)),
      );
      response.on("error", reject);
    });
    asked.on("error", (error) =>
      reject(signal.aborted && signal.reason instanceof DOMException ? signal.reason : error),
    );
    asked.end();
  });
}
