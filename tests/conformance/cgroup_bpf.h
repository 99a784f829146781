/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A BPF program that changes or denies the answers of getsockopt(2).
 */
#ifndef CGROUP_BPF_H
#define CGROUP_BPF_H

enum bpf_answer {
	/* another value */
	BPF_CHANGE,
	/* a longer value, as long as the buffer allows */
	BPF_LENGTHEN,
	/* EPERM */
	BPF_DENY,
	/* EAGAIN, which the ring must not take for its own */
	BPF_AGAIN,
};
#define NUM_BPF_ANSWERS (BPF_AGAIN + 1)

extern const char *const bpf_answer_names[NUM_BPF_ANSWERS];

/*
 * Apply a program to the sockets that this process opens from now on.  Returns
 * NULL, or the reason why that is not possible.
 */
const char *bpf_attach(enum bpf_answer answer);
void bpf_detach(void);

#endif /* CGROUP_BPF_H */
