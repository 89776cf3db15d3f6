/** The build of one schema back: its sources taken out of git into a directory of their own, with this build's packages. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Highest migration of the older build. */
export const OLD_SCHEMA = 7;

export interface OldBuild extends AsyncDisposable {
  readonly dir: string;
  readonly commit: string;
}

/** Its last commit, by subject: that stays when history is moved to another repository, and a hash does not. */
const OLD_SUBJECT = "cli: one description of the collector's part for start and demo";

/** Undefined where git does not have it: a shallow clone, or packed sources. WEIR_OLD_BUILD names another commit. */
export async function oldBuild(): Promise<OldBuild | undefined> {
  const commit = oldCommit();
  if (commit === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), "weir-old-build-"));
  const archive = execFileSync("git", ["archive", commit], { cwd: ROOT, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", dir], { input: archive });
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  return { dir, commit, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

function oldCommit(): string | undefined {
  const given = process.env["WEIR_OLD_BUILD"];
  if (given !== undefined && given !== "") return git("rev-parse", "--verify", `${given}^{commit}`);
  const found = git("log", "--format=%H", "--fixed-strings", `--grep=${OLD_SUBJECT}`, "-n", "1");
  return found === "" ? undefined : found;
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined; // no git, no such commit
  }
}
