import { expect, test } from "vitest";
import { hookInWords, placeOfDrop } from "./drop-place.ts";

test.each([
  [
    "a firewall's chain",
    "NETFILTER_DROP",
    "nft_do_chain",
    ["nft_do_chain_inet", "nf_hook_slow", "ip_forward"],
    "forward",
    "forward",
  ],
  ["iptables-legacy", "NETFILTER_DROP", "nf_hook_slow", ["ip_local_deliver.isra.0", "ip_rcv"], "input", "in"],
  [
    "a list of packets",
    "NETFILTER_DROP",
    "nft_do_chain",
    ["nft_do_chain_ipv4", "nf_hook_slow_list", "ip_sublist_rcv"],
    "prerouting",
    "in",
  ],
  ["tc", "TC_EGRESS", "__dev_queue_xmit", ["ip_finish_output2", "ip_output", "ip_forward"], "tc egress", "out"],
  ["a full send queue", "QDISC_DROP", "__dev_queue_xmit", ["ip_finish_output2"], "queue", "out"],
  ["a closed port", "NO_SOCKET", "tcp_v4_rcv", ["ip_protocol_deliver_rcu"], "", "in"],
  ["a black hole for packets of this host", "NOT_SPECIFIED", "dst_discard_out", ["ip_send_skb"], "", "out"],
  ["a silent neighbour, told by a timer", "NEIGH_FAILED", "neigh_invalidate", ["neigh_timer_handler"], "", "out"],
  [
    "a drop in a packet that a hook's rule sends",
    "NO_SOCKET",
    "tcp_v4_rcv",
    ["nft_do_chain", "nf_hook_slow", "ip_forward"],
    "",
    "in",
  ],
  ["no stack", "NETFILTER_DROP", "nft_do_chain", [], "", "unknown"],
  ["a function of no table", "NOT_SPECIFIED", "constructor", ["toString"], "", "unknown"],
] as const)("%s: the nearest caller tells", (_, reason, location, callers, hook, passage) => {
  expect(placeOfDrop(reason, location, callers)).toEqual({ hook, passage });
  if (hook !== "") expect(hookInWords(hook)).toMatch(/^[a-z]/);
});
