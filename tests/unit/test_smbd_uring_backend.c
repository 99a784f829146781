/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: the backend keeps epoll's contract, with queries in flight, with
 * a wait armed in the ring, and with failures at the liburing boundary.
 *
 * Every test also runs on tevent's epoll backend, which defines the contract.
 * The tests do not repeat smbtorture's local.event.
 */

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <liburing.h>
#include <cmocka.h>

#include "smbd_uring_backend.h"
#include "uring_sockopt.h"
#include "util/macros.h"
#include "kernel.h"
#include "own_process.h"
#include "wrapped.h"

/* tevent.h declares it if TEVENT_DEPRECATED is defined, as in smbd */
void tevent_loop_allow_nesting(struct tevent_context *ev);

#define MAX_QUERIES 64

/*
 * The liburing boundary: call number nth of one function fails.  A permanent
 * fault also makes all later calls fail.  done: the kernel does the work, and
 * the call still reports an error.
 */
enum boundary {
	QUEUE_INIT,
	REGISTER_RING_FD,
	DONTFORK,
	REGISTER,
	SUBMIT,
	SUBMIT_AND_WAIT,
	GET_EVENTS,
	NUM_BOUNDARIES,
};

static struct {
	enum boundary boundary;
	unsigned nth;
	int error;
	bool for_good;
	bool done;
	atomic_uint calls[NUM_BOUNDARIES];
	unsigned faults;
	/* the most completions that the queue holds without overflow */
	unsigned cq_entries;
} fault;

/* include/uapi/linux/io_uring.h, Linux 6.15 */
#define FEAT_NO_IOWAIT (1U << 17)
#define ENTER_NO_IOWAIT (1U << 7)

/* of the last ring */
static unsigned features;

static int fault_here(enum boundary boundary)
{
	unsigned call = ++fault.calls[boundary];

	if (fault.error == 0 || boundary != fault.boundary ||
	    call < fault.nth || (call > fault.nth && !fault.for_good))
	{
		return 0;
	}
	fault.faults++;
	return fault.error;
}

#define WRAP(_boundary, _name, _params, _args)               \
	int __wrap_##_name _params                           \
	{                                                    \
		int error = fault_here(_boundary);           \
		int ret;                                     \
                                                             \
		if (error != 0 && !fault.done) {             \
			return error;                        \
		}                                            \
		ret = __real_##_name _args;                  \
		return error != 0 && ret >= 0 ? error : ret; \
	}

WRAP(REGISTER_RING_FD,
     io_uring_register_ring_fd,
     (struct io_uring * ring),
     (ring))
WRAP(DONTFORK, io_uring_ring_dontfork, (struct io_uring * ring), (ring))
WRAP(REGISTER,
     io_uring_register,
     (unsigned fd, unsigned opcode, const void *arg, unsigned nr_args),
     (fd, opcode, arg, nr_args))
WRAP(SUBMIT, io_uring_submit, (struct io_uring * ring), (ring))
WRAP(GET_EVENTS, io_uring_get_events, (struct io_uring * ring), (ring))


int __wrap_io_uring_queue_init_params(unsigned entries,
				      struct io_uring *ring,
				      struct io_uring_params *p)
{
	/* a call that did its work would leave an unknown ring behind */
	int error = fault_here(QUEUE_INIT);

	if (error != 0) {
		return error;
	}
	if (fault.cq_entries != 0) {
		p->flags |= IORING_SETUP_CQSIZE;
		p->cq_entries = fault.cq_entries;
	}
	error = __real_io_uring_queue_init_params(entries, ring, p);
	/* rings of several threads write it */
	__atomic_store_n(&features, p->features, __ATOMIC_RELAXED);
	return error;
}


int __wrap_io_uring_enter2(unsigned fd,
			   unsigned to_submit,
			   unsigned min_complete,
			   unsigned flags,
			   sigset_t *arg,
			   size_t size)
{
	int error = fault_here(SUBMIT_AND_WAIT);
	int ret;

	/* a wait does not count as iowait, if the kernel has the flag */
	CHECK(!(__atomic_load_n(&features, __ATOMIC_RELAXED) &
		FEAT_NO_IOWAIT) ||
	      (flags & ENTER_NO_IOWAIT));
	if (error != 0 && !fault.done) {
		return error;
	}
	ret = __real_io_uring_enter2(
		fd, to_submit, min_complete, flags, arg, size);
	return error != 0 && ret >= 0 ? error : ret;
}

static const char *backend;
static struct tevent_context *ev;
static struct uring_socket sock;
static char logged[512];
static unsigned num_logged;

static void log_fn(const char *line)
{
	num_logged++;
	snprintf(logged, sizeof(logged), "%s", line);
}

static bool ours(void)
{
	return strcmp(backend, SMBD_URING_BACKEND_NAME) == 0;
}

/* IORING_OP_EPOLL_WAIT, Linux 6.15 */
static bool has_epoll_wait;

