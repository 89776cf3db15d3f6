/** Batches to rows: the numbers, the direction, whose report counts. Batches are made here column by column, as a source does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAddress } from "../../model/address.ts";
import { FILTER_KEYS } from "../../model/filter/ast.ts";
import { compileFilter } from "../../model/filter/match.ts";
import { parseFilter } from "../../model/filter/parse.ts";
import {
  bytesOf,
  connColumns,
  conversationColumns,
  Direction,
  dropColumns,
  EventType,
  natColumns,
  TcpState,
  type Batch,
  type CommonColumns,
} from "../decode/columns.ts";
import { Books } from "../health/books.ts";
import { Cgroups } from "../identity/cgroups.ts";
import { Identities } from "../identity/identities.ts";
import { InventoryIndex } from "../identity/inventory-index.ts";
import { parseInventory } from "../identity/inventory.ts";
import { Who } from "../identity/who.ts";
import { compileRowFilter } from "../live/filter.ts";
import type { Lot } from "../spool/append.ts";
import { FlowEncoder } from "./encode.ts";
import { flowOf } from "./flow-of.ts";
import type { FlowRows } from "./flow-rows.ts";
import { RowPipeline } from "./pipeline.ts";
import { ProcessNames, Sockets } from "./row-maker.ts";
import { Strings } from "./strings.ts";
import { Tuples } from "./tuples.ts";
import type { Flow } from "../../model/flow.ts";

const START = 1_700_000_000;
const WEB = 4026532001;
const CART = 4026532002;
const reporter = { node: "n1", boot: "0a1b2c3d-0000-4000-8000-000000000000", generation: 3 };

interface Event {
  readonly type: number;
  readonly at?: number;
  readonly netns?: number;
  readonly from?: string;
  readonly to?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly direction?: number;
  readonly protocol?: number;
  readonly cookie?: number;
  readonly comm?: string;
}

let number = 0;
function put(batch: CommonColumns, event: Event): number {
  const r = batch.length++;
  const ns = BigInt(START + (event.at ?? 1)) * 1_000_000_000n;
  batch.tsLow[r] = Number(ns & 0xffffffffn);
  batch.tsHigh[r] = Number(ns >> 32n);
  batch.seq[r] = number++;
  batch.tags[r] =
    (event.type | (4 << 8) | ((event.protocol ?? 6) << 16) | ((event.direction ?? Direction.out) << 24)) >>> 0;
  batch.cookieLow[r] = event.cookie ?? 0;
  batch.netns[r] = event.netns ?? WEB;
  bytesOf(batch.source).set(parseAddress(event.from ?? "10.1.0.2")!, r * 16);
  bytesOf(batch.destination).set(parseAddress(event.to ?? "10.1.0.3")!, r * 16);
  batch.ports[r] = ((event.sport ?? 40000) | ((event.dport ?? 8080) << 16)) >>> 0;
  return r;
}

function conn(
  event: Event & { tx?: number; rx?: number; duration?: number; error?: number; retransmits?: number },
): Batch {
  const batch = connColumns(1);
  const r = put(batch, event);
  batch.txBytesLow[r] = event.tx ?? 0;
  batch.rxBytesLow[r] = event.rx ?? 0;
  batch.retransmits[r] = event.retransmits ?? 0;
  const ns = BigInt(event.duration ?? 0) * 1_000_000_000n;
  batch.durationLow[r] = Number(ns & 0xffffffffn);
  batch.durationHigh[r] = Number(ns >> 32n);
  batch.states[r] = TcpState.established | (TcpState.close << 8) | ((event.error ?? 0) << 16);
  bytesOf(batch.comm).set(Buffer.from((event.comm ?? "").slice(0, 15)), r * 16);
  return batch;
}

function bench(
  inventory = "entries:\n  - { netns: web, namespace: shop, workload: web, addresses: [10.1.0.2] }\n  - { netns: cart, namespace: shop, workload: cart }\n  - { address: 10.9.0.10, ports: [{ port: 80 }], namespace: shop, workload: cart-svc, kind: service }\n  - { cidr: 203.0.113.0/24, workload: crawler, kind: outside }\n",
) {
  const who = new Who(
    { node: "n1", hostNetns: 1, observes: (inode) => inode !== 99 },
    new Identities(),
    Cgroups.recorded(new Map()),
  );
  who.setInventory(new InventoryIndex(parseInventory(inventory, "i")), -Infinity);
  const view = (inode: number, name: string, address: string) => ({
    inode,
    name,
    pid: 1,
    addresses: new Uint32Array(Uint8Array.from(parseAddress(address)!).buffer),
    listeners: [],
    devices: new Map([[2, "eth0"]]),
  });
  who.update([view(WEB, "web", "10.1.0.2"), view(CART, "cart", "10.1.0.3")], new Map(), (START - 10) * 1e9);
  const strings = new Strings();
  const lots: Lot[] = [];
  const flows: Flow[] = [];
  const seen: { rows: FlowRows; filters: boolean[] }[] = [];
  const books = new Books();
  const names = { reporter, identities: who.identities, strings };
  const pipeline = new RowPipeline(
    {
      lot: (lot) => lots.push(lot),
      live: (rows) => {
        for (let row = 0; row < rows.length; row++) flows.push(flowOf(rows, row, reporter, who.identities, strings));
        rowsSeen?.(rows);
      },
    },
    books,
  );
  let rowsSeen: ((rows: FlowRows) => void) | undefined;
  pipeline.node = "n1";
  pipeline.use(
    {
      who,
      strings,
      processes: new ProcessNames(strings),
      kernel: {
        dropReason: (reason) => ["NOT_SPECIFIED", "NO_SOCKET", "NETFILTER_DROP"][reason] ?? `reason ${reason}`,
        functionAt: () => "nf_hook_slow",
        callersOf: () => ["ip_forward"],
        device: (netns, ifindex) => who.deviceName(netns, ifindex),
      },
      sink: pipeline,
      tuples: new Tuples(1024),
      sockets: new Sockets(1024),
      startedNs: START * 1e9,
      keepNoise: false,
    },
    new FlowEncoder(reporter, who.identities, strings),
  );
  const run = (...batches: Batch[]): Flow[] => {
    flows.length = 0;
    for (const batch of batches) pipeline.accept(batch);
    pipeline.drain();
    return [...flows];
  };
  return {
    who,
    run,
    lots,
    books,
    names,
    onRows: (hear: (rows: FlowRows) => void) => (rowsSeen = hear),
    seen,
    pipeline,
  };
}

const client = { netns: WEB, from: "10.1.0.2", to: "10.1.0.3", sport: 40000, dport: 8080, direction: Direction.out };
const server = { netns: CART, from: "10.1.0.3", to: "10.1.0.2", sport: 8080, dport: 40000, direction: Direction.in };

test("both ends' reports are rows from client to server; only the client's counts", () => {
  const { run } = bench();
  const flows = run(
    conn({ ...server, type: EventType.close, tx: 900, rx: 30, cookie: 2, duration: 1 }),
    conn({ ...client, type: EventType.close, tx: 30, rx: 900, cookie: 1, duration: 1, comm: "node" }),
  );
  expect(
    flows.map((flow) => [
      flow.reporter,
      flow.direction,
      flow.source.workload,
      flow.source.port,
      flow.destination.workload,
      flow.destination.port,
      flow.bytesToServer,
      flow.bytesToClient,
    ]),
  ).toEqual([
    ["server", "ingress", "web", 40000, "cart", 8080, 30, 900],
    ["client", "egress", "web", 40000, "cart", 8080, 30, 900],
  ]);
});

test("a server's report counts where nobody of ours reports the client", () => {
  const { run, onRows } = bench();
  const counted: number[] = [];
  onRows((rows) => counted.push(...rows.counted.subarray(0, rows.length)));
  run(conn({ ...server, to: "203.0.113.7", type: EventType.open }));
  run(conn({ ...server, type: EventType.open }));
  run(conn({ ...client, type: EventType.open }));
  expect(counted).toEqual([1, 0, 1]);
});

test("reports of one socket are deltas: their sum is what the connection carried", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 3 })),
        { maxLength: 10 },
      ),
      (steps) => {
        const { run } = bench();
        let [tx, rx, retransmits] = [0, 0, 0];
        const flows = run(conn({ ...client, type: EventType.open, cookie: 5, at: 1 }));
        let at = 1;
        for (const [a, b, c] of steps) {
          [tx, rx, retransmits] = [tx + a, rx + b, retransmits + c];
          flows.push(
            ...run(
              conn({
                ...client,
                type: EventType.sweep,
                direction: Direction.unknown,
                cookie: 5,
                tx,
                rx,
                retransmits,
                at: (at += 10),
                duration: at,
              }),
            ),
          );
        }
        flows.push(
          ...run(
            conn({
              ...client,
              type: EventType.close,
              cookie: 5,
              tx: tx + 7,
              rx,
              retransmits,
              at: at + 1,
              duration: at,
            }),
          ),
        );
        const sum = (field: "bytesToServer" | "bytesToClient" | "retransmits" | "opened" | "closed") =>
          flows.reduce((total, flow) => total + flow[field], 0);
        expect([sum("bytesToServer"), sum("bytesToClient"), sum("retransmits"), sum("opened"), sum("closed")]).toEqual([
          tx + 7,
          rx,
          retransmits,
          1,
          1,
        ]);
        expect(flows.every((flow) => flow.reporter === "client")).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

test("a connection older than the collector is on the map at once; what it carried before is not counted", () => {
  const { run } = bench();
  const [first] = run(
    conn({ ...client, type: EventType.sweep, direction: Direction.unknown, cookie: 9, tx: 5000, rx: 7000 }),
  );
  expect(first).toMatchObject({ kind: "alive", bytesToServer: 0, bytesToClient: 0, opened: 0 });
  const [last] = run(
    conn({
      ...client,
      type: EventType.close,
      direction: Direction.unknown,
      cookie: 9,
      tx: 5100,
      rx: 7001,
      at: 30,
      duration: 4000,
    }),
  );
  expect(last).toMatchObject({ kind: "close", bytesToServer: 100, bytesToClient: 1, closed: 1 });
});

test("a quiet open connection is told of again within the minute, not at every sweep", () => {
  const { run } = bench();
  const told = [1, 11, 21, 31, 41, 51, 61].map(
    (at) => run(conn({ ...client, type: EventType.sweep, cookie: 9, tx: 10, rx: 10, at })).length,
  );
  expect(told).toEqual([1, 0, 0, 0, 0, 1, 0]);
});

test("failures have their errno's name, GAVE_UP where the program ended it", () => {
  const { run } = bench();
  expect(
    run(
      conn({ ...client, type: EventType.fail, error: 111 }),
      conn({ ...client, type: EventType.fail }),
      conn({ ...client, type: EventType.close, error: 104, duration: 1 }),
    )
      .map((flow) => [flow.kind, flow.verdict, flow.reason, flow.failed])
      .toSorted(),
  ).toEqual([
    ["close", "failed", "ECONNRESET", 0],
    ["fail", "failed", "ECONNREFUSED", 1],
    ["fail", "failed", "GAVE_UP", 1],
  ]);
});

test("a connection through a service address leads to the back end, and keeps the service's name", () => {
  const { run } = bench();
  const nat = natColumns(1);
  put(nat, { type: EventType.nat, from: "10.1.0.2", to: "10.9.0.10", sport: 40000, dport: 80 });
  bytesOf(nat.backend).set(parseAddress("10.1.0.3")!, 0);
  nat.backendPort[0] = 8080;
  const [flow] = run(nat, conn({ ...client, to: "10.9.0.10", dport: 80, type: EventType.open }));
  expect(flow).toMatchObject({
    serviceAddress: "10.9.0.10",
    servicePort: 80,
    service: "cart-svc",
    destination: { workload: "cart", address: "10.1.0.3", port: 8080 },
  });
  const [unanswered] = run(
    conn({ ...client, sport: 40001, to: "10.9.0.10", dport: 80, type: EventType.fail, error: 110 }),
  );
  expect(unanswered).toMatchObject({ serviceAddress: "", destination: { workload: "cart-svc", address: "10.9.0.10" } });
});

function drop(event: Event & { reason: number; flags?: number }): Batch {
  const batch = dropColumns(1);
  const r = put(batch, event);
  batch.reason[r] = event.reason;
  batch.count[r] = 3;
  batch.details[r] = event.flags ?? 0;
  batch.ifindex[r] = 2;
  return batch;
}

test("a dropped packet names both ends, whichever way it went", () => {
  const { run } = bench();
  const SYN = 2;
  const expected = {
    kind: "drop",
    verdict: "dropped",
    reason: "NETFILTER_DROP",
    drops: 3,
    source: { workload: "web" },
    destination: { workload: "cart", port: 8080 },
    location: "nf_hook_slow",
    hook: "forward",
    passage: "forward",
  };
  expect(run(drop({ ...client, type: EventType.drop, reason: 2, flags: SYN }))).toMatchObject([
    { ...expected, reporter: "client", direction: "egress", device: "eth0", toward: "server" },
  ]);
  expect(
    run(
      drop({
        ...client,
        type: EventType.drop,
        netns: CART,
        from: "10.1.0.3",
        to: "10.1.0.2",
        sport: 8080,
        dport: 40000,
        reason: 2,
        flags: SYN | 16,
      }),
    ),
  ).toMatchObject([{ ...expected, reporter: "server", direction: "ingress", toward: "client" }]);
  run(conn({ ...client, type: EventType.open, sport: 50000, dport: 60000 }));
  expect(
    run(drop({ ...server, type: EventType.drop, netns: 77, sport: 60000, dport: 50000, reason: 2, flags: 16 })),
  ).toMatchObject([
    {
      reporter: "path",
      toward: "client",
      source: { workload: "web", port: 50000 },
      destination: { workload: "cart", port: 60000 },
    },
  ]);
});

test("datagrams carry their own deltas; echo has no ports", () => {
  const { run } = bench();
  const batch = conversationColumns(2);
  const a = put(batch, { ...client, type: EventType.conversationDelta, protocol: 17, dport: 53 });
  batch.txBytesLow[a] = 40;
  batch.rxBytesLow[a] = 90;
  batch.txPackets[a] = 1;
  batch.rxPackets[a] = 1;
  put(batch, { ...client, type: EventType.conversationStart, protocol: 1, sport: 77, dport: 77 });
  expect(run(batch)).toMatchObject([
    {
      kind: "datagram",
      protocol: 17,
      bytesToServer: 40,
      bytesToClient: 90,
      packetsToServer: 1,
      opened: 0,
      destination: { port: 53 },
    },
    { kind: "datagram", protocol: 1, icmpType: 8, opened: 1, source: { port: 0 }, destination: { port: 0 } },
  ]);
});

test("every event is booked: as a row, or as filtered", () => {
  const { run, books, lots } = bench();
  run(
    conn({ ...client, type: EventType.open }),
    conn({ ...client, netns: 99, type: EventType.open }),
    conn({ ...client, type: EventType.listen }),
    conn({ ...client, type: EventType.close, duration: 1 }),
  );
  const lines = [...lots.flatMap((lot) => lot.books), ...books.take()];
  const sum = (field: "produced" | "stored" | "filtered") => lines.reduce((total, line) => total + line[field], 0);
  expect([sum("produced"), sum("stored"), sum("filtered")]).toEqual([4, 2, 2]);
});

test("process names of strangers are harmless in rows", () => {
  const { run } = bench();
  expect(run(conn({ ...client, type: EventType.open, comm: "\u001b[31mx<b>" }))[0]!.process).toBe("\\x1b[31mx<b>");
});

test("the filter on rows answers what the filter on flows answers", () => {
  const { run, names, onRows } = bench();
  const texts = [
    "",
    "src:web",
    "dst:shop/cart",
    "-dst:cart",
    "ns:shop",
    "ip:10.1.0.0/24",
    "src:203.0.113.7",
    "port:8080",
    "port:80-90",
    "verdict:failed",
    "reason:ECONNREFUSED",
    "kind:open,close",
    "reporter:server",
    "proto:udp",
    "web",
    "crawl",
    "label:weir:workload=cart",
    "node:n1",
    "node:n2",
    "process:node",
    "service:cart-svc",
    "-verdict:allowed port:8080",
    "name:*.com",
    "location:nf_hook_slow",
  ];
  const filters = texts.map((text) => parseFilter(text));
  for (const { problems } of filters) expect(problems).toEqual([]);
  expect(FILTER_KEYS.length).toBeGreaterThan(10);
  const onFlow = filters.map(({ filter }) => compileFilter(filter, (id) => names.identities.labelsOf(id)));
  const onRow = filters.map(({ filter }) => compileRowFilter(filter, names));
  const answers: boolean[][] = [];
  onRows((rows) => {
    for (let row = 0; row < rows.length; row++) answers.push(onRow.map((test) => test(rows, row)));
  });
  const flows = run(
    conn({ ...client, type: EventType.open, comm: "node" }),
    conn({ ...server, type: EventType.close, duration: 1 }),
    conn({ ...server, to: "203.0.113.7", type: EventType.open }),
    conn({ ...client, type: EventType.fail, error: 111, dport: 81 }),
    drop({ ...client, type: EventType.drop, reason: 2, flags: 2 }),
  );
  expect(answers).toHaveLength(flows.length);
  flows.forEach((flow, i) => expect(answers[i], JSON.stringify(flow)).toEqual(onFlow.map((test) => test(flow))));
});
