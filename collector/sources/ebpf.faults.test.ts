import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EventType, typeOf, type ConnColumns, type DropColumns } from "../decode/columns.ts";
import { elfSection } from "../kernel/btf.ts";
import { PREBUILT } from "../kernel/object.ts";
import { PROGRAMS } from "../kernel/programs.ts";
import { EbpfSource } from "./ebpf.ts";
import { ADDRESS, Rows, until, World, netnsOption } from "./ebpf.world.ts";

const signal = new AbortController().signal;

describe("when something is missing or too small", () => {
  let folder: string;
  let world: World;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "weir-faults-"));
    world = new World("f");
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await world[Symbol.asyncDispose]();
  });

  /** Fails `count` connections at once: one FAIL each, and two drops' worth of packets. */
  const knock = (count: number) =>
    world.node(
      "client",
      `await Promise.all(Array.from({ length: input.count }, () => new Promise((r) => net.connect(9, input.address).on("error", r).on("close", r)))); console.log("{}");`,
      { count, address: ADDRESS.server.v4 },
    );

  /** A copy of the object with a first instruction in one program that no verifier takes: a read through an unset register. */
  function corrupted(section: string): string {
    const bytes = Uint8Array.from(readFileSync(PREBUILT));
    elfSection(bytes, section)!.set([0x79, 0x50, 0, 0, 0, 0, 0, 0], 0);
    const path = join(folder, "weir.bpf.o");
    writeFileSync(path, bytes);
    return path;
  }

  test("a refused program is named with the reason and what goes dark, and all others work", async () => {
    const fails = new Rows<ConnColumns, number>("connections", typeOf);
    await using source = new EbpfSource({
      sink: fails.take,
      namespaces: world.inodes,
      object: corrupted("tp_btf/kfree_skb"),
    });
    await source.start(signal);
    await knock(3);
    await until("three failures", () => fails.rows.filter((type) => type === EventType.fail).length === 3);
    const hooks = source.hooks();
    expect(hooks.find(({ name }) => name === "drops")).toMatchObject({
      state: "refused",
      why: "R5 !read_ok",
      dark: "no dropped packet is seen",
    });
    expect(hooks.filter(({ state }) => state !== "loaded").map(({ name }) => name)).toEqual(["drops"]);
    expect(hooks.find(({ name }) => name === "connections")).toMatchObject({ state: "loaded", events: 3 });
  });

  test("what a ring has no room for is counted in the kernel: received + lost = produced, by CPU and type", async () => {
    const rows = new Rows<ConnColumns, number>("connections", typeOf);
    const drops = new Rows<DropColumns, number>("drops", (batch, i) => batch.count[i]!);
    const hours = 3_600_000; // no timer drains: only `flush` does
    await using source = new EbpfSource({
      sink: (batch) => [rows, drops].forEach((each) => each.take(batch)),
      namespaces: world.inodes,
      pages: 1,
      drainMs: hours,
      dropMs: hours,
      sweepMs: hours,
    });
    await source.start(signal);
    // the watermark would drain as well: the event loop must not run meanwhile
    const program = `for (let i = 0; i < 400; i++) await new Promise((r) => net.connect(9, "${ADDRESS.server.v4}").on("error", r));`;
    execFileSync("nsenter", [
      netnsOption(world.nameOf("client")),
      process.execPath,
      "--input-type=module",
      "-e",
      `import net from "node:net"; ${program}`,
    ]);
    await source[Symbol.asyncDispose](); // detaches first: nothing happens between the last row and the books
    const { rows: counted, dropsPassed } = source.counters();
    const of = (type: number) => counted.filter((row) => row.type === type && row.cpu !== 0xffff);
    const sum = (type: number, field: "produced" | "lost" | "decoded") =>
      of(type).reduce((total, row) => total + row[field], 0);
    expect(sum(EventType.fail, "produced")).toBe(400);
    expect(sum(EventType.fail, "lost")).toBeGreaterThan(100);
    for (const { cpu, type, produced, lost, decoded } of counted)
      expect({ cpu, type, missing: produced - lost - decoded }).toEqual({ cpu, type, missing: 0 });
    expect(rows.rows.filter((type) => type === EventType.fail)).toHaveLength(sum(EventType.fail, "decoded"));
    expect(drops.rows.reduce((a, b) => a + b, 0) + sum(EventType.drop, "lost")).toBe(dropsPassed);
  });

  test("a connection that ends while no program runs is counted as a lost close by the next sweep", async () => {
    await using source = new EbpfSource({
      sink: () => {},
      namespaces: world.inodes,
      programs: PROGRAMS.filter(({ name }) => name === "sweep" || name === "opened_before"),
      sweepMs: 3_600_000,
    });
    const server = await world.serve("server", `net.createServer().listen(80, () => console.log("{}"));`);
    const client = await world.serve(
      "client",
      `const s = net.connect(80, "${ADDRESS.server.v4}", () => console.log("{}")); s.on("error", () => {});`,
    );
    await source.start(signal); // sweeps: both ends are known now
    const lost = () => source.counters().rows.reduce((sum, row) => sum + row.lost, 0);
    source.sweep();
    expect(lost()).toBe(0);
    await client.stop();
    await server.stop();
    await until("both ends to be gone", () => {
      source.sweep();
      return lost() >= 2;
    });
    const closes = source.counters().rows.filter(({ lost: n }) => n > 0);
    expect(new Set(closes.map(({ type }) => type))).toEqual(new Set([EventType.close]));
    for (const field of ["produced", "lost"] as const) expect(closes.reduce((sum, row) => sum + row[field], 0)).toBe(2);
  });

  test("three capabilities are enough: BPF, PERFMON, NET_ADMIN, as nobody, with rings of 128 pages", () => {
    const { status, stdout, stderr } = asNobody("+bpf,+perfmon,+net_admin");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const hooks = JSON.parse(stdout) as { name: string; state: string }[];
    expect(hooks.filter(({ state, name }) => state !== "loaded" && name !== "nat")).toEqual([]);
    expect(hooks).toHaveLength(PROGRAMS.length - 1);
  });

  test("without one of them it says which is missing and what to do", () => {
    const { status, stderr } = asNobody("+bpf,+net_admin");
    expect(status).toBe(3);
    expect(stderr).toBe(
      "no-rights: this process may not observe the kernel: it lacks CAP_PERFMON; run it as root, or give a service AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN",
    );
  });

  function asNobody(capabilities: string) {
    const source = fileURLToPath(new URL("./ebpf.ts", import.meta.url));
    const program = `
      const { EbpfSource } = await import(${JSON.stringify(source)});
      try {
        const source = new EbpfSource({ sink() {}, pages: 128 });
        await source.start(new AbortController().signal);
        process.stdout.write(JSON.stringify(source.hooks()));
        await source[Symbol.asyncDispose]();
      } catch (error) { process.stderr.write(error.code + ": " + error.message); process.exitCode = 3; }`;
    const words = [
      "--reuid",
      "65534",
      "--regid",
      "65534",
      "--clear-groups",
      "--no-new-privs",
      "--inh-caps",
      `-all,${capabilities}`,
      "--ambient-caps",
      `-all,${capabilities}`,
      "--bounding-set",
      `-all,${capabilities}`,
    ];
    return spawnSync("setpriv", [...words, process.execPath, "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
  }

  test("an object that is none is said so", async () => {
    const path = join(folder, "none.bpf.o");
    writeFileSync(path, "not ELF");
    const source = new EbpfSource({ sink() {}, object: path });
    await expect(source.start(signal)).rejects.toMatchObject({ code: "object-missing", where: path });
  });
});
