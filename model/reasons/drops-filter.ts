import { BPF_ON_DEVICE, CAPTURE, CONNTRACK, KERNEL_LOG, LINK, ROUTE_TO } from "./frequent-checks.ts";
import type { Check, Entries } from "./types.ts";

const CGROUP: Check = [
  "bpftool cgroup tree /sys/fs/cgroup{cgroup}",
  "programs that are attached to the control group of the process",
  "host",
];
const UNIT_LIMITS: Check = [
  "grep -rsE 'IPAddress(Allow|Deny)|RestrictNetworkInterfaces' /etc/systemd/system /run/systemd /usr/lib/systemd/system",
  "units whose addresses are restricted by systemd",
  "host",
];
const CILIUM: Check = [
  "hubble observe --verdict DROPPED --from-ip {src} --to-ip {dst}",
  "where Cilium owns the program, its own reason for the same packet",
  "host",
];
const IPSEC: readonly Check[] = [
  ["ip -s xfrm policy", "policies, their action and their counters"],
  ["ip -s xfrm state", "keys in use and their errors"],
  ["cat /proc/net/xfrm_stat", "why IPsec refused: no policy, wrong template, blocked, no state"],
];

/** Reasons that a rule or a program decided: firewalls, tc, control groups, IPsec, security modules. */
export const FILTER_DROPS: Entries = {
  NETFILTER_DROP: {
    title: "Dropped by a firewall rule",
    meaning:
      "Netfilter on this host told the kernel to discard the packet: a rule, a chain's policy or connection tracking. A drop rule is silent; a reject rule answers with RST or ICMP in addition. A local program gets EPERM at once for UDP, while TCP only waits.",
    senderSees: "nothing (drop: ETIMEDOUT), RST or ICMP (reject: ECONNREFUSED or EHOSTUNREACH)",
    layer: "filter",
    severity: "warning",
    policy: true,
    causes: [
      "Somebody's rules leave this traffic out: a network policy (Calico, kube-router), firewalld, ufw, or the forward chain that Docker closes",
      "kube-proxy rejects: the Service has no ready back end, or source range and traffic policy exclude this client",
      "A rule against connections in state invalid, when the answers take another way or tracking started late",
      "With nf_hook_slow as the function and no rule in sight: the table of tracked connections is full",
    ],
    checks: [
      [
        "nft -a list ruleset | grep -nE 'drop|reject'",
        "rules and chain policies; the one whose counter grows along with this loss is the one",
      ],
      ["iptables-save -c | grep -E 'DROP|REJECT'", "the same for rules in iptables form"],
      CONNTRACK,
      [
        "sysctl net/netfilter/nf_conntrack_count net/netfilter/nf_conntrack_max",
        "whether the table of connections is full",
      ],
      ["nft monitor trace", "names chain and rule, once a rule with meta nftrace set 1 matches this flow"],
    ],
    fix: "Allow the traffic where its owner writes the rules (policy object, firewall zone), not in generated chains. Without back ends, get one ready. For a full table raise nf_conntrack_max or shorten its time limits.",
    related: ["ETIMEDOUT", "ECONNREFUSED", "EHOSTUNREACH", "EPERM", "NOT_SPECIFIED"],
  },
  TC_INGRESS: {
    title: "Discarded by a tc program on arrival",
    meaning:
      "A tc or tcx program or filter discarded the packet as it came in through the interface. On the host's end of a container's link, \"in\" is what the container sends.",
    senderSees: "nothing; TCP runs into its time limit",
    layer: "filter",
    severity: "warning",
    policy: true,
    causes: [
      "A policy engine denies it: Cilium, Calico in eBPF mode, the AWS network policy agent, Weir in enforce mode",
      "A rate limit for incoming traffic",
      "A filter that somebody set by hand",
    ],
    checks: [
      BPF_ON_DEVICE,
      ["tc -s filter show dev {device} ingress", "filters on the interface with their counters"],
      CILIUM,
    ],
    fix: "The engine behind the program is the place to change its policy.",
    related: ["TC_EGRESS", "NETFILTER_DROP", "ETIMEDOUT"],
  },
  TC_EGRESS: {
    title: "Discarded by a tc program on departure",
    meaning:
      "A tc or tcx program or filter discarded the packet as it was about to leave through the interface. On the host's end of a container's link, \"out\" is what goes to the container.",
    senderSees: "nothing; a send over UDP even succeeds",
    layer: "filter",
    severity: "warning",
    policy: true,
    causes: [
      "A policy engine denies it: Cilium, Calico in eBPF mode, the AWS network policy agent, Weir in enforce mode",
      "tc police limits the rate",
      "A filter that somebody set by hand",
    ],
    checks: [
      BPF_ON_DEVICE,
      ["tc -s filter show dev {device} egress", "filters on the interface with their counters"],
      CILIUM,
    ],
    fix: "The engine behind the program is the place to change its policy; for a rate limit raise rate and burst.",
    related: ["TC_INGRESS", "NETFILTER_DROP", "QDISC_DROP"],
  },
  SOCKET_FILTER: {
    title: "Refused by a program at the socket",
    meaning:
      "The packet had found its socket. Then a program attached to that socket, or to the control group of its process, refused it.",
    senderSees: "nothing; a connect repeats its SYN until ETIMEDOUT",
    layer: "filter",
    severity: "warning",
    policy: true,
    noise: [
      { text: "filters of ICMP sockets, as ping sets them", protocols: [1, 58] },
      { text: "filters of raw and capture sockets, which are their purpose", wordsOnly: true },
    ],
    causes: [
      "A filter on the control group's incoming traffic: IPAddressDeny= of systemd, a security agent, a policy engine",
      "The program filters its own socket (SO_ATTACH_FILTER, SO_ATTACH_BPF)",
      "On kernels before 6.17, a security module such as SELinux",
    ],
    checks: [CGROUP, UNIT_LIMITS, ["ss -lntub sport = :{dport}", "filters that are attached to the listening socket"]],
    fix: "Whoever attached the program (a unit's settings, a tool) has to allow the address.",
    related: ["BPF_CGROUP_EGRESS", "SECURITY_HOOK", "ETIMEDOUT"],
  },
  BPF_CGROUP_EGRESS: {
    title: "Refused by the sender's control group",
    meaning: "A BPF program on the control group of the sending process did not let the packet out.",
    senderSees: "EPERM at once for UDP; TCP waits until ETIMEDOUT",
    layer: "filter",
    severity: "warning",
    policy: true,
    causes: [
      "The unit is restricted by systemd (IPAddressDeny=, RestrictNetworkInterfaces=)",
      "A security or policy agent",
      "A filter of the container runtime",
    ],
    checks: [CGROUP, UNIT_LIMITS],
    fix: "Whoever attached the program (a unit's settings, a tool) has to allow the address.",
    related: ["SOCKET_FILTER", "EPERM", "ETIMEDOUT"],
  },
  SECURITY_HOOK: {
    title: "Refused by a security module",
    meaning: "SELinux, Smack or a BPF program for security refused this packet for this socket.",
    layer: "filter",
    severity: "warning",
    policy: true,
    causes: [
      "Labels of packet and process do not fit (NetLabel, CIPSO, SECMARK)",
      "A security agent with BPF programs",
    ],
    checks: [
      ["ausearch -m avc -ts recent", "recent refusals of SELinux", "host"],
      ["bpftool prog show | grep -w lsm", "BPF programs for security", "host"],
      KERNEL_LOG,
    ],
    fix: "Bring labels and the module's policy into line.",
    related: ["SOCKET_FILTER", "BPF_CGROUP_EGRESS"],
  },
  XFRM_POLICY: {
    title: "Refused by an IPsec policy",
    meaning:
      "A packet that falls under an IPsec policy did not come as the policy demands: unencrypted, protected in another way than asked for, or blocked outright.",
    senderSees: "nothing; EPERM for a local sender",
    layer: "xfrm",
    severity: "error",
    policy: true,
    causes: [
      "The two ends disagree: only one has the policy, or keys differ after a rotation",
      "Policies of a VPN or of cluster encryption that no longer exists",
      "A policy whose action is block",
    ],
    checks: IPSEC,
    fix: "Bring both ends to the same policies and keys, and delete leftovers one by one, not by a flush under a running daemon.",
    related: ["NETFILTER_DROP", "ETIMEDOUT", "EPERM"],
  },
  PSP_INPUT: {
    title: "Arrived without the agreed PSP protection",
    meaning:
      "The connection is protected by PSP, and this packet was in clear text or protected for another association.",
    layer: "xfrm",
    severity: "error",
    policy: true,
    causes: [
      "A new key or association has reached one end only",
      "Clear packets for a protected connection",
      "The card's PSP offload does not work",
    ],
    checks: [["ethtool -S {device} | grep -i psp", "PSP counters of the card"]],
    fix: "Open the connection anew; repair the offload set-up of the card.",
    related: ["PSP_OUTPUT", "XFRM_POLICY"],
  },
  PSP_OUTPUT: {
    title: "Could not leave under PSP protection",
    meaning:
      "A protected connection was about to send through a device that does not hold its association, or the packet could not be wrapped.",
    layer: "xfrm",
    severity: "error",
    causes: [
      "Since a change of routes, the connection leaves by another card",
      "No room for the extra header, or offload trouble",
    ],
    checks: [ROUTE_TO, ["ethtool -S {device} | grep -i psp", "PSP counters of the card"]],
    fix: "Keep the connection on its card, or open it anew after the change.",
    related: ["PSP_INPUT"],
  },
  XDP: {
    title: "XDP could not pass it on",
    meaning:
      "A generic XDP program wanted to send or redirect the packet and that failed. A deliberate XDP_DROP has no name of its own: look under drops without a stated reason.",
    layer: "driver",
    severity: "warning",
    policy: true,
    causes: [
      "The target device is down or cannot take XDP packets",
      "Load balancing or protection against floods by XDP",
    ],
    checks: [
      ["bpftool net show", "XDP programs on the interfaces"],
      ["ethtool -S {device} | grep -i xdp", "the driver's XDP counters"],
      LINK,
    ],
    fix: "Look after the target of the redirect; the program's own counters tell of deliberate drops.",
    related: ["NOT_SPECIFIED"],
  },
  TAP_FILTER: {
    title: "Discarded by the tap's own program",
    meaning: "The owner of the tun or tap device attached an eBPF filter, which refused the packet.",
    layer: "filter",
    severity: "info",
    policy: true,
    causes: ["The hypervisor or VPN filters on purpose"],
    checks: [["bpftool prog show", "programs and the processes that hold them", "host"]],
    fix: "Change the settings of the device's owner.",
    related: ["TAP_TXFILTER"],
  },
  TAP_TXFILTER: {
    title: "Not wanted by the VM's address filter",
    meaning: "The tap device takes frames for certain MAC addresses only, and this one is for another.",
    layer: "filter",
    severity: "noise",
    noise: [{ text: "a virtual machine that takes only its own frames" }],
    causes: ["Multicast or frames for others on a virtual machine's link"],
    checks: [LINK, CAPTURE],
    fix: "Nothing needs doing, unless the VM is a bridge for others: then it needs promiscuous mode.",
    related: ["OTHERHOST"],
  },
};
