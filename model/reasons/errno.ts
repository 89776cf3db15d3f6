import { CONNTRACK, LISTENERS, NEIGHBOUR, ROUTE_TO, TCP_TO, counters, settings } from "./frequent-checks.ts";
import { describe } from "./lookup.ts";
import { own } from "./kernel-functions.ts";
import type { Check, Description, Entry } from "./types.ts";

/** What a program was told when its connection failed. */
export interface FailureEntry extends Entry {
  /** Linux' number; undefined where several share the text. */
  readonly number: number | undefined;
  /** For a table's cell: a few words that claim no cause. */
  readonly inWords: string;
  /** What tells one cause from another, as a person would check it. */
  readonly tellApart: readonly string[];
}

export interface FailureDescription extends Description {
  readonly number: number | undefined;
  readonly inWords: string;
  readonly tellApart: readonly string[];
}

const CLOUD =
  "Look at security groups, network ACLs and route tables of the cloud or the site as well: no host sees what they discard.";
const QUEUES: Check = [
  "nstat -az TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop",
  "rising numbers at the destination: its queue of connections is full",
  "there",
];
const REJECTS: Check = ["nft list ruleset | grep -n reject", "rules that refuse with an answer", "there"];

/** Texts of failed connections, by the name of the error; `0` is a connection that its own program gave up. */
const FAILURES: Readonly<Record<string, FailureEntry>> = {
  ECONNREFUSED: {
    number: 111,
    title: "Refused",
    inWords: "refused",
    meaning:
      'The connect was answered at once with "no": by an RST, or by ICMP port unreachable. A UDP program hears of it with its next send or receive.',
    senderSees: "ECONNREFUSED, as a rule within a round trip",
    who: "receiver",
    layer: "tcp",
    severity: "error",
    causes: [
      "No program listens on that port and address",
      "A firewall rule rejects, as kube-proxy's does for a Service without back ends",
      "A load balancer or proxy between the two answers so",
    ],
    tellApart: [
      "A reset with the reason NO_SOCKET at the destination: no listener",
      "A firewall drop of the SYN and no reset event: a rule that rejects",
      "The destination is watched and shows neither: something between answered",
      "The destination is not watched: it or something before it refused",
    ],
    checks: [
      ["ss -lntup sport = :{dport}", "which process listens on the port, and on which address", "there"],
      ["kubectl get endpointslices -A -o wide", "back ends that Services list", "host"],
      REJECTS,
    ],
    fix: "Start the listener on the right address and port, make selector and targetPort match, wait for readiness; or narrow the rule that rejects.",
    related: ["NO_SOCKET", "NETFILTER_DROP"],
  },
  ETIMEDOUT: {
    number: 110,
    title: "Timed out",
    inWords: "timed out, no answer",
    meaning:
      "While connecting: no SYN was answered until the kernel stopped (11 SYNs in 135 s; before 6.5: 7 in 127 s). In an open connection: data or keep-alives were not confirmed, for about 15 minutes by default.",
    senderSees: "ETIMEDOUT",
    who: "path",
    layer: "tcp",
    severity: "error",
    causes: [
      "A rule or program discards the SYN or its answer",
      "The queue of connections at the destination is full",
      "The address is gone, or the way back is broken",
      "Something outside of the watched hosts discards",
    ],
    tellApart: [
      "A drop of the SYN on a watched host is the cause",
      "Drops of the answer only: the way back (reverse-path filter, connection tracking, asymmetric routes)",
      "The SYN arrived, nothing was discarded, and ListenOverflows or ReqQFullDrop rise there: a queue is full",
      "The SYN left its host and did not reach the watched destination: discarded between them",
      "The SYN never reached the wire: discarded on its own host",
    ],
    checks: [TCP_TO, QUEUES, ROUTE_TO, CONNTRACK],
    fix: `Act on the drop that was found. ${CLOUD} Give programs a time limit of some seconds for connecting.`,
    related: ["NETFILTER_DROP", "TCP_LISTEN_OVERFLOW", "IP_RPFILTER", "connect_latency"],
  },
  EHOSTUNREACH: {
    number: 113,
    title: "Host unreachable",
    inWords: "host unreachable",
    meaning:
      "A router, a firewall or this host itself reported that the address cannot be reached: nobody answered for it on the last wire, or somebody forbids it.",
    senderSees: "EHOSTUNREACH, about 3 s after the first SYN when the neighbour is silent",
    who: "path",
    layer: "neighbour",
    severity: "error",
    causes: [
      "The target or the gateway is down or gone",
      "A firewall rejects with ICMP (firewalld and ufw do)",
      "A route of type unreachable or prohibit",
      "A hop limit or fragments that ran out",
    ],
    tellApart: [
      "A silent neighbour on the source host: the next hop or the target is down",
      "The same on another host: that router cannot find the target",
      "ICMP 3/9, 3/10 or 3/13 with a firewall drop: a rule that rejects; without one, a prohibit route or a router outside",
      "ICMP 3/1 with a drop in ip_error: an unreachable route",
      "An ICMP message that no watched host sent: a router outside",
    ],
    checks: [NEIGHBOUR, ROUTE_TO, REJECTS],
    fix: "Bring the target back, or take it out of endpoints and DNS; correct gateway and mask; allow the traffic in the firewall that rejects.",
    related: ["NEIGH_FAILED", "NETFILTER_DROP", "NOT_SPECIFIED"],
  },
  ENETUNREACH: {
    number: 101,
    title: "Network unreachable",
    inWords: "no route to that network",
    meaning:
      "This host has no route to the destination, in which case nothing was sent; or a router answered that it has none.",
    senderSees: "ENETUNREACH, at once if the route is missing here",
    layer: "ip",
    severity: "error",
    causes: ["A missing default route, or one for IPv6 only in DNS", "A router on the way lost its route"],
    tellApart: [
      "No SYN and an answer within microseconds: the route is missing here",
      "IP_INNOROUTES with ICMP 3/0 on another host: that one lacks the route",
    ],
    checks: [
      ROUTE_TO,
      ["ip -6 route show", "IPv6 routes of this namespace"],
      counters("IpExtInNoRoutes Ip6InNoRoutes", "packets that met no route"),
    ],
    fix: "Bring the route back. Where IPv6 leads nowhere, publish no AAAA records or prefer IPv4.",
    related: ["IP_INNOROUTES", "IP_OUTNOROUTES"],
  },
  ECONNRESET: {
    number: 104,
    title: "Reset by the other side",
    inWords: "reset by the other side",
    meaning: "An RST ended a connection that was open. What had not been read is lost.",
    senderSees: "ECONNRESET",
    who: "receiver",
    layer: "tcp",
    severity: "error",
    causes: [
      "The other program closed with unread data, or on purpose by a reset",
      "The server was restarted and no longer knows the connection",
      "A load balancer, NAT or firewall forgot an idle connection",
    ],
    tellApart: [
      "A reset sent by the other end tells its reason",
      "A reset arrived that the watched other end did not send: a device between sent it",
      "Always after the same idle time: an idle limit on the path (350 s, 4 min and 60 min are common)",
      "Right after a restart of the server: it no longer knows the connection",
    ],
    checks: [
      TCP_TO,
      ["ss -lntp sport = :{dport}", "the server's process, whose start time tells of a restart", "there"],
    ],
    fix: "Client: keep-alive below the shortest idle limit, and repeat what is safe to repeat. Server: read before closing, finish connections before stopping.",
    related: ["TCP_ABORT_ON_DATA", "TCP_FLAGS", "idle_reset"],
  },
  EPIPE: {
    number: 32,
    title: "Broken pipe",
    inWords: "sent after the other side had closed",
    meaning:
      "The program wrote to a connection that the other side had closed and then reset, or that was shut down here.",
    senderSees: "EPIPE",
    who: "sender",
    layer: "tcp",
    severity: "warning",
    causes: [
      "The program did not notice the end of the connection",
      "A pooled connection was used in the moment in which the server closed it",
    ],
    tellApart: ["A FIN from the other side, then data from here, then a reset: the end went unnoticed"],
    checks: [TCP_TO],
    fix: "Idle limit of the client's pool below the server's; check for the end before using a connection again; retry.",
    related: ["TCP_ABORT_ON_DATA", "NOT_SPECIFIED"],
  },
  ECONNABORTED: {
    number: 103,
    title: "Aborted before it was accepted",
    inWords: "gone before the server accepted it",
    meaning:
      "The connection was dead before the program took it: the client reset it while it waited, or somebody ended it.",
    senderSees: "ECONNABORTED in accept()",
    who: "sender",
    layer: "tcp",
    severity: "warning",
    causes: [
      "The server accepts slowly and clients leave",
      "Health checks that connect and reset",
      "An administrator or a network plugin ended connections",
    ],
    tellApart: [
      "Connections wait in the accept queue: the server is slow",
      "Many at the same moment: they were ended from outside",
    ],
    checks: [["ss -lnt sport = :{dport}", "Recv-Q counts connections that wait for accept(), Send-Q is the limit"]],
    fix: "Accept faster; for health checks nothing needs doing.",
    related: ["TCP_LISTEN_OVERFLOW"],
  },
  EADDRNOTAVAIL: {
    number: 99,
    title: "No free port, or address not here",
    inWords: "no free source port or address",
    meaning:
      "No source port was free for this destination, or the program asked for an address that this host does not have. Nothing was sent, so there is no drop.",
    senderSees: "EADDRNOTAVAIL at once",
    who: "sender",
    layer: "socket",
    severity: "error",
    causes: [
      "All ports to this destination are taken by open connections or TIME_WAIT",
      "The address has moved or is not ready (IPv6 takes a moment)",
    ],
    tellApart: [
      "Many connections to the same address and port: ports ran out",
      "The first try fails already: the address is not here",
    ],
    checks: [
      ["ss -Htan dst {dst} | wc -l", "connections to this address, TIME_WAIT included"],
      settings("net/ipv4/ip_local_port_range net/ipv4/tcp_tw_reuse", "ports to choose from"),
      ["ip addr show", "addresses of this host"],
    ],
    fix: "Keep connections open and use them again; widen ip_local_port_range; more addresses at either end.",
    related: ["time_wait_pile"],
  },
  EADDRINUSE: {
    number: 98,
    title: "Address in use",
    inWords: "another socket has this address and port",
    meaning: "Another socket holds the address and port that the program asked for.",
    senderSees: "EADDRINUSE at once",
    layer: "socket",
    severity: "error",
    causes: [
      "A second instance of the program, or another that uses the port",
      "Leftovers in TIME_WAIT and no SO_REUSEADDR",
    ],
    tellApart: ["A listener exists: two programs want the port", "Only TIME_WAIT: SO_REUSEADDR is missing"],
    checks: [["ss -tanp sport = :{sport}", "who holds the port"]],
    fix: "Stop the other program, choose another port, or set SO_REUSEADDR.",
  },
  EACCES: {
    number: 13,
    title: "Not permitted",
    inWords: "forbidden by a route, a policy or a missing right",
    meaning:
      'A prohibit route, an ICMPv6 message that says "prohibited", a broadcast without SO_BROADCAST, or a port below 1024 without the right to it.',
    senderSees: "EACCES",
    who: "path",
    layer: "ip",
    severity: "error",
    causes: ["A firewall or router rejects (IPv6)", "A prohibit route on this host", "A security module refuses"],
    tellApart: [
      "ICMPv6 1/1, 1/5 or 1/6 arrived: somebody on the path refuses",
      "At once and without a packet: a route or a security module here",
    ],
    checks: [
      ROUTE_TO,
      ["ip route show table all type prohibit", "routes that forbid"],
      ["ausearch -m avc -ts recent", "recent refusals of SELinux", "host"],
    ],
    fix: "Allow the traffic in the firewall, or remove the route.",
    related: ["IP_INNOROUTES", "SECURITY_HOOK"],
  },
  EPERM: {
    number: 1,
    title: "Blocked on this host",
    inWords: "a rule or program of this host forbids it",
    meaning:
      "A rule for outgoing packets or a program of the control group refused the datagram, a hook refused the connect, or IPsec blocks. A firewall drop of an outgoing SYN shows as a timeout instead.",
    senderSees: "EPERM at once",
    layer: "filter",
    severity: "error",
    policy: true,
    causes: [
      "A rule in the output chain",
      "A program on the control group: systemd's IPAddressDeny=, a security agent",
      "An IPsec policy that blocks",
    ],
    tellApart: [
      "A firewall drop with hook output: a local rule",
      "BPF_CGROUP_EGRESS: a program of the control group",
      "No drop at all: a connect or sendmsg hook, or IPsec",
    ],
    checks: [
      ["nft list ruleset | grep -A20 'hook output'", "rules for packets that leave this host"],
      ["bpftool cgroup tree /sys/fs/cgroup{cgroup}", "programs on the control group of the process", "host"],
      ["ip xfrm policy", "IPsec policies"],
    ],
    fix: "Change the rule, the unit or the policy.",
    related: ["NETFILTER_DROP", "BPF_CGROUP_EGRESS", "XFRM_POLICY"],
  },
  ENOBUFS: {
    number: 105,
    title: "No room to send",
    inWords: "this host had no room to send",
    meaning: "A table or queue on the way out was full, or memory was short.",
    senderSees: "ENOBUFS",
    layer: "queue",
    severity: "error",
    causes: [
      "The neighbour table is full",
      "The send queue is full and the program asked to be told",
      "Shortage of memory",
    ],
    tellApart: ["NEIGH_CREATEFAIL: the neighbour table", "QDISC_DROP or FULL_RING: a queue", "NOMEM: memory"],
    checks: [
      ["dmesg --ctime | tail -n 50", "what the kernel said at that time", "host"],
      ["tc -s qdisc show dev {device}", "drops of the send queue"],
    ],
    fix: "See the drop of the same moment.",
    related: ["NEIGH_CREATEFAIL", "QDISC_DROP", "NOMEM"],
  },
  EMSGSIZE: {
    number: 90,
    title: "Message too long",
    inWords: "larger than the path allows",
    meaning:
      "The datagram is larger than the smallest link on the way and must not be cut, or larger than 65,507 bytes.",
    senderSees: "EMSGSIZE",
    who: "path",
    layer: "ip",
    severity: "warning",
    causes: ["A tunnel or small link on the path", "The program sends datagrams that are too large"],
    tellApart: [
      "PKT_TOO_BIG with ICMP 3/4 on a host: its next link is the small one",
      "No ICMP: the limit is this host's own",
    ],
    checks: [
      ["ip route get {dst}", "an mtu in the answer is what was learned"],
      ["ip link show", "MTU of the interfaces"],
    ],
    fix: "Smaller datagrams (EDNS 1232, QUIC 1200), or the right MTU.",
    related: ["PKT_TOO_BIG", "mtu_black_hole"],
  },
  EPROTO_OTHER: {
    number: undefined,
    title: "Another ICMP error",
    inWords: "an ICMP error came back",
    meaning:
      "A less common ICMP code was turned into an error: ENOPROTOOPT (3/2), EOPNOTSUPP (3/5), EHOSTDOWN (3/7), ENONET (3/8) or EPROTO (12/0).",
    senderSees: "an error of its own for each code",
    who: "path",
    layer: "ip",
    severity: "warning",
    causes: ["A router or host on the path refuses in its own way"],
    tellApart: ["Type, code and sender of the ICMP message"],
    checks: [["tcpdump -nn -v -c 20 -i {device} icmp or icmp6", "who sends which code"]],
    fix: "Ask whoever runs the sender of that message.",
  },
  "0": {
    number: 0,
    title: "The program stopped waiting",
    inWords: "the program gave up",
    meaning:
      "The socket was closed while it was still connecting, and the kernel had reported no error: the program's own time limit was shorter than the kernel's. The causes are those of a timeout, noticed earlier.",
    senderSees: "its own message about a time limit",
    who: "path",
    layer: "tcp",
    severity: "error",
    causes: [
      "What makes a connect time out: a drop of the SYN or its answer, a full queue, an address that is gone",
      "The program got an ICMP error out of band and closed",
      "No port was free, when it ended at once and nothing was sent",
    ],
    tellApart: [
      "The duration is the program's limit: 1, 2, 3, 5, 10 and 30 s are common",
      "Almost no duration and no SYN: refused on this host",
      "ICMP for the same flow tells what a router said",
    ],
    checks: [TCP_TO, LISTENERS, ROUTE_TO],
    fix: "As for a timeout.",
    related: ["ETIMEDOUT"],
  },
};

