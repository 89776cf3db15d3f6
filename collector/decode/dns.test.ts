import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress } from "../../model/address.ts";
import { bytesOf, dnsColumns, EventType, NO_CPU } from "./columns.ts";
import { Decoder } from "./decoder.ts";
import { DNS } from "./layout.gen.ts";

/** The event with `message` copied behind it, as the kernel sends it; `length`: what the UDP header said. */
function sample(message: Uint8Array, length = message.length) {
  const words = new Uint32Array(Math.ceil((DNS.bytes + 28 + message.length) / 4) + 1);
  const bytes = new Uint8Array(words.buffer);
  bytes[68] = EventType.dns;
  bytes[69] = 4;
  words[DNS.offset] = 28;
  words[DNS.length] = length;
  words[DNS.copied] = 28 + message.length;
  bytes.set(message, DNS.bytes + 28);
  return { words, bytes, length: DNS.bytes + 28 + message.length };
}

function decode(message: Uint8Array, length?: number) {
  const decoder = new Decoder(1, 16);
  const { words, bytes, length: all } = sample(message, length);
  decoder.append(words, bytes, 0, all, NO_CPU, 0);
  const { dns } = decoder;
  return {
    name: dns.names[dns.name[0]!]!,
    rcode: dns.rcode[0]!,
    flags: dns.flags[0]!,
    queryType: dns.queryType[0]!,
    addresses: Array.from({ length: dns.addressCount[0]! }, (_, i) =>
      formatAddress(bytesOf(dns.addresses), (dns.addressStart[0]! + i) * 16),
    ),
  };
}

const header = (answers: number, flags = 0x8180) => [0, 1, flags >> 8, flags & 255, 0, 1, 0, answers, 0, 0, 0, 0];
const labels = (...names: number[][]) => [...names.flatMap((label) => [label.length, ...label]), 0];
const text = (value: string) => [...Buffer.from(value)];
const question = (name: number[], type = 1) => [...name, 0, type, 0, 1];
const a = (owner: number[], address: number[]) => [...owner, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];

test("an answer by compressed name gives its addresses", () => {
  const message = Uint8Array.from([
    ...header(1),
    ...question(labels(text("Db"), text("Example"))),
    ...a([0xc0, 12], [10, 0, 0, 7]),
  ]);
  expect(decode(message)).toEqual({ name: "db.example", rcode: 0, flags: 0, queryType: 1, addresses: ["10.0.0.7"] });
});

test("names that would confuse a reader are escaped: dots, blanks, escape sequences, bytes", () => {
  const message = Uint8Array.from([
    ...header(0),
    ...question(labels(text("a.b"), text("\u001b[31m<b>"), [0, 0xff, 0x5c])),
  ]);
  expect(decode(message).name).toBe("a\\046b.\\027[31m<b>.\\000\\255\\092");
});

test("a pointer at itself, forward pointers and endless names end as malformed or empty, not in a loop", () => {
  expect(decode(Uint8Array.from([...header(0), 0xc0, 12, 0, 1, 0, 1])).name).toBe("");
  expect(decode(Uint8Array.from([...header(0), 0xc0, 14, 0xc0, 12, 0, 1])).name).toBe("");
  const long = Array.from({ length: 10 }, () => text("x".repeat(63)));
  expect(decode(Uint8Array.from([...header(0), ...question(labels(...long))])).flags).toBe(4);
});

test("a message that the copy cuts off keeps what was read, and says so", () => {
  const whole = Uint8Array.from([
    ...header(2),
    ...question(labels(text("x"))),
    ...a([0xc0, 12], [1, 2, 3, 4]),
    ...a([0xc0, 12], [5, 6, 7, 8]),
  ]);
  expect(decode(whole.subarray(0, whole.length - 6), whole.length)).toMatchObject({
    name: "x",
    flags: 2,
    addresses: ["1.2.3.4"],
  });
  expect(decode(whole.subarray(0, whole.length - 6))).toMatchObject({ flags: 4, addresses: ["1.2.3.4"] });
  expect(decode(new Uint8Array(3))).toMatchObject({ name: "", flags: 4 });
});

test("truncation and failure are told", () => {
  expect(decode(Uint8Array.from([...header(0, 0x8382), ...question(labels(text("x")), 28)]))).toMatchObject({
    rcode: 2,
    flags: 1,
    queryType: 28,
  });
});

test("no message whatever makes it throw, or name more than 1,100 characters", () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  const likely = fc
    .tuple(fc.integer({ min: 0, max: 255 }), bytes)
    .map(([answers, rest]) => Uint8Array.from([...header(answers), ...rest]));
  fc.assert(
    fc.property(fc.oneof(bytes, likely), fc.option(fc.nat(70_000), { nil: undefined }), (message, length) => {
      const { name, addresses } = decode(message, length);
      expect(name.length).toBeLessThan(1100);
      expect(addresses.length).toBeLessThanOrEqual(64);
    }),
  );
});

test("offsets and lengths of the event itself are not trusted", () => {
  const { words, bytes, length } = sample(Uint8Array.from(header(0)));
  words[DNS.offset] = 0xfffffff0;
  words[DNS.copied] = 0xffffffff;
  words[DNS.length] = 0xffffffff;
  const decoder = new Decoder(1, 16);
  decoder.append(words, bytes, 0, length, NO_CPU, 0);
  expect(decoder.dns.length).toBe(1);
  expect(dnsColumns(1).addressLength).toBe(0);
});
