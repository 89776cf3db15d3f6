/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the kernel's headers define as macros, and one accessor per difference between kernels. */
#ifndef WEIR_KERNEL_BPF_H
#define WEIR_KERNEL_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_endian.h>
#include "events.h"

#define AF_INET		   2
#define AF_INET6	   10
#define ETH_P_IP	   0x0800
#define ETH_P_IPV6	   0x86DD
#define ETH_HLEN	   14
#define IPPROTO_ICMPV6	   58
#define TCP_SYN		   0x02
#define TCP_ACK		   0x10
#define TC_ACT_UNSPEC	   (-1)
#define SOCK_BINDPORT_LOCK 8

/*
 * The kernel's own struct behind the context of a cgroup_skb or tc program, to be read by
 * bpf_probe_read_kernel (CO-RE) only. It is the same address, as bpf_cast_to_kern_ctx() says too; that kfunc
 * needs 6.2, and bpftool 7.1 cannot link two files that call it.
 */
static __always_inline struct sk_buff *kernel_skb(struct __sk_buff *ctx)
{
	return (struct sk_buff *)ctx;
}

static __always_inline void map_v4(__u8 *to, __be32 address)
{
	__u32 *words = (__u32 *)to;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = address;
}

static __always_inline bool is_mapped_v4(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

/* Inode of a socket's network namespace; works for request and time-wait sockets too. */
static __always_inline __u32 sock_netns(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* cgroup v2 id of a full socket: right even in soft-irq. Request and time-wait sockets end before the field.
 */
static __always_inline __u64 sock_cgroup(const struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0;
	return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
}

/* The name of the current process: its first thread's. A thread's own ("ThreadPoolForeg") tells
 * nobody who that is. */
static __always_inline void read_process_name(__u8 (*name)[16])
{
	struct task_struct *task = bpf_get_current_task_btf();

	BPF_CORE_READ_STR_INTO(name, task, group_leader, comm);
}

#endif
