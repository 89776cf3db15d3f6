/**
 * Bytes of real rings, kept for tests, and rings in plain memory to play them in.
 *
 *   for each ring: u32 CPU | u32 bytes | records as the kernel wrote them, oldest first
 */
import { formatAddress } from "../../model/address.ts";
import { bytesOf, type Batch } from "../decode/columns.ts";
import { Decoder } from "../decode/decoder.ts";
import { RingReader, ringOver, type Ring } from "./reader.ts";

export interface CapturedRing {
  readonly cpu: number;
  readonly bytes: Uint8Array;
}

const PAGE = 4096;

export function formatCapture(rings: readonly CapturedRing[]): Buffer {
  return Buffer.concat(
    rings.flatMap(({ cpu, bytes }) => [Buffer.from(Uint32Array.of(cpu, bytes.length).buffer), bytes]),
  );
}

export function readCapture(file: Buffer): CapturedRing[] {
  const rings: CapturedRing[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    rings.push({ cpu: file.readUInt32LE(at), bytes: file.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return rings;
}

/** What lies in a ring between tail and head, as one piece. */
export function waitingIn(ring: Ring): CapturedRing {
  const head = Atomics.load(ring.control, 0) >>> 0;
  const bytes = new Uint8Array((head - ring.tail) >>> 0);
  for (let i = 0; i < bytes.length; i++) bytes[i] = ring.bytes[(ring.tail + i) & (ring.size - 1)]!;
  return { cpu: ring.cpu, bytes };
}

/** A ring of `size` bytes (a power of two) in plain memory that holds `bytes` from `start` on: at most `size` of them, wrapped at its end. */
export function ringWith(cpu: number, size: number, start: number, bytes: Uint8Array): Ring {
  const memory = new ArrayBuffer(PAGE + size);
  const control = new BigUint64Array(memory, 1024, 2);
  control[0] = BigInt(start + bytes.length);
  control[1] = BigInt(start);
  const data = new Uint8Array(memory, PAGE);
  for (let i = 0; i < bytes.length; i++) data[(start + i) & (size - 1)] = bytes[i]!;
  return ringOver(cpu, memory, PAGE);
}

/** What the decoder makes of a capture: a text for each row, sorted, without times and cookies. */
export function textOfRows(rings: readonly CapturedRing[]): string[] {
  const decoder = new Decoder(64);
  const texts: string[] = [];
  const take = (batch: Batch) => {
    const [from, to] = [bytesOf(batch.source), bytesOf(batch.destination)];
    for (let i = 0; i < batch.length; i++) {
      const [tags, ports] = [batch.tags[i]!, batch.ports[i]!];
      const ends = `${formatAddress(from, i * 16)} ${ports & 0xffff} > ${formatAddress(to, i * 16)} ${ports >>> 16}`;
      const kind = `${batch.kind} type ${tags & 0xff} ipv${(tags >>> 8) & 0xff} protocol ${(tags >>> 16) & 0xff} direction ${tags >>> 24}`;
      texts.push(`cpu ${batch.cpu[i]} seq ${batch.seq[i]} ${kind}: ${ends}${detailOf(batch, i)}`);
    }
  };
  const reader = new RingReader(
    rings.map(({ cpu, bytes }) => ringWith(cpu, 2 ** Math.ceil(Math.log2(bytes.length + 8)), 0, bytes)),
    decoder,
  );
  reader.drain(Infinity, () => decoder.deliver(take));
  decoder.deliver(take);
  return texts.toSorted();
}

function detailOf(batch: Batch, i: number): string {
  switch (batch.kind) {
    case "connections":
      return `, states ${batch.states[i]!.toString(16)}, ${batch.txBytesLow[i]} sent, ${batch.rxBytesLow[i]} received, pid ${batch.pid[i]! > 0 ? "known" : "unknown"}`;
    case "drops":
      return `, reason ${batch.reason[i]}, ${batch.packetBytes[i]} bytes, flags ${batch.details[i]! & 0xff}`;
    case "dns":
      return `, ${batch.names[batch.name[i]!]}, ${batch.addressCount[i]} addresses, flags ${batch.flags[i]}`;
    case "nat":
      return `, by ${formatAddress(bytesOf(batch.backend), i * 16)} ${batch.backendPort[i]}`;
    case "conversations":
      return "";
  }
}
