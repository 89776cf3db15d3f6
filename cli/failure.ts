import { randomUUID } from "node:crypto";
import { WeirError } from "../model/errors.ts";

/**
 * Says on stderr what went wrong and gives the exit code 2. A user's mistake is one sentence; a bug is shown whole with
 * an id, for a report.
 */
export function failure(error: unknown): number {
  if (error instanceof WeirError) {
    process.stderr.write(`weir: ${error.message}\n`);
  } else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      `weir: this is a bug (${randomUUID().slice(0, 8)}), please report it with these lines:\n${detail}\n`,
    );
  }
  return 2;
}
