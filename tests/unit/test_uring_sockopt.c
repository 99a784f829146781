/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the library answers queries in the cheaper way, at once and by
 * the loop, whatever happens to the request, the descriptor, the ring or the
 * process meanwhile.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/filter.h>
#include <liburing.h>
#include <cmocka.h>

#include "smbd_uring_backend.h"
#include "uring_queue.h"
#include "uring_sockopt.h"
#include "kernel.h"
#include "own_process.h"
#include "util/macros.h"
#include "wrapped.h"

#define MANY 100

/* tevent.h declares it if TEVENT_DEPRECATED is defined, as in smbd */
void tevent_loop_allow_nesting(struct tevent_context *ev);

static struct {
	int submit_error;
	/* let this many submissions through first */
	int submits;
	int init_error;
	int wait_error;
} fault;


int __wrap_io_uring_submit(struct io_uring *ring)
{
	if (fault.submit_error != 0 && fault.submits-- <= 0) {
		return fault.submit_error;
	}
	return __real_io_uring_submit(ring);
}

int __wrap_io_uring_queue_init_params(unsigned entries,
				      struct io_uring *ring,
				      struct io_uring_params *p)
{
	if (fault.init_error != 0) {
		return fault.init_error;
	}
	return __real_io_uring_queue_init_params(entries, ring, p);
}


int __wrap_io_uring_enter2(unsigned fd,
			   unsigned to_submit,
			   unsigned min_complete,
			   unsigned flags,
			   sigset_t *arg,
			   size_t size)
{
	if (fault.wait_error != 0) {
		return fault.wait_error;
	}
	return __real_io_uring_enter2(
		fd, to_submit, min_complete, flags, arg, size);
}

static struct tevent_context *ev;
static struct uring_socket sock;
static char logged[512];
static unsigned num_logged;
static unsigned num_done;
static int last_error;

static void log_fn(const char *line)
{
	num_logged++;
	snprintf(logged, sizeof(logged), "%s", line);
}

/* The beginning and the end of every test. */
static void (*test_fn)(void);

static void with_context(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(uring_socket_init(fd, &sock) == 0);
	uring_set_log_fn(log_fn);
	CHECK(smbd_uring_backend_register());
	ev = tevent_context_init_byname(NULL, SMBD_URING_BACKEND_NAME);
	CHECK(ev != NULL);
	test_fn();
	talloc_free(ev);
}

static void in_own_process(void **state)
{
	test_fn = (void (*)(void))(uintptr_t)*state;
	assert_int_equal(own_process(with_context), 0);
}

/* The same for tests of the ring's answers. */
static void with_answers(void **state)
{
	if (!kernel_has_ring_getsockopt()) {
		printf("# this kernel's ring has no getsockopt (6.7)\n");
		skip();
	}
	in_own_process(state);
}

static void make_queries(struct uring_query *queries, int *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		values[i] = -1;
		queries[i] = (struct uring_query){
			.level = SOL_SOCKET,
			.optname = SO_TYPE,
			.optval = &values[i],
			.optlen = sizeof(values[i]),
		};
	}
}

static void check_queries(const struct uring_query *queries,
			  size_t n,
			  enum uring_reason reason,
			  int line)
{
	size_t i;

	for (i = 0; i < n; i++) {
		check(queries[i].error == 0, line);
		check(queries[i].optlen == sizeof(int), line);
		check(*(int *)queries[i].optval == SOCK_STREAM, line);
		check(queries[i].reason == reason, line);
	}
}

static struct tevent_req *send_many(size_t n, enum uring_urgency urgency)
{
	struct uring_query queries[MANY];
	int values[MANY];

	make_queries(queries, values, n);
	return uring_query_batch_send(ev, ev, &sock, queries, n, urgency);
}

/* The answers that the next batch_done() expects. */
static enum uring_reason expect_reason = URING_REASON_NONE;

static void batch_done(struct tevent_req *req)
{
	struct uring_query *queries = NULL;

	num_done++;
	last_error = uring_query_batch_recv(req, ev, &queries);
	talloc_free(req);
	if (last_error != 0) {
		return;
	}
	check_queries(queries,
		      talloc_array_length(queries),
		      expect_reason,
		      __LINE__);
	talloc_free(queries);
}

static struct tevent_req *ask(size_t n, enum uring_urgency urgency)
{
	struct tevent_req *req = send_many(n, urgency);

	CHECK(req != NULL);
	tevent_req_set_callback(req, batch_done, NULL);
	return req;
}

static uint64_t enters(void)
{
	struct uring_counters c;

	uring_counters_get(&c, sizeof(c));
	return c.enters;
}

static uint64_t rings(void)
{
	struct uring_counters c;

	uring_counters_get(&c, sizeof(c));
	return c.rings_created;
}

