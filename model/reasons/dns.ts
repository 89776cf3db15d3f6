import { CONNTRACK } from "./frequent-checks.ts";
import { own } from "./kernel-functions.ts";
import { describe } from "./lookup.ts";
import type { Check, Description, Entries } from "./types.ts";

const RESOLVER: Check = [
  "cat /etc/resolv.conf",
  "servers, search list and options of this host; a container has its own",
  "host",
];
const CLUSTER_DNS: Check = [
  "kubectl -n kube-system get pod -l k8s-app=kube-dns -o wide",
  "where the cluster's DNS servers run, and whether they are ready",
  "host",
];
const CLUSTER_LOG: Check = [
  "kubectl -n kube-system logs -l k8s-app=kube-dns --tail 50",
  "what the DNS servers say",
  "host",
];

/** Results of name look-ups, by the name that dig prints; plus NODATA, TIMEOUT and TRUNCATED. */
const RESULTS: Entries = {
  NXDOMAIN: {
    title: "No such name",
    meaning:
      "The server says that the name does not exist. In Kubernetes most of these are steps of one look-up: with ndots 5, each search domain is tried before the name itself.",
    senderSees: '"name not known", unless a later step finds it',
    who: "sender",
    layer: "dns",
    severity: "error",
    noise: [{ text: "a step of the search list, when the name itself is found afterwards", wordsOnly: true }],
    causes: [
      "A step of the search list",
      "A typing error, a wrong namespace or a Service that is gone",
      "The name exists only in another view of the DNS",
    ],
    checks: [RESOLVER],
    fix: "A final dot on outside names, or ndots 1 or 2 for what calls outside; otherwise correct the name.",
  },
  NODATA: {
    title: "The name has no such record",
    meaning:
      "The name exists, but not with the kind of record that was asked for: often an IPv6 address of a name that has only IPv4.",
    who: "nobody",
    layer: "dns",
    severity: "noise",
    noise: [{ text: "IPv6 look-ups of IPv4 names" }],
    causes: ["A look-up for IPv6 of a name without it"],
    fix: "Nothing needs doing.",
  },
  SERVFAIL: {
    title: "The server could not find out",
    meaning:
      "The server looked for an answer and found none: it does not reach the one it asks, a signature fails, or it is overloaded.",
    senderSees: '"temporary failure"',
    who: "receiver",
    layer: "dns",
    severity: "error",
    causes: [
      "The server that it forwards to is out of reach or refuses, perhaps by a policy on the cluster's DNS",
      "DNSSEC does not validate",
      "Two servers forward to each other",
    ],
    checks: [CLUSTER_LOG, CLUSTER_DNS],
    fix: "Repair what the server forwards to, or the policy between them; more servers if they are overloaded.",
  },
  REFUSED: {
    title: "The server does not answer this client",
    meaning: "The server answers for other clients or zones than this.",
    senderSees: '"temporary failure"',
    who: "receiver",
    layer: "dns",
    severity: "error",
    causes: [
      "resolv.conf names a server that is none for clients",
      "The server's access list does not hold this address, perhaps after a NAT",
    ],
    checks: [RESOLVER],
    fix: "Ask the right server, or allow the client's range there.",
  },
  FORMERR: {
    title: "The server did not understand",
    meaning: "The question was malformed for this server, which may not know EDNS.",
    who: "receiver",
    layer: "dns",
    severity: "warning",
    causes: ["An old server, or a device that changes DNS packets"],
    checks: [RESOLVER],
    fix: "Update the server; clients try again without EDNS.",
  },
  NOTIMP: {
    title: "The server cannot do this",
    meaning: "The server has no answer for questions of this kind.",
    who: "receiver",
    layer: "dns",
    severity: "info",
    causes: ["An unusual question"],
    fix: "Nothing while it is rare.",
  },
  TIMEOUT: {
    title: "No answer from DNS",
    meaning:
      "Nothing came back. glibc waits 5 s and tries twice, so that a look-up takes 5 or 10 s; with musl, which asks all servers together, it is 5 s, too.",
    senderSees: 'a delay of 5 s, or "temporary failure"',
    who: "path",
    layer: "dns",
    severity: "error",
    causes: [
      "The question or its answer was discarded: a policy without port 53, a full buffer at the server, a full queue",
      "Two questions from one socket collide in connection tracking (insert_failed)",
      "The server is overloaded or gone",
      "A large answer came in fragments, and some were lost",
    ],
    checks: [
      ["conntrack -S | grep -o 'insert_failed=[0-9]*'", "collisions in connection tracking, per CPU"],
      CLUSTER_DNS,
      CONNTRACK,
    ],
    fix: "Port 53 belongs into policies, for UDP and TCP; a DNS cache on each node, or the option single-request-reopen; more CPU for the servers; an EDNS size of 1232.",
    related: ["NETFILTER_DROP", "SOCKET_RCVBUFF", "FRAG_REASM_TIMEOUT"],
  },
  TRUNCATED: {
    title: "Answer cut, to be asked again over TCP",
    meaning:
      "The answer did not fit into a datagram. The client has to ask over TCP, which must be allowed on port 53.",
    who: "path",
    layer: "dns",
    severity: "info",
    causes: ["A large answer", "A small EDNS size"],
    fix: "Allow TCP 53.",
  },
};

const BY_CODE = ["NODATA", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** The text for the result of a look-up, by name or by RCODE (0 = answered without records); unknown ones come back raw, `known: false`. */
export function describeDns(result: string | number): Description {
  const name = typeof result === "number" ? (BY_CODE[result] ?? `RCODE ${result}`) : result;
  return describe(name, own(RESULTS, name));
}

/** All results with a text, for tests and for completion. */
export const DNS_NAMES: readonly string[] = Object.keys(RESULTS);
