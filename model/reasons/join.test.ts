import { describe as suite, expect, test } from "vitest";
import { explainFailure } from "./explain.ts";
import type { FailureFacts } from "./explanation.ts";
import { type FailedConnection, type ObservedDrop, edgeCause, joinDrops } from "./join.ts";

const CONNECTION: FailedConnection = {
  protocol: 6,
  client: "10.42.1.18",
  clientPort: 48_122,
  server: "10.96.0.10",
  serverPort: 5432,
  backend: "10.42.2.31",
  backendPort: 15_432,
  startMs: 10_000,
  endMs: 16_000,
};
const SYN = {
  protocol: 6,
  src: "10.42.1.18",
  sport: 48_122,
  dst: "10.42.2.31",
  dport: 15_432,
  tcpFlags: 0x02,
  count: 6,
  firstMs: 10_000,
  lastMs: 15_000,
} as const;
const ANSWER = { ...SYN, src: SYN.dst, sport: SYN.dport, dst: SYN.src, dport: SYN.sport, tcpFlags: 0x12 } as const;
const FIREWALL: ObservedDrop = {
  ...SYN,
  reason: "NETFILTER_DROP",
  location: "nft_do_chain",
  hookCaller: "ip_forward",
  node: "node-a",
  hop: 1,
};

const reasonsOf = (drops: ObservedDrop[], connection = CONNECTION) =>
  joinDrops(connection, drops).map(({ lost, description }) => `${lost} ${description.showAs}`);

suite("joining drops to a failed connection", () => {
  const cases: [string, ObservedDrop[], string[]][] = [
    ["the SYN after DNAT", [FIREWALL], ["request NETFILTER_DROP"]],
    ["the SYN before DNAT", [{ ...FIREWALL, dst: "10.96.0.10", dport: 5432 }], ["request NETFILTER_DROP"]],
    ["the answer", [{ ...ANSWER, reason: "IP_RPFILTER" }], ["answer IP_RPFILTER"]],
    [
      "the ICMP message that quotes the SYN",
      [{ ...FIREWALL, protocol: 1, src: "10.42.2.1", sport: 0, dst: SYN.src, dport: 0, quoted: { ...SYN } }],
      ["notice NETFILTER_DROP"],
    ],
    ["another source port", [{ ...FIREWALL, sport: 48_123 }], []],
    ["another protocol", [{ ...FIREWALL, protocol: 17 }], []],
    ["another network with the same addresses", [{ ...FIREWALL, network: "b" }], []],
    ["a tenth of a second before", [{ ...FIREWALL, firstMs: 9800, lastMs: 9901 }], ["request NETFILTER_DROP"]],
    ["too early", [{ ...FIREWALL, firstMs: 9000, lastMs: 9899 }], []],
    ["too late", [{ ...FIREWALL, firstMs: 16_101, lastMs: 17_000 }], []],
    ["noise", [{ ...SYN, reason: "QUEUE_PURGE" }], []],
    [
      "a foreign MAC, noise by default, while the connection fails",
      [{ ...SYN, reason: "OTHERHOST" }],
      ["request OTHERHOST"],
    ],
    [
      "several: policy, then routes, queues, TCP, and a missing socket last",
      [
        { ...SYN, reason: "NO_SOCKET" },
        { ...SYN, reason: "TCP_LISTEN_OVERFLOW" },
        { ...SYN, reason: "QDISC_DROP" },
        { ...SYN, reason: "NEIGH_FAILED" },
        { ...SYN, reason: "TC_INGRESS" },
      ],
      [
        "request TC_INGRESS",
        "request NEIGH_FAILED",
        "request QDISC_DROP",
        "request TCP_LISTEN_OVERFLOW",
        "request NO_SOCKET",
      ],
    ],
    [
      "a firewall that nobody reads, which is no policy, before a route",
      [
        { ...SYN, reason: "IP_RPFILTER" },
        { ...SYN, reason: "NOT_SPECIFIED", location: "nf_queue" },
      ],
      ["request NFQUEUE_NO_READER", "request IP_RPFILTER"],
    ],
    [
      "the node that comes first on the way",
      [
        { ...FIREWALL, hop: 2, reason: "TC_EGRESS" },
        { ...FIREWALL, hop: undefined, reason: "SOCKET_FILTER" },
        { ...FIREWALL, hop: 0 },
      ],
      ["request NETFILTER_DROP", "request TC_EGRESS", "request SOCKET_FILTER"],
    ],
  ];
  test.each(cases)("%s", (_, drops, expected) => expect(reasonsOf(drops)).toEqual(expected));
});