static void break_even(void)
{
	struct uring_query queries[MANY];
	int values[MANY];
	struct uring_counters c;

	make_queries(queries, values, MANY);
	uring_query_batch(&sock, queries, 1);
	check_queries(queries, 1, URING_REASON_FEW, __LINE__);
	uring_query_batch(&sock, queries, 5);
	check_queries(queries, 5, URING_REASON_FEW, __LINE__);
	CHECK(enters() == 0);
	uring_query_batch(&sock, queries, 6);
	check_queries(queries, 6, URING_REASON_NONE, __LINE__);
	CHECK(enters() == 1);
	/* more than the ring holds at once */
	uring_query_batch(&sock, queries, MANY);
	check_queries(queries, MANY, URING_REASON_NONE, __LINE__);
	CHECK(enters() == 3);
	uring_query_batch(&sock, queries, 0);

	uring_set_mode(URING_MODE_RING);
	uring_query_batch(&sock, queries, 1);
	check_queries(queries, 1, URING_REASON_NONE, __LINE__);

	uring_set_mode(URING_MODE_SYSCALL);
	uring_query_batch(&sock, queries, MANY);
	check_queries(queries, MANY, URING_REASON_MODE, __LINE__);

	uring_counters_get(&c, sizeof(c));
	CHECK(c.ring == 6 + MANY + 1);
	CHECK(c.syscall == 1 + 5 + MANY);
	CHECK(uring_counters_reason(URING_REASON_FEW) == 1 + 5);
	CHECK(uring_counters_reason(URING_REASON_MODE) == MANY);
}

/* All queries of one event-loop iteration share an enter. */
static void one_enter_a_turn(void)
{
	int i;

	for (i = 0; i < 6; i++) {
		(void)ask(1, URING_PROMPT);
	}
	CHECK(enters() == 0);
	while (num_done < 6) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(enters() == 1);

	num_done = 0;
	expect_reason = URING_REASON_FEW;
	(void)ask(2, URING_PROMPT);
	(void)ask(3, URING_LAZY);
	while (num_done < 2) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(enters() == 1);
}

/* uring_prepare() predicts the route, and creates the ring. */
static void prepare(void)
{
	struct tevent_context *other = NULL;

	CHECK(uring_prepare(ev, 0) == URING_REASON_FEW);
	CHECK(uring_prepare(ev, 5) == URING_REASON_FEW);
	uring_set_mode(URING_MODE_SYSCALL);
	CHECK(uring_prepare(ev, MANY) == URING_REASON_MODE);
	uring_set_mode(URING_MODE_RING);
	CHECK(uring_prepare(ev, 0) == URING_REASON_FEW);
	other = tevent_context_init_byname(NULL, "poll");
	CHECK(uring_prepare(other, MANY) == URING_REASON_NORING);
	talloc_free(other);
	if (geteuid() == 0) {
		CHECK(seteuid(1) == 0);
		CHECK(uring_prepare(ev, 1) == URING_REASON_EUID);
		CHECK(seteuid(0) == 0);
	}
	CHECK(rings() == 0);

	CHECK(uring_prepare(ev, 1) == URING_REASON_NONE);
	uring_set_mode(URING_MODE_AUTO);
	CHECK(uring_prepare(ev, 6) == URING_REASON_NONE);
	CHECK(rings() == 1 && enters() == 0);

	if (geteuid() == 0) {
		CHECK(seteuid(1) == 0);
	}
	CHECK(uring_prepare(ev, 6) == URING_REASON_NONE);
	(void)ask(6, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1 && enters() == 1 && rings() == 1);
	CHECK(seteuid(getuid()) == 0);

	/* the ring is gone, and there is no other */
	uring_queue_restart(uring_queue_find(ev));
	fault.init_error = -ENOMEM;
	CHECK(uring_prepare(ev, 6) == URING_REASON_NORING);
}

/* A prompt request keeps tevent_loop_wait() running, a lazy one does not. */
static void loop_wait(void)
{
	CHECK(tevent_loop_wait(ev) == 0);
	(void)ask(10, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1);
	(void)ask(10, URING_LAZY);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1);
	(void)ask(10, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 3);
}

/* On a foreign context the next iteration delivers the answer. */
static void other_backend(void)
{
	struct tevent_context *ours = ev;

	ev = tevent_context_init_byname(NULL, "poll");
	(void)ask(10, URING_PROMPT);
	(void)ask(10, URING_LAZY);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 2 && last_error == 0);
	expect_reason = URING_REASON_FEW;
	(void)ask(1, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 3);
	talloc_free(ev);
	ev = ours;
}

static void freed_and_cancelled(void)
{
	struct tevent_req *reqs[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		reqs[i] = ask(10, URING_PROMPT);
	}
	talloc_free(reqs[1]);
	CHECK(tevent_req_cancel(reqs[2]));
	while (num_done < 3) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 3);

	/* an answered query that is not delivered yet */
	reqs[0] = ask(10, URING_PROMPT);
	reqs[1] = ask(10, URING_PROMPT);
	CHECK(tevent_loop_once(ev) == 0);
	CHECK(num_done == 4);
	CHECK(tevent_req_cancel(reqs[1]));
	CHECK(num_done == 5 && last_error == ECANCELED);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 5);

	reqs[0] = ask(10, URING_PROMPT);
	reqs[1] = ask(10, URING_PROMPT);
	CHECK(tevent_loop_once(ev) == 0);
	CHECK(num_done == 6);
	talloc_free(reqs[1]);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 6);
}

static unsigned num_asked;

static void again(struct uring_batch *batch,
		  const struct uring_query *queries,
		  void *private_data)
{
	check_queries(queries, 10, URING_REASON_NONE, __LINE__);
	num_done++;
	if (num_asked < 20) {
		num_asked++;
		CHECK(uring_batch_ask(batch, URING_PROMPT) == 0);
		CHECK(uring_batch_ask(batch, URING_PROMPT) == EBUSY);
	} else {
		talloc_free(batch);
	}
}

