// What the npm package carries: compiled JavaScript (Node strips no types below node_modules) and all that it reads, as one
// tree dist/ that looks like this repository. Run by `npm pack` (prepack).
//   node scripts/pack.ts               builds dist/, and the pages where they are older than their sources
//   node scripts/pack.ts --no-pages    leaves the pages out: a package for collectors and the command line
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const DIST = join(ROOT, "dist");
const PAGES = process.env["NEXT_DIST_DIR"] ?? ".next";

/** Where programs begin: the command line, the store's process, and the demo world's programs. What they import follows. */
const ENTRIES = ["cli/main.ts", "store/embedded/main.ts", "scripts/demo/program/main.ts"];
/** Read at run time. */
const ASSETS = ["bpf/prebuilt", "store/migrations", "scripts/demo/sample.weir"];
/** Of the built pages: what only a build or a developer reads. */
const LEFT_OUT = new Set(["cache", "trace", "trace-build", "diagnostics", "types", "node_modules", "dev"]);

rmSync(DIST, { recursive: true, force: true });
compile();
for (const asset of ASSETS) cpSync(join(ROOT, asset), join(DIST, asset), { recursive: true });
const { name, version, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<
  string,
  string
>;
writeFileSync(
  join(DIST, "package.json"),
  `${JSON.stringify({ name, version, license, private: true, type: "module" }, null, 2)}\n`,
);
if (!process.argv.includes("--no-pages")) await pages();

/** TypeScript to JavaScript beside it, the names of files in imports and in `new URL(…, import.meta.url)` changed alike. */
function compile(): void {
  const settings = join(ROOT, ".weir", "pack", "tsconfig.json");
  mkdirSync(dirname(settings), { recursive: true });
  const compilerOptions = {
    noEmit: false,
    noCheck: true, // types are checked once for the whole house
    incremental: false,
    rewriteRelativeImportExtensions: true,
    rootDir: ROOT,
    outDir: DIST,
    target: "ES2023", // `using` is not in Node 20
    removeComments: false,
  };
  const files = ENTRIES.map((entry) => join(ROOT, entry));
  writeFileSync(settings, JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, files, include: [] }));
  execFileSync(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", settings], { stdio: "inherit" });
  for (const file of filesBelow(DIST, ".js")) {
    const text = readFileSync(file, "utf8");
    const renamed = text.replaceAll(
      /new URL\("([^"]+)\.ts", import\.meta\.url\)/g,
      'new URL("$1.js", import.meta.url)',
    );
    if (renamed !== text) writeFileSync(file, renamed);
  }
}

/** The built pages, and the settings that they are served with. */
async function pages(): Promise<void> {
  execFileSync(join(ROOT, "bin", "weir"), ["serve", "--build-only"], { cwd: ROOT, stdio: "inherit" });
  const built = join(ROOT, PAGES);
  const target = join(DIST, ".next");
  for (const entry of readdirSync(built)) {
    if (LEFT_OUT.has(entry)) continue;
    cpSync(join(built, entry), join(target, entry), {
      recursive: true,
      filter: (path) => !path.endsWith(".map") && !path.endsWith(".nft.json"),
    });
  }
  withPlainPackageNames(target, join(built, "node_modules"));
  const { default: config } = (await import("../next.config.ts")) as { default: Record<string, unknown> };
  const served = { ...config, distDir: ".next", typescript: { ignoreBuildErrors: true } };
  writeFileSync(join(DIST, "next.config.mjs"), `export default ${JSON.stringify(served, null, 2)};\n`);
}

/**
 * Next's build names packages that stay outside of its bundles by a link `node_modules/NAME-HASH` of its own. npm packs neither
 * links nor such folders, so the pages get the packages' own names.
 */
function withPlainPackageNames(target: string, links: string): void {
  const hashed = readdirSync(links, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => relative(links, join(entry.parentPath, entry.name)));
  for (const file of filesBelow(join(target, "server"), ".js")) {
    const text = readFileSync(file, "utf8");
    let plain = text;
    for (const link of hashed) plain = plain.replaceAll(link, link.replace(/-[0-9a-f]{16}$/, ""));
    if (plain !== text) writeFileSync(file, plain);
  }
}

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name));
}
