import type { Sums } from "../ledger.ts";
import type { Plan } from "../schedule.ts";

/** What a program is told on its command line, as JSON. */
export interface Assignment {
  readonly replica: string;
  readonly plan: Plan;
  /** JSONL file for one line a connection, datagram, look-up and accept; absent = only sums are kept. */
  readonly ledgerFile?: string;
}

/** The world to a program. `until` and the schedule count in ms from `epochMs`. */
export type Order =
  | { readonly type: "start"; readonly epochMs: number }
  /** Do all that is due before this moment, end what is open, say `settled`. */
  | { readonly type: "until"; readonly ms: number }
  | { readonly type: "report"; readonly question: number }
  | { readonly type: "exit" };

/** A program to the world. */
export type Notice =
  | { readonly type: "ready" }
  | { readonly type: "settled" }
  | { readonly type: "report"; readonly question: number; readonly sums: Sums };