/* A batch is asked repeatedly, also in its handler, and freed there. */
static void asked_again(void)
{
	struct uring_query queries[10];
	int values[10];
	struct uring_batch *batch = NULL;

	make_queries(queries, values, 10);
	batch = uring_batch_create(ev, ev, &sock, queries, 10, again, NULL);
	CHECK(batch != NULL);
	CHECK(!uring_batch_cancel(batch));
	CHECK(uring_batch_ask(batch, URING_PROMPT) == 0);
	CHECK(uring_batch_cancel(batch));
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 0);

	/* cancelled after it was answered, and asked again */
	(void)ask(10, URING_PROMPT);
	CHECK(uring_batch_ask(batch, URING_PROMPT) == 0);
	CHECK(tevent_loop_once(ev) == 0);
	CHECK(num_done == 1 && enters() == 1);
	CHECK(uring_batch_cancel(batch));
	num_done = 0;

	CHECK(uring_batch_ask(batch, URING_PROMPT) == 0);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 21 && enters() == 22);
}

static void cancelled_error(void)
{
	struct tevent_req *req = ask(10, URING_PROMPT);

	CHECK(tevent_req_cancel(req));
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1 && last_error == ECANCELED);
}

static void timed_out(void)
{
	struct tevent_req *req = ask(10, URING_LAZY);

	/* a time in the past: it fails before the loop flushes the queue */
	CHECK(tevent_req_set_endtime(req, ev, tevent_timeval_set(1, 0)));
	while (num_done < 1) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(last_error == 0 || last_error == ETIMEDOUT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1);
}

static void free_context(bool cancel)
{
	struct tevent_context *other = tevent_context_init_byname(
		NULL, SMBD_URING_BACKEND_NAME);
	struct tevent_context *ours = ev;
	struct tevent_req *req = NULL;
	TALLOC_CTX *mem_ctx = talloc_new(NULL);

	ev = other;
	req = talloc_steal(mem_ctx, ask(10, URING_PROMPT));
	talloc_free(other);
	ev = ours;
	/* not answered, because its context is gone */
	CHECK(tevent_req_is_in_progress(req));
	if (cancel) {
		CHECK(tevent_req_cancel(req));
		num_done--;
		req = NULL;
	}
	talloc_free(mem_ctx);
	CHECK(num_done == 0);
}

/* An event for the loop: a byte in a pipe, and its handler. */
static int event_fds[2];
static unsigned num_events;

static void event_handler(struct tevent_context *context,
			  struct tevent_fd *fde,
			  uint16_t flags,
			  void *private_data)
{
	char c;

	CHECK(flags == TEVENT_FD_READ);
	CHECK(read(event_fds[0], &c, 1) == 1);
	num_events++;
}

static void add_event(void)
{
	CHECK(pipe(event_fds) == 0);
	CHECK(tevent_add_fd(ev,
			    ev,
			    event_fds[0],
			    TEVENT_FD_READ,
			    event_handler,
			    NULL) != NULL);
}

static void fire(void)
{
	CHECK(write(event_fds[1], "", 1) == 1);
}

static bool kernel_has_epoll_wait(void)
{
	struct io_uring_probe *probe = io_uring_get_probe();
	/* IORING_OP_EPOLL_WAIT, Linux 6.15 */
	bool has = probe != NULL && io_uring_opcode_supported(probe, 59);

	io_uring_free_probe(probe);
	return has;
}

/* Lazy queries piggyback on the wait: no further system call, same event. */
static void ride(void)
{
	uint64_t expected = kernel_has_epoll_wait() ? 1 : 0;
	int i;

	add_event();
	for (i = 0; i < 10; i++) {
		/* too few for an enter of their own: piggybacking needs none */
		expect_reason = expected ? URING_REASON_NONE : URING_REASON_FEW;
		(void)ask(2, URING_LAZY);
		fire();
		CHECK(num_done == (unsigned)i);
		CHECK(tevent_loop_once(ev) == 0);
		if (!expected) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(num_events == (unsigned)i + 1);
		CHECK(enters() == expected * (i + 1));
		while (num_done <= (unsigned)i) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(num_events == (unsigned)i + 1);
	}
}

static void timer_handler(struct tevent_context *context,
			  struct tevent_timer *te,
			  struct timeval now,
			  void *private_data)
{
	num_events += 1000;
}

/* A wait that ends without an event stays armed; its event is not lost. */
static void ride_and_time_out(void)
{
	int i;

	if (!kernel_has_epoll_wait()) {
		skip_test("the kernel has no IORING_OP_EPOLL_WAIT (6.15)");
	}
	add_event();
	for (i = 0; i < 5; i++) {
		num_events = 0;
		num_done = 0;
		(void)ask(2, URING_LAZY);
		CHECK(tevent_add_timer(ev,
				       ev,
				       tevent_timeval_current_ofs(0, 20000),
				       timer_handler,
				       NULL) != NULL);
		while (num_events < 1000 || num_done < 1) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(num_events == 1000);

		/* with epoll_wait(2) */
		fire();
		CHECK(tevent_loop_once(ev) == 0);
		CHECK(num_events == 1001);

		/* with the wait that is still armed, and whose event is old */
		(void)ask(2, URING_LAZY);
		fire();
		CHECK(tevent_loop_once(ev) == 0);
		CHECK(num_events == 1002);
		while (num_done < 2) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(num_events == 1002);
	}
}

