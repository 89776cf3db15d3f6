import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepLog } from "./keep-log.ts";

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "weir-log-"))));
afterEach(() => rm(dir, { recursive: true, force: true }));

test("lines are kept and handed on, in two files of bounded size", async () => {
  const shown: string[] = [];
  const report = await keepLog(dir, (line) => shown.push(line));
  const line = `store: ${"x".repeat(990)}`;
  for (let i = 0; i < 2500; i++) report(line);
  expect(shown).toHaveLength(2500);
  expect((await readdir(join(dir, "log"))).toSorted()).toEqual(["weir.log", "weir.log.1"]);
  for (const name of ["weir.log", "weir.log.1"])
    expect((await stat(join(dir, "log", name))).size).toBeLessThan(1_010_000);
  expect(await readFile(join(dir, "log", "weir.log"), "utf8")).toMatch(/^store: x+\n/);
});

test("a link in the folder's or the file's place is not followed", async () => {
  const target = join(dir, "elsewhere");
  await mkdir(target);
  await symlink(target, join(dir, "log"));
  (await keepLog(dir, () => undefined))("store: a line");
  expect(await readdir(target)).toEqual([]);

  await rm(join(dir, "log"));
  await mkdir(join(dir, "log"));
  await writeFile(join(dir, "secret"), "untouched");
  await symlink(join(dir, "secret"), join(dir, "log", "weir.log"));
  const said: string[] = [];
  (await keepLog(dir, (line) => said.push(line)))("store: a line");
  expect(await readFile(join(dir, "secret"), "utf8")).toBe("untouched");
  expect(said.at(-1)).toMatch(/^warn: what the parts say is no longer kept/);
});

test("a folder that is moved away while it is held is written on, not what was put in its place", async () => {
  const report = await keepLog(dir, () => undefined);
  report("store: one");
  await rename(join(dir, "log"), join(dir, "moved"));
  await mkdir(join(dir, "log"));
  report("store: two");
  expect(await readFile(join(dir, "moved", "weir.log"), "utf8")).toBe("store: one\nstore: two\n");
  expect(await readdir(join(dir, "log"))).toEqual([]);
});
