import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../model/errors.ts";

/** As mkdir with `recursive`, which never ends where a file system makes no directories (/proc: ENOENT for a name whose parent is there). Throws what mkdir throws. */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw thrown;
    await makeDirectory(dirname(path), mode);
    await mkdir(path, { mode });
  }
}
