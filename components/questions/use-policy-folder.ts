"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { PolicyFilesAnswer, type PolicyFolder } from "../../model/wire/answers/policy-files.ts";
import { ask } from "./ask.ts";
import type { Answer } from "./use-question.ts";

/** The folder is looked at again so often; a look that finds nothing new costs the server a list of names. */
const LOOK_EVERY_MS = 3_000;
const KEY = ["which-policies-are-in-force"];

/** The policies of the folder that the server was given; null where it was given none. Follows the disk. */
export function usePolicyFolder(): Answer<PolicyFolder | null> {
  const client = useQueryClient();
  return useQuery<PolicyFolder | null, Error>({
    queryKey: KEY,
    refetchInterval: (query) => (query.state.data === null ? false : LOOK_EVERY_MS),
    queryFn: async ({ signal }) => {
      const before = client.getQueryData<PolicyFolder | null>(KEY);
      const { folder } = await ask("/api/policies", { known: before?.version }, PolicyFilesAnswer, signal);
      if (folder === undefined) return null;
      return folder.files === undefined && before !== null && before !== undefined ? before : folder;
    },
  });
}
