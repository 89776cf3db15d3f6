import { readFileSync } from "node:fs";
import { systemCode } from "../../model/errors.ts";
import { KernelError } from "./libbpf.ts";

/** A member of a struct: its place in bytes (bit-fields: the byte that holds its first bit) and what it is. */
export interface BtfMember {
  readonly name: string;
  readonly offset: number;
  readonly type: number;
}

/** BPF type format (Documentation/bpf/btf.rst) of the kernel or of an object: names, structs, enums, variables. */
export interface Btf {
  /** Values of an enum by name; undefined when there is none. 64-bit enums keep their low 32 bits. */
  enumValues(name: string): ReadonlyMap<string, number> | undefined;
  /** Members of a struct with anonymous ones unfolded, or undefined when there is none. */
  members(struct: string): readonly BtfMember[] | undefined;
  /** Bytes of a type. */
  sizeOf(type: number): number;
  /** Bytes of a struct, padding and all; 0 when there is none. */
  structBytes(struct: string): number;
  /** Variables of an ELF section (`.bss`, `.rodata`): name and offset. */
  variables(section: string): readonly BtfMember[];
}

const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  funcProto: 13,
  var: 14,
  datasec: 15,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

/** Reads BTF. Throws RangeError on bytes that are none. */
export function parseBtf(bytes: Uint8Array): Btf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== 0xeb9f) throw new RangeError("not BTF: wrong magic");
  const header = view.getUint32(4, true);
  const typesAt = header + view.getUint32(8, true);
  const typesEnd = typesAt + view.getUint32(12, true);
  const stringsAt = header + view.getUint32(16, true);
  const offsets: number[] = [0]; // type id → offset of its record
  for (let at = typesAt; at < typesEnd; at = nextRecord(view, at)) offsets.push(at);

  const text = (offset: number): string => {
    let end = stringsAt + offset;
    while (bytes[end] !== 0) end++;
    return String.fromCharCode(...bytes.subarray(stringsAt + offset, end));
  };
  const kindAt = (at: number) => (view.getUint32(at + 4, true) >>> 24) & 31;
  const countAt = (at: number) => view.getUint32(at + 4, true) & 0xffff;
  const find = (name: string, ...kinds: number[]): number | undefined => {
    for (let id = 1; id < offsets.length; id++) {
      const at = offsets[id]!;
      if (kinds.includes(kindAt(at)) && text(view.getUint32(at, true)) === name) return at;
    }
    return undefined;
  };
  const unfold = (at: number, base: number, out: BtfMember[]): void => {
    const bitfields = view.getUint32(at + 4, true) >>> 31 === 1;
    for (let i = 0; i < countAt(at); i++) {
      const member = at + 12 + i * 12;
      const name = text(view.getUint32(member, true));
      const type = view.getUint32(member + 4, true);
      const place = view.getUint32(member + 8, true);
      const offset = base + ((bitfields ? place & 0xffffff : place) >>> 3);
      if (name !== "") out.push({ name, offset, type });
      else if (type !== 0 && [KIND.struct as number, KIND.union].includes(kindAt(offsets[type]!)))
        unfold(offsets[type]!, offset, out);
    }
  };
  const sizeOf = (type: number): number => {
    const at = offsets[type];
    if (at === undefined || type === 0) return 0;
    const size = view.getUint32(at + 8, true);
    switch (kindAt(at)) {
      case KIND.pointer:
        return 8;
      case KIND.array:
        return view.getUint32(at + 20, true) * sizeOf(view.getUint32(at + 12, true));
      case KIND.typedef:
      case KIND.volatile:
      case KIND.const:
      case KIND.restrict:
      case KIND.typeTag:
      case KIND.var:
        return sizeOf(size); // there the field is a type id
      default:
        return size;
    }
  };
  return {
    enumValues(name) {
      const at = find(name, KIND.enum, KIND.enum64);
      if (at === undefined) return undefined;
      const step = kindAt(at) === KIND.enum ? 8 : 12;
      const values = new Map<string, number>();
      for (let i = 0; i < countAt(at); i++) {
        const value = at + 12 + i * step;
        values.set(text(view.getUint32(value, true)), view.getUint32(value + 4, true));
      }
      return values;
    },
    members(struct) {
      const at = find(struct, KIND.struct, KIND.union);
      if (at === undefined) return undefined;
      const out: BtfMember[] = [];
      unfold(at, 0, out);
      return out;
    },
    sizeOf,
    structBytes(struct) {
      const at = find(struct, KIND.struct, KIND.union);
      return at === undefined ? 0 : view.getUint32(at + 8, true);
    },
    variables(section) {
      const at = find(section, KIND.datasec);
      if (at === undefined) return [];
      return Array.from({ length: countAt(at) }, (_, i) => {
        const entry = at + 12 + i * 12;
        const type = view.getUint32(entry, true);
        return { name: text(view.getUint32(offsets[type]!, true)), offset: view.getUint32(entry + 4, true), type };
      });
    },
  };
}

