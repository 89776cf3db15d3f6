// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* DNS over UDP at the asker's socket: the answer's packet is copied behind the event, user space parses it.
 */
#include "emit.bpf.h"
#include "sample.bpf.h"
#include "skb.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

#define DNS_PORT     53
#define DNS_COPY_MAX 1400

struct query {
	__u8 server[16];
	__u16 lport;
	__u16 id;
	__u32 netns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct query);
	__type(value, __u64); /* boot time ns of the query */
} queries SEC(".maps");

static __always_inline bool read_id(struct __sk_buff *skb, const struct datagram *d, __u16 *id)
{
	return bpf_skb_load_bytes(skb, d->payload, id, sizeof(*id)) == 0;
}

SEC("cgroup_skb/egress")
int dns_queries(struct __sk_buff *skb)
{
	struct datagram d = {};
	struct query q = {};
	struct sk_buff *k;
	struct sock *sk;
	__u64 now;

	if (protocol_of(skb) != IPPROTO_UDP || !read_datagram(skb, &d) || d.dport != DNS_PORT ||
	    !read_id(skb, &d, &q.id))
		return 1;
	k = kernel_skb(skb);
	sk = BPF_CORE_READ(k, sk);
	if (!sk)
		return 1;
	q.netns = sock_netns(sk);
	if (!is_observed(q.netns))
		return 1;
	__builtin_memcpy(q.server, d.daddr, 16);
	q.lport = d.sport;
	now = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&queries, &q, &now, BPF_NOEXIST); /* a repeated query is timed from the first */
	return 1;
}

SEC("cgroup_skb/ingress")
int dns_answers(struct __sk_buff *skb)
{
	struct datagram d = {};
	struct query q = {};
	struct ev_dns e = {};
	struct sk_buff *k;
	struct sock *sk;
	__u64 *asked, now, copy;

	if (protocol_of(skb) != IPPROTO_UDP || !read_datagram(skb, &d) || d.sport != DNS_PORT ||
	    !read_id(skb, &d, &q.id))
		return 1;
	k = kernel_skb(skb);
	sk = BPF_CORE_READ(k, sk);
	if (!sk)
		return 1;
	q.netns = sock_netns(sk);
	if (!is_observed(q.netns))
		return 1;
	__builtin_memcpy(q.server, d.saddr, 16);
	q.lport = d.dport;
	now = bpf_ktime_get_boot_ns();
	asked = bpf_map_lookup_elem(&queries, &q);
	if (asked) {
		e.latency_us = now > *asked ? (now - *asked) / 1000 : 0;
		bpf_map_delete_elem(&queries, &q);
	}
	if (is_left_out(d.saddr, d.daddr, d.sport, d.dport)) {
		shed(EV_DNS);
		return 1;
	}
	e.c.ts = wall(now);
	e.c.cookie = bpf_get_socket_cookie(skb);
	e.c.cgroup = sock_cgroup(sk);
	e.c.netns = q.netns;
	e.c.ifindex = skb->ifindex;
	__builtin_memcpy(e.c.saddr, d.daddr, 16);
	__builtin_memcpy(e.c.daddr, d.saddr, 16);
	e.c.sport = d.dport;
	e.c.dport = d.sport;
	e.c.type = EV_DNS;
	e.c.family = d.family;
	e.c.proto = IPPROTO_UDP;
	e.c.dir = DIR_OUT;
	e.offset = d.payload;
	e.length = d.bytes;
	copy = skb->len;
	if (copy > DNS_COPY_MAX)
		copy = DNS_COPY_MAX;
	e.copied = copy;
	emit_with_packet(skb, &e, copy);
	return 1;
}
