// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which back end did a service address lead to? At tcx egress of the client's veth the SYN-ACK (for UDP the
 * first answers) carries the conntrack entry: its original tuple is client > service, its reply tuple back
 * end > client.
 */
#include "emit.bpf.h"
#include "sample.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

#define IPS_DST_NAT (1 << 5)
#define IPS_ASSURED (1 << 2)
#define CT_REPLY    3 /* low 3 bits of _nfct from here on: reply direction */

struct told_key {
	__u64 ct;
	__u32 sport;
	__u32 dport;
};

/* UDP: one event an entry, not one an answer. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct told_key);
	__type(value, __u8);
} told SEC(".maps");

/* 6 or 17 when the packet may be the first answer of a connection, 0 for all others; reads as little as
 * possible. */
static __always_inline __u8 first_answer(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u8 *ip = data + ETH_HLEN, *tcp;
	__u8 proto;

	if (data + ETH_HLEN + 40 > end && data + ETH_HLEN + 28 > end)
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (ip[0] != 0x45)
			return 0;
		proto = ip[9];
		tcp = ip + 20;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		proto = ip[6];
		tcp = ip + 40;
	} else {
		return 0;
	}
	if (proto == IPPROTO_UDP)
		return proto;
	if (proto != IPPROTO_TCP || (void *)(tcp + 14) > end)
		return 0;
	return (tcp[13] & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ? proto : 0;
}

static __always_inline void fill_address(__u8 *to, const union nf_inet_addr *from, __u16 l3)
{
	if (l3 == AF_INET6)
		__builtin_memcpy(to, from, 16);
	else
		map_v4(to, from->ip);
}

SEC("tc")
int nat(struct __sk_buff *skb)
{
	__u8 proto = first_answer(skb);
	struct nf_conntrack_tuple original = {}, reply = {};
	struct told_key key = {};
	struct ev_nat e = {};
	struct nf_conn *ct;
	struct sk_buff *k;
	__u64 nfct;
	__u8 one = 1;
	__u16 l3;

	if (is_init())
		note_init_packet(BPF_CORE_READ(kernel_skb(skb), dev, nd_net.net, ns.inum));
	if (!proto)
		return TC_ACT_UNSPEC;
	k = kernel_skb(skb);
	nfct = BPF_CORE_READ(k, _nfct);
	ct = (struct nf_conn *)(nfct & ~7ULL);
	if (!ct || (nfct & 7) < CT_REPLY)
		return TC_ACT_UNSPEC;
	e.status = BPF_CORE_READ(ct, status);
	if (!(e.status & IPS_DST_NAT) || (proto == IPPROTO_UDP && e.status & IPS_ASSURED))
		return TC_ACT_UNSPEC;
	e.c.netns = BPF_CORE_READ(ct, ct_net.net, ns.inum);
	if (!is_observed(e.c.netns))
		return TC_ACT_UNSPEC;
	if (bpf_core_read(&original, sizeof(original), &ct->tuplehash[0].tuple) ||
	    bpf_core_read(&reply, sizeof(reply), &ct->tuplehash[1].tuple))
		return TC_ACT_UNSPEC;
	l3 = original.src.l3num;
	fill_address(e.c.saddr, &original.src.u3, l3);
	fill_address(e.c.daddr, &original.dst.u3, l3);
	fill_address(e.backend, &reply.src.u3, l3);
	e.c.sport = bpf_ntohs(original.src.u.all);
	e.c.dport = bpf_ntohs(original.dst.u.all);
	e.bport = bpf_ntohs(reply.src.u.all);
	if (is_left_out(e.c.saddr, e.c.daddr, e.c.sport, e.c.dport)) {
		shed(EV_NAT);
		return TC_ACT_UNSPEC;
	}
	if (proto == IPPROTO_UDP) {
		key.ct = (__u64)ct;
		key.sport = e.c.sport;
		key.dport = e.c.dport;
		if (bpf_map_update_elem(&told, &key, &one, BPF_NOEXIST))
			return TC_ACT_UNSPEC;
	}
	e.c.ts = wall(bpf_ktime_get_boot_ns());
	e.c.ifindex = skb->ifindex;
	e.c.type = EV_NAT;
	e.c.family = l3 == AF_INET6 ? 6 : 4;
	e.c.proto = proto;
	e.c.dir = DIR_OUT;
	emit(skb, &e);
	return TC_ACT_UNSPEC;
}
