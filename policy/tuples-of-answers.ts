import type { Tuple as TupleRow } from "../model/wire/answers/flows.ts";
import type { TrafficAnswer } from "../model/wire/answers/what-if.ts";
import { parseAddress } from "../model/address.ts";
import { PROTOCOL_NUMBERS } from "./engine.ts";
import { standIn } from "./stand-ins.ts";
import type { Tuple, TupleEnd, TupleIdentity, TupleSet } from "./tuples.ts";
import { familyOf } from "./world-index.ts";
import type { Family } from "./world.ts";

/** Identities that stand for an address outside rather than for somebody: unknown, world and its two families. */
const OUTSIDE: ReadonlySet<string> = new Set(["0", "2", "9", "10"]);
type StoredIdentity = TrafficAnswer["identities"]["identities"][number];

/**
 * The store's answer as a set of tuples. Both ends' reports of one connection become one tuple; what was dropped and never opened
 * counts as denied only when nothing of it got through. Identities of kind fqdn and cidr are addresses with a name. In hours recorded
 * before migration 11 the store does not say which address: the tuple then stands for each that is known, its connections shared out
 * (`sharedOut` counts them); where none is known a name has a stand-in (stand-ins.ts), and what is no name is the world. A service's
 * address is none that policies see: it stands for the workload of its name, by the port of the same name there, else for nobody.
 */
export function tuplesOfTraffic(answer: TrafficAnswer): TupleSet {
  const known = new Map(answer.identities.identities.map((identity) => [identity.id as string, identity]));
  const addresses = new Map(answer.addresses.map((it) => [it.id, it.addresses]));
  const ports = new Map(answer.ports.map((it) => [it.id, it.ports]));
  const tellsFamilies = familyTeller(addresses);
  const backEnd = backEnds(answer.identities.identities, ports);
  const reports = new Map<string, Reports>();
  for (const row of answer.tuples.tuples) {
    const source = endOf(known, row.source, row.sourceAddress, "");
    const behind = backEnd(row);
    const destination = endOf(known, behind.id, row.destinationAddress, row.destinationName);
    const port = row.protocol === 1 || row.protocol === 58 ? row.icmpType : behind.port;
    const family = row.family !== 0 && (tellsFamilies(source, row.family) || tellsFamilies(destination, row.family));
    const key = JSON.stringify([source, destination, row.protocol, port, family ? row.family : 0]);
    let together = reports.get(key);
    if (together === undefined)
      reports.set(
        key,
        (together = new Reports(source, destination, port, family ? (row.family as Family) : undefined)),
      );
    together.add(row);
  }
  const { tuples, sharedOut } = placed(
    [...reports.values()].map((together) => together.tuple()),
    known,
    addresses,
    answer.names,
  );
  const used = new Set(
    tuples.flatMap(({ source, destination }) =>
      [source, destination].flatMap((it) => (it.kind === "identity" ? [it.id] : [])),
    ),
  );
  const identities = [...used].map((id) => identityOf(id, known.get(id), addresses.get(id), ports.get(id)));
  const spaces = new Set(identities.map(({ namespace }) => namespace).filter((namespace) => namespace !== ""));
  return {
    from: answer.tuples.answered.from,
    to: answer.tuples.answered.to,
    ...answer.books,
    identities,
    namespaces: [...spaces].map((name) => ({ name, labels: new Map() })),
    names: answer.names,
    tuples,
    ...(sharedOut === 0 ? {} : { sharedOut }),
  };
}

