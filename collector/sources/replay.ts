/** Plays a recorded sample over and over, its times moved to now: the same batches, at the same pace. Rows are new ones each time round. */
import { parseAddress } from "../../model/address.ts";
import { systemCode, WeirError } from "../../model/errors.ts";
import { NotReadable, readRegular } from "../../store/read-regular.ts";
import { NO_CPU, typeOf, type Batch } from "../decode/columns.ts";
import { Cgroups, NO_CGROUP } from "../identity/cgroups.ts";
import { parseInventory } from "../identity/inventory.ts";
import { InventoryIndex } from "../identity/inventory-index.ts";
import type { ProcessFacts } from "../identity/processes.ts";
import type { Who } from "../identity/who.ts";
import type { KernelNames } from "../rows/row-maker.ts";
import { decodeSample, type SampleWorld } from "./sample.ts";
import {
  NOTHING_COUNTED,
  type CounterRow,
  type HookReport,
  type Sink,
  type Source,
  type SourceCounters,
} from "./source.ts";

/** A sample with what is needed to name what is in it. */
export interface Sample {
  readonly path: string;
  readonly world: SampleWorld;
  readonly batches: readonly Batch[];
  names(who: Who): KernelNames;
  /** Tells `who` the recorded machine's namespaces, cgroups, listeners and inventory. */
  prepare(who: Who): void;
}

/** A sample is held in memory as a whole. */
const MAX_BYTES = 500_000_000;

/** Reads a sample from `path`. Throws WeirError when it is not there or is none. */
export async function openSample(path: string): Promise<Sample> {
  let file: Uint8Array;
  try {
    file = await readRegular(path, MAX_BYTES);
  } catch (cause) {
    const why = cause instanceof NotReadable ? cause.message : (systemCode(cause) ?? "unknown error");
    throw new WeirError({
      code: "sample-missing",
      where: path,
      what: `the recorded sample cannot be read (${why})`,
      next: "choose another with weir collect --replay FILE",
      cause,
    });
  }
  const { world, batches } = decodeSample(file, path);
  return { path, world, batches, names: (who) => sampleNames(world, who), prepare: (who) => prepare(world, who) };
}

function sampleNames(world: SampleWorld, who: Who): KernelNames {
  return {
    dropReason: (reason) => world.reasons[reason] ?? `reason ${reason}`,
    functionAt: (low, high) => world.functions[`${high}:${low}`] ?? "",
    callersOf: (stack) => world.callers[stack] ?? [],
    device: (netns, ifindex) => who.deviceName(netns, ifindex),
  };
}

function prepare(world: SampleWorld, who: Who): void {
  who.becomeOther(
    world.hostNetns,
    Cgroups.recorded(new Map(Object.entries(world.cgroups).map(([id, path]) => [Number(id), path]))),
  );
  if (world.inventory !== "")
    who.setInventory(new InventoryIndex(parseInventory(world.inventory, "the sample's inventory")), -Infinity);
  const listeners = new Map<string, ProcessFacts>();
  const views = world.namespaces.map((namespace) => {
    const addresses = namespace.addresses.flatMap((text) => parseAddress(text) ?? []);
    for (const { protocol, port, comm } of namespace.listeners)
      if (comm !== "") listeners.set(`${namespace.inode} ${protocol} ${port}`, { pid: 0, comm, cgroup: NO_CGROUP });
    return {
      inode: namespace.inode,
      name: namespace.name,
      pid: 0,
      addresses: new Uint32Array(Uint8Array.from(addresses.flatMap((bytes) => [...bytes])).buffer),
      listeners: [],
      devices: new Map(Object.entries(namespace.devices).map(([index, name]) => [Number(index), name])),
    };
  });
  who.update(views, listeners, Date.now() * 1e6);
}

const TICK_MS = 50;
/** Silence between the end of the sample and its next beginning. */
const PAUSE_NS = 1_000_000_000n;

