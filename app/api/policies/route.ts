import { z } from "zod";
import type { PolicyFilesAnswer } from "../../../model/wire/answers/policy-files.ts";
import { route } from "../answering.ts";
import { readFolder } from "./folder.ts";

const Question = z.object({ known: z.string().max(200).optional() });

/** The policies of the folder that the server was given, for who may see every namespace: a file may be about any of them. */
export const GET = route(Question, async ({ known }, { viewer }): Promise<PolicyFilesAnswer> => {
  const path = process.env["WEIR_POLICIES"] ?? "";
  if (path === "" || viewer.namespaces !== undefined) return {};
  return { folder: await readFolder(path, known) };
});
