import { parseAddress, isV4 } from "../model/address.ts";
import { isStandIn } from "./stand-ins.ts";
import { PROTOCOL_NUMBERS, type QuestionColumns } from "./engine.ts";
import {
  EMPTY_WORLD,
  type Family,
  type NamedPort,
  type Side,
  type World,
  type WorldConfig,
  type WorldEndpoint,
} from "./world.ts";
import { familyOf, type WorldIndex } from "./world-index.ts";

/** Who talked: pods that share their labels are one identity. */
export interface TupleIdentity {
  /** Unique in its set; the store's 64-bit hash as text, or any name. */
  readonly id: string;
  readonly namespace: string;
  /** `web`, as people call it. */
  readonly workload: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Addresses of its pods, where known: CIDR rules need them. */
  readonly addresses: readonly string[];
  readonly ports: readonly NamedPort[];
  readonly serviceAccount: string;
  /** Cilium's name when it is no pod: host, world, kube-apiserver, …; `service` for a service whose back ends are not known. */
  readonly entity: string | undefined;
}

export type TupleEnd =
  | { readonly kind: "identity"; readonly id: string }
  /** An address without identity; `name` is the domain name that it was looked up under, `called` what the inventory calls it. */
  | {
      readonly kind: "address";
      readonly address: string;
      readonly name: string | undefined;
      readonly called?: string | undefined;
    };

/** Unique traffic of a range: who, to whom, on which port, how often. */
export interface Tuple {
  readonly source: TupleEnd;
  readonly destination: TupleEnd;
  /** IANA's number. */
  readonly protocol: number;
  /** Destination port; for ICMP the type. */
  readonly port: number;
  /** IP version, where it is known and makes a difference: an end has addresses of another one too. */
  readonly family?: Family | undefined;
  readonly connections: number;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** What was recorded; undefined: no verdict was, so it happened. */
  readonly recorded: "allowed" | "denied" | undefined;
  /** `GET /cart` or a looked-up name, where the traffic was seen at layer 7. */
  readonly l7: string | undefined;
  /** Row id of one flow of it. */
  readonly sample: string | undefined;
}

/** Tuples with what they rest on. */
export interface TupleSet {
  /** Milliseconds since 1970, end exclusive. */
  readonly from: number;
  readonly to: number;
  /** Events that were produced and that were lost on the way, as the books have them. */
  readonly produced: number;
  readonly lost: number;
  readonly identities: readonly TupleIdentity[];
  readonly namespaces: readonly { readonly name: string; readonly labels: ReadonlyMap<string, string> }[];
  readonly names: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly tuples: readonly Tuple[];
  /** Connections to outside names whose address was not recorded: they are shared out over the addresses that were looked up. */
  readonly sharedOut?: number | undefined;
}

/** What an answer rests on, for every screen and report that shows one. */
export interface Basis {
  readonly from: number;
  readonly to: number;
  readonly tuples: number;
  readonly connections: number;
  /** 0–1: connections with an end inside private address space that no identity is known for. */
  readonly unknownShare: number;
  /** 0–1: events lost of those produced; undefined when nothing is known about it. */
  readonly lostShare: number | undefined;
  /** 0–1: connections to outside names whose address was not recorded, and is one of those that were looked up. */
  readonly sharedOutShare: number;
}

export function basisOf(set: TupleSet): Basis {
  let connections = 0;
  let unknown = 0;
  for (const tuple of set.tuples) {
    connections += tuple.connections;
    if (isUnknown(tuple.source) || isUnknown(tuple.destination)) unknown += tuple.connections;
  }
  return {
    from: set.from,
    to: set.to,
    tuples: set.tuples.length,
    connections,
    unknownShare: connections === 0 ? 0 : unknown / connections,
    lostShare: set.produced === 0 ? undefined : set.lost / set.produced,
    sharedOutShare: connections === 0 ? 0 : Math.min(1, (set.sharedOut ?? 0) / connections),
  };
}

/** A private address without identity is somebody of ours that we don't know; a public one is just outside. */
function isUnknown(end: TupleEnd): boolean {
  if (end.kind === "identity" || end.name !== undefined || end.called !== undefined) return false;
  const bytes = parseAddress(end.address);
  if (bytes === undefined) return true;
  if (!isV4(bytes)) return (bytes[0]! & 0xfe) === 0xfc || (bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80);
  const [a, b] = [bytes[12]!, bytes[13]!];
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128);
}