/** Where a row went in the end, as far as names tell: many services are called as their workload is. */
function backEnds(
  identities: readonly StoredIdentity[],
  ports: ReadonlyMap<string, TupleIdentity["ports"]>,
): (row: TupleRow) => { readonly id: string; readonly port: number } {
  const services = new Map(identities.flatMap((it) => (it.kind === "service" ? [[it.id as string, it] as const] : [])));
  const workloads = new Map(
    identities.flatMap((it) => (it.kind === "workload" ? [[`${it.namespace}/${it.workload}`, it.id as string]] : [])),
  );
  return ({ destination, port, protocol }) => {
    const service = services.get(destination);
    const workload = service === undefined ? undefined : workloads.get(`${service.namespace}/${service.workload}`);
    if (workload === undefined) return { id: destination, port };
    const isIt = (it: TupleIdentity["ports"][number]) => PROTOCOL_NUMBERS.get(it.protocol) === protocol;
    const name = ports.get(destination)?.find((it) => isIt(it) && it.port === port)?.name;
    const target = ports.get(workload)?.find((it) => isIt(it) && it.name === name)?.port;
    return { id: workload, port: target ?? port };
  };
}

/** Outside ends with an address are that address; everybody else is an identity. */
function endOf(known: ReadonlyMap<string, StoredIdentity>, id: string, address: string, name: string): TupleEnd {
  const identity = known.get(id);
  const isPlace = identity === undefined || isOutside(identity) || OUTSIDE.has(id);
  if (!isPlace || address === "") return { kind: "identity", id };
  const looked = name !== "" ? name : identity?.kind === "fqdn" ? identity.workload : "";
  const called = identity?.kind === "cidr" ? identity.workload : "";
  return {
    kind: "address",
    address,
    name: looked === "" ? undefined : looked,
    ...(called === "" || called === address ? {} : { called }),
  };
}

function isOutside({ kind }: StoredIdentity): boolean {
  return kind === "fqdn" || kind === "cidr";
}

/** Whether an end has addresses of another IP version than a tuple's, so that the two versions may be judged apart. */
function familyTeller(addresses: ReadonlyMap<string, readonly string[]>): (end: TupleEnd, family: number) => boolean {
  const families = new Map([...addresses].map(([id, list]) => [id, new Set(list.map(familyOf))]));
  return (end, family) => {
    const own = end.kind === "identity" ? families.get(end.id) : undefined;
    return own !== undefined && [...own].some((it) => it !== family);
  };
}

/** All rows of one tuple. */
class Reports {
  readonly #ends: { readonly source: TupleEnd; readonly destination: TupleEnd };
  readonly #port: number;
  readonly #family: Family | undefined;
  readonly #byDirection = new Map<string, { opened: number; failed: number; drops: number }>();
  #protocol = 0;
  #firstSeen = Infinity;
  #lastSeen = 0;
  #passed = false;
  #sample: string | undefined;

  constructor(source: TupleEnd, destination: TupleEnd, port: number, family: Family | undefined) {
    this.#ends = { source, destination };
    this.#port = port;
    this.#family = family;
  }

  add(row: TupleRow): void {
    const sums = this.#byDirection.get(row.direction) ?? { opened: 0, failed: 0, drops: 0 };
    sums.opened += row.opened;
    sums.failed += row.failed;
    sums.drops += row.drops;
    this.#byDirection.set(row.direction, sums);
    this.#protocol = row.protocol;
    this.#firstSeen = Math.min(this.#firstSeen, row.firstSeen);
    this.#lastSeen = Math.max(this.#lastSeen, row.lastSeen);
    // A refused connection got through; one whose packets were dropped and that never opened did not.
    this.#passed ||= row.opened > 0 || row.drops === 0;
    this.#sample ??= row.sampleRow;
  }

