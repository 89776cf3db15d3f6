import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemCode, WeirError } from "../model/errors.ts";
import type { PolicyDocument } from "../policy/parse/documents.ts";
import { parsePolicies } from "../policy/parse/policies.ts";
import type { PolicyProblem } from "../policy/parse/problem.ts";
import type { TupleSet } from "../policy/tuples.ts";
import { TuplesReader } from "../policy/tuples-file.ts";
import type { Profile } from "../policy/world.ts";

/** Where a command writes its answer: one line at a time, without line end. */
export type Write = (line: string) => void;

/** Traffic comes from a tuples file, or from whoever fetches it (the store). */
export type TupleSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "fetch"; readonly fetch: () => Promise<TupleSet> };

export class InputRefused extends WeirError {}

/** Every document of files and folders (their .yaml, .yml and .json files, in order of name) with what is wrong in them. */
export async function readPolicies(
  paths: readonly string[],
): Promise<{ documents: PolicyDocument[]; problems: PolicyProblem[]; files: string[] }> {
  const files = (await Promise.all(paths.map(policyFiles))).flat();
  const documents: PolicyDocument[] = [];
  const problems: PolicyProblem[] = [];
  for (const file of files) {
    const parsed = parsePolicies(await readText(file), file);
    documents.push(...parsed.documents);
    problems.push(...parsed.problems);
  }
  return { documents, problems, files };
}

async function policyFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    return files.sort();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** More than any cluster's policies; a device or a pipe without an end is given up there. */
const MAX_BYTES = 64_000_000;

async function readText(file: string): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of createReadStream(file) as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_BYTES) break;
    }
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (bytes > MAX_BYTES)
    throw new InputRefused({
      code: "input-unreadable",
      what: `the file has more than ${MAX_BYTES / 1e6} MB`,
      where: file,
    });
  return Buffer.concat(parts).toString("utf8");
}

/** The tuples of a source. Throws InputRefused or TuplesRefused. */
export async function readTuples(source: TupleSource): Promise<TupleSet> {
  if (source.kind === "fetch") return source.fetch();
  const reader = new TuplesReader(source.path);
  try {
    for await (const line of createInterface({ input: createReadStream(source.path), crlfDelay: Infinity }))
      reader.line(line);
  } catch (cause) {
    if (systemCode(cause) !== undefined) throw unreadable(source.path, cause);
    throw cause;
  }
  return reader.finish();
}

function unreadable(path: string, cause: unknown): InputRefused {
  const reason =
    systemCode(cause) === "ENOENT" ? "does not exist" : `cannot be read (${systemCode(cause) ?? "unknown"})`;
  return new InputRefused({ code: "input-unreadable", what: `the file ${reason}`, where: path, cause });
}

/** The profile that documents ask for: Cilium's if any is of Cilium, Calico's if any is of Calico, else Kubernetes'. */
export function profileOf(documents: readonly PolicyDocument[], wanted: Profile | undefined): Profile {
  if (wanted !== undefined) return wanted;
  if (documents.some((document) => document.group === "cilium.io")) return "cilium";
  return documents.some((document) => document.group === "projectcalico.org") ? "calico" : "kubernetes";
}

/** Columns side by side, cut to their widest cell; control characters from names and labels are shown, not obeyed. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const clean = rows.map((row) => row.map(printable));
  const widths = head.map((title, i) => Math.max(title.length, ...clean.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [line(head), ...clean.map(line)];
}

/** Text for a terminal: control characters as `\u001b`. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
