import { labelOfAddress } from "./addresses.ts";
import type { Ledger, Outcome } from "./ledger.ts";
import { BLACK_HOLE, labelOf, SILENT_HOST_V6, WORKLOADS } from "./shop.ts";
import type { SeenDrops, StoreSays } from "./store-says.ts";

export const SECTIONS = [
  "connections",
  "bytes",
  "datagrams",
  "drops",
  "retransmits",
  "lookups",
  "names",
  "books",
] as const;
export type Section = (typeof SECTIONS)[number];

/** One line of the check. */
export interface Line {
  readonly section: Section;
  readonly what: string;
  readonly made: number;
  readonly seen: number;
  /** Part of `made - seen` that the books name as lost, shed or quarantined. */
  readonly lost: number;
  /** False when something is neither seen nor lost, or seen without being made. */
  readonly agrees: boolean;
}

export interface ByProduct {
  readonly reason: string;
  readonly location: string;
  readonly edge: string;
  readonly packets: number;
}

export interface Comparison {
  readonly lines: readonly Line[];
  /** Drop reasons that follow from the faults but are the kernel's to choose (a segment that came twice): shown, not judged. */
  readonly byProducts: readonly ByProduct[];
  readonly agrees: boolean;
}

/** Lays what the world did beside what the store says. A difference is excused only by the books' own losses of that kind of event. */
export function compare(ledger: Ledger, store: StoreSays): Comparison {
  const lines = [
    ...beside("connections", madeConnections(ledger), seenConnections(store), lossOf(store, "connections")),
    ...bytesLines(ledger, store),
    ...beside("datagrams", madeDatagrams(ledger), seenDatagrams(store), lossOf(store, "datagrams")),
    ...beside("drops", madeDrops(ledger), seenDrops(store), lossOf(store, "drops"), slackOf(ledger)),
    ...beside(
      "retransmits",
      madeRetransmits(ledger),
      seenRetransmits(store),
      Infinity,
      undefined,
      lossOf(store, "connections") > 0,
    ),
    ...lossyEdges(ledger, store),
    ...beside("lookups", madeLookups(ledger), seenLookups(store), lossOf(store, "lookups")),
    ...namesLines(store),
    ...booksLines(store),
  ];
  return { lines, byProducts: byProductsOf(store), agrees: lines.every((line) => line.agrees) };
}

/** Reasons that the world's faults are known to end in; all others are by-products. */
const PLANNED: ReadonlySet<string> = new Set([
  "NETFILTER_DROP",
  "NO_SOCKET",
  "NEIGH_FAILED",
  "NOT_SPECIFIED",
  "SOCKET_RCVBUFF",
]);

const OUTCOME_OF_REASON: Readonly<Record<string, Outcome>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "timed-out",
  GAVE_UP: "gave-up",
  ECONNRESET: "reset",
  EPIPE: "reset",
};

/** Event types of the books, by what they carry. */
const BOOK_TYPES: Readonly<Record<"connections" | "datagrams" | "drops" | "lookups", RegExp>> = {
  connections: /^(connection|open|close|fail|sweep|nat|alive)/,
  datagrams: /^(conversation|datagram)/,
  drops: /^(drop|unseen)/,
  lookups: /^dns/,
};

type Sums = Map<string, number>;

function beside(section: Section, made: Sums, seen: Sums, loss: number, slack?: Sums, atMost = false): Line[] {
  let left = loss;
  return [...new Set([...made.keys(), ...seen.keys()])].toSorted().map((what) => {
    const [m, s] = [made.get(what) ?? 0, seen.get(what) ?? 0];
    const excused = m > s && (section !== "retransmits" || atMost) ? Math.min(m - s, left) : 0;
    left -= excused;
    const over = s > m ? Math.min(s - m, slack?.get(what) ?? 0) : 0;
    return { section, what, made: m, seen: s, lost: excused, agrees: m - excused === s - over };
  });
}

function lossOf(store: StoreSays, kind: keyof typeof BOOK_TYPES): number {
  return store.books
    .filter((book) => BOOK_TYPES[kind].test(book.type))
    .reduce((sum, book) => sum + book.lost + book.shed + book.quarantined, 0);
}

function add(sums: Sums, key: string, count: number): void {
  if (count !== 0) sums.set(key, (sums.get(key) ?? 0) + count);
}

