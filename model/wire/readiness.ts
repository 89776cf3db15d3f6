/** What `GET /readyz` answers on collector, store and app: one line a part, in words, so that `kubectl describe` shows the reason. */

export interface ReadinessCheck {
  /** `store`, `rings`, `spool`, `pages`. */
  readonly part: string;
  /** False: the process can't do its work. */
  readonly ready: boolean;
  /** One sentence without a full stop. */
  readonly says: string;
}

/** HTTP status and text of the checks: 200 when all are ready, else 503. */
export function readiness(checks: readonly ReadinessCheck[]): { readonly status: 200 | 503; readonly text: string } {
  const isReady = checks.every((check) => check.ready);
  const lines = checks.map((check) => `${check.ready ? "ok " : "not"} ${check.part}: ${check.says}\n`);
  return { status: isReady ? 200 : 503, text: `${isReady ? "ready" : "not ready"}\n${lines.join("")}` };
}
