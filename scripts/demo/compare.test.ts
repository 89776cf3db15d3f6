import { describe, expect, test } from "vitest";
import { compare } from "./compare.ts";
import type { BookSum, SeenConnections, StoreSays } from "./store-says.ts";
import { LedgerSums, type Entry, type Ledger, type Outcome } from "./ledger.ts";
import { formatComparison } from "./table.ts";

const WEB = "10.42.1.10";
const CART_SERVICE = "10.96.0.20";
const CART_0 = "10.42.1.18";
const GATEWAY = "10.42.0.10";

function connection(from: string, address: string, port: number, outcome: Outcome = "ok"): Entry {
  const opened = outcome === "ok" || outcome === "reset";
  return {
    kind: "connection",
    at: 0,
    traffic: "t",
    from,
    address,
    port,
    family: 4,
    outcome,
    opened,
    written: 0,
    read: 0,
    ms: 1,
  };
}

function ledgerOf(
  entries: readonly Entry[],
  facts: Partial<Pick<Ledger, "drops" | "retransmits" | "retransmitting">> = {},
): Ledger {
  const sums = new LedgerSums();
  for (const entry of entries) sums.add(entry);
  return { ...sums.sums(), drops: [], retransmits: [], retransmitting: [], ...facts };
}

function seen(source: string, destination: string, port: number, more: Partial<SeenConnections> = {}): SeenConnections {
  return {
    source: `::ffff:${source}`,
    destination: `::ffff:${destination}`,
    port,
    service: "::",
    servicePort: 0,
    reason: "",
    opened: 1,
    closed: 1,
    failed: 0,
    ...more,
  };
}

const NAMES = [{ address: `::ffff:${WEB}`, namespace: "storefront", workload: "web", reports: 1 }];
const STORE: StoreSays = {
  connections: [],
  bytes: [],
  drops: [],
  retransmits: [],
  lookups: [],
  datagrams: [],
  names: NAMES,
  books: [],
};
const book = (type: string, lost: number): BookSum => ({
  type,
  produced: 10,
  stored: 10 - lost,
  lost,
  shed: 0,
  quarantined: 0,
  filtered: 0,
});

