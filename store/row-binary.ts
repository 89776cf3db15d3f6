/**
 * Hot: columns of typed arrays → rows of ClickHouse's RowBinary. Budget: 500 ns a row of `flows` (52 columns, ~270 bytes) on an idle
 * machine of this kind; bench: bench/query-insert.ts. The slow twin that judges it is in row-binary.test.ts.
 *
 * Column by column, not row by row: first the length of every row, then each column writes into all rows through their cursors.
 * Each loop has one type and no branch. Little endian machines only (x64, arm64): multi-byte numbers are written byte by byte anyway.
 *
 *   number   fixed width, little endian              String   length as LEB128, then the bytes
 *   UInt64   low u32, high u32                       IPv6     16 bytes, network order
 *   UUID     two u64, each little endian             DateTime64(9)  i64 nanoseconds
 */
import type { ColumnLayout, ColumnType } from "./layout.ts";

/** Strings that repeat, each encoded once: a column holds numbers of entries. 0 is the empty string. */
export class StringTable {
  readonly #numbers = new Map<string, number>();
  /** Length prefix and bytes of each entry, one behind the other. */
  bytes: Uint8Array = new Uint8Array(4096);
  /** Where entry i begins; i + 1 is where it ends. */
  starts: Uint32Array = new Uint32Array(256);
  #count = 0;

  constructor() {
    this.intern("");
  }

  get size(): number {
    return this.#count;
  }

  /** The number of a text. Ill-formed UTF-16 is written with replacement characters. */
  intern(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const encoded = Buffer.from(text, "utf8");
    const number = this.#count;
    const at = this.starts[number]!;
    if (number + 2 > this.starts.length) this.starts = grown(this.starts, new Uint32Array(this.starts.length * 2));
    while (at + encoded.length + 5 > this.bytes.length)
      this.bytes = grown(this.bytes, new Uint8Array(this.bytes.length * 2));
    let end = at;
    for (let rest = encoded.length; ; rest >>>= 7) {
      this.bytes[end++] = rest < 128 ? rest : (rest & 127) | 128;
      if (rest < 128) break;
    }
    this.bytes.set(encoded, end);
    this.starts[number + 1] = end + encoded.length;
    this.#numbers.set(text, number);
    this.#count = number + 1;
    return number;
  }
}

/** Values of a column. Which one fits is decided by its type; a `constant` holds for all rows. */
export type ColumnValues =
  | Uint8Array // UInt8: row → 1; IPv6 and UUID: row → 16
  | Uint16Array // UInt16
  | Uint32Array // UInt32: row → 1; UInt64 and DateTime64: row → 2, low then high
  | Float64Array // UInt64: row → 1, whole and below 2^53
  | { readonly table: StringTable; readonly numbers: Uint32Array | Uint16Array } // String
  | { readonly constant: Uint8Array }; // bytes as they go on the wire, any type: see `constant`

const WIDTH: Readonly<Record<Exclude<ColumnType, "String">, number>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  "DateTime64(9, 'UTC')": 8,
  IPv6: 16,
  UUID: 16,
};

/** A text that holds for all rows of a batch, on the wire. */
export function constantText(text: string): { readonly constant: Uint8Array } {
  const table = new StringTable();
  const number = table.intern(text);
  return { constant: table.bytes.slice(table.starts[number]!, table.starts[number + 1]!) };
}

/** A UUID in text, on the wire: halves as little-endian u64. Throws RangeError when it is none. */
export function constantUuid(text: string): { readonly constant: Uint8Array } {
  const hex = text.replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new RangeError(`not a UUID: ${text}`);
  const bytes = Buffer.from(hex, "hex");
  return { constant: Uint8Array.from([...bytes.subarray(0, 8).reverse(), ...bytes.subarray(8).reverse()]) };
}

/** A number that holds for all rows, on the wire. */
export function constantNumber(value: number, type: "UInt8" | "UInt16" | "UInt32"): { readonly constant: Uint8Array } {
  const constant = new Uint8Array(WIDTH[type]);
  for (let i = 0; i < constant.length; i++) constant[i] = Math.floor(value / 2 ** (8 * i)) & 255;
  return { constant };
}

/** Encodes batches of one layout. Keeps its scratch arrays, so that a batch allocates nothing. */
export class RowEncoder<Name extends string> {
  readonly #layout: readonly (ColumnLayout & { readonly name: Name })[];
  #cursors = new Uint32Array(0);

  constructor(layout: readonly (ColumnLayout & { readonly name: Name })[]) {
    this.#layout = layout;
  }

