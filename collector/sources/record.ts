/** Records what a source delivers into a sample (sample.ts), with the names that are needed to play it elsewhere. */
import { open, readFile, type FileHandle } from "node:fs/promises";
import { hostname, release } from "node:os";
import { formatAddress } from "../../model/address.ts";
import { systemCode, WeirError } from "../../model/errors.ts";
import type { CollectorConfig } from "../config.ts";
import { bytesOf, type Batch } from "../decode/columns.ts";
import { Cgroups } from "../identity/cgroups.ts";
import { lookAtNamespaces, ownNetns } from "../identity/netns.ts";
import { holdersOf } from "../identity/processes.ts";
import { PROC, type ProcessView } from "../identity/process-view.ts";
import { dropReasons, kernelBtf } from "../kernel/btf.ts";
import { kernelSymbols, type Symbols } from "../kernel/symbols.ts";
import { callersIn, NO_STACK, type StackOf } from "./kernel-names.ts";
import { encodeBatch, encodeSample, type SampleWorld } from "./sample.ts";
import type { Source } from "./source.ts";

/** A sample is meant to be small: recording stops here, and says so. */
const MAX_RAW_BYTES = 256 * 1024 * 1024;

export class SampleRecorder {
  readonly #path: string;
  readonly #config: CollectorConfig;
  readonly #next: (batch: Batch) => void;
  // What root alone may read and write is taken before the collector leaves root: the names of functions, the file.
  readonly #symbols: Symbols = kernelSymbols();
  #file: FileHandle | undefined;
  readonly #blocks: Buffer[] = [];
  #bytes = 0;
  #from: bigint | undefined;
  #to = 0n;
  readonly #reasons = new Set<number>();
  readonly #functions = new Map<string, readonly [number, number]>();
  readonly #stacks = new Map<number, readonly [number, number]>();
  #stackOf: StackOf = () => new Uint32Array();
  readonly #callers = new Map<number, string[]>();
  readonly #cgroups = new Set<number>();
  #namespaces: SampleWorld["namespaces"] = [];

  constructor(path: string, config: CollectorConfig, next: (batch: Batch) => void) {
    this.#path = path;
    this.#config = config;
    this.#next = next;
  }

  /** Where to ask for the stacks of drops. */
  useStacks(stackOf: StackOf): void {
    this.#stackOf = stackOf;
  }

  /** Records, then hands on. */
  readonly sink = (batch: Batch): void => {
    if (this.#bytes < MAX_RAW_BYTES) this.#keep(batch);
    this.#next(batch);
  };

  /** The source, writing the sample when it ends. The namespaces are looked at when it starts and when it ends. */
  around(source: Source): Source {
    return {
      name: source.name,
      start: async (signal) => {
        this.#file = await open(this.#path, "a"); // an earlier sample stays until there is another
        await source.start(signal);
        await this.#look(source.processes?.());
      },
      keep: (share) => source.keep?.(share),
      counters: () => source.counters(),
      hooks: () => source.hooks(),
      processes: () => source.processes?.(),
      [Symbol.asyncDispose]: async () => {
        await this.#look(source.processes?.());
        this.#nameStacks(); // before its maps are gone
        await source[Symbol.asyncDispose]();
        await this.write();
      },
    };
  }

  async write(): Promise<void> {
    await using file = this.#file ?? (await open(this.#path, "a"));
    if (this.#from === undefined)
      throw new WeirError({
        code: "sample-empty",
        where: this.#path,
        what: "nothing happened, so nothing was recorded",
      });
    const reasons = dropReasons(kernelBtf());
    const cgroups = new Cgroups();
    const world: SampleWorld = {
      node: hostname(),
      kernel: release(),
      recorded: new Date().toISOString(),
      fromNs: String(this.#from),
      toNs: String(this.#to),
      hostNetns: await ownNetns(),
      reasons: Object.fromEntries(
        [...this.#reasons].map((reason) => [reason, reasons.get(reason) ?? `reason ${reason}`]),
      ),
      functions: Object.fromEntries(
        [...this.#functions].map(([key, [low, high]]) => [key, this.#symbols.nameOf(low, high) ?? ""]),
      ),
      callers: Object.fromEntries(this.#callers),
      cgroups: Object.fromEntries(
        [...this.#cgroups].map((id) => [id, cgroups.facts(id, Date.now()).path]).filter(([, path]) => path !== ""),
      ),
      namespaces: this.#namespaces,
      inventory: await textOf(this.#config.inventory),
    };
    try {
      await file.truncate(0);
      await file.writeFile(encodeSample(world, this.#blocks));
    } catch (cause) {
      throw new WeirError({
        code: "sample-write",
        where: this.#path,
        what: `the recording cannot be written (${systemCode(cause) ?? String(cause)})`,
        next: "record into a file on a disk with room",
        cause,
      });
    }
  }

  #keep(batch: Batch): void {
    const bytes = encodeBatch(batch);
    this.#bytes += bytes.length;
    this.#blocks.push(bytes);
    for (let r = 0; r < batch.length; r++) {
      const ns = (BigInt(batch.tsHigh[r]!) << 32n) | BigInt(batch.tsLow[r]!);
      if (this.#from === undefined || ns < this.#from) this.#from = ns;
      if (ns > this.#to) this.#to = ns;
      this.#cgroups.add(batch.cgroupHigh[r]! * 4294967296 + batch.cgroupLow[r]!);
      if (batch.kind !== "drops") continue;
      this.#reasons.add(batch.reason[r]!);
      this.#functions.set(`${batch.locationHigh[r]}:${batch.locationLow[r]}`, [
        batch.locationLow[r]!,
        batch.locationHigh[r]!,
      ]);
      if (batch.stack[r] !== NO_STACK)
        this.#stacks.set(batch.stack[r]!, [batch.locationLow[r]!, batch.locationHigh[r]!]);
    }
  }

  #nameStacks(): void {
    for (const [stack, [low, high]] of this.#stacks)
      this.#callers.set(stack, [...callersIn(this.#stackOf, this.#symbols, stack, low, high)]);
  }

  async #look(processes: ProcessView = PROC): Promise<void> {
    const views = await lookAtNamespaces(processes);
    const holders = await holdersOf(
      processes,
      new Set(views.flatMap((view) => view.listeners.map((listener) => listener.inode))),
    );
    const known = new Map(this.#namespaces.map((namespace) => [namespace.inode, namespace]));
    for (const view of views) {
      if (view.name !== "" && !this.#config.observes(view.inode, view.name)) continue; // somebody else's
      const addresses: string[] = [];
      const words = view.addresses ?? new Uint32Array(0);
      for (let i = 0; i < words.length; i += 4)
        addresses.push(formatAddress(bytesOf(words as Uint32Array<ArrayBuffer>), i * 4));
      known.set(view.inode, {
        inode: view.inode,
        name: view.name,
        addresses,
        listeners: view.listeners.map(({ protocol, port, inode }) => ({
          protocol,
          port,
          comm: holders.get(inode)?.comm ?? "",
        })),
        devices: Object.fromEntries(view.devices),
      });
    }
    this.#namespaces = [...known.values()];
  }
}

async function textOf(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  try {
    return await readFile(path, "utf8");
  } catch {
    return ""; // there is none
  }
}
