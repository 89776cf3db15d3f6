import { ACCEPT_CHECKS } from "./drops-socket.ts";
import { CONNTRACK, LINK, QDISC, TCP_SOCKET, TCP_TO, counters, settings } from "./frequent-checks.ts";
import { own } from "./kernel-functions.ts";
import { describe } from "./lookup.ts";
import type { Description, Entries } from "./types.ts";

/** What a connection shows without a failure or a drop of its own. */
const SYMPTOMS: Entries = {
  retransmits: {
    title: "Data sent again",
    meaning: "The share of segments that had to be repeated. Below 0.1 % is usual; 1 % and more is felt by users.",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: [
      "A queue or a link on the path loses packets (QDISC_DROP, CPU_BACKLOG, FULL_RING)",
      "A policy change in the middle of a connection",
      "Only large segments are lost: the path takes smaller ones",
      "Repetitions without need, when the other side reports duplicates",
    ],
    checks: [
      TCP_TO,
      counters(
        "TcpRetransSegs TcpExtTCPLostRetransmit TcpExtTCPTimeouts TcpExtTCPSpuriousRTOs",
        "kinds of repetition in this namespace",
      ),
      QDISC,
    ],
    fix: "Act on the drop that is found. If no watched host drops, the loss is between them.",
    related: ["QDISC_DROP", "CPU_BACKLOG", "mtu_black_hole"],
  },
  connect_latency: {
    title: "Seconds until connected",
    meaning:
      "A SYN or its answer was lost and sent again: after about 1, 2, 3, 4, 5, 7, 11 s; before kernel 6.5 after 1, 3, 7, 15 s.",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: [
      "A queue of connections at the server is full, which leaves no drop event",
      "The SYN or its answer is discarded",
      "Ports that a NAT uses again too soon",
      "The table of tracked connections is full, or two entries collide",
      "The first packet waits for ARP",
    ],
    checks: [...ACCEPT_CHECKS, CONNTRACK],
    fix: "As for the cause; connections that stay open hide it.",
    related: ["TCP_LISTEN_OVERFLOW", "TCP_RFC7323_TW_PAWS", "NETFILTER_DROP"],
  },
  zero_window: {
    title: "The receiver does not read",
    meaning: "The receiver said that it can take nothing more. The sender waits and asks again; nothing is lost.",
    who: "receiver",
    layer: "tcp",
    severity: "warning",
    causes: [
      "The program that reads is blocked, throttled or overloaded",
      "Something behind it is slow, such as a disk or database",
      "A very small SO_RCVBUF",
    ],
    checks: [
      TCP_SOCKET,
      counters(
        "TcpExtTCPToZeroWindowAdv TcpExtTCPWantZeroWindowAdv TcpExtTCPFromZeroWindowAdv",
        "how often windows closed and opened",
      ),
    ],
    fix: "Repair the reader; a larger buffer only puts it off.",
    related: ["TCP_ZEROWINDOW", "TCP_INVALID_SEQUENCE"],
  },
  mtu_black_hole: {
    title: "Small data passes, large data hangs",
    meaning:
      "What is small gets through, the handshake included. The first full-size segment does not arrive, is repeated at the same size, and no ICMP 3/4 comes back.",
    who: "path",
    layer: "ip",
    severity: "error",
    causes: [
      "The MTU is too large for a tunnel on the way, and ICMP is filtered",
      "A host that drops with PKT_TOO_BIG cannot reach the sender with its message",
    ],
    checks: [
      [
        "ping -c 1 -M do -s 1472 {dst}",
        "lower the size until it passes; 28 bytes more (48 for IPv6) is the path's MTU",
      ],
      counters("TcpExtTCPMTUPFail TcpExtTCPMTUPSuccess", "TCP's own probing"),
      LINK,
    ],
    fix: "The right MTU; let ICMP 3/4 and ICMPv6 type 2 through. MSS clamping or tcp_mtu_probing = 1 until then.",
    related: ["PKT_TOO_BIG", "EMSGSIZE"],
  },
  idle_reset: {
    title: "Ends after idle time",
    meaning: "Connections are reset or hang whenever they have been idle for the same time.",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: ["A NAT, load balancer or firewall forgets idle connections (350 s, 4 min and 60 min are common limits)"],
    checks: [
      settings(
        "net/netfilter/nf_conntrack_tcp_timeout_established net/ipv4/tcp_keepalive_time",
        "limits of this host, in seconds",
      ),
    ],
    fix: "Keep-alive below that time; the kernel's default is two hours.",
    related: ["ECONNRESET"],
  },
  half_open: {
    title: "Handshakes that are not finished",
    meaning: "Many connections wait for the client's last packet: the server's answers are not confirmed.",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: ["The way back is broken: asymmetric routes, reverse-path filter, a firewall at the client", "A SYN flood"],
    checks: [
      ["ss -Htan state syn-recv", "half-open connections"],
      counters(
        "TcpExtSyncookiesSent TcpExtTCPReqQFullDoCookies",
        "whether the queue of half-open connections was full",
      ),
    ],
    fix: "Repair the way back. Leave SYN cookies on.",
    related: ["IP_RPFILTER", "ETIMEDOUT"],
  },
  time_wait_pile: {
    title: "Many ended connections linger",
    meaning: "This side closes many short connections. It is harmless until no port to a destination is left.",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: ["Every request opens a connection of its own"],
    checks: [["ss -s", "connections by state"], settings("net/ipv4/ip_local_port_range", "ports to choose from")],
    fix: "Use connections again; on clients, tcp_tw_reuse = 1.",
    related: ["EADDRNOTAVAIL"],
  },
  rtt_rise: {
    title: "The way there and back takes longer",
    meaning: "The round trip grows against its own minimum while nothing is lost: somewhere a queue fills.",
    who: "path",
    layer: "tcp",
    severity: "info",
    causes: ["A shaper or a full link", "One of the ends is short of CPU", "Another path"],
    checks: [QDISC, TCP_TO],
    fix: "fq_codel or cake where the link is narrowest; more CPU.",
    related: ["QDISC_DROP", "retransmits"],
  },
};

/** The text for a symptom of TCP connections; unknown names come back raw, `known: false`. */
export function describeSymptom(name: string): Description {
  return describe(name, own(SYMPTOMS, name));
}

/** All symptoms with a text, for tests and for completion. */
export const SYMPTOM_NAMES: readonly string[] = Object.keys(SYMPTOMS);
