import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BPF = fileURLToPath(new URL("../../bpf/", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../../scripts/build-bpf.sh", import.meta.url));
export const PREBUILT = join(BPF, "prebuilt", "weir.bpf.o");

/** Hash of the sources of the programs, as scripts/build-bpf.sh makes it. */
export function sourceHash(): string {
  const hash = createHash("sha256");
  const files = readdirSync(BPF).filter(
    (name) => name !== "vmlinux.h" && (name.endsWith(".bpf.c") || name.endsWith(".h")),
  );
  for (const name of files.toSorted()) hash.update(`./${name}\n`).update(readFileSync(join(BPF, name)));
  return hash.digest("hex");
}

/** What is wrong with the committed object, or undefined: it was made from other sources. */
export function isPrebuiltCurrent(): boolean {
  const recorded = /^sources (\w+)$/m.exec(readFileSync(join(BPF, "prebuilt", "SOURCES.sha256"), "utf8"))?.[1];
  return recorded === sourceHash();
}

/**
 * The object to load: the committed one, or, where the sources have changed and clang and bpftool are here, one built from them under
 * bpf/build/ (2 s, once per state of the sources). `say` gets a sentence when it is being built, or cannot be.
 */
export function objectPath(say: (sentence: string) => void = () => {}): string {
  if (!existsSync(SCRIPT) || isPrebuiltCurrent()) return PREBUILT;
  const built = join(BPF, "build", `weir-${sourceHash().slice(0, 16)}.bpf.o`);
  if (existsSync(built)) return built;
  const options: ExecFileSyncOptions = { stdio: ["ignore", "ignore", "pipe"] };
  try {
    execFileSync("sh", ["-c", "command -v clang && command -v bpftool"], options);
  } catch {
    say(
      "the sources of the kernel programs have changed, but clang and bpftool are not here: the committed object is used",
    );
    return PREBUILT;
  }
  say("building the kernel programs, since their sources have changed");
  mkdirSync(join(BPF, "build"), { recursive: true });
  const fresh = join(BPF, "build", `new-${process.pid}.bpf.o`);
  execFileSync(SCRIPT, ["--out", fresh], options);
  renameSync(fresh, built);
  return built;
}