  /**
   * Writes rows [from, to) behind `at` and returns where they end, or the negative number of bytes that are needed when `out` is too
   * short (nothing is written then). Throws RangeError when a column is missing, too short or of the wrong kind.
   */
  encode(values: Readonly<Record<Name, ColumnValues>>, from: number, to: number, out: Uint8Array, at: number): number {
    const rows = to - from;
    if (this.#cursors.length < rows) this.#cursors = new Uint32Array(rows);
    const cursors = this.#cursors.subarray(0, rows);
    const end = this.#place(values, from, cursors, at);
    if (end > out.length) return -(end - at);
    for (const { name, type } of this.#layout) {
      const column = values[name];
      if ("constant" in column) writeConstant(column.constant, cursors, out);
      else if ("table" in column) writeStrings(column.table, column.numbers, from, cursors, out);
      else if (type === "UInt8") write8(column as Uint8Array, from, cursors, out);
      else if (type === "UInt16") write16(column as Uint16Array, from, cursors, out);
      else if (type === "UInt32") write32(column as Uint32Array, from, cursors, out);
      else if (type === "IPv6" || type === "UUID") write128(column as Uint8Array, from, cursors, out);
      else if (column instanceof Float64Array) writeDouble(column, from, cursors, out);
      else write64(column as Uint32Array, from, cursors, out);
    }
    return end;
  }

  /** Checks the columns once and fills `cursors` with the start of each row. */
  #place(values: Readonly<Record<Name, ColumnValues>>, from: number, cursors: Uint32Array, at: number): number {
    let fixed = 0;
    cursors.fill(0);
    for (const { name, type } of this.#layout) {
      const column = values[name];
      if (!fits(column, type, from + cursors.length))
        throw new RangeError(`column ${name} is missing, too short or not ${type}`);
      if ("constant" in column) fixed += column.constant.length;
      else if ("table" in column) addLengths(column.table, column.numbers, from, cursors);
      else fixed += WIDTH[type as keyof typeof WIDTH];
    }
    let end = at;
    for (let i = 0; i < cursors.length; i++) {
      const length = cursors[i]! + fixed;
      cursors[i] = end;
      end += length;
    }
    return end;
  }
}

function fits(column: ColumnValues | undefined, type: ColumnType, rows: number): boolean {
  if (column === undefined) return false;
  if ("constant" in column)
    return type === "String" ? column.constant.length > 0 : column.constant.length === WIDTH[type];
  if ("table" in column) return type === "String" && column.numbers.length >= rows;
  switch (type) {
    case "UInt8":
      return column instanceof Uint8Array && column.length >= rows;
    case "UInt16":
      return column instanceof Uint16Array && column.length >= rows;
    case "UInt32":
      return column instanceof Uint32Array && column.length >= rows;
    case "UInt64":
      return (
        (column instanceof Uint32Array && column.length >= rows * 2) ||
        (column instanceof Float64Array && column.length >= rows)
      );
    case "DateTime64(9, 'UTC')":
      return column instanceof Uint32Array && column.length >= rows * 2;
    case "IPv6":
    case "UUID":
      return column instanceof Uint8Array && column.length >= rows * 16;
    case "String":
      return false;
  }
}

function addLengths(table: StringTable, numbers: Uint32Array | Uint16Array, from: number, lengths: Uint32Array): void {
  const { starts } = table;
  for (let i = 0; i < lengths.length; i++) {
    const number = numbers[from + i]!;
    if (number >= table.size) throw new RangeError(`string ${number} is not in its table of ${table.size}`);
    lengths[i]! += starts[number + 1]! - starts[number]!;
  }
}

function writeConstant(constant: Uint8Array, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    let at = cursors[i]!;
    for (let k = 0; k < constant.length; k++) out[at++] = constant[k]!;
    cursors[i] = at;
  }
}

function writeStrings(
  table: StringTable,
  numbers: Uint32Array | Uint16Array,
  from: number,
  cursors: Uint32Array,
  out: Uint8Array,
): void {
  const { bytes, starts } = table;
  for (let i = 0; i < cursors.length; i++) {
    let at = cursors[i]!;
    const number = numbers[from + i]!;
    const end = starts[number + 1]!;
    for (let k = starts[number]!; k < end; k++) out[at++] = bytes[k]!;
    cursors[i] = at;
  }
}

function write8(column: Uint8Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    const at = cursors[i]!;
    out[at] = column[from + i]!;
    cursors[i] = at + 1;
  }
}

function write16(column: Uint16Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    const at = cursors[i]!;
    const value = column[from + i]!;
    out[at] = value;
    out[at + 1] = value >>> 8;
    cursors[i] = at + 2;
  }
}

function write32(column: Uint32Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    const at = cursors[i]!;
    put32(column[from + i]!, out, at);
    cursors[i] = at + 4;
  }
}

function write64(column: Uint32Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    const at = cursors[i]!;
    put32(column[(from + i) * 2]!, out, at);
    put32(column[(from + i) * 2 + 1]!, out, at + 4);
    cursors[i] = at + 8;
  }
}

function writeDouble(column: Float64Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    const at = cursors[i]!;
    const value = column[from + i]!;
    put32(value >>> 0, out, at); // >>> takes the value modulo 2^32: the low half
    put32((value / 4294967296) >>> 0, out, at + 4);
    cursors[i] = at + 8;
  }
}

function write128(column: Uint8Array, from: number, cursors: Uint32Array, out: Uint8Array): void {
  for (let i = 0; i < cursors.length; i++) {
    let at = cursors[i]!;
    const start = (from + i) * 16;
    for (let k = start; k < start + 16; k++) out[at++] = column[k]!;
    cursors[i] = at;
  }
}

function put32(value: number, out: Uint8Array, at: number): void {
  out[at] = value;
  out[at + 1] = value >>> 8;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
}

function grown<T extends Uint8Array | Uint32Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}