/* The ring drops an event that another enter reaped: it may be outdated. */
static void stale_event(void)
{
	char c;
	int i;

	if (!kernel_has_epoll_wait()) {
		skip_test("the kernel has no IORING_OP_EPOLL_WAIT (6.15)");
	}
	add_event();
	/* arm the wait: a timer ends it */
	(void)ask(2, URING_LAZY);
	CHECK(tevent_add_timer(ev,
			       ev,
			       tevent_timeval_current_ofs(0, 20000),
			       timer_handler,
			       NULL) != NULL);
	while (num_events < 1000 || num_done < 1) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	for (i = 0; i < 5; i++) {
		/* readable while the prompt queries enter, and not after */
		num_events = 0;
		num_done = 0;
		fire();
		(void)ask(10, URING_PROMPT);
		CHECK(tevent_loop_once(ev) == 0);
		CHECK(num_done == 1 && num_events == 0);
		CHECK(read(event_fds[0], &c, 1) == 1);

		(void)ask(2, URING_LAZY);
		CHECK(tevent_add_timer(ev,
				       ev,
				       tevent_timeval_current_ofs(0, 20000),
				       timer_handler,
				       NULL) != NULL);
		while (num_events < 1000 || num_done < 2) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(num_events == 1000 && num_done == 2);
	}
}

static void signal_handler(struct tevent_context *context,
			   struct tevent_signal *se,
			   int signum,
			   int count,
			   void *siginfo,
			   void *private_data)
{
	num_events += count;
}

static void no_event(struct tevent_context *context,
		     struct tevent_timer *te,
		     struct timeval now,
		     void *private_data)
{
}

/* A signal ends a wait in the ring as it ends epoll_wait(). */
static void ride_and_signal(void)
{
	int status = -1;
	pid_t parent = getpid();
	pid_t pid;
	int i;

	if (getenv("UNDER_VALGRIND") != NULL) {
		skip_test("under valgrind no signal ends io_uring_enter(2)");
	}
	CHECK(tevent_add_signal(ev, ev, SIGUSR1, 0, signal_handler, NULL) !=
	      NULL);
	for (i = 1; i <= 5; i++) {
		(void)ask(8, URING_LAZY);
		pid = fork();
		if (pid == 0) {
			usleep(20000);
			kill(parent, SIGUSR1);
			_exit(0);
		}
		while (num_events < (unsigned)i) {
			CHECK(tevent_loop_once(ev) == 0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		/* the signal may have come before the wait */
		while (num_done < (unsigned)i) {
			CHECK(tevent_add_timer(ev,
					       ev,
					       tevent_timeval_current_ofs(0,
									  2000),
					       no_event,
					       NULL) != NULL);
			CHECK(tevent_loop_once(ev) == 0);
		}
	}
}

/* The ring dies while it waits: the event comes by epoll_wait(2). */
static void ring_dies_riding(void)
{
	if (!kernel_has_epoll_wait()) {
		skip_test("the kernel has no IORING_OP_EPOLL_WAIT (6.15)");
	}
	add_event();
	(void)ask(10, URING_LAZY);
	fire();
	CHECK(tevent_loop_once(ev) == 0);
	while (num_done < 1) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(num_events == 1);

	fault.wait_error = -EBADF;
	expect_reason = URING_REASON_NORING;
	(void)ask(10, URING_LAZY);
	fire();
	while (num_done < 2 || num_events < 2) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(num_logged == 1 && last_error == 0);

	(void)ask(10, URING_LAZY);
	fire();
	while (num_done < 3 || num_events < 3) {
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(num_logged == 1);
}

/* Queries do not piggyback on another caller's epoll_wait(2). */
static void other_epoll(void)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.u32 = 4711,
	};
	int epfd = epoll_create1(0);

	add_event();
	CHECK(epoll_ctl(epfd, EPOLL_CTL_ADD, event_fds[0], &event) == 0);
	(void)ask(10, URING_LAZY);
	fire();
	memset(&event, 0, sizeof(event));
	CHECK(epoll_wait(epfd, &event, 1, -1) == 1);
	CHECK(event.data.u32 == 4711);
	CHECK(num_done == 0);
	CHECK(tevent_loop_once(ev) == 0);
	if (!kernel_has_epoll_wait()) {
		/* the answers came first */
		CHECK(num_events == 0 && num_done == 1);
		CHECK(tevent_loop_once(ev) == 0);
	}
	CHECK(num_events == 1);
	CHECK(epoll_wait(epfd, &event, 1, 0) == 0);
	close(epfd);
}

static void context_freed(void)
{
	free_context(false);
	free_context(true);
}

/* The descriptor is closed before the query: EBADF, for each. */
static void descriptor_closed(void)
{
	struct uring_query *answered = NULL;
	struct tevent_req *req = NULL;
	size_t i;

	/* keep the number in use, so that the ring does not get it */
	(void)ask(10, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);

	req = send_many(10, URING_PROMPT);
	close(sock.fd);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_query_batch_recv(req, ev, &answered) == 0);
	for (i = 0; i < 10; i++) {
		CHECK(answered[i].error == EBADF);
		CHECK(answered[i].reason == URING_REASON_ERROR);
		CHECK(*(int *)answered[i].optval == -1);
	}
}

