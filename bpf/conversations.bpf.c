// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * UDP and ICMP echo, counted per conversation at the root cgroup: every socket of the machine, whatever its
 * network namespace. The first packet is an event at once, without counts; all packets are carried away by
 * deltas (read_conversations), each in one.
 */
#include "dns.bpf.h"
#include "emit.bpf.h"
#include "sample.bpf.h"
#include "skb.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

static __always_inline void begin(struct __sk_buff *skb, const struct conversation_key *key,
				  const struct conversation *v)
{
	struct ev_conversation e = {};

	e.c.ts = wall(v->first);
	e.c.cookie = v->cookie;
	e.c.cgroup = v->cgroup;
	e.c.netns = key->netns;
	e.c.ifindex = v->ifindex;
	__builtin_memcpy(e.c.saddr, key->laddr, 16);
	__builtin_memcpy(e.c.daddr, key->raddr, 16);
	e.c.sport = key->lport;
	e.c.dport = key->rport;
	e.c.type = EV_CONVERSATION;
	e.c.family = v->family;
	e.c.proto = key->proto;
	e.c.dir = v->dir;
	e.first = e.last = e.c.ts;
	e.pid = v->pid;
	__builtin_memcpy(e.comm, v->comm, sizeof(e.comm));
	emit(skb, &e);
}

static __always_inline void count(struct conversation *v, bool out, __u64 packets, __u64 bytes)
{
	if (out) {
		__sync_fetch_and_add(&v->tx_packets, packets);
		__sync_fetch_and_add(&v->tx_bytes, bytes);
	} else {
		__sync_fetch_and_add(&v->rx_packets, packets);
		__sync_fetch_and_add(&v->rx_bytes, bytes);
	}
}

static __noinline int converse(struct __sk_buff *skb, const struct datagram *d, __u32 netns, bool out)
{
	__u64 packets = skb->gso_segs ?: 1, now;
	struct conversation_key key = {};
	struct conversation fresh = {}, *v;
	bool answered;

	key.netns = netns;
	__builtin_memcpy(key.laddr, out ? d->saddr : d->daddr, 16);
	__builtin_memcpy(key.raddr, out ? d->daddr : d->saddr, 16);
	key.lport = out ? d->sport : d->dport;
	key.rport = out ? d->dport : d->sport;
	key.proto = d->proto;
	now = bpf_ktime_get_boot_ns();
	/* A ping that the kernel answers reaches no socket; its answer, sent by one of the kernel's, has the
	 * same payload. */
	answered = out && d->proto != IPPROTO_UDP && is_reply(d);

	v = bpf_map_lookup_elem(&conversations, &key);
	if (!v) {
		/* a ping's answer is shown to every raw socket: only who asked begins a conversation */
		if (d->proto != IPPROTO_UDP && !out)
			return 1;
		fresh.first = now;
		fresh.last = now;
		fresh.cookie = bpf_get_socket_cookie(skb);
		fresh.cgroup = sock_cgroup(BPF_CORE_READ(kernel_skb(skb), sk));
		fresh.ifindex = skb->ifindex;
		fresh.family = d->family;
		fresh.dir = out && !answered ? DIR_OUT : DIR_IN;
		if (with_tasks && fresh.dir == DIR_OUT) { /* sending runs in the sender's task */
			fresh.pid = bpf_get_current_pid_tgid() >> 32;
			read_process_name(&fresh.comm);
		}
		fresh.shed = is_left_out(key.laddr, key.raddr, key.lport, key.rport);
		if (bpf_map_update_elem(&conversations, &key, &fresh, BPF_NOEXIST) == 0) {
			if (fresh.shed)
				shed(EV_CONVERSATION);
			else
				begin(skb, &key, &fresh);
		}
		v = bpf_map_lookup_elem(&conversations, &key);
		if (!v) {
			struct cpu_stats *s = stats();

			if (s)
				__sync_fetch_and_add(&s->conversations_full, packets);
			return 1;
		}
	} else if (d->proto != IPPROTO_UDP && !out && v->cookie != bpf_get_socket_cookie(skb)) {
		return 1;
	}
	v->last = now;
	if (v->shed) {
		struct cpu_stats *s = stats();

		if (s)
			__sync_fetch_and_add(&s->packets_shed, packets);
	}
	count(v, out, packets, d->bytes);
	if (answered)
		count(v, false, packets, d->bytes);
	return 1;
}

