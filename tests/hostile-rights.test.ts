/** What the processes of a running `weir start` may do, read from the kernel's own account of every one of their threads. Needs root. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, link, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { handOver } from "../cli/rights/hand-over.ts";
import { canReach, ordinaryUser } from "../cli/rights/ordinary-user.ts";
import { bitsOf, namesOf, capabilitySets } from "../collector/kernel/capabilities.ts";
import { keptRights } from "../collector/kernel/leave-root.ts";
import { start, WEIR, type Running } from "./weir.ts";

const USER = { uid: 65_534, gid: 65_534 };
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-rights-"));
  folders.push(folder);
  return folder;
}

interface Thread {
  readonly name: string;
  readonly uid: number;
  readonly rights: string[];
  readonly bounds: string[];
}

/** Every thread of the process, the main one first. */
function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`)
    .toSorted((a, b) => Number(b === String(pid)) - Number(a === String(pid)))
    .map((task) => {
      const status = readFileSync(`/proc/${pid}/task/${task}/status`, "latin1");
      const { effective, permitted, bounding } = capabilitySets(status);
      return {
        name: /^Name:\s*(.*)$/m.exec(status)![1]!,
        uid: Number(/^Uid:\s*(\d+)/m.exec(status)![1]),
        rights: namesOf(effective | permitted),
        bounds: namesOf(bounding),
      };
    });
}

/** Processes below `pid` by the command of `weir` that they run. */
function partsOf(pid: number): Map<string, number[]> {
  const parts = new Map<string, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${entry}/status`, "latin1"))?.[1]);
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").join(" ");
      if (parent !== pid) continue;
      const name = / (collect|serve|store serve) $/.exec(line)?.[1];
      if (name === undefined) continue;
      parts.set(name === "store serve" ? "store" : name, [Number(entry), ...childrenOf(Number(entry))]);
    } catch {
      continue; // it ended meanwhile
    }
  }
  return parts;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1")
    .split(" ")
    .filter((text) => text !== "")
    .map(Number);
}