/* In the handler of an answer: ask again, wait in a nested loop. */
static void nested_done(struct tevent_req *req)
{
	struct tevent_req *inner = NULL;
	struct uring_query *queries = NULL;

	batch_done(req);
	if (num_done > 20) {
		return;
	}
	inner = send_many(10, URING_PROMPT);
	CHECK(tevent_req_poll(inner, ev));
	CHECK(uring_query_batch_recv(inner, inner, &queries) == 0);
	check_queries(queries, 10, URING_REASON_NONE, __LINE__);
	talloc_free(inner);

	inner = send_many(10, URING_PROMPT);
	tevent_req_set_callback(inner, nested_done, NULL);
}

static void nested(void)
{
	struct tevent_req *req = send_many(10, URING_PROMPT);

	tevent_loop_allow_nesting(ev);
	tevent_req_set_callback(req, nested_done, NULL);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 21);
}

/* The ring dies with half of the queries answered. */
static void ring_dies(void)
{
	struct uring_query queries[MANY];
	int values[MANY];
	struct uring_counters c;
	size_t i;

	fault.submit_error = -EBADF;
	fault.submits = 1;
	make_queries(queries, values, MANY);
	uring_query_batch(&sock, queries, MANY);
	for (i = 0; i < MANY; i++) {
		CHECK(queries[i].error == 0);
		CHECK(values[i] == SOCK_STREAM);
		CHECK(queries[i].reason ==
		      (i < 64 ? URING_REASON_NONE : URING_REASON_NORING));
	}
	CHECK(num_logged == 1 && strstr(logged, "EBADF") != NULL);

	/* from now on without a ring, and without another log line */
	make_queries(queries, values, MANY);
	uring_query_batch(&sock, queries, MANY);
	check_queries(queries, MANY, URING_REASON_NORING, __LINE__);
	expect_reason = URING_REASON_NORING;
	(void)ask(10, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 1 && num_logged == 1);
	uring_counters_get(&c, sizeof(c));
	CHECK(c.rings_created == 1 && c.rings_failed == 1);
}

/* The same by the loop, with no query answered. */
static void ring_dies_in_loop(void)
{
	fault.submit_error = -EEXIST;
	expect_reason = URING_REASON_NORING;
	(void)ask(10, URING_PROMPT);
	(void)ask(MANY, URING_PROMPT);
	(void)ask(10, URING_LAZY);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 3 && last_error == 0 && num_logged == 1);
}