/*
 * To be called before the tests: some time after a ring was closed, the kernel
 * interrupts its creator (io_ring_exit_work() in io_uring/io_uring.c, 6.12 and
 * 7.2).  A recv() with a time limit then ends with EINTR.
 */
static void look_for_epoll_wait(void)
{
	struct io_uring_probe *probe = io_uring_get_probe();

	has_epoll_wait = probe != NULL && io_uring_opcode_supported(probe, 59);
	io_uring_free_probe(probe);
}

/* Whether lazy queries piggyback on the wait here. */
static bool rides(void)
{
	return ours() && has_epoll_wait;
}

static struct tevent_context *new_context(void)
{
	struct tevent_context *context = tevent_context_init_byname(NULL,
								    backend);

	CHECK(context != NULL);
	return context;
}

static void loop_once(void)
{
	CHECK(tevent_loop_once(ev) == 0);
}

/* An event that counts its calls: a byte to read, and a counter. */
struct source {
	int fds[2];
	struct tevent_fd *fde;
	unsigned events;
	void (*then)(struct source *source);
};

static void source_handler(struct tevent_context *context,
			   struct tevent_fd *fde,
			   uint16_t flags,
			   void *private_data)
{
	struct source *source = private_data;
	char c;

	CHECK(flags == TEVENT_FD_READ);
	CHECK(read(source->fds[0], &c, 1) == 1);
	source->events++;
	if (source->then != NULL) {
		source->then(source);
	}
}

static void source_watch(struct source *source, struct tevent_context *context)
{
	source->fde = tevent_add_fd(context,
				    context,
				    source->fds[0],
				    TEVENT_FD_READ,
				    source_handler,
				    source);
	CHECK(source->fde != NULL);
}

static void source_init(struct source *source)
{
	*source = (struct source){};
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, source->fds) == 0);
	source_watch(source, ev);
}

static void source_fire(struct source *source)
{
	CHECK(write(source->fds[1], "", 1) == 1);
}

static void source_close(struct source *source)
{
	TALLOC_FREE(source->fde);
	close(source->fds[0]);
	close(source->fds[1]);
}

static atomic_uint num_answers;

static void answered(struct uring_batch *batch,
		     const struct uring_query *queries,
		     void *private_data)
{
	size_t n = (size_t)(uintptr_t)private_data;
	size_t i;

	for (i = 0; i < n; i++) {
		CHECK(queries[i].error == 0);
		CHECK(queries[i].optlen == sizeof(int));
		CHECK(*(int *)queries[i].optval == SOCK_STREAM);
	}
	num_answers++;
}

static struct uring_batch *new_batch(struct tevent_context *context,
				     size_t n,
				     uring_batch_handler_t handler,
				     void *private_data)
{
	struct uring_query queries[MAX_QUERIES];
	struct uring_batch *batch = NULL;
	int value = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		queries[i] = (struct uring_query){
			.level = SOL_SOCKET,
			.optname = SO_TYPE,
			.optval = &value,
			.optlen = sizeof(value),
		};
	}
	batch = uring_batch_create(
		context, context, &sock, queries, n, handler, private_data);
	CHECK(batch != NULL);
	return batch;
}

static struct uring_batch *ask_batch(size_t n, enum uring_urgency urgency)
{
	struct uring_batch *batch = new_batch(ev,
					      n,
					      answered,
					      (void *)(uintptr_t)n);

	CHECK(uring_batch_ask(batch, urgency) == 0);
	return batch;
}

static void ask(size_t n, enum uring_urgency urgency)
{
	(void)ask_batch(n, urgency);
}

static unsigned num_timers;
static unsigned added_timers;

static void timer_handler(struct tevent_context *context,
			  struct tevent_timer *te,
			  struct timeval now,
			  void *private_data)
{
	num_timers++;
}

static void add_timer(unsigned ms)
{
	CHECK(tevent_add_timer(ev,
			       ev,
			       tevent_timeval_current_ofs(0, ms * 1000),
			       timer_handler,
			       NULL) != NULL);
	added_timers++;
}

/* An iteration that a timer ends at the latest; lazy queries wait for it. */
static void loop_for_a_while(void)
{
	add_timer(2);
	loop_once();
}

/* Queries piggybacked on a wait that ended without an event: it stays armed. */
static void arm(void)
{
	struct uring_counters counters;
	unsigned answers = num_answers;

	ask(2, URING_LAZY);
	while (num_answers == answers) {
		/* a timer that expires before the wait does not test it */
		loop_for_a_while();
	}
	while (num_timers < added_timers) {
		loop_once();
	}
	uring_counters_get(&counters, sizeof(counters));
	CHECK(counters.enters > 0 || fault.error != 0 || !rides());
}

static void tcp_pair(int fds[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listener, (struct sockaddr *)&addr, len) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&addr, &len) == 0);
	CHECK(connect(fds[1], (struct sockaddr *)&addr, len) == 0);
	fds[0] = accept(listener, NULL, NULL);
	CHECK(fds[0] != -1);
	close(listener);
}

