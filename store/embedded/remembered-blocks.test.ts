import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { storeConfig } from "../config.ts";
import { openWriter, type StoreWriter } from "../writer.ts";
import { startStoreProcess } from "./spawn.ts";

const signal = new AbortController().signal;
let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-blocks-"))));
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const env = () => ({ WEIR_DATA_DIR: dir, WEIR_STORE_PORT: "0" });

async function withStore<T>(work: (writer: StoreWriter) => Promise<T>): Promise<T> {
  const store = await startStoreProcess(env());
  try {
    await using writer = await openWriter({ ...storeConfig(env()), url: store.url });
    return await work(writer);
  } finally {
    await store.stop();
  }
}

const insert = (writer: StoreWriter, token: string, n: number) =>
  writer.command(
    `INSERT INTO kill_probe SETTINGS insert_deduplication_token = '${token}' SELECT number + ${n} FROM numbers(1)`,
    signal,
  );
const rows = async (writer: StoreWriter): Promise<string[]> =>
  (
    await writer.rows(
      "SELECT toString(n) AS n FROM kill_probe ORDER BY n LIMIT 10",
      z.object({ n: z.string() }),
      {},
      signal,
    )
  ).map(({ n }) => n);

test("a token whose part never got its name is forgotten when the store starts, one whose part is there is not", async () => {
  const path = await withStore(async (writer) => {
    await writer.command(
      "CREATE TABLE kill_probe (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
      signal,
    );
    await insert(writer, "first", 1);
    await insert(writer, "second", 2);
    await insert(writer, "second", 2);
    expect(await rows(writer)).toEqual(["1", "2"]);
    const [found] = await writer.rows(
      "SELECT arrayElement(data_paths, 1) AS path FROM system.tables WHERE name = 'kill_probe' LIMIT 1",
      z.object({ path: z.string() }),
      {},
      signal,
    );
    return found!.path;
  });
  // What a kill between the note and the rename leaves: the note, and a part under its first name.
  const part = (await readdir(path)).find((name) => /^all_2_2_0$/.test(name))!;
  await rename(join(path, part), join(path, `tmp_insert_${part}`));
  await withStore(async (writer) => {
    expect(await rows(writer)).toEqual(["1"]);
    await insert(writer, "first", 1);
    await insert(writer, "second", 2);
    expect(await rows(writer)).toEqual(["1", "2"]);
  });
});
