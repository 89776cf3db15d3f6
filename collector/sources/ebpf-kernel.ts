/** The programs of the running kernel: loaded, attached, reported. */
import { attachCgroup, attachIterator, attachTracepoint, cgroupRoot, type Iterator } from "../kernel/attach.ts";
import { kernelBtf, objectBtf } from "../kernel/btf.ts";
import { openLibbpf, openSyscalls, type Libbpf, type Syscalls } from "../kernel/libbpf.ts";
import { loadObject, type LoadedObject, type Settings } from "../kernel/load.ts";
import { InitWitness } from "../kernel/init-witness.ts";
import { PROGRAMS, type Program } from "../kernel/programs.ts";
import { requireRights } from "../kernel/rights.ts";
import { VethLinks } from "../kernel/veths.ts";
import type { HookReport } from "./source.ts";

export interface KernelOptions {
  readonly object: string;
  readonly settings: Settings;
  readonly programs: readonly Program[];
  readonly maxEntries: Readonly<Record<string, number>>;
}

/** Loaded programs, not yet attached: create, then `attach`. Disposing detaches and unloads all. */
export class KernelPrograms implements Disposable {
  readonly lib: Libbpf;
  readonly calls: Syscalls;
  readonly loaded: LoadedObject;
  readonly #programs: readonly Program[];
  readonly #why = new Map<string, string>();
  readonly #attached = new DisposableStack();
  readonly #iteratorLinks = new DisposableStack();
  readonly #iterators = new Map<string, Iterator>();
  #veths: VethLinks | undefined;
  /** Finds out whether this kernel runs no tracing program in process 1; undefined where that cannot be known. */
  witness: InitWitness | undefined;
  /** Namespaces that could not be entered at the start, to find what was open before it. */
  notEntered = 0;

  /** Throws KernelError when nothing can be observed here: no libbpf, no rights, no BTF, an old kernel, a missing object. */
  constructor(options: KernelOptions) {
    requireRights();
    this.lib = openLibbpf();
    this.calls = openSyscalls();
    kernelBtf();
    this.#programs = options.programs;
    this.loaded = loadObject(this.lib, options.object, objectBtf(options.object), {
      programs: options.programs.map(({ name }) => name),
      settings: options.settings,
      maxEntries: options.maxEntries,
    });
  }

  get veths(): VethLinks | undefined {
    return this.#veths;
  }

  iterator(name: string): Iterator | undefined {
    return this.#iterators.get(name);
  }

  /** Attaches what was loaded, each on its own: what cannot be is noted for `reports`. */
  attach(): void {
    const root = cgroupRoot();
    for (const { name, hook } of this.#programs) {
      const program = this.loaded.programs.get(name);
      if (program === undefined || this.loaded.refused.has(name)) continue;
      if (hook === "tracepoint") this.#keep(name, attachTracepoint(this.lib, this.calls, program));
      else if (hook === "witness") {
        const attached = attachTracepoint(this.lib, this.calls, program);
        if (typeof attached === "string") this.#why.set(name, attached);
        else this.witness = this.#attached.use(new InitWitness(attached));
      } else if (hook === "iterator")
        this.#keepIterator(name, attachIterator(this.lib, this.calls, program, this.#mapOf(name)));
      else if (hook === "veth") this.#veths = this.#attached.use(new VethLinks(this.lib, this.calls, program));
      else if (hook === "cgroup") {
        this.#keep(
          name,
          root === undefined
            ? "cgroup v2 is not mounted; mount -t cgroup2 none /sys/fs/cgroup"
            : attachCgroup(this.lib, this.calls, program, root),
        );
      }
    }
  }

  #mapOf(iterator: string): number | undefined {
    if (iterator === "read_conversations") return this.loaded.mapFd("conversations");
    return iterator === "sweep" ? this.loaded.mapFd("lives") : undefined;
  }

  #keep(name: string, attached: Disposable | string): void {
    if (typeof attached === "string") this.#why.set(name, attached);
    else this.#attached.use(attached);
  }

  #keepIterator(name: string, iterator: Iterator | string): void {
    if (typeof iterator === "string") this.#why.set(name, iterator);
    else this.#iterators.set(name, this.#iteratorLinks.use(iterator));
  }

  /** One report a program. `eventsOf` says how many events of a type were made. */
  reports(eventsOf: (type: number) => number): HookReport[] {
    return this.#programs
      .filter(({ hook }) => hook !== "test")
      .map(({ name, dark, makes }) => {
        const events = makes.length === 0 ? {} : { events: makes.reduce((sum, type) => sum + eventsOf(type), 0) };
        const refused = this.loaded.refused.get(name);
        if (refused !== undefined) return { name, state: "refused", why: refused, dark };
        const why = this.#why.get(name) ?? (name === "nat" ? this.#vethTrouble() : undefined);
        if (why !== undefined) return { name, state: "not attached", why, dark, ...events };
        const partly =
          name === "opened_before" && this.notEntered > 0 ? { why: cannotEnter(this.notEntered), dark } : {};
        return { name, state: "loaded", ...partly, ...events };
      });
  }

  /** No veth at all is no trouble: there is no service address either. */
  #vethTrouble(): string | undefined {
    const veths = this.#veths;
    if (veths === undefined || veths.size > 0) return undefined;
    if (veths.refused !== undefined) return veths.refused;
    return veths.closed > 0 ? cannotEnter(veths.closed) : undefined;
  }

  /** Ends all events; maps and iterators can still be read. */
  detach(): void {
    this.#attached.dispose();
  }

  [Symbol.dispose](): void {
    this.detach();
    this.#iteratorLinks.dispose();
    this.loaded[Symbol.dispose]();
  }
}

const cannotEnter = (namespaces: number): string =>
  `${namespaces} network namespaces cannot be entered; that needs CAP_SYS_ADMIN`;

/** All programs but those of tests. */
export const OBSERVING: readonly Program[] = PROGRAMS.filter(({ hook }) => hook !== "test");