/** The world that tuples describe: identities as endpoints, looked-up names, namespaces. `extra` adds what only others know. */
export function worldOfTuples(set: TupleSet, config: WorldConfig = {}, extra: Partial<World> = {}): World {
  const endpoints = set.identities.filter((identity) => identity.entity === undefined).map(endpointOf);
  const names = new Map<string, Set<string>>();
  for (const { name, addresses } of set.names) names.set(name, new Set([...(names.get(name) ?? []), ...addresses]));
  for (const { source, destination } of set.tuples)
    for (const end of [source, destination])
      if (end.kind === "address" && end.name !== undefined)
        names.set(end.name, (names.get(end.name) ?? new Set()).add(end.address));
  return {
    ...EMPTY_WORLD,
    namespaces: set.namespaces,
    dnsNames: [...names].map(([name, addresses]) => ({ name, addresses: [...addresses] })),
    ...extra,
    endpoints: [...endpoints, ...(extra.endpoints ?? [])],
    config: { ...config, ...extra.config },
  };
}

/** An identity as an endpoint of the world. */
export function endpointOf(identity: TupleIdentity): WorldEndpoint {
  const { namespace, workload, id, labels, addresses, serviceAccount, ports } = identity;
  return { namespace, name: id, workload, labels, addresses, serviceAccount, ports };
}

/** Tuples as questions against a world that has their identities (worldOfTuples). Row i asks about tuple i; ends that are nobody ask about 0.0.0.0. */
export function questionsOfTuples(set: TupleSet, world: WorldIndex): QuestionColumns {
  const sides = new Map<string, Side>();
  for (const { id, namespace, entity } of set.identities) {
    const index = entity === undefined ? world.endpointNumber(namespace, id) : undefined;
    if (index !== undefined) sides.set(id, { kind: "endpoint", index });
    else if (entity !== undefined) sides.set(id, { kind: "entity", entity });
  }
  const sideOf = (end: TupleEnd, family: Family | undefined): number => {
    const side: Side | undefined =
      end.kind === "identity" ? sides.get(end.id) : { kind: "address", address: end.address };
    const id =
      (side === undefined ? undefined : world.idOf(side)) ?? world.idOf({ kind: "address", address: "0.0.0.0" }) ?? 0;
    return world.ofFamily(id, family);
  };
  const length = set.tuples.length;
  const columns = {
    length,
    source: new Uint32Array(length),
    destination: new Uint32Array(length),
    protocol: new Uint8Array(length),
    port: new Uint16Array(length),
  };
  for (const [row, tuple] of set.tuples.entries()) {
    const family = tupleFamily(tuple);
    columns.source[row] = sideOf(tuple.source, family);
    columns.destination[row] = sideOf(tuple.destination, family);
    columns.protocol[row] = tuple.protocol;
    columns.port[row] = tuple.port;
  }
  return columns;
}

/** The IP version of a tuple: an address says it, ICMP does, or it was recorded. Undefined: not known. */
export function tupleFamily({ source, destination, protocol, family }: Tuple): Family | undefined {
  for (const end of [source, destination])
    if (end.kind === "address" && !isStandIn(end.address)) return familyOf(end.address);
  return family ?? (protocol === 1 ? 4 : protocol === 58 ? 6 : undefined);
}

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(
  [...PROTOCOL_NUMBERS].map(([name, number]) => [number, name]),
);

/** `TCP`, or the number where it has no name here. */
export function protocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? String(protocol);
}

/** `TCP 8443`, `ICMP type 8`, `TCP` for port 0. */
export function portText(protocol: number, port: number): string {
  const name = protocolName(protocol);
  if (protocol === 1 || protocol === 58) return `${name} type ${port}`;
  return port === 0 ? name : `${name} ${port}`;
}

/** `portText`, with the IP version where there is a tuple of each: `TCP 5432 over IPv6`. */
export function tuplePortText({ protocol, port, family }: Pick<Tuple, "protocol" | "port" | "family">): string {
  return family === undefined ? portText(protocol, port) : `${portText(protocol, port)} over IPv${family}`;
}

/** An end for people: `shop/web`, `api.example.com (93.184.216.34)`, `8.8.8.8`, `host`. */
export function endText(end: TupleEnd, identities: ReadonlyMap<string, TupleIdentity>): string {
  if (end.kind === "address") {
    const called = end.name ?? end.called;
    if (called === undefined || called === end.address) return end.address;
    return isStandIn(end.address) ? called : `${called} (${end.address})`;
  }
  const identity = identities.get(end.id);
  if (identity === undefined) return end.id;
  if (identity.workload === "" && identity.entity !== undefined) return identity.entity;
  return identity.namespace === "" ? identity.workload : `${identity.namespace}/${identity.workload}`;
}
