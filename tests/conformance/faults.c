/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks queries while the kernel's allocations and copies fail.  Each answer
 * must be correct, or report missing memory or a bad address.
 *
 * usage: faults --ring sol_socket|inet|lts|all [--worker] [--only SUBSTRING]
 *
 * --ring, --worker and --only are as in differential.c.  The kernel must
 * support fault injection (failslab, fail_usercopy).
 *
 * One by one: /proc/thread-self/fail-nth makes the Nth place fail that can fail
 * in the next action of this task, and tells afterwards whether it failed.  The
 * test increments N from 1 until nothing fails, so each place of each query
 * fails once.  This does not reach other tasks (workers, the thread).
 *
 * At random: one in ten places fails, in batches, in all tasks of this process
 * that were created since it wrote to make-it-fail.
 *
 * After each fault the test asks the query without faults.  The ring must
 * answer as before, and the router must still use the ring.  The test counts
 * descriptors; kmemleak finds lost memory (tests/vm/leaks).
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "ask.h"
#include "cgroup_bpf.h"
#include "compare.h"
#include "sockets.h"
#include "tap.h"

#define DEBUGFS "/sys/kernel/debug/"
/* The number of places that can fail in a query: copies and allocations. */
#define MAX_NTH 200
#define MAX_REMARKS 8
/* Questions of a batch, and batches of an option. */
#define BATCH 8
#define ROUNDS 2
#define PROBABILITY "10"

static const char *only;
static bool worker;
/* a BPF program changes the values: no descriptor is valid */
static bool forged;
static const char *context;
static int fail_nth = -1;
#define NUM_PROBABILITIES 2
/* always open, because the test writes to them for each batch */
static int probabilities[NUM_PROBABILITIES];
static unsigned long injected[NUM_WAYS];
static unsigned long failed[NUM_WAYS];
static unsigned remarks;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static bool write_file(const char *path, const char *value)
{
	ssize_t ret = -1;
	int tries;

	/* this, too, may be what fails */
	for (tries = 0; ret == -1 && tries < 1000; tries++) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd != -1) {
			ret = write(fd, value, strlen(value));
			close(fd);
		}
	}
	return ret > 0;
}

/* The reason why the kernel cannot inject faults, or NULL. */
static const char *prepare(void)
{
	static const struct {
		const char *path;
		const char *value;
	} settings[] = {
		/* its output would look like a warning of the kernel */
		{DEBUGFS "failslab/verbose", "0"},
		{DEBUGFS "failslab/task-filter", "Y"},
		{DEBUGFS "failslab/times", "-1"},
		{DEBUGFS "failslab/ignore-gfp-wait", "N"},
		{DEBUGFS "fail_usercopy/verbose", "0"},
		{DEBUGFS "fail_usercopy/task-filter", "Y"},
		{DEBUGFS "fail_usercopy/times", "-1"},
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (!write_file(settings[i].path, settings[i].value)) {
			return "no failslab or no fail_usercopy";
		}
	}
	probabilities[0] =
		open(DEBUGFS "failslab/probability", O_WRONLY | O_CLOEXEC);
	probabilities[1] =
		open(DEBUGFS "fail_usercopy/probability", O_WRONLY | O_CLOEXEC);
	if (probabilities[0] == -1 || probabilities[1] == -1) {
		return strerror(errno);
	}
	return NULL;
}

static void inject_at_random(const char *probability)
{
	size_t length = strlen(probability);
	size_t i;

	for (i = 0; i < NUM_PROBABILITIES; i++) {
		ssize_t ret = -1;
		int tries;

		/* this, too, may be what fails */
		for (tries = 0; ret == -1 && tries < 1000; tries++) {
			ret = write(probabilities[i], probability, length);
		}
		if (ret == -1) {
			die("probability");
		}
	}
}

static void arm(unsigned nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, length, 0) != length) {
		die("fail-nth");
	}
}

/* Whether a place has failed since; reads and writes count as well. */
static bool disarm(void)
{
	char text[16] = "";
	bool fired = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 &&
		     atoi(text) == 0;

	if (!fired && pwrite(fail_nth, "0", 1, 0) != 1 && errno != EFAULT) {
		die("fail-nth");
	}
	return fired;
}

static void complain(const struct option *o,
		     enum way way,
		     const char *when,
		     const char *why)
{
	remarks++;
	if (remarks <= MAX_REMARKS) {
		tap_remark("%s %s by %s, %s: %s",
			   o->level_name,
			   o->name,
			   way_names[way],
			   when,
			   why);
	}
}

/* The answers that a failure may cause. */
static bool allowed(enum way way, int result)
{
	switch (-result) {
	case ENOMEM:
	case ENOBUFS:
	case EFAULT:
		return true;
	case ECANCELED:
		/* the kernel could not create a worker */
		return way == WAY_WORKER || way == WAY_WORKER32;
	default:
		return false;
	}
}

