import type { Sink } from "../decode/columns.ts";
import type { ProcessView } from "../identity/process-view.ts";

/** A way in: the kernel of this machine, a recorded sample, later Hubble. All deliver the same batches to a Sink. */
export interface Source extends AsyncDisposable {
  /** `ebpf`, `replay`: for logs and screens. */
  readonly name: string;
  /** Begins to deliver; resolves once events flow. Throws WeirError when it cannot. `signal` ends it as disposal does. */
  start(signal: AbortSignal): Promise<void>;
  /** Lets the kernel leave out whole connections, counted as shed: `share` of all are kept, 0–1, beginning with the next that opens. */
  keep?(share: number): void;
  counters(): SourceCounters;
  /** Before `start`: the kernel's counters are to outlive this process under `path`; `kept` is called once they do. */
  keepCounters?(path: string, kept: () => void): void;
  hooks(): readonly HookReport[];
  /** Once started, where the source knows more of this machine's processes than /proc tells. */
  processes?(): ProcessView | undefined;
}

export type { Sink };

/** The source's own books: for each type, produced = decoded + lost + shed + waiting. All are running totals. */
export interface SourceCounters {
  /** One per (CPU, event type) that had any event. cpu NO_CPU = read out of maps and iterators. */
  readonly rows: readonly CounterRow[];
  /** Whether `waiting` was counted, and no event came between counting and reading the rest: produced = decoded + lost + shed + waiting then. */
  readonly settled: boolean;
  /** Greatest share of a ring in use when a drain began, 0–1, in the last ten to twenty seconds. */
  readonly ringUse: number;
  /** Mean cost of reading and decoding one event, ns; 0 before the first. */
  readonly decodeNs: number;
  /** Records that could not be read: impossible sizes, unknown types, samples that are too short. 0 unless something is broken. */
  readonly malformed: number;
  /** Packets that passed the drop filter in the kernel: = sum of `count` over all drop rows + lost drop events. */
  readonly dropsPassed: number;
  /** Calls of a program that the kernel skipped because the same program was running on that CPU: events never made. */
  readonly missed: number;
  /** Packets that passed while the kernel ran no tracing program (process 1 was current, see bpf/maps.bpf.h): a drop of theirs is unseen. */
  readonly unseenPackets: number;
  /** Packets of UDP and ping conversations that are left out. */
  readonly packetsShed: number;
  /** Packets of UDP and ping not counted, since the map of conversations was full. */
  readonly packetsNotCounted: number;
  /** TCP connections without side and latency, since the map of connections was full. */
  readonly connectionsNotTracked: number;
}

/** Of a source in which nothing has happened. */
export const NOTHING_COUNTED: SourceCounters = {
  rows: [],
  settled: true,
  ringUse: 0,
  decodeNs: 0,
  malformed: 0,
  dropsPassed: 0,
  missed: 0,
  unseenPackets: 0,
  packetsShed: 0,
  packetsNotCounted: 0,
  connectionsNotTracked: 0,
};

export interface CounterRow {
  readonly cpu: number;
  readonly type: number;
  /** Events that the kernel programs made. */
  readonly produced: number;
  /** Of them, found no room in the ring (-ENOSPC, counted in the kernel). */
  readonly lost: number;
  /** Of them, not sent by the kernel, since their connection is left out (`keep`). */
  readonly shed: number;
  /** Of them, handed to the sink. */
  readonly decoded: number;
  /** Of them, still in the ring; 0 where that was not counted. */
  readonly waiting: number;
}

/** One hook for `weir doctor`. */
export interface HookReport {
  readonly name: string;
  readonly state: "loaded" | "refused" | "not attached";
  /** Why not, with the verifier's last line. */
  readonly why?: string;
  /** What Weir does not see without it. */
  readonly dark?: string;
  /** Events seen since start; undefined where the hook has no counter of its own. */
  readonly events?: number;
}
