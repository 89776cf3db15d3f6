/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* DNS over UDP at the asker's socket: the answer's packet is copied behind the event, user space parses it.
 */
#ifndef WEIR_DNS_BPF_H
#define WEIR_DNS_BPF_H

#include "emit.bpf.h"
#include "sample.bpf.h"
#include "skb.bpf.h"

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

static __noinline int note_query(struct __sk_buff *skb, const struct datagram *d, __u32 netns)
{
	struct query q = {.netns = netns, .lport = d->sport};
	__u64 now = bpf_ktime_get_boot_ns();

	if (!read_id(skb, d, &q.id))
		return 0;
	__builtin_memcpy(q.server, d->daddr, 16);
	bpf_map_update_elem(&queries, &q, &now, BPF_NOEXIST); /* a repeated query is timed from the first */
	return 0;
}

static __noinline int take_answer(struct __sk_buff *skb, const struct datagram *d, __u32 netns)
{
	struct query q = {.netns = netns, .lport = d->dport};
	struct ev_dns e = {};
	__u64 *asked, now, copy;

	if (!read_id(skb, d, &q.id))
		return 0;
	__builtin_memcpy(q.server, d->saddr, 16);
	now = bpf_ktime_get_boot_ns();
	asked = bpf_map_lookup_elem(&queries, &q);
	if (asked) {
		e.latency_us = now > *asked ? (now - *asked) / 1000 : 0;
		bpf_map_delete_elem(&queries, &q);
	}
	if (is_left_out(d->saddr, d->daddr, d->sport, d->dport)) {
		shed(EV_DNS);
		return 0;
	}
	e.c.ts = wall(now);
	e.c.cookie = bpf_get_socket_cookie(skb);
	e.c.cgroup = sock_cgroup(BPF_CORE_READ(kernel_skb(skb), sk));
	e.c.netns = netns;
	e.c.ifindex = skb->ifindex;
	__builtin_memcpy(e.c.saddr, d->daddr, 16);
	__builtin_memcpy(e.c.daddr, d->saddr, 16);
	e.c.sport = d->dport;
	e.c.dport = d->sport;
	e.c.type = EV_DNS;
	e.c.family = d->family;
	e.c.proto = IPPROTO_UDP;
	e.c.dir = DIR_OUT;
	e.offset = d->payload;
	e.length = d->bytes;
	copy = skb->len;
	if (copy > DNS_COPY_MAX)
		copy = DNS_COPY_MAX;
	e.copied = copy;
	emit_with_packet(skb, &e, copy);
	return 0;
}

#endif
