/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The ABI of what leaves the kernel. Natural alignment, little endian, no implicit holes.
 * A perf record is 8 header + 4 size + payload, rounded to 8: payloads are 4 mod 8 bytes long, so none is
 * padded. C pads the structs to 8; what is sent ends behind seq (EVENT_SIZE). collector/decode/layout.gen.ts
 * has these offsets, made from the object's BTF.
 */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

enum event_type {
	EV_OPEN = 1,
	EV_CLOSE = 2,
	EV_FAIL = 3,
	EV_LISTEN = 4, /* newstate LISTEN: began, CLOSE: ended */
	EV_DROP = 5,
	EV_VERDICT = 6, /* 6, 7: kept for policy verdicts and retransmits */
	EV_RETRANSMIT = 7,
	EV_DNS = 8,
	EV_CONVERSATION = 9,
	EV_NAT = 10,
	EV_RING_TYPES = 16, /* below: through the ring; from here: read out of maps and iterators */
	EV_SWEEP = 16,
	EV_CONVERSATION_DELTA = 17,
	EV_CONVERSATION_END = 18,
};

enum event_direction {
	DIR_UNKNOWN = 0,
	DIR_IN = 1,  /* the other end began */
	DIR_OUT = 2, /* the local end began */
};

struct ev_common {	/* 80 bytes */
	__u64 ts;	/*  0 wall clock ns: boot time + wall_off */
	__u64 cookie;	/*  8 socket cookie, 0 without a socket */
	__u64 cgroup;	/* 16 cgroup v2 id of the local socket */
	__u32 netns;	/* 24 inode of the network namespace */
	__u32 ifindex;	/* 28 */
	__u8 saddr[16]; /* 32 network order, v4 as ::ffff:a.b.c.d */
	__u8 daddr[16]; /* 48 */
	__u16 sport;	/* 64 host order */
	__u16 dport;	/* 66 */
	__u8 type;	/* 68 enum event_type */
	__u8 family;	/* 69 4 or 6 */
	__u8 proto;	/* 70 IP protocol */
	__u8 dir;	/* 71 enum event_direction */
	__u32 src_id;	/* 72 node-local identity, 0 unknown */
	__u32 dst_id;	/* 76 */
};

struct ev_conn { /* 156 bytes; saddr is the local end */
	struct ev_common c;
	__u64 tx_bytes;	  /*  80 written and acknowledged, without SYN and FIN */
	__u64 rx_bytes;	  /*  88 received in order, without FIN */
	__u32 tx_segs;	  /*  96 */
	__u32 rx_segs;	  /* 100 */
	__u32 retrans;	  /* 104 */
	__u32 srtt_us;	  /* 108 */
	__u32 min_rtt_us; /* 112 */
	__u32 lat_us;	  /* 116 handshake */
	__u64 dur_ns;	  /* 120 */
	__u32 pid;	  /* 128 */
	__u8 oldstate;	  /* 132 */
	__u8 newstate;	  /* 133 */
	__u16 err;	  /* 134 errno of the socket */
	__u8 comm[16];	  /* 136 */
	__u32 seq;	  /* 152 */
};

struct ev_drop { /* 116 bytes; saddr is the packet's source */
	struct ev_common c;
	__u64 location; /*  80 */
	__u32 reason;	/*  88 enum skb_drop_reason of the running kernel */
	__u32 len;	/*  92 */
	__u8 tcpflags;	/*  96 */
	__u8 sk_state;	/*  97 */
	__u8 icmp_type; /*  98 */
	__u8 icmp_code; /*  99 */
	__u32 count;	/* 100 packets this event stands for */
	__u32 stack;	/* 104 id in the map stacks, ~0 none */
	__u32 iif;	/* 108 interface that it came in by, 0 none */
	__u32 seq;	/* 112 */
};