const end = (address: string): string => labelOfAddress(address) ?? address;
const edge = (from: string, to: string, port: number): string => `${from} → ${to}:${port}`;
const isObserved = (label: string): boolean =>
  WORKLOADS.some((workload) => labelOf(workload) === label && workload.kind !== "outside");

function madeConnections(ledger: Ledger): Sums {
  const sums: Sums = new Map();
  for (const { from, address, port, outcome, opened, count } of ledger.connections) {
    // Nobody watches the client outside: of its failures only the drops are seen, of its connections the server's end.
    if (!isObserved(from) && !opened) continue;
    // The near end of a reset that the server made is the client's ECONNRESET; the server itself reports no error.
    add(sums, `${edge(from, end(address), port)} ${isObserved(from) ? outcome : "ok"}`, count);
  }
  return sums;
}

function seenConnections(store: StoreSays): Sums {
  const sums: Sums = new Map();
  for (const row of store.connections) {
    const translated = row.servicePort !== 0;
    const what = edge(
      end(row.source),
      end(translated ? row.service : row.destination),
      translated ? row.servicePort : row.port,
    );
    const outcome = OUTCOME_OF_REASON[row.reason];
    add(sums, `${what} ok`, row.opened);
    add(sums, `${what} ${outcome ?? (row.reason || "failed")}`, row.failed);
    if (outcome === "reset" && row.closed > 0) {
      add(sums, `${what} reset`, row.closed);
      add(sums, `${what} ok`, -row.closed);
    }
  }
  return sums;
}

/** What the clients' programs wrote and read. Edges with a reset are left out: how much of the last request arrived is nobody's record. */
function bytesLines(ledger: Ledger, store: StoreSays): Line[] {
  const [made, seen]: [Sums, Sums] = [new Map(), new Map()];
  const cut = new Set<string>();
  for (const { from, address, port, outcome, opened, written, read } of ledger.connections) {
    const what = edge(from, end(address), port);
    if (opened && outcome !== "ok") cut.add(what);
    if (!opened) continue;
    add(made, `${what} up`, written);
    add(made, `${what} down`, read);
  }
  for (const row of store.bytes) {
    const translated = row.servicePort !== 0;
    const what = edge(
      end(row.source),
      end(translated ? row.service : row.destination),
      translated ? row.servicePort : row.port,
    );
    add(seen, `${what} up`, row.up);
    add(seen, `${what} down`, row.down);
  }
  for (const what of cut)
    for (const way of ["up", "down"]) for (const sums of [made, seen]) sums.delete(`${what} ${way}`);
  // one lost report loses any number of bytes
  return beside("bytes", made, seen, lossOf(store, "connections") > 0 ? Infinity : 0);
}

function madeDatagrams(ledger: Ledger): Sums {
  const sums: Sums = new Map();
  for (const { from, address, port, count } of ledger.datagrams) add(sums, edge(from, end(address), port), count);
  for (const { from, count } of ledger.lookups) add(sums, edge(from, "platform/dns", 53), count);
  return sums;
}

function seenDatagrams(store: StoreSays): Sums {
  const sums: Sums = new Map();
  for (const { source, destination, port, count } of store.datagrams)
    add(sums, edge(end(source), end(destination), port), count);
  return sums;
}

/** Drops on an edge, whichever way the packet went: the store tells all in the direction client to server. */
const dropKey = (reason: string, from: string, to: string): string => `${reason} ${from} → ${to}`;

function madeDrops(ledger: Ledger): Sums {
  const sums: Sums = new Map();
  for (const { counter, reason, from, to, packets } of ledger.drops) {
    if (counter === "no_listener" || counter === "stray") continue;
    if (counter === "lost_down") add(sums, dropKey(reason, to, from), packets);
    else add(sums, dropKey(reason, from, to), packets);
  }
  // The router counts refusals, but only the programs know whose: each is one SYN that found no socket, save where a rule refused.
  const ruled = ledger.drops.filter((drop) => drop.counter === "rejected").map((drop) => `${drop.from} ${drop.to}`);
  for (const { from, address, outcome, count } of ledger.connections) {
    if (outcome === "refused" && !ruled.includes(`${from} ${end(address)}`))
      add(sums, dropKey("NO_SOCKET", from, end(address)), count);
  }
  return sums;
}

