/** What is seen with three capabilities: in namespaces that may not be entered, of processes that may not be traced. Needs root, to begin with. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lookAtNamespaces } from "../identity/netns.ts";
import { PROC, type ProcessView } from "../identity/process-view.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, until, World } from "./ebpf.world.ts";

interface Swept {
  readonly netns: number;
  readonly pid: number;
  readonly direction: number;
  readonly localPort: number;
  readonly remotePort: number;
}

/** What the observer says after each sweep. */
interface Said {
  readonly rights: readonly string[];
  readonly uid: number;
  readonly swept: readonly Swept[];
  readonly lostCloses: number;
  /** Ports of clients whose service address was translated, since the start. */
  readonly translated: readonly number[];
  readonly namespaces: readonly { readonly inode: number; readonly name: string; readonly pids: readonly number[] }[];
  readonly listeners: readonly { readonly netns: number; readonly port: number; readonly pid: number }[];
  readonly hooks: readonly { readonly name: string; readonly why?: string }[];
}

const moduleAt = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
const NOBODY = 65_534;

/** Sweeps and tells, five times a second. `leaves`: starts as root and gives it up, as `weir collect` does. */
const observer = (leaves: boolean, programs: readonly string[] | undefined, dataDir: string): string => `
const { EbpfSource } = await import(${moduleAt("./ebpf.ts")});
const { PROGRAMS } = await import(${moduleAt("../kernel/programs.ts")});
const { keptRights, leaveRoot } = await import(${moduleAt("../kernel/leave-root.ts")});
const { capabilitySets, namesOf } = await import(${moduleAt("../kernel/capabilities.ts")});
const { EventType, directionOf, sourcePortOf, destinationPortOf, typeOf } = await import(${moduleAt("../decode/columns.ts")});
const { lookAtNamespaces } = await import(${moduleAt("../identity/netns.ts")});
const { holdersOf } = await import(${moduleAt("../identity/processes.ts")});
let swept = [];
const translated = [];
const sink = (batch) => {
  if (batch.kind === "nat") for (let i = 0; i < batch.length; i++) translated.push(sourcePortOf(batch, i));
  if (batch.kind !== "connections") return;
  for (let i = 0; i < batch.length; i++)
    if (typeOf(batch, i) === EventType.sweep)
      swept.push({ netns: batch.netns[i], pid: batch.pid[i], direction: directionOf(batch, i), localPort: sourcePortOf(batch, i), remotePort: destinationPortOf(batch, i) });
};
const wanted = ${JSON.stringify(programs ?? null)};
const source = new EbpfSource({ sink, pages: 16, sweepMs: 3_600_000, ...(wanted === null ? {} : { programs: PROGRAMS.filter(({ name }) => wanted.includes(name)) }) });
await source.start(new AbortController().signal);
if (${leaves}) leaveRoot({ uid: ${NOBODY}, gid: ${NOBODY} }, keptRights(false), ${JSON.stringify(dataDir)});
process.stdin.on("end", () => process.exit()).resume();
for (;;) {
  swept = [];
  source.scan();
  source.sweep();
  const processes = source.processes();
  const of = processes.namespaces();
  const views = await lookAtNamespaces(processes);
  const all = views.flatMap((view) => view.listeners.map((listener) => ({ netns: view.inode, ...listener })));
  const holders = await holdersOf(processes, new Set(all.map(({ inode }) => inode)));
  console.log(JSON.stringify({
    rights: namesOf(capabilitySets().permitted), uid: process.getuid(), swept, translated,
    lostCloses: source.counters().rows.reduce((sum, row) => sum + (row.type === EventType.close ? row.lost : 0), 0),
    namespaces: views.map(({ inode, name }) => ({ inode, name, pids: [...of].filter(([, netns]) => netns === inode).map(([pid]) => pid) })),
    listeners: all.map(({ netns, port, inode }) => ({ netns, port, pid: holders.get(inode)?.pid ?? 0 })),
    hooks: source.hooks(),
  }));
  await new Promise((resolve) => setTimeout(resolve, 200));
}`;

/** Another process that observes; `latest` is what it said last. */
class Observer implements AsyncDisposable {
  readonly #child: ChildProcess;
  latest: Said | undefined;

