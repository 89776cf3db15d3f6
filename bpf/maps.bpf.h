/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and settings that several programs share. __weak: the linker keeps one of each. */
#ifndef WEIR_MAPS_BPF_H
#define WEIR_MAPS_BPF_H

#include "kernel.bpf.h"

/* Set before load. */
const volatile __u8 only_listed __weak = 0; /* 1: only the namespaces in observed_netns */
const volatile __u8 with_stacks __weak = 1; /* 1: drops carry a kernel stack */
const volatile __u8 with_tasks __weak = 1;  /* 1: cgroup programs may ask for the current task */

/* Written while running. */
volatile __u64 wall_off __weak = 0; /* wall clock - boot time, ns */
volatile __u64 settle_ns __weak =
	0; /* conversations younger than this are read out next time: their start is on its way */
volatile __u32 drop_generation __weak = 0; /* which of drops_even and drops_odd collects */
volatile __u32 init_shown __weak = 0;  /* 1: this kernel does run programs in process 1, nobody need ask */
volatile __u32 sweep_round __weak = 0; /* number of the sweep under way */
volatile __u64 sweep_from __weak = 0;  /* lives that began later are not judged by it; boot time ns */
volatile __u32 shed_below __weak = 0;  /* connections with a smaller hash are left out (sample.bpf.h) */

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_stats);
} cpu_stats __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u8);
} observed_netns __weak SEC(".maps");

/* What is known of a TCP socket since connect() or accept. */
struct life {
	__u64 began;  /* connect() */
	__u64 opened; /* established; 0 = before the collector */
	__u32 pid;
	__u8 dir;
	__u8 crossed; /* simultaneous open: SYN_SENT > SYN_RECV */
	__u8 shed;    /* left out when it opened, so its close is, too */
	__u8 found;   /* by `owners`; 0 once a sweep has met its socket open */
	__u8 comm[16];
	__u64 cookie; /* of the socket: its address is given to others after it */
};

/* By address of the struct sock. Not sk_storage: +3.7 us a connection against +2.5, measured on 6.18. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, struct life);
} lives __weak SEC(".maps");

/* Who listens: an accepted socket appears in soft-irq, where there is no task. */
struct listener_key {
	__u32 netns;
	__u32 port;
};

struct task_name {
	__u64 sock;
	__u32 pid;
	__u8 comm[16];
	__u32 told; /* the last sweep that told of it: sweep_round */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listener_key);
	__type(value, struct task_name);
} listeners __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct conversation_key);
	__type(value, struct conversation);
} conversations __weak SEC(".maps");

static __always_inline bool is_observed(__u32 netns)
{
	return !only_listed || bpf_map_lookup_elem(&observed_netns, &netns);
}

static __always_inline struct cpu_stats *stats(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpu_stats, &zero);
}

/*
 * Some kernels run no tracing program while a thread of process 1 is the current task (measured in a
 * Firecracker guest on 6.18: none of tp_btf, raw_tp and perf tracepoints, but cgroup and tcx programs do). A
 * soft-irq that interrupts process 1 then goes unseen. `witness` finds out whether this kernel is one; the
 * packets are counted, so that user space can say how much went by.
 */
static __always_inline bool is_init(void)
{
	return with_tasks && !init_shown && bpf_get_current_pid_tgid() >> 32 == 1;
}

static __always_inline void note_init_packet(__u32 netns)
{
	struct cpu_stats *s = stats();

	if (s && is_observed(netns))
		__sync_fetch_and_add(&s->init_packets, 1);
}

/* Marks that a program runs on this CPU. Plain counts: only what interrupts it sees them, and leaves them as
 * they were. */
static __always_inline void enter(__u32 *depth)
{
	*(volatile __u32 *)depth += 1;
}

static __always_inline void leave(__u32 *depth)
{
	*(volatile __u32 *)depth -= 1;
}

static __always_inline bool is_inside(const __u32 *depth)
{
	return *(const volatile __u32 *)depth > 0;
}

#endif
