import type { FailureEntry } from "./failure-entry.ts";
import { CONNTRACK, LISTENERS, NEIGHBOUR, ROUTE_TO, TCP_TO, counters } from "./frequent-checks.ts";
import type { Check } from "./types.ts";

const CLOUD =
  "Look at security groups, network ACLs and route tables of the cloud or the site as well: no host sees what they discard.";
const QUEUES: Check = [
  "nstat -az TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop",
  "rising numbers at the destination: its queue of connections is full",
  "there",
];
const REJECTS: Check = ["nft list ruleset | grep -n reject", "rules that refuse with an answer", "there"];

/** What the network or the other end answered, or did not; `GAVE_UP` is a connection that its own program gave up. */
export const NETWORK_FAILURES: Readonly<Record<string, FailureEntry>> = {
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
    fix: "Something has to listen at that address and port; behind a Service, selector and targetPort have to lead to it, and readiness comes first; or narrow the rule that rejects.",
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
      "A silent neighbour on the source host: target or gateway is down",
      "The same on another host: the target does not answer that router",
      "ICMP 3/9, 3/10 or 3/13 with a firewall drop: a rule that rejects; without one, a prohibit route or a router outside",
      "ICMP 3/1 with a drop in ip_error: an unreachable route",
      "An ICMP message that no watched host sent: a router outside",
    ],
    checks: [NEIGHBOUR, ROUTE_TO, REJECTS],
    fix: "A target that is gone should leave endpoints and DNS, or come back; mask and gateway have to be right; allow the traffic in the firewall that rejects.",
    related: ["NEIGH_FAILED", "NETFILTER_DROP", "NOT_SPECIFIED"],
  },
  ENETUNREACH: {
    number: 101,
    title: "Network unreachable",
    inWords: "no route there",
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
      "The other program closed without reading everything, or on purpose by a reset",
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
    inWords: "the other side had closed before",
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
  GAVE_UP: {
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