static void watch_tcp(struct source *source)
{
	*source = (struct source){};
	tcp_pair(source->fds);
	source_watch(source, ev);
}

static void expect_fin(int peer)
{
	char c;

	CHECK(recv(peer, &c, 1, 0) == 0);
}

/* The peer sees the end as soon as a watched descriptor is closed. */
static void fin_at_close(void)
{
	struct source source;
	int i;

	for (i = 0; i < 3; i++) {
		watch_tcp(&source);
		arm();
		source_fire(&source);
		ask(2, URING_LAZY);
		while (source.events == 0) {
			loop_once();
		}
		arm();
		switch (i) {
		case 0:
			TALLOC_FREE(source.fde);
			close(source.fds[0]);
			break;
		case 1:
			/* without telling tevent */
			close(source.fds[0]);
			break;
		case 2:
			tevent_fd_set_auto_close(source.fde);
			TALLOC_FREE(source.fde);
			break;
		}
		expect_fin(source.fds[1]);
		TALLOC_FREE(source.fde);
		close(source.fds[1]);
	}
}

/* Only a duplicate in another process keeps the connection open. */
static void fin_at_close_of_dup(void)
{
	struct source source;
	int status = -1;
	int gate[2];
	char c;
	pid_t pid;

	watch_tcp(&source);
	arm();
	CHECK(pipe(gate) == 0);
	pid = fork_for_a_while();
	if (pid == 0) {
		close(gate[1]);
		_exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
	}
	TALLOC_FREE(source.fde);
	close(source.fds[0]);
	arm();
	CHECK(recv(source.fds[1], &c, 1, MSG_DONTWAIT) == -1);
	CHECK(errno == EAGAIN);
	close(gate[1]);
	expect_fin(source.fds[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* A new socket reuses a descriptor's number at once, and gets the events. */
static void number_used_again(void)
{
	struct source old;
	struct source new;
	unsigned answers;
	int i;

	for (i = 0; i < 100; i++) {
		source_init(&old);
		if (i % 3 == 0) {
			arm();
		}
		source_fire(&old);
		answers = num_answers;
		if (i % 2 == 0) {
			/* enters, and reaps the event of an armed wait */
			ask(10, URING_PROMPT);
			add_timer(0);
			loop_once();
		}
		old.events = 0;
		TALLOC_FREE(old.fde);

		new = (struct source){};
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, new.fds) == 0);
		CHECK(dup2(new.fds[0], old.fds[0]) == old.fds[0]);
		close(new.fds[0]);
		new.fds[0] = old.fds[0];
		source_watch(&new, ev);
		ask(2, URING_LAZY);
		source_fire(&new);
		while (new.events == 0 ||
		       num_answers < answers + (i % 2 == 0) + 1) {
			loop_once();
		}
		CHECK(new.events == 1 && old.events == 0);
		close(old.fds[1]);
		source_close(&new);
	}
}

/* Two contexts watch a descriptor, and one of them never loops. */
static void other_context(void)
{
	struct tevent_context *other = new_context();
	struct source source;
	struct source idle;
	int i;

	watch_tcp(&source);
	idle = source;
	source_watch(&idle, other);
	for (i = 0; i < 10; i++) {
		arm();
		source_fire(&source);
		ask(2, URING_LAZY);
		while (source.events <= (unsigned)i) {
			loop_once();
		}
	}
	CHECK(source.events == 10 && idle.events == 0);
	TALLOC_FREE(source.fde);
	close(source.fds[0]);
	expect_fin(source.fds[1]);
	talloc_free(other);
	CHECK(idle.events == 0);
}

static unsigned sum_of_events(const struct source *sources, size_t n)
{
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		sum += sources[i].events;
	}
	return sum;
}

/* Level triggering, and one handler for each iteration, in rotation. */
static void rotation(void)
{
	struct source sources[10];
	unsigned handled = 0;
	unsigned asked = 0;
	unsigned turn;
	size_t i;

	for (i = 0; i < 10; i++) {
		source_init(&sources[i]);
		/* read all bytes, one in each iteration */
		for (turn = 0; turn < 20; turn++) {
			source_fire(&sources[i]);
		}
	}
	for (turn = 1; turn <= 20; turn++) {
		while (handled < 10 * turn) {
			unsigned before = handled;

			/* an answer also takes an iteration */
			if (turn % 2 == 0 && asked < handled) {
				ask(2, URING_LAZY);
				asked = handled;
			}
			loop_once();
			handled = sum_of_events(sources, 10);
			CHECK(handled <= before + 1);
		}
		for (i = 0; i < 10; i++) {
			CHECK(sources[i].events == turn);
		}
	}
}

/*
 * One object of each kind that has a handler; the handler of one frees another.
 */
