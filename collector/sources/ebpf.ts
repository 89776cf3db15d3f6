import { whenReadable } from "../ring/wait.ts";
import { waitingIn, type CapturedRing } from "../ring/captured.ts";
import { RingReader } from "../ring/reader.ts";
import { countWaiting, type Waiting } from "../ring/waiting.ts";
import { largestRings, type Rings } from "../ring/rings.ts";
import { Appended, Decoder } from "../decode/decoder.ts";
import { NO_CPU, type Sink } from "../decode/columns.ts";
import { networkNamespaces, type NetworkNamespace } from "../kernel/netns.ts";
import { objectPath } from "../kernel/object.ts";
import type { Program } from "../kernel/programs.ts";
import { readCpuStats, recursionMisses, type CpuStats } from "../kernel/stats.ts";
import { bootNs, wallOffset } from "../kernel/clock.ts";
import type { ProcessView } from "../identity/process-view.ts";
import { pinMap } from "../kernel/pins.ts";
import { KernelPrograms, OBSERVING } from "./ebpf-kernel.ts";
import { processesOf } from "./ebpf-processes.ts";
import { emptyDrops, findOpenedBefore, readConversations, takeConnections, type TakeEvent } from "./ebpf-readouts.ts";
import type { CounterRow, HookReport, Source, SourceCounters } from "./source.ts";

export interface EbpfOptions {
  readonly sink: Sink;
  /** Network namespaces (inodes) to observe; "all" by default. What happens elsewhere is neither sent nor counted. */
  readonly namespaces?: "all" | Iterable<number>;
  /** Ring pages a CPU, a power of two. Left out: as many as this process may lock, 64 MiB in all at most. */
  readonly pages?: number;
  /** Longest time that an event lies in its ring. */
  readonly drainMs?: number;
  /** How long events are held back so that those of other CPUs, made before, come first. */
  readonly holdBackMs?: number;
  /** Rhythm of drop counts; one event a flow and reason comes at once. */
  readonly dropMs?: number;
  /** Rhythm of what UDP and ping conversations carried. */
  readonly conversationMs?: number;
  /** Rhythm of the sweep over open connections. */
  readonly sweepMs?: number;
  /** Rhythm of the look for new network namespaces and devices. */
  readonly scanMs?: number;
  /** Silence after which a conversation ends, once answered and unanswered. */
  readonly udpIdleMs?: number;
  readonly unansweredIdleMs?: number;
  /** The BPF object; the committed one, or one built from changed sources, by default. */
  readonly object?: string;
  readonly programs?: readonly Program[];
  /** Gets sentences for the log. */
  readonly say?: (sentence: string) => void;
}

const DEFAULTS = {
  drainMs: 100,
  holdBackMs: 3,
  dropMs: 1000,
  conversationMs: 2000,
  sweepMs: 10_000,
  scanMs: 1000,
  udpIdleMs: 180_000,
  unansweredIdleMs: 30_000,
};
const SETTLE_MS = 50;
/** Connections younger than this are not judged by a sweep: their socket may not be in the kernel's table yet. */
const YOUNG_NS = 2e9;
const STACK_WORDS = 24; // 12 frames (bpf/drops.bpf.c)
const GRACE_MS = 50; // a program that began before the generation was turned over has long ended

/** The running kernel of this machine. Creating is inert; `start` loads and attaches; disposing detaches, and delivers what is left. */
export class EbpfSource implements Source {
  readonly name = "ebpf";
  readonly #options: EbpfOptions & typeof DEFAULTS;
  readonly #decoder: Decoder;
  readonly #clocks = new DisposableStack();
  #kernel: KernelPrograms | undefined;
  #rings: Rings | undefined;
  #reader: RingReader | undefined;
  #processes: ProcessView | undefined;
  #stats: CpuStats[] = [];
  /** Events in each CPU's ring as `#stats` was read; undefined when they could not be counted. */
  #waiting: Waiting | undefined;
  #missed = 0;
  #sweepRound = 0;
  #reports: HookReport[] = [];
  readonly #observed = new Set<number>();
  #number = 0;
  #drainNs = 0;
  #stopped = false;
  #generation = 0n;
  #wallOffNs = 0;
  #deliverNs = 0;
  #keep: { readonly path: string; readonly kept: () => void } | undefined;

