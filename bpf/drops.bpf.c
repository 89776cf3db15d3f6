// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Packets that the kernel throws away. One event at once per flow, reason and generation (one second); what
 * follows is counted in the generation's map. User space turns the generation over, then reads and empties
 * the old map: no count is ever lost. Where the map is full, or busy below us on this CPU, each packet is an
 * event of its own.
 */
#include "emit.bpf.h"
#include "packet.bpf.h"
#include "sample.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

struct drop_key {
	__u8 saddr[16];
	__u8 daddr[16];
	__u16 sport;
	__u16 dport;
	__u32 reason;
	__u64 location;
	__u32 netns;
	__u8 proto;
	__u8 spare[3];
};

struct drop_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct drop_key);
	__type(value, struct ev_drop); /* count: packets beyond the first */
};

struct drop_map drops_even SEC(".maps");
struct drop_map drops_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size,
	       12 * sizeof(__u64)); /* what called whom around the drop; not whom a soft-irq interrupted */
} stacks SEC(".maps");

/* By name: the same reason had the numbers 7, 11 and 12 in 6.1, 6.12 and 6.18. Flavours, since some kernels
 * lack some of them. */
enum skb_drop_reason___weir {
	SKB_CONSUMED___weir,
	SKB_DROP_REASON_QUEUE_PURGE___weir,
	SKB_DROP_REASON_SOCKET_CLOSE___weir,
	SKB_DROP_REASON_UNIX_DISCONNECT___weir,
	SKB_DROP_REASON_UNIX_SKIP_OOB___weir,
	SKB_DROP_REASON_NO_SOCKET___weir,
};

#define IS_REASON(reason, name)                                                                              \
	(bpf_core_enum_value_exists(enum skb_drop_reason___weir, name) &&                                    \
	 reason == bpf_core_enum_value(enum skb_drop_reason___weir, name))

/* No packet's fate: buffers freed by a close. All other judgement is left to user space,
 * as data. */
static __always_inline bool is_noise(__u32 reason)
{
	return reason == 0 || IS_REASON(reason, SKB_CONSUMED___weir) ||
	       IS_REASON(reason, SKB_DROP_REASON_QUEUE_PURGE___weir) ||
	       IS_REASON(reason, SKB_DROP_REASON_SOCKET_CLOSE___weir) ||
	       IS_REASON(reason, SKB_DROP_REASON_UNIX_DISCONNECT___weir) ||
	       IS_REASON(reason, SKB_DROP_REASON_UNIX_SKIP_OOB___weir);
}

/* ping_rcv() frees every answer to a raw socket's ping as NO_SOCKET, although it was delivered. */
static __always_inline bool is_echo_reply(const struct ev_drop *e)
{
	return (e->c.proto == IPPROTO_ICMP && e->icmp_type == 0) ||
	       (e->c.proto == IPPROTO_ICMPV6 && e->icmp_type == 129);
}

/* The place of the drop is its device's namespace. Without one (the packet was already a socket's) it is the
 * socket's. skb->sk may be the sender's still, in another namespace: state and cgroup are taken only from a
 * socket of the same one. */
static __always_inline void fill_place(struct ev_drop *e, struct sk_buff *skb, struct sock *rx_sk)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);
	struct sock *sk = rx_sk ?: BPF_CORE_READ(skb, sk);

	if (dev) {
		e->c.ifindex = BPF_CORE_READ(dev, ifindex);
		e->c.netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	}
	e->iif = BPF_CORE_READ(skb, skb_iif);
	if (!sk)
		return;
	if (!e->c.netns)
		e->c.netns = sock_netns(sk);
	if (sock_netns(sk) != e->c.netns)
		return;
	e->sk_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	e->c.cgroup = sock_cgroup(sk);
}

static __always_inline void fill_key(struct drop_key *key, const struct ev_drop *e)
{
	__builtin_memcpy(key->saddr, e->c.saddr, 16);
	__builtin_memcpy(key->daddr, e->c.daddr, 16);
	key->sport = e->c.sport;
	key->dport = e->c.dport;
	key->reason = e->reason;
	key->location = e->location;
	key->netns = e->c.netns;
	key->proto = e->c.proto;
}

