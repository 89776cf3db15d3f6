import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeirError } from "../../model/errors.ts";
import { run } from "./commands.ts";
import { existingNamespaces, removeNamespaces } from "./network.ts";

/** What a world leaves on disk while it runs, so that a later one can clean up after it. */
interface State {
  readonly runId: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: a pid that was given to another program has another one. */
  readonly startTime: string;
  readonly namespaces: readonly string[];
  /** A temporary folder of this world alone, "" when it has none. */
  readonly scratch: string;
}

/** Writes down that this process owns `namespaces`, before the first of them is made. */
export function writeState(folder: string, runId: string, namespaces: readonly string[], scratch: string): void {
  mkdirSync(folder, { recursive: true });
  const state: State = { runId, pid: process.pid, startTime: startTimeOf(process.pid) ?? "", namespaces, scratch };
  writeFileSync(join(folder, fileOf(runId)), JSON.stringify(state));
}

export function removeState(folder: string, runId: string): void {
  rmSync(join(folder, fileOf(runId)), { force: true });
}

/**
 * Removes what worlds of dead processes left: their programs, namespaces and links. Returns the run ids that were cleaned.
 * Throws WeirError `demo-running` when a living process has a world called `runId`, and `demo-namespace-taken` when somebody
 * else's namespaces have its names.
 */
export async function cleanLeftovers(folder: string, runId: string): Promise<string[]> {
  const cleaned: string[] = [];
  for (const state of statesIn(folder)) {
    if (startTimeOf(state.pid) === state.startTime) {
      if (state.runId !== runId) continue;
      throw new WeirError({
        code: "demo-running",
        what: `the demo world "${runId}" is running already (process ${state.pid})`,
        next: "stop it with Ctrl-C, or choose another name with --id",
      });
    }
    await removeWorld(state.namespaces);
    if (state.scratch.startsWith(join(tmpdir(), "weir-check-")))
      rmSync(state.scratch, { recursive: true, force: true });
    removeState(folder, state.runId);
    cleaned.push(state.runId);
  }
  const taken = (await existingNamespaces()).find((name) => name.startsWith(`weir-${runId}-`));
  if (taken !== undefined) {
    throw new WeirError({
      code: "demo-namespace-taken",
      what: `a network namespace ${taken} exists already and is not this data directory's`,
      next: "choose another name with --id, or delete it with `ip netns del`",
    });
  }
  return cleaned;
}

/** Ends the programs inside `namespaces`, then deletes the namespaces; links go with them. */
export async function removeWorld(namespaces: readonly string[]): Promise<void> {
  const there = new Set(await existingNamespaces());
  for (const name of namespaces) {
    if (!there.has(name)) continue;
    for (const pid of (await run("ip", ["netns", "pids", name])).split("\n").filter((line) => line !== "")) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        continue; // it ended by itself between the two lines
      }
    }
  }
  await removeNamespaces(namespaces);
}

function fileOf(runId: string): string {
  return `demo-${runId}.json`;
}

function statesIn(folder: string): State[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // no folder, no world
  }
  return names
    .filter((name) => /^demo-[a-z0-9-]+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as State);
}

/** When a living process started, in the kernel's ticks; undefined for a dead one, and for one that only waits to be reaped. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // comm may hold spaces and brackets
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