static void no_ring(void)
{
	const int errors[] = {EPERM, ENOSYS, ENOMEM, EACCES, EMFILE};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			fault.init_error = -errors[i];
			expect_reason = URING_REASON_NORING;
			CHECK(tevent_re_initialise(ev) == 0);
			(void)ask(10, URING_PROMPT);
			(void)ask(10, URING_PROMPT);
			CHECK(tevent_loop_wait(ev) == 0);
			CHECK(num_done == 2 && num_logged == 1);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

/* Queries asked before a fork() are answered in both processes. */
static void forked(void)
{
	int status = -1;
	pid_t pid;

	if (getenv("UNDER_VALGRIND") != NULL) {
		/* syswrap-generic.c: an assertion about mappings */
		skip_test("valgrind does not know MADV_DONTFORK");
	}

	(void)ask(10, URING_PROMPT);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(enters() == 1);

	(void)ask(10, URING_PROMPT);
	pid = fork();
	if (pid == 0) {
		CHECK(tevent_re_initialise(ev) == 0);
		CHECK(tevent_loop_wait(ev) == 0);
		CHECK(num_done == 2 && last_error == 0);
		CHECK(enters() == 1);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(tevent_loop_wait(ev) == 0);
	CHECK(num_done == 2 && last_error == 0);
	CHECK(enters() == 2);
}

/* The library creates no ring while smbd has another effective user. */
static void impersonating(void)
{
	struct uring_query queries[MANY];
	int values[MANY];

	if (geteuid() != 0) {
		skip_test("only root can impersonate");
	}
	make_queries(queries, values, MANY);
	CHECK(seteuid(65534) == 0);
	uring_query_batch(&sock, queries, 10);
	check_queries(queries, 10, URING_REASON_EUID, __LINE__);
	CHECK(seteuid(0) == 0);
	uring_query_batch(&sock, queries, 10);
	check_queries(queries, 10, URING_REASON_NONE, __LINE__);
	/* it uses an existing ring */
	CHECK(seteuid(65534) == 0);
	uring_query_batch(&sock, queries, 10);
	check_queries(queries, 10, URING_REASON_NONE, __LINE__);
	CHECK(num_logged == 0);
}

/* Short-lived contexts: no ring, and neither descriptors nor memory leak. */
static void many_contexts(void)
{
	struct uring_counters c;
	int before = dup(0);
	int after;
	int i;

	close(before);
	for (i = 0; i < 10000; i++) {
		struct tevent_context *tmp = tevent_context_init_byname(
			NULL, SMBD_URING_BACKEND_NAME);

		CHECK(tmp != NULL);
		CHECK(tevent_loop_wait(tmp) == 0);
		talloc_free(tmp);
	}
	after = dup(0);
	close(after);
	CHECK(after == before);
	uring_counters_get(&c, sizeof(c));
	CHECK(c.rings_created == 0);
}

static void *thread_fn(void *private_data)
{
	struct uring_query queries[10];
	int values[10];
	int i;

	for (i = 0; i < 100; i++) {
		make_queries(queries, values, 10);
		uring_query_batch(&sock, queries, 10);
		check_queries(queries, 10, URING_REASON_NONE, __LINE__);
	}
	return NULL;
}

static void threads(void)
{
	struct uring_counters c;
	pthread_t t[8];
	int before = dup(0);
	int after;
	int i;

	close(before);
	for (i = 0; i < 8; i++) {
		CHECK(pthread_create(&t[i], NULL, thread_fn, NULL) == 0);
	}
	for (i = 0; i < 8; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
	}
	uring_counters_get(&c, sizeof(c));
	CHECK(c.ring == 8000 && c.rings_created == 8 && c.enters == 800);
	/* each thread's ring was freed with it */
	after = dup(0);
	close(after);
	CHECK(after == before);
}

/*
 * A child can ask, whatever another thread had a mutex of the library for at
 * the fork.  That thread keeps it until fork() asks for it: a child that
 * inherits a locked one waits for ever.
 */
static struct {
	pthread_t forker;
	_Atomic(pthread_mutex_t *) mutex;
	atomic_bool armed;
	atomic_bool released;
} held;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	bool armed = atomic_load(&held.armed);
	int ret;

	if (armed && pthread_equal(pthread_self(), held.forker) &&
	    mutex == atomic_load(&held.mutex))
	{
		atomic_store(&held.released, true);
	}
	ret = __real_pthread_mutex_lock(mutex);
	if (armed && !pthread_equal(pthread_self(), held.forker)) {
		atomic_store(&held.mutex, mutex);
		while (!atomic_load(&held.released)) {
			sched_yield();
		}
	}
	return ret;
}

/* Both take a mutex of the library: to count, and to look for a queue. */
static void *ask_for_one(void *private_data)
{
	struct uring_query queries[1];
	int values[1];

	make_queries(queries, values, 1);
	uring_query_batch(&sock, queries, 1);
	check_queries(queries, 1, URING_REASON_MODE, __LINE__);
	return NULL;
}

static void *find_none(void *private_data)
{
	CHECK(uring_queue_find(private_data) == NULL);
	return NULL;
}

static void fork_beside(void *(*fn)(void *private_data))
{
	int status = -1;
	pthread_t owner;
	pid_t pid;

	held.forker = pthread_self();
	atomic_store(&held.mutex, NULL);
	atomic_store(&held.released, false);
	atomic_store(&held.armed, true);
	CHECK(pthread_create(&owner, NULL, fn, &held) == 0);
	while (atomic_load(&held.mutex) == NULL) {
		sched_yield();
	}
	pid = fork_for_a_while();
	if (pid == 0) {
		(void)ask_for_one(NULL);
		(void)find_none(&status);
		_exit(0);
	}
	CHECK(atomic_load(&held.released));
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(pthread_join(owner, NULL) == 0);
	atomic_store(&held.armed, false);
}

static void fork_beside_threads(void)
{
#ifdef __SANITIZE_THREAD__
	skip_test("ThreadSanitizer misses the parent's threads in a child");
#endif
	uring_set_mode(URING_MODE_SYSCALL);
	fork_beside(ask_for_one);
	fork_beside(find_none);
}

/* uring_getsockopt() is getsockopt(2), also where that fails. */
static void like_getsockopt(void)
{
	const enum uring_mode modes[] = {
		URING_MODE_SYSCALL,
		URING_MODE_AUTO,
		URING_MODE_RING,
	};
	const enum uring_reason reasons[] = {
		URING_REASON_MODE,
		URING_REASON_FEW,
		URING_REASON_NONE,
	};
	void *page = mmap(
		NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int null = open("/dev/null", O_RDWR);
	size_t i;

	if (getenv("UNDER_VALGRIND") != NULL) {
		skip_test("what valgrind reports is meant: bad pointers");
	}

	for (i = 0; i < 3; i++) {
		enum uring_reason reason;
		socklen_t len = sizeof(int);
		int value = -1;

		uring_set_mode(modes[i]);
		errno = 4711;
		CHECK(uring_getsockopt(sock.fd,
				       SOL_SOCKET,
				       SO_TYPE,
				       &value,
				       &len,
				       &reason) == 0);
		CHECK(value == SOCK_STREAM && len == sizeof(int));
		CHECK(reason == reasons[i]);
		CHECK(errno == 4711);

		CHECK(uring_getsockopt(sock.fd,
				       SOL_SOCKET,
				       SO_TYPE,
				       &value,
				       NULL,
				       &reason) == -1);
		CHECK(errno == EFAULT && reason == URING_REASON_SHAPE);
		len = (socklen_t)-1;
		CHECK(uring_getsockopt(sock.fd,
				       SOL_SOCKET,
				       SO_TYPE,
				       &value,
				       &len,
				       NULL) == -1);
		CHECK(errno == EINVAL && len == (socklen_t)-1);
		len = sizeof(int);
		CHECK(uring_getsockopt(
			      sock.fd, SOL_SOCKET, SO_TYPE, page, &len, NULL) ==
		      -1);
		CHECK(errno == EFAULT);
		CHECK(uring_getsockopt(
			      sock.fd, SOL_SOCKET, SO_TYPE, NULL, &len, NULL) ==
		      -1);
		CHECK(errno == EFAULT);
		CHECK(uring_getsockopt(
			      -1, SOL_SOCKET, SO_TYPE, &value, &len, NULL) ==
		      -1);
		CHECK(errno == EBADF);
		CHECK(uring_getsockopt(
			      null, SOL_SOCKET, SO_TYPE, &value, &len, NULL) ==
		      -1);
		CHECK(errno == ENOTSOCK);
		CHECK(uring_getsockopt(sock.fd, 4711, 1, &value, &len, NULL) ==
		      -1);
		CHECK(errno == EOPNOTSUPP || errno == ENOPROTOOPT);
	}
}

/*
 * The library asks only once if asking changes the answer.  Otherwise the ring
 * could clear an error and then fail, here because of the memory, and the
 * system call would find no error.
 */
static void asked_once(void)
{
	char *pages = mmap(NULL,
			   2 * 4096,
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS,
			   -1,
			   0);
	char *value = pages + 4096 - 3;
	char expected[3];
	int i;

	CHECK(pages != MAP_FAILED);
	CHECK(mprotect(pages + 4096, 4096, PROT_READ) == 0);
	uring_set_mode(URING_MODE_RING);
	for (i = 0; i < 2; i++) {
		struct sockaddr_in nobody = {.sin_family = AF_INET};
		enum uring_reason reason = URING_REASON_NONE;
		socklen_t len = sizeof(nobody);
		int other = socket(AF_INET, SOCK_DGRAM, 0);
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		int ret;

		nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		CHECK(bind(other, (struct sockaddr *)&nobody, len) == 0);
		CHECK(getsockname(other, (struct sockaddr *)&nobody, &len) ==
		      0);
		close(other);
		CHECK(connect(fd, (struct sockaddr *)&nobody, len) == 0);
		CHECK(send(fd, "x", 1, 0) == 1);

		memset(value, 0x55, 3);
		len = sizeof(int);
		if (i == 0) {
			ret = getsockopt(fd, SOL_SOCKET, SO_ERROR, value, &len);
			memcpy(expected, value, 3);
			CHECK(expected[0] == ECONNREFUSED);
		} else {
			ret = uring_getsockopt(
				fd, SOL_SOCKET, SO_ERROR, value, &len, &reason);
			CHECK(memcmp(expected, value, 3) == 0);
			CHECK(reason == URING_REASON_SHAPE);
		}
		CHECK(ret == -1 && errno == EFAULT);
	}
}

static void one_query(void)
{
	struct tevent_req *req = NULL;
	enum uring_reason reason;
	socklen_t len = 0;
	void *value = NULL;

	req = uring_getsockopt_send(
		ev, ev, &sock, SOL_SOCKET, SO_TYPE, NULL, 64, URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_getsockopt_recv(req, ev, &value, &len, &reason) == 0);
	CHECK(*(int *)value == SOCK_STREAM && len == sizeof(int));
	CHECK(talloc_get_size(value) == 64);
	CHECK(reason == URING_REASON_FEW);
	talloc_free(req);

	req = uring_getsockopt_send(
		ev, ev, &sock, SOL_SOCKET, 9999, NULL, 4, URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_getsockopt_recv(req, ev, &value, &len, NULL) ==
	      ENOPROTOOPT);
	talloc_free(req);

	req = uring_getsockopt_send(ev,
				    ev,
				    &sock,
				    SOL_SOCKET,
				    SO_TYPE,
				    NULL,
				    (socklen_t)-1,
				    URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_getsockopt_recv(req, ev, &value, &len, NULL) == EINVAL);
	talloc_free(req);

	req = uring_getsockopt_send(
		ev, ev, &sock, SOL_SOCKET, SO_TYPE, NULL, 0, URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_getsockopt_recv(req, ev, &value, &len, NULL) == 0);
	CHECK(len == 0);
}

/*
 * An option that reads its buffer gets the caller's bytes, from the ring
 * and, where the ring does not know it, from the system call.
 */
static void in_and_out(void)
{
	struct {
		uint64_t address;
		uint32_t length;
		uint32_t rest[13];
	} zc = {.length = 4096};
	struct tevent_req *req = NULL;
	socklen_t len = 0;
	void *value = NULL;
	socklen_t expected_len = sizeof(zc);
	int expected;

	/* TCP_ZEROCOPY_RECEIVE: reads address and length */
	expected = getsockopt(sock.fd,
			      IPPROTO_TCP,
			      TCP_ZEROCOPY_RECEIVE,
			      &zc,
			      &expected_len) == 0
			   ? 0
			   : errno;
	zc.length = 4096;
	uring_set_mode(URING_MODE_RING);
	req = uring_getsockopt_send(ev,
				    ev,
				    &sock,
				    IPPROTO_TCP,
				    TCP_ZEROCOPY_RECEIVE,
				    &zc,
				    sizeof(zc),
				    URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_getsockopt_recv(req, ev, &value, &len, NULL) == expected);
	CHECK(expected != 0 || len == expected_len);
}

/*
 * SO_GET_FILTER writes 8 bytes for each unit of its length, and a filter of
 * sources as many as its value counts.  They must write into the caller's
 * memory, and never past a copy of it.
 */
static void past_the_length(void)
{
	struct sock_filter insns[64] = {};
	struct sock_filter expected[64] = {};
	struct sock_fprog prog = {.len = 64, .filter = insns};
	struct ip_mreq_source source = {
		.imr_multiaddr.s_addr = htonl(0xef010101),
		.imr_interface.s_addr = htonl(INADDR_LOOPBACK),
		.imr_sourceaddr.s_addr = htonl(0x0a000001),
	};
	struct {
		struct ip_msfilter filter;
		uint32_t more[3];
	} sources[2] = {};
	struct uring_query queries[] = {
		{
			.level = SOL_SOCKET,
			.optname = SO_GET_FILTER,
			.optval = insns,
			.optlen = 64,
		},
		{
			.level = IPPROTO_IP,
			.optname = IP_MSFILTER,
			.optval = &sources[0],
			.optlen = IP_MSFILTER_SIZE(0),
		},
	};
	struct uring_query *answers = NULL;
	struct tevent_req *req = NULL;
	socklen_t len = 64;
	size_t i;

	for (i = 0; i < 64; i++) {
		insns[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, i);
	}
	CHECK(uring_socket_init(socket(AF_INET, SOCK_DGRAM, 0), &sock) == 0);
	CHECK(setsockopt(sock.fd,
			 SOL_SOCKET,
			 SO_ATTACH_FILTER,
			 &prog,
			 sizeof(prog)) == 0);
	for (i = 0; i < 4; i++) {
		CHECK(setsockopt(sock.fd,
				 IPPROTO_IP,
				 IP_ADD_SOURCE_MEMBERSHIP,
				 &source,
				 sizeof(source)) == 0);
		source.imr_sourceaddr.s_addr += htonl(1);
	}
	for (i = 0; i < 2; i++) {
		sources[i].filter.imsf_multiaddr = source.imr_multiaddr;
		sources[i].filter.imsf_interface = source.imr_interface;
		sources[i].filter.imsf_numsrc = 4;
	}
	CHECK(getsockopt(sock.fd, SOL_SOCKET, SO_GET_FILTER, expected, &len) ==
	      0);
	CHECK(len == 64);
	len = IP_MSFILTER_SIZE(0);
	CHECK(getsockopt(sock.fd, IPPROTO_IP, IP_MSFILTER, &sources[1], &len) ==
	      0);
	CHECK(len == IP_MSFILTER_SIZE(4));

	uring_set_mode(URING_MODE_RING);
	req = uring_query_batch_send(ev, ev, &sock, queries, 2, URING_PROMPT);
	CHECK(tevent_req_poll(req, ev));
	CHECK(uring_query_batch_recv(req, ev, &answers) == 0);
	for (i = 0; i < 2; i++) {
		CHECK(answers[i].error == EINVAL);
		CHECK(answers[i].reason == URING_REASON_SHAPE);
	}

	memset(insns, 0, sizeof(insns));
	uring_query_batch(&sock, queries, 2);
	for (i = 0; i < 2; i++) {
		CHECK(queries[i].error == 0);
		CHECK(queries[i].reason == URING_REASON_SHAPE);
	}
	CHECK(queries[0].optlen == 64);
	CHECK(memcmp(insns, expected, sizeof(insns)) == 0);
	CHECK(queries[1].optlen == len);
	CHECK(memcmp(&sources[0], &sources[1], sizeof(sources[0])) == 0);
}

int main(void)
{
#define SOCKOPT_TEST(_fn)                                                \
	{                                                                \
#_fn, in_own_process, NULL, NULL, (void *)(uintptr_t)_fn \
	}
#define ANSWER_TEST(_fn)                                               \
	{                                                              \
#_fn, with_answers, NULL, NULL, (void *)(uintptr_t)_fn \
	}
	const struct CMUnitTest tests[] = {
		ANSWER_TEST(break_even),
		ANSWER_TEST(one_enter_a_turn),
		ANSWER_TEST(prepare),
		ANSWER_TEST(loop_wait),
		ANSWER_TEST(other_backend),
		ANSWER_TEST(freed_and_cancelled),
		ANSWER_TEST(asked_again),
		SOCKOPT_TEST(cancelled_error),
		ANSWER_TEST(timed_out),
		SOCKOPT_TEST(context_freed),
		SOCKOPT_TEST(ride),
		SOCKOPT_TEST(ride_and_time_out),
		SOCKOPT_TEST(stale_event),
		ANSWER_TEST(ride_and_signal),
		SOCKOPT_TEST(ring_dies_riding),
		ANSWER_TEST(other_epoll),
		ANSWER_TEST(descriptor_closed),
		ANSWER_TEST(nested),
		ANSWER_TEST(ring_dies),
		SOCKOPT_TEST(ring_dies_in_loop),
		SOCKOPT_TEST(no_ring),
		ANSWER_TEST(forked),
		ANSWER_TEST(impersonating),
		SOCKOPT_TEST(many_contexts),
		ANSWER_TEST(threads),
		SOCKOPT_TEST(fork_beside_threads),
		ANSWER_TEST(like_getsockopt),
		SOCKOPT_TEST(asked_once),
		SOCKOPT_TEST(one_query),
		SOCKOPT_TEST(in_and_out),
		SOCKOPT_TEST(past_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
