/** Files of this machine: chosen, a folder of them, or dropped on the page. Only texts of policies by their name, within limits. */
import { MOST_FILES } from "../../model/wire/answers/policy-files.ts";
import { count } from "../parts/numbers.ts";
import { MOST_CHARACTERS } from "./drafts.ts";

interface Taken {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** One sentence about what was not taken; "" where all was. */
  readonly notice: string;
}

interface Found {
  readonly name: string;
  readonly file: File;
}

const IS_POLICY = /\.(ya?ml|json)$/i;
const MOST_DEPTH = 8;

/** What was chosen in a file or folder dialog. */
export function chosenFiles(list: FileList): Promise<Taken> {
  return taken([...list].map((file) => ({ name: below(file.webkitRelativePath || file.name), file })));
}

/** What was dropped, folders opened. Call it inside of the event's handler: the list is emptied after. */
export function droppedFiles({ items }: DataTransfer): Promise<Taken> {
  const entries: FileSystemEntry[] = [];
  const plain: Found[] = []; // not every source of a drop has entries
  for (const item of items) {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry !== null) entries.push(entry);
    else if (file !== null) plain.push({ name: file.name, file });
  }
  return filesOf(entries, 0).then((found) => taken([...plain, ...found]));
}

async function filesOf(entries: readonly FileSystemEntry[], depth: number): Promise<Found[]> {
  const found: Found[] = [];
  for (const entry of entries) {
    if (found.length > MOST_FILES) break;
    if (entry.isFile)
      found.push({ name: below(entry.fullPath.replace(/^\//, "")), file: await fileOf(entry as FileSystemFileEntry) });
    else if (depth < MOST_DEPTH)
      found.push(...(await filesOf(await entriesOf(entry as FileSystemDirectoryEntry), depth + 1)));
  }
  return found;
}

/** `policies/shop/web.yaml` → `shop/web.yaml`: the chosen folder's own name says nothing, and the server's may have the same. */
function below(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives a hundred at a time, then none. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0 || all.length > MOST_FILES) return all;
    all.push(...some.filter((entry) => !entry.name.startsWith(".")));
  }
}

async function taken(found: readonly Found[]): Promise<Taken> {
  const policies = found.filter(({ name }) => IS_POLICY.test(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const files: { name: string; text: string }[] = [];
  let bytes = 0;
  const tooMuch: Found[] = [];
  for (const { name, file } of policies) {
    if (files.length >= MOST_FILES || bytes + file.size > MOST_CHARACTERS) tooMuch.push({ name, file });
    else {
      bytes += file.size;
      files.push({ name, text: await file.text() });
    }
  }
  const others = found.length - policies.length;
  const said = [
    ...(tooMuch.length === 0 ? [] : [notTaken(tooMuch)]),
    ...(others === 0 ? [] : [`${count(others)} without .yaml, .yml or .json in the name left alone`]),
  ];
  if (said.length === 0 && files.length < 2) return { files, notice: "" };
  const opened =
    files.length === 0
      ? "Nothing opened"
      : `${count(files.length)} ${files.length === 1 ? "file" : "files"} opened as drafts`;
  return { files, notice: `${[opened, ...said].join("; ")}.` };
}

/** `twenty.yaml has 20.8 MB, and at one time 500 files and 10 MB are taken at most`. */
function notTaken(found: readonly Found[]): string {
  const limit = `at one time ${MOST_FILES} files and 10 MB are taken at most`;
  const [only] = found;
  if (found.length > 1 || only === undefined) return `${count(found.length)} not taken: ${limit}`;
  return `${only.name} (${(only.file.size / (1024 * 1024)).toFixed(1)} MB) not taken: ${limit}`;
}
