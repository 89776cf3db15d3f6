/**
 * Where on its way a packet was dropped, read from the functions that called the one that dropped it: which firewall hook, tc or queue
 * decided, and whether the packet was coming in, passing through or going out. Only what the frames say; nothing else is guessed.
 */
import type { Passage } from "../flow.ts";
import { hookOfCaller, own, plainFunction } from "./kernel-functions.ts";

export interface DropPlace {
  /** `input`, `forward`, `netdev ingress`, `tc egress`, `queue` …; "" when no frame and no reason tells. */
  readonly hook: string;
  readonly passage: Passage;
}

/** Reasons that are a place by themselves (enum skb_drop_reason). */
const BY_REASON: Readonly<Record<string, string>> = {
  TC_INGRESS: "tc ingress",
  TC_EGRESS: "tc egress",
  QDISC_DROP: "queue",
  FQ_BAND_LIMIT: "queue",
  FQ_HORIZON_LIMIT: "queue",
  FQ_FLOW_LIMIT: "queue",
  QDISC_OVERLIMIT: "queue",
  QDISC_CONGESTED: "queue",
  CAKE_FLOOD: "queue",
  XDP: "XDP",
  BPF_CGROUP_EGRESS: "cgroup egress",
  SOCKET_FILTER: "socket filter",
  XFRM_POLICY: "IPsec policy",
  SECURITY_HOOK: "security module",
};

/** Functions that are one, whatever the reason. */
const BY_FUNCTION: Readonly<Record<string, string>> = {
  nfqnl_reinject: "queue to a program",
  nf_queue: "queue to a program",
  do_xdp_generic: "XDP",
  veth_xdp_rcv_skb: "XDP",
  netkit_xmit: "netkit",
};

/** Frames between the function that drops and nf_hook_slow: the chain's own and its family's (nft_do_chain, nft_do_chain_inet). */
const HOOK_WITHIN = 4;
const FIREWALL = /^(nf|nft|ipt|ip6t|arpt|ebt|xt)_|^iptable_|^ip6table_|^nfqnl_/;

/** The nearest of these frames says where the packet was: outer ones may be another packet's, sent or received in the same call. */
const PASSES: readonly (readonly [Passage, RegExp])[] = [
  ["forward", /^(ip_forward|ip6_forward|br_forward|br_handle_frame|ip_mr_forward|ip6_mr_forward)/],
  [
    "in",
    /^(ip_rcv|ip_list_rcv|ip_sublist_rcv|ipv6_rcv|ipv6_list_rcv|ip6_rcv|ip6_sublist_rcv|ip6_input|ip6_mc_input|ip_local_deliver|ip_error|ip_mr_input|ip6_mr_input|tcp_v[46]_|tcp_rcv_|tcp_validate_incoming|tcp_data_queue|tcp_add_backlog|tcp_check_req|tcp_child_process|cookie_v[46]_check|__?udp[v46]*_(lib_)?(rcv|queue_rcv)|udp_unicast_rcv|icmp_rcv|icmpv6_rcv|ping_rcv|raw_rcv|rawv6_rcv|sock_queue_rcv_skb|__netif_receive_skb|netif_receive_skb|__netif_rx|enqueue_to_backlog|process_backlog|do_xdp_generic|veth_xdp_rcv|packet_rcv|tpacket_rcv|arp_rcv|arp_process|ndisc_rcv|vxlan_rcv|tun_get_user|tap_get_user|napi_gro_receive|igmp_rcv|mld_)/,
  ],
  [
    "out",
    /^(ip_output|ip_mc_output|ip6_output|ip_finish_output|ip6_finish_output|__ip_finish_output|__ip6_finish_output|__?ip_local_out|__?ip6_local_out|ip_send_skb|ip_push_pending_frames|ip6_send_skb|__?ip_queue_xmit|ip6_xmit|udp_send_skb|udp_v6_send_skb|dst_discard_out|ip6_pkt_discard_out|ip6_pkt_prohibit_out|__dev_queue_xmit|dev_hard_start_xmit|sch_direct_xmit|__qdisc_run|net_tx_action|neigh_|__neigh_|ndisc_send_skb|ndisc_error_report|arp_error_report|arp_xmit|vxlan_xmit|veth_xmit|tun_net_xmit|netkit_xmit)/,
  ],
];

/**
 * The place of a drop for `reason` in function `location`, whose callers are `callers`, innermost first (compiler suffixes may stay;
 * empty = no stack).
 */
export function placeOfDrop(reason: string, location: string, callers: readonly string[]): DropPlace {
  const frames = [location, ...callers].map(plainFunction).filter((name) => name !== "");
  return { hook: hookOf(reason, frames), passage: passageOf(reason, frames) };
}

function hookOf(reason: string, frames: readonly string[]): string {
  const named = own(BY_REASON, reason) ?? own(BY_FUNCTION, frames[0] ?? "");
  if (named !== undefined) return named;
  const at = frames.findIndex((name) => name === "nf_hook_slow" || name === "nf_hook_slow_list");
  if (at < 0 || at > HOOK_WITHIN || !frames.slice(0, at).every((name) => FIREWALL.test(name))) return "";
  return hookOfCaller(frames[at + 1] ?? "") ?? "";
}

function passageOf(reason: string, frames: readonly string[]): Passage {
  if (reason === "TC_INGRESS") return "in";
  if (reason === "TC_EGRESS") return "out";
  for (const name of frames) {
    const pass = PASSES.find(([, pattern]) => pattern.test(name));
    if (pass !== undefined) return pass[0];
  }
  return "unknown";
}

/** The hook in plain words, as a sentence's end: `before a packet reaches a program of this host`. Undefined for one without words. */
export function hookInWords(hook: string): string | undefined {
  return own(HOOK_WORDS, hook);
}

const HOOK_WORDS: Readonly<Record<string, string>> = {
  prerouting: "as the packet came in, before its route was chosen",
  input: "as the packet was about to reach a program of this host",
  forward: "as this host was passing the packet on",
  output: "as the packet left a program of this host",
  postrouting: "as the packet was about to leave, its route chosen",
  "netdev ingress": "as the packet came in at the device, before anything else",
  "netdev egress": "as the packet was about to leave by the device",
  "bridge prerouting": "as the packet came in at a port of a bridge",
  "bridge forward": "as a bridge was passing the packet on",
  "tc ingress": "by a tc filter or BPF program, as the packet came in at the device",
  "tc egress": "by a tc filter or BPF program, as the packet was about to leave by the device",
  queue: "by the device's send queue",
  XDP: "by an XDP program, before the kernel made a packet of it",
  "cgroup egress": "by a BPF program of the sender's control group",
  "socket filter": "by a filter on the receiving socket",
  "queue to a program": "on the way to, or by the verdict of, a program in user space",
  netkit: "by the program of a netkit link",
  "IPsec policy": "by an IPsec policy",
  "security module": "by a security module (SELinux, AppArmor …)",
};