#define OWN_FRAMES 2 /* of this program */

/* Id of the kernel's stack, ~0 none. A slot of the map belongs to its first stack for good, so ids may be
 * remembered; where two want the same, one frame less gives another slot. */
static __always_inline __u32 stack_of(unsigned long long *ctx)
{
	long id;

	if (!with_stacks)
		return ~0U;
	id = bpf_get_stackid(ctx, &stacks, OWN_FRAMES);
	if (id < 0)
		id = bpf_get_stackid(ctx, &stacks, OWN_FRAMES + 1);
	return id < 0 ? ~0U : id;
}

/* True when the packet is counted in the map and needs no event. The map keeps the first packet's stack for
 * the counts of all. */
static __always_inline bool is_counted(unsigned long long *ctx, void *map, const struct drop_key *key,
				       struct ev_drop *e)
{
	struct ev_drop *seen = bpf_map_lookup_elem(map, key);

	if (!seen) {
		e->count = 0;
		e->stack = stack_of(ctx);
		if (bpf_map_update_elem(map, key, e, BPF_NOEXIST) == 0)
			return false;
		seen = bpf_map_lookup_elem(map, key); /* another CPU was quicker */
		if (!seen)
			return false;
	}
	__sync_fetch_and_add(&seen->count, 1);
	seen->c.ts = e->c.ts;
	return true;
}

/* rx_sk came with 6.8 as the fourth argument (dd1b527831a3; the struct is that of the classic tracepoint). */
struct trace_event_raw_kfree_skb___weir {
	void *rx_sk;
} __attribute__((preserve_access_index));

static __noinline int on_drop(unsigned long long *ctx, struct sk_buff *skb, void *location, __u32 reason)
{
	struct sock *rx_sk = NULL;
	struct drop_key key = {};
	struct ev_drop e = {};
	struct cpu_stats *s;

	e.c.type = EV_DROP;
	e.reason = reason;
	e.location = (__u64)location;
	if (!fill_packet(&e, skb))
		return 0;
	if (IS_REASON(reason, SKB_DROP_REASON_NO_SOCKET___weir) && is_echo_reply(&e))
		return 0;
	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb___weir, rx_sk))
		rx_sk = (struct sock *)ctx[3];
	fill_place(&e, skb, rx_sk);
	if (!is_observed(e.c.netns))
		return 0;
	if (is_left_out(e.c.saddr, e.c.daddr, e.c.sport, e.c.dport)) {
		shed(EV_DROP);
		return 0;
	}
	s = stats();
	if (s)
		__sync_fetch_and_add(&s->drops_passed, 1);
	e.c.ts = wall(bpf_ktime_get_boot_ns());
	e.len = BPF_CORE_READ(skb, len);
	e.stack = ~0U;
	fill_key(&key, &e);
	if (drop_generation & 1) {
		if (is_counted(ctx, &drops_odd, &key, &e))
			return 0;
	} else if (is_counted(ctx, &drops_even, &key, &e)) {
		return 0;
	}
	e.count = 1;
	emit(ctx, &e);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(drops, struct sk_buff *skb, void *location, enum skb_drop_reason reason)
{
	struct cpu_stats *s;

	if (is_noise(reason))
		return 0;
	s = stats();
	if (!s)
		return 0;
	enter(&s->in_drops);
	on_drop(ctx, skb, location, reason);
	leave(&s->in_drops);
	return 0;
}

/* The twin, as in connections.bpf.c. */
SEC("tp_btf/kfree_skb")
int BPF_PROG(drops_nested, struct sk_buff *skb, void *location, enum skb_drop_reason reason)
{
	struct cpu_stats *s = stats();

	if (!s || !is_inside(&s->in_drops) || is_noise(reason))
		return 0;
	__sync_fetch_and_add(&s->nested, 1);
	return on_drop(ctx, skb, location, reason);
}
