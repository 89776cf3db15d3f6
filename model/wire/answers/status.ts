import { z } from "zod";
import { HealthSnapshot } from "../health.ts";
import { RangeBalance, StatusAnswer } from "./health.ts";

/** What the app found when it asked this machine's collector on its socket. */
export const CollectorState = z.object({
  /** no answer: something holds the socket but does not speak. */
  state: z.enum(["running", "not running", "no answer"]),
  /** Where the app looked and what it met. */
  message: z.string(),
  health: HealthSnapshot.nullable(),
});
export type CollectorState = z.infer<typeof CollectorState>;

/** `GET /api/status`: what the status line, the rail and the states of an empty page show. Never an error because a part is down. */
export const SystemStatus = z.object({
  /** Null while the store does not answer; then `storeProblem` says why. */
  store: StatusAnswer.nullable(),
  storeProblem: z.object({ code: z.string(), message: z.string(), next: z.string() }).nullable(),
  storeUrl: z.string(),
  /** Sums of the range over all nodes. */
  books: RangeBalance.nullable(),
  /** Dropped packets a second in the range, within scope and filter. */
  dropsPerSecond: z.number().nonnegative(),
  collector: CollectorState,
  /** What the app can see by itself of the machine it runs on. */
  machine: z.object({ node: z.string(), kernel: z.string(), btf: z.boolean(), uid: z.int() }),
  version: z.string(),
  checkedMs: z.number(),
});
export type SystemStatus = z.infer<typeof SystemStatus>;

/** `GET /api/health`: this machine's collector, and the parts around it. */
export const HealthAnswer = z.object({ collector: CollectorState, checkedMs: z.number() });
export type HealthAnswer = z.infer<typeof HealthAnswer>;