/*
 * Whether an answer is correct or reports a failure.  The router may have used
 * any way, because failures make it fall back.
 */
static const char *judge(enum way way,
			 const struct ask *a,
			 const struct option *o,
			 bool answered,
			 const struct record *before,
			 const struct record *record,
			 const struct record *after)
{
	tap->by_ring += is_command(way) && record->answer.result == 0;
	if (record->answer.result != before->answer.result &&
	    allowed(way, record->answer.result))
	{
		failed[way]++;
		return NULL;
	}
	/* the program also turns a failure into a success */
	if (forged) {
		return NULL;
	}
	/* put_cmsg() may fail; the answer then lacks that message */
	if (strstr(o->name, "PKTOPTIONS") != NULL &&
	    record->answer.length < before->answer.length)
	{
		return NULL;
	}
	if (way == WAY_ROUTER || way == WAY_BATCH) {
		way = WAY_SYSCALL;
	}
	return compare_records(way, a, o, answered, before, record, after);
}

static void ask_reference(enum way way,
			  const struct ask *a,
			  const struct option *o,
			  struct record *record)
{
	struct answer answer = {};

	way = reference_of(way, o);
	ask(way, a, 1, &answer);
	record_take(record, a, &answer);
	answer_undo(way, a, o, &answer);
}

static bool one_by_one(enum way way,
		       const struct ask *a,
		       const struct option *o,
		       bool answered)
{
	static struct record before;
	static struct record record;
	static struct record after;
	struct answer answer = {};
	char when[32];
	const char *why = NULL;
	unsigned nth;
	bool fired = true;

	for (nth = 1; fired && nth <= MAX_NTH; nth++) {
		unsigned tries = 0;

		do {
			ask_reference(way, a, o, &before);
			arm(nth);
			ask(way, a, 1, &answer);
			fired = disarm();
			record_take(&record, a, &answer);
			answer_undo(way, a, o, &answer);
			ask_reference(way, a, o, &after);
			why = judge(
				way, a, o, answered, &before, &record, &after);
			tries++;
		} while (why != NULL && tries < 3);
		injected[way] += fired;
		tap->comparisons++;
		if (why != NULL) {
			snprintf(when, sizeof(when), "failure %u", nth);
			complain(o, way, when, why);
			return false;
		}
	}
	if (fired) {
		complain(o, way, "one by one", "no end of places that fail");
		return false;
	}
	why = compare(way, a, o, answered);
	if (why != NULL) {
		complain(o, way, "afterwards", why);
	}
	return why == NULL;
}

static bool at_random(enum way way,
		      const struct ask *a,
		      const struct option *o,
		      bool answered)
{
	static struct record before;
	static struct record record;
	struct ask asks[BATCH];
	struct answer answers[BATCH];
	const char *why = NULL;
	size_t i;
	int round;

	for (i = 0; i < BATCH; i++) {
		asks[i] = *a;
		asks[i].slot = i;
	}
	for (round = 0; round < ROUNDS; round++) {
		memset(answers, 0, sizeof(answers));
		ask_reference(way, &asks[0], o, &before);
		inject_at_random(PROBABILITY);
		ask(way, asks, BATCH, answers);
		inject_at_random("0");
		for (i = 0; i < BATCH; i++) {
			record_take(&record, &asks[i], &answers[i]);
			answer_undo(way, &asks[i], o, &answers[i]);
			why = judge(
				way, a, o, answered, &before, &record, &before);
			if (why != NULL) {
				/* the value may have changed by itself */
				why = compare(way, a, o, answered);
			}
			if (why != NULL) {
				complain(o, way, "at random", why);
				return false;
			}
		}
		tap->comparisons += BATCH;
	}
	why = compare(way, a, o, answered);
	if (why != NULL) {
		complain(o, way, "after random failures", why);
	}
	return why == NULL;
}

static bool check_question(struct specimen s,
			   const struct ask *a,
			   const struct option *o)
{
	bool answered = served(s, o);
	bool ok = true;
	enum way way;

	for (way = 0; way < NUM_WAYS; way++) {
		if (!(ask_ways() & WAY_BIT(way))) {
			continue;
		}
		if (way != WAY_THREAD && way != WAY_WORKER &&
		    way != WAY_WORKER32) {
			ok = one_by_one(way, a, o, answered) && ok;
		}
		ok = at_random(way, a, o, answered) && ok;
	}
	return ok;
}

