// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Life of TCP connections: open, close, fail, listen. */
#include "emit.bpf.h"
#include "sample.bpf.h"
#include "tcp.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

/* Process context: connect() and listen() run in the caller's task. */
static __always_inline void note_connect(const struct sock *sk, __u64 key, __u64 now)
{
	struct life life = {.began = now, .dir = DIR_OUT, .cookie = bpf_get_socket_cookie((void *)sk)};

	life.pid = bpf_get_current_pid_tgid() >> 32;
	read_process_name(&life.comm);
	if (bpf_map_update_elem(&lives, &key, &life, BPF_ANY)) {
		struct cpu_stats *s = stats();

		if (s)
			__sync_fetch_and_add(&s->lives_full, 1);
	}
}

/* Soft-irq: the task is whoever was interrupted; the listener's process stands in. */
static __always_inline void note_accept(const struct sock *sk, __u64 key, __u64 now)
{
	struct listener_key at = {.netns = sock_netns(sk), .port = BPF_CORE_READ(sk, __sk_common.skc_num)};
	struct life life = {.began = now, .dir = DIR_IN, .cookie = bpf_get_socket_cookie((void *)sk)};
	struct task_name *listener = bpf_map_lookup_elem(&listeners, &at);

	if (listener) {
		life.pid = listener->pid;
		__builtin_memcpy(life.comm, listener->comm, sizeof(life.comm));
	}
	if (bpf_map_update_elem(&lives, &key, &life, BPF_ANY)) {
		struct cpu_stats *s = stats();

		if (s)
			__sync_fetch_and_add(&s->lives_full, 1);
	}
}

static __always_inline void note_listen(struct ev_conn *e, __u64 key)
{
	struct listener_key at = {.netns = e->c.netns, .port = e->c.sport};
	struct task_name listener = {.sock = key};
	struct task_name *old;

	if (e->newstate == TCP_LISTEN) {
		e->pid = listener.pid = bpf_get_current_pid_tgid() >> 32;
		read_process_name(&listener.comm);
		__builtin_memcpy(e->comm, listener.comm, sizeof(e->comm));
		bpf_map_update_elem(&listeners, &at, &listener, BPF_ANY);
		return;
	}
	old = bpf_map_lookup_elem(&listeners, &at);
	if (!old)
		return;
	e->pid = old->pid;
	__builtin_memcpy(e->comm, old->comm, sizeof(e->comm));
	if (old->sock == key) /* SO_REUSEPORT: another may still listen there */
		bpf_map_delete_elem(&listeners, &at);
}

static __always_inline __u8 type_of(int oldstate, int newstate)
{
	if (newstate == TCP_LISTEN)
		return EV_LISTEN;
	if (newstate == TCP_ESTABLISHED)
		return EV_OPEN;
	if (newstate != TCP_CLOSE) /* LISTEN > SYN_RECV is a child, cloned from its listener */
		return 0;
	switch (oldstate) {
	case TCP_LISTEN:
		return EV_LISTEN;
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return EV_FAIL;
	default:
		return EV_CLOSE;
	}
}

/* A connection's fate is decided once, as it opens: events of one that was told of are sent, whatever the
 * limit is by now. */
static __always_inline bool is_shed(const struct ev_common *c, struct life *life)
{
	if (c->type == EV_CLOSE && life)
		return life->shed;
	if (!is_left_out(c->saddr, c->daddr, c->sport, c->dport))
		return false;
	if (c->type == EV_OPEN && life)
		life->shed = 1;
	return true;
}

static __noinline int on_state(void *ctx, const struct sock *sk, const int oldstate, const int newstate)
{
	__u64 key = (__u64)sk, now;
	struct ev_conn e = {};
	struct life *life;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	e.c.type = type_of(oldstate, newstate);
	if (oldstate == TCP_SYN_SENT && newstate == TCP_SYN_RECV) { /* both ends called at once */
		life = bpf_map_lookup_elem(&lives, &key);
		if (life)
			life->crossed = 1;
		return 0;
	}
	if (!e.c.type && newstate != TCP_SYN_SENT)
		return 0;
	if (!is_observed(sock_netns(sk)))
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (newstate == TCP_SYN_SENT) {
		note_connect(sk, key, now);
		return 0;
	}
	life = bpf_map_lookup_elem(&lives, &key);
	/*
	 * A child of a listener may find a life here that is not its own: the memory of a client whose CLOSE
	 * was skipped (a program does not run inside itself). Only a simultaneous open comes from SYN_RECV
	 * with a life of its own, and that is marked.
	 */
	if (newstate == TCP_ESTABLISHED && (!life || (oldstate == TCP_SYN_RECV && !life->crossed))) {
		note_accept(sk, key, now);
		life = bpf_map_lookup_elem(&lives, &key);
	}

	e.c.ts = wall(now);
	e.oldstate = oldstate;
	e.newstate = newstate;
	e.err = sk->sk_err;
	fill_socket(&e.c, sk);
	if (e.c.type != EV_LISTEN && is_shed(&e.c, life)) {
		shed(e.c.type);
		if (life && e.c.type == EV_OPEN)
			life->opened = now;
		if (newstate == TCP_CLOSE)
			bpf_map_delete_elem(&lives, &key);
		return 0;
	}
	e.c.cookie = bpf_get_socket_cookie((void *)sk);
	if (e.c.type == EV_LISTEN) {
		note_listen(&e, key);
		emit(ctx, &e);
		return 0;
	}
	if (life) {
		e.c.dir = life->dir;
		e.pid = life->pid;
		__builtin_memcpy(e.comm, life->comm, sizeof(e.comm));
		if (e.c.type == EV_OPEN)
			life->opened = now;
		if (e.c.type == EV_CLOSE && life->began && !life->opened)
			unseen(EV_OPEN);
		if (e.c.type == EV_CLOSE && life->opened)
			e.dur_ns = now - life->opened;
		if (e.c.type == EV_FAIL)
			e.dur_ns = now - life->began;
	}
	fill_counters(&e, bpf_skc_to_tcp_sock((void *)sk), oldstate);
	if (e.c.type == EV_OPEN || e.c.type == EV_FAIL)
		/* the server's child is made by the last ACK: its handshake is SYN-ACK to ACK, the first RTT
		 * sample */
		e.lat_us = e.c.dir == DIR_IN ? e.srtt_us : life ? (now - life->began) / 1000 : 0;
	if (newstate == TCP_CLOSE) /* first: what a sweep finds in the map has not ended yet */
		bpf_map_delete_elem(&lives, &key);
	emit(ctx, &e);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connections, const struct sock *sk, const int oldstate, const int newstate)
{
	struct cpu_stats *s = stats();

	if (!s)
		return 0;
	enter(&s->in_connections);
	on_state(ctx, sk, oldstate, newstate);
	leave(&s->in_connections);
	return 0;
}

/* The twin: the kernel does not run a program inside itself, so a soft-irq that interrupts it would go
 * unseen. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(connections_nested, const struct sock *sk, const int oldstate, const int newstate)
{
	struct cpu_stats *s = stats();

	if (!s || !is_inside(&s->in_connections))
		return 0;
	__sync_fetch_and_add(&s->nested, 1);
	return on_state(ctx, sk, oldstate, newstate);
}
