import { ACCEPT_QUEUE, KERNEL_LOG, LISTENERS, PRESSURE, TCP_SOCKET, counters, settings } from "./frequent-checks.ts";
import type { Entries } from "./types.ts";

const REPEATED = "nothing; TCP sends the data again, a datagram is gone";

/** Reasons at the socket and in its memory. */
export const SOCKET_DROPS: Entries = {
  NOT_SPECIFIED: {
    title: "Lost without a stated reason",
    meaning:
      "The kernel code that discarded this packet names no reason, so the function is all there is to go by. Most such events are harmless multicast; the rest includes real faults.",
    layer: "other",
    severity: "info",
    causes: [
      "Multicast or neighbour discovery meant for other hosts",
      "Packets that arrive after their connection has ended",
      "A route of type blackhole, unreachable or prohibit",
      "An XDP or netkit program, or a firewall in user space, that discards",
    ],
    checks: [
      ["grep -w {location} /proc/kallsyms", "confirms the kernel function and, for a module, which one", "host"],
      ["ip route show table all type blackhole", "routes that swallow packets"],
      ["bpftool net show", "XDP, tc and netkit programs on the interfaces"],
    ],
    fix: "Judge by the kernel function. Do not hide this reason as a whole: silent IPv6 neighbours, blackhole routes and verdicts of NFQUEUE programs have no other name.",
    related: ["NEIGH_FAILED", "IP_INNOROUTES", "QUEUE_PURGE"],
  },
  NO_SOCKET: {
    title: "No socket takes this packet",
    meaning:
      "The packet reached the right host, but no program there has the port open, or the connection it belongs to is unknown. A TCP sender is answered with RST, a UDP sender with ICMP port unreachable.",
    senderSees: "RST (ECONNREFUSED at once) for TCP, ICMP port unreachable for UDP",
    who: "receiver",
    layer: "socket",
    severity: "warning",
    noise: [
      { text: "the echo reply of a ping that has its answer", at: ["ping_rcv"], icmpTypes: [0, 129] },
      {
        text: "the tail of a connection that this side ended first (RST, FIN or SYN+ACK)",
        protocols: [6],
        tcpFlags: [0x04, 0x11, 0x12],
      },
      { text: "a datagram to a multicast or broadcast address", protocols: [17], toGroup: true },
    ],
    causes: [
      "The program is down, not up yet, or bound to 127.0.0.1 or to another port",
      "A load balancer or Service still lists a back end that has left or was never ready",
      "Late packets of a connection that has been closed here",
      "Somebody probes ports, or a health check of a removed service goes on",
    ],
    checks: [
      LISTENERS,
      ["kubectl get endpointslices -A -o wide", "whether a Service still lists the address", "host"],
      counters("UdpNoPorts TcpOutRsts", "how many datagrams met a closed port, how many resets went out"),
    ],
    fix: "Start the program, or let it listen on the address that clients use, and make the Service's targetPort match. A readiness probe and a short delay before the process stops keep clients away from a port that is not served.",
    related: ["ECONNREFUSED", "TCP_LISTEN_OVERFLOW", "TCP_FLAGS"],
  },
  SOCKET_RCVBUFF: {
    title: "Receive buffer full",
    meaning:
      "The datagram reached its socket, whose buffer was already full of data that the program had not read. It is discarded, and nobody tells the sender.",
    senderSees: "nothing; a DNS client, for instance, waits for its time limit",
    who: "receiver",
    layer: "socket",
    severity: "error",
    causes: [
      "The reading program is slow or pauses: CPU limit, garbage collection, one thread for all clients",
      "More datagrams at once than the buffer holds (212,992 bytes by default, bookkeeping included)",
      "The process hangs but keeps the socket open",
    ],
    checks: [
      ["ss -uanmp sport = :{dport}", "in skmem, r is what waits, rb the limit and d the datagrams lost by this socket"],
      counters("UdpRcvbufErrors Udp6RcvbufErrors", "the loss of the whole namespace"),
      settings("net/core/rmem_default net/core/rmem_max", "the buffer that a socket gets and may ask for"),
    ],
    fix: "Give the reader more CPU, or several sockets with SO_REUSEPORT, or batched reads. Only then raise SO_RCVBUF and rmem_max: they carry bursts, not a reader that is too slow for the average.",
    related: ["PROTO_MEM", "SOCKET_BACKLOG"],
  },
  PROTO_MEM: {
    title: "Socket memory used up",
    meaning:
      "The memory that all sockets of this protocol, the control group or this one socket may hold is spent, so the packet could not be stored.",
    senderSees: REPEATED,
    layer: "memory",
    severity: "error",
    causes: [
      "Many sockets hold data that their programs do not read",
      "Socket buffers count against a memory limit of the control group that is reached",
      "The load outgrew net.ipv4.tcp_mem or udp_mem",
    ],
    checks: [
      PRESSURE,
      ["sysctl net/ipv4/tcp_mem net/ipv4/udp_mem", "the limits to compare with, in pages", "host"],
      counters("TcpExtTCPRcvQDrop TcpExtTCPMemoryPressures UdpMemErrors", "which protocol ran short"),
      ["ss -tanmp", "sockets with a large r in skmem hold the memory"],
    ],
    fix: "Find the program that lets data lie and repair or restart it; raise the limit afterwards. The memory is shared by the whole host.",
    related: ["SOCKET_RCVBUFF", "TCP_OFO_QUEUE_PRUNE", "PFMEMALLOC"],
  },
  SOCKET_BACKLOG: {
    title: "Socket busy, waiting line full",
    meaning: "While a program works on its socket, arriving packets wait in a line beside it. That line was full.",
    senderSees: REPEATED,
    who: "receiver",
    layer: "socket",
    severity: "warning",
    causes: [
      "One connection gets very many small segments",
      "The program or its CPU holds the socket for long stretches",
      "The receive buffer is small",
    ],
    checks: [counters("TcpExtTCPBacklogDrop TcpExtTCPBacklogCoalesce", "how often the line was full"), TCP_SOCKET],
    fix: "More CPU for the receiver, a larger maximum in net.ipv4.tcp_rmem, or the load spread over several connections.",
    related: ["SOCKET_RCVBUFF", "PROTO_MEM"],
  },
  QUEUE_PURGE: {
    title: "Leftovers cleared at close",
    meaning:
      "A socket, device or neighbour entry went away and its queue was emptied with it. Often these are ICMP errors that were noted for a socket.",
    layer: "socket",
    severity: "noise",
    noise: [{ text: "clean-up at the end of a socket" }],
    causes: ["A program closed a socket with unread data or with queued ICMP errors", "A capture ended"],
    fix: "Nothing needs doing. A steady stream from one program hints that it leaves data unread.",
    related: ["SOCKET_CLOSE"],
  },
  PACKET_SOCK_ERROR: {
    title: "A capture missed its copy",
    meaning: "A packet socket (tcpdump, a DHCP client, an IDS) had no room for its copy. The traffic itself went on.",
    who: "receiver",
    layer: "socket",
    severity: "noise",
    noise: [{ text: "only a copy was lost" }],
    causes: ["A capture program reads too slowly"],
    checks: [
      ["ss -0 -np", "which programs capture"],
      ["cat /proc/net/packet", "the packet sockets of this namespace"],
    ],
    fix: "A larger capture buffer or a narrower filter in that program.",
    related: ["SOCKET_FILTER"],
  },
  PFMEMALLOC: {
    title: "Taken from the emergency reserve",
    meaning:
      "The packet lay in memory that is kept for emergencies, which only swapping over the network may use. The host is short of free memory.",
    senderSees: REPEATED,
    layer: "memory",
    severity: "error",
    causes: ["No free pages at the moment of receiving"],
    checks: [
      counters("TcpExtPFMemallocDrop", "how often it happened"),
      settings("vm/min_free_kbytes", "the reserve of the kernel"),
      KERNEL_LOG,
    ],
    fix: "Free memory on the host, overcommit less, or raise vm.min_free_kbytes.",
    related: ["NOMEM", "PROTO_MEM"],
  },
  NOMEM: {
    title: "No memory for the packet",
    meaning: "The kernel asked for memory to hold or reshape the packet and got none.",
    senderSees: REPEATED,
    layer: "memory",
    severity: "error",
    causes: ["The host's free memory is exhausted", "Memory is in pieces too small for jumbo frames"],
    checks: [
      ["grep -E 'MemFree|MemAvailable' /proc/meminfo", "what is free now", "host"],
      settings("vm/min_free_kbytes", "the reserve of the kernel"),
      KERNEL_LOG,
    ],
    fix: "Free memory; a larger vm.min_free_kbytes keeps more in reserve.",
    related: ["PFMEMALLOC", "PROTO_MEM"],
  },
};

/** For texts that speak of a full accept queue. */
export const ACCEPT_CHECKS = [
  ACCEPT_QUEUE,
  counters(
    "TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop",
    "rising numbers: the queue of finished or of half-open connections is full",
  ),
  settings("net/core/somaxconn net/ipv4/tcp_max_syn_backlog", "upper limits of both queues"),
] as const;