/* One program a direction: what is TCP's costs the traffic one byte read, not two. */
static __always_inline int datagram(struct __sk_buff *skb, bool out)
{
	__u8 proto = protocol_of(skb);
	struct datagram d = {};
	struct sock *sk;
	__u32 netns;

	if (is_init()) {
		sk = BPF_CORE_READ(kernel_skb(skb), sk);
		if (sk)
			note_init_packet(sock_netns(sk));
	}
	if (proto != IPPROTO_UDP && proto != IPPROTO_ICMP && proto != IPPROTO_ICMPV6)
		return 1;
	if (!read_datagram(skb, &d))
		return 1;
	sk = BPF_CORE_READ(kernel_skb(skb), sk);
	if (!sk)
		return 1;
	netns = sock_netns(sk);
	if (!is_observed(netns))
		return 1;
	converse(skb, &d, netns, out);
	if (proto == IPPROTO_UDP && out && d.dport == DNS_PORT)
		note_query(skb, &d, netns);
	if (proto == IPPROTO_UDP && !out && d.sport == DNS_PORT)
		take_answer(skb, &d, netns);
	return 1;
}

SEC("cgroup_skb/egress")
int conversations_out(struct __sk_buff *skb)
{
	return datagram(skb, true);
}

SEC("cgroup_skb/ingress")
int conversations_in(struct __sk_buff *skb)
{
	return datagram(skb, false);
}

/* Silence after which a conversation is over; a later packet begins another. */
const volatile __u64 udp_idle_ns = 180000000000;       /* both ends have spoken, for two seconds and more */
const volatile __u64 unanswered_idle_ns = 30000000000; /* all others: as conntrack has it */

#define STREAM_NS 2000000000ULL

/* Writes one delta (or end) per conversation with news. What is told is noted only when it was written: the
 * iterator calls again for an element whose record did not fit. */
SEC("iter/bpf_map_elem")
int read_conversations(struct bpf_iter__bpf_map_elem *ctx)
{
	struct conversation_key *key = ctx->key;
	struct conversation *v = ctx->value;
	__u64 now = bpf_ktime_get_boot_ns(), idle, limit;
	__u64 tx_bytes, rx_bytes, tx_packets, rx_packets;
	struct ev_conversation e = {};

	if (!key || !v || v->first + settle_ns > now)
		return 0;
	if (v->shed && v->last + unanswered_idle_ns > now)
		return 0;
	tx_bytes = v->tx_bytes;
	rx_bytes = v->rx_bytes;
	tx_packets = v->tx_packets;
	rx_packets = v->rx_packets;
	limit = unanswered_idle_ns;
	if (key->proto == IPPROTO_UDP && tx_packets && rx_packets && v->last - v->first > STREAM_NS)
		limit = udp_idle_ns;
	if (v->shed)
		limit = unanswered_idle_ns;
	idle = now > v->last ? now - v->last : 0;
	if (idle < limit && tx_packets == v->told_tx_packets && rx_packets == v->told_rx_packets)
		return 0;
	e.c.ts = wall(now);
	e.c.cookie = v->cookie;
	e.c.cgroup = v->cgroup;
	e.c.netns = key->netns;
	e.c.ifindex = v->ifindex;
	__builtin_memcpy(e.c.saddr, key->laddr, 16);
	__builtin_memcpy(e.c.daddr, key->raddr, 16);
	e.c.sport = key->lport;
	e.c.dport = key->rport;
	e.c.type = idle < limit ? EV_CONVERSATION_DELTA : EV_CONVERSATION_END;
	e.c.family = v->family;
	e.c.proto = key->proto;
	e.c.dir = v->dir;
	e.shed = v->shed;
	e.tx_bytes = tx_bytes - v->told_tx_bytes;
	e.rx_bytes = rx_bytes - v->told_rx_bytes;
	e.tx_packets = tx_packets - v->told_tx_packets;
	e.rx_packets = rx_packets - v->told_rx_packets;
	e.first = wall(v->first);
	e.last = wall(v->last);
	e.pid = v->pid;
	__builtin_memcpy(e.comm, v->comm, sizeof(e.comm));
	if (bpf_seq_write(ctx->meta->seq, &e, EVENT_SIZE(e)))
		return 0;
	v->told_tx_bytes = tx_bytes;
	v->told_rx_bytes = rx_bytes;
	v->told_tx_packets = tx_packets;
	v->told_rx_packets = rx_packets;
	return 0;
}
