/** The policies that a server was given as a folder (`--policies`, WEIR_POLICIES): what counts as in force beside the editor's drafts. */
import { z } from "zod";

/** Limits of the folder; more is left out, and the answer says so. */
export const MOST_FILES = 500;
export const MOST_FILE_BYTES = 2 * 1024 * 1024;
export const MOST_FOLDER_BYTES = 10 * 1024 * 1024;

const PolicyFile = z.object({
  /** The folder's own name and the path below it: `policies/shop/web.yaml`. */
  name: z.string(),
  text: z.string(),
  /** Milliseconds since 1970. */
  changedAt: z.number(),
});

/** `GET /api/policies?known=…`. */
export const PolicyFilesAnswer = z.object({
  /** Undefined: the server was given no folder. */
  folder: z
    .object({
      path: z.string(),
      /** Stands for names, sizes and times; asked with it, an unchanged folder is not sent again. */
      version: z.string(),
      /** Undefined: as in the answer of the version that was asked with. */
      files: z.array(PolicyFile).optional(),
      /** Files that are not taken, with why. */
      leftOut: z.array(z.object({ name: z.string(), why: z.string() })),
      /** Why the folder can't be read at all. */
      problem: z.string().optional(),
    })
    .optional(),
});
export type PolicyFilesAnswer = z.infer<typeof PolicyFilesAnswer>;
export type PolicyFolder = NonNullable<PolicyFilesAnswer["folder"]>;
