/**
 * Node columns ÷ C libbpf: how much dearer is an event here than in C? node bench/decode.ts [rounds]
 *
 * Both readers run in this process, on this CPU, in turns: each round fills a ring with the same BPF program (BPF_PROG_TEST_RUN) and
 * drains it; CPU time of the thread. C copies the same fields to an array of structs, and in a second reading only 13. The limit is 1.6 (issue 9).
 * Go's reader (cilium/ebpf, in a process of its own, same CPU) is to cost three times ours or more (issue 10); left out where there is no Go.
 * Needs root, a C compiler and libbpf's headers: apt-get install gcc libbpf-dev.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { Decoder } from "../collector/decode/decoder.ts";
import { objectBtf } from "../collector/kernel/btf.ts";
import { addressOf, openLibbpf, openSyscalls, type Libbpf } from "../collector/kernel/libbpf.ts";
import { loadObject } from "../collector/kernel/load.ts";
import { objectPath } from "../collector/kernel/object.ts";
import { RingReader } from "../collector/ring/reader.ts";
import { openRings } from "../collector/ring/rings.ts";
import { pin } from "./pin.ts";

const LIMIT = 1.6;
const GO_LIMIT = 3;
const EVENTS = 150_000;
const PAGES = 8192;
const CPU = 0;
const rounds = Number(process.argv[2] ?? 12);

const peer = compilePeer();
pin(CPU);
const calls = openSyscalls();
const clock = Buffer.alloc(16);
const lib = openLibbpf();
const path = objectPath();
const [forNode, forFew, forAll, forGo] = [0, 1, 2, 3].map(() =>
  loadObject(lib, path, objectBtf(path), { programs: ["fill"], settings: {} }),
);
const rings = openRings(lib, forNode!.mapFd("events"), PAGES);
const decoder = new Decoder(64);
const reader = new RingReader(rings.rings, decoder);
if (peer.open(0, forFew!.mapFd("events"), PAGES) !== 0 || peer.open(1, forAll!.mapFd("events"), PAGES) !== 0)
  throw new Error("C got no rings");

const go = await goPeer(forGo!.mapFd("events"));
const found: Record<"node" | "all" | "few" | "go", number[]> = { node: [], all: [], few: [], go: [] };
for (let round = 0; round < rounds + 3; round++) {
  fill(lib, forNode!);
  const node = timed(() => reader.drain(Infinity, empty));
  empty();
  fill(lib, forAll!);
  const all = peer.consume(1, CPU);
  fill(lib, forFew!);
  const few = peer.consume(0, CPU);
  if (peer.events() !== EVENTS) throw new Error(`C read ${peer.events()} of ${EVENTS} events`);
  let inGo = NaN;
  if (go !== undefined) {
    fill(lib, forGo!);
    inGo = await go.consume();
  }
  if (round < 3) continue; // while the compilers warm up
  found.node.push(node);
  found.all.push(all);
  found.few.push(few);
  found.go.push(inGo);
}
go?.end();

const node = median(found.node);
const all = median(found.all);
const few = median(found.few);
const ratio = node / all;
const goRatio = median(found.go) / node;
const line = (name: string, values: number[]) =>
  `${name.padEnd(34)} ${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)})\n`;
process.stdout.write(
  `${cpus()[0]?.model} · Linux ${release()} · Node ${process.version} · commit ${commit()}\n` +
    `${EVENTS} drop events a round, ${rounds} rounds in turns; ns an event, median (least–most)\n` +
    line("Node: 31 words to columns", found.node) +
    line("C libbpf: the same to structs", found.all) +
    line("C libbpf: 13 fields to structs", found.few) +
    (go === undefined ? "" : line("Go cilium/ebpf: the same to structs", found.go)) +
    `Node ÷ C, same fields: ${ratio.toFixed(2)} (limit ${LIMIT}: ${ratio <= LIMIT ? "kept" : "missed"}); against C's 13 fields: ${(node / few).toFixed(2)}\n` +
    (go === undefined
      ? "Go ÷ Node: not measured, there is no Go here\n"
      : `Go ÷ Node, same fields: ${goRatio.toFixed(2)} (goal ${GO_LIMIT}: ${goRatio >= GO_LIMIT ? "kept" : "missed"})\n`),
);
process.exitCode = ratio <= LIMIT && !(goRatio < GO_LIMIT) ? 0 : 1;
for (const each of [rings, forNode!, forFew!, forAll!, forGo!]) each[Symbol.dispose]();

function empty(): void {
  decoder.deliver(() => {});
}

function timed(run: () => number): number {
  const from = threadNs();
  const events = run();
  const ns = (threadNs() - from) / events;
  if (events !== EVENTS) throw new Error(`Node read ${events} of ${EVENTS} events`);
  return ns;
}

/** CPU time of this thread, as C takes it: a neighbour that runs meanwhile does not count. */
function threadNs(): number {
  calls.clockGettime(3, clock); // CLOCK_THREAD_CPUTIME_ID
  return Number(clock.readBigInt64LE(0)) * 1e9 + Number(clock.readBigInt64LE(8));
}

function fill(library: Libbpf, object: ReturnType<typeof loadObject>): void {
  const packet = Buffer.alloc(64);
  const options = Buffer.alloc(80); // struct bpf_test_run_opts
  options.writeBigUInt64LE(80n, 0);
  options.writeBigUInt64LE(addressOf(packet), 8);
  options.writeUInt32LE(packet.length, 24);
  options.writeInt32LE(EVENTS, 60);
  const result = library.testRun(library.programFd(object.programs.get("fill")!), options);
  if (result !== 0) throw new Error(`the ring cannot be filled (${result})`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function compilePeer() {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
  const library = join(folder, "peer.so");
  execFileSync("cc", [
    "-O2",
    "-march=native",
    "-shared",
    "-fPIC",
    "-o",
    library,
    fileURLToPath(new URL("decode.c", import.meta.url)),
    "-lbpf",
  ]);
  const loaded = koffi.load(library);
  rmSync(folder, { recursive: true });
  return {
    open: loaded.func("int peer_open(int which, int map, int pages)") as (
      which: number,
      map: number,
      pages: number,
    ) => number,
    consume: loaded.func("double peer_consume(int which, int cpu)") as (which: number, cpu: number) => number,
    events: loaded.func("uint64_t peer_events()") as () => number,
  };
}

/** The Go reader in its process, which inherits this one's CPU; undefined where there is no Go. */
async function goPeer(mapFd: number) {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
  try {
    const binary = join(folder, "peer");
    try {
      execFileSync("go", ["build", "-o", binary, "."], {
        cwd: fileURLToPath(new URL("decode-go", import.meta.url)),
        stdio: ["ignore", "ignore", "inherit"],
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    const child = spawn(binary, [String(PAGES)], { stdio: ["pipe", "pipe", "inherit", mapFd] });
    const lines = createInterface(child.stdout!);
    await once(lines, "line");
    return {
      async consume(): Promise<number> {
        const answer = once(lines, "line");
        child.stdin!.write(`${EVENTS}\n`);
        return Number((await answer)[0]);
      },
      end: () => child.stdin!.end(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function commit(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  try {
    const head = readFileSync(join(root, ".git", "HEAD"), "utf8").trim();
    return head.startsWith("ref: ")
      ? readFileSync(join(root, ".git", head.slice(5)), "utf8").slice(0, 9)
      : head.slice(0, 9);
  } catch {
    return "unknown";
  }
}