describe("the check", () => {
  test("agrees when the store says what the world did", () => {
    const ledger = ledgerOf([
      connection("storefront/web", "10.42.1.26", 8080),
      connection("storefront/web", "10.42.3.11", 8443, "refused"),
    ]);
    const connections = [
      seen(WEB, "10.42.1.26", 8080),
      seen(WEB, "10.42.3.11", 8443, { reason: "ECONNREFUSED", opened: 0, closed: 0, failed: 1 }),
    ];
    const drops = [
      {
        source: WEB,
        destination: "10.42.3.11",
        port: 8443,
        protocol: 6,
        reason: "NO_SOCKET",
        location: "tcp_v4_rcv",
        packets: 1,
      },
    ];
    expect(compare(ledger, { ...STORE, connections, drops }).agrees).toBe(true);
  });

  test("says which edge is missing when nothing was counted as lost", () => {
    const ledger = ledgerOf([connection("storefront/web", "10.42.1.26", 8080)]);
    const { agrees, lines } = compare(ledger, STORE);
    expect(agrees).toBe(false);
    expect(lines.find((line) => !line.agrees)).toMatchObject({
      what: "storefront/web → storefront/catalog:8080 ok",
      made: 1,
      seen: 0,
      lost: 0,
    });
  });

  test("excuses no more than what the books call lost, and only for that kind of event", () => {
    const ledger = ledgerOf([
      connection("storefront/web", "10.42.1.26", 8080),
      connection("storefront/web", "10.42.1.27", 8080),
    ]);
    const one = { ...STORE, connections: [seen(WEB, "10.42.1.26", 8080)] };
    expect(compare(ledger, { ...one, books: [book("open", 1)] }).agrees).toBe(true);
    expect(compare(ledger, { ...STORE, books: [book("open", 1)] }).agrees).toBe(false);
    expect(compare(ledger, { ...one, books: [book("drop", 1)] }).agrees).toBe(false);
  });

  test("never excuses something that was seen but not made", () => {
    const extra = { ...STORE, connections: [seen(WEB, "10.42.1.26", 8080)], books: [book("open", 5)] };
    expect(compare(ledgerOf([]), extra).agrees).toBe(false);
  });

  test("knows a connection by the service address, translated or not", () => {
    const ledger = ledgerOf([
      connection("storefront/web", CART_SERVICE, 80),
      connection("storefront/web", CART_SERVICE, 80),
    ]);
    const connections = [
      seen(WEB, CART_0, 8080, { service: `::ffff:${CART_SERVICE}`, servicePort: 80 }),
      seen(WEB, CART_SERVICE, 80),
    ];
    expect(compare(ledger, { ...STORE, connections }).agrees).toBe(true);
  });

  test("counts payload both ways, save on edges with a reset", () => {
    const served = { ...connection("storefront/web", "10.42.1.26", 8080), written: 300, read: 4000 } as Entry;
    const connections = [seen(WEB, "10.42.1.26", 8080)];
    const bytes = (up: number, down: number) => [
      { source: WEB, destination: "10.42.1.26", port: 8080, service: "::", servicePort: 0, up, down },
    ];
    expect(compare(ledgerOf([served]), { ...STORE, connections, bytes: bytes(300, 4000) }).agrees).toBe(true);
    expect(compare(ledgerOf([served]), { ...STORE, connections, bytes: bytes(301, 4000) }).agrees).toBe(false);
    const cut = connection("storefront/web", "10.42.1.26", 8080, "reset");
    const reset = seen(WEB, "10.42.1.26", 8080, { reason: "ECONNRESET", opened: 0 });
    const both = [...connections, ...connections.map((row) => ({ ...row, closed: 0 })), reset];
    expect(compare(ledgerOf([served, cut]), { ...STORE, connections: both, bytes: bytes(301, 4000) }).agrees).toBe(
      true,
    );
  });

  test("tells a reset from an end in peace", () => {
    const ledger = ledgerOf([connection("storefront/web", "10.42.3.10", 8443, "reset")]);
    const open = seen(WEB, "10.42.3.10", 8443, { closed: 0 });
    const close = seen(WEB, "10.42.3.10", 8443, { opened: 0, closed: 1, reason: "ECONNRESET" });
    expect(compare(ledger, { ...STORE, connections: [open, close] }).agrees).toBe(true);
    expect(compare(ledger, { ...STORE, connections: [open, { ...close, reason: "" }] }).agrees).toBe(false);
  });

  test("expects no failed connection of a client that nobody observes, but the drop it caused", () => {
    const ledger = ledgerOf([connection("crawler", GATEWAY, 8081, "refused")]);
    const drops = [
      {
        source: "203.0.113.7",
        destination: GATEWAY,
        port: 8081,
        protocol: 6,
        reason: "NO_SOCKET",
        location: "tcp_v4_rcv",
        packets: 1,
      },
    ];
    expect(compare(ledger, { ...STORE, drops }).agrees).toBe(true);
    expect(compare(ledger, STORE).agrees).toBe(false);
  });

  test("does not expect a missing socket where a rule rejected", () => {
    const drop = {
      counter: "rejected",
      reason: "NETFILTER_DROP",
      what: "",
      from: "storefront/catalog",
      to: "payments/ledger",
      packets: 1,
    };
    const ledger = ledgerOf([connection("storefront/catalog", "10.42.3.20", 9090, "refused")], { drops: [drop] });
    const connections = [
      seen("10.42.1.26", "10.42.3.20", 9090, { reason: "ECONNREFUSED", opened: 0, closed: 0, failed: 1 }),
    ];
    const drops = [
      {
        source: "10.42.1.26",
        destination: "10.42.3.20",
        port: 9090,
        protocol: 6,
        reason: "NETFILTER_DROP",
        location: "tcp_v4_rcv",
        packets: 1,
      },
    ];
    expect(compare(ledger, { ...STORE, connections, drops }).agrees).toBe(true);
  });

  test("adds up a lossy link's drops of both directions, and wants its retransmits", () => {
    const lost = (counter: string, from: string, to: string, packets: number) => ({
      counter,
      reason: "NETFILTER_DROP",
      what: "",
      from,
      to,
      packets,
    });
    const facts = {
      drops: [
        lost("lost_up", "storefront/catalog", "data/db", 2),
        lost("lost_down", "data/db", "storefront/catalog", 3),
      ],
      retransmits: [{ workload: "data/db", segments: 4 }],
      retransmitting: ["storefront/catalog → data/db"],
    };
    const drops = [
      {
        source: "10.42.1.26",
        destination: "10.42.2.31",
        port: 5432,
        protocol: 6,
        reason: "NETFILTER_DROP",
        location: "tcp_v4_rcv",
        packets: 5,
      },
    ];
    const retransmits = [{ source: "10.42.1.26", destination: "10.42.2.31", reporter: "server" as const, segments: 4 }];
    expect(compare(ledgerOf([], facts), { ...STORE, drops, retransmits }).agrees).toBe(true);
    expect(compare(ledgerOf([], facts), { ...STORE, drops }).agrees).toBe(false);
  });

  test("shows but does not judge reasons that are the kernel's own doing", () => {
    const drops = [
      {
        source: "10.42.2.31",
        destination: "10.42.1.26",
        port: 1,
        protocol: 6,
        reason: "TCP_OLD_DATA",
        location: "tcp_v4_rcv",
        packets: 2,
      },
    ];
    const comparison = compare(ledgerOf([]), { ...STORE, drops });
    expect(comparison.agrees).toBe(true);
    expect(comparison.byProducts).toEqual([
      { reason: "TCP_OLD_DATA", location: "tcp_v4_rcv", edge: "data/db → storefront/catalog", packets: 2 },
    ]);
  });

  test("finds an address with somebody else's name, and books that do not balance", () => {
    const wrong = {
      ...STORE,
      names: [...NAMES, { address: "10.42.2.31", namespace: "data", workload: "cache", reports: 3 }],
    };
    expect(compare(ledgerOf([]), wrong).agrees).toBe(false);
    expect(compare(ledgerOf([]), { ...STORE, books: [{ ...book("open", 0), stored: 9 }] }).agrees).toBe(false);
  });

  test("compares look-ups by name, type and code, and leaves out those that got no answer", () => {
    const lookup = (rcode: string): Entry => ({
      kind: "lookup",
      at: 0,
      from: "storefront/web",
      server: "10.42.0.53",
      name: "a.example",
      type: "A",
      rcode,
      ms: 1,
    });
    const ledger = ledgerOf([lookup("NXDOMAIN"), lookup("TIMEOUT")]);
    const datagrams = [{ source: WEB, destination: "10.42.0.53", port: 53, count: 2 }];
    const lookups = [{ name: "a.example", type: "A", rcode: "NXDOMAIN", count: 1 }];
    expect(compare(ledger, { ...STORE, datagrams, lookups }).agrees).toBe(true);
  });

  test("prints the sentence that the exit code stands for", () => {
    const ledger = ledgerOf([connection("storefront/web", "10.42.1.26", 8080)]);
    expect(formatComparison(compare(ledger, STORE))).toContain("made but not seen");
    expect(formatComparison(compare(ledger, { ...STORE, connections: [seen(WEB, "10.42.1.26", 8080)] }))).toContain(
      "nothing is lost",
    );
  });
});
