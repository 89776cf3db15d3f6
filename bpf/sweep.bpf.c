// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Connections that live on. They are remembered in the map `lives`, by the address of their socket, so that
 * one reading of the map tells of all of them, in every network namespace, and of those that ended unseen.
 * `opened_before` and `owners` put there what was open before us.
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

static __always_inline bool is_open(__u8 state)
{
	return state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 ||
	       state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK || state == TCP_CLOSING;
}

/*
 * Connections that were open before us, of the network namespace in which the iterator was made: once, at
 * start. Runs under the socket's lock (bpf_iter_tcp_seq_show), so none can close meanwhile and leave an
 * orphan in the map.
 */
SEC("iter/tcp")
int opened_before(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct life life = {};
	struct tcp_sock *tp;
	struct sock *sk;
	__u64 key;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc); /* none for request and time-wait sockets */
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	if (!is_open(BPF_CORE_READ(sk, __sk_common.skc_state)) || !is_observed(sock_netns(sk)))
		return 0;
	key = (__u64)sk;
	life.dir = side_of(sk);
	life.cookie = bpf_get_socket_cookie(tp);
	bpf_map_update_elem(&lives, &key, &life, BPF_NOEXIST);
	return 0;
}

/* Tells of a listening socket, once a sweep for each port, however many processes hold it. */
static __always_inline void tell_of_listener(struct seq_file *seq, const struct sock *sk, __u64 cookie,
					     const struct task_name *holder)
{
	struct listener_key at = {.netns = sock_netns(sk), .port = BPF_CORE_READ(sk, __sk_common.skc_num)};
	struct task_name *listener = bpf_map_lookup_elem(&listeners, &at);
	struct ev_conn e = {};

	if (!listener) {
		bpf_map_update_elem(&listeners, &at, holder, BPF_NOEXIST);
		listener = bpf_map_lookup_elem(&listeners, &at);
	}
	if (!listener || listener->told == sweep_round)
		return;
	e.c.ts = wall(bpf_ktime_get_boot_ns());
	e.c.type = EV_LISTEN;
	e.oldstate = e.newstate = TCP_LISTEN;
	fill_socket(&e.c, sk);
	e.c.cookie = cookie;
	e.pid = listener->pid;
	__builtin_memcpy(e.comm, listener->comm, sizeof(e.comm));
	if (!bpf_seq_write(seq, &e, EVENT_SIZE(e)))
		listener->told = sweep_round;
}

/*
 * Whose is a connection, and is it known at all? One whose opening was seen by no program is not. The file is
 * held, but the socket is not locked: one that is closing may have been taken out of the map just now. So
 * what is entered here is only `found`: if the sweep that follows does not meet it open, its end was seen.
 */
static __always_inline void note_owner(const struct sock *sk, __u64 cookie, const struct task_name *holder)
{
	__u64 key = holder->sock;
	struct life *life = bpf_map_lookup_elem(&lives, &key);
	struct life fresh = {.found = 1, .cookie = cookie, .pid = holder->pid};

	if (life) {
		if (life->cookie == cookie && !life->pid) {
			__builtin_memcpy(life->comm, holder->comm, sizeof(life->comm));
			life->pid = holder->pid;
		}
		return;
	}
	fresh.dir = side_of(sk);
	__builtin_memcpy(fresh.comm, holder->comm, sizeof(fresh.comm));
	bpf_map_update_elem(&lives, &key, &fresh, BPF_NOEXIST);
}

/* Sockets of all tasks in all network namespaces, before each sweep. */
SEC("iter/task_file")
int owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct task_name holder = {};
	struct socket *socket;
	struct sock *sk;
	__u64 cookie;
	__u8 state;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if ((state != TCP_LISTEN && !is_open(state)) || !is_observed(sock_netns(sk)))
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	holder.sock = (__u64)sk;
	holder.pid = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_STR_INTO(&holder.comm, task, group_leader, comm);
	if (state == TCP_LISTEN)
		tell_of_listener(ctx->meta->seq, sk, cookie, &holder);
	else
		note_owner(sk, cookie, &holder);
	return 0;
}

static __always_inline __u64 cookie_at(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/*
 * A connection whose socket is closed, or another's by now: it ended, and no program ran to see it. An end
 * that is on its way has taken the key out before the state became CLOSE, or takes it out now: then it is not
 * unseen.
 */
static __always_inline void note_unseen_end(const struct life *life, __u64 key)
{
	bool opened = life->opened || !life->began, is_counted = !life->shed && !life->found;

	if (life->began > sweep_from || bpf_map_delete_elem(&lives, &key))
		return;
	if (is_counted)
		unseen(opened ? EV_CLOSE : EV_FAIL);
}

/*
 * The socket is read where it was: it may be gone, and its memory another's. Sockets of TCP are
 * SLAB_TYPESAFE_BY_RCU and closed before they are freed; the cookie, which is given once, says whose it is,
 * before and after the reading.
 */
SEC("iter/bpf_map_elem")
int sweep(struct bpf_iter__bpf_map_elem *ctx)
{
	struct life *life = ctx->value;
	struct ev_conn e = {};
	__u64 *at = ctx->key;
	struct sock *sk;
	__u64 now, key;
	__u8 state;

	if (!at || !life)
		return 0;
	key = *at;
	sk = (struct sock *)key;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_CLOSE || cookie_at(sk) != life->cookie) {
		note_unseen_end(life, key);
		return 0;
	}
	if (!is_open(state))
		return 0;
	if (life->found)
		life->found = 0;
	now = bpf_ktime_get_boot_ns();
	e.c.ts = wall(now);
	e.c.type = EV_SWEEP;
	e.oldstate = e.newstate = state;
	fill_socket(&e.c, sk);
	/* one that was left out is told of once there is room again, and from then on */
	if (life->shed && is_left_out(e.c.saddr, e.c.daddr, e.c.sport, e.c.dport))
		return 0;
	e.c.cookie = life->cookie;
	e.c.dir = life->dir;
	e.pid = life->pid;
	__builtin_memcpy(e.comm, life->comm, sizeof(e.comm));
	if (life->opened)
		e.dur_ns = now - life->opened;
	fill_counters(&e, (const struct tcp_sock *)sk, state);
	if (cookie_at(sk) != e.c.cookie)
		return 0;
	if (life->shed)
		life->shed = 0;
	bpf_seq_write(ctx->meta->seq, &e, EVENT_SIZE(e));
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
