/** cgroup ids to paths, and what a path says: systemd unit, container. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a cgroup's path says of its processes. */
export interface CgroupFacts {
  readonly path: string;
  /** `nginx.service`; "" when none, or only a login session. */
  readonly unit: string;
  /** 64 hexadecimal digits; "" outside of containers. */
  readonly container: string;
}

export const NO_CGROUP: CgroupFacts = { path: "", unit: "", container: "" };

// docker, containerd, cri-o and podman: bare or as a scope (`docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`)
const CONTAINER = /(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/;
/** Units of systemd's own machinery for logins: they hold whatever a person starts, so the process says more. */
const NOT_A_WORKLOAD = /^(user@\d+\.service|session-.*|init\.scope)$/;

/** Reads a cgroup path, `/system.slice/nginx.service`. */
export function cgroupFacts(path: string): CgroupFacts {
  const container = CONTAINER.exec(path)?.[1] ?? "";
  const unit = path.split("/").findLast((part) => part.endsWith(".service") && !NOT_A_WORKLOAD.test(part)) ?? "";
  return { path, unit, container };
}

/** What /proc/PID/cgroup says, cgroup v2 first, then systemd's v1 hierarchy; NO_CGROUP when the process is gone. */
export function cgroupOfProcess(pid: number): CgroupFacts {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  } catch {
    return NO_CGROUP; // ended meanwhile
  }
  const paths = text.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const v2 = paths.find((match) => match?.[1] === "0")?.[3] ?? "";
  if (v2 !== "" && v2 !== "/") return cgroupFacts(v2);
  const v1 = paths.find((match) => match?.[2] === "name=systemd")?.[3] ?? "";
  return v1 === "" || v1 === "/" ? NO_CGROUP : cgroupFacts(v1);
}

/** A walk is not repeated sooner: an id that is not found belongs to a cgroup that is gone. */
const WALK_PAUSE_MS = 1000;
const MAX_CGROUPS = 50_000;

/** The v2 tree: the id of a cgroup is its directory's inode number. */
export class Cgroups {
  readonly #root: string | undefined;
  #paths = new Map<number, CgroupFacts>();
  #walkedMs = -Infinity;

  constructor(root = cgroup2Mount()) {
    this.#root = root;
  }

  /** The cgroups of another machine, by id: nothing is looked up here. */
  static recorded(paths: ReadonlyMap<number, string>): Cgroups {
    const cgroups = new Cgroups("");
    cgroups.#paths = new Map([...paths].map(([id, path]) => [id, cgroupFacts(path)]));
    cgroups.#walkedMs = Infinity;
    return cgroups;
  }

  /** What the cgroup's path says; NO_CGROUP for one that is unknown or the root. */
  facts(id: number, nowMs: number): CgroupFacts {
    if (id === 0 || this.#root === undefined) return NO_CGROUP; // 0: the event does not say
    const known = this.#paths.get(id);
    if (known !== undefined) return known;
    if (nowMs - this.#walkedMs < WALK_PAUSE_MS) return NO_CGROUP;
    this.#walkedMs = nowMs;
    this.#walk();
    return this.#paths.get(id) ?? NO_CGROUP;
  }

  /** True once a walk was made after which the id would be known: an answer before may be kept only briefly. */
  knows(id: number): boolean {
    return id === 0 || this.#root === undefined || this.#paths.has(id);
  }

  #walk(): void {
    const root = this.#root!;
    const paths = new Map<number, CgroupFacts>();
    const pending = [""];
    while (pending.length > 0 && paths.size < MAX_CGROUPS) {
      const path = pending.pop()!;
      const dir = join(root, path);
      try {
        paths.set(statSync(dir).ino, path === "" ? NO_CGROUP : cgroupFacts(path));
        for (const entry of readdirSync(dir, { withFileTypes: true }))
          if (entry.isDirectory()) pending.push(`${path}/${entry.name}`);
      } catch {
        continue; // removed while we walked
      }
    }
    // a cgroup that is gone keeps its facts: its last events are still on their way
    for (const [id, facts] of this.#paths) if (!paths.has(id) && paths.size < MAX_CGROUPS) paths.set(id, facts);
    this.#paths = paths;
  }
}

/** Where cgroup v2 is mounted, or undefined. */
export function cgroup2Mount(mountinfo = readMounts()): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    if (after?.startsWith("cgroup2 ") === true) return before?.split(" ")[4];
  }
  return undefined;
}

function readMounts(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}
