/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Leaving out whole connections when the collector may use no more CPU. A connection is its addresses and
 * ports, taken without order: both ends, drops, DNS and translations of it have one hash, so one fate. What
 * is left out is counted, per CPU and type.
 */
#ifndef WEIR_SAMPLE_BPF_H
#define WEIR_SAMPLE_BPF_H

#include "maps.bpf.h"

static __always_inline __u32 mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

/* The same for both directions: only sums and exclusive ors of the two ends go in. */
static __always_inline __u32 hash_of(const __u8 *a, const __u8 *b, __u16 aport, __u16 bport)
{
	const __u32 *x = (const __u32 *)a, *y = (const __u32 *)b;
	__u32 h = mix(((__u32)(aport ^ bport) << 16) + aport + bport);

	h = mix(h + (x[0] ^ y[0]) + (x[1] ^ y[1]) + (x[2] ^ y[2]));
	h = mix(h ^ (x[3] + y[3]));
	return mix(h + (x[3] ^ y[3]));
}

/* Whether the connection is left out, as things are now. Hashes below shed_below are: none at 0. */
static __always_inline bool is_left_out(const __u8 *a, const __u8 *b, __u16 aport, __u16 bport)
{
	__u32 below = shed_below;

	return below && hash_of(a, b, aport, bport) < below;
}

/* Counts an event that is made and not sent. */
static __always_inline void shed(__u8 type)
{
	struct cpu_stats *s = stats();

	if (!s || type >= EV_RING_TYPES)
		return;
	__sync_fetch_and_add(&s->produced[type], 1);
	__sync_fetch_and_add(&s->shed[type], 1);
}

#endif