/** Resets without ACK answer a segment that no socket wants any more: a listener that flapped under a connection. Rare, and not to be planned. */
function slackOf(ledger: Ledger): Sums {
  const stray = ledger.drops.find((drop) => drop.counter === "stray")?.packets ?? 0;
  return new Map([[dropKey("NO_SOCKET", "storefront/web", "payments/payments"), stray]]);
}

function seenDrops(store: StoreSays): Sums {
  const sums: Sums = new Map();
  for (const row of store.drops)
    if (isPlanned(row)) add(sums, dropKey(row.reason, end(row.source), end(row.destination)), row.packets);
  return sums;
}

/** Without a reason of its own a drop is the world's doing only where the world makes such. */
const UNNAMED_TO: ReadonlySet<string> = new Set([BLACK_HOLE, SILENT_HOST_V6]);

function isPlanned(row: SeenDrops): boolean {
  const [from, to] = [labelOfAddress(row.source), labelOfAddress(row.destination)];
  if (from === undefined || to === undefined || (row.protocol !== 6 && row.protocol !== 17)) return false;
  return row.reason === "NOT_SPECIFIED" ? UNNAMED_TO.has(to) : PLANNED.has(row.reason);
}

function byProductsOf(store: StoreSays): ByProduct[] {
  return store.drops
    .filter((row) => !isPlanned(row))
    .map(({ reason, location, source, destination, packets }) => ({
      reason,
      location,
      edge: `${end(source)} → ${end(destination)}`,
      packets,
    }));
}

function madeRetransmits(ledger: Ledger): Sums {
  const sums: Sums = new Map();
  for (const { workload, segments } of ledger.retransmits) add(sums, `sent again by ${workload}`, segments);
  return sums;
}

function seenRetransmits(store: StoreSays): Sums {
  const sums: Sums = new Map();
  for (const { source, destination, reporter, segments } of store.retransmits)
    add(sums, `sent again by ${end(reporter === "client" ? source : destination)}`, segments);
  return sums;
}

/** Each edge that lost data must show retransmits: 1 made, 1 seen. */
function lossyEdges(ledger: Ledger, store: StoreSays): Line[] {
  const seen = new Set(
    store.retransmits.filter((row) => row.segments > 0).map((row) => `${end(row.source)} → ${end(row.destination)}`),
  );
  return ledger.retransmitting.map((what) => ({
    section: "retransmits" as const,
    what: `edge ${what}`,
    made: 1,
    seen: seen.has(what) ? 1 : 0,
    lost: 0,
    agrees: seen.has(what),
  }));
}

function madeLookups(ledger: Ledger): Sums {
  const sums: Sums = new Map();
  for (const { name, type, rcode, count } of ledger.lookups)
    if (rcode !== "TIMEOUT" && rcode !== "UNREACHABLE") add(sums, `${name} ${type} ${rcode}`, count);
  return sums;
}

function seenLookups(store: StoreSays): Sums {
  const sums: Sums = new Map();
  for (const { name, type, rcode, count } of store.lookups) add(sums, `${name} ${type} ${rcode}`, count);
  return sums;
}

/** Reports whose namespace and workload are not those of the inventory: must be none. */
function namesLines(store: StoreSays): Line[] {
  const wrong: Sums = new Map();
  let right = 0;
  for (const { address, namespace, workload, reports } of store.names) {
    const label = labelOfAddress(address);
    const said = namespace === "" ? workload : `${namespace}/${workload}`;
    if (label === undefined || !WORKLOADS.some((one) => labelOf(one) === label)) continue; // not in the inventory
    if (label === said) right += reports;
    else add(wrong, `${label} called ${said === "" ? "nothing" : said}`, reports);
  }
  const lines = [...wrong].map(([what, seen]) => ({
    section: "names" as const,
    what,
    made: 0,
    seen,
    lost: 0,
    agrees: false,
  }));
  return [
    {
      section: "names",
      what: "reports with the inventory's names",
      made: right,
      seen: right,
      lost: 0,
      agrees: right > 0,
    },
    ...lines,
  ];
}

/** produced = stored + lost + shed + quarantined + filtered, for each type. */
function booksLines(store: StoreSays): Line[] {
  return store.books.map((book) => {
    const lost = book.lost + book.shed + book.quarantined;
    return {
      section: "books" as const,
      what: `${book.type} (${book.filtered} filtered)`,
      made: book.produced,
      seen: book.stored,
      lost,
      agrees: book.produced === book.stored + lost + book.filtered,
    };
  });
}
