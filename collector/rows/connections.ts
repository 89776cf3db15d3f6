/** Hot: connection events to rows. One row a report, client → server, numbers since the connection's last report. */
import { Direction, errorOf, EventType, newStateOf, TcpState, type ConnColumns } from "../decode/columns.ts";
import { errnoName } from "../../model/reasons/errno.ts";
import { commText, isLoopback } from "../identity/who.ts";
import { By, Kind, Near, nsOf, Outcome, rowNs, Way, type FlowRows } from "./flow-rows.ts";
import { beginRow, copyAddress, isUnspecified, Role, SocketDouble, SocketWord, type RowContext } from "./row-maker.ts";

const TCP = 6;
/** An open connection without traffic is told of so often, so that each minute of the map has it. */
const QUIET_REPORT_NS = 50e9;

/** Makes the rows of a batch of open, close, fail, listen and sweep events. */
export function connectionRows(context: RowContext, batch: ConnColumns): void {
  const { who, sink, sockets, tuples } = context;
  for (let r = 0; r < batch.length; r++) {
    const type = batch.tags[r]! & 0xff;
    const netns = batch.netns[r]!;
    const ns = nsOf(batch.tsLow[r]!, batch.tsHigh[r]!);
    if (type === EventType.listen) {
      learnListener(context, batch, r);
      sink.filtered(type, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    // Also where nothing is observed: it tells whose address this is. Only an opening does: a socket can close, and time out,
    // long after its address has moved elsewhere.
    if (
      (type === EventType.open || !who.intervals.knows(batch.source, r * 4)) &&
      !isLoopback(batch.source, r * 4) &&
      !isUnspecified(batch.source, r * 4)
    )
      who.intervals.prove(batch.source, r * 4, netns, ns);
    if (!who.isObserved(netns)) {
      sink.filtered(type, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    const localPort = batch.ports[r]! & 0xffff;
    const remotePort = batch.ports[r]! >>> 16;

    const cookieLow = batch.cookieLow[r]!;
    const cookieHigh = batch.cookieHigh[r]!;
    const slot = cookieLow === 0 && cookieHigh === 0 ? -1 : sockets.find(cookieLow, cookieHigh);
    const role = roleOf(context, batch, r, slot, netns, localPort, remotePort);
    const isServer = role === Role.server;
    const hasComm = batch.comm[r * 4] !== 0;
    const party = who.near(
      netns,
      batch.cgroupLow[r]!,
      batch.cgroupHigh[r]!,
      hasComm ? batch.comm : undefined,
      r * 4,
      batch.pid[r]!,
      isServer ? localPort : 0,
      TCP,
      ns,
    );

    const first = slot < 0;
    const tx = nsOf(batch.txBytesLow[r]!, batch.txBytesHigh[r]!);
    const rx = nsOf(batch.rxBytesLow[r]!, batch.rxBytesHigh[r]!);
    const duration = nsOf(batch.durationLow[r]!, batch.durationHigh[r]!);
    // older than the programs: what it carried before we looked is not ours to count
    const older =
      first &&
      type !== EventType.open &&
      type !== EventType.fail &&
      (duration === 0 || ns - duration < context.startedNs);
    const { words, doubles } = sockets.table;
    const txBefore = older ? tx : first ? 0 : doubles[slot * 3 + SocketDouble.txBytes]!;
    const rxBefore = older ? rx : first ? 0 : doubles[slot * 3 + SocketDouble.rxBytes]!;
    const txSegmentsBefore = older ? batch.txSegments[r]! : first ? 0 : words[slot * 5 + SocketWord.txSegments]!;
    const rxSegmentsBefore = older ? batch.rxSegments[r]! : first ? 0 : words[slot * 5 + SocketWord.rxSegments]!;
    const retransmitsBefore = older ? batch.retransmits[r]! : first ? 0 : words[slot * 5 + SocketWord.retransmits]!;
    const sent = Math.max(0, tx - txBefore);
    const received = Math.max(0, rx - rxBefore);
    if (
      type === EventType.sweep &&
      !first &&
      sent === 0 &&
      received === 0 &&
      ns - doubles[slot * 3 + SocketDouble.reported]! < QUIET_REPORT_NS
    ) {
      sink.filtered(type, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    // A sweep can overtake the open that still lies in its ring: what it told of must not be counted again at the close.
    const overtaken = type === EventType.open && !first;
    if (type === EventType.sweep || (type === EventType.open && !overtaken))
      remember(context, batch, r, role, party, tx, rx, ns);
    else if (slot >= 0 && !overtaken) sockets.remove(cookieLow, cookieHigh);

    const rows = sink.room(type);
    if (rows === undefined) continue;
    const row = beginRow(rows, batch, r, type);
    rows.near[row] = isServer ? Near.destination : Near.source;
    rows.reporter[row] = isServer ? By.server : By.client;
    rows.direction[row] = isServer ? Way.ingress : Way.egress;
    if (isServer) {
      copyAddress(rows.source, row * 4, batch.destination, r * 4);
      copyAddress(rows.destination, row * 4, batch.source, r * 4);
      rows.sourcePort[row] = remotePort;
      rows.destinationPort[row] = localPort;
      rows.destinationParty[row] = party;
      rows.bytesToServer[row] = received;
      rows.bytesToClient[row] = sent;
      rows.packetsToServer[row] = Math.max(0, batch.rxSegments[r]! - rxSegmentsBefore);
      rows.packetsToClient[row] = Math.max(0, batch.txSegments[r]! - txSegmentsBefore);
    } else {
      copyAddress(rows.source, row * 4, batch.source, r * 4);
      copyAddress(rows.destination, row * 4, batch.destination, r * 4);
      rows.sourcePort[row] = localPort;
      rows.destinationPort[row] = remotePort;
      rows.sourceParty[row] = party;
      rows.bytesToServer[row] = sent;
      rows.bytesToClient[row] = received;
      rows.packetsToServer[row] = Math.max(0, batch.txSegments[r]! - txSegmentsBefore);
      rows.packetsToClient[row] = Math.max(0, batch.rxSegments[r]! - rxSegmentsBefore);
      translated(context, rows, row);
    }
    rows.retransmits[row] = Math.max(0, batch.retransmits[r]! - retransmitsBefore);
    rows.rttUs[row] = batch.srttUs[r]!;
    rows.minRttUs[row] = batch.minRttUs[r]!;
    rows.durationUs[row] = Math.round(duration / 1000);
    rows.pid[row] = batch.pid[r]!;
    rows.process[row] = context.processes.numberOf(batch.comm, r * 4);
    outcome(context, rows, row, batch, r, type);
    const ports = rows.sourcePort[row]! | (rows.destinationPort[row]! << 16);
    tuples.tell(
      rows.source,
      row * 4,
      rows.destination,
      row * 4,
      ports,
      TCP,
      isServer,
      party,
      ns,
      type === EventType.close || type === EventType.fail,
    );
    rows.length = row + 1;
  }
}

/** Writes kind, verdict, reason and the three counts. */
function outcome(context: RowContext, rows: FlowRows, row: number, batch: ConnColumns, r: number, type: number): void {
  const error = errorOf(batch, r);
  switch (type) {
    case EventType.open:
      rows.kind[row] = Kind.open;
      rows.verdict[row] = Outcome.allowed;
      rows.opened[row] = 1;
      rows.connectUs[row] = batch.latencyUs[r]!;
      return;
    case EventType.fail:
      rows.kind[row] = Kind.fail;
      rows.verdict[row] = Outcome.failed;
      rows.failed[row] = 1;
      rows.connectUs[row] = batch.latencyUs[r]!;
      rows.reason[row] = context.strings.intern(error === 0 ? "GAVE_UP" : errnoName(error));
      return;
    case EventType.close:
      rows.kind[row] = Kind.close;
      rows.verdict[row] = error === 0 ? Outcome.allowed : Outcome.failed;
      rows.closed[row] = 1;
      rows.reason[row] = error === 0 ? 0 : context.strings.intern(errnoName(error));
      return;
    default:
      rows.kind[row] = Kind.alive;
      rows.verdict[row] = Outcome.allowed;
  }
}

/** Which end the socket is. The kernel says it for connections that began under our eyes; older ones are judged by who listens. */
function roleOf(
  context: RowContext,
  batch: ConnColumns,
  r: number,
  slot: number,
  netns: number,
  localPort: number,
  remotePort: number,
): number {
  const direction = batch.tags[r]! >>> 24;
  if (direction === Direction.out) return Role.client;
  if (direction === Direction.in) return Role.server;
  if (slot >= 0) return context.sockets.table.words[slot * 5 + SocketWord.role]!;
  if (context.who.listens(netns, TCP, localPort)) return Role.server;
  return localPort < remotePort ? Role.server : Role.client;
}

function remember(
  context: RowContext,
  batch: ConnColumns,
  r: number,
  role: number,
  party: number,
  tx: number,
  rx: number,
  ns: number,
): void {
  if (batch.cookieLow[r] === 0 && batch.cookieHigh[r] === 0) return;
  const slot = context.sockets.insert(batch.cookieLow[r]!, batch.cookieHigh[r]!);
  const { words, doubles } = context.sockets.table;
  words[slot * 5 + SocketWord.role] = role;
  words[slot * 5 + SocketWord.party] = party;
  words[slot * 5 + SocketWord.txSegments] = batch.txSegments[r]!;
  words[slot * 5 + SocketWord.rxSegments] = batch.rxSegments[r]!;
  words[slot * 5 + SocketWord.retransmits] = batch.retransmits[r]!;
  doubles[slot * 3 + SocketDouble.txBytes] = tx;
  doubles[slot * 3 + SocketDouble.rxBytes] = rx;
  doubles[slot * 3 + SocketDouble.reported] = ns;
}

/** A client's row whose destination is a service address that was translated: the destination becomes the back end. */
export function translated(context: RowContext, rows: FlowRows, row: number): void {
  const ports = rows.sourcePort[row]! | (rows.destinationPort[row]! << 16);
  const slot = context.tuples.translation(rows.source, row * 4, rows.destination, row * 4, ports, rows.protocol[row]!);
  if (slot < 0) return;
  const ns = rowNs(rows, row);
  const service = context.who.service(rows.destination, row * 4, rows.destinationPort[row]!, rows.protocol[row]!, ns);
  copyAddress(rows.service, row * 4, rows.destination, row * 4);
  rows.servicePort[row] = rows.destinationPort[row]!;
  rows.serviceName[row] = service === undefined ? 0 : context.strings.intern(service.entry.workload);
  const { backends } = context.tuples;
  copyAddress(rows.destination, row * 4, backends, slot * 5);
  rows.destinationPort[row] = backends[slot * 5 + 4]!;
}

function learnListener(context: RowContext, batch: ConnColumns, r: number): void {
  if (newStateOf(batch, r) !== TcpState.listen || batch.comm[r * 4] === 0) return;
  context.who.learnListener(batch.netns[r]!, TCP, batch.ports[r]! & 0xffff, commText(batch.comm, r * 4), batch.pid[r]!);
}
