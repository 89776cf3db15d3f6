/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What connections and sweep read from a TCP socket. */
#ifndef WEIR_TCP_BPF_H
#define WEIR_TCP_BPF_H

#include "kernel.bpf.h"

static __always_inline void fill_socket(struct ev_common *c, const struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	c->netns = sock_netns(sk);
	c->cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	c->ifindex = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	c->proto = IPPROTO_TCP;
	if (family == AF_INET6) {
		BPF_CORE_READ_INTO(&c->saddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&c->daddr, sk, __sk_common.skc_v6_daddr);
		c->family = is_mapped_v4(c->daddr) ? 4 : 6;
	} else {
		map_v4(c->saddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_v4(c->daddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		c->family = 4;
	}
	/* skc_num is already 0 at CLOSE, inet_sport still 0 at an unbound listen() */
	c->sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	if (!c->sport)
		c->sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	c->dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/* True when our FIN was sent and acknowledged; `state` is the one being left. */
static __always_inline bool is_fin_acked(const struct tcp_sock *tp, int state)
{
	bool sent = state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
		    state == TCP_LAST_ACK || state == TCP_TIME_WAIT;

	return sent && BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq);
}

/*
 * Bytes as the programs know them. The kernel's bytes_acked counts our FIN, and the SYN of the connecting
 * side (a child socket begins behind its own); bytes_received counts the peer's FIN. SOCK_DONE is set by
 * tcp_fin() alone.
 */
static __always_inline void fill_counters(struct ev_conn *e, const struct tcp_sock *tp, int state)
{
	__u64 acked, received, flags;
	__u32 least;

	if (!tp)
		return;
	acked = BPF_CORE_READ(tp, bytes_acked);
	received = BPF_CORE_READ(tp, bytes_received);
	flags = BPF_CORE_READ((const struct sock *)tp, __sk_common.skc_flags);
	if (e->c.dir == DIR_OUT && acked)
		acked--;
	if (acked && is_fin_acked(tp, state))
		acked--;
	if (received && flags & (1ULL << bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
		received--;
	e->tx_bytes = acked;
	e->rx_bytes = received;
	e->tx_segs = BPF_CORE_READ(tp, segs_out);
	e->rx_segs = BPF_CORE_READ(tp, segs_in);
	e->retrans = BPF_CORE_READ(tp, total_retrans);
	e->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	least = BPF_CORE_READ(tp, rtt_min.s[0].v);
	e->min_rtt_us = least == ~0U ? 0 : least;
}

#endif
