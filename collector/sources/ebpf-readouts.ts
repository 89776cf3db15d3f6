/** What user space reads out of maps and iterators, as events of the same structs as the ring's. */
import { readIterator, type Iterator } from "../kernel/attach.ts";
import type { Libbpf, Syscalls } from "../kernel/libbpf.ts";
import { inNamespace, type NetworkNamespace } from "../kernel/netns.ts";
import { EventType } from "../decode/columns.ts";
import {
  COMMON,
  CONN,
  CONVERSATION,
  CONVERSATION_KEY,
  CONVERSATION_VALUE,
  DROP,
  DROP_KEY,
} from "../decode/layout.gen.ts";

/** Takes one event: `length` bytes at word `at`. */
export type TakeEvent = (words: Uint32Array, bytes: Uint8Array, at: number, length: number) => void;

const ENOENT = 2;
const ENOSPC = 28;
const DROP_VALUE_BYTES = (DROP.bytes + 7) & ~7;
const BATCH = 2048;

/** Empties a map of drops that has been turned over, and takes what it counted beyond the first packet of each flow and reason. */
export function emptyDrops(lib: Libbpf, mapFd: number, take: TakeEvent): void {
  const token = new Uint8Array(8);
  const keys = new Uint8Array(BATCH * DROP_KEY.bytes);
  const words = new Uint32Array((BATCH * DROP_VALUE_BYTES) / 4);
  const bytes = new Uint8Array(words.buffer);
  const count = new Uint32Array(1);
  for (let first = true, result = 0; result === 0; first = false) {
    count[0] = BATCH;
    result = lib.lookupAndDeleteBatch(mapFd, first ? null : token, token, keys, bytes, count, null);
    if (result !== 0 && result !== -ENOENT) {
      const why = result === -ENOSPC ? "one bucket has more than a batch" : `error ${-result}`;
      throw new Error(`the map of drops cannot be read: ${why}`);
    }
    for (let i = 0; i < count[0]; i++) {
      const at = (i * DROP_VALUE_BYTES) / 4;
      if (words[at + DROP.count]! > 0) take(words, bytes, at, DROP.bytes);
    }
  }
}

/** Takes what every conversation carried since it was last asked, and deletes those that fell silent. */
export function readConversations(lib: Libbpf, iterator: Iterator, mapFd: number, take: TakeEvent): void {
  const key = new Uint8Array(CONVERSATION_KEY.bytes);
  const value = Buffer.alloc(CONVERSATION_VALUE.bytes);
  readIterator(iterator.open(), CONVERSATION.bytes, (words, records) => {
    const bytes = new Uint8Array(words.buffer);
    for (let i = 0; i < records; i++) {
      const at = (i * CONVERSATION.bytes) / 4;
      if ((words[at + COMMON.type]! & 0xff) === EventType.conversationEnd) {
        keyOf(bytes, at * 4, key);
        // between the iterator's look and this one a packet may have come: the last value has it
        if (lib.lookupAndDelete(mapFd, key, value) === 0) addRest(words, at, value);
        if (words[at + CONVERSATION.shed] !== 0) continue; // was left out; its packets are counted in the kernel
      }
      take(words, bytes, at, CONVERSATION.bytes);
    }
  });
}

/** The map's key of an event: struct conversation_key from struct ev_common. */
function keyOf(bytes: Uint8Array, event: number, key: Uint8Array): void {
  key.fill(0);
  const copy = (to: number, word: number, length: number, shift = 0) =>
    key.set(bytes.subarray(event + word * 4 + shift, event + word * 4 + shift + length), to);
  copy(CONVERSATION_KEY.laddr, COMMON.saddr, 16);
  copy(CONVERSATION_KEY.raddr, COMMON.daddr, 16);
  copy(CONVERSATION_KEY.lport, COMMON.sport, 4); // both ports
  copy(CONVERSATION_KEY.netns, COMMON.netns, 4);
  copy(CONVERSATION_KEY.proto, COMMON.proto, 1, 2);
}

function addRest(words: Uint32Array, at: number, value: Buffer): void {
  const rest = (total: number, told: number) => Number(value.readBigUInt64LE(total) - value.readBigUInt64LE(told));
  const { tx_bytes, rx_bytes, tx_packets, rx_packets, told_tx_bytes, told_rx_bytes, told_tx_packets, told_rx_packets } =
    CONVERSATION_VALUE;
  addWide(words, at + CONVERSATION.tx_bytes, rest(tx_bytes, told_tx_bytes));
  addWide(words, at + CONVERSATION.rx_bytes, rest(rx_bytes, told_rx_bytes));
  words[at + CONVERSATION.tx_packets]! += rest(tx_packets, told_tx_packets);
  words[at + CONVERSATION.rx_packets]! += rest(rx_packets, told_rx_packets);
}

function addWide(words: Uint32Array, at: number, more: number): void {
  const sum = words[at + 1]! * 4294967296 + words[at]! + more;
  words[at] = sum >>> 0;
  words[at + 1] = Math.floor(sum / 4294967296);
}

/**
 * Lets the programs remember connections that were open before them, of the namespaces that may be entered. Returns how many may not:
 * there `owners` finds those that a process holds.
 */
export function findOpenedBefore(calls: Syscalls, iterator: Iterator, namespaces: readonly NetworkNamespace[]): number {
  let closed = 0;
  for (const namespace of namespaces) {
    const fd = inNamespace(calls, namespace, () => iterator.open());
    if (fd === undefined || fd < 0) closed++;
    else readIterator(fd, CONN.bytes, () => {}); // it has no output
  }
  return closed;
}

/** Takes what `owners` and `sweep` tell of: listening sockets, open connections. */
export function takeConnections(iterator: Iterator, take: TakeEvent): void {
  readIterator(iterator.open(), CONN.bytes, (words, records) => {
    const bytes = new Uint8Array(words.buffer);
    for (let i = 0; i < records; i++) take(words, bytes, (i * CONN.bytes) / 4, CONN.bytes);
  });
}