async function started(dataDir: string): Promise<Running> {
  const running = start(WEIR, ["start", "-v"], {
    WEIR_DATA_DIR: dataDir,
    WEIR_PORT: "0",
    WEIR_STORE_PORT: String(await freePort()),
    WEIR_METRICS_PORT: "off",
    SUDO_UID: "",
  });
  await running.untilSays(/the screens are at/);
  await running.untilSays(/has left root/);
  return running;
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The collector's main thread holds `rights` and nothing else, its others nothing, and nothing can be had again. */
function expectRights(pid: number, rights: readonly string[]): void {
  const [main, ...others] = threadsOf(pid);
  expect(main!.rights).toEqual(rights);
  expect(main).toMatchObject({ uid: USER.uid, bounds: main!.rights });
  expect(others.length).toBeGreaterThan(3);
  for (const thread of others) expect(thread).toMatchObject({ uid: USER.uid, rights: [], bounds: main!.rights });
}

/** Other work on the machine makes a start slow. */
const PATIENT = { timeout: 240_000 };

test(
  "weir start as root: store and app are an ordinary user without rights, the collector one with few",
  PATIENT,
  async () => {
    const dataDir = await place();
    await using weir = await started(dataDir);
    const parts = partsOf(weir.child.pid!);
    expect([...parts.keys()].toSorted()).toEqual(["collect", "serve", "store"]);
    for (const part of ["serve", "store"])
      for (const pid of parts.get(part)!)
        for (const thread of threadsOf(pid))
          expect(thread, `${part} ${pid}`).toMatchObject({ uid: USER.uid, rights: [], bounds: [] });
    expectRights(parts.get("collect")![0]!, ["NET_ADMIN", "PERFMON", "BPF"]);
    expect(statSync(join(dataDir, "run", "collector.sock")).uid).toBe(USER.uid);
  },
);

test(
  "weir start as root without a setting: all parts use /var/lib/weir, whoever they have become",
  PATIENT,
  async () => {
    const folder = await place();
    await chmod(folder, 0o755);
    // an own /var/lib for it; where the root is no mount point, in a chroot, the mounts around are its own already
    const script = `
    mount --make-rprivate / 2>/dev/null
    mount -t tmpfs -o mode=755 none /var/lib || exit
    "$0" start -v > "$1/said" 2>&1 &
    for i in $(seq 1800); do grep -q "the screens are at" "$1/said" && grep -q "has left root" "$1/said" && break; kill -0 $! || break; sleep 0.1; done
    ls /var/lib/weir
    kill $!
    wait $!
    echo "ended with $?"`;
    const env: NodeJS.ProcessEnv = { ...process.env, WEIR_PORT: "0", WEIR_STORE_PORT: String(await freePort()) };
    Object.assign(env, { WEIR_METRICS_PORT: "off", SUDO_UID: "" });
    delete env["WEIR_DATA_DIR"];
    const words = ["--mount", "--propagation", "unchanged", "sh", "-c", script, WEIR, folder];
    const said = execFileSync("unshare", words, { encoding: "utf8", env });
    const log = readFileSync(join(folder, "said"), "utf8");
    expect(said, log).toBe("generation\nledger\nlog\nrun\nspool\nstore\ntmp\nended with 143\n");
    expect(log).not.toContain("cannot");
  },
);

test(
  "weir collect as root keeps exactly three, with WEIR_RIGHTS=more the rights to enter and to trace too",
  PATIENT,
  async () => {
    const FIVE = ["NET_ADMIN", "SYS_PTRACE", "SYS_ADMIN", "PERFMON", "BPF"];
    // names of containers, where there are some, are for who may read all
    const ofMore = namesOf(bitsOf(keptRights(true)));
    expect(ofMore.filter((name) => name !== "DAC_READ_SEARCH")).toEqual(FIVE);
    for (const [mode, rights] of [
      ["", ["NET_ADMIN", "PERFMON", "BPF"]],
      ["more", ofMore],
    ] as const) {
      const env = { WEIR_DATA_DIR: await place(), WEIR_METRICS_PORT: "off", WEIR_RIGHTS: mode, SUDO_UID: "" };
      await using collector = start(WEIR, ["collect"], env);
      await collector.untilSays(/has left root/);
      expectRights(collector.child.pid!, rights);
    }
  },
);

test(
  "with three it takes back its pinned counters, also where /sys/fs/bpf is closed to all but root",
  PATIENT,
  async () => {
    const dataDir = await place();
    const script = `
    mount --make-rprivate /sys && mount -t bpf -o mode=700 bpf /sys/fs/bpf || exit
    "$0" collect > "$1/said" 2>&1 &
    for i in $(seq 600); do grep -q "has left root" "$1/said" && break; sleep 0.1; done
    echo "while it runs: $(ls /sys/fs/bpf/weir | wc -l)"
    kill $!
    wait $!
    echo "ended with $?, left: $(ls /sys/fs/bpf/weir | wc -l)"`;
    const env = { ...process.env, WEIR_DATA_DIR: join(dataDir, "data"), WEIR_METRICS_PORT: "off", SUDO_UID: "" };
    await chmod(dataDir, 0o755);
    // "unchanged": in a chroot the root is no mount point, and unshare cannot make it private
    const words = ["--mount", "--propagation", "unchanged", "sh", "-c", script, WEIR, dataDir];
    const said = execFileSync("unshare", words, { encoding: "utf8", env });
    expect(said).toBe("while it runs: 1\nended with 0, left: 0\n");
  },
);

describe("the ordinary user", () => {
  test("is who called sudo, who owns the data directory, or nobody; another user than root changes nothing", async () => {
    const dir = await place();
    expect(ordinaryUser({ SUDO_UID: "1234", SUDO_GID: "1235" }, dir, 0)).toEqual({ uid: 1234, gid: 1235 });
    expect(ordinaryUser({ WEIR_USER: "4321", SUDO_UID: "1234" }, dir, 0)).toEqual({ uid: 4321, gid: 4321 });
    expect(ordinaryUser({}, dir, 0)).toEqual(USER);
    await chown(dir, 77, 78);
    expect(ordinaryUser({}, dir, 0)).toEqual({ uid: 77, gid: 78 });
    expect(ordinaryUser({ WEIR_USER: "root" }, dir, 0)).toBeUndefined();
    expect(ordinaryUser({}, dir, 1000)).toBeUndefined();
    expect(() => ordinaryUser({ WEIR_USER: "no such user" }, dir, 0)).toThrow(
      'WEIR_USER: there is no user "no such user"',
    );
  });

  test("cannot reach what lies below a folder of root's alone", async () => {
    const dir = await place();
    await mkdir(join(dir, "inside"));
    expect(canReach(USER, [join(dir, "inside")])).toBe(false);
    await chmod(dir, 0o755);
    expect(canReach(USER, [join(dir, "inside")])).toBe(true);
  });
});

describe("giving the data directory away", () => {
  test("moves what root's earlier runs left, and follows nothing out of it", async () => {
    const dir = await place();
    const outside = await place();
    await writeFile(join(outside, "secret"), "x", { mode: 0o600 });
    await mkdir(join(dir, "run"));
    await mkdir(join(dir, "store", "deep"), { recursive: true });
    await writeFile(join(dir, "run", "writer.token"), "x");
    await writeFile(join(dir, "store", "deep", "part.bin"), "x");
    await writeFile(join(dir, "inventory.yaml"), "x");
    await symlink(join(outside, "secret"), join(dir, "store", "link"));
    await symlink(outside, join(dir, "spool"));
    handOver(dir, USER);
    for (const path of [dir, "run", "run/writer.token", "store/deep", "store/deep/part.bin"])
      expect(statSync(join(dir, path === dir ? "." : path)).uid, path).toBe(USER.uid);
    expect(statSync(join(dir, "inventory.yaml")).uid).toBe(0);
    expect(statSync(join(outside, "secret")).uid).toBe(0);
    expect(statSync(outside).uid).toBe(0);
    expect(await readlink(join(dir, "store", "link"))).toBe(join(outside, "secret"));
  });

  test("leaves a second name of a root's file alone where the user could have made it", async () => {
    const dir = await place();
    await mkdir(join(dir, "store"));
    await writeFile(join(dir, "victim"), "x");
    await link(join(dir, "victim"), join(dir, "store", "trap"));
    await chown(dir, USER.uid, USER.gid);
    handOver(dir, USER);
    expect(statSync(join(dir, "victim")).uid).toBe(0);
  });

  test("is refused for a directory of root's with other things in it", async () => {
    const dir = await place();
    await writeFile(join(dir, "passwd"), "x");
    expect(() => handOver(dir, USER)).toThrow(/holds other things than Weir's/);
    expect(statSync(dir).uid).toBe(0);
  });
});

test("names and bits of capabilities are the kernel's", () => {
  expect(bitsOf(["BPF", "PERFMON", "NET_ADMIN"])).toBe(0xc000001000n);
  expect(namesOf(0xc000001000n)).toEqual(["NET_ADMIN", "PERFMON", "BPF"]);
});
