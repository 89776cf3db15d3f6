/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reads the headers of a packet that is given as the kernel's struct sk_buff. */
#ifndef WEIR_PACKET_BPF_H
#define WEIR_PACKET_BPF_H

#include "kernel.bpf.h"

/* Walks the IPv6 extension headers that may stand before the ports; returns the offset of the transport
 * header, 0 = unreadable. */
static __always_inline __u32 skip_extensions(const unsigned char *network, __u8 *proto)
{
	__u32 at = 40;
	__u8 head[8] __attribute__((aligned(8)));

	for (int i = 0; i < 4; i++) {
		if (*proto != 0 && *proto != 43 && *proto != 44 &&
		    *proto != 60) /* hop-by-hop, routing, fragment, options */
			break;
		if (bpf_probe_read_kernel(head, sizeof(head), network + at))
			return 0;
		if (*proto == 44 && (head[2] || head[3] & 0xf8)) /* not the first fragment: no ports */
			return 0;
		at += *proto == 44 ? 8 : (head[1] + 1) * 8;
		*proto = head[0];
	}
	return at;
}

/* Fills addresses, ports, protocol, flags. False for what is not IP (ARP, unix sockets, frames without a
 * network header). */
static __always_inline bool fill_packet(struct ev_drop *e, struct sk_buff *skb)
{
	__u16 header = BPF_CORE_READ(skb, network_header), protocol = BPF_CORE_READ(skb, protocol);
	unsigned char *network = BPF_CORE_READ(skb, head) + header;
	__u8 ip[40] __attribute__((aligned(8)));
	__u8 l4[16] __attribute__((aligned(8))) = {};
	__u32 at;

	if (header == 0xffff)
		return false;
	if (protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_probe_read_kernel(ip, 20, network) || ip[0] >> 4 != 4)
			return false;
		e->c.family = 4;
		e->c.proto = ip[9];
		map_v4(e->c.saddr, *(__be32 *)(ip + 12));
		map_v4(e->c.daddr, *(__be32 *)(ip + 16));
		at = ip[6] & 0x1f || ip[7] ? 0 : (ip[0] & 15) * 4; /* a later fragment has no ports */
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_probe_read_kernel(ip, 40, network) || ip[0] >> 4 != 6)
			return false;
		e->c.family = 6;
		e->c.proto = ip[6];
		__builtin_memcpy(e->c.saddr, ip + 8, 16);
		__builtin_memcpy(e->c.daddr, ip + 24, 16);
		at = skip_extensions(network, &e->c.proto);
	} else {
		return false;
	}
	if (!at || bpf_probe_read_kernel(l4, sizeof(l4), network + at))
		return true;
	switch (e->c.proto) {
	case IPPROTO_TCP:
		e->tcpflags = l4[13];
		/* fallthrough */
	case IPPROTO_UDP:
		e->c.sport = l4[0] << 8 | l4[1];
		e->c.dport = l4[2] << 8 | l4[3];
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		e->icmp_type = l4[0];
		e->icmp_code = l4[1];
		break;
	}
	return true;
}

#endif
