import { CAPTURE, TCP_SOCKET, counters, settings } from "./frequent-checks.ts";
import { ACCEPT_CHECKS } from "./drops-socket.ts";
import type { Entries } from "./types.ts";

/** TCP reasons of opening and closing a connection: handshake, resets, flags. */
export const TCP_HANDSHAKE_DROPS: Entries = {
  TCP_LISTEN_OVERFLOW: {
    title: "Accept queue full",
    meaning:
      "The last packet of a handshake came, but the program had let so many finished connections wait that there was no room for one more. The client thinks it is connected and sends; nothing answers for a second or longer.",
    senderSees: "a delay of 1 s and more, or a reset later (at once with tcp_abort_on_overflow)",
    who: "receiver",
    layer: "tcp",
    severity: "error",
    causes: [
      "The program is blocked, throttled or accepts on one thread only",
      "The backlog is short: the argument of listen(), cut to net.core.somaxconn",
      "Many clients connect at the same moment, as after a restart",
    ],
    checks: ACCEPT_CHECKS,
    fix: "Make the program accept faster: CPU, more accepting threads, SO_REUSEPORT. Raise the backlog in listen() and somaxconn together. tcp_abort_on_overflow only exchanges waiting for resets.",
    related: ["NO_SOCKET", "ETIMEDOUT", "connect_latency"],
  },
  TCP_FLAGS: {
    title: "Flags that fit no connection",
    meaning:
      "The TCP flags make no sense in this state: none at all, SYN with FIN, data without ACK, or an ACK at a listening port that knows no such connection. The last kind is answered with RST.",
    senderSees: "RST for an ACK without a connection, otherwise nothing",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: [
      "The server was restarted and the client carries on with a connection from before",
      "A half-open connection or SYN cookie had expired when its ACK came",
      "A port scan (no flags, SYN with FIN, FIN with URG and PSH)",
    ],
    checks: [
      ["ss -lntp sport = :{dport}", "the process that listens, whose start time then tells of a restart"],
      counters("TcpOutRsts TcpExtSyncookiesFailed", "resets sent, SYN cookies that did not fit"),
      CAPTURE,
    ],
    fix: "Let a server finish its connections before it stops, with a delay in which no new ones reach it. Scans need nothing.",
    related: ["NO_SOCKET", "ECONNRESET"],
  },
  TCP_ABORT_ON_DATA: {
    title: "Data for a socket already closed",
    meaning:
      "The program here had closed its connection, and the other side went on sending. The data is thrown away and an RST goes back.",
    senderSees: "RST: ECONNRESET, or EPIPE on its next write",
    who: "receiver",
    layer: "tcp",
    severity: "info",
    causes: [
      "A server or proxy closes (idle limit, request limit, early error answer) while a request is on its way",
      "A client cancels before the whole answer has come",
      "A pooled connection is used again in the moment in which the server closes it",
    ],
    checks: [counters("TcpExtTCPAbortOnData", "how often this namespace did so"), CAPTURE],
    fix: "Keep the idle limit of clients and proxies below the server's, read requests to their end before closing, and repeat requests that are safe to repeat.",
    related: ["ECONNRESET", "EPIPE", "idle_reset"],
  },
  TCP_RESET: {
    title: "Reset that did not fit exactly",
    meaning:
      "An RST arrived whose number was near, but not the expected one, or for a socket that only listens. It is ignored; an exact one would have ended the connection and left no drop.",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: [
      "A firewall or load balancer resets with an outdated number",
      "The RST of a handshake that was given up",
      "Somebody guesses resets",
    ],
    checks: [
      counters("TcpExtTCPChallengeACK TcpExtTCPACKSkippedChallenge", "answers to packets that fit badly"),
      TCP_SOCKET,
    ],
    fix: "As long as the connection goes on, nothing. Should it hang, find out which device resets.",
    related: ["ECONNRESET", "TCP_INVALID_SYN"],
  },
  TCP_INVALID_SYN: {
    title: "SYN for a connection that is open",
    meaning:
      "The other side begins a connection that this side believes to have already. It gets an ACK as a question, and an honest peer then resets the old one and tries again.",
    senderSees: "a delay of about 1 s",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: [
      "The client restarted or lost its state, and uses the same port again",
      "Behind a NAT, another client got this port",
      "An attack or a test tool",
    ],
    checks: [counters("TcpExtTCPSYNChallenge", "how often such a SYN came"), TCP_SOCKET],
    fix: "A server finds dead connections by keep-alive or TCP_USER_TIMEOUT; let clients choose their source ports at random.",
    related: ["TCP_INVALID_ACK_SEQUENCE", "TCP_RESET"],
  },
  TCP_INVALID_ACK_SEQUENCE: {
    title: "Answer to a SYN that was not sent",
    meaning:
      "While this side was connecting, an answer confirmed a number it never used. The kernel sends RST and waits for a better one.",
    senderSees: "RST",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: [
      "The other end still holds an older connection with the same ports",
      "A NAT, load balancer or SYN proxy confuses two connections",
      "Forged answers",
    ],
    checks: [
      TCP_SOCKET,
      ["conntrack -L -s {src} -d {dst}", "what connection tracking believes about this pair"],
      CAPTURE,
    ],
    fix: "A wider range of source ports on the client and shorter idle limits at the NAT; repair a device that mixes states up.",
    related: ["TCP_INVALID_SYN", "connect_latency"],
  },
  TCP_CLOSE: {
    title: "Socket in its last moment",
    meaning: "The socket had ended but was not gone when the packet reached it.",
    who: "receiver",
    layer: "tcp",
    severity: "noise",
    noise: [{ text: "the last moment of a connection" }],
    causes: ["Closing and receiving met"],
    fix: "Nothing needs doing.",
    related: ["NO_SOCKET"],
  },
  TCP_FASTOPEN: {
    title: "Fast Open handshake refused",
    meaning: "A packet of a TCP Fast Open connection did not pass the checks of a handshake.",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: ["A device on the path removes or changes Fast Open options", "Duplicates or late packets"],
    checks: [
      ["nstat -az | grep -i fastopen", "how Fast Open fares here"],
      settings("net/ipv4/tcp_fastopen", "whether it is on"),
    ],
    fix: "Turn Fast Open off for this path.",
  },
  TCP_OLD_ACK: {
    title: "ACK that moves nothing",
    meaning: "In the last step of a handshake, or while closing, an ACK confirmed nothing new.",
    senderSees: "RST",
    who: "sender",
    layer: "tcp",
    severity: "info",
    noise: [{ text: "a few of them", atMost: 3, unlessTroubled: true }],
    causes: ["Packets of the handshake were doubled or overtaken", "Both ends connected to each other at once"],
    checks: [counters("TcpExtTCPChallengeACK", "answers to packets that fit badly")],
    fix: "Nothing while it is rare.",
    related: ["TCP_TOO_OLD_ACK"],
  },
  TCP_TOO_OLD_ACK: {
    title: "ACK from long ago",
    meaning:
      "The confirmed number lies further back than any window of this connection ever reached. It is answered with an ACK that asks for proof.",
    who: "sender",
    layer: "tcp",
    severity: "info",
    causes: ["Packets that belong to an older connection on these ports", "Somebody injects packets"],
    checks: [counters("TcpExtTCPChallengeACK", "answers to packets that fit badly"), CAPTURE],
    fix: "Nothing while it is rare; else look for ports that a NAT uses again too soon.",
    related: ["TCP_ACK_UNSENT_DATA", "TCP_OLD_ACK"],
  },
  TCP_ACK_UNSENT_DATA: {
    title: "ACK for data not sent yet",
    meaning: "The other side confirms bytes that have not left this host. The segment is refused.",
    who: "path",
    layer: "tcp",
    severity: "warning",
    causes: [
      "Two connections are confused, by the peer or by a device between",
      "A proxy joins streams at the wrong place",
      "Injected packets",
    ],
    checks: [CAPTURE, TCP_SOCKET],
    fix: "Repair the device between; do not use ports again at once.",
    related: ["TCP_TOO_OLD_ACK"],
  },
  TCP_MINTTL: {
    title: "Came from too far away",
    meaning:
      "The socket takes only packets that passed no more routers than agreed (a protection of BGP); this one passed more.",
    who: "sender",
    layer: "tcp",
    severity: "warning",
    causes: [
      "ttl-security is on and the peer is not a direct neighbour",
      "The path got longer by a router or tunnel",
      "An attempt from outside",
    ],
    checks: [
      counters("TcpExtTCPMinTTLDrop", "how many came from too far"),
      ["traceroute -n {src}", "how far the peer is"],
    ],
    fix: "Allow the hops that the path has, or take the extra hop out.",
    related: ["IP_INHDR"],
  },
};