  constructor(options: EbpfOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#decoder = new Decoder(1024);
  }

  /** Throws KernelError: `no-rights`, `libbpf-missing`, `no-btf`, `old-kernel`, `object-missing`, `bpf-load`, `ring-memory`. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const options = this.#options;
    const object = options.object ?? objectPath(options.say);
    const kernel = new KernelPrograms({
      object,
      programs: options.programs ?? OBSERVING,
      settings: {
        only_listed: this.#isFiltered() ? 1 : 0,
        udp_idle_ns: options.udpIdleMs * 1e6,
        unanswered_idle_ns: options.unansweredIdleMs * 1e6,
      },
      maxEntries: {},
    });
    try {
      this.#kernel = kernel;
      this.#rings = largestRings(kernel.lib, kernel.loaded.mapFd("events"), options.pages);
      this.#reader = new RingReader(this.#rings.rings, this.#decoder);
      if (options.namespaces !== undefined && options.namespaces !== "all") this.observe(options.namespaces);
      this.#setClock();
      if (this.#keep !== undefined && pinMap(kernel.lib, kernel.loaded.mapFd("cpu_stats"), this.#keep.path))
        this.#keep.kept();
      kernel.attach();
      this.#processes = processesOf(kernel);
      this.scan();
      const openedBefore = kernel.iterator("opened_before");
      if (openedBefore !== undefined)
        kernel.notEntered = findOpenedBefore(kernel.calls, openedBefore, this.#namespaces());
      this.sweep();
      this.#startClocks();
    } catch (error) {
      this.#stopped = true;
      this.#rings?.[Symbol.dispose]();
      kernel[Symbol.dispose]();
      throw error;
    }
    const end = () => void this[Symbol.asyncDispose]();
    signal.addEventListener("abort", end, { once: true });
    this.#clocks.defer(() => signal.removeEventListener("abort", end));
  }

  /** The namespaces that there are and that are observed. */
  #namespaces(): NetworkNamespace[] {
    const all = networkNamespaces(this.#processes!.namespaces());
    return this.#isFiltered() ? all.filter(({ inode }) => this.#observed.has(inode)) : all;
  }

