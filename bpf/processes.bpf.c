// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What /proc/PID/ns and /proc/PID/fd tell only to who may trace the process: here for all of them. */
#include "kernel.bpf.h"

char LICENSE[] SEC("license")
= "Dual BSD/GPL";

struct process { /* 8 bytes */
	__u32 pid;
	__u32 netns; /* inode */
};

/* The network namespace of every process: its first thread's, or, where that has ended, one of the others'.
 */
SEC("iter/task")
int processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process p = {};

	if (!task)
		return 0;
	p.pid = BPF_CORE_READ(task, tgid);
	if (BPF_CORE_READ(task, pid) != p.pid && BPF_CORE_READ(task, group_leader, nsproxy))
		return 0;
	p.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	if (p.netns)
		bpf_seq_write(ctx->meta->seq, &p, sizeof(p));
	return 0;
}

struct holder {	     /* 24 bytes */
	__u64 inode; /* of the socket, as /proc/net/tcp has it */
	__u32 pid;
	__u32 netns;
	__u16 port;
	__u16 protocol;
	__u32 spare;
};

/* Who holds listening TCP sockets and unconnected UDP sockets. */
SEC("iter/task_file")
int holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder h = {};
	struct socket *socket;
	struct sock *sk;
	__u16 protocol;
	__u8 state;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (!(protocol == IPPROTO_TCP && state == TCP_LISTEN) &&
	    !(protocol == IPPROTO_UDP && state == TCP_CLOSE))
		return 0;
	h.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (!h.port)
		return 0;
	h.netns = sock_netns(sk);
	h.protocol = protocol;
	h.inode = BPF_CORE_READ(file, f_inode, i_ino);
	h.pid = BPF_CORE_READ(task, tgid);
	bpf_seq_write(ctx->meta->seq, &h, sizeof(h));
	return 0;
}
