/** The files of this browser: kept in its storage on every change, so that a reload loses nothing. */

export interface Draft {
  readonly id: string;
  /** `payments-ingress.yaml`; unique. */
  readonly name: string;
  readonly text: string;
  /** The text that is in force today; undefined: this file is not in force. */
  readonly inForce: string | undefined;
  /** Shown as a tab. */
  readonly open: boolean;
}

export interface Drafts {
  readonly files: readonly Draft[];
  /** Id of the file in the editor. */
  readonly active: string | undefined;
}

const KEPT_UNDER = "weir-policy-drafts";
/** What is judged at most; more is refused before it reaches the editor. */
export const MOST_CHARACTERS = 10 * 1024 * 1024;

/** Reads the kept files; what can't be read as such is left alone and counts as none. */
export function readDrafts(storage: Pick<Storage, "getItem">): Drafts {
  let kept: unknown;
  try {
    kept = JSON.parse(storage.getItem(KEPT_UNDER) ?? "null");
  } catch {
    return { files: [], active: undefined }; // storage is off, or holds something else
  }
  if (typeof kept !== "object" || kept === null || !("files" in kept) || !Array.isArray(kept.files))
    return { files: [], active: undefined };
  const files = (kept.files as Record<string, unknown>[]).flatMap((file): Draft[] =>
    typeof file["id"] === "string" && typeof file["name"] === "string" && typeof file["text"] === "string"
      ? [
          {
            id: file["id"],
            name: file["name"],
            text: file["text"],
            inForce: typeof file["inForce"] === "string" ? file["inForce"] : undefined,
            open: file["open"] !== false,
          },
        ]
      : [],
  );
  const active = "active" in kept && typeof kept.active === "string" ? kept.active : undefined;
  return { files, active: files.some((file) => file.id === active) ? active : files.find((file) => file.open)?.id };
}

/** Keeps the files. False: the browser has no room for them (some 5 MB), or its storage is off. */
export function keepDrafts(storage: Pick<Storage, "setItem">, drafts: Drafts): boolean {
  try {
    storage.setItem(KEPT_UNDER, JSON.stringify(drafts));
    return true;
  } catch {
    return false;
  }
}

export type DraftAction =
  | { readonly kind: "add"; readonly name: string; readonly text: string; readonly inForce?: boolean }
  | { readonly kind: "edit"; readonly id: string; readonly text: string }
  | { readonly kind: "rename"; readonly id: string; readonly name: string }
  | { readonly kind: "show"; readonly id: string }
  | { readonly kind: "close"; readonly id: string }
  | { readonly kind: "delete"; readonly id: string }
  /** The text as it stands is in force today, or nothing of the file is. */
  | { readonly kind: "in force"; readonly id: string; readonly on: boolean }
  | { readonly kind: "replace"; readonly drafts: Drafts };

/** The files after an action. Names stay unique: a second `web.yaml` is `web-2.yaml`. */
export function afterAction(drafts: Drafts, action: DraftAction): Drafts {
  const change = (id: string, to: Partial<Draft>): Drafts => ({
    ...drafts,
    files: drafts.files.map((file) => (file.id === id ? { ...file, ...to } : file)),
  });
  switch (action.kind) {
    case "add": {
      const id = freshId(drafts);
      const name = freshName(drafts, action.name);
      const file = {
        id,
        name,
        text: action.text,
        inForce: action.inForce === true ? action.text : undefined,
        open: true,
      };
      return { files: [...drafts.files, file], active: id };
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
      const closed = change(action.id, { open: false });
      return {
        ...closed,
        active: drafts.active === action.id ? closed.files.findLast((file) => file.open)?.id : drafts.active,
      };
    }
    case "delete": {
      const files = drafts.files.filter((file) => file.id !== action.id);
      return { files, active: drafts.active === action.id ? files.findLast((file) => file.open)?.id : drafts.active };
    }
    case "in force": {
      const file = drafts.files.find((it) => it.id === action.id);
      return change(action.id, { inForce: action.on ? file?.text : undefined });
    }
    case "replace":
      return action.drafts;
  }
}

function freshId({ files }: Drafts): string {
  let number = files.length + 1;
  while (files.some((file) => file.id === `f${number}`)) number++;
  return `f${number}`;
}

function freshName({ files }: Drafts, wanted: string): string {
  const dot = wanted.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [wanted.slice(0, dot), wanted.slice(dot)] : [wanted, ".yaml"];
  let name = `${stem}${end}`;
  for (let i = 2; files.some((file) => file.name === name); i++) name = `${stem}-${i}${end}`;
  return name;
}
