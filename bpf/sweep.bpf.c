// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Connections that live on, and listening sockets, of the network namespace in which the iterator was made.
 */
#include "emit.bpf.h"
#include "sample.bpf.h"
#include "tcp.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

/*
 * Which side is a socket that was open before us? connect() without bind() makes a port bucket marked
 * fastreuse = -1
 * (__inet_hash_connect); a client that did bind() has SOCK_BINDPORT_LOCK; an accepted child has neither
 * (sk_clone_lock takes the lock away) and shares its listener's bucket.
 */
static __always_inline __u8 side_of(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = (const void *)sk;

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		return DIR_OUT;
	if (!BPF_CORE_READ(icsk, icsk_bind_hash))
		return DIR_UNKNOWN;
	return BPF_CORE_READ(icsk, icsk_bind_hash, fastreuse) < 0 ? DIR_OUT : DIR_IN;
}

/* Runs under the socket's lock (bpf_iter_tcp_seq_show), so it cannot close meanwhile and leave an orphan in
 * the map. */
static __always_inline struct life *life_of(const struct sock *sk, __u64 key)
{
	struct life *life = bpf_map_lookup_elem(&lives, &key);
	struct task_name *owner;
	struct life fresh = {};

	if (life)
		return life;
	fresh.dir = side_of(sk);
	fresh.netns = sock_netns(sk);
	fresh.swept = sweep_round;
	owner = bpf_map_lookup_elem(&owned, &key);
	if (owner) {
		fresh.pid = owner->pid;
		__builtin_memcpy(fresh.comm, owner->comm, sizeof(fresh.comm));
	}
	bpf_map_update_elem(&lives, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&lives, &key);
}

SEC("iter/tcp")
int sweep(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct ev_conn e = {};
	struct listener_key at = {};
	struct task_name *listener;
	struct tcp_sock *tp;
	struct life *life;
	struct sock *sk;
	__u64 now, key;
	__u8 state;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc); /* none for request and time-wait sockets */
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	key = (__u64)sk;
	life = bpf_map_lookup_elem(&lives, &key);
	if (life)
		life->swept = sweep_round;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV || state == TCP_CLOSE)
		return 0;
	now = bpf_ktime_get_boot_ns();
	e.c.ts = wall(now);
	e.oldstate = e.newstate = state;
	fill_socket(&e.c, sk);
	if (!is_observed(e.c.netns))
		return 0;
	e.c.cookie = bpf_get_socket_cookie(tp);
	if (state == TCP_LISTEN) {
		e.c.type = EV_LISTEN;
		at.netns = e.c.netns;
		at.port = e.c.sport;
		listener = bpf_map_lookup_elem(&listeners, &at);
		if (listener) {
			e.pid = listener->pid;
			__builtin_memcpy(e.comm, listener->comm, sizeof(e.comm));
		}
	} else {
		e.c.type = EV_SWEEP;
		life = life_of(sk, key);
		/* one that was left out is told of once there is room again, and from then on */
		if (life && life->shed) {
			if (is_left_out(e.c.saddr, e.c.daddr, e.c.sport, e.c.dport))
				return 0;
			life->shed = 0;
		}
		if (life) {
			e.c.dir = life->dir;
			e.pid = life->pid;
			__builtin_memcpy(e.comm, life->comm, sizeof(e.comm));
			if (life->opened)
				e.dur_ns = now - life->opened;
		}
		fill_counters(&e, tp, state);
	}
	bpf_seq_write(ctx->meta->seq, &e, EVENT_SIZE(e));
	return 0;
}

/* A connection whose socket the sweep did not meet: it ended, and no program ran to see it. */
struct ended {
	__u64 key;
	__u32 netns;
	__u8 opened;
	__u8 shed;
	__u16 spare;
};

/* Only names them: user space knows which namespaces were swept. */
SEC("iter/bpf_map_elem")
int unseen_ends(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *key = ctx->key;
	struct life *life = ctx->value;
	struct ended e = {};

	if (!key || !life || life->swept == (__u8)sweep_round || life->began > sweep_from)
		return 0;
	e.key = *key;
	e.netns = life->netns;
	e.opened = life->opened || !life->began;
	e.shed = life->shed;
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

/* Attached until process 1 has been scheduled: collector/kernel/init-witness.ts. */
SEC("tp_btf/sched_switch")
int witness(void *ctx)
{
	struct cpu_stats *s;

	if (!is_init())
		return 0;
	s = stats();
	if (s)
		__sync_fetch_and_add(&s->init_ran, 1);
	return 0;
}

/* Whose are the sockets that were open before us? Files of all tasks, once at start, before the first sweep.
 */
SEC("iter/task_file")
int owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct task_name owner = {};
	struct listener_key at = {};
	struct socket *socket;
	struct sock *sk;
	__u64 key;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	at.netns = sock_netns(sk);
	if (!is_observed(at.netns))
		return 0;
	key = (__u64)sk;
	owner.sock = key;
	owner.pid = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_STR_INTO(&owner.comm, task, group_leader, comm);
	bpf_map_update_elem(&owned, &key, &owner, BPF_NOEXIST);
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN) {
		at.port = BPF_CORE_READ(sk, __sk_common.skc_num);
		bpf_map_update_elem(&listeners, &at, &owner, BPF_NOEXIST);
	}
	return 0;
}
