/**
 * Where drafts are kept: IndexedDB, a record a file, so that files of megabytes fit and a key rewrites only the file that was typed
 * in. A page that is left has no time to wait for it: what is not kept then goes to localStorage, and is taken over by the next page.
 * Where IndexedDB is off, localStorage keeps all.
 */
import { draftOf, draftsOf, NO_DRAFTS, type Draft, type Drafts } from "./drafts.ts";
import { patchedText, textPatch } from "./text-patch.ts";

const DATABASE = "weir-policies";
const FILES = "drafts";
const HEAD = "head";
/** Before there was a database everything stood here; where there is none it still does. */
const ALL_ITEM = "weir-policy-drafts";
const LEFT_ITEM = "weir-policy-drafts-left";

/** What a page that is left did not get kept. Of a large file that the database has it is the change, which always fits. */
interface Left {
  readonly files: readonly unknown[];
  readonly gone: readonly string[];
  readonly order: readonly string[];
  readonly active: string | undefined;
}

interface Head {
  readonly id: typeof HEAD;
  readonly order: readonly string[];
  readonly active: string | undefined;
}

export class DraftsStore {
  readonly #database: Promise<IDBDatabase | undefined>;
  /** As the database has them. */
  #kept: Drafts = NO_DRAFTS;

  constructor() {
    this.#database = openDatabase();
  }

  /** Everything that is kept, with what the last page left behind. */
  async read(): Promise<Drafts> {
    const database = await this.#database;
    const old = readItem(ALL_ITEM);
    if (database === undefined) return draftsOf(old);
    const records = await answered(database.transaction(FILES).objectStore(FILES).getAll()).catch(() => []);
    this.#kept = draftsOfRecords(records);
    let drafts = this.#kept;
    if (old !== undefined) drafts = merged(drafts, draftsOf(old));
    drafts = withLeft(drafts, readItem(LEFT_ITEM));
    if (drafts !== this.#kept && (await this.keep(drafts))) {
      removeItem(ALL_ITEM);
      removeItem(LEFT_ITEM);
    }
    return drafts;
  }

  /** Keeps what is not kept yet. False: the browser has no room for it. */
  async keep(drafts: Drafts): Promise<boolean> {
    const database = await this.#database;
    if (database === undefined) return setItem(ALL_ITEM, drafts);
    const { files, gone } = unkept(this.#kept, drafts);
    try {
      const transaction = database.transaction(FILES, "readwrite", { durability: "strict" });
      const store = transaction.objectStore(FILES);
      for (const file of files) store.put(file);
      for (const id of gone) store.delete(id);
      store.put({ id: HEAD, order: drafts.files.map((file) => file.id), active: drafts.active } satisfies Head);
      transaction.commit(); // else a page that is left meanwhile takes it back
      await completed(transaction);
    } catch {
      return false;
    }
    this.#kept = drafts;
    removeItem(LEFT_ITEM);
    return true;
  }

  /** For a page that is left: what is not kept yet, at once. False: there is no room for it. The database is tried, too. */
  leave(drafts: Drafts): boolean {
    const { files, gone } = unkept(this.#kept, drafts);
    const order = drafts.files.map((file) => file.id);
    const left: Left = { files: leftFiles(this.#kept, files), gone, order, active: drafts.active };
    const fits = setItem(LEFT_ITEM, left);
    void this.keep(drafts);
    return fits;
  }
}

/** Files that are new or changed, and ids of those that are gone. Files are never changed in place. */
export function unkept(
  kept: Drafts,
  now: Drafts,
): { readonly files: readonly Draft[]; readonly gone: readonly string[] } {
  const known = new Map(kept.files.map((file) => [file.id, file]));
  const ids = new Set(now.files.map((file) => file.id));
  return {
    files: now.files.filter((file) => known.get(file.id) !== file),
    gone: kept.files.flatMap(({ id }) => (ids.has(id) ? [] : [id])),
  };
}

/** From here on the change is left, not the text: localStorage has room for 5 MB at most. */
const LARGE = 100_000;

/** Files as a page leaves them; `withLeft` reads them. */
export function leftFiles(kept: Drafts, files: readonly Draft[]): readonly unknown[] {
  const known = new Map(kept.files.map((file) => [file.id, file]));
  return files.map((file) => {
    const before = known.get(file.id);
    if (before === undefined || file.text.length < LARGE) return file;
    const { text, inForce, ...rest } = file;
    return {
      ...rest,
      textPatch: textPatch(before.text, text),
      ...(inForce === undefined ? {} : { inForcePatch: textPatch(before.inForce ?? before.text, inForce) }),
    };
  });
}

/** A file that was left, whole; undefined where it is none, or the change is of another text than is kept. */
function wholeFile(left: unknown, known: ReadonlyMap<string, Draft>): Draft | undefined {
  if (typeof left !== "object" || left === null || !("textPatch" in left)) return draftOf(left);
  const before = known.get(String((left as Partial<Draft>).id));
  if (before === undefined) return undefined;
  const text = patchedText(before.text, left.textPatch);
  const inForce = "inForcePatch" in left ? patchedText(before.inForce ?? before.text, left.inForcePatch) : undefined;
  return draftOf({ ...left, text, inForce });
}

/** The database's records in the order of their head; files that it does not name (of another window) come last. */
export function draftsOfRecords(records: readonly unknown[]): Drafts {
  const isHead = (it: unknown): it is Head => typeof it === "object" && it !== null && "id" in it && it.id === HEAD;
  const head = records.find(isHead);
  const files = records.flatMap((record) => (isHead(record) ? [] : (draftOf(record) ?? [])));
  return draftsOf({ files: inOrder(files, head?.order), active: head?.active });
}

/** `drafts` with what a page left behind laid over them. */
export function withLeft(drafts: Drafts, left: unknown): Drafts {
  if (typeof left !== "object" || left === null || !("files" in left) || !Array.isArray(left.files)) return drafts;
  const { files, gone, order, active } = left as Left;
  const known = new Map(drafts.files.map((file) => [file.id, file]));
  const whole = files.flatMap((file) => wholeFile(file, known) ?? []);
  const over = new Map(whole.map((file) => [file.id, file]));
  const all = drafts.files.filter((file) => !over.has(file.id) && gone?.includes(file.id) !== true);
  return draftsOf({ files: inOrder([...all, ...over.values()], order), active });
}

function merged(drafts: Drafts, older: Drafts): Drafts {
  const known = new Set(drafts.files.map((file) => file.id));
  return draftsOf({
    files: [...drafts.files, ...older.files.filter((file) => !known.has(file.id))],
    active: drafts.active ?? older.active,
  });
}

function inOrder(files: readonly Draft[], order: readonly string[] | undefined): Draft[] {
  const place = new Map((Array.isArray(order) ? order : []).map((id, at) => [id, at]));
  return files.toSorted((a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity) || 0);
}

function openDatabase(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(FILES, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
      request.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined); // storage is off
    }
  });
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the database gave no answer"));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("it was not kept"));
  });
}

function readItem(name: string): unknown {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined; // storage is off, or holds something else
  }
}

function setItem(name: string, value: unknown): boolean {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false; // off or full
  }
}

function removeItem(name: string): void {
  try {
    localStorage.removeItem(name);
  } catch {
    // storage is off
  }
}
