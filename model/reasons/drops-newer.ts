import { CAPTURE, LINK, OFFLOADS, QDISC, counters } from "./frequent-checks.ts";
import type { Check, Entries } from "./types.ts";

const GRE: Check = ["ip -s -d tunnel show", "end points, keys, options and errors of the tunnels"];

/** Reasons of kernels after 6.18, and old names that were split since. */
export const NEWER_DROPS: Entries = {
  QDISC_BURST_DROP: {
    title: "Too many CPUs sent at once",
    meaning:
      "While many CPUs handed packets to one send queue, more of them waited than net.core.qdisc_max_burst allows.",
    senderSees: "nothing; TCP slows down and repeats",
    layer: "queue",
    severity: "warning",
    checks: [QDISC, ["sysctl net/core/qdisc_max_burst", "how many may wait", "host"]],
    fix: "Use an interface with several queues, or raise qdisc_max_burst.",
    related: ["QDISC_DROP"],
  },
  MACVLAN_BROADCAST_BACKLOG: {
    title: "Broadcast queue of macvlan full",
    meaning: "Copies of broadcast or multicast frames for the children of a macvlan device found no room.",
    layer: "link",
    severity: "warning",
    checks: [LINK],
    fix: "Less broadcast traffic, or a longer bcqueuelen on the macvlan devices.",
    related: ["IPVLAN_MULTICAST_BACKLOG"],
  },
  IPVLAN_MULTICAST_BACKLOG: {
    title: "Multicast queue of ipvlan full",
    meaning: "Copies of multicast packets for the children of an ipvlan device found no room.",
    layer: "link",
    severity: "warning",
    checks: [LINK],
    fix: "Less multicast traffic on that device.",
    related: ["MACVLAN_BROADCAST_BACKLOG"],
  },
  SKB_BAD_GSO: {
    title: "Offload information contradicts itself",
    meaning: "A packet made large for offload says things about itself that cannot be true, by a fault or on purpose.",
    layer: "driver",
    severity: "warning",
    checks: [OFFLOADS],
    fix: "Update the driver or the hypervisor that makes such packets.",
    related: ["SKB_GSO_SEG"],
  },
  IP_TTL_EXCEEDED: {
    title: "No hops left",
    meaning:
      "A router had to forward the packet and its TTL or hop limit was used up. Up to 6.18 this is part of IP_INHDR.",
    senderSees: "ICMP 11/0 or ICMPv6 3/0",
    who: "path",
    layer: "ip",
    severity: "info",
    causes: ["Somebody runs traceroute", "A loop between routers", "A small TTL set by the program"],
    checks: [
      ["traceroute -n {dst}", "hops that repeat are a loop"],
      counters("IpInHdrErrors Icmp6OutTimeExcds", "how often it happened"),
    ],
    fix: "Break the loop, if there is one.",
    related: ["IP_INHDR"],
  },
  IPV6_TOO_MANY_EXTHDRS: {
    title: "Too many IPv6 extension headers",
    meaning: "The packet carries more extension headers than this host agrees to walk.",
    who: "sender",
    layer: "ip",
    severity: "info",
    checks: [CAPTURE],
    fix: "Look at the sender; such packets are rarely meant well.",
    related: ["IPV6_BAD_EXTHDR"],
  },
  TNL_OPT_MISMATCH: {
    title: "Tunnel ends disagree about options",
    meaning: "One end uses checksums or sequence numbers and the other does not.",
    who: "sender",
    layer: "tunnel",
    severity: "error",
    checks: [GRE],
    fix: "The same options at both ends.",
    related: ["TNL_OLD_SEQ"],
  },
  TNL_OLD_SEQ: {
    title: "Tunnel packet out of order",
    meaning: "Its sequence number is lower than one seen before.",
    who: "path",
    layer: "tunnel",
    severity: "warning",
    causes: ["The other end started anew", "Packets overtook each other"],
    checks: [GRE],
    fix: "Switch sequence numbers off if the path reorders.",
    related: ["TNL_OPT_MISMATCH"],
  },
  GRE_INVALID_HDR: {
    title: "Not a valid GRE header",
    meaning: "The version is unknown, or the packet asks for routing by its source.",
    who: "sender",
    layer: "tunnel",
    severity: "warning",
    checks: [GRE, CAPTURE],
    fix: "Correct the sender.",
    related: ["GRE_TUNNEL_NOT_FOUND"],
  },
  GRE_CSUM: {
    title: "GRE checksum does not add up",
    meaning: "The tunnel packet was damaged or rewritten on its way.",
    who: "path",
    layer: "tunnel",
    severity: "error",
    checks: [GRE],
    fix: "Find the device that rewrites, or the faulty part.",
    related: ["IP_CSUM"],
  },
  GRE_TUNNEL_NOT_FOUND: {
    title: "No such GRE tunnel here",
    meaning: "No tunnel of this host fits the packet's end points and key.",
    who: "receiver",
    layer: "tunnel",
    severity: "warning",
    checks: [GRE],
    fix: "Set the tunnel up, or correct its key and addresses at one of the ends.",
    related: ["IP_NOPROTO"],
  },
  TC_ERROR: {
    title: "tc could not classify the packet",
    meaning:
      "An older name for three faults: lost state, a missing chain, or rules in a circle. The newer kernel tells them apart.",
    layer: "queue",
    severity: "warning",
    checks: [["tc -s filter show dev {device} ingress", "filters on the interface with their counters"]],
    fix: "Let the owner of the rules write them anew.",
    related: ["TC_COOKIE_ERROR", "TC_CHAIN_NOTFOUND", "TC_RECLASSIFY_LOOP"],
  },
};

