/**
 * The engine notes the token of an insert before its part has its final name: killed in between, it remembers a block that it does
 * not have, and a segment that is sent again would count as there. Before the engine opens its files, such notes are taken out.
 *
 * A log's line is `1 TAB part TAB block` for a part that came and `2 TAB …` for one that went (MergeTreeDeduplicationLog of ClickHouse);
 * a part's directory is `partition_least_greatest_level`, block numbers from least to greatest, also when merged.
 */
import { open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

const LOGS = "deduplication_logs";
const ADDED = "1";
const PART = /^(.+)_(\d+)_(\d+)_\d+(?:_\d+)?$/;

/** Takes the notes without a part out of all tables of an engine that is not running. Returns how many there were. */
export async function forgetBlocksWithoutPart(engineDir: string): Promise<number> {
  let forgotten = 0;
  for (const table of await tableDirs(engineDir)) {
    const names = await readdir(table);
    if (!names.includes(LOGS)) continue;
    const parts = partsAmong(names);
    for (const file of await readdir(join(table, LOGS))) {
      if (/^deduplication_log_\d+\.txt$/.test(file)) forgotten += await cleanLog(join(table, LOGS, file), parts);
    }
  }
  return forgotten;
}

/** `store/xxx/uuid` of each table; none in a new directory. */
async function tableDirs(engineDir: string): Promise<string[]> {
  const root = join(engineDir, "store");
  const list = async (dir: string) => {
    try {
      return (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  };
  const tables: string[] = [];
  for (const group of await list(root))
    for (const table of await list(join(root, group.name))) tables.push(join(root, group.name, table.name));
  return tables;
}

type Parts = ReadonlyMap<string, readonly (readonly [least: number, greatest: number])[]>;

function partsAmong(names: readonly string[]): Parts {
  const parts = new Map<string, [number, number][]>();
  for (const name of names) {
    const match = PART.exec(name);
    if (match === null || name.startsWith("tmp")) continue;
    const ranges = parts.get(match[1]!) ?? [];
    ranges.push([Number(match[2]), Number(match[3])]);
    parts.set(match[1]!, ranges);
  }
  return parts;
}

async function cleanLog(path: string, parts: Parts): Promise<number> {
  const lines = (await readFile(path, "utf8")).split("\n");
  const kept = lines.filter((line) => !isOrphan(line, parts));
  if (kept.length === lines.length) return 0;
  const made = `${path}.new`;
  await using file = await open(made, "w", 0o600);
  await file.writeFile(kept.join("\n"));
  await file.sync();
  await rename(made, path);
  return lines.length - kept.length;
}

function isOrphan(line: string, parts: Parts): boolean {
  const [operation, name = ""] = line.split("\t");
  const match = PART.exec(name);
  if (operation !== ADDED || match === null) return false;
  const [least, greatest] = [Number(match[2]), Number(match[3])];
  return !(parts.get(match[1]!) ?? []).some(([from, to]) => from <= least && greatest <= to);
}
