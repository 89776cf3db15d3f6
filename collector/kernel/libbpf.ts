import koffi from "koffi";
import { WeirError } from "../../model/errors.ts";

/** A C pointer as koffi hands it out; 0n and null are NULL. */
export type Pointer = bigint | null;

/** What a BPF call answers: ≥ 0, or -errno. */
export type Errno = number;

export class KernelError extends WeirError {}

/** The functions of libbpf that Weir calls. One per process is enough: see `openLibbpf`. */
export interface Libbpf {
  openFile(path: string, options: null): Pointer;
  load(object: Pointer): Errno;
  close(object: Pointer): void;
  nextProgram(object: Pointer, previous: Pointer): Pointer;
  programName(program: Pointer): string;
  findProgram(object: Pointer, name: string): Pointer;
  programFd(program: Pointer): number;
  setAutoload(program: Pointer, on: boolean): Errno;
  attach(program: Pointer): Pointer;
  attachCgroup(program: Pointer, cgroupFd: number): Pointer;
  attachIterator(program: Pointer, options: Uint8Array | null): Pointer;
  linkFd(link: Pointer): number;
  linkDestroy(link: Pointer): Errno;
  createIterator(linkFd: number): number;
  findMap(object: Pointer, name: string): Pointer;
  mapFd(map: Pointer): number;
  setMaxEntries(map: Pointer, entries: number): Errno;
  initialValue(map: Pointer, size: [number]): Pointer;
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: number): Errno;
  lookup(fd: number, key: Uint8Array, value: Uint8Array): Errno;
  lookupAndDelete(fd: number, key: Uint8Array, value: Uint8Array): Errno;
  lookupAndDeleteBatch(
    fd: number,
    inBatch: Uint8Array | null,
    outBatch: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: null,
  ): Errno;
  deleteKey(fd: number, key: Uint8Array): Errno;
  /** Gives a map a name in bpffs, which keeps it when its last process ends. */
  pin(fd: number, path: string): Errno;
  /** A file descriptor of what is pinned at `path`, or -errno. */
  pinned(path: string): number;
  info(fd: number, info: Uint8Array, length: Uint32Array): Errno;
  testRun(fd: number, options: Uint8Array): Errno;
  ringsNew(mapFd: number, pages: number, attribute: Uint8Array, callback: null, context: null, options: null): Pointer;
  ringsFree(rings: Pointer): void;
  ringsEpollFd(rings: Pointer): number;
  ringsCount(rings: Pointer): number;
  ringFd(rings: Pointer, index: number): number;
  ringMemory(rings: Pointer, index: number, start: [Pointer], size: [number]): Errno;
  /** Hands libbpf's warnings, as text, to `listener` while `run` runs. */
  listening<T>(listener: (line: string) => void, run: () => T): T;
}

