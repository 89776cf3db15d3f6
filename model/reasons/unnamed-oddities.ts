import { CAPTURE, KERNEL_LOG, settings } from "./frequent-checks.ts";
import type { Entry } from "./types.ts";
import type { UnnamedDrop } from "./unnamed-drop.ts";

const GROUP: Entry = {
  title: "Multicast that nobody here joined",
  meaning:
    "The packet went to a group of which this host is no member, as most neighbour solicitations do. It makes up the bulk of losses without a stated reason.",
  who: "nobody",
  layer: "ip",
  severity: "noise",
  noise: [{ text: "multicast for others" }],
  causes: ["Neighbour discovery and group announcements on a shared network"],
  checks: [["ip maddr show", "groups that this host has joined"]],
  fix: "Nothing needs doing.",
};

/** Packets of no use to anybody, late or odd, without a stated reason. */
export const UNNAMED_ODDITIES: readonly UnnamedDrop[] = [
  {
    showAs: "LATE_DATA",
    at: ["tcp_v4_rcv", "tcp_v6_rcv"],
    rst: "TCP_TIMEWAIT_SOCKET",
    entry: {
      title: "Data after the connection had ended",
      meaning:
        "This side had closed the connection, which lingers in TIME_WAIT, and the other side sent once more. It was answered with RST.",
      senderSees: "RST: EPIPE on its next write",
      who: "receiver",
      layer: "tcp",
      severity: "info",
      causes: ["The other program did not notice the end, as when a pooled connection is used again"],
      checks: [["ss -tan state time-wait dst {src}", "connections with this address that ended within a minute"]],
      fix: "Keep the client's idle limit below the server's.",
      related: ["TCP_ABORT_ON_DATA", "EPIPE"],
    },
  },
  {
    showAs: "LATE_RST",
    at: ["tcp_v4_rcv", "tcp_v6_rcv"],
    tcpFlags: 0x04,
    entry: {
      title: "Reset for a connection that is not here",
      meaning: "The other side gave up while the connection was half open.",
      who: "sender",
      layer: "tcp",
      severity: "noise",
      noise: [{ text: "the other side gave up first" }],
      causes: ["A client whose time limit is short"],
      fix: "Nothing needs doing.",
      related: ["NO_SOCKET"],
    },
  },
  {
    showAs: "MULTICAST_NOT_JOINED",
    at: ["ip6_mc_input"],
    entry: GROUP,
  },
  {
    showAs: "MULTICAST_NOT_JOINED",
    at: ["ip_rcv_finish_core", "__udp4_lib_rcv"],
    toGroup: true,
    entry: GROUP,
  },
  {
    showAs: "TRANSPORT_UNUSABLE",
    at: ["tcp_v4_rcv", "tcp_v6_rcv", "__udp4_lib_rcv", "__udp6_lib_rcv"],
    entry: {
      title: "Late, cut off, or refused by IPsec",
      meaning:
        "Three things end in this function without a name: data for a connection in TIME_WAIT, a packet shorter than its transport header, and IPsec's refusal where no program listens.",
      layer: "tcp",
      severity: "info",
      causes: ["Data after the connection had ended", "A cut-off packet", "An IPsec policy that blocks"],
      checks: [["cat /proc/net/xfrm_stat", "whether IPsec refuses packets"], CAPTURE],
      fix: "A reset sent at the same moment means late data, which rarely matters.",
      related: ["PKT_TOO_SMALL", "XFRM_POLICY", "TCP_ABORT_ON_DATA"],
    },
  },
  {
    showAs: "ICMP_ODD",
    at: ["icmp_rcv", "icmpv6_rcv"],
    entry: {
      title: "ICMP message of no use",
      meaning:
        "It quotes too little of a packet, or one that this host never sent, or asks for an address that cannot be.",
      who: "sender",
      layer: "ip",
      severity: "noise",
      noise: [{ text: "ICMP that concerns nobody here" }],
      causes: ["Answers to forged packets, or faulty devices"],
      fix: "Nothing needs doing.",
    },
  },
  {
    showAs: "IPV6_ROUTING_HEADER",
    at: ["ipv6_rthdr_rcv"],
    entry: {
      title: "IPv6 way prescribed by the sender, refused",
      meaning: "The packet prescribes its own way, by the abandoned type 0 or by segment routing that is off here.",
      who: "sender",
      layer: "ip",
      severity: "info",
      causes: ["Segment routing is set up at the sender only", "A test or an attack"],
      checks: [settings("net/ipv6/conf/all/accept_source_route net/ipv6/conf/all/seg6_enabled", "what is allowed")],
      fix: "Enable segment routing where it is wanted.",
    },
  },
  {
    showAs: "TUN_WRITE_INVALID",
    at: ["tun_get_user"],
    entry: {
      title: "Invalid frame from VPN or VM",
      meaning: "The program behind a tun device wrote an empty or cut-off frame, or a wrong header in front of it.",
      senderSees: "EINVAL from write()",
      who: "sender",
      layer: "driver",
      severity: "info",
      causes: ["A fault in that program"],
      fix: "Look at the program's log, and update it.",
      related: ["HDR_TRUNC"],
    },
  },
  {
    showAs: "QUEUE_PURGE",
    at: ["tun_queue_purge", "udp_destruct_common", "netif_napi_add_weight_locked"],
    entry: {
      title: "Leftovers cleared at close",
      meaning: "A socket or device went away and its queue was emptied with it.",
      layer: "socket",
      severity: "noise",
      noise: [{ text: "clean-up at the end of a socket or device" }],
      causes: ["A program ended with unread packets"],
      fix: "Nothing needs doing.",
      related: ["QUEUE_PURGE"],
    },
  },
  {
    showAs: "REDIRECT_LOOP",
    at: ["__bpf_redirect"],
    entry: {
      title: "A tc program sends in circles",
      meaning: "The program redirects the packet again and again, until the kernel's limit for stacked devices.",
      layer: "tunnel",
      severity: "error",
      causes: ["Two programs redirect to each other, or one to its own interface"],
      checks: [["bpftool net show", "XDP, tc and netkit programs on the interfaces"], KERNEL_LOG],
      fix: "Correct the program or the pair of interfaces.",
      related: ["RECURSION_LIMIT"],
    },
  },
  {
    showAs: "TCP_FLAGS",
    at: ["tcp_rcv_state_process"],
    entry: {
      title: "Odd answer to a connect",
      meaning: "While this side waited for the answer to its SYN, something else came, such as a bare FIN.",
      who: "sender",
      layer: "tcp",
      severity: "info",
      causes: ["The other end or a device between confuses two connections"],
      checks: [CAPTURE],
      fix: "Nothing while the connect succeeds.",
      related: ["TCP_FLAGS"],
    },
  },
];
