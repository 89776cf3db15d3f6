/** Hot: UDP and ICMP echo conversations to rows. Their events carry deltas already: nothing is remembered here. */
import { Direction, EventType, type ConversationColumns } from "../decode/columns.ts";
import { isLoopback } from "../identity/who.ts";
import { translated } from "./connections.ts";
import { By, Kind, Near, nsOf, Outcome, Way } from "./flow-rows.ts";
import { beginRow, copyAddress, isUnspecified, type RowContext } from "./row-maker.ts";

const ICMP = 1;
const ICMPV6 = 58;
const ECHO_REQUEST = 8;
const ECHO_REQUEST_V6 = 128;

/** Makes the rows of a batch of conversation starts, deltas and ends. */
export function conversationRows(context: RowContext, batch: ConversationColumns): void {
  const { who, sink, tuples } = context;
  for (let r = 0; r < batch.length; r++) {
    const type = batch.tags[r]! & 0xff;
    const netns = batch.netns[r]!;
    const protocol = (batch.tags[r]! >>> 16) & 0xff;
    const ns = nsOf(batch.tsLow[r]!, batch.tsHigh[r]!);
    // also where nothing is observed: it tells whose address this is
    if (!isLoopback(batch.source, r * 4) && !isUnspecified(batch.source, r * 4))
      who.intervals.prove(batch.source, r * 4, netns, ns);
    const carried = batch.txPackets[r]! + batch.rxPackets[r]!;
    if (!who.isObserved(netns) || (type === EventType.conversationDelta && carried === 0)) {
      sink.filtered(type, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    const echo = protocol === ICMP || protocol === ICMPV6;
    const localPort = echo ? 0 : batch.ports[r]! & 0xffff;
    const remotePort = echo ? 0 : batch.ports[r]! >>> 16;
    const direction = batch.tags[r]! >>> 24;
    const isServer =
      direction === Direction.in ||
      (direction === Direction.unknown && (who.listens(netns, protocol, localPort) || localPort < remotePort));
    const hasComm = batch.comm[r * 4] !== 0;
    const party = who.near(
      netns,
      batch.cgroupLow[r]!,
      batch.cgroupHigh[r]!,
      hasComm ? batch.comm : undefined,
      r * 4,
      batch.pid[r]!,
      isServer ? localPort : 0,
      protocol,
      ns,
    );
    const rows = sink.room(type);
    if (rows === undefined) continue;
    const row = beginRow(rows, batch, r, type);
    const tx = nsOf(batch.txBytesLow[r]!, batch.txBytesHigh[r]!);
    const rx = nsOf(batch.rxBytesLow[r]!, batch.rxBytesHigh[r]!);
    rows.kind[row] = Kind.datagram;
    rows.verdict[row] = Outcome.allowed;
    rows.near[row] = isServer ? Near.destination : Near.source;
    rows.reporter[row] = isServer ? By.server : By.client;
    rows.direction[row] = isServer ? Way.ingress : Way.egress;
    const local = isServer ? rows.destination : rows.source;
    const remote = isServer ? rows.source : rows.destination;
    copyAddress(local, row * 4, batch.source, r * 4);
    copyAddress(remote, row * 4, batch.destination, r * 4);
    rows.sourcePort[row] = isServer ? remotePort : localPort;
    rows.destinationPort[row] = isServer ? localPort : remotePort;
    rows.bytesToServer[row] = isServer ? rx : tx;
    rows.bytesToClient[row] = isServer ? tx : rx;
    rows.packetsToServer[row] = isServer ? batch.rxPackets[r]! : batch.txPackets[r]!;
    rows.packetsToClient[row] = isServer ? batch.txPackets[r]! : batch.rxPackets[r]!;
    if (isServer) rows.destinationParty[row] = party;
    else {
      rows.sourceParty[row] = party;
      translated(context, rows, row);
    }
    rows.opened[row] = type === EventType.conversationStart ? 1 : 0;
    rows.closed[row] = type === EventType.conversationEnd ? 1 : 0;
    const first = nsOf(batch.firstLow[r]!, batch.firstHigh[r]!);
    const last = nsOf(batch.lastLow[r]!, batch.lastHigh[r]!);
    rows.durationUs[row] = last > first ? Math.round((last - first) / 1000) : 0;
    if (echo) rows.icmpType[row] = protocol === ICMP ? ECHO_REQUEST : ECHO_REQUEST_V6;
    rows.pid[row] = batch.pid[r]!;
    rows.process[row] = context.processes.numberOf(batch.comm, r * 4);
    const ports = rows.sourcePort[row]! | (rows.destinationPort[row]! << 16);
    tuples.tell(
      rows.source,
      row * 4,
      rows.destination,
      row * 4,
      ports,
      protocol,
      isServer,
      party,
      ns,
      type === EventType.conversationEnd,
    );
    rows.length = row + 1;
  }
}