export class ReplaySource implements Source {
  readonly name = "replay";
  readonly #sample: Sample;
  readonly #sink: Sink;
  readonly #decoded = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  #round = 0;
  #roundStartNs = 0n;
  #seq = 0;

  constructor(sample: Sample, sink: Sink) {
    this.#sample = sample;
    this.#sink = sink;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#sample.batches.length === 0)
      throw new WeirError({
        code: "sample-empty",
        where: this.#sample.path,
        what: "the recorded sample has no events",
      });
    this.#roundStartNs = BigInt(Date.now()) * 1_000_000n;
    this.#timer = setInterval(() => this.#play(), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(this.#timer), { once: true });
    this.#play();
  }

  counters(): SourceCounters {
    const rows: CounterRow[] = [...this.#decoded].map(([type, decoded]) => ({
      cpu: NO_CPU,
      type,
      produced: decoded,
      lost: 0,
      shed: 0,
      decoded,
      waiting: 0,
    }));
    return { ...NOTHING_COUNTED, rows };
  }

  hooks(): readonly HookReport[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
  }

  #play(): void {
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const { batches, world } = this.#sample;
    const from = BigInt(world.fromNs);
    for (;;) {
      const batch = batches[this.#next];
      if (batch === undefined) {
        const length = BigInt(world.toNs) - from + PAUSE_NS;
        if (nowNs < this.#roundStartNs + length) return;
        this.#roundStartNs += length;
        this.#round++;
        this.#next = 0;
        continue;
      }
      const due = this.#roundStartNs + (lastNs(batch) - from);
      if (due > nowNs) return;
      this.#sink(this.#moved(batch, this.#roundStartNs - from));
      this.#next++;
    }
  }

  /** The batch with times moved by `shift`, sockets of this round and numbers of this run. */
  #moved(batch: Batch, shift: bigint): Batch {
    const copy: Batch = {
      ...batch,
      tsLow: batch.tsLow.slice(0, batch.length),
      tsHigh: batch.tsHigh.slice(0, batch.length),
      cpu: batch.cpu.slice(0, batch.length),
      seq: batch.seq.slice(0, batch.length),
      cookieHigh: batch.cookieHigh.slice(0, batch.length),
      ...(batch.kind === "conversations" && {
        firstLow: batch.firstLow.slice(0, batch.length),
        firstHigh: batch.firstHigh.slice(0, batch.length),
        lastLow: batch.lastLow.slice(0, batch.length),
        lastHigh: batch.lastHigh.slice(0, batch.length),
      }),
    };
    move(copy.tsLow, copy.tsHigh, copy.length, shift);
    if (copy.kind === "conversations") {
      move(copy.firstLow, copy.firstHigh, copy.length, shift);
      move(copy.lastLow, copy.lastHigh, copy.length, shift);
    }
    for (let r = 0; r < copy.length; r++) {
      copy.cpu[r] = NO_CPU;
      copy.seq[r] = this.#seq;
      this.#seq = (this.#seq + 1) >>> 0;
      if (copy.cookieLow[r] !== 0 || copy.cookieHigh[r] !== 0)
        copy.cookieHigh[r] = copy.cookieHigh[r]! + this.#round * 0x1_0000;
      const type = typeOf(copy, r);
      this.#decoded.set(type, (this.#decoded.get(type) ?? 0) + 1);
    }
    return copy;
  }
}

function lastNs(batch: Batch): bigint {
  const r = batch.length - 1;
  return (BigInt(batch.tsHigh[r]!) << 32n) | BigInt(batch.tsLow[r]!);
}

function move(low: Uint32Array, high: Uint32Array, rows: number, shift: bigint): void {
  for (let r = 0; r < rows; r++) {
    const ns = ((BigInt(high[r]!) << 32n) | BigInt(low[r]!)) + shift;
    low[r] = Number(ns & 0xffffffffn);
    high[r] = Number(ns >> 32n);
  }
}
