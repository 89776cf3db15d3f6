import { type DropDescription, type DropFacts, describeDrop, isNoise } from "./lookup.ts";

/** Addresses in text and ports of one packet, as it was on the wire. */
export interface PacketTuple {
  /** IP protocol number. */
  readonly protocol: number;
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
}

/** A connection that failed, from its client's side. */
export interface FailedConnection {
  readonly protocol: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Where the server's address leads after DNAT, when known: the second key. */
  readonly backend?: string | undefined;
  readonly backendPort?: number | undefined;
  /** First SYN and failure, milliseconds of the same clock as the drops'. */
  readonly startMs: number;
  readonly endMs: number;
  /** Scope in which addresses are unique; both undefined, or equal. */
  readonly network?: string | undefined;
}

/** Drops of one packet form: the same tuple, reason and function; `count` of them from `firstMs` to `lastMs`. */
export interface ObservedDrop extends DropFacts, PacketTuple {
  readonly dport: number;
  readonly protocol: number;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly node?: string | undefined;
  /** Place of the node on the way from the client, 0 = the client's own; undefined = not known. */
  readonly hop?: number | undefined;
  readonly network?: string | undefined;
  /** For an ICMP error that was dropped: the tuple quoted inside. */
  readonly quoted?: PacketTuple | undefined;
}

/** What was lost: a packet of the client, one of the server, or the ICMP message that would have told one of them. */
export type Lost = "request" | "answer" | "notice";

export interface JoinedDrop {
  readonly drop: ObservedDrop;
  readonly lost: Lost;
  readonly description: DropDescription;
}

/** Room around a failure: the SYN is dropped before the event of its socket is written, and the reverse at the end. */
const MARGIN_MS = 100;

/**
 * The drops that belong to a failed connection, the likeliest cause first: by what decides (policy and firewall, routes and neighbours, queues, TCP, a missing socket),
 * then by the place on the way, then by count. Noise is left out; all SYNs of one try share a source port, so all of them join.
 */
export function joinDrops(connection: FailedConnection, drops: readonly ObservedDrop[]): JoinedDrop[] {
  const joined: JoinedDrop[] = [];
  for (const drop of drops) {
    if (drop.network !== connection.network) continue;
    if (drop.lastMs < connection.startMs - MARGIN_MS || drop.firstMs > connection.endMs + MARGIN_MS) continue;
    const lost = whatWasLost(connection, drop);
    const facts: DropFacts = { ...drop, flowTroubled: true };
    if (lost !== undefined && !isNoise(facts)) joined.push({ drop, lost, description: describeDrop(facts) });
  }
  return joined.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.drop.hop ?? Infinity) - (b.drop.hop ?? Infinity) ||
      b.drop.count - a.drop.count ||
      a.drop.firstMs - b.drop.firstMs,
  );
}

/** What the drops of an edge's tries have in common. */
export interface EdgeCause {
  readonly cause: JoinedDrop;
  /** Tries whose likeliest cause is this one, of all tries. */
  readonly tries: number;
  readonly of: number;
  /** True above 80 %: may be worded as "because". */
  readonly because: boolean;
  /** `because: Dropped by a firewall rule`, or `in 3 of 10 tries: …`. */
  readonly words: string;
}

/** Above this share of the tries, a common drop is called the reason. */
const BECAUSE_ABOVE = 0.8;

/** The most common first cause among the tries of an edge (one answer of `joinDrops` per try), or undefined when none has any. */
export function edgeCause(tries: readonly (readonly JoinedDrop[])[]): EdgeCause | undefined {
  const counts = new Map<string, { cause: JoinedDrop; tries: number }>();
  for (const [cause] of tries) {
    if (cause === undefined) continue;
    const key = `${cause.description.showAs} ${cause.description.location ?? ""} ${cause.lost}`;
    const seen = counts.get(key);
    if (seen === undefined) counts.set(key, { cause, tries: 1 });
    else seen.tries++;
  }
  let most: { cause: JoinedDrop; tries: number } | undefined;
  for (const candidate of counts.values()) if (most === undefined || candidate.tries > most.tries) most = candidate;
  if (most === undefined) return undefined;
  const of = tries.length;
  const because = isMost(most.tries, of);
  const title = most.cause.description.title;
  return { ...most, of, because, words: because ? `because: ${title}` : `in ${most.tries} of ${of} tries: ${title}` };
}

/** True when so many of all are enough to say "because". */
export function isMost(some: number, all: number): boolean {
  return all > 0 && some / all > BECAUSE_ABOVE;
}

function whatWasLost(connection: FailedConnection, drop: ObservedDrop): Lost | undefined {
  if (drop.quoted !== undefined) return sideOf(connection, drop.quoted) === undefined ? undefined : "notice";
  return sideOf(connection, drop);
}

function sideOf(connection: FailedConnection, tuple: PacketTuple): "request" | "answer" | undefined {
  if (tuple.protocol !== connection.protocol) return undefined;
  const isClient = (address: string, port: number) => address === connection.client && port === connection.clientPort;
  const isServer = (address: string, port: number) =>
    (address === connection.server && port === connection.serverPort) ||
    (connection.backend !== undefined &&
      address === connection.backend &&
      port === (connection.backendPort ?? connection.serverPort));
  if (isClient(tuple.src, tuple.sport) && isServer(tuple.dst, tuple.dport)) return "request";
  if (isServer(tuple.src, tuple.sport) && isClient(tuple.dst, tuple.dport)) return "answer";
  return undefined;
}

/** Lower decides before higher: what discards on purpose hides what would have come after it. */
function rank({ description }: JoinedDrop): number {
  if (description.policy || description.layer === "filter" || description.layer === "xfrm") return 0;
  if (description.name === "NO_SOCKET") return 4;
  switch (description.layer) {
    case "ip":
    case "neighbour":
    case "link":
    case "bridge":
    case "tunnel":
      return 1;
    case "queue":
    case "driver":
    case "memory":
      return 2;
    case "tcp":
    case "udp":
    case "socket":
      return 3;
    default:
      return 5;
  }
}
