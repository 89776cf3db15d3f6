/** Hot: drops to rows. A dropped packet has no reporter of its own: which end is the server is judged from what is known of the flow. */
import { EventType, type DropColumns } from "../decode/columns.ts";
import { By, Heading, Kind, Near, nsOf, Outcome, rowNs, Way } from "./flow-rows.ts";
import { beginRow, copyAddress, type RowContext } from "./row-maker.ts";
import { isLoopback } from "../identity/who.ts";
import type { NoiseMemory, PlaceMemory } from "./drop-memory.ts";

const TCP = 6;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const EPHEMERAL = 32_768; // net.ipv4.ip_local_port_range's default begins here

/** Makes the rows of a batch of drops. */
export function dropRows(context: RowContext, noise: NoiseMemory, places: PlaceMemory, batch: DropColumns): void {
  const { who, sink, strings, kernel } = context;
  for (let r = 0; r < batch.length; r++) {
    const netns = batch.netns[r]!;
    const protocol = (batch.tags[r]! >>> 16) & 0xff;
    const details = batch.details[r]!;
    const reason = kernel.dropReason(batch.reason[r]!);
    const reasonIndex = strings.intern(reason);
    const location = kernel.functionAt(batch.locationLow[r]!, batch.locationHigh[r]!);
    const locationIndex = strings.intern(location);
    const toGroup = isGroup(batch.destination, r * 4);
    const port = batch.ports[r]! >>> 16;
    if (
      (netns !== 0 && !who.isObserved(netns)) ||
      (!context.keepNoise &&
        noise.isNoise(
          reason,
          reasonIndex,
          location,
          locationIndex,
          protocol,
          details & 0xff,
          (details >>> 16) & 0xff,
          port,
          toGroup,
        ))
    ) {
      sink.filtered(EventType.drop, batch.tsLow[r]!, batch.tsHigh[r]!);
      continue;
    }
    const rows = sink.room(EventType.drop);
    if (rows === undefined) continue;
    const row = beginRow(rows, batch, r, EventType.drop);
    const fromServer = isFromServer(context, batch, r, protocol, details);
    copyAddress(rows.source, row * 4, fromServer ? batch.destination : batch.source, r * 4);
    copyAddress(rows.destination, row * 4, fromServer ? batch.source : batch.destination, r * 4);
    const hasPorts = protocol !== 1 && protocol !== 58;
    const sourcePort = hasPorts ? batch.ports[r]! & 0xffff : 0;
    const destinationPort = hasPorts ? port : 0;
    rows.sourcePort[row] = fromServer ? destinationPort : sourcePort;
    rows.destinationPort[row] = fromServer ? sourcePort : destinationPort;
    rows.kind[row] = Kind.drop;
    rows.verdict[row] = Outcome.dropped;
    rows.reason[row] = reasonIndex;
    rows.location[row] = locationIndex;
    rows.drops[row] = batch.count[r]!;
    places.write(context, rows, row, batch, r, reason, reasonIndex, location, locationIndex);
    rows.toward[row] = fromServer ? Heading.client : Heading.server;
    rows.device[row] = strings.intern(kernel.device(netns, batch.ifindex[r]!));
    rows.tcpFlags[row] = protocol === TCP ? details & 0xff : 0;
    rows.icmpType[row] = hasPorts ? 0 : (details >>> 16) & 0xff;
    rows.icmpCode[row] = hasPorts ? 0 : details >>> 24;
    rows.counted[row] = 1; // a packet dies once
    rows.near[row] = Near.none;
    reporterOf(context, rows, row, netns, fromServer);
    rows.length = row + 1;
  }
}

/** Who reports: the namespace that holds the client's address is the client's side, likewise the server's; else it died on the path. */
function reporterOf(
  context: RowContext,
  rows: Parameters<typeof beginRow>[0],
  row: number,
  netns: number,
  fromServer: boolean,
): void {
  const ns = rowNs(rows, row);
  const { intervals } = context.who;
  if (isLoopback(rows.source, row * 4)) {
    // both ends are here; what is lost on the way is lost where it arrives
    rows.reporter[row] = fromServer ? By.client : By.server;
    rows.direction[row] = Way.ingress;
  } else if (netns !== 0 && intervals.owner(rows.source, row * 4, ns) === netns) {
    rows.reporter[row] = By.client;
    rows.direction[row] = Way.egress;
  } else if (netns !== 0 && intervals.owner(rows.destination, row * 4, ns) === netns) {
    rows.reporter[row] = By.server;
    rows.direction[row] = Way.ingress;
  } else {
    rows.reporter[row] = By.path;
    rows.direction[row] = Way.unknown;
  }
}

/** True when the packet went from the server to the client: the row is turned round. */
function isFromServer(context: RowContext, batch: DropColumns, r: number, protocol: number, details: number): boolean {
  if (protocol === 1) return ((details >>> 16) & 0xff) === 0; // echo reply
  if (protocol === 58) return ((details >>> 16) & 0xff) === 129;
  const from = batch.ports[r]! & 0xffff;
  const to = batch.ports[r]! >>> 16;
  if (protocol === TCP) {
    const flags = details & 0xff;
    if ((flags & (SYN | ACK)) === SYN) return false;
    if ((flags & (SYN | ACK)) === (SYN | ACK)) return true;
  }
  if (context.tuples.knows(batch.source, r * 4, batch.destination, r * 4, from | (to << 16), protocol)) return false;
  if (context.tuples.knows(batch.destination, r * 4, batch.source, r * 4, to | (from << 16), protocol)) return true;
  const ns = nsOf(batch.tsLow[r]!, batch.tsHigh[r]!);
  const senderNetns = context.who.intervals.owner(batch.source, r * 4, ns);
  const receiverNetns = context.who.intervals.owner(batch.destination, r * 4, ns);
  if (receiverNetns > 0 && context.who.listens(receiverNetns, protocol, to)) return false;
  if (senderNetns > 0 && context.who.listens(senderNetns, protocol, from)) return true;
  // a reset that answers a SYN: nobody listens at its source, but that is the port that was called
  if (protocol === TCP && (details & RST) !== 0 && from < EPHEMERAL && to >= EPHEMERAL) return true;
  return from < EPHEMERAL && to >= EPHEMERAL;
}

/** Multicast (224/4, ff00::/8) and limited broadcast. */
function isGroup(words: Uint32Array, at: number): boolean {
  if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff0000) {
    const first = words[at + 3]! & 0xff;
    return (first >= 224 && first < 240) || words[at + 3] === 0xffffffff;
  }
  return (words[at]! & 0xff) === 0xff;
}
