/** Where a kernel function sits, in words; keys are symbols without compiler suffixes. */
const PLACES: Readonly<Record<string, string>> = {
  nft_do_chain: "firewall, a chain of nftables",
  nf_hook_slow: "firewall, a netfilter hook (iptables-legacy, connection tracking and others)",
  nfqnl_reinject: "firewall, after the verdict of a program in user space",
  nf_queue: "firewall, on the way to a program in user space",
  ip_rcv_core: "IPv4 arrival, first look at the header",
  ip_rcv_finish_core: "IPv4 arrival, route and source address",
  ip_local_deliver_finish: "IPv4 arrival, choice of the transport protocol",
  ip_forward: "IPv4 forwarding",
  ip_error: "IPv4 routing, no route that may be used",
  __ip_queue_xmit: "IPv4 departure, route of a connection",
  ip_finish_output: "IPv4 departure, programs of the control group",
  ip_finish_output2: "IPv4 departure, choice of the neighbour",
  ip_defrag: "IPv4 fragments",
  ip_expire: "IPv4 fragments, time limit",
  inet_frag_rbtree_purge: "fragments, thrown away together",
  ip6_rcv_core: "IPv6 arrival, first look at the header",
  ip6_input_finish: "IPv6 arrival, choice of the transport protocol",
  ip6_mc_input: "IPv6 arrival, multicast groups",
  ip6_forward: "IPv6 forwarding",
  ip6_finish_output: "IPv6 departure, programs of the control group",
  ip6_finish_output2: "IPv6 departure, choice of the neighbour",
  ip6_output: "IPv6 departure",
  ip6_pkt_discard: "IPv6 routing, no route",
  ip6_pkt_discard_out: "IPv6 routing, no route for a program of this host",
  ip6_pkt_prohibit: "IPv6 routing, prohibit route",
  dst_discard_out: "routing, blackhole",
  dst_discard: "routing, blackhole",
  ipv6_frag_rcv: "IPv6 fragments",
  ip6_frag_expire: "IPv6 fragments, time limit",
  ipv6_rthdr_rcv: "IPv6 routing header",
  ip6_tlvopt_unknown: "IPv6 options",
  tcp_v4_rcv: "TCP arrival, search for the socket",
  tcp_v6_rcv: "TCP arrival over IPv6, search for the socket",
  tcp_v4_do_rcv: "TCP, the state of one socket",
  tcp_v6_do_rcv: "TCP over IPv6, the state of one socket",
  tcp_validate_incoming: "TCP, check of numbers, timestamps, RST and SYN",
  tcp_rcv_established: "TCP, data of an open connection",
  tcp_rcv_state_process: "TCP, opening and closing",
  tcp_data_queue: "TCP, queue of received data",
  tcp_prune_ofo_queue: "TCP, waiting segments under shortage of memory",
  tcp_add_backlog: "TCP, line beside a busy socket",
  cookie_v4_check: "TCP, SYN cookie",
  cookie_v6_check: "TCP over IPv6, SYN cookie",
  __udp4_lib_rcv: "UDP arrival, search for the socket",
  __udp6_lib_rcv: "UDP arrival over IPv6, search for the socket",
  udp_queue_rcv_one_skb: "UDP, filter and buffer of one socket",
  udpv6_queue_rcv_one_skb: "UDP over IPv6, filter and buffer of one socket",
  sock_queue_rcv_skb_reason: "receive queue of a raw or ICMP socket",
  icmp_rcv: "ICMP arrival",
  icmpv6_rcv: "ICMPv6 arrival and neighbour discovery",
  ping_rcv: "echo reply for a ping",
  neigh_invalidate: "neighbour table, nobody answered",
  __neigh_event_send: "neighbour table, packets that wait",
  __netif_receive_skb_core: "interface, arrival: tc, bridge, kind of frame",
  __dev_queue_xmit: "interface, departure: tc and send queue",
  enqueue_to_backlog: "a CPU's queue for arriving packets",
  flush_backlog: "interface removed, its packets with it",
  do_xdp_generic: "XDP, generic mode",
  veth_xdp_rcv_skb: "XDP on a veth link",
  netkit_xmit: "program of a netkit link",
  __bpf_redirect: "redirect by a BPF program",
  skb_queue_purge_reason: "a queue that was emptied",
  inet_sock_destruct: "end of a socket",
  packet_rcv: "copy for a capture",
  tpacket_rcv: "copy for a capture's ring",
  br_handle_frame: "bridge, arrival at a port",
  br_handle_frame_finish: "bridge, choice of the port",
  br_nf_pre_routing: "bridge, firewall",
  vxlan_rcv: "VXLAN, arrival",
  vxlan_xmit: "VXLAN, departure",
  vxlan_xmit_one: "VXLAN, departure to one far end",
  tun_net_xmit: "tun or tap, towards VPN or VM",
  tun_get_user: "tun or tap, from VPN or VM",
  tap_handle_frame: "macvtap, towards the VM",
  tap_get_user: "macvtap, from the VM",
  unix_release_sock: "end of a Unix socket",
  unix_stream_read_generic: "reading from a Unix socket",
};

/** Caller of nf_hook_slow → the hook as firewall rules call it. */
const HOOKS: Readonly<Record<string, string>> = {
  ip_rcv: "prerouting",
  ipv6_rcv: "prerouting",
  ip_sublist_rcv: "prerouting",
  ip6_sublist_rcv: "prerouting",
  ip_local_deliver: "input",
  ip6_input: "input",
  ip_forward: "forward",
  ip6_forward: "forward",
  __ip_local_out: "output",
  __ip6_local_out: "output",
  ip_output: "postrouting",
  ip6_output: "postrouting",
  ip_mc_output: "postrouting",
  __netif_receive_skb_core: "netdev ingress",
  __dev_queue_xmit: "netdev egress",
  br_handle_frame: "bridge prerouting",
  br_forward: "bridge forward",
};

/** A kernel symbol without what the compiler appended to it: `ip_error.isra.0` → `ip_error`; an offset (`+0x1c/0x80`) goes, too. */
export function plainFunction(symbol: string): string {
  return symbol.replace(/\+0x.*$/, "").replace(/\.(constprop|isra|part|cold|llvm)(\.\d+)*(\..*)?$/, "");
}

/** Where a function sits, in words, or undefined when this version has none. */
export function functionInWords(symbol: string): string | undefined {
  return own(PLACES, plainFunction(symbol));
}

/** The firewall hook that a caller of nf_hook_slow stands for, or undefined. */
export function hookOfCaller(symbol: string): string | undefined {
  return own(HOOKS, plainFunction(symbol));
}

/** A table's value for a key that came from outside: never one of Object's own names. */
export function own<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
