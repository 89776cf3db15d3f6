/**
 * One event, at word `at` of `words`, to one row of its kind's columns, field by field. The hot twin of appendConn and appendDrop is
 * decode/runs.ts; a test holds them together. The caller has checked that the event has its struct's length and that a row is free.
 * Layout: bpf/events.h.
 */
import type { CommonColumns, ConnColumns, ConversationColumns, DropColumns, NatColumns } from "./columns.ts";
import { COMMON, CONN, CONVERSATION, DROP, NAT } from "./layout.gen.ts";

/** Writes the common part of the event at word `at` of `words` to `row`. */
export function writeCommon(
  out: CommonColumns,
  row: number,
  words: Uint32Array,
  at: number,
  cpu: number,
  seq: number,
): void {
  out.cpu[row] = cpu;
  out.seq[row] = seq;
  out.tsLow[row] = words[at + COMMON.ts]!;
  out.tsHigh[row] = words[at + COMMON.ts + 1]!;
  out.cookieLow[row] = words[at + COMMON.cookie]!;
  out.cookieHigh[row] = words[at + COMMON.cookie + 1]!;
  out.cgroupLow[row] = words[at + COMMON.cgroup]!;
  out.cgroupHigh[row] = words[at + COMMON.cgroup + 1]!;
  out.netns[row] = words[at + COMMON.netns]!;
  out.ifindex[row] = words[at + COMMON.ifindex]!;
  const address = row * 4;
  out.source[address] = words[at + COMMON.saddr]!;
  out.source[address + 1] = words[at + COMMON.saddr + 1]!;
  out.source[address + 2] = words[at + COMMON.saddr + 2]!;
  out.source[address + 3] = words[at + COMMON.saddr + 3]!;
  out.destination[address] = words[at + COMMON.daddr]!;
  out.destination[address + 1] = words[at + COMMON.daddr + 1]!;
  out.destination[address + 2] = words[at + COMMON.daddr + 2]!;
  out.destination[address + 3] = words[at + COMMON.daddr + 3]!;
  out.ports[row] = words[at + COMMON.sport]!;
  out.tags[row] = words[at + COMMON.type]!;
}

/** Appends `struct ev_conn`. */
export function appendConn(out: ConnColumns, words: Uint32Array, at: number, cpu: number, seq: number): void {
  const row = out.length;
  writeCommon(out, row, words, at, cpu, seq);
  out.txBytesLow[row] = words[at + CONN.tx_bytes]!;
  out.txBytesHigh[row] = words[at + CONN.tx_bytes + 1]!;
  out.rxBytesLow[row] = words[at + CONN.rx_bytes]!;
  out.rxBytesHigh[row] = words[at + CONN.rx_bytes + 1]!;
  out.txSegments[row] = words[at + CONN.tx_segs]!;
  out.rxSegments[row] = words[at + CONN.rx_segs]!;
  out.retransmits[row] = words[at + CONN.retrans]!;
  out.srttUs[row] = words[at + CONN.srtt_us]!;
  out.minRttUs[row] = words[at + CONN.min_rtt_us]!;
  out.latencyUs[row] = words[at + CONN.lat_us]!;
  out.durationLow[row] = words[at + CONN.dur_ns]!;
  out.durationHigh[row] = words[at + CONN.dur_ns + 1]!;
  out.pid[row] = words[at + CONN.pid]!;
  out.states[row] = words[at + CONN.oldstate]!;
  out.comm[row * 4] = words[at + CONN.comm]!;
  out.comm[row * 4 + 1] = words[at + CONN.comm + 1]!;
  out.comm[row * 4 + 2] = words[at + CONN.comm + 2]!;
  out.comm[row * 4 + 3] = words[at + CONN.comm + 3]!;
  out.length = row + 1;
}

/** Appends `struct ev_drop`. */
export function appendDrop(out: DropColumns, words: Uint32Array, at: number, cpu: number, seq: number): void {
  const row = out.length;
  writeCommon(out, row, words, at, cpu, seq);
  out.locationLow[row] = words[at + DROP.location]!;
  out.locationHigh[row] = words[at + DROP.location + 1]!;
  out.reason[row] = words[at + DROP.reason]!;
  out.packetBytes[row] = words[at + DROP.len]!;
  out.details[row] = words[at + DROP.tcpflags]!;
  out.count[row] = words[at + DROP.count]!;
  out.stack[row] = words[at + DROP.stack]!;
  out.inputIfindex[row] = words[at + DROP.iif]!;
  out.length = row + 1;
}

/** Appends `struct ev_conversation`. */
export function appendConversation(
  out: ConversationColumns,
  words: Uint32Array,
  at: number,
  cpu: number,
  seq: number,
): void {
  const row = out.length;
  writeCommon(out, row, words, at, cpu, seq);
  out.txBytesLow[row] = words[at + CONVERSATION.tx_bytes]!;
  out.txBytesHigh[row] = words[at + CONVERSATION.tx_bytes + 1]!;
  out.rxBytesLow[row] = words[at + CONVERSATION.rx_bytes]!;
  out.rxBytesHigh[row] = words[at + CONVERSATION.rx_bytes + 1]!;
  out.txPackets[row] = words[at + CONVERSATION.tx_packets]!;
  out.rxPackets[row] = words[at + CONVERSATION.rx_packets]!;
  out.firstLow[row] = words[at + CONVERSATION.first]!;
  out.firstHigh[row] = words[at + CONVERSATION.first + 1]!;
  out.lastLow[row] = words[at + CONVERSATION.last]!;
  out.lastHigh[row] = words[at + CONVERSATION.last + 1]!;
  out.pid[row] = words[at + CONVERSATION.pid]!;
  for (let i = 0; i < 4; i++) out.comm[row * 4 + i] = words[at + CONVERSATION.comm + i]!;
  out.length = row + 1;
}

/** Appends `struct ev_nat`. */
export function appendNat(out: NatColumns, words: Uint32Array, at: number, cpu: number, seq: number): void {
  const row = out.length;
  writeCommon(out, row, words, at, cpu, seq);
  for (let i = 0; i < 4; i++) out.backend[row * 4 + i] = words[at + NAT.backend + i]!;
  out.backendPort[row] = words[at + NAT.bport]! & 0xffff;
  out.length = row + 1;
}
