import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnLayout } from "./layout.ts";
import {
  constantNumber,
  constantText,
  constantUuid,
  RowEncoder,
  StringTable,
  type ColumnValues,
} from "./row-binary.ts";

/** The slow, obvious twin: one row after the other, each value by its type, as ClickHouse's documentation of RowBinary says. */
function encodeSlowly(
  layout: readonly ColumnLayout[],
  rows: readonly Readonly<Record<string, bigint | string | Uint8Array>>[],
): Buffer {
  const parts: Buffer[] = [];
  const number = (value: bigint, width: number) => {
    const bytes = Buffer.alloc(width);
    for (let i = 0; i < width; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
    parts.push(bytes);
  };
  for (const row of rows) {
    for (const { name, type } of layout) {
      const value = row[name]!;
      if (type === "String") {
        const text = Buffer.from(value as string);
        let rest = text.length;
        for (; rest >= 128; rest = Math.floor(rest / 128)) parts.push(Buffer.from([(rest % 128) + 128]));
        parts.push(Buffer.from([rest]), text);
      } else if (type === "IPv6" || type === "UUID") parts.push(Buffer.from(value as Uint8Array));
      else number(value as bigint, { UInt8: 1, UInt16: 2, UInt32: 4, UInt64: 8, "DateTime64(9, 'UTC')": 8 }[type]);
    }
  }
  return Buffer.concat(parts);
}

const LAYOUT = [
  { name: "a", type: "UInt8" },
  { name: "s", type: "String" },
  { name: "b", type: "UInt16" },
  { name: "c", type: "UInt32" },
  { name: "d", type: "UInt64" },
  { name: "t", type: "DateTime64(9, 'UTC')" },
  { name: "ip", type: "IPv6" },
  { name: "e", type: "UInt64" },
] as const satisfies readonly ColumnLayout[];

const row = fc.record({
  a: fc.bigInt({ min: 0n, max: 255n }),
  s: fc.string({ unit: "grapheme", maxLength: 300 }),
  b: fc.bigInt({ min: 0n, max: 65_535n }),
  c: fc.bigInt({ min: 0n, max: 4_294_967_295n }),
  d: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  t: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  ip: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  e: fc.bigInt({ min: 0n, max: (1n << 53n) - 1n }),
});

function columnsOf(
  rows: readonly (typeof row extends fc.Arbitrary<infer T> ? T : never)[],
): Record<(typeof LAYOUT)[number]["name"], ColumnValues> {
  const table = new StringTable();
  const pairs = (values: readonly bigint[]) =>
    Uint32Array.from(values.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]));
  return {
    a: Uint8Array.from(rows.map((one) => Number(one.a))),
    s: { table, numbers: Uint32Array.from(rows.map((one) => table.intern(one.s))) },
    b: Uint16Array.from(rows.map((one) => Number(one.b))),
    c: Uint32Array.from(rows.map((one) => Number(one.c))),
    d: pairs(rows.map((one) => one.d)),
    t: pairs(rows.map((one) => one.t)),
    ip: Uint8Array.from(rows.flatMap((one) => [...one.ip])),
    e: Float64Array.from(rows.map((one) => Number(one.e))),
  };
}

describe("rows from columns", () => {
  test("are byte for byte those of the slow twin, for any part of a batch", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), fc.nat(40), (rows, cut) => {
        const from = Math.min(cut, rows.length);
        const expected = encodeSlowly(LAYOUT, rows.slice(from));
        const out = new Uint8Array(expected.length + 3);
        const end = new RowEncoder(LAYOUT).encode(columnsOf(rows), from, rows.length, out, 3);
        expect(end).toBe(out.length);
        expect(Buffer.from(out.subarray(3)).equals(expected)).toBe(true);
      }),
    );
  });

  test("that do not fit are not begun, and the bytes that are needed are told", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
        const needed = encodeSlowly(LAYOUT, rows).length;
        const out = new Uint8Array(needed - 1).fill(7);
        expect(new RowEncoder(LAYOUT).encode(columnsOf(rows), 0, rows.length, out, 0)).toBe(-needed);
        expect(out.every((byte) => byte === 7)).toBe(true);
      }),
    );
  });

  test("need every column, long enough and of its kind", () => {
    const encoder = new RowEncoder([{ name: "a", type: "UInt32" }]);
    const out = new Uint8Array(100);
    expect(() => encoder.encode({} as Record<"a", ColumnValues>, 0, 1, out, 0)).toThrow("column a is missing");
    expect(() => encoder.encode({ a: new Uint32Array(1) }, 0, 2, out, 0)).toThrow(RangeError);
    expect(() => encoder.encode({ a: new Uint16Array(2) }, 0, 2, out, 0)).toThrow(RangeError);
  });

  test("take constants for whole columns", () => {
    const layout = [
      { name: "node", type: "String" },
      { name: "boot", type: "UUID" },
      { name: "n", type: "UInt16" },
    ] as const;
    const out = new Uint8Array(64);
    const end = new RowEncoder(layout).encode(
      {
        node: constantText("node-a"),
        boot: constantUuid("00112233-4455-6677-8899-aabbccddeeff"),
        n: constantNumber(513, "UInt16"),
      },
      0,
      1,
      out,
      0,
    );
    expect(Buffer.from(out.subarray(0, end)).toString("hex")).toBe(
      `06${Buffer.from("node-a").toString("hex")}7766554433221100ffeeddccbbaa99880102`,
    );
  });
});

test("a string table gives the same number for the same text and grows past its first size", () => {
  const table = new StringTable();
  const numbers = Array.from({ length: 3000 }, (_, i) => table.intern(`text ${i} ${"x".repeat(i % 200)}`));
  expect(new Set(numbers).size).toBe(3000);
  expect(table.intern("text 7 xxxxxxx")).toBe(numbers[7]);
  expect(table.intern("")).toBe(0);
});
