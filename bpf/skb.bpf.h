/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets as cgroup_skb programs see them: data begins at the IP header, skb->sk is the local socket. */
#ifndef WEIR_SKB_BPF_H
#define WEIR_SKB_BPF_H

#include "kernel.bpf.h"

struct datagram {
	__u8 saddr[16];
	__u8 daddr[16];
	__u16 sport;
	__u16 dport;
	__u8 proto;
	__u8 family;
	__u8 icmp_type;
	__u8 spare;
	__u32 payload; /* offset of the payload behind IP and UDP or ICMP header */
	__u32 bytes;   /* of payload; a GSO packet counts whole */
};

/* Protocol of the packet without touching more than a byte: TCP has to leave at once. */
static __always_inline __u8 protocol_of(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u8 *ip = data;

	if (data + 20 > end)
		return 0;
	if (ip[0] >> 4 == 4)
		return ip[9];
	return ip[0] >> 4 == 6 ? ip[6] : 0;
}

/* Fills `d` for UDP and ICMP echo; false for everything else. Extension headers and later fragments are left
 * out. */
static __always_inline bool read_datagram(struct __sk_buff *skb, struct datagram *d)
{
	__u8 ip[40] __attribute__((aligned(8)));
	__u8 l4[8] __attribute__((aligned(8)));
	__u32 at;

	if (bpf_skb_load_bytes(skb, 0, ip, 20))
		return false;
	if (ip[0] >> 4 == 4) {
		if (ip[6] & 0x1f || ip[7])
			return false;
		d->family = 4;
		d->proto = ip[9];
		at = (ip[0] & 15) * 4;
		map_v4(d->saddr, *(__be32 *)(ip + 12));
		map_v4(d->daddr, *(__be32 *)(ip + 16));
	} else {
		if (bpf_skb_load_bytes(skb, 0, ip, 40))
			return false;
		d->family = 6;
		d->proto = ip[6];
		at = 40;
		__builtin_memcpy(d->saddr, ip + 8, 16);
		__builtin_memcpy(d->daddr, ip + 24, 16);
	}
	if (bpf_skb_load_bytes(skb, at, l4, 8))
		return false;
	d->payload = at + 8;
	d->bytes = skb->len > d->payload ? skb->len - d->payload : 0;
	if (d->proto == IPPROTO_UDP) {
		d->sport = l4[0] << 8 | l4[1];
		d->dport = l4[2] << 8 | l4[3];
		return true;
	}
	d->icmp_type = l4[0];
	d->sport = d->dport = l4[4] << 8 | l4[5]; /* request and reply share the identifier */
	if (d->proto == IPPROTO_ICMP)
		return d->icmp_type == 8 || d->icmp_type == 0;
	return d->proto == IPPROTO_ICMPV6 && (d->icmp_type == 128 || d->icmp_type == 129);
}

static __always_inline bool is_reply(const struct datagram *d)
{
	return d->proto == IPPROTO_ICMP ? d->icmp_type == 0 : d->icmp_type == 129;
}

#endif
