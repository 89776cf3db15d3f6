/* The peer of bench/decode.ts: libbpf's own reader, called from C, on rings filled by the same program. Built and loaded by the bench. */
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 8192

/* What an analyst needs least: 13 fields, as in the prototype's table. */
struct few {
	unsigned long long ts;
	unsigned ifindex, saddr, daddr, ports, tags, netns, reason, len, details, count, seq, cookie;
};

/* What Weir's decoder takes of a drop. */
struct all {
	unsigned long long ts, cookie, cgroup, location;
	unsigned netns, ifindex, saddr[4], daddr[4], ports, tags, reason, len, details, count, stack, iif, seq;
	unsigned short cpu;
};

static struct few *few;
static struct all *all;
static unsigned long long row, events;

static enum bpf_perf_event_ret take_few(void *ctx, int cpu, struct perf_event_header *h)
{
	if (h->type == PERF_RECORD_SAMPLE) {
		unsigned *u = (unsigned *)((char *)h + 12);
		struct few *o = &few[row];

		row = (row + 1) & (ROWS - 1);
		events++;
		memcpy(&o->ts, u, 8);
		o->cookie = u[2];
		o->netns = u[6];
		o->ifindex = u[7];
		o->saddr = u[11];
		o->daddr = u[15];
		o->ports = u[16];
		o->tags = u[17];
		o->reason = u[22];
		o->len = u[23];
		o->details = u[24];
		o->count = u[25];
		o->seq = u[28];
	}
	return LIBBPF_PERF_EVENT_CONT;
}

static enum bpf_perf_event_ret take_all(void *ctx, int cpu, struct perf_event_header *h)
{
	if (h->type == PERF_RECORD_SAMPLE) {
		unsigned *u = (unsigned *)((char *)h + 12);
		struct all *o = &all[row];

		row = (row + 1) & (ROWS - 1);
		events++;
		memcpy(&o->ts, u, 8);
		memcpy(&o->cookie, u + 2, 8);
		memcpy(&o->cgroup, u + 4, 8);
		o->netns = u[6];
		o->ifindex = u[7];
		memcpy(o->saddr, u + 8, 16);
		memcpy(o->daddr, u + 12, 16);
		o->ports = u[16];
		o->tags = u[17];
		memcpy(&o->location, u + 20, 8);
		o->reason = u[22];
		o->len = u[23];
		o->details = u[24];
		o->count = u[25];
		o->stack = u[26];
		o->iif = u[27];
		o->seq = u[28];
		o->cpu = cpu;
	}
	return LIBBPF_PERF_EVENT_CONT;
}

static struct perf_buffer *rings[2];

/* Makes rings for the map; which: 0 = 13 fields, 1 = all. 0 on success. */
int peer_open(int which, int map_fd, int pages)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(a),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.watermark = 1,
		.wakeup_watermark = pages * 1024,
	};

	few = few ?: calloc(ROWS, sizeof(*few));
	all = all ?: calloc(ROWS, sizeof(*all));
	rings[which] = perf_buffer__new_raw(map_fd, pages, &a, which ? take_all : take_few, NULL, NULL);
	return rings[which] ? 0 : -1;
}

/* Reads what is in the ring of a CPU; ns of this thread's CPU time per event. */
double peer_consume(int which, int cpu)
{
	struct timespec from, to;

	events = 0;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	perf_buffer__consume_buffer(rings[which], cpu);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / (events ? events : 1);
}

unsigned long long peer_events(void)
{
	return events;
}
