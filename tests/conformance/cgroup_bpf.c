/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A BPF program that changes or denies the answers of getsockopt(2).
 *
 * The test loads a few instructions by bpf(2), attaches them to a cgroup, and
 * moves itself into that cgroup.  So it needs neither libbpf nor a compiler for
 * BPF.  The program runs after the option's own handler, with the value in a
 * buffer, and returns whether the caller may have the value.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/bpf.h>

#include "cgroup_bpf.h"

const char *const bpf_answer_names[NUM_BPF_ANSWERS] = {
	[BPF_CHANGE] = "bpf-changes",
	[BPF_LENGTHEN] = "bpf-lengthens",
	[BPF_DENY] = "bpf-denies",
	[BPF_AGAIN] = "bpf-eagain",
};

static struct {
	char parent[128];
	char cgroup[160];
	int cgroup_fd;
	int prog_fd;
} state;

#define INSN(_code, _dst, _src, _off, _imm)   \
	((struct bpf_insn){.code = (_code),   \
			   .dst_reg = (_dst), \
			   .src_reg = (_src), \
			   .off = (_off),     \
			   .imm = (_imm)})
#define LOAD(size, dst, src, off) \
	INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, off, imm) \
	INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, imm)
#define STORE_REG(size, dst, src, off) \
	INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define JUMP_GREATER(dst, src, off) \
	INSN(BPF_JMP | BPF_JGT | BPF_X, dst, src, off, 0)
#define CALL(fn) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, fn)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define FIELD(name) ((int)offsetof(struct bpf_sockopt, name))

/* include/uapi/linux/bpf.h */
#define HELPER_SET_RETVAL 187

static int load(const struct bpf_insn *insns, size_t num)
{
	static char log[4096];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCKOPT,
		.expected_attach_type = BPF_CGROUP_GETSOCKOPT,
		.insns = (uintptr_t)insns,
		.insn_cnt = num,
		.license = (uintptr_t) "GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int load_answer(enum bpf_answer answer)
{
	/* r1: the context.  The buffer is from optval to optval_end. */
	const struct bpf_insn change[] = {
		LOAD(BPF_DW, BPF_REG_2, BPF_REG_1, FIELD(optval)),
		LOAD(BPF_DW, BPF_REG_3, BPF_REG_1, FIELD(optval_end)),
		MOVE(BPF_REG_4, BPF_REG_2),
		ADD(BPF_REG_4, 4),
		JUMP_GREATER(BPF_REG_4, BPF_REG_3, 2),
		STORE(BPF_W, BPF_REG_2, 0, 0x12345678),
		STORE(BPF_W, BPF_REG_1, FIELD(retval), 0),
		SET(BPF_REG_0, 1),
		EXIT,
	};
	const struct bpf_insn lengthen[] = {
		LOAD(BPF_DW, BPF_REG_2, BPF_REG_1, FIELD(optval)),
		LOAD(BPF_DW, BPF_REG_3, BPF_REG_1, FIELD(optval_end)),
		MOVE(BPF_REG_4, BPF_REG_2),
		ADD(BPF_REG_4, 12),
		JUMP_GREATER(BPF_REG_4, BPF_REG_3, 4),
		STORE(BPF_W, BPF_REG_2, 8, 0x12345678),
		SET(BPF_REG_4, 12),
		STORE_REG(BPF_W, BPF_REG_1, BPF_REG_4, FIELD(optlen)),
		STORE(BPF_W, BPF_REG_1, FIELD(retval), 0),
		SET(BPF_REG_0, 1),
		EXIT,
	};
	const struct bpf_insn deny[] = {
		SET(BPF_REG_0, 0),
		EXIT,
	};
	const struct bpf_insn again[] = {
		SET(BPF_REG_1, -EAGAIN),
		CALL(HELPER_SET_RETVAL),
		SET(BPF_REG_0, 0),
		EXIT,
	};

	switch (answer) {
	case BPF_CHANGE:
		return load(change, sizeof(change) / sizeof(change[0]));
	case BPF_LENGTHEN:
		return load(lengthen, sizeof(lengthen) / sizeof(lengthen[0]));
	case BPF_DENY:
		return load(deny, sizeof(deny) / sizeof(deny[0]));
	default:
		return load(again, sizeof(again) / sizeof(again[0]));
	}
}

static int move_to(const char *cgroup)
{
	char path[256];
	int fd;
	int ret;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd == -1) {
		return -1;
	}
	ret = write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return ret;
}

/* Find the mount point of the second version of cgroups; false if none. */
static bool find_cgroups(char *path, size_t size)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char line[512];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		char type[64];
		char where[128];

		if (sscanf(line, "%*s %127s %63s", where, type) == 2 &&
		    strcmp(type, "cgroup2") == 0)
		{
			snprintf(path, size, "%s", where);
			found = true;
		}
	}
	if (f != NULL) {
		fclose(f);
	}
	return found;
}

const char *bpf_attach(enum bpf_answer answer)
{
	union bpf_attr attr = {.attach_type = BPF_CGROUP_GETSOCKOPT};

	if (!find_cgroups(state.parent, sizeof(state.parent))) {
		return "no cgroup2 is mounted";
	}
	snprintf(state.cgroup,
		 sizeof(state.cgroup),
		 "%s/smbd-uring-%d",
		 state.parent,
		 (int)getpid());
	state.prog_fd = load_answer(answer);
	if (state.prog_fd == -1) {
		return "bpf(2) loads no such program (CONFIG_CGROUP_BPF)";
	}
	if (mkdir(state.cgroup, 0755) != 0) {
		return "no cgroup can be made";
	}
	state.cgroup_fd = open(state.cgroup, O_RDONLY | O_DIRECTORY);
	attr.target_fd = state.cgroup_fd;
	attr.attach_bpf_fd = state.prog_fd;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) != 0) {
		rmdir(state.cgroup);
		return "bpf(2) attaches no such program (CONFIG_CGROUP_BPF)";
	}
	if (move_to(state.cgroup) != 0) {
		rmdir(state.cgroup);
		return "no process can be moved into a cgroup";
	}
	return NULL;
}

void bpf_detach(void)
{
	/* the kernel removes the program with its cgroup */
	(void)move_to(state.parent);
	(void)rmdir(state.cgroup);
}