/** Old name → the name of today. */
export const RENAMED: Readonly<Record<string, string>> = {
  PTYPE_ABSENT: "UNHANDLED_PROTO",
  VXLAN_NO_REMOTE: "NO_TX_TARGET",
};

const FLOWS: Check = ["ovs-appctl dpctl/dump-flows", "flows of the data path with their actions", "host"];
const TRACE: Check = ["ovs-appctl dpctl/show -s", "bridges, ports and their counters", "host"];

/** Reasons of Open vSwitch's subsystem; the keys keep its prefix. */
export const OPENVSWITCH_DROPS: Entries = {
  OVS_DROP_LAST_ACTION: {
    title: "Open vSwitch: no output",
    meaning:
      "The flow's actions came to their end without sending the packet anywhere. In OVN and Antrea that is mostly how a policy denies.",
    layer: "bridge",
    severity: "warning",
    policy: true,
    causes: ["A network policy denies the traffic", "The switch has learned no port for it"],
    checks: [FLOWS, TRACE],
    fix: "Change the policy where it is written: OVN, Antrea, or the switch's flows.",
    related: ["OVS_DROP_EXPLICIT"],
  },
  OVS_DROP_EXPLICIT: {
    title: "Open vSwitch: told to discard",
    meaning: 'A flow with the action "drop" matched: a policy of OVN, of Antrea or of the administrator.',
    layer: "bridge",
    severity: "warning",
    policy: true,
    causes: ["A network policy denies the traffic"],
    checks: [FLOWS],
    fix: "Change the policy where it is written.",
    related: ["OVS_DROP_LAST_ACTION"],
  },
  OVS_DROP_EXPLICIT_WITH_ERROR: {
    title: "Open vSwitch: discarded after an error",
    meaning: "A flow ended in a discard because something before it had failed.",
    layer: "bridge",
    severity: "error",
    checks: [FLOWS],
  },
  OVS_DROP_ACTION_ERROR: {
    title: "Open vSwitch: action failed",
    meaning: "One of the flow's actions could not be carried out.",
    layer: "bridge",
    severity: "error",
    checks: [FLOWS, TRACE],
  },
  OVS_DROP_METER: {
    title: "Open vSwitch: rate limit",
    meaning: "The traffic exceeded a meter, that is a rate limit of the switch.",
    layer: "bridge",
    severity: "warning",
    checks: [["ovs-appctl dpctl/show -s", "bridges, ports and their counters", "host"]],
    fix: "Raise the meter's rate, or send less.",
    related: ["QDISC_DROP"],
  },
  OVS_DROP_RECURSION_LIMIT: {
    title: "Open vSwitch: flows in a circle",
    meaning: "The packet re-entered the flow tables more often than allowed.",
    layer: "bridge",
    severity: "error",
    checks: [FLOWS],
    fix: "Take the circle out of the flows.",
  },
  OVS_DROP_DEFERRED_LIMIT: {
    title: "Open vSwitch: too many actions put off",
    meaning: "More actions waited for later than the switch can hold.",
    layer: "bridge",
    severity: "error",
    checks: [FLOWS],
  },
  OVS_DROP_FRAG_L2_TOO_LONG: {
    title: "Open vSwitch: link header too long to cut the packet",
    meaning: "The packet had to be fragmented and its link header is longer than the switch can keep.",
    layer: "bridge",
    severity: "warning",
    checks: [FLOWS],
  },
  OVS_DROP_FRAG_INVALID_PROTO: {
    title: "Open vSwitch: cannot cut this protocol",
    meaning: "The packet is too large for the port and is neither IPv4 nor IPv6.",
    layer: "bridge",
    severity: "warning",
    checks: [FLOWS],
  },
  OVS_DROP_CONNTRACK: {
    title: "Open vSwitch: connection tracking failed",
    meaning: "The switch could not find or record the connection.",
    layer: "bridge",
    severity: "error",
    checks: [["conntrack -S", "insert_failed, drop and early_drop per CPU"]],
    fix: "Look for a full table of connections.",
  },
  OVS_DROP_IP_TTL: {
    title: "Open vSwitch: no hops left",
    meaning: "The TTL or hop limit was used up inside the switch.",
    layer: "bridge",
    severity: "info",
    checks: [["traceroute -n {dst}", "hops that repeat are a loop"]],
    related: ["IP_INHDR"],
  },
};
