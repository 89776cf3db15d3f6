import { statSync } from "node:fs";
import { resolve } from "node:path";
import { WeirError } from "../model/errors.ts";

/** `--policies` as an absolute path. Throws WeirError `no-policies` when it is no folder. */
export function policiesFolder(dir: string): string {
  const path = resolve(dir);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new WeirError({
    code: "no-policies",
    where: dir,
    what: "--policies names no folder",
    expected: "a folder with .yaml files of policies",
  });
}