static bool check_option(struct specimen s, const struct option *o)
{
	struct ask a = {
		.level = o->level,
		.optname = o->optname,
		.fill = 0xa5,
	};
	bool succeeds;
	bool ok = true;
	size_t i;

	/* the kernel loses such a value when it cannot copy it */
	if (is_spent(o, s.state) || o->effect == CLEARS || o->effect == MAPS) {
		return true;
	}
	/* a program that turns a refusal into a success hides the refusal */
	if (forged && (o->effect == INSTALLS || o->ring == NETFILTER ||
		       o->ring == BOUNDED))
	{
		return true;
	}
	a.length = exact_length(&a, o, &succeeds);
	if (succeeds && o->access != INOUT) {
		return check_question(s, &a, o);
	}
	for (i = 0; i < NUM_INPUTS && o->access == INOUT; i++) {
		a.input = option_input(o, s, i, &a.input_size);
		if (a.input_size > 0) {
			a.length = exact_length(&a, o, &succeeds);
			ok = (!succeeds || check_question(s, &a, o)) && ok;
		}
	}
	return ok;
}

/* One state of each kind, and states that have more options. */
static bool chosen(struct specimen s)
{
	switch (s.state) {
	case FRESH:
	case BOUND:
		return s.kind >= NETLINK;
	case CONNECTED:
		return true;
	case IP_OPTIONS_SET:
	case MULTICAST:
	case WITH_AO:
	case WITH_TLS:
	case SPECIAL:
		return !forged;
	default:
		return false;
	}
}

static void check_specimen(struct specimen s)
{
	struct scene scene;
	char name[128];
	int descriptors;
	bool ok = true;
	size_t i;

	snprintf(name,
		 sizeof(name),
		 "%s: %s %s",
		 context,
		 kinds[s.kind].name,
		 state_names[s.state]);
	if (!chosen(s) || (only != NULL && strstr(name, only) == NULL) ||
	    scene_open(&scene, s) != 0)
	{
		return;
	}
	ask_socket(scene.fd);
	remarks = 0;
	descriptors = count_descriptors();
	for (i = 0; i < num_options; i++) {
		if (has_level(s, options[i].level)) {
			ok = check_option(s, &options[i]) && ok;
		}
	}
	if (count_descriptors() != descriptors) {
		tap_remark("%d descriptors, not %d",
			   count_descriptors(),
			   descriptors);
		ok = false;
	}
	scene_close(&scene);
	tap_result(ok, "%s", name);
}

/* Each way must have seen a failure, or the test proves nothing. */
static void check_injected(void)
{
	enum way way;

	for (way = 0; way < NUM_WAYS && only == NULL; way++) {
		if (ask_ways() & WAY_BIT(way)) {
			tap_result(way == WAY_THREAD || way == WAY_WORKER ||
					   way == WAY_WORKER32 ||
					   injected[way] > 0,
				   "%s: %s: %lu failures injected one by one, "
				   "%lu answers that say so",
				   context,
				   way_names[way],
				   injected[way],
				   failed[way]);
		}
	}
}

/* Create the router's ring first: after a failure it would not try again. */
static void warm_up(void)
{
	struct ask a = {.level = SOL_SOCKET, .optname = SO_TYPE, .length = 4};
	struct specimen s = {UDP4, FRESH};
	struct answer answer;
	struct scene scene;

	if (scene_open(&scene, s) != 0) {
		die("a socket");
	}
	ask_socket(scene.fd);
	ask(WAY_ROUTER, &a, 1, &answer);
	ask(WAY_BATCH, &a, 1, &answer);
	scene_close(&scene);
}

static void check(const char *name)
{
	size_t i;

	context = name;
	/* tasks created from now on inherit it: the thread, workers */
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth == -1 || !write_file("/proc/self/make-it-fail", "1")) {
		die("fail-nth, make-it-fail");
	}
	ask_init(worker);
	warm_up();
	for (i = 0; i < num_specimens; i++) {
		check_specimen(specimens[i]);
	}
	check_injected();
}

static void check_under_bpf(const char *name)
{
	const char *why = bpf_attach(BPF_LENGTHEN);

	if (why != NULL) {
		tap_skip(why, "%s", name);
		return;
	}
	forged = true;
	check(name);
	bpf_detach();
}

int main(int argc, const char *argv[])
{
	const char *ring = NULL;
	const char *why = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ring") == 0 && i + 1 < argc) {
			i++;
			ring = argv[i];
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			i++;
			only = argv[i];
		} else if (strcmp(argv[i], "--worker") == 0) {
			worker = true;
		} else {
			ring = NULL;
			break;
		}
	}
	if (!serves_parse(ring)) {
		fprintf(stderr,
			"usage: faults --ring sol_socket|inet|lts|all "
			"[--worker] [--only SUBSTRING]\n");
		return 2;
	}
	tap_init();
	why = prepare();
	if (why != NULL) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	sockets_init();
	uring_set_mode(URING_MODE_RING);
	tap_child("root", check);
	tap_child("under BPF", check_under_bpf);
	return tap_end();
}