function nextRecord(view: DataView, at: number): number {
  const info = view.getUint32(at + 4, true);
  const count = info & 0xffff;
  switch ((info >>> 24) & 31) {
    case KIND.int:
    case KIND.var:
    case KIND.declTag:
      return at + 16;
    case KIND.array:
      return at + 24;
    case KIND.struct:
    case KIND.union:
    case KIND.datasec:
    case KIND.enum64:
      return at + 12 + count * 12;
    case KIND.enum:
    case KIND.funcProto:
      return at + 12 + count * 8;
    default:
      return at + 12;
  }
}

/** The running kernel's BTF. Throws KernelError `no-btf` where it has none. */
export function kernelBtf(path = "/sys/kernel/btf/vmlinux"): Btf {
  try {
    return parseBtf(readFileSync(path));
  } catch (cause) {
    throw new KernelError({
      code: "no-btf",
      what:
        systemCode(cause) === "ENOENT"
          ? "this kernel has no type information (BTF), without which its programs cannot be adapted to it"
          : `${path} cannot be read`,
      where: path,
      expected: "a kernel of 5.10 or newer, built with CONFIG_DEBUG_INFO_BTF=y, as all large distributions do",
      next: "use a distribution's kernel",
      cause,
    });
  }
}

/** The bytes of an ELF section (64 bit, little endian), or undefined when there is none. */
export function elfSection(elf: Uint8Array, name: string): Uint8Array | undefined {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < 64 || view.getUint32(0, false) !== 0x7f454c46) throw new RangeError("not an ELF file");
  const headers = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (index: number) => headers + index * 64;
  const offset = (index: number) => Number(view.getBigUint64(header(index) + 24, true));
  const names = offset(view.getUint16(62, true));
  for (let i = 0; i < count; i++) {
    const at = names + view.getUint32(header(i), true);
    const text = Buffer.from(elf.buffer, elf.byteOffset + at, name.length + 1).toString("latin1");
    if (text === `${name}\0`)
      return elf.subarray(offset(i), offset(i) + Number(view.getBigUint64(header(i) + 32, true)));
  }
  return undefined;
}

/** The BTF of a BPF object file. Throws KernelError `object-missing` when there is none. */
export function objectBtf(path: string): Btf {
  try {
    const section = elfSection(readFileSync(path), ".BTF");
    if (section === undefined) throw new RangeError("no section .BTF");
    return parseBtf(section);
  } catch (cause) {
    throw new KernelError({
      code: "object-missing",
      what:
        systemCode(cause) === "ENOENT"
          ? "the programs for the kernel are not there"
          : "the programs for the kernel cannot be read",
      where: path,
      expected: "an object made by scripts/build-bpf.sh",
      next: "run scripts/build-bpf.sh, or check out bpf/prebuilt/weir.bpf.o again",
      cause,
    });
  }
}

/** Drop reasons of the running kernel by number, without their prefix: `NETFILTER_DROP`. Empty before 5.17. */
export function dropReasons(btf: Btf): ReadonlyMap<number, string> {
  const reasons = new Map<number, string>();
  for (const [name, value] of btf.enumValues("skb_drop_reason") ?? []) {
    if (name !== "SKB_DROP_REASON_MAX" && name !== "SKB_DROP_REASON_SUBSYS_MASK")
      reasons.set(value, name.replace(/^SKB_DROP_REASON_/, ""));
  }
  return reasons;
}
