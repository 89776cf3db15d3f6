import { KernelError, memoryAt, type Libbpf, type Pointer } from "./libbpf.ts";
import type { Btf } from "./btf.ts";

/** Values for the object's `const volatile` variables, by name: set before load. */
export type Settings = Readonly<Record<string, number | bigint>>;

export interface LoadOptions {
  /** Programs to load; all others are left out. */
  readonly programs: readonly string[];
  readonly settings: Settings;
  /** Sizes of maps that differ from the object's. */
  readonly maxEntries?: Readonly<Record<string, number>>;
}

/** Programs that the kernel took, with the maps that they share, and those that it refused. */
export interface LoadedObject extends Disposable {
  /** Program name → libbpf's program, ready to be attached. */
  readonly programs: ReadonlyMap<string, Pointer>;
  /** Program name → the verifier's (or libbpf's) last line. */
  readonly refused: ReadonlyMap<string, string>;
  mapFd(name: string): number;
  /** Sets a variable in `.bss` while the programs run. They only read it; each write is whole. */
  setVariable(name: string, value: bigint): void;
}

/**
 * Loads what the kernel takes of the object at `path`. The first try is with all programs; each refusal leaves one out and tries again,
 * so one refused program costs one more try (0.1 s), not the rest. Where programs may not ask for the current task
 * (before 6.10 in cgroup programs), `with_tasks` is turned off before such a program is given up.
 * Throws KernelError `object-missing`, `bpf-load` when nothing can be loaded.
 */
export function loadObject(lib: Libbpf, path: string, btf: Btf, options: LoadOptions): LoadedObject {
  const refused = new Map<string, string>();
  let settings = options.settings;
  for (;;) {
    const attempt = tryLoad(lib, path, btf, {
      ...options,
      settings,
      programs: options.programs.filter((name) => !refused.has(name)),
    });
    if ("programs" in attempt) return { ...attempt, refused };
    if (attempt.program === undefined || refused.has(attempt.program)) {
      throw new KernelError({
        code: "bpf-load",
        what: `the kernel refused Weir's programs: ${attempt.why}`,
        where: path,
        next: "run `weir doctor`; on a hardened or old kernel replay a recorded sample instead",
      });
    }
    if (
      settings["with_tasks"] !== 0 &&
      /unknown func|program of this type cannot use helper|get_current/.test(attempt.why)
    ) {
      settings = { ...settings, with_tasks: 0 };
      continue;
    }
    refused.set(attempt.program, attempt.why);
  }
}

type Attempt = Omit<LoadedObject, "refused"> | { readonly program: string | undefined; readonly why: string };

function tryLoad(lib: Libbpf, path: string, btf: Btf, options: LoadOptions): Attempt {
  const lines: string[] = [];
  const object = lib.listening(
    (line) => lines.push(line),
    () => lib.openFile(path, null),
  );
  if (isNull(object)) {
    throw new KernelError({
      code: "object-missing",
      what: "the programs for the kernel cannot be read",
      where: path,
      expected: `an object made by scripts/build-bpf.sh${lines.length > 0 ? ` (${lastLine(lines.join("\n"))})` : ""}`,
      next: "run scripts/build-bpf.sh, or check out bpf/prebuilt/weir.bpf.o again",
    });
  }
  for (let program = lib.nextProgram(object, null); !isNull(program); program = lib.nextProgram(object, program)) {
    lib.setAutoload(program, options.programs.includes(lib.programName(program)));
  }
  for (const [name, entries] of Object.entries(options.maxEntries ?? {}))
    lib.setMaxEntries(lib.findMap(object, name), entries);
  applySettings(lib, object, btf, options.settings);
  const result = lib.listening(
    (line) => lines.push(line),
    () => lib.load(object),
  );
  if (result !== 0) {
    lib.close(object);
    return refusal(lines, result);
  }
  return {
    programs: new Map(options.programs.map((name) => [name, lib.findProgram(object, name)] as const)),
    mapFd: (name) => lib.mapFd(lib.findMap(object, name)),
    setVariable: variableWriter(lib, object, btf),
    [Symbol.dispose]: () => lib.close(object),
  };
}

/** The section is one value of an array map (libbpf shares its memory only with skeletons): user space keeps a copy, and writes all of it. */
function variableWriter(lib: Libbpf, object: Pointer, btf: Btf): (name: string, value: bigint) => void {
  const map = lib.findMap(object, ".bss");
  const size: [number] = [0];
  lib.initialValue(map, size);
  const memory = Buffer.alloc(Number(size[0]));
  const variables = new Map(btf.variables(".bss").map((variable) => [variable.name, variable]));
  return (name, value) => {
    const variable = variables.get(name);
    if (variable === undefined) throw new Error(`the object has no variable ${name}`);
    if (btf.sizeOf(variable.type) === 8) memory.writeBigUInt64LE(value, variable.offset);
    else memory.writeUInt32LE(Number(BigInt.asUintN(32, value)), variable.offset);
    const result = lib.update(lib.mapFd(map), Buffer.alloc(4), memory, 0);
    if (result !== 0) throw new Error(`variable ${name} cannot be set (${result})`);
  };
}

function applySettings(lib: Libbpf, object: Pointer, btf: Btf, settings: Settings): void {
  const size: [number] = [0];
  const start = lib.initialValue(lib.findMap(object, ".rodata"), size);
  const memory = new DataView(memoryAt(start, Number(size[0])));
  for (const variable of btf.variables(".rodata")) {
    const value = settings[variable.name];
    if (value === undefined) continue;
    if (btf.sizeOf(variable.type) === 8) memory.setBigUint64(variable.offset, BigInt(value), true);
    else memory.setUint8(variable.offset, Number(value));
  }
}

/** libbpf names the program in its warnings, and prints the verifier's log between two marks. */
function refusal(lines: readonly string[], result: number): { program: string | undefined; why: string } {
  const all = lines.join("\n");
  const program =
    /prog '([^']+)': (?:BPF program load failed|failed to (?:load|find|prepare)|-- BEGIN)/.exec(all)?.[1] ??
    /prog '([^']+)'/.exec(all)?.[1];
  const log = /-- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/.exec(all)?.[1];
  return { program, why: lastLine(log ?? all) || `error ${-result}` };
}

/** The last line that says something: the verifier ends with a count of instructions. */
function lastLine(log: string): string {
  const lines = log.split("\n").map((line) => line.trim());
  return (
    lines.findLast(
      (line) =>
        line !== "" &&
        !/^(processed \d+ insns|verification time|stack depth|libbpf: (failed to load object|prog '[^']+': failed to load))/.test(
          line,
        ),
    ) ?? ""
  );
}

export const isNull = (pointer: Pointer): boolean => pointer === null || pointer === 0n;
