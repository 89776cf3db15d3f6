/**
 * A recorded sample: batches as a source delivered them, and the names that only the recording machine had. Drawn in docs/formats/sample.md.
 *
 *   "WEIRSMP\n" | u16 version | u16 0 | u32 0 | gzip of blocks;  block = u32 length | JSON | bytes of its columns, one behind the other
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { WeirError } from "../../model/errors.ts";
import {
  connColumns,
  conversationColumns,
  dnsColumns,
  dropColumns,
  natColumns,
  type Batch,
} from "../decode/columns.ts";

export const SAMPLE_VERSION = 1;
const MAGIC = "WEIRSMP\n";
const HEAD = 16;
/** A sample unpacks to no more: bounds what a hostile file can make us hold. */
const MAX_BYTES = 512 * 1024 * 1024;

/** What the recording machine knew. Times are ns since 1970 as decimal text. */
export const SampleWorld = z.object({
  node: z.string(),
  kernel: z.string(),
  recorded: z.string(),
  fromNs: z.string().regex(/^\d+$/),
  toNs: z.string().regex(/^\d+$/),
  hostNetns: z.number(),
  /** Drop reasons by number, without prefix. */
  reasons: z.record(z.string(), z.string()),
  /** Kernel functions by address (`high:low`, decimal words). */
  functions: z.record(z.string(), z.string()),
  /** Callers of the functions that dropped packets, innermost first, by the id of the stack. */
  callers: z.record(z.string(), z.array(z.string())).default({}),
  /** cgroup paths by id. */
  cgroups: z.record(z.string(), z.string()),
  namespaces: z.array(
    z.object({
      inode: z.number(),
      name: z.string(),
      addresses: z.array(z.string()),
      listeners: z.array(
        z.object({ protocol: z.union([z.literal(6), z.literal(17)]), port: z.number(), comm: z.string() }),
      ),
      devices: z.record(z.string(), z.string()),
    }),
  ),
  /** The inventory that was in force, as text; "" = none. */
  inventory: z.string(),
});
export type SampleWorld = z.infer<typeof SampleWorld>;

const BatchBlock = z.object({
  kind: z.enum(["connections", "drops", "conversations", "dns", "nat"]),
  rows: z.int().positive().max(1_000_000),
  addresses: z.int().nonnegative().max(10_000_000).optional(),
  names: z.array(z.string().max(1024)).max(1_000_000).optional(),
  columns: z.array(z.tuple([z.string(), z.int().nonnegative()])),
});

export interface SampleBytes {
  readonly world: SampleWorld;
  readonly batches: Batch[];
}

type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The columns of a batch with as much of each as its rows use. */
function columnsOf(batch: Batch): [string, Column][] {
  return Object.entries(batch).flatMap(([name, value]: [string, unknown]): [string, Column][] => {
    if (!(value instanceof Uint8Array || value instanceof Uint16Array || value instanceof Uint32Array)) return [];
    const column = value as Column;
    const rows = batch.kind === "dns" && (name === "addresses" || name === "ttl") ? batch.addressLength : batch.length;
    const width =
      batch.kind === "dns" && name === "addresses"
        ? 4
        : batch.kind === "dns" && name === "ttl"
          ? 1
          : column.length / batch.capacity;
    return [[name, column.subarray(0, rows * width)]];
  });
}

/** A batch as a block of a sample, in memory of its own. */
export function encodeBatch(batch: Batch): Buffer {
  const columns = columnsOf(batch);
  const head = {
    kind: batch.kind,
    rows: batch.length,
    ...(batch.kind === "dns" && { addresses: batch.addressLength, names: [...batch.names] }),
    columns: columns.map(([name, column]) => [name, column.byteLength]),
  };
  return block(
    head,
    columns.map(([, column]) => Buffer.from(column.buffer, column.byteOffset, column.byteLength)),
  );
}

/** The file: world first, then the batches in the order they came. */
export function encodeSample(world: SampleWorld, batches: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC, 0, "latin1");
  head.writeUInt16LE(SAMPLE_VERSION, 8);
  return Buffer.concat([head, gzipSync(Buffer.concat([block(world, []), ...batches]), { level: 9 })]);
}

/** Reads a sample. Throws WeirError `sample-bad` for anything else. */
export function decodeSample(file: Uint8Array, path: string): SampleBytes {
  const bad = (what: string, cause?: unknown) =>
    new WeirError({ code: "sample-bad", where: path, what, expected: "a sample made by weir collect --record", cause });
  if (Buffer.from(file.subarray(0, 8)).toString("latin1") !== MAGIC) throw bad("this is no recorded sample");
  const version = Buffer.from(file).readUInt16LE(8);
  if (version !== SAMPLE_VERSION) throw bad(`the sample is of version ${version}`);
  let bytes: Buffer;
  try {
    bytes = gunzipSync(file.subarray(HEAD), { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw bad("the sample is damaged", cause);
  }
  let at = 0;
  let world: SampleWorld | undefined;
  const batches: Batch[] = [];
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw bad("the sample is cut off");
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) throw bad("the sample is cut off");
    let head: unknown;
    try {
      head = JSON.parse(bytes.toString("utf8", at + 4, at + 4 + length));
    } catch (cause) {
      throw bad("a block of the sample cannot be read", cause);
    }
    at += 4 + length;
    if (world === undefined) {
      const parsed = SampleWorld.safeParse(head);
      if (!parsed.success) throw bad("the sample does not say where it was recorded");
      world = parsed.data;
      continue;
    }
    const parsed = BatchBlock.safeParse(head);
    if (!parsed.success) throw bad("a block of the sample has another form");
    const batch = decodeBatch(parsed.data, bytes, at);
    if (batch === undefined) throw bad("a block of the sample does not fit its columns");
    batches.push(batch);
    at += parsed.data.columns.reduce((sum, [, size]) => sum + size, 0);
  }
  if (world === undefined) throw bad("the sample is empty");
  return { world, batches };
}

function decodeBatch(head: z.infer<typeof BatchBlock>, bytes: Buffer, from: number): Batch | undefined {
  const make = {
    connections: connColumns,
    drops: dropColumns,
    conversations: conversationColumns,
    dns: dnsColumns,
    nat: natColumns,
  }[head.kind];
  const batch: Batch = make(head.rows);
  batch.length = head.rows;
  let at = from;
  if (batch.kind === "dns") {
    batch.addressLength = head.addresses ?? 0;
    batch.names.push(...(head.names ?? []));
    if (batch.addressLength * 4 > batch.addresses.length)
      Object.assign(batch, {
        addresses: new Uint32Array(batch.addressLength * 4),
        ttl: new Uint32Array(batch.addressLength),
      });
  }
  const into = batch as unknown as Record<string, unknown>;
  for (const [name, size] of head.columns) {
    const column = into[name];
    if (!(column instanceof Uint8Array || column instanceof Uint16Array || column instanceof Uint32Array))
      return undefined;
    if (size > column.byteLength || at + size > bytes.length) return undefined;
    new Uint8Array(column.buffer, column.byteOffset, size).set(bytes.subarray(at, at + size));
    at += size;
  }
  return batch;
}

function block(head: object, parts: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify(head), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...parts]);
}