enum thing {
	THING_FDE,
	THING_OTHER_FDE,
	THING_TIMER,
	THING_IMMEDIATE,
	THING_SIGNAL,
	THING_LAZY,
	THING_PROMPT,
	THING_CONTEXT,
	NUM_THINGS,
};

static struct {
	enum thing killer;
	enum thing victim;
	void *things[NUM_THINGS];
	struct source source;
	struct source other;
	struct source elsewhere;
	struct tevent_context *context;
	bool killed;
	unsigned happened[NUM_THINGS];
} all;

static void happens(enum thing thing)
{
	CHECK(!(all.killed && thing == all.victim));
	all.happened[thing]++;
	if (thing == all.killer && !all.killed) {
		all.killed = true;
		TALLOC_FREE(all.things[all.victim]);
	}
}

static void fde_happens(struct source *source)
{
	happens(source == &all.source ? THING_FDE : THING_OTHER_FDE);
}

static void timer_happens(struct tevent_context *context,
			  struct tevent_timer *te,
			  struct timeval now,
			  void *private_data)
{
	all.things[THING_TIMER] = NULL; /* tevent frees it */
	happens(THING_TIMER);
}

static void immediate_happens(struct tevent_context *context,
			      struct tevent_immediate *im,
			      void *private_data)
{
	happens(THING_IMMEDIATE);
}

static void signal_happens(struct tevent_context *context,
			   struct tevent_signal *se,
			   int signum,
			   int count,
			   void *siginfo,
			   void *private_data)
{
	happens(THING_SIGNAL);
}

static void batch_happens(struct uring_batch *batch,
			  const struct uring_query *queries,
			  void *private_data)
{
	happens((enum thing)(uintptr_t)private_data);
}

/* Its context does not loop after the first iteration, so it never fires. */
static void elsewhere_happens(struct source *source)
{
	CHECK(false);
}

static struct uring_batch *batch_for(struct tevent_context *context,
				     enum thing thing,
				     enum uring_urgency urgency)
{
	struct uring_batch *batch = new_batch(context,
					      8,
					      batch_happens,
					      (void *)(uintptr_t)thing);

	CHECK(uring_batch_ask(batch, urgency) == 0);
	return batch;
}

static void set_up_everything(void)
{
	source_init(&all.source);
	source_init(&all.other);
	all.source.then = fde_happens;
	all.other.then = fde_happens;
	all.things[THING_FDE] = all.source.fde;
	all.things[THING_OTHER_FDE] = all.other.fde;
	all.things[THING_TIMER] = tevent_add_timer(
		ev, ev, tevent_timeval_current(), timer_happens, NULL);
	all.things[THING_IMMEDIATE] = tevent_create_immediate(ev);
	tevent_schedule_immediate(all.things[THING_IMMEDIATE],
				  ev,
				  immediate_happens,
				  NULL);
	all.things[THING_SIGNAL] = tevent_add_signal(
		ev, ev, SIGUSR1, 0, signal_happens, NULL);
	all.things[THING_LAZY] = batch_for(ev, THING_LAZY, URING_LAZY);
	all.things[THING_PROMPT] = batch_for(ev, THING_PROMPT, URING_PROMPT);

	all.context = new_context();
	all.things[THING_CONTEXT] = all.context;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, all.elsewhere.fds) == 0);
	source_watch(&all.elsewhere, all.context);
	(void)batch_for(all.context, THING_CONTEXT, URING_LAZY);
	all.elsewhere.then = elsewhere_happens;

	source_fire(&all.source);
	source_fire(&all.other);
	source_fire(&all.elsewhere);
	CHECK(raise(SIGUSR1) == 0);
}

static bool everything_happened(void)
{
	enum thing thing;

	for (thing = 0; thing < THING_CONTEXT; thing++) {
		if (all.happened[thing] == 0 && thing != all.victim) {
			return false;
		}
	}
	return all.killed;
}

static void freed_in_handler(void)
{
	unsigned killer = all.killer;
	unsigned victim = all.victim;

	memset(&all, 0, sizeof(all));
	all.killer = killer;
	all.victim = victim;
	arm();
	set_up_everything();
	while (!everything_happened()) {
		loop_once();
	}
	/* no event comes later */
	add_timer(5);
	while (num_timers < added_timers) {
		loop_once();
	}
	TALLOC_FREE(all.things[THING_CONTEXT]);
}

