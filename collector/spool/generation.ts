/** The start count: with boot, CPU and number it makes a row's identity, so two runs must never have the same. */
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../model/errors.ts";
import { listSegments, syncDirectory } from "./files.ts";

/** Takes the next generation of `dataDir` and makes it durable before it is used. Never goes back behind a segment in the spool. */
export async function nextGeneration(dataDir: string, spoolDir: string): Promise<number> {
  const path = join(dataDir, "generation");
  const before = await readGeneration(path);
  const spooled = (await listSegments(spoolDir)).reduce((most, segment) => Math.max(most, segment.name.generation), 0);
  const next = Math.max(before, spooled) + 1;
  const temporary = `${path}.new`;
  const handle = await open(temporary, "w", 0o644);
  try {
    await handle.writeFile(`${next}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dataDir);
  return next;
}

async function readGeneration(path: string): Promise<number> {
  try {
    const text = await readFile(path, "utf8");
    const value = Number.parseInt(text, 10);
    // lost or torn: a number from the clock is beyond any count of starts, and still fits a UInt32
    return Number.isInteger(value) && value >= 0 ? value : Math.floor(Date.now() / 1000);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return 0;
    throw cause;
  }
}