struct ev_dns { /* 100 bytes, then `copied` bytes of the packet from its IP header on */
	struct ev_common c;
	__u32 latency_us; /* 80 since the query, 0 unknown */
	__u32 offset;	  /* 84 of the DNS header in the copy */
	__u32 length;	  /* 88 of the DNS message as the UDP header has it */
	__u32 copied;	  /* 92 */
	__u32 seq;	  /* 96 */
};

struct ev_conversation { /* 148 bytes; saddr is the local end */
	struct ev_common c;
	__u64 tx_bytes;	  /*  80 payload since the last delta; 0 in EV_CONVERSATION */
	__u64 rx_bytes;	  /*  88 */
	__u32 tx_packets; /*  96 */
	__u32 rx_packets; /* 100 */
	__u64 first;	  /* 104 wall clock ns */
	__u64 last;	  /* 112 */
	__u32 pid;	  /* 120 */
	__u8 comm[16];	  /* 124 */
	__u32 shed;	  /* 140 EV_CONVERSATION_END alone: 1 = it was left out, only to be deleted */
	__u32 seq;	  /* 144 */
};

struct ev_nat { /* 108 bytes; saddr is the client, daddr the service address as the client knows it */
	struct ev_common c;
	__u8 backend[16]; /*  80 */
	__u16 bport;	  /*  96 */
	__u16 spare;	  /*  98 */
	__u32 status;	  /* 100 conntrack status bits */
	__u32 seq;	  /* 104 */
};

#define EVENT_SIZE(event) (__builtin_offsetof(typeof(event), seq) + sizeof(__u32))

_Static_assert(sizeof(struct ev_common) == 80, "ABI");
_Static_assert(__builtin_offsetof(struct ev_conn, seq) == 152, "ABI");
_Static_assert(__builtin_offsetof(struct ev_drop, seq) == 112, "ABI");
_Static_assert(__builtin_offsetof(struct ev_dns, seq) == 96, "ABI");
_Static_assert(__builtin_offsetof(struct ev_conversation, seq) == 144, "ABI");
_Static_assert(__builtin_offsetof(struct ev_nat, seq) == 104, "ABI");

/* Per-CPU books (map cpu_stats): user space adds the CPUs up. */
struct cpu_stats {
	__u64 produced[EV_RING_TYPES]; /* events made, by type */
	__u64 lost[EV_RING_TYPES];     /* of them, no room in the ring */
	__u64 shed[EV_RING_TYPES];     /* of them, not sent: their connection is left out (sample.bpf.h) */
	__u64 drops_passed;	       /* packets that the drop filter let through */
	__u64 lives_full;	       /* connections without role and latency: map lives was full */
	__u64 conversations_full;      /* packets not counted: map conversations was full */
	__u64 packets_shed;	       /* of UDP and ping conversations that are left out */
	__u64 nested;	/* events that came in the middle of the same program and were taken by its twin */
	__u64 init_ran; /* times that the program `witness` ran while process 1 was the current task */
	__u64 init_packets; /* packets that cgroup and tcx programs saw then (maps.bpf.h: is_init) */
	__u32 seq;
	__u32 in_connections; /* > 0 while that program runs on this CPU */
	__u32 in_drops;
	__u32 spare;
};

/* A UDP or ICMP echo conversation as the local socket sees it. */
struct conversation_key {
	__u8 laddr[16];
	__u8 raddr[16];
	__u16 lport;
	__u16 rport;
	__u32 netns;
	__u8 proto;
	__u8 spare[3];
};

struct conversation {
	__u64 tx_bytes;
	__u64 rx_bytes;
	__u64 tx_packets;
	__u64 rx_packets;
	__u64 told_tx_bytes; /* what deltas have carried away */
	__u64 told_rx_bytes;
	__u64 told_tx_packets;
	__u64 told_rx_packets;
	__u64 first; /* boot time ns */
	__u64 last;
	__u64 cookie;
	__u64 cgroup;
	__u32 ifindex;
	__u32 pid;
	__u8 comm[16];
	__u8 dir;
	__u8 family;
	__u8 shed; /* left out: not told of until its end */
	__u8 spare[5];
};

#endif