/** Loads libbpf.so.1. Throws KernelError `libbpf-missing` where it is not installed. */
export function openLibbpf(): Libbpf {
  let lib: ReturnType<typeof koffi.load>;
  try {
    lib = koffi.load("libbpf.so.1");
  } catch (cause) {
    throw new KernelError({
      code: "libbpf-missing",
      what: "the system library libbpf (libbpf.so.1), which loads programs into the kernel, is not installed",
      next: "install it: apt-get install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora)",
      cause,
    });
  }
  const printCallback = koffi.proto("int", ["int", "void *", "void *"]);
  const setPrint = lib.func("libbpf_set_print", "void *", [koffi.pointer(printCallback)]);
  setPrint(null);
  const vsnprintf = koffi
    .load(null)
    .func("int vsnprintf(_Out_ uint8_t *to, size_t size, void *format, void *arguments)");

  return {
    openFile: lib.func("void *bpf_object__open_file(const char *path, void *options)"),
    load: lib.func("int bpf_object__load(void *object)"),
    close: lib.func("void bpf_object__close(void *object)"),
    nextProgram: lib.func("void *bpf_object__next_program(void *object, void *previous)"),
    programName: lib.func("const char *bpf_program__name(void *program)"),
    findProgram: lib.func("void *bpf_object__find_program_by_name(void *object, const char *name)"),
    programFd: lib.func("int bpf_program__fd(void *program)"),
    setAutoload: lib.func("int bpf_program__set_autoload(void *program, bool on)"),
    attach: lib.func("void *bpf_program__attach(void *program)"),
    attachCgroup: lib.func("void *bpf_program__attach_cgroup(void *program, int cgroup)"),
    attachIterator: lib.func("void *bpf_program__attach_iter(void *program, void *options)"),
    linkFd: lib.func("int bpf_link__fd(void *link)"),
    linkDestroy: lib.func("int bpf_link__destroy(void *link)"),
    createIterator: lib.func("int bpf_iter_create(int link)"),
    findMap: lib.func("void *bpf_object__find_map_by_name(void *object, const char *name)"),
    mapFd: lib.func("int bpf_map__fd(void *map)"),
    setMaxEntries: lib.func("int bpf_map__set_max_entries(void *map, uint32_t entries)"),
    initialValue: lib.func("void *bpf_map__initial_value(void *map, _Out_ size_t *size)"),
    update: lib.func("int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)"),
    lookup: lib.func("int bpf_map_lookup_elem(int fd, const void *key, void *value)"),
    lookupAndDelete: lib.func("int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)"),
    lookupAndDeleteBatch: lib.func(
      "int bpf_map_lookup_and_delete_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *options)",
    ),
    deleteKey: lib.func("int bpf_map_delete_elem(int fd, const void *key)"),
    pin: lib.func("int bpf_obj_pin(int fd, const char *path)"),
    pinned: lib.func("int bpf_obj_get(const char *path)"),
    info: lib.func("int bpf_obj_get_info_by_fd(int fd, void *info, void *length)"),
    testRun: lib.func("int bpf_prog_test_run_opts(int fd, void *options)"),
    ringsNew: lib.func(
      "void *perf_buffer__new_raw(int fd, size_t pages, void *attribute, void *callback, void *context, void *options)",
    ),
    ringsFree: lib.func("void perf_buffer__free(void *rings)"),
    ringsEpollFd: lib.func("int perf_buffer__epoll_fd(void *rings)"),
    ringsCount: lib.func("size_t perf_buffer__buffer_cnt(void *rings)"),
    ringFd: lib.func("int perf_buffer__buffer_fd(void *rings, size_t index)"),
    ringMemory: lib.func("int perf_buffer__buffer(void *rings, int index, _Out_ void **start, _Out_ size_t *size)"),
    listening(listener, run) {
      // A verifier log can have megabytes, and its last lines say why: room for all of it (libbpf stops at 16 MiB).
      let room: Buffer | undefined;
      const callback = koffi.register((level: number, format: bigint, values: bigint) => {
        if (level > 0) return 0; // 0 = LIBBPF_WARN
        room ??= Buffer.alloc(17 << 20);
        const length: number = vsnprintf(room, room.length, format, values);
        listener(room.toString("latin1", 0, Math.min(Math.max(length, 0), room.length - 1)).trimEnd());
        return 0;
      }, koffi.pointer(printCallback));
      setPrint(callback);
      try {
        return run();
      } finally {
        setPrint(null);
        koffi.unregister(callback);
      }
    },
  };
}

/** Calls of the C library and the kernel that Node has no function for. All run on the calling thread. */
export interface Syscalls {
  setns(fd: number, kind: number): Errno;
  ioctl(fd: number, request: number, argument: Uint8Array): Errno;
  socket(family: number, type: number, protocol: number): number;
  /** Index of a device in the calling thread's network namespace, 0 = none. */
  interfaceIndex(name: string): number;
  bpf(command: number, attribute: Uint8Array, size: number): number;
  clockGettime(clock: number, to: Uint8Array): Errno;
  errno(): number;
}

const SYS_BPF = process.arch === "arm64" ? 280 : 321; // asm-generic/unistd.h; x86: syscall_64.tbl

/** The C library of this process. */
export function openSyscalls(): Syscalls {
  const libc = koffi.load(null);
  const syscall = libc.func("long syscall(long number, long a, void *b, long c)");
  return {
    setns: libc.func("int setns(int fd, int kind)"),
    ioctl: libc.func("int ioctl(int fd, unsigned long request, void *argument)"),
    socket: libc.func("int socket(int family, int type, int protocol)"),
    interfaceIndex: libc.func("unsigned int if_nametoindex(const char *name)"),
    bpf: (command, attribute, size) => Number(syscall(SYS_BPF, command, attribute, size)),
    clockGettime: libc.func("int clock_gettime(int clock, void *to)"),
    errno: () => koffi.errno(),
  };
}

/** The address of `bytes`, for a pointer inside of a struct. Keep `bytes` alive until the call has returned. */
export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes);

/** `size` bytes at `start` without a copy. They must outlive the view. */
export const memoryAt = (start: Pointer, size: number): ArrayBuffer => koffi.view(start, size);

/** Calls `ready` on the event loop whenever `fd` is readable; holds no thread of the pool. */
export function onReadable(fd: number, ready: () => void): Disposable {
  const handle = koffi.node.poll(fd, { readable: true }, ready);
  return {
    [Symbol.dispose]() {
      handle.stop();
      handle.close();
    },
  };
}
