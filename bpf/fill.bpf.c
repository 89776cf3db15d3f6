// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Fills the ring for tests and bench/decode: run by BPF_PROG_TEST_RUN, attached to nothing, loaded only when
 * asked for. */
#include "emit.bpf.h"
#include "sample.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

SEC("tc")
int fill(struct __sk_buff *skb)
{
	struct cpu_stats *s = stats();
	struct ev_drop e = {};
	__u32 n;

	if (!s)
		return 0;
	n = s->seq;
	e.c.ts = wall(bpf_ktime_get_boot_ns());
	e.c.cookie = n;
	e.c.netns = 4026531840U;
	e.c.ifindex = 1 + (n & 7);
	map_v4(e.c.saddr, bpf_htonl(0x0a000000 | (n & 0xffff)));
	map_v4(e.c.daddr, bpf_htonl(0x0a010000 | (n & 0xff)));
	e.c.sport = n;
	e.c.dport = 443;
	e.c.type = EV_DROP;
	e.c.family = 4;
	e.c.proto = IPPROTO_TCP;
	if (is_left_out(e.c.saddr, e.c.daddr, e.c.sport, e.c.dport)) {
		shed(EV_DROP);
		__sync_fetch_and_add(&s->seq, 1); /* the next one is of another connection */
		return 0;
	}
	e.location = 0xffffffff81000000ULL + (n & 63);
	e.reason = 2 + (n & 63);
	e.len = 60;
	e.tcpflags = TCP_SYN;
	e.count = 1;
	e.stack = ~0U;
	emit(skb, &e);
	return 0;
}
