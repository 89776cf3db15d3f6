import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { systemCode, WeirError } from "../model/errors.ts";
import { formatTuples } from "../policy/tuples-file.ts";
import { exportRows } from "./store.ts";
import { rangeOf, tuplesFromStore } from "./tuples-from-store.ts";

export interface ExportQuestion {
  readonly what: string;
  readonly filter: string;
  readonly format?: string;
  readonly since: string;
  readonly until: string;
  readonly scope: string;
  readonly output?: string;
}

/** `weir export`: rows as csv, json or parquet; tuples by default in the form that `weir whatif --tuples` reads. Throws WeirError, StoreError. */
export async function exportCommand(
  env: NodeJS.ProcessEnv,
  question: ExportQuestion,
  signal: AbortSignal,
): Promise<void> {
  const range = rangeOf(question.since, question.until);
  const format = question.format ?? (question.what === "tuples" ? "jsonl" : "csv");
  if (question.what === "tuples" && format === "jsonl") {
    if (question.filter !== "" || question.scope !== "") {
      throw new WeirError({
        code: "bad-option",
        where: "filter, --scope",
        what: "a tuples file holds all traffic of its range",
        next: "leave them out, or choose --format csv",
      });
    }
    const set = await tuplesFromStore(env, range, signal);
    return writeLines(formatTuples(set), question.output, signal);
  }
  const { what, filter, output } = question;
  const scope = question.scope.split(",").filter((name) => name !== "");
  const iso = (at: number): string => new Date(at).toISOString();
  await exportRows(
    env,
    { what, format, from: iso(range.from), to: iso(range.to), filter, scope, output },
    process.stdout,
    signal,
  );
}

async function writeLines(lines: Iterable<string>, output: string | undefined, signal: AbortSignal): Promise<void> {
  const text = Readable.from(withNewlines(lines));
  if (output === undefined) {
    for await (const line of text) if (!process.stdout.write(line)) await once(process.stdout, "drain", { signal });
    return;
  }
  try {
    await pipeline(text, createWriteStream(output), { signal });
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw new WeirError({
      code: "cannot-write",
      where: output,
      what: `it cannot be written (${code})`,
      next: "choose another file with --output",
      cause,
    });
  }
}

function* withNewlines(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield line.endsWith("\n") ? line : `${line}\n`;
}