  #isFiltered(): boolean {
    return this.#options.namespaces !== undefined && this.#options.namespaces !== "all";
  }

  #startClocks(): void {
    const { drainMs, dropMs, conversationMs, sweepMs, scanMs } = this.#options;
    const every = (ms: number, run: () => void) => {
      const timer = setInterval(run, ms);
      this.#clocks.defer(() => clearInterval(timer));
    };
    this.#clocks.use(whenReadable(this.#rings!.epollFd, drainMs, () => this.#drain()));
    every(dropMs, () => this.#turnDrops());
    every(conversationMs, () => {
      this.#drain(); // starts before deltas
      this.#conversations(SETTLE_MS);
    });
    every(sweepMs, () => this.sweep());
    every(scanMs, () => this.scan());
  }

  /** Adds network namespaces to those observed (where `namespaces` was a list). */
  observe(namespaces: Iterable<number>): void {
    const kernel = this.#running();
    const map = kernel.loaded.mapFd("observed_netns");
    for (const inode of namespaces) {
      this.#observed.add(inode);
      kernel.lib.update(map, new Uint8Array(Uint32Array.of(inode).buffer), Uint8Array.of(1), 0);
    }
  }

  /** Finds new devices and namespaces now, not only at the next tick. */
  scan(): void {
    this.#setClock();
    this.#kernel?.veths?.scan(this.#namespaces());
  }

  /** Delivers every open connection and listening socket, now, and counts what ended unseen. */
  sweep(): void {
    const kernel = this.#kernel;
    if (kernel === undefined || this.#stopped) return;
    this.#sweepRound = (this.#sweepRound + 1) >>> 0;
    kernel.loaded.setVariable("sweep_round", BigInt(this.#sweepRound));
    kernel.loaded.setVariable("sweep_from", BigInt(Math.round(bootNs(kernel.calls) - YOUNG_NS)));
    for (const name of ["owners", "sweep"]) {
      const iterator = kernel.iterator(name);
      if (iterator !== undefined) takeConnections(iterator, this.#take);
    }
    this.#deliver();
  }

  /** Delivers all that has happened so far: rings, drop counts, conversations. For tests and for the end. */
  flush(): void {
    if (this.#kernel === undefined || this.#stopped) return;
    this.#drain(Infinity);
    this.#emptyOldDrops(this.#turnGeneration());
    this.#emptyOldDrops(this.#turnGeneration()); // a timer may have turned it just before, and not emptied it yet
    this.#conversations(0);
    this.#deliver();
  }

  /** File descriptor of a loaded program: for those that only tests and benches run. */
  programFd(name: string): number {
    const kernel = this.#running();
    return kernel.lib.programFd(kernel.loaded.programs.get(name)!);
  }

  /** What lies in the rings, as the kernel wrote it: for captures. */
  waiting(): readonly CapturedRing[] {
    return this.#rings?.rings.map(waitingIn) ?? [];
  }

  keep(share: number): void {
    if (this.#kernel === undefined || this.#stopped) return;
    const below = Math.round((1 - Math.min(1, Math.max(0, share))) * 0xffffffff);
    this.#kernel.loaded.setVariable("shed_below", BigInt(below));
  }

  counters(): SourceCounters {
    this.#readStats();
    const rows: CounterRow[] = [];
    for (const { cpu, produced, lost, shed } of this.#stats) {
      for (let type = 0; type < produced.length; type++) {
        if (produced[type]! > 0)
          rows.push({
            cpu,
            type,
            produced: produced[type]!,
            lost: lost[type]!,
            shed: shed[type]!,
            decoded: this.#decoder.decodedOf(cpu, type),
            waiting: this.#waiting?.get(cpu)?.get(type) ?? 0,
          });
      }
    }
    for (let type = 0; type < 32; type++) {
      const decoded = this.#decoder.decodedOf(NO_CPU, type);
      if (decoded > 0) rows.push({ cpu: NO_CPU, type, produced: decoded, lost: 0, shed: 0, decoded, waiting: 0 });
    }
    const counts = this.#reader?.counts;
    const sum = (field: "initPackets" | "dropsPassed" | "livesFull" | "conversationsFull" | "packetsShed") =>
      this.#stats.reduce((total, cpu) => total + cpu[field], 0);
    return {
      rows,
      settled: this.#waiting !== undefined,
      ringUse: counts?.ringUse ?? 0,
      decodeNs: counts === undefined || counts.events === 0 ? 0 : this.#drainNs / counts.events,
      malformed: counts?.malformed ?? 0,
      dropsPassed: sum("dropsPassed"),
      missed: this.#missed,
      unseenPackets: this.#kernel?.witness?.hidesInit === true ? sum("initPackets") : 0,
      packetsShed: sum("packetsShed"),
      packetsNotCounted: sum("conversationsFull"),
      connectionsNotTracked: sum("livesFull"),
    };
  }

  keepCounters(path: string, kept: () => void): void {
    this.#keep = { path, kept };
  }

  hooks(): readonly HookReport[] {
    this.#readStats();
    return this.#reports;
  }

  processes(): ProcessView | undefined {
    return this.#stopped ? undefined : this.#processes;
  }

  /** Kernel addresses of a drop's stack, innermost first, as (low, high) pairs; empty when it is gone. */
  stackOf(id: number): Uint32Array {
    const kernel = this.#kernel;
    const words = new Uint32Array(STACK_WORDS);
    if (kernel === undefined || this.#stopped) return words.subarray(0, 0);
    const key = new Uint8Array(Uint32Array.of(id).buffer);
    if (kernel.lib.lookup(kernel.loaded.mapFd("stacks"), key, new Uint8Array(words.buffer)) !== 0)
      return words.subarray(0, 0);
    let length = 0;
    while (length < STACK_WORDS && (words[length] !== 0 || words[length + 1] !== 0)) length += 2;
    return words.subarray(0, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped || this.#kernel === undefined) return;
    this.#clocks.dispose();
    this.sweep(); // what lives on is told of once more, and what ended unseen is counted
    this.#kernel.detach();
    this.flush();
    this.#readStats();
    this.#stopped = true;
    this.#rings?.[Symbol.dispose]();
    this.#kernel[Symbol.dispose]();
  }

  #running(): KernelPrograms {
    if (this.#kernel === undefined || this.#stopped) throw new Error("the source is not running");
    return this.#kernel;
  }

  readonly #take: TakeEvent = (words, bytes, at, length) => {
    while (this.#decoder.append(words, bytes, at, length, NO_CPU, this.#number) === Appended.full) this.#deliver();
    this.#number = (this.#number + 1) >>> 0;
  };

  readonly #deliver = (): void => {
    const from = performance.now();
    this.#decoder.deliver(this.#options.sink);
    this.#deliverNs += (performance.now() - from) * 1e6;
  };

  #drain(horizon?: number): void {
    if (this.#reader === undefined || this.#stopped) return;
    const until = horizon ?? bootNs(this.#kernel!.calls) + this.#wallOffNs - this.#options.holdBackMs * 1e6;
    const from = performance.now();
    const delivered = this.#deliverNs;
    const events = this.#reader.drain(until, this.#deliver);
    if (events === 0) return;
    this.#drainNs += (performance.now() - from) * 1e6 - (this.#deliverNs - delivered);
    this.#deliver();
  }

  #turnDrops(): void {
    if (this.#stopped) return;
    const old = this.#turnGeneration();
    setTimeout(() => this.#emptyOldDrops(old), GRACE_MS).unref();
  }

  /** Lets the programs count in the other map; returns the name of the one they leave. */
  #turnGeneration(): string {
    const old = this.#generation;
    this.#generation = old + 1n;
    this.#running().loaded.setVariable("drop_generation", this.#generation);
    return old % 2n === 0n ? "drops_even" : "drops_odd";
  }

  #emptyOldDrops(map: string): void {
    if (this.#stopped || !this.#hasDrops()) return;
    const kernel = this.#running();
    emptyDrops(kernel.lib, kernel.loaded.mapFd(map), this.#take);
    this.#deliver();
  }

  #hasDrops(): boolean {
    return (
      this.#kernel !== undefined &&
      this.#kernel.loaded.programs.has("drops") &&
      !this.#kernel.loaded.refused.has("drops")
    );
  }

  #conversations(settleMs: number): void {
    const iterator = this.#kernel?.iterator("read_conversations");
    if (iterator === undefined || this.#stopped) return;
    const kernel = this.#running();
    kernel.loaded.setVariable("settle_ns", BigInt(settleMs) * 1_000_000n);
    readConversations(kernel.lib, iterator, kernel.loaded.mapFd("conversations"), this.#take);
    this.#deliver();
  }

  #setClock(): void {
    if (this.#kernel === undefined || this.#stopped) return;
    const offset = wallOffset(this.#kernel.calls);
    this.#wallOffNs = Number(offset);
    this.#kernel.loaded.setVariable("wall_off", offset);
  }

  #readStats(): void {
    const kernel = this.#kernel;
    if (kernel === undefined || this.#stopped) return;
    this.#waiting = countWaiting(this.#rings?.rings ?? [], () => {
      this.#stats = readCpuStats(kernel.lib, kernel.loaded.mapFd("cpu_stats"));
    });
    kernel.witness?.look(this.#stats.reduce((sum, { initRan }) => sum + initRan, 0));
    if (kernel.witness?.showsInit === true) kernel.loaded.setVariable("init_shown", 1n);
    // A twin's own misses are no loss: it only runs where the first of the two could not.
    const first = [...kernel.loaded.programs].filter(([name]) => !name.endsWith("_nested"));
    const skipped = first.reduce((sum, [, program]) => sum + recursionMisses(kernel.lib, program), 0);
    this.#missed = Math.max(0, skipped - this.#stats.reduce((sum, { nested }) => sum + nested, 0));
    this.#reports = kernel.reports((type) => this.#stats.reduce((sum, { produced }) => sum + (produced[type] ?? 0), 0));
  }
}
