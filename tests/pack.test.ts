import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { start, type Ended } from "./weir.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACK_MS = 300_000; // builds the pages where they are older than their sources

let folder: string;
let installed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weir-pack-"));
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--silent", "--pack-destination", folder], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).replace(/^[^[]*/, ""),
  ) as [{ filename: string }];
  installed = await install(join(folder, packed.filename));
}, PACK_MS);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** As npm lays it out, beside the packages that this repository has already; gives the command's path. */
async function install(tarball: string): Promise<string> {
  const modules = join(folder, "app", "node_modules");
  await mkdir(join(modules, "weir"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", join(modules, "weir"), "--strip-components=1"]);
  for (const name of await readdir(join(ROOT, "node_modules")))
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  return join(modules, "weir", "bin", "weir");
}

const weir = (...args: string[]): Promise<Ended> =>
  start(installed, args, { WEIR_DATA_DIR: join(folder, "data"), WEIR_STORE_PORT: "1" }).ended;

describe("the installed package", () => {
  test("carries JavaScript and no TypeScript, no tests and no sources of the pages", async () => {
    const files = await readdir(join(installed, "../.."), { recursive: true });
    expect(files).toContain("dist/cli/main.js");
    expect(files).toContain("dist/bpf/prebuilt/weir.bpf.o");
    expect(files).toContain("dist/scripts/demo/sample.weir");
    expect(
      files.filter((file) => /^(?!dist\/\.next\/).*\.tsx?$|\.test\.|playwright|(^|\/)node_modules\//.test(file)),
    ).toEqual([]);
  });

  test("says its version, its help and a user's mistake", async () => {
    expect(await weir("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await weir("policy", "--help")).stdout).toContain("Examples:");
    expect(await weir("observe", "port:x")).toMatchObject({ code: 2, stderr: expect.stringContaining("is no port") });
  });

  test("looks at the machine: the kernel's programs load", async () => {
    const { stdout, stderr } = await weir("doctor", "--json");
    expect(stderr).toBe("");
    const { findings, hooks } = JSON.parse(stdout) as {
      findings: { what: string; state: string }[];
      hooks: { state: string }[];
    };
    expect(findings).toContainEqual(expect.objectContaining({ what: "Node", state: "ok" }));
    expect(findings.find(({ what }) => what === "kernel")?.state).not.toBe("bad");
    expect(hooks.filter(({ state }) => state === "loaded").length).toBeGreaterThan(5);
  });

  test("runs the store, and the pages and their routes on it", async () => {
    const env = { WEIR_DATA_DIR: join(folder, "data"), WEIR_STORE_PORT: "0", WEIR_PORT: "0", NEXT_DIST_DIR: "" };
    await using store = start(installed, ["store", "serve"], env);
    const { url } = JSON.parse(await store.untilPrints(/\n/)) as { url: string };
    await using app = start(installed, ["serve"], { ...env, WEIR_STORE_PORT: new URL(url).port });
    await app.untilSays(/the screens are at \S+\n/);
    const at = /the screens are at (\S+)\n/.exec(app.said())![1]!;
    const map = await fetch(`${at}/map`);
    expect(map.status).toBe(200);
    const script = /\/_next\/static\/[^"]+\.js/.exec(await map.text())![0];
    expect((await fetch(`${at}${script}`)).status).toBe(200);
    expect(await (await fetch(`${at}/api/map`)).json()).toMatchObject({ nodes: [], edges: [] });
  });
});