static void (*matrix_fn)(void);
static int matrix_process(void)
{
	int status = -1;
	pid_t pid = fork_for_a_while();

	if (pid == 0) {
		TALLOC_FREE(ev);
		ev = new_context();
		matrix_fn();
		talloc_free(ev);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void freed_in_handlers(void)
{
	matrix_fn = freed_in_handler;
	for (all.killer = 0; all.killer < THING_CONTEXT; all.killer++) {
		for (all.victim = 0; all.victim < NUM_THINGS; all.victim++) {
			int status = matrix_process();

			if (status != 0) {
				fprintf(stderr,
					"the handler of %d frees %d\n",
					all.killer,
					all.victim);
			}
			CHECK(status == 0);
		}
	}
}

/* A handler runs a loop of its own, on this context and on another. */
static struct source inner;

static void nest(struct source *source)
{
	struct tevent_context *outer = ev;
	unsigned events = inner.events;
	unsigned answers = num_answers;

	source_fire(&inner);
	ask(2, URING_LAZY);
	while (inner.events == events || num_answers == answers) {
		loop_for_a_while();
	}

	ev = new_context();
	answers = num_answers;
	ask(10, URING_LAZY);
	ask(10, URING_PROMPT);
	while (num_answers < answers + 2) {
		loop_for_a_while();
	}
	TALLOC_FREE(ev);
	ev = outer;
}

static void nested(void)
{
	struct source source;
	unsigned i;

	tevent_loop_allow_nesting(ev);
	source_init(&source);
	source_init(&inner);
	source.then = nest;
	for (i = 1; i <= 20; i++) {
		source_fire(&source);
		ask(2, URING_LAZY);
		while (source.events < i) {
			loop_for_a_while();
		}
	}
	while (num_answers < 20 * 4) {
		loop_for_a_while();
	}
	CHECK(source.events == 20 && inner.events == 20);
}

static unsigned num_signals;

static void signal_handler(struct tevent_context *context,
			   struct tevent_signal *se,
			   int signum,
			   int count,
			   void *siginfo,
			   void *private_data)
{
	num_signals += count;
}

static void raise_here(struct source *source)
{
	CHECK(raise(SIGUSR1) == 0);
}

/* The iteration after a signal delivers it, and no signal is lost. */
static void signals_in_order(void)
{
	struct source source;
	unsigned i;

	CHECK(tevent_add_signal(ev, ev, SIGUSR1, 0, signal_handler, NULL) !=
	      NULL);
	source_init(&source);
	source.then = raise_here;
	for (i = 1; i <= 10000; i++) {
		source_fire(&source);
		if (i % 8 == 0) {
			ask(2, URING_LAZY);
		}
		while (source.events < i) {
			loop_once();
		}
		loop_once();
		CHECK(num_signals == i);
	}
	while (num_answers < 10000 / 8) {
		ask(1, URING_PROMPT);
		loop_once();
	}
}

/* Signals come from another process, in any state of the loop. */
static void signals_under_load(void)
{
	const unsigned count = 10000;
	struct source source;
	int status = -1;
	pid_t parent = getpid();
	unsigned fired = 0;
	unsigned i;
	pid_t pid;

#ifdef __SANITIZE_THREAD__
	skip_test("ThreadSanitizer keeps one pending signal of each number");
#endif
	CHECK(tevent_add_signal(ev, ev, SIGRTMIN, 0, signal_handler, NULL) !=
	      NULL);
	source_init(&source);
	pid = fork_for_a_while();
	if (pid == 0) {
		for (i = 0; i < count; i++) {
			/* EAGAIN: the queue of signals is full */
			while (sigqueue(parent, SIGRTMIN, (union sigval){}) !=
			       0) {
				CHECK(errno == EAGAIN);
				usleep(1000);
			}
		}
		_exit(0);
	}
	for (i = 0; num_signals < count; i++) {
		ask(2, i % 4 == 0 ? URING_PROMPT : URING_LAZY);
		if (i % 2 == 0 && source.events == fired) {
			source_fire(&source);
			fired++;
		}
		loop_once();
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(num_signals == count);
	while (source.events < fired) {
		loop_once();
	}
}

/* The loop watches the ring of another module, as with vfs_io_uring. */
static struct io_uring second;
static unsigned num_completions;

static void second_handler(struct tevent_context *context,
			   struct tevent_fd *fde,
			   uint16_t flags,
			   void *private_data)
{
	struct io_uring_cqe *cqe = NULL;

	while (io_uring_peek_cqe(&second, &cqe) == 0) {
		CHECK(cqe->res == 1);
		io_uring_cqe_seen(&second, cqe);
		num_completions++;
	}
}

static void ring_of_somebody_else(void)
{
	unsigned i;
	int fds[2];
	char c;

	CHECK(pipe(fds) == 0);
	CHECK(__real_io_uring_queue_init_params(
		      8, &second, &(struct io_uring_params){}) == 0);
	CHECK(tevent_add_fd(ev,
			    ev,
			    second.ring_fd,
			    TEVENT_FD_READ,
			    second_handler,
			    NULL) != NULL);
	for (i = 1; i <= 200; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&second);

		io_uring_prep_read(sqe, fds[0], &c, 1, 0);
		if (i % 2 == 0) {
			io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
		}
		CHECK(__real_io_uring_submit(&second) == 1);
		if (i % 3 == 0) {
			arm();
		}
		CHECK(write(fds[1], "", 1) == 1);
		if (i % 4 != 0) {
			ask(2, URING_LAZY);
		}
		while (num_completions < i) {
			loop_once();
		}
		CHECK(num_completions == i);
	}
	io_uring_queue_exit(&second);
}

/* Both processes go on after a fork(), in any state before it. */
static void go_on(void)
{
	struct source source;
	unsigned i;

	source_init(&source);
	num_answers = 0;
	for (i = 1; i <= 20; i++) {
		source_fire(&source);
		ask(2, URING_LAZY);
		ask(10, URING_PROMPT);
		while (source.events < i || num_answers < 2 * i) {
			loop_for_a_while();
		}
	}
	source_close(&source);
}

static void forked(void)
{
	unsigned state;

	if (getenv("UNDER_VALGRIND") != NULL) {
		/* syswrap-generic.c: an assertion about mappings */
		skip_test("valgrind does not know MADV_DONTFORK");
	}
	for (state = 0; state < 5; state++) {
		int status = -1;
		unsigned expected = 1;
		pid_t pid;

		num_answers = 0;
		switch (state) {
		case 0:
			ask(10, URING_PROMPT);
			break;
		case 1:
			ask(2, URING_LAZY);
			break;
		case 2:
			arm();
			num_answers = 0;
			ask(2, URING_LAZY);
			break;
		case 3:
			/* both are answered, and one is delivered */
			ask(10, URING_PROMPT);
			ask(10, URING_PROMPT);
			while (num_answers == 0) {
				loop_once();
			}
			CHECK(num_answers == 1 || !ours());
			expected = 2;
			break;
		case 4:
			expected = 0;
			break;
		}
		pid = fork_for_a_while();
		if (pid == 0) {
			CHECK(tevent_re_initialise(ev) == 0);
			if (!ours()) {
				/* tevent has dropped the immediate events */
				expected = num_answers;
			}
		}
		while (num_answers < expected) {
			loop_for_a_while();
		}
		CHECK(num_answers == expected);
		go_on();
		if (pid == 0) {
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK(num_logged == 0);
	}
}

/* The armed wait is for an epoll set that the context leaves. */
static void reinitialised(void)
{
	struct source source;
	unsigned turns;
	int i;

	for (i = 0; i < 3; i++) {
		arm();
		CHECK(tevent_re_initialise(ev) == 0);
		source_init(&source);
		ask(2, URING_LAZY);
		source_fire(&source);
		for (turns = 0; source.events == 0; turns++) {
			/* the answer is the only other event */
			CHECK(turns < 2);
			loop_once();
		}
		source_close(&source);
		go_on();
	}
}

/* The child uses the context without tevent_re_initialise(). */
static void forked_and_reopened(void)
{
	int status = -1;
	pid_t pid;

	if (getenv("UNDER_VALGRIND") != NULL) {
		skip_test("valgrind does not know MADV_DONTFORK");
	}
	arm();
	pid = fork_for_a_while();
	if (pid == 0) {
		go_on();
		_exit(0);
	}
	go_on();
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* More completions than the queue holds: a full batch, and a wait. */
static void completion_queue_overflow(void)
{
	struct source source;
	struct uring_counters counters;
	unsigned i;

	fault.cq_entries = MAX_QUERIES;
	source_init(&source);
	for (i = 1; i <= 10; i++) {
		ask(MAX_QUERIES - 1, URING_LAZY);
		ask(MAX_QUERIES - 1, URING_LAZY);
		source_fire(&source);
		while (num_answers < 2 * i || source.events < i) {
			loop_once();
		}
		CHECK(source.events == i);
	}
	uring_counters_get(&counters, sizeof(counters));
	CHECK(num_logged == 0);
	CHECK(counters.rings_failed == 0);
	CHECK(counters.syscall == 0 || !ours() ||
	      !kernel_has_ring_getsockopt());
}

/* Timers fire in order, not early, and the loop does not spin. */
static struct timeval due[20];
static unsigned next_due;

static void due_handler(struct tevent_context *context,
			struct tevent_timer *te,
			struct timeval now,
			void *private_data)
{
	struct timeval *mine = private_data;
	struct timeval current = tevent_timeval_current();

	CHECK(mine == &due[next_due]);
	CHECK(tevent_timeval_compare(&current, mine) >= 0);
	next_due++;
}

static void timers(void)
{
	struct timeval now = tevent_timeval_current();
	unsigned turns = 0;
	int i;

	/* the last first */
	for (i = 19; i >= 0; i--) {
		due[i] = tevent_timeval_add(&now, 0, (i + 1) * 7000);
		CHECK(tevent_add_timer(ev, ev, due[i], due_handler, &due[i]) !=
		      NULL);
	}
	while (next_due < 20) {
		if (turns % 2 == 0) {
			/* not each time, because answers precede timers */
			ask(3, turns % 5 == 0 ? URING_PROMPT : URING_LAZY);
		}
		loop_once();
		turns++;
	}
	/*
	 * An iteration for each timer, for each answer, and for a wait that
	 * ended a millisecond early.
	 */
	CHECK(turns <= 4 * 20 + num_answers);
}

/* A loop that never waits also answers lazy queries. */
static void no_wait(void)
{
	void (*set_wait_timeout)(struct tevent_context *, uint32_t) = dlsym(
		RTLD_DEFAULT, "tevent_context_set_wait_timeout");
	unsigned turns = 0;

	if (set_wait_timeout == NULL) {
		skip_test("this tevent has no wait time-out (0.17)");
	}
	set_wait_timeout(ev, 0);
	ask(3, URING_LAZY);
	while (num_answers == 0) {
		int ret = tevent_loop_once(ev);

		CHECK(ret == 0 || errno == EAGAIN);
		CHECK(turns++ < 10);
	}
}

static void *loop_in_thread(void *private_data)
{
	struct tevent_context *context = new_context();
	struct uring_batch *batch = new_batch(context,
					      8,
					      answered,
					      (void *)(uintptr_t)8);
	int *failed = private_data;
	unsigned i;

	for (i = 0; i < 200; i++) {
		struct tevent_req *req = NULL;
		struct timeval soon = tevent_timeval_current();

		if (uring_batch_ask(batch, i % 2 ? URING_LAZY : URING_PROMPT) !=
		    0) {
			(*failed)++;
		}
		req = tevent_wakeup_send(context, context, soon);
		if (!tevent_req_poll(req, context) || !tevent_wakeup_recv(req))
		{
			(*failed)++;
		}
		talloc_free(req);
		(void)uring_batch_cancel(batch);
	}
	talloc_free(context);
	return NULL;
}

/* Contexts of several threads are independent. */
static void threads(void)
{
	pthread_t t[4];
	int failed[4] = {};
	int i;

	for (i = 0; i < 4; i++) {
		CHECK(pthread_create(&t[i], NULL, loop_in_thread, &failed[i]) ==
		      0);
	}
	for (i = 0; i < 4; i++) {
		CHECK(pthread_join(t[i], NULL) == 0);
		CHECK(failed[i] == 0);
	}
}

/* All kinds of events at once: a failure may lose none. */
static void mid_flight(void)
{
	struct source source;
	struct source other;
	unsigned answers = 0;
	unsigned i;

	source_init(&source);
	source_init(&other);
	CHECK(tevent_add_signal(ev, ev, SIGUSR1, 0, signal_handler, NULL) !=
	      NULL);
	for (i = 1; i <= 10; i++) {
		if (i % 2 == 0) {
			arm();
			answers++;
		}
		ask(3, URING_LAZY);
		source_fire(&source);
		add_timer(i % 3);
		loop_once();
		ask(10, URING_PROMPT);
		answers += 2;
		source_fire(&other);
		CHECK(raise(SIGUSR1) == 0);
		while (source.events < i || other.events < i ||
		       num_signals < i || num_answers < answers)
		{
			loop_for_a_while();
		}
		while (num_timers < added_timers) {
			loop_once();
		}
		CHECK(source.events == i && other.events == i);
		CHECK(num_timers == added_timers && num_signals == i);
		CHECK(num_answers == answers);
	}
	source_close(&source);
	source_close(&other);
}

static void fail_mid_flight(void)
{
	struct uring_counters counters;

	mid_flight();
	uring_counters_get(&counters, sizeof(counters));
	CHECK(num_logged == (counters.rings_failed > 0));
	CHECK(counters.rings_failed <= 1);
	/* the ring is dead, unless the error may be temporary */
	CHECK(fault.faults == 0 || counters.rings_failed == 1 ||
	      !fault.for_good || fault.done || fault.error == -EAGAIN ||
	      fault.boundary == REGISTER_RING_FD);
}

#define MAX_VARIANTS 8

/* The fault of a variant of an error: at once or later, once or permanent. */
static void set_fault(int error, unsigned variant)
{
	fault.error = -error;
	fault.for_good = variant & 1;
	fault.done = variant & 2;
	fault.nth = 1 + 3 * (variant / 4);
}

static pid_t start_faulty(int report)
{
	pid_t pid = fork_for_a_while();

	if (pid == 0) {
		TALLOC_FREE(ev);
		ev = new_context();
		fail_mid_flight();
		CHECK(write(report, &fault.faults, sizeof(fault.faults)) ==
		      sizeof(fault.faults));
		_exit(0);
	}
	return pid;
}

/*
 * Run all variants of an error, each in a process.  They mostly wait for
 * timers, so they run in parallel.  Returns the number of faults.
 */
static unsigned all_variants(int error, unsigned num_variants)
{
	pid_t pids[MAX_VARIANTS] = {};
	unsigned faults = 0;
	unsigned variant;
	int report[2];

	CHECK(pipe(report) == 0);
	for (variant = 0; variant < num_variants; variant++) {
		set_fault(error, variant);
		/* a signal is no state */
		if (!fault.for_good || error != EINTR) {
			pids[variant] = start_faulty(report[1]);
		}
	}
	for (variant = 0; variant < num_variants; variant++) {
		int status = -1;
		unsigned times;

		if (pids[variant] == 0) {
			continue;
		}
		set_fault(error, variant);
		CHECK(waitpid(pids[variant], &status, 0) == pids[variant]);
		if (status != 0) {
			fprintf(stderr,
				"boundary %d call %u fails with %s%s%s\n",
				fault.boundary,
				fault.nth,
				uring_errno_name(error),
				fault.for_good ? " for good" : "",
				fault.done ? " when done" : "");
		}
		CHECK(status == 0);
		CHECK(read(report[0], &times, sizeof(times)) == sizeof(times));
		faults += times;
	}
	close(report[0]);
	close(report[1]);
	return faults;
}

/* Each liburing call in turn fails: at once or later, once or permanently. */
static void faults(void)
{
	const int errors[] = {EBADF, EAGAIN, ENOMEM, EINVAL, EINTR};
	/* a process costs more there, and finds the same errors */
	bool few = getenv("UNDER_SANITIZER") != NULL ||
		   getenv("VM_KERNEL") != NULL;
	size_t num_errors = few ? 2 : ARRAY_SIZE(errors);
	unsigned num_variants = few ? 4 : MAX_VARIANTS;
	unsigned reached[NUM_BOUNDARIES] = {};
	size_t i;

	if (getenv("UNDER_VALGRIND") != NULL) {
		skip_test("some hundred processes; the sanitizers run them");
	}
	matrix_fn = fail_mid_flight;
	for (fault.boundary = 0; fault.boundary < NUM_BOUNDARIES;
	     fault.boundary++) {
		for (i = 0; i < num_errors; i++) {
			reached[fault.boundary] += all_variants(errors[i],
								num_variants);
		}
	}
	fault.error = 0;
	/* a fault that no call reached tested nothing */
	for (fault.boundary = 0; fault.boundary < NUM_BOUNDARIES;
	     fault.boundary++) {
		if (fault.boundary != GET_EVENTS &&
		    (fault.boundary != SUBMIT_AND_WAIT || rides()))
		{
			CHECK(reached[fault.boundary] > 0);
		}
	}
}

struct test {
	const char *name;
	void (*fn)(void);
	/* epoll does not have this */
	bool ours_only;
};

static const struct test tests[] = {
#define BACKEND_TEST(_fn)        \
	{                        \
#_fn, _fn, false \
	}
#define RING_TEST(_fn)          \
	{                       \
#_fn, _fn, true \
	}
	BACKEND_TEST(fin_at_close),
	BACKEND_TEST(fin_at_close_of_dup),
	BACKEND_TEST(number_used_again),
	BACKEND_TEST(other_context),
	BACKEND_TEST(rotation),
	BACKEND_TEST(freed_in_handlers),
	BACKEND_TEST(nested),
	BACKEND_TEST(signals_in_order),
	BACKEND_TEST(signals_under_load),
	BACKEND_TEST(ring_of_somebody_else),
	BACKEND_TEST(forked),
	BACKEND_TEST(reinitialised),
	BACKEND_TEST(forked_and_reopened),
	BACKEND_TEST(completion_queue_overflow),
	BACKEND_TEST(timers),
	RING_TEST(no_wait),
	BACKEND_TEST(threads),
	RING_TEST(faults),
};
#define NUM_TESTS ARRAY_SIZE(tests)

static const struct test *current;

static void with_context(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(uring_socket_init(fd, &sock) == 0);
	uring_set_log_fn(log_fn);
	CHECK(smbd_uring_backend_register());
	ev = new_context();
	current->fn();
	talloc_free(ev);
}

static void run(void **state)
{
	current = *state;
	assert_int_equal(own_process(with_context), 0);
}

static void on_epoll(void **state)
{
	backend = "epoll";
	run(state);
}

static void on_io_uring(void **state)
{
	backend = SMBD_URING_BACKEND_NAME;
	run(state);
}

int main(void)
{
	static struct CMUnitTest all_tests[2 * NUM_TESTS];
	static char names[2 * NUM_TESTS][64];
	size_t n = 0;
	size_t i;

	look_for_epoll_wait();
	for (i = 0; i < 2 * NUM_TESTS; i++) {
		const struct test *test = &tests[i / 2];
		bool epoll = i % 2 == 0;

		if (epoll && test->ours_only) {
			continue;
		}
		snprintf(names[n],
			 sizeof(names[n]),
			 "%s on %s",
			 test->name,
			 epoll ? "epoll" : SMBD_URING_BACKEND_NAME);
		all_tests[n] = (struct CMUnitTest){
			.name = names[n],
			.test_func = epoll ? on_epoll : on_io_uring,
			.initial_state = (void *)(uintptr_t)test,
		};
		n++;
	}
	return _cmocka_run_group_tests(
		"test_smbd_uring_backend", all_tests, n, NULL, NULL);
}
