import type { IdentitiesAnswer, Tuple as TupleRow, TuplesAnswer } from "../model/wire/answers/flows.ts";
import { parseAddress } from "../model/address.ts";
import type { Tuple, TupleEnd, TupleIdentity, TupleSet } from "./tuples.ts";

/** What the store answers beside tuples and identities, where it is known. */
export interface TuplesExtra {
  /** Events produced and lost in the range (the books). */
  readonly produced?: number;
  readonly lost?: number;
  readonly namespaces?: TupleSet["namespaces"];
  readonly names?: TupleSet["names"];
  /** Addresses of an identity's pods, by id. */
  readonly addresses?: ReadonlyMap<string, readonly string[]>;
  readonly ports?: ReadonlyMap<string, TupleIdentity["ports"]>;
}

/** Identities that stand for an address outside rather than for somebody: unknown, world and its two families. */
const OUTSIDE: ReadonlySet<string> = new Set(["0", "2", "9", "10"]);

/**
 * The store's answers as a set of tuples. Both ends' reports of one connection become one tuple; what was dropped and never opened
 * counts as denied only when nothing of it got through. Identities of kind fqdn and cidr are addresses with a name; where the
 * store does not say which address, the tuple stands for each that is known, its connections shared out; where none is known, world.
 */
export function tuplesOfAnswers(tuples: TuplesAnswer, identities: IdentitiesAnswer, extra: TuplesExtra = {}): TupleSet {
  const known = new Map(identities.identities.map((identity) => [identity.id as string, identity]));
  const end = (id: string, address: string, name: string): TupleEnd => {
    const identity = known.get(id);
    if (
      identity !== undefined &&
      identity.kind !== "fqdn" &&
      identity.kind !== "cidr" &&
      !(OUTSIDE.has(id) && address !== "")
    )
      return { kind: "identity", id };
    if (address === "") return { kind: "identity", id };
    const named = name !== "" ? name : identity?.kind === "fqdn" ? identity.workload : undefined;
    return { kind: "address", address, name: named === "" ? undefined : named };
  };
  const whole = new Map<string, Tuple>();
  for (const row of tuples.tuples) {
    const source = end(row.source, row.sourceAddress, "");
    const destination = end(row.destination, row.destinationAddress, row.destinationName);
    const isIcmp = row.protocol === 1 || row.protocol === 58;
    const port = isIcmp ? row.icmpType : row.port;
    const key = JSON.stringify([source, destination, row.protocol, port]);
    whole.set(key, joined(whole.get(key), row, source, destination, port));
  }
  /** Where the store keeps an outside identity but not which of its addresses was meant: all that are known. */
  const outside = (it: TupleEnd): readonly TupleEnd[] => {
    const identity = it.kind === "identity" ? known.get(it.id) : undefined;
    if (identity === undefined || !(identity.kind === "fqdn" || identity.kind === "cidr")) return [it];
    const { id, workload } = identity;
    if (parseAddress(workload) !== undefined) return [{ kind: "address", address: workload, name: undefined }];
    const addresses =
      extra.addresses?.get(id) ?? extra.names?.find(({ name }) => name === workload)?.addresses ?? ([] as const);
    const name = extra.names?.some((looked) => looked.name === workload) ? workload : undefined;
    return addresses.length === 0 ? [it] : addresses.map((address) => ({ kind: "address", address, name }));
  };
  const rows = new Map<string, Tuple>();
  for (const tuple of whole.values()) {
    const pairs = outside(tuple.source).flatMap((source) =>
      outside(tuple.destination).map((destination) => ({ source, destination })),
    );
    // Connections are shared out evenly, the first takes what is left over; what was seen counts at least once on each.
    const share = Math.max(Math.min(1, tuple.connections), Math.floor(tuple.connections / pairs.length));
    for (const [at, pair] of pairs.entries()) {
      const connections = at === 0 ? Math.max(share, tuple.connections - share * (pairs.length - 1)) : share;
      const key = JSON.stringify([pair.source, pair.destination, tuple.protocol, tuple.port]);
      const before = rows.get(key);
      rows.set(key, { ...tuple, ...pair, connections: connections + (before?.connections ?? 0) });
    }
  }
  const used = new Set(
    [...rows.values()].flatMap(({ source, destination }) =>
      [source, destination].flatMap((it) => (it.kind === "identity" ? [it.id] : [])),
    ),
  );
  const list = [...used].map((id): TupleIdentity => {
    const identity = known.get(id);
    // Weir's own (weir:namespace, weir:kind) are no labels that a policy could name.
    const labels = new Map(Object.entries(identity?.labels ?? {}).filter(([key]) => !key.startsWith("weir:")));
    const isOutside = identity?.kind === "fqdn" || identity?.kind === "cidr";
    return {
      id,
      namespace: identity?.namespace ?? "",
      workload: identity?.workload ?? id,
      labels,
      addresses: extra.addresses?.get(id) ?? [],
      ports: extra.ports?.get(id) ?? [],
      serviceAccount: "default",
      entity: isOutside
        ? "world"
        : identity?.kind === "reserved" || identity === undefined
          ? (identity?.workload ?? "unknown")
          : undefined,
    };
  });
  const spaces = new Map((extra.namespaces ?? []).map((namespace) => [namespace.name, namespace]));
  for (const { namespace } of list)
    if (namespace !== "" && !spaces.has(namespace)) spaces.set(namespace, { name: namespace, labels: new Map() });
  return {
    from: tuples.answered.from,
    to: tuples.answered.to,
    produced: extra.produced ?? 0,
    lost: extra.lost ?? 0,
    identities: list,
    namespaces: [...spaces.values()],
    names: extra.names ?? [],
    tuples: [...rows.values()],
  };
}

function joined(
  before: Tuple | undefined,
  row: TupleRow,
  source: TupleEnd,
  destination: TupleEnd,
  port: number,
): Tuple {
  // Both ends may report one connection: the larger count is the connections, the sum would be twice as many.
  const connections = Math.max(before?.connections ?? 0, row.opened + row.failed, row.opened === 0 ? row.drops : 0);
  // A refused connection got through; one whose packets were dropped and that never opened did not.
  const passed = row.opened > 0 || row.drops === 0 || (before !== undefined && before.recorded !== "denied");
  return {
    source,
    destination,
    protocol: row.protocol,
    port,
    connections,
    firstSeen: Math.min(before?.firstSeen ?? Infinity, row.firstSeen),
    lastSeen: Math.max(before?.lastSeen ?? 0, row.lastSeen),
    recorded: passed ? undefined : "denied",
    l7: undefined,
    sample: before?.sample ?? row.sampleRow,
  };
}