const BY_NUMBER = new Map(Object.entries(FAILURES).map(([name, entry]) => [entry.number, name] as const));
const RARE = new Map([
  [92, "ENOPROTOOPT"],
  [95, "EOPNOTSUPP"],
  [112, "EHOSTDOWN"],
  [64, "ENONET"],
  [71, "EPROTO"],
]); // include/uapi/asm-generic/errno*.h

/** The name of an errno (`ETIMEDOUT`), `0` for none, or `errno 122` where this version has no name. */
export function errnoName(number: number): string {
  return BY_NUMBER.get(number) ?? RARE.get(number) ?? `errno ${number}`;
}

/** The text for the error of a failed connection, by Linux' number or by name; unknown ones come back raw, `known: false`. */
export function describeErrno(error: number | string): FailureDescription {
  const name = typeof error === "number" ? errnoName(error) : error;
  const entry = own(FAILURES, [...RARE.values()].includes(name) ? "EPROTO_OTHER" : name);
  const number = typeof error === "number" ? error : entry?.number;
  return { ...describe(name, entry), number, inWords: entry?.inWords ?? name, tellApart: entry?.tellApart ?? [] };
}

/** All errors with a text, for tests and for completion. */
export const ERRNO_NAMES: readonly string[] = Object.keys(FAILURES);
