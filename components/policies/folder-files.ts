import type { PolicyFolder } from "../../model/wire/answers/policy-files.ts";
import type { PolicyText } from "./answers.ts";
import type { Draft, DraftAction, Drafts } from "./drafts.ts";

export type FolderFile = NonNullable<PolicyFolder["files"]>[number];

/** All that is judged: the drafts, and the folder's files that are not open here, which are in force as they are. */
export function textsToJudge(drafts: readonly Draft[], folder: readonly FolderFile[]): readonly PolicyText[] {
  const taken = new Set(drafts.map((file) => file.name));
  return [
    ...drafts.map(({ name, text, inForce, fromFolder }): PolicyText => ({
      name,
      text,
      inForce,
      ...(fromFolder === true && text === inForce ? { asOnDisk: true } : {}),
    })),
    ...folder
      .filter((file) => !taken.has(file.name))
      .map(({ name, text }): PolicyText => ({ name, text, inForce: text, asOnDisk: true })),
  ];
}

/** The action that gives a file another text, be it a draft or one of the folder that is not open yet; undefined: there is none. */
export function editOf(
  { files }: Drafts,
  folder: readonly FolderFile[],
  name: string,
  text: string,
): DraftAction | undefined {
  const draft = files.find((file) => file.name === name);
  if (draft !== undefined) return { kind: "edit", id: draft.id, text };
  const disk = folder.find((file) => file.name === name);
  return disk === undefined ? undefined : { kind: "open from folder", name, disk: disk.text, text };
}
