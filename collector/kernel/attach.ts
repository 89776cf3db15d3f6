import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { addressOf, type Libbpf, type Pointer, type Syscalls } from "./libbpf.ts";
import { isNull } from "./load.ts";
import { systemCode } from "../../model/errors.ts";

/** Something attached: disposing detaches. A string instead says why it could not be. */
export type Attached = Disposable | string;

const BPF_LINK_CREATE = 28;
const BPF_TCX_EGRESS = 47;

/** Attaches a tp_btf program to its tracepoint. */
export function attachTracepoint(lib: Libbpf, calls: Syscalls, program: Pointer): Attached {
  return linked(lib, calls, lib.attach(program));
}

/** Attaches a cgroup_skb program to the cgroup at `path`, beside others. */
export function attachCgroup(lib: Libbpf, calls: Syscalls, program: Pointer, path: string): Attached {
  const fd = openSync(path, "r");
  try {
    return linked(lib, calls, lib.attachCgroup(program, fd));
  } finally {
    closeSync(fd);
  }
}

function linked(lib: Libbpf, calls: Syscalls, link: Pointer): Attached {
  if (isNull(link)) return `the kernel refused to attach it (errno ${calls.errno()})`;
  return { [Symbol.dispose]: () => void lib.linkDestroy(link) };
}

/** A tcx link: it dies with its device, which another device may follow under the same index. */
export interface DeviceLink extends Disposable {
  isAlive(): boolean;
}

/** Attaches a tc program to the egress of a device of the namespace that this thread is in. libbpf 1.1 has no tcx: by bpf(2). */
export function attachTcxEgress(lib: Libbpf, calls: Syscalls, program: Pointer, ifindex: number): DeviceLink | string {
  const attribute = Buffer.alloc(64);
  attribute.writeUInt32LE(lib.programFd(program), 0);
  attribute.writeUInt32LE(ifindex, 4);
  attribute.writeUInt32LE(BPF_TCX_EGRESS, 8);
  const fd = calls.bpf(BPF_LINK_CREATE, attribute, attribute.length);
  if (fd < 0) {
    return calls.errno() === 22
      ? "this kernel has no tcx (6.6 or newer)"
      : `the kernel refused to attach it (errno ${calls.errno()})`;
  }
  const info = Buffer.alloc(64); // struct bpf_link_info: u32 type, id, prog_id, padding, then for tcx u32 ifindex (0 = device gone)
  return {
    isAlive: () => lib.info(fd, info, Uint32Array.of(info.length)) === 0 && info.readUInt32LE(16) === ifindex,
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** An iterator program, ready to be read any number of times. */
export interface Iterator extends Disposable {
  /** Opens a reading. For iter/tcp: of the network namespace that this thread is in. Close it soon: it keeps the namespace alive. */
  open(): number;
}

/** Prepares an iterator; `mapFd` for those over a map. */
export function attachIterator(lib: Libbpf, calls: Syscalls, program: Pointer, mapFd?: number): Iterator | string {
  const info = Buffer.alloc(16);
  const options = Buffer.alloc(24); // struct bpf_iter_attach_opts { size_t sz; union bpf_iter_link_info *link_info; __u32 length; }
  if (mapFd !== undefined) {
    info.writeUInt32LE(mapFd, 0);
    options.writeBigUInt64LE(24n, 0);
    options.writeBigUInt64LE(addressOf(info), 8);
    options.writeUInt32LE(info.length, 16);
  }
  const link = lib.attachIterator(program, mapFd === undefined ? null : options);
  if (isNull(link)) return `the kernel refused to attach it (errno ${calls.errno()})`;
  return {
    open: () => lib.createIterator(lib.linkFd(link)),
    [Symbol.dispose]: () => void lib.linkDestroy(link),
  };
}

/** Reads an iterator to its end and closes it. `take` gets whole records of `recordBytes`, then the buffer is used again. */
export function readIterator(
  fd: number,
  recordBytes: number,
  take: (words: Uint32Array, records: number) => void,
): void {
  const words = new Uint32Array(16384);
  const bytes = new Uint8Array(words.buffer);
  let held = 0;
  try {
    for (;;) {
      const read = readSome(fd, bytes, held);
      if (read === 0) return;
      held += read;
      const records = Math.floor(held / recordBytes);
      if (records > 0) take(words, records);
      bytes.copyWithin(0, records * recordBytes, held);
      held -= records * recordBytes;
    }
  } finally {
    closeSync(fd);
  }
}

/** EAGAIN: the kernel looked at a million objects without one to show, and wants to be asked again (bpf_seq_read). */
function readSome(fd: number, bytes: Uint8Array, at: number): number {
  for (;;) {
    try {
      return readSync(fd, bytes, at, bytes.length - at, null);
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") throw error;
    }
  }
}

/** Where cgroup v2 is mounted, or undefined. Prefers the widest mount. */
export function cgroupRoot(mounts = readFileSync("/proc/self/mounts", "latin1")): string | undefined {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , kind]) => kind === "cgroup2")
    .map(([, path]) =>
      path!.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .toSorted((a, b) => a.length - b.length)[0];
}
