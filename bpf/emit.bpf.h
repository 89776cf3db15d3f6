/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef WEIR_EMIT_BPF_H
#define WEIR_EMIT_BPF_H

#include "maps.bpf.h"

static __always_inline __u64 wall(__u64 boot_ns)
{
	return boot_ns + wall_off;
}

/*
 * The only way out. Numbers the event, counts it as produced and, where the ring has no room, as lost.
 * `copy`: bytes of the packet behind the event (skb contexts only). Atomic although the slots are per CPU: a
 * soft-irq may come between load and store.
 */
static __always_inline void emit_bytes(void *ctx, void *event, __u32 size, __u32 *seq, __u8 type, __u64 copy)
{
	struct cpu_stats *s = stats();

	if (!s || type >= EV_RING_TYPES)
		return;
	*seq = __sync_fetch_and_add(&s->seq, 1);
	__sync_fetch_and_add(&s->produced[type], 1);
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | copy << 32, event, size))
		__sync_fetch_and_add(&s->lost[type], 1);
}

/* An event that happened, as a later one shows, while no program ran. */
static __always_inline void unseen(__u8 type)
{
	struct cpu_stats *s = stats();

	if (!s || type >= EV_RING_TYPES)
		return;
	__sync_fetch_and_add(&s->produced[type], 1);
	__sync_fetch_and_add(&s->lost[type], 1);
}

#define emit(ctx, event) emit_bytes(ctx, event, EVENT_SIZE(*(event)), &(event)->seq, (event)->c.type, 0)
#define emit_with_packet(ctx, event, bytes)                                                                  \
	emit_bytes(ctx, event, EVENT_SIZE(*(event)), &(event)->seq, (event)->c.type, bytes)

#endif
