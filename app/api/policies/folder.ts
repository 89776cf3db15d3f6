import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { systemCode } from "../../../model/errors.ts";
import {
  MOST_FILE_BYTES,
  MOST_FILES,
  MOST_FOLDER_BYTES,
  type PolicyFolder,
} from "../../../model/wire/answers/policy-files.ts";

/** Folders below the given one, and entries that are looked at: a wrong folder (`/`) must not keep the server busy. */
const MOST_DEPTH = 8;
const MOST_ENTRIES = 20_000;

interface Found {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly changedAt: number;
}

/**
 * The policies of a folder, read-only: `.yaml`, `.yml` and `.json` of it and the folders below, without hidden ones. A link is
 * followed only to a file inside of the folder. `known` is the version that the asker has: then files are sent only if something
 * changed. Never throws for what is wrong in the folder: the answer says it.
 */
export async function readFolder(path: string, known: string | undefined): Promise<PolicyFolder> {
  const leftOut: { name: string; why: string }[] = [];
  try {
    const root = await realpath(path);
    const found = await findFiles(root, basename(path) || path, leftOut);
    const version = versionOf(found, leftOut);
    if (version === known) return { path, version, leftOut };
    const files = [];
    for (const file of found) {
      const text = await readRegular(file.path);
      if (text === undefined) leftOut.push({ name: file.name, why: "it can't be read as text" });
      else files.push({ name: file.name, text, changedAt: file.changedAt });
    }
    return { path, version, files, leftOut };
  } catch (error) {
    const problem = PROBLEMS[systemCode(error) ?? ""] ?? `it can't be read (${systemCode(error) ?? String(error)})`;
    return { path, version: `problem ${problem}`, files: [], leftOut, problem };
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "it is no folder",
  EACCES: "Weir may not read it",
};

async function findFiles(root: string, base: string, leftOut: { name: string; why: string }[]): Promise<Found[]> {
  const found: Found[] = [];
  let bytes = 0;
  let entries = 0;
  const queue: { readonly path: string; readonly depth: number }[] = [{ path: root, depth: 0 }];
  for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
    const names = (await readdir(folder.path, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of names) {
      if (entry.name.startsWith(".")) continue; // also `..data`, where a mounted ConfigMap keeps what its links point to
      if (++entries > MOST_ENTRIES) {
        leftOut.push({ name: base, why: `more than ${MOST_ENTRIES} entries: the rest was not looked at` });
        return found;
      }
      const path = join(folder.path, entry.name);
      const name = `${base}/${relative(root, path).split(sep).join("/")}`;
      if (entry.isDirectory()) {
        if (folder.depth < MOST_DEPTH) queue.push({ path, depth: folder.depth + 1 });
        else leftOut.push({ name, why: `more than ${MOST_DEPTH} folders deep` });
        continue;
      }
      if (!/\.(ya?ml|json)$/i.test(entry.name)) continue;
      const file = await fileOf(root, path);
      if (typeof file === "string") leftOut.push({ name, why: file });
      else if (file.size > MOST_FILE_BYTES) leftOut.push({ name, why: `more than ${MOST_FILE_BYTES >> 20} MB` });
      else if (found.length >= MOST_FILES) leftOut.push({ name, why: `more than ${MOST_FILES} files` });
      else if (bytes + file.size > MOST_FOLDER_BYTES)
        leftOut.push({ name, why: `more than ${MOST_FOLDER_BYTES >> 20} MB in all files` });
      else {
        bytes += file.size;
        found.push({ name, ...file });
      }
    }
  }
  return found;
}

/** The regular file behind a path, links followed inside of `root` only; else why it is left out. */
async function fileOf(root: string, path: string): Promise<Omit<Found, "name"> | string> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return "a link that leads out of the folder";
    const facts = await lstat(real);
    if (!facts.isFile()) return "it is no regular file";
    return { path: real, size: facts.size, changedAt: Math.round(facts.mtimeMs) };
  } catch (error) {
    return systemCode(error) === "ENOENT" ? "a link that leads nowhere" : "Weir may not read it";
  }
}

/** The text of a regular file, however it was changed since it was found; undefined: it is none, too long, or no UTF-8. */
async function readRegular(path: string): Promise<string | undefined> {
  try {
    // Neither a link put in its place is followed, nor does a pipe keep the server waiting.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > MOST_FILE_BYTES) return undefined;
    const bytes = Buffer.alloc(facts.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > facts.size) return undefined; // being written
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    return undefined; // gone or changed meanwhile: the next look finds it as it is then
  }
}

function versionOf(found: readonly Found[], leftOut: readonly { name: string; why: string }[]): string {
  const hash = createHash("sha256");
  for (const { name, size, changedAt } of found) hash.update(`${name}\0${size}\0${changedAt}\0`);
  for (const { name, why } of leftOut) hash.update(`${name}\0${why}\0`);
  return hash.digest("hex").slice(0, 32);
}