suite("the cause of an edge", () => {
  const dropped = joinDrops(CONNECTION, [FIREWALL]);
  const tries = (some: number, of: number) => Array.from({ length: of }, (_, i) => (i < some ? dropped : []));
  test("more than 80 % of the tries is said as because", () =>
    expect(edgeCause(tries(9, 10))).toMatchObject({
      because: true,
      tries: 9,
      of: 10,
      words: "because: Dropped by a firewall rule",
    }));
  test("80 % is not", () =>
    expect(edgeCause(tries(8, 10))).toMatchObject({
      because: false,
      words: "in 8 of 10 tries: Dropped by a firewall rule",
    }));
  test("none is nothing", () => expect(edgeCause(tries(0, 10))).toBeUndefined());
  test("no tries is nothing", () => expect(edgeCause([])).toBeUndefined());
});

suite("explaining a failed connection", () => {
  const firewall = joinDrops(CONNECTION, [FIREWALL]);
  const join = (drop: Partial<ObservedDrop>) => joinDrops(CONNECTION, [{ ...SYN, reason: "X", ...drop }]);
  const base = { port: 5432, drops: [] } as const;
  const cases: [string, Omit<FailureFacts, "port">, string, string][] = [
    [
      "a firewall that rejects: ECONNREFUSED, a drop, and no reset event",
      { errno: 111, drops: firewall, rstSent: false },
      "refused: a firewall rejects",
      "known",
    ],
    ["the same, resets not watched", { errno: 111, drops: firewall }, "refused: likely a firewall rejects", "likely"],
    [
      "a missing listener: reset and drop",
      { errno: 111, drops: join({ reason: "NO_SOCKET", location: "tcp_v4_rcv" }), rstSent: "SK_RST_REASON_NO_SOCKET" },
      "refused: nothing listens on 5432",
      "known",
    ],
    [
      "a missing listener: reset only",
      { errno: 111, drops: [], rstSent: "NO_SOCKET" },
      "refused: nothing listens on 5432",
      "known",
    ],
    [
      "a missing listener behind a firewall that dropped another SYN",
      { errno: 111, drops: firewall, rstSent: "NO_SOCKET" },
      "refused: nothing listens on 5432",
      "known",
    ],
    [
      "a drop without socket whose reset nobody sent",
      { errno: 111, drops: join({ reason: "NO_SOCKET" }), rstSent: false },
      "refused: likely nothing listens on 5432",
      "likely",
    ],
    [
      "SYN cookies and a full accept queue",
      { errno: 111, drops: join({ reason: "NO_SOCKET", location: "cookie_v4_check" }), rstSent: "NO_SOCKET" },
      "refused: the accept queue on 5432 is full",
      "known",
    ],
    [
      "a watched destination that did nothing",
      { errno: 111, drops: [], rstSent: false, destinationWatched: true },
      "refused by something before the destination",
      "likely",
    ],
    [
      "a destination that is not watched",
      { errno: 111, drops: [], destinationWatched: false },
      "refused, by the destination or something before it",
      "unknown",
    ],
    [
      "a firewall that drops",
      { errno: 110, drops: firewall, syns: 6 },
      "timed out: dropped by a firewall rule",
      "known",
    ],
    [
      "a queue that took one SYN of six",
      { errno: 110, drops: join({ reason: "QDISC_DROP", count: 1 }), syns: 6 },
      "timed out: in 1 of 6 tries send queue refused the packet",
      "likely",
    ],
    [
      "the answer lost on its way back",
      { errno: 110, drops: joinDrops(CONNECTION, [{ ...ANSWER, reason: "IP_RPFILTER" }]) },
      "timed out: the answer was lost, came in on the wrong interface",
      "known",
    ],
    [
      "a full accept queue, known by its counter only",
      { errno: 110, drops: [], synArrived: true, destinationWatched: true, listenOverflows: 7 },
      "timed out: the accept queue on 5432 was likely full",
      "likely",
    ],
    [
      "a full queue of half-open connections",
      { errno: 110, drops: [], synArrived: true, reqQueueFull: 2 },
      "timed out: the queue of half-open connections was likely full",
      "likely",
    ],
    [
      "lost between the hosts",
      { errno: 110, drops: [], synLeft: true, synArrived: false, destinationWatched: true },
      "timed out: lost between the hosts",
      "known",
    ],
    ["never sent", { errno: 110, drops: [], synLeft: false }, "timed out: the SYN never left its host", "known"],
    [
      "arrived and not answered",
      { errno: 110, drops: [], synLeft: true, synArrived: true, destinationWatched: true },
      "timed out: arrived, not answered",
      "unknown",
    ],
    ["nothing known", { errno: 110, drops: [] }, "timed out: no answer, cause not known", "unknown"],
    [
      "the program's own time limit",
      { errno: 0, drops: firewall, syns: 3, connectLatencyMs: 3001 },
      "gave up after 3 s: dropped by a firewall rule",
      "known",
    ],
    [
      "the program gave up and nothing was sent",
      { errno: 0, drops: [], synLeft: false, connectLatencyMs: 0.2 },
      "gave up after 0.2 ms: the SYN never left its host",
      "known",
    ],
    [
      "a silent neighbour",
      { errno: 113, drops: join({ reason: "NEIGH_FAILED" }) },
      "host unreachable: next hop does not answer",
      "known",
    ],
    [
      "a silent IPv6 neighbour",
      { errno: 113, drops: join({ reason: "NOT_SPECIFIED", location: "neigh_invalidate" }) },
      "host unreachable: next hop does not answer (IPv6)",
      "known",
    ],
    [
      "a firewall that rejects by ICMP",
      { errno: 113, drops: firewall, icmp: { family: 4, type: 3, code: 13, from: "10.42.2.1", node: "node-a" } },
      "host unreachable: dropped by a firewall rule",
      "known",
    ],
    [
      "a firewall drop whose message was not seen",
      { errno: 113, drops: firewall },
      "host unreachable: likely dropped by a firewall rule",
      "likely",
    ],
    [
      "a router outside",
      { errno: 113, drops: [], icmp: { family: 4, type: 3, code: 1, from: "192.0.2.1" } },
      "host unreachable: nobody answers for the address, or a route says unreachable",
      "known",
    ],
    [
      "no route here",
      { errno: 101, drops: [], synLeft: false, connectLatencyMs: 0 },
      "network unreachable: its own host has no usable route",
      "known",
    ],
    [
      "likely no route here",
      { errno: 101, drops: [], connectLatencyMs: 0.1 },
      "network unreachable: likely its own host has no usable route",
      "likely",
    ],
    [
      "unreachable, nothing seen",
      { errno: 113, drops: [], connectLatencyMs: 3050 },
      "host unreachable, cause not known",
      "unknown",
    ],
    [
      "a local output rule",
      { errno: 1, drops: joinDrops(CONNECTION, [{ ...FIREWALL, hookCaller: "__ip_local_out" }]) },
      "blocked on its own host: dropped by a firewall rule",
      "known",
    ],
    [
      "a hook without a drop",
      { errno: 1, drops: [] },
      "blocked on its own host: likely a control group's hook or IPsec",
      "likely",
    ],
    [
      "closed with unread data",
      { errno: 104, wasOpen: true, drops: [], rstSent: "TCP_ABORT_ON_CLOSE" },
      "reset: closed without reading everything",
      "known",
    ],
    [
      "a device between",
      { errno: 104, wasOpen: true, drops: [], rstSent: false, destinationWatched: true },
      "reset by something between",
      "likely",
    ],
    ["reset by nobody knows whom", { errno: 104, wasOpen: true, drops: [] }, "reset, by whom is not known", "unknown"],
    [
      "written after the end",
      { errno: 32, wasOpen: true, drops: [], rstSent: "TCP_TIMEWAIT_SOCKET" },
      "sent after the end: data for a connection that has ended",
      "known",
    ],
    ["no free port", { errno: 99, drops: [] }, "no free port, or address not here", "known"],
    ["an error this version does not know", { errno: 122, drops: [] }, "errno 122", "unknown"],
  ];
  test.each(cases)("%s", (_, facts, title, certainty) => {
    const explanation = explainFailure({ ...base, ...facts });
    expect(explanation.title).toContain(title);
    expect(explanation.certainty).toBe(certainty);
    for (const sentence of explanation.sentences) expect(sentence).toMatch(/^[A-Z].*\.$/s);
    if (certainty === "likely")
      expect(`${explanation.title} ${explanation.sentences.join(" ")}`).toMatch(/likely|in \d+ of \d+ tries|fits/);
  });

  test("a firewall's drop comes with the evidence, and says that the kernel names the hook, not the rule", () => {
    const { basis, symbols, sentences } = explainFailure({ ...base, errno: 110, drops: firewall, syns: 6 });
    expect(basis).toEqual(["6 of 6 SYNs dropped: NETFILTER_DROP at nft_do_chain, hook forward, on node-a"]);
    expect(symbols).toEqual(["ETIMEDOUT", "NETFILTER_DROP"]);
    expect(sentences.at(-1)).toBe("The kernel names the hook (forward), not the rule.");
  });

  test("an unwatched far end is said to be unwatched", () => {
    expect(explainFailure({ ...base, errno: 110, destinationWatched: false }).sentences[0]).toContain("not watched");
  });
});
