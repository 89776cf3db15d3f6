import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { appConfig } from "../app/config.ts";
import type { RunningApp } from "../app/server.ts";
import { WeirError } from "../model/errors.ts";
import type { Environment } from "../store/config.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What the pages are made of: the rooms that they import, and what chooses the packages. */
const SOURCES = ["app", "components", "model", "policy", "store", "next.config.ts", "package-lock.json"];
const STAMP = "weir-sources";
const KEPT_LINES = 30;

/**
 * `weir serve`: takes the port, builds the pages where they are missing or older than their sources, and serves them.
 * Resolves when the app answers. Throws WeirError: `port-in-use`, `bad-setting`, `build-failed`.
 */
export async function serve(env: Environment, report: (line: string) => void): Promise<RunningApp> {
  const config = appConfig(env);
  Object.assign(process.env, { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" }); // read when Next is imported
  const { serveApp } = await import("../app/server.ts");
  const app = await serveApp(config, { dev: false, build: () => buildIfStale(report) });
  report(`the screens are at http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${app.port}`);
  return app;
}

/** Runs `next build` unless the last one was made from the same sources. */
export async function buildIfStale(report: (line: string) => void): Promise<void> {
  if (!existsSync(join(ROOT, "next.config.ts"))) return needPackedPages();
  const dist = join(ROOT, process.env["NEXT_DIST_DIR"] ?? ".next");
  const hash = await sourcesHash();
  const isBuilt = existsSync(join(dist, "BUILD_ID"));
  const stamp = isBuilt ? await readFile(join(dist, STAMP), "utf8").catch(() => "") : "";
  if (stamp === hash) return;
  report(
    `${isBuilt ? "the pages are older than their sources" : "the pages have not been built yet"}; building them takes about half a minute`,
  );
  await build();
  await writeFile(join(dist, STAMP), hash);
}

/** An installed package (scripts/pack.ts) brings its pages and has no sources to build them from. */
function needPackedPages(): void {
  if (existsSync(join(ROOT, ".next", "BUILD_ID"))) return;
  throw new WeirError({
    code: "no-pages",
    where: ROOT,
    what: "this package was made without the pages (scripts/pack.ts --no-pages)",
    next: "use weir observe here, or run the app from a package that has them",
  });
}

function build(): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, "node_modules/next/dist/bin/next"), "build"], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "production" }, // whatever the caller's is: Next builds otherwise for any other
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      lines.push(...text.split("\n").filter((line) => line.trim() !== ""));
      lines.splice(0, Math.max(0, lines.length - KEPT_LINES));
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve();
      const denied = lines.some((line) => /EACCES|EROFS|EPERM/.test(line));
      reject(
        new WeirError({
          code: "build-failed",
          where: ROOT,
          what: denied
            ? "the pages have to be built, but this directory can't be written"
            : `building the pages failed:\n${lines.join("\n")}\n`,
          next: denied
            ? "run weir serve once as the directory's owner"
            : "npm ci mends missing packages; else please report these lines",
        }),
      );
    });
  });
}

/** One hash over names and contents of all that the pages are built from; tests and folders of builds left out. */
async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const file of await filesBelow(source)) {
      hash
        .update(`${file}\0`)
        .update(await readFile(join(ROOT, file)))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

async function filesBelow(path: string): Promise<readonly string[]> {
  if (/\.(ts|json)$/.test(path)) return [path];
  const entries = await readdir(join(ROOT, path), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(tsx?|css|sql)$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .toSorted();
}