  /** Both ends may report one connection: the larger count is the connections, the sum would be twice as many. */
  tuple(): Tuple {
    const counts = [...this.#byDirection.values()].map(({ opened, failed, drops }) =>
      Math.max(opened + failed, opened === 0 ? drops : 0),
    );
    return {
      ...this.#ends,
      protocol: this.#protocol,
      port: this.#port,
      ...(this.#family === undefined ? {} : { family: this.#family }),
      connections: Math.max(...counts),
      firstSeen: this.#firstSeen,
      lastSeen: this.#lastSeen,
      recorded: this.#passed ? undefined : "denied",
      l7: undefined,
      sample: this.#sample,
    };
  }
}

/** Tuples whose outside ends are addresses, as far as any is known; `sharedOut`: connections for which that is a guess among several. */
function placed(
  tuples: readonly Tuple[],
  known: ReadonlyMap<string, StoredIdentity>,
  addresses: ReadonlyMap<string, readonly string[]>,
  names: TrafficAnswer["names"],
): { tuples: Tuple[]; sharedOut: number } {
  const told = new Map(names.map((looked) => [looked.name, looked.addresses]));
  const places = new Map<string, readonly TupleEnd[]>();
  const placesOf = (end: TupleEnd): readonly TupleEnd[] => {
    const identity = end.kind === "identity" ? known.get(end.id) : undefined;
    if (identity === undefined || !isOutside(identity)) return [end];
    let list = places.get(identity.id);
    if (list === undefined)
      places.set(identity.id, (list = outsidePlaces(end, identity, addresses, told, places.size + 1)));
    return list;
  };
  const rows = new Map<string, Tuple>();
  let sharedOut = 0;
  for (const tuple of tuples) {
    const pairs = placesOf(tuple.source).flatMap((source) =>
      placesOf(tuple.destination).map((destination) => ({ source, destination })),
    );
    if (pairs.length > 1) sharedOut += tuple.connections;
    // Connections are shared out evenly, the first takes what is left over; what was seen counts at least once on each.
    const share = Math.max(Math.min(1, tuple.connections), Math.floor(tuple.connections / pairs.length));
    for (const [at, pair] of pairs.entries()) {
      const connections = at === 0 ? Math.max(share, tuple.connections - share * (pairs.length - 1)) : share;
      const key = JSON.stringify([pair.source, pair.destination, tuple.protocol, tuple.port, tuple.family]);
      const before = rows.get(key);
      const { firstSeen, lastSeen, recorded } = before ?? tuple;
      rows.set(key, {
        ...tuple,
        ...pair,
        connections: connections + (before?.connections ?? 0),
        firstSeen: Math.min(firstSeen, tuple.firstSeen),
        lastSeen: Math.max(lastSeen, tuple.lastSeen),
        recorded: recorded === tuple.recorded ? recorded : undefined,
      });
    }
  }
  return { tuples: [...rows.values()], sharedOut };
}

function outsidePlaces(
  end: TupleEnd,
  { id, kind, workload }: StoredIdentity,
  addresses: ReadonlyMap<string, readonly string[]>,
  told: ReadonlyMap<string, readonly string[]>,
  number: number,
): readonly TupleEnd[] {
  if (parseAddress(workload) !== undefined) return [{ kind: "address", address: workload, name: undefined }];
  const name = kind === "fqdn" || told.has(workload) ? workload : undefined;
  const list = addresses.get(id) ?? told.get(workload) ?? [];
  if (list.length === 0 && kind === "fqdn") return [{ kind: "address", address: standIn(number), name }];
  if (list.length === 0) return [end];
  const called = name === undefined ? { called: workload } : {};
  return list.map((address) => ({ kind: "address", address, name, ...called }));
}

function identityOf(
  id: string,
  identity: StoredIdentity | undefined,
  addresses: readonly string[] | undefined,
  ports: TupleIdentity["ports"] | undefined,
): TupleIdentity {
  // Weir's own (weir:namespace, weir:kind) are no labels that a policy could name.
  const labels = new Map(Object.entries(identity?.labels ?? {}).filter(([key]) => !key.startsWith("weir:")));
  const isReserved = identity === undefined || identity.kind === "reserved";
  const isService = identity?.kind === "service";
  return {
    id,
    namespace: identity?.namespace ?? "",
    workload: identity?.workload ?? id,
    labels,
    addresses: addresses ?? [],
    ports: ports ?? [],
    serviceAccount: "default",
    entity:
      identity !== undefined && isOutside(identity)
        ? "world"
        : isService
          ? "service"
          : isReserved
            ? (identity?.workload ?? "unknown")
            : undefined,
  };
}