  constructor(leaves: boolean, dataDir: string, programs?: readonly string[]) {
    const rights = "-all,+bpf,+perfmon,+net_admin";
    const user = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
    const sets = ["--inh-caps", rights, "--ambient-caps", rights, "--bounding-set", rights];
    const node = [process.execPath, "--input-type=module", "-e", observer(leaves, programs, dataDir)];
    const words = leaves ? node : ["setpriv", ...user, ...sets, ...node];
    this.#child = spawn(words[0]!, words.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    createInterface(this.#child.stdout!).on("line", (line) => (this.latest = JSON.parse(line) as Said));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}

const LISTEN = `const server = net.createServer((s) => s.on("error", () => {})).listen(0, "::", () => console.log(JSON.stringify({ port: server.address().port, pid: process.pid })));`;
const CONNECT = `const s = net.connect(input.port, "${ADDRESS.server.v4}", () => console.log(JSON.stringify({ pid: process.pid, port: s.localPort }))); s.on("error", () => {});`;

/** A connection from client to server of `world` that stays open. */
async function openIn(world: World) {
  const server = await world.serve<{ port: number; pid: number }>("server", LISTEN);
  const client = await world.serve<{ port: number; pid: number }>("client", CONNECT, { port: server.port });
  return { server, client };
}

describe.each([
  { name: "after root was left", leaves: true },
  { name: "as an ordinary user from the beginning", leaves: false },
])("with three capabilities, $name", ({ leaves }) => {
  let world: World;
  let folder: string;
  beforeAll(() => {
    world = new World(leaves ? "r" : "o");
    folder = mkdtempSync(join(tmpdir(), "weir-three-"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await world[Symbol.asyncDispose]();
  });

  /** Waits until both ends of the connection are swept, each with its side, its process and its named namespace. */
  async function expectSwept(observing: Observer, of: World, open: Awaited<ReturnType<typeof openIn>>): Promise<void> {
    const rowOf = (place: "client" | "server") =>
      observing.latest?.swept.find(
        (row) => row.netns === of.inode(place) && [row.localPort, row.remotePort].includes(open.client.port),
      );
    await until("both ends swept", () => rowOf("client") !== undefined && rowOf("server") !== undefined);
    expect(rowOf("client")).toMatchObject({ direction: 2, pid: open.client.pid, remotePort: open.server.port });
    expect(rowOf("server")).toMatchObject({ direction: 1, pid: open.server.pid, localPort: open.server.port });
    const { namespaces, listeners } = observing.latest!;
    for (const place of ["client", "server"] as const) {
      const seen = namespaces.find(({ inode }) => inode === of.inode(place));
      expect(seen?.name).toBe(of.nameOf(place));
      expect(seen?.pids).toContain(open[place].pid);
    }
    expect(listeners).toContainEqual({ netns: of.inode("server"), port: open.server.port, pid: open.server.pid });
  }

  test("a connection from before the start, and one in a namespace made after it, are swept and named", async () => {
    const before = await openIn(world);
    await using observing = new Observer(leaves, folder);
    await until("the observer", () => observing.latest !== undefined, 60);
    expect(observing.latest).toMatchObject({ uid: NOBODY, rights: ["NET_ADMIN", "PERFMON", "BPF"] });
    await expectSwept(observing, world, before);
    await using later = new World(leaves ? "s" : "p");
    await expectSwept(observing, later, await openIn(later));
    const why = observing.latest!.hooks.find(({ name }) => name === "opened_before")?.why;
    if (leaves) expect(why).toBeUndefined();
    else expect(why).toMatch(/^\d+ network namespaces cannot be entered; that needs CAP_SYS_ADMIN$/);
  });

  if (leaves) {
    test("devices of other namespaces that were there at the start stay attached to", async () => {
      const rule = `ip daddr ${ADDRESS.service.v4} tcp dport 80 dnat ip to ${ADDRESS.server.v4}:8080`;
      world.nft(
        "router",
        `add table inet n; add chain inet n p { type nat hook prerouting priority -100; }; add rule inet n p ${rule}`,
      );
      const server = await world.serve(
        "server",
        `net.createServer((s) => s.on("error", () => {})).listen(8080, () => console.log("{}"));`,
      );
      await using observing = new Observer(leaves, folder);
      await until("the observer", () => observing.latest !== undefined, 60);
      const { port } = await world.node<{ port: number }>(
        "client",
        `const s = net.connect(80, "${ADDRESS.service.v4}"); await once(s, "connect"); console.log(JSON.stringify({ port: s.localPort })); s.destroy();`,
      );
      await until("the translation", () => observing.latest!.translated.includes(port));
      await server.stop();
    });
  }

  test("an end that no program saw is counted as a lost close", async () => {
    const open = await openIn(world);
    await using observing = new Observer(leaves, folder, ["opened_before", "owners", "sweep", "processes", "holders"]);
    await until("the observer", () => observing.latest !== undefined, 60);
    await expectSwept(observing, world, open);
    const before = observing.latest!.lostCloses;
    await open.client.stop();
    await open.server.stop();
    await until("two more lost closes", () => observing.latest!.lostCloses >= before + 2);
    expect(observing.latest!.swept.some((row) => row.localPort === open.client.port)).toBe(false);
  });
});

test("the kernel's iterators tell of processes what /proc tells root", async () => {
  await using world = new World("q");
  const { port } = await world.serve<{ port: number }>("server", LISTEN);
  const udp = await world.serve<{ port: number }>(
    "client",
    `const s = dgram.createSocket("udp4"); s.bind(0, () => console.log(JSON.stringify({ port: s.address().port })));`,
  );
  await using source = new EbpfSource({ sink() {}, pages: 16, namespaces: world.inodes });
  await source.start(new AbortController().signal);
  const processes = source.processes()!;
  const inWorld = (view: ProcessView) => [...view.namespaces()].filter(([, inode]) => world.inodes.includes(inode));
  expect(inWorld(processes)).toHaveLength(2);
  expect(inWorld(processes)).toEqual(inWorld(PROC));
  const bySocket = (view: ProcessView) => {
    const listeners = view.listeners(new Map([...view.namespaces()].map(([pid, inode]) => [inode, pid])));
    const here = world.inodes.flatMap((inode) =>
      (listeners.get(inode) ?? []).map((each) => ({ netns: inode, ...each })),
    );
    return here.toSorted((a, b) => a.inode - b.inode);
  };
  expect(bySocket(processes)).toHaveLength(2);
  expect(bySocket(processes)).toEqual(bySocket(PROC));
  const views = await lookAtNamespaces(processes);
  const sockets = views
    .filter(({ inode }) => world.inodes.includes(inode))
    .flatMap(({ listeners }) => listeners)
    .filter((listener) => listener.port === port || listener.port === udp.port);
  expect(sockets.map(({ protocol }) => protocol).toSorted()).toEqual([17, 6]);
  const inodes = new Set(sockets.map(({ inode }) => inode));
  expect(processes.holders(inodes).size).toBe(2);
  expect(new Map(processes.holders(inodes))).toEqual(new Map(PROC.holders(inodes)));
});
