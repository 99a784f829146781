/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts the instructions of a socket query, by getsockopt(2) and by a ring.
 *
 * query prints one line for each option and batch: OPTION, the size of the
 * batch (0 is getsockopt(2)), and the instructions of one query, kernel and
 * user space together.  If the kernel's ring does not answer, it prints "-"
 * in place of the instructions.
 *
 * The program reads the time stamp counter.  So run it in a machine whose
 * counter counts instructions: QEMU with -icount shift=0, which
 * tests/vm/run --icount starts.  Runs in it differ in the last one or two
 * digits only.  The median drops the instructions of timer interrupts.
 *
 * The program uses the ring as an economical server would: one thread, a
 * registered ring and file, DEFER_TASKRUN, a complete SQE for each query, one
 * enter for a batch.
 */

#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/tcp.h>
#include <liburing.h>

#define MAX_BATCH 128
#define QUERIES 1024
#define ROUNDS 21

/* include/uapi/linux/io_uring.h, Linux 6.7 */
#define CMD_GETSOCKOPT 2

/* struct io_uring_sqe of a socket command; liburing 2.3 has other names */
struct __attribute__((may_alias)) sqe_sock {
	uint8_t opcode;
	uint8_t flags;
	uint16_t ioprio;
	int32_t fd;
	uint64_t cmd_op;
	uint32_t level;
	uint32_t optname;
	uint64_t len_and_flags;
	uint64_t user_data;
	uint64_t buffer_and_personality_and_optlen;
	uint64_t optval;
	uint64_t pad;
};
_Static_assert(sizeof(struct sqe_sock) == sizeof(struct io_uring_sqe),
	       "the kernel's layout is fixed");

struct option {
	const char *name;
	int level;
	int optname;
	socklen_t size;
};

static const struct option options[] = {
	{"TCP_INFO", IPPROTO_TCP, TCP_INFO, sizeof(struct tcp_info)},
	{"IP_TOS", IPPROTO_IP, IP_TOS, sizeof(int)},
	{"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, sizeof(int)},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, sizeof(int)},
};

static const unsigned batches[] = {0, 1, 4, 32, 128};

static struct io_uring ring;
static int sock;
static union {
	struct tcp_info info;
	int value;
} values[MAX_BATCH];

static void die(const char *what, int error)
{
	fprintf(stderr, "query: %s: %s\n", what, strerror(error));
	exit(1);
}

static uint64_t instructions(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* One end of a TCP connection over the loopback interface. */
static int connected(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (listener == -1 || fd == -1 ||
	    bind(listener, (struct sockaddr *)&addr, len) == -1 ||
	    listen(listener, 1) == -1 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) == -1 ||
	    connect(fd, (struct sockaddr *)&addr, len) == -1 ||
	    accept(listener, NULL, NULL) == -1)
	{
		die("TCP connection", errno);
	}
	return fd;
}

static void ring_init(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN,
	};
	int ret;

	ret = io_uring_queue_init_params(MAX_BATCH, &ring, &params);
	if (ret < 0) {
		die("ring", -ret);
	}
	ret = io_uring_register_ring_fd(&ring);
	if (ret < 0) {
		die("registered ring", -ret);
	}
	ret = io_uring_register_files(&ring, &sock, 1);
	if (ret < 0) {
		die("registered file", -ret);
	}
}

static void ask(const struct option *o)
{
	unsigned i;

	for (i = 0; i < QUERIES; i++) {
		socklen_t len = o->size;

		if (getsockopt(sock, o->level, o->optname, values, &len) == -1)
		{
			die(o->name, errno);
		}
	}
}

static int ask_ring(const struct option *o, unsigned batch)
{
	unsigned asked;
	int result = 0;

	for (asked = 0; asked < QUERIES; asked += batch) {
		struct io_uring_cqe *cqe = NULL;
		unsigned head;
		unsigned i;
		unsigned n = 0;
		int ret;

		for (i = 0; i < batch; i++) {
			struct sqe_sock *sqe = NULL;

			sqe = (struct sqe_sock *)io_uring_get_sqe(&ring);
			*sqe = (struct sqe_sock){
				.opcode = IORING_OP_URING_CMD,
				.flags = IOSQE_FIXED_FILE,
				.cmd_op = CMD_GETSOCKOPT,
				.level = o->level,
				.optname = o->optname,
				.buffer_and_personality_and_optlen =
					(uint64_t)o->size << 32,
				.user_data = i,
				.optval = (uintptr_t)&values[i],
			};
		}
		ret = io_uring_submit_and_wait(&ring, batch);
		if (ret < 0) {
			die("enter", -ret);
		}
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			if (cqe->res < 0) {
				result = cqe->res;
			}
			n++;
		}
		io_uring_cq_advance(&ring, n);
		if (n != batch) {
			die("answers are missing", 0);
		}
	}
	return result;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(const struct option *o, unsigned batch)
{
	uint64_t took[ROUNDS];
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t start = instructions();
		int ret = 0;

		if (batch == 0) {
			ask(o);
		} else {
			ret = ask_ring(o, batch);
		}
		took[i] = instructions() - start;
		if (ret == -EOPNOTSUPP) {
			printf("%s %u -\n", o->name, batch);
			return;
		}
		if (ret < 0) {
			die(o->name, -ret);
		}
	}
	qsort(took, ROUNDS, sizeof(took[0]), compare);
	printf("%s %u %.1f\n",
	       o->name,
	       batch,
	       (double)took[ROUNDS / 2] / QUERIES);
}

int main(void)
{
	unsigned i;
	unsigned j;

	sock = connected();
	ring_init();
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		for (j = 0; j < sizeof(batches) / sizeof(batches[0]); j++) {
			measure(&options[i], batches[j]);
		}
	}
	return 0;
}
