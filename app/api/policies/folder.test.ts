import { chmod, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readFolder } from "./folder.ts";

let place: string;
let folder: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "weir-policies-"));
  folder = join(place, "policies");
  await mkdir(join(folder, "shop"), { recursive: true });
  await writeFile(join(folder, "shop", "web.yaml"), "kind: NetworkPolicy\n");
});
afterEach(() => rm(place, { recursive: true, force: true }));

const names = async () => (await readFolder(folder, undefined)).files?.map((file) => file.name);
const leftOut = async () => (await readFolder(folder, undefined)).leftOut;

test("files of the folder and those below are named from the folder on; others and hidden ones are not looked at", async () => {
  await writeFile(join(folder, "a.yml"), "a: 1\n");
  await writeFile(join(folder, "README.md"), "no policy\n");
  await writeFile(join(folder, ".hidden.yaml"), "a: 1\n");
  expect(await names()).toEqual(["policies/a.yml", "policies/shop/web.yaml"]);
});

test("an unchanged folder is not sent again, a changed one is", async () => {
  const first = await readFolder(folder, undefined);
  expect((await readFolder(folder, first.version)).files).toBeUndefined();
  await writeFile(join(folder, "shop", "web.yaml"), "kind: NetworkPolicy # other\n");
  const second = await readFolder(folder, first.version);
  expect(second.files?.[0]?.text).toContain("other");
  await utimes(join(folder, "shop", "web.yaml"), 1, 1); // same size, other time
  expect((await readFolder(folder, second.version)).files).toHaveLength(1);
});

test("a link is followed inside of the folder only", async () => {
  await writeFile(join(place, "secret.yaml"), "secret: 1\n");
  await symlink(join(place, "secret.yaml"), join(folder, "out.yaml"));
  await symlink("shop/web.yaml", join(folder, "in.yaml"));
  await symlink(place, join(folder, "dir.yaml"));
  await symlink("nowhere", join(folder, "gone.yaml"));
  await mkdir(join(place, "policies-2"));
  await writeFile(join(place, "policies-2", "near.yaml"), "a: 1\n");
  await symlink("../policies-2/near.yaml", join(folder, "near.yaml"));
  expect(await names()).toEqual(["policies/in.yaml", "policies/shop/web.yaml"]);
  expect((await leftOut()).map(({ name, why }) => `${name}: ${why}`)).toEqual([
    "policies/dir.yaml: a link that leads out of the folder",
    "policies/gone.yaml: a link that leads nowhere",
    "policies/near.yaml: a link that leads out of the folder",
    "policies/out.yaml: a link that leads out of the folder",
  ]);
});

test("a mounted ConfigMap is read, whose files are links into a hidden folder", async () => {
  await mkdir(join(folder, "..2026"));
  await writeFile(join(folder, "..2026", "db.yaml"), "a: 1\n");
  await symlink("..2026", join(folder, "..data"));
  await symlink("..data/db.yaml", join(folder, "db.yaml"));
  expect(await names()).toEqual(["policies/db.yaml", "policies/shop/web.yaml"]);
});

test("what is too long, no file or no text is left out, and said", async () => {
  await writeFile(join(folder, "long.yaml"), "");
  await truncate(join(folder, "long.yaml"), 3 * 1024 * 1024);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "socket.yaml"), resolve));
  await writeFile(join(folder, "binary.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
  expect(await names()).toEqual(["policies/shop/web.yaml"]);
  expect((await leftOut()).map(({ name }) => name)).toEqual([
    "policies/long.yaml",
    "policies/socket.yaml",
    "policies/binary.yaml",
  ]);
  await new Promise((resolve) => server.close(resolve));
});

test("more than 500 files, or 10 MB in all, are left out", async () => {
  for (let n = 0; n < 505; n++) await writeFile(join(folder, `${String(n).padStart(3, "0")}.yaml`), "");
  const answer = await readFolder(folder, undefined);
  expect(answer.files).toHaveLength(500);
  expect(answer.leftOut).toHaveLength(6);
  expect(answer.leftOut[0]?.why).toContain("500 files");
  for (let n = 0; n < 6; n++) await writeFile(join(folder, `+${n}.yaml`), "#".repeat(1_900_000));
  expect((await leftOut()).some(({ why }) => why.includes("10 MB"))).toBe(true);
});

test("a folder that is not there, is a file, or goes away is said, not thrown", async () => {
  expect(await readFolder(join(place, "none"), undefined)).toMatchObject({
    problem: "there is no such folder",
    files: [],
  });
  await writeFile(join(place, "file"), "");
  expect(await readFolder(join(place, "file"), undefined)).toMatchObject({ problem: "it is no folder" });
  const { version } = await readFolder(folder, undefined);
  await rename(folder, join(place, "moved"));
  expect(await readFolder(folder, version)).toMatchObject({ problem: "there is no such folder" });
  await chmod(place, 0o755);
});
