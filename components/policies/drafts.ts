/** The files of this browser, and how an action changes them. Kept by drafts-store.ts. */

export interface Draft {
  readonly id: string;
  /** `payments-ingress.yaml`; unique. A file of the server's folder has the folder's name in front: `policies/web.yaml`. */
  readonly name: string;
  readonly text: string;
  /** The text that is in force today; undefined: this file is not in force. */
  readonly inForce: string | undefined;
  /** Shown as a tab. */
  readonly open: boolean;
  /** A file of the server's folder that was opened here: `inForce` follows what is on its disk. */
  readonly fromFolder?: true;
}

export interface Drafts {
  readonly files: readonly Draft[];
  /** Id of the file in the editor. */
  readonly active: string | undefined;
}

export const NO_DRAFTS: Drafts = { files: [], active: undefined };
/** What is judged at most; more is refused before it reaches the editor. */
export const MOST_CHARACTERS = 10 * 1024 * 1024;

/** Kept files as `Drafts`; what can't be read as such counts as none. */
export function draftsOf(kept: unknown): Drafts {
  if (typeof kept !== "object" || kept === null || !("files" in kept) || !Array.isArray(kept.files)) return NO_DRAFTS;
  const files = (kept.files as unknown[]).flatMap((file) => draftOf(file) ?? []);
  const active = "active" in kept && typeof kept.active === "string" ? kept.active : undefined;
  return { files, active: files.some((file) => file.id === active) ? active : files.find((file) => file.open)?.id };
}

/** One kept file; undefined where it is something else. */
export function draftOf(kept: unknown): Draft | undefined {
  if (typeof kept !== "object" || kept === null) return undefined;
  const file = kept as Record<string, unknown>;
  if (typeof file["id"] !== "string" || typeof file["name"] !== "string" || typeof file["text"] !== "string")
    return undefined;
  return {
    id: file["id"],
    name: file["name"],
    text: file["text"],
    inForce: typeof file["inForce"] === "string" ? file["inForce"] : undefined,
    open: file["open"] !== false,
    ...(file["fromFolder"] === true ? { fromFolder: true } : {}),
  };
}

interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly inForce?: boolean;
}

export type DraftAction =
  | ({ readonly kind: "add" } & NewFile)
  /** Several at once: the first is shown, the others stand in the list. */
  | { readonly kind: "add all"; readonly files: readonly NewFile[] }
  | { readonly kind: "edit"; readonly id: string; readonly text: string }
  | { readonly kind: "rename"; readonly id: string; readonly name: string }
  | { readonly kind: "show"; readonly id: string }
  | { readonly kind: "close"; readonly id: string }
  | { readonly kind: "delete"; readonly id: string }
  /** The text as it stands is in force today, or nothing of the file is. */
  | { readonly kind: "in force"; readonly id: string; readonly on: boolean }
  /** A file of the server's folder is shown, or edited at once. */
  | { readonly kind: "open from folder"; readonly name: string; readonly disk: string; readonly text?: string }
  /** The server's folder as it is now: name → text. */
  | { readonly kind: "folder changed"; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: "replace"; readonly drafts: Drafts };

/** The files after an action; the same object where nothing changes. Names stay unique: a second `web.yaml` is `web-2.yaml`. */
export function afterAction(drafts: Drafts, action: DraftAction): Drafts {
  const change = (id: string, to: Partial<Draft>): Drafts => ({
    ...drafts,
    files: drafts.files.map((file) => (file.id === id ? { ...file, ...to } : file)),
  });
  switch (action.kind) {
    case "add":
      return withFile(drafts, action, true);
    case "add all": {
      const [first, ...rest] = action.files;
      if (first === undefined) return drafts;
      const shown = withFile(drafts, first, true);
      return { files: rest.reduce((all, file) => withFile(all, file, false), shown).files, active: shown.active };
    }
    case "edit":
      return change(action.id, { text: action.text });
    case "rename": {
      const others = { ...drafts, files: drafts.files.filter((file) => file.id !== action.id) };
      return action.name.trim() === "" ? drafts : change(action.id, { name: freshName(others, action.name.trim()) });
    }
    case "show":
      return { ...change(action.id, { open: true }), active: action.id };
    case "close": {
      const file = drafts.files.find((it) => it.id === action.id);
      // Of a folder's file only what was written here needs keeping.
      const forgotten = file?.fromFolder === true && file.text === file.inForce;
      const closed = forgotten ? without(drafts, action.id) : change(action.id, { open: false });
      return { ...closed, active: activeAfter(drafts, action.id, closed.files) };
    }
    case "delete": {
      const left = without(drafts, action.id);
      return { ...left, active: activeAfter(drafts, action.id, left.files) };
    }
    case "in force": {
      const file = drafts.files.find((it) => it.id === action.id);
      return change(action.id, { inForce: action.on ? file?.text : undefined });
    }
    case "open from folder": {
      const known = drafts.files.find((file) => file.fromFolder === true && file.name === action.name);
      const id = known?.id ?? freshId(drafts);
      const { name, disk, text = known?.text ?? disk } = action;
      const file: Draft = { id, name, text, inForce: disk, open: true, fromFolder: true };
      return { files: [...drafts.files.filter((it) => it.id !== id), file], active: id };
    }
    case "folder changed":
      return afterFolder(drafts, action.files);
    case "replace":
      return action.drafts;
  }
}

/** Files that nobody edited follow the disk; edited ones keep their text, and what is in force is what the disk says. */
function afterFolder(drafts: Drafts, disk: ReadonlyMap<string, string>): Drafts {
  let changed = false;
  const files = drafts.files.flatMap((file): Draft[] => {
    if (file.fromFolder !== true) return [file];
    const now = disk.get(file.name);
    if (now === file.inForce) return [file];
    changed = true;
    if (file.text !== file.inForce) return [{ ...file, inForce: now }];
    return now === undefined ? [] : [{ ...file, text: now, inForce: now }];
  });
  if (!changed) return drafts;
  const active = files.some((file) => file.id === drafts.active)
    ? drafts.active
    : files.findLast((file) => file.open)?.id;
  return { files, active };
}

function withFile(drafts: Drafts, { name, text, inForce }: NewFile, open: boolean): Drafts {
  const id = freshId(drafts);
  const file = { id, name: freshName(drafts, name), text, inForce: inForce === true ? text : undefined, open };
  return { files: [...drafts.files, file], active: id };
}

function without(drafts: Drafts, id: string): Drafts {
  return { ...drafts, files: drafts.files.filter((file) => file.id !== id) };
}

function activeAfter(drafts: Drafts, gone: string, files: readonly Draft[]): string | undefined {
  return drafts.active === gone ? files.findLast((file) => file.open)?.id : drafts.active;
}

/** Random: two windows that make a file each must not make the same. */
function freshId({ files }: Drafts): string {
  let id: string;
  do id = `f${Math.random().toString(36).slice(2, 12)}`;
  while (files.some((file) => file.id === id));
  return id;
}

function freshName({ files }: Drafts, wanted: string): string {
  const dot = wanted.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [wanted.slice(0, dot), wanted.slice(dot)] : [wanted, ".yaml"];
  let name = `${stem}${end}`;
  for (let i = 2; files.some((file) => file.name === name); i++) name = `${stem}-${i}${end}`;
  return name;
}
