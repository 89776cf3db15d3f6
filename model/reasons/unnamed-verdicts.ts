import type { UnnamedDrop } from "./unnamed-drop.ts";

const BPF_NET: readonly [string, string] = ["bpftool net show", "XDP, tc and netkit programs on the interfaces"];
const NFQUEUE: readonly [string, string] = [
  "cat /proc/net/netfilter/nfnetlink_queue",
  "one line a queue: its number, the reader's port id, then how many wait and were lost",
];

/** Routes, neighbours and programs that refuse without a stated reason. */
export const UNNAMED_VERDICTS: readonly UnnamedDrop[] = [
  {
    showAs: "ROUTE_PROHIBIT",
    at: ["ip_error"],
    icmp: "3/13",
    entry: {
      title: "A prohibit route refuses it",
      meaning: "The best route to the destination is one of type prohibit, and the sender was told so.",
      senderSees: "ICMP 3/13 (EHOSTUNREACH)",
      layer: "ip",
      severity: "warning",
      causes: ["A route that somebody set in order to refuse this traffic"],
      checks: [["ip route show table all type prohibit", "routes of this type"]],
      fix: "Remove the route, or add a better one for the destination.",
      related: ["EHOSTUNREACH"],
    },
  },
  {
    showAs: "ROUTE_UNREACHABLE",
    at: ["ip_error"],
    icmp: "3/1",
    entry: {
      title: "An unreachable route refuses it",
      meaning:
        "The best route to the destination is one of type unreachable, and the sender was told so. Kubernetes nodes keep such routes for ranges whose containers have gone.",
      senderSees: "ICMP 3/1 (EHOSTUNREACH)",
      layer: "ip",
      severity: "warning",
      causes: [
        "The container or node that had the address is gone",
        "A route that somebody set in order to refuse this traffic",
      ],
      checks: [["ip route show table all type unreachable", "routes of this type"]],
      fix: "Take the dead address out of endpoints and names, or add a better route.",
      related: ["EHOSTUNREACH", "NEIGH_FAILED"],
    },
  },
  {
    showAs: "ROUTE_BLACKHOLE",
    at: ["ip_error"],
    icmp: "none",
    entry: {
      title: "A blackhole route swallows it",
      meaning:
        "The best route to the destination throws packets away and tells nobody. An unreachable or prohibit route looks the same while ICMP is held back by its rate limit.",
      senderSees: "nothing; connects time out",
      layer: "ip",
      severity: "warning",
      causes: ["A blackhole route, set against loops or against this destination"],
      checks: [
        ["ip route show table all type blackhole", "routes that swallow packets"],
        ["ip route get {dst}", "what this host does with the destination"],
      ],
      fix: "Remove the route, or add a better one for the destination.",
      related: ["ETIMEDOUT"],
    },
  },
  {
    showAs: "ROUTE_REFUSES",
    at: ["ip_error"],
    entry: {
      title: "A route refuses it",
      meaning:
        "The best route to the destination is of type blackhole, unreachable or prohibit. Which one is not known: no ICMP message was seen with this event.",
      senderSees: "nothing for blackhole, ICMP 3/1 or 3/13 for the others",
      layer: "ip",
      severity: "warning",
      causes: ["A route that refuses on purpose, or one kept for containers that have gone"],
      checks: [
        ["ip route show table all type blackhole", "routes that swallow packets"],
        ["ip route show table all type unreachable", "routes that answer with host unreachable"],
        ["ip route show table all type prohibit", "routes that answer with prohibited"],
      ],
      fix: "Remove the route, or add a better one for the destination.",
      related: ["EHOSTUNREACH", "ETIMEDOUT"],
    },
  },
  {
    showAs: "ROUTE_BLACKHOLE",
    at: ["dst_discard_out", "dst_discard"],
    entry: {
      title: "A blackhole route swallows it",
      meaning:
        'The best route to the destination throws packets away and tells nobody. IPv6 packets that say "nothing follows" end here, too.',
      senderSees: "nothing; connects time out",
      layer: "ip",
      severity: "warning",
      causes: ["A blackhole route, set against loops or against this destination"],
      checks: [
        ["ip -6 route show table all type blackhole", "IPv6 routes that swallow packets"],
        ["ip route get {dst}", "what this host does with the destination"],
      ],
      fix: "Remove the route, or add a better one for the destination.",
      related: ["ETIMEDOUT"],
    },
  },
  {
    showAs: "NEIGH_FAILED",
    at: ["neigh_invalidate"],
    entry: {
      title: "Next hop does not answer (IPv6)",
      meaning:
        "This host asked for the MAC address of the next hop by neighbour discovery, and nobody answered. For IPv4 the kernel has a name for it, for IPv6 it has none.",
      senderSees: "EHOSTUNREACH after about 3 s; a remote sender gets ICMPv6 1/3",
      who: "path",
      layer: "neighbour",
      severity: "error",
      causes: [
        "The host, VM or container with this address is gone",
        "A wrong prefix or gateway",
        "VLAN, bridge or cloud network does not carry the question or the answer",
      ],
      checks: [
        ["ip neigh show {dst}", "FAILED or INCOMPLETE: nobody answered for this address"],
        ["ip route get {dst}", "the next hop that is asked for"],
      ],
      fix: "Take the dead address out of endpoints, DNS and settings, or bring its host back.",
      related: ["NEIGH_FAILED", "EHOSTUNREACH"],
    },
  },
  {
    showAs: "XDP_DROP",
    at: ["do_xdp_generic", "veth_xdp_rcv_skb"],
    entry: {
      title: "Discarded by an XDP program",
      meaning: "A program at the interface's very entrance returned XDP_DROP.",
      layer: "driver",
      severity: "warning",
      policy: true,
      causes: ["A firewall or flood filter in XDP, or a load balancer that refuses"],
      checks: [BPF_NET],
      fix: "Change the settings of the program's owner.",
      related: ["XDP"],
    },
  },
  {
    showAs: "NFQUEUE_DROP",
    at: ["nfqnl_reinject"],
    entry: {
      title: "Denied by a firewall in user space",
      meaning:
        'A rule handed the packet to a program by NFQUEUE, and the program answered "drop". kube-network-policies, kindnet and intrusion detection work like that.',
      senderSees: "nothing; connects time out",
      layer: "filter",
      severity: "warning",
      policy: true,
      causes: ["A network policy that this program enforces does not allow the traffic"],
      checks: [NFQUEUE],
      fix: "Change the policy that the program enforces; its log names it.",
      related: ["NETFILTER_DROP", "ETIMEDOUT"],
    },
  },
  {
    showAs: "NFQUEUE_NO_READER",
    at: ["nf_queue"],
    entry: {
      title: "Firewall queue that nobody reads",
      meaning:
        "A rule hands packets to a program that does not run or does not keep up, and the rule does not let them pass in that case.",
      senderSees: "nothing; connects time out",
      layer: "filter",
      severity: "error",
      causes: ["The policy program has stopped or was never started", "It is too slow, and its queue is full"],
      checks: [NFQUEUE],
      fix: 'Restart the program. A rule with "bypass" would let packets through while it is away.',
      related: ["NETFILTER_DROP"],
    },
  },
  {
    showAs: "NETKIT_DROP",
    at: ["netkit_xmit"],
    entry: {
      title: "Refused by the program of a netkit link",
      meaning: "The container's link is a netkit device, and its BPF program refused the packet.",
      layer: "filter",
      severity: "warning",
      policy: true,
      causes: ["A policy of Cilium, which uses such links, denies the traffic"],
      checks: [
        BPF_NET,
        [
          "hubble observe --verdict DROPPED --from-ip {src} --to-ip {dst}",
          "Cilium's own reason for the same packet",
          "host",
        ],
      ],
      fix: "The engine behind the program is the place to change its policy.",
      related: ["TC_INGRESS"],
    },
  },
];
