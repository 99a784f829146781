/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks every option on every kind of socket in every state: getsockopt(2), the
 * command of io_uring and our router must have the same answer.
 *
 * usage: differential --ring sol_socket|inet|lts|all [--worker]
 *                     [--only SUBSTRING]
 *        differential --matrix
 *
 * --ring says which queries the kernel must answer through the ring (enum
 * serves in sockets.h).  The test checks that in both directions.  --worker
 * also tests the command on a worker of the kernel, which kernels before 6.11
 * get wrong.  32-bit callers then do not ask the LTS kernel (ask_init()).
 * --matrix prints how each option was answered, one line of JSON each.
 *
 * A question is a length, a place of the buffer and its contents.  The test
 * asks all questions about an option by system call, then by each of the ways,
 * in one submission where that is possible, and compares the answers byte by
 * byte.  If answers differ, it asks again, alone and between two system calls
 * (compare.c).
 *
 * If asking changes the answer (SO_ERROR), the test asks a fresh socket in the
 * same state once for each way, and then asks it again by getsockopt(2).
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "ask.h"
#include "cgroup_bpf.h"
#include "compare.h"
#include "sockets.h"
#include "tap.h"

#define NOBODY 65534
#define MAX_REMARKS 8

static struct {
	bool worker;
	const char *only;

	/* of the current context */
	const char *context;
	unsigned ways;
	/* fewer lengths and places, by ring and router only */
	bool brief;
	/*
	 * In this state the test asks about every place and every length, and
	 * asks more than one question by each way
	 */
	bool thorough;
	/* sockets are asked as nobody */
	bool as_nobody;
	/* a BPF program changes the values: no descriptor is valid */
	bool forged;
} run;

/* An option that is not in the table. */
static const struct option unknown = {
	.level_name = "?",
	.name = "9999",
	.optname = 9999,
	.access = SET,
	.changing = "",
};

static struct record before[ASK_SLOTS];
static struct record record;
static unsigned remarks;

static void become(uid_t uid)
{
	if (setresuid(uid, uid, 0) != 0) {
		perror("setresuid");
		exit(1);
	}
}

static void complain(const struct option *o,
		     const struct ask *a,
		     enum way way,
		     const char *why)
{
	remarks++;
	if (remarks > MAX_REMARKS) {
		return;
	}
	tap_remark("%s %s (level %d, option %d) length %d %s+%u fill %#x "
		   "input %zu by %s: %s",
		   o->level_name,
		   o->name,
		   a->level,
		   a->optname,
		   a->length,
		   place_names[a->place],
		   a->misaligned,
		   a->fill,
		   a->input_size,
		   way_names[way],
		   why);
}

/* Whether this way can ask this question. */
static bool possible(enum way way, const struct ask *a)
{
	if (way == WAY_BATCH) {
		/* copies from and to the buffers itself */
		return a->place == PLACE_GOOD && a->length >= 0 &&
		       a->length <= ASK_LENGTH_MAX;
	}
	return true;
}

/* Questions for every way; the others go to system call, ring and router. */
static bool central(const struct ask *a)
{
	return a->place == PLACE_GOOD && a->misaligned == 0 &&
	       a->fill == 0xa5 && a->length >= 0 && a->length != 2 &&
	       a->length != 3 && a->length <= ASK_PLACED_MAX;
}

/* Whether a brief run tests this state: in others the caller is irrelevant. */
static bool in_brief_run(enum state state)
{
	return state != BOUND && state != LISTENING && state != HALF_CLOSED &&
	       state != PEER_CLOSED && state != DATA;
}

static bool in_brief(enum way way)
{
	return way == WAY_RING || way == WAY_ROUTER;
}

/* Ask a list of questions about an option; false, with remarks, on failure. */
static bool ask_all(struct ask *asks,
		    size_t num,
		    const struct option *o,
		    bool answered)
{
	struct answer answers[ASK_SLOTS];
	struct ask chosen[ASK_SLOTS];
	size_t from[ASK_SLOTS];
	enum way reference = NUM_WAYS;
	bool ok = true;
	size_t i;
	size_t j;
	/* the ways of 64-bit callers first, then those of 32-bit ones */
	static const enum way order[] = {
		WAY_RING,
		WAY_ROUTER,
		WAY_DEFER,
		WAY_FIXED,
		WAY_THREAD,
		WAY_WORKER,
		WAY_BATCH,
		WAY_RING_BY_32,
		WAY_RING32,
		WAY_RING32_BY_64,
		WAY_WORKER32,
	};

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum way way = order[i];
		size_t num_chosen = 0;

		if (!(run.ways & WAY_BIT(way)) ||
		    (run.brief && !in_brief(way) && way != WAY_RING32))
		{
			continue;
		}
		if (reference != reference_of(way, o)) {
			reference = reference_of(way, o);
			memset(answers, 0, sizeof(answers));
			ask(reference, asks, num, answers);
			for (j = 0; j < num; j++) {
				record_take(&before[j], &asks[j], &answers[j]);
				answer_undo(reference,
					    &asks[j],
					    o,
					    &answers[j]);
			}
		}
		for (j = 0; j < num; j++) {
			if (possible(way, &asks[j]) &&
			    (in_brief(way) ||
			     (central(&asks[j]) && (run.thorough || j == 0))))
			{
				chosen[num_chosen] = asks[j];
				from[num_chosen] = j;
				num_chosen++;
			}
		}
		memset(answers, 0, sizeof(answers));
		ask(way, chosen, num_chosen, answers);
		for (j = 0; j < num_chosen; j++) {
			const struct ask *a = &chosen[j];
			const char *why = NULL;

			record_take(&record, a, &answers[j]);
			answer_undo(way, a, o, &answers[j]);
			why = compare_records(way,
					      a,
					      o,
					      answered,
					      &before[from[j]],
					      &record,
					      &before[from[j]]);
			if (why != NULL) {
				why = compare(way, a, o, answered);
			}
			if (why != NULL) {
				complain(o, a, way, why);
				ok = false;
			}
			tap->by_ring += is_command(way) &&
					answers[j].result == 0;
		}
		tap->comparisons += num_chosen;
	}
	return ok;
}

struct questions {
	struct ask asks[ASK_SLOTS];
	size_t num;
	struct ask next;
	const struct option *option;
	bool answered;
	bool ok;
};

static void flush(struct questions *q)
{
	if (q->num > 0) {
		q->ok = ask_all(q->asks, q->num, q->option, q->answered) &&
			q->ok;
	}
	q->num = 0;
}

/* Add `next` with this length and place, unless the list has it. */
static void add(struct questions *q, int length, enum place place)
{
	size_t i;

	q->next.length = length;
	q->next.place = place;
	for (i = 0; i < q->num; i++) {
		const struct ask *a = &q->asks[i];

		if (a->length == length && a->place == place &&
		    a->fill == q->next.fill && a->input == q->next.input &&
		    a->misaligned == q->next.misaligned)
		{
			return;
		}
	}
	if (q->num == ASK_SLOTS) {
		flush(q);
	}
	q->next.slot = q->num;
	q->asks[q->num] = q->next;
	q->num++;
}

static void add_lengths(struct questions *q, int exact, bool full)
{
	const int lengths[] = {
		exact,
		0,
		1,
		2,
		3,
		exact - 1,
		exact + 1,
		exact + 8,
		ASK_PLACED_MAX,
	};
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (lengths[i] >= 0) {
			add(q, lengths[i], PLACE_GOOD);
		}
	}
	if (full) {
		add(q, ASK_LENGTH_MAX, PLACE_GOOD);
		add(q, INT_MAX, PLACE_GOOD);
		add(q, -1, PLACE_GOOD);
		add(q, INT_MIN, PLACE_GOOD);
	}
}

static void add_places(struct questions *q, int exact)
{
	enum place place;

	exact = exact > 0 ? exact : (int)sizeof(int);
	if (!run.thorough) {
		add(q, exact, PLACE_READONLY_END);
		add(q, exact, PLACE_UNMAPPED_MIDDLE);
		return;
	}
	for (place = PLACE_GOOD + 1; place < PLACE_NULL; place++) {
		add(q, exact, place);
		add(q, ASK_PLACED_MAX, place);
	}
	add(q, 0, PLACE_NULL);
	add(q, exact, PLACE_NULL);
	for (q->next.misaligned = 1; q->next.misaligned <= 3;
	     q->next.misaligned += 2) {
		add(q, exact, PLACE_GOOD);
		add(q, exact - 1, PLACE_GOOD);
	}
	q->next.misaligned = 0;
}

static bool check_option(struct specimen s,
			 const struct option *o,
			 int level,
			 bool full)
{
	static uint8_t inputs[NUM_INPUTS][512];
	struct questions q = {
		.option = o,
		.ok = true,
		.next = {.level = level, .optname = o->optname, .fill = 0xa5},
	};
	struct option at_level = *o;
	bool succeeds;
	int exact;
	size_t i;

	at_level.level = level;
	q.answered = served(s, &at_level);
	if (is_spent(o, s.state)) {
		return true;
	}
	/* a program that turns a refusal into a success hides the refusal */
	if (run.forged && (o->effect == INSTALLS || o->ring == NETFILTER ||
			   o->ring == BOUNDED))
	{
		return true;
	}

	exact = exact_length(&q.next, o, &succeeds);
	if (run.brief) {
		add(&q, exact, PLACE_GOOD);
		add(&q, 0, PLACE_GOOD);
		add(&q, exact - 1, PLACE_GOOD);
		add(&q, exact + 8, PLACE_GOOD);
		add(&q, ASK_PLACED_MAX, PLACE_GOOD);
		add(&q, exact, PLACE_READONLY_END);
	} else {
		add_lengths(&q, exact, full);
		add_places(&q, exact);
		/* bytes that the kernel does not touch now have the other fill */
		q.next.fill = 0x5a;
		add(&q, exact, PLACE_GOOD);
		add(&q, exact + 8, PLACE_GOOD);
		q.next.fill = 0xa5;
	}
	for (i = 0; i < NUM_INPUTS && o->access == INOUT; i++) {
		size_t size;
		const uint8_t *input = option_input(o, s, i, &size);

		if (size == 0) {
			continue;
		}
		memcpy(inputs[i], input, size);
		q.next.input = inputs[i];
		q.next.input_size = size;
		exact = exact_length(&q.next, o, &succeeds);
		if (run.brief) {
			add(&q, exact, PLACE_GOOD);
			add(&q, ASK_PLACED_MAX, PLACE_GOOD);
			continue;
		}
		/* the part that the header asks for, and the rest */
		add(&q, size, PLACE_GOOD);
		add(&q, size - 1, PLACE_GOOD);
		add_lengths(&q, exact, full);
		if (succeeds) {
			add_places(&q, exact);
		}
	}
	flush(&q);
	return q.ok;
}

static bool check_level(struct specimen s, int level, bool full)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < num_options; i++) {
		if (options[i].level == level) {
			ok = check_option(s, &options[i], level, full) && ok;
		}
	}
	return check_option(s, &unknown, level, full) && ok;
}

/* One option of each level that the socket does not have. */
static bool check_other_levels(struct specimen s)
{
	const int nowhere[] = {-1, 2, 9999};
	bool ok = true;
	size_t i;

	for (i = 0; i < num_options; i++) {
		if ((i == 0 || options[i].level != options[i - 1].level) &&
		    !has_level(s, options[i].level))
		{
			ok = check_option(s,
					  &options[i],
					  options[i].level,
					  false) &&
			     ok;
		}
	}
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		ok = check_option(s, &unknown, nowhere[i], false) && ok;
	}
	return ok;
}

static bool chosen(const char *name)
{
	return run.only == NULL || strstr(name, run.only) != NULL;
}

static const char *specimen_name(struct specimen s)
{
	static char name[128];

	snprintf(name,
		 sizeof(name),
		 "%s: %s %s",
		 run.context,
		 kinds[s.kind].name,
		 state_names[s.state]);
	return name;
}

/* Skip once for a kind and a reason, for all states and contexts. */
static void skip_specimen(struct specimen s, int error)
{
	static struct specimen last_skipped = {NUM_KINDS, FRESH};
	static int last_error;

	if (run.brief || (last_skipped.kind == s.kind && last_error == error)) {
		return;
	}
	last_skipped = s;
	last_error = error;
	tap_skip(uring_errno_name(error), "%s", specimen_name(s));
}

static void check_specimen(struct specimen s)
{
	const char *name = specimen_name(s);
	const bool full = s.state == FRESH;
	struct scene scene;
	int last = -1;
	int error;
	size_t i;

	if (!chosen(name) || (run.brief && !in_brief_run(s.state))) {
		return;
	}
	error = scene_open(&scene, s);
	if (error != 0) {
		skip_specimen(s, error);
		return;
	}
	ask_socket(scene.fd);
	run.thorough = s.state == FRESH || s.state == CONNECTED ||
		       s.state == MULTICAST || s.state >= WITH_AO;
	if (run.as_nobody) {
		become(NOBODY);
	}
	for (i = 0; i < num_options; i++) {
		int level = options[i].level;
		bool ok;

		if (level == last || !has_level(s, level)) {
			continue;
		}
		last = level;
		remarks = 0;
		ok = check_level(s, level, full);
		tap_result(ok, "%s %s", name, options[i].level_name);
	}
	if (!run.brief) {
		remarks = 0;
		tap_result(check_other_levels(s), "%s other levels", name);
	}
	if (run.as_nobody) {
		become(0);
	}
	scene_close(&scene);
}

static void check_specimens(void)
{
	size_t i;

	for (i = 0; i < num_specimens; i++) {
		check_specimen(specimens[i]);
	}
}

/*
 * Twins: options that asking changes.
 */

struct effect_case {
	struct specimen specimen;
	const char *option;
};

static const struct effect_case effect_cases[] = {
	{{TCP4, ERROR_PENDING}, "SO_ERROR"},
	{{TCP6, ERROR_PENDING}, "SO_ERROR"},
	{{UDP4, ERROR_PENDING}, "SO_ERROR"},
	{{UDP6, ERROR_PENDING}, "SO_ERROR"},
	{{UNIX_STREAM, ERROR_PENDING}, "SO_ERROR"},
	{{TCP4, SYN_SAVED}, "TCP_SAVED_SYN"},
	{{PACKET, BOUND}, "PACKET_STATISTICS"},
};

static const struct option *find_option(const char *name)
{
	size_t i;

	for (i = 0; i < num_options; i++) {
		if (strcmp(options[i].name, name) == 0) {
			return &options[i];
		}
	}
	return NULL;
}

/* Send a packet for a packet socket to count. */
static void make_traffic(void)
{
	struct scene scene;
	struct specimen s = {UDP4, DATA};

	if (scene_open(&scene, s) == 0) {
		scene_close(&scene);
	}
}

static bool ask_twin(enum way way,
		     struct specimen s,
		     const struct ask *a,
		     const struct option *o,
		     struct record *first,
		     struct record *second)
{
	struct ask again = *a;
	struct answer answer = {};
	struct scene scene;

	if (scene_open(&scene, s) != 0) {
		return false;
	}
	if (s.kind == PACKET) {
		make_traffic();
	}
	ask_socket(scene.fd);
	ask(way, a, 1, &answer);
	record_take(first, a, &answer);

	again.length = ASK_PLACED_MAX;
	again.place = PLACE_GOOD;
	ask(reference_of(way, o), &again, 1, &answer);
	record_take(second, &again, &answer);
	scene_close(&scene);
	return true;
}

static bool compare_twins(enum way way,
			  struct specimen s,
			  const struct ask *a,
			  const struct option *o)
{
	enum way reference = reference_of(way, o);
	/* before, by this way, after; the first answer and the second */
	static struct record first[3];
	static struct record second[3];
	const enum way ways[3] = {reference, way, reference};
	bool answered = served(s, o);
	const char *why = NULL;
	int tries;
	int i;

	if (is_command(way) && (!answered || refused_by_way(way, o->level))) {
		return true;
	}
	for (tries = 0; tries < 4; tries++) {
		for (i = 0; i < 3; i++) {
			if (!ask_twin(ways[i], s, a, o, &first[i], &second[i]))
			{
				complain(o, a, way, "cannot be made again");
				return false;
			}
		}
		tap->comparisons += 2;
		why = compare_records(
			way, a, o, answered, &first[0], &first[1], &first[2]);
		if (why == NULL) {
			why = compare_records(reference,
					      a,
					      o,
					      true,
					      &second[0],
					      &second[1],
					      &second[2]);
		}
		if (why == NULL) {
			return true;
		}
	}
	complain(o, a, way, why);
	return false;
}

static void check_effects(void)
{
	size_t i;
	size_t j;

	for (i = 0; i < sizeof(effect_cases) / sizeof(effect_cases[0]); i++) {
		const struct effect_case *c = &effect_cases[i];
		const struct option *o = find_option(c->option);
		struct ask a = {
			.level = o->level,
			.optname = o->optname,
			.fill = 0xa5,
		};
		const struct {
			int length;
			enum place place;
		} how[] = {
			{ASK_PLACED_MAX, PLACE_GOOD},
			{4, PLACE_GOOD},
			{1, PLACE_GOOD},
			{0, PLACE_GOOD},
			{4, PLACE_READONLY_END},
			{ASK_PLACED_MAX, PLACE_READONLY_MIDDLE},
			{4, PLACE_NULL},
		};
		char name[256];
		struct scene scene;
		bool ok = true;
		enum way way;
		int error;

		snprintf(name,
			 sizeof(name),
			 "%s: twice",
			 specimen_name(c->specimen));
		if (!chosen(name)) {
			continue;
		}
		error = scene_open(&scene, c->specimen);
		if (error != 0) {
			tap_skip(uring_errno_name(error),
				 "%s %s",
				 name,
				 o->name);
			continue;
		}
		scene_close(&scene);
		remarks = 0;
		for (way = 0; way < NUM_WAYS; way++) {
			if (!(run.ways & WAY_BIT(way))) {
				continue;
			}
			for (j = 0; j < sizeof(how) / sizeof(how[0]); j++) {
				a.length = how[j].length;
				a.place = how[j].place;
				if (possible(way, &a)) {
					ok = compare_twins(way,
							   c->specimen,
							   &a,
							   o) &&
					     ok;
				}
			}
		}
		tap_result(ok, "%s %s", name, o->name);
	}
}

/*
 * SO_PEERPIDFD must install its descriptor in the table of the submitting task;
 * a worker shares its creator's table.
 */
static void check_descriptors(void)
{
	const struct option *o = find_option("SO_PEERPIDFD");
	struct specimen s = {UNIX_STREAM, CONNECTED};
	struct scene scene;
	enum way way;
	char name[128];

	snprintf(name, sizeof(name), "%s: SO_PEERPIDFD", run.context);
	if (!chosen(name)) {
		return;
	}
	if (scene_open(&scene, s) != 0) {
		tap_result(false, "%s: no socket", name);
		return;
	}
	ask_socket(scene.fd);
	for (way = 0; way < NUM_WAYS; way++) {
		struct ask a = {
			.level = o->level,
			.optname = o->optname,
			.length = sizeof(int),
		};
		struct ask bad = a;
		struct answer answer = {};
		int had = count_descriptors();
		int fd = -1;
		size_t size;
		bool here;
		bool ok;

		if (!(run.ways & WAY_BIT(way))) {
			continue;
		}
		ask(way, &a, 1, &answer);
		if (answer.result == -ENOPROTOOPT) {
			tap_skip("Linux before 6.5",
				 "%s by %s",
				 name,
				 way_names[way]);
			continue;
		}
		memcpy(&fd, ask_memory(&a, &size) + ASK_CANARY, sizeof(fd));
		here = count_descriptors() == had + 1 &&
		       fcntl(fd, F_GETFD) == FD_CLOEXEC;
		ok = answer.result == 0 && here == (way != WAY_THREAD) &&
		     ask_close(way, fd);
		if (way != WAY_BATCH) {
			bad.place = PLACE_READONLY_END;
			ask(way, &bad, 1, &answer);
			ok = ok && answer.result == -EFAULT;
		}
		ok = ok && count_descriptors() == had;
		tap->comparisons++;
		tap_result(ok, "%s by %s", name, way_names[way]);
	}
	scene_close(&scene);
}

/*
 * TCP_ZEROCOPY_RECEIVE: it can map pages that went through a pipe into the
 * socket.  The mapped, the remaining and the available bytes must be the same.
 */
#define ZC_PAGES 4
#define ZC_SIZE (ZC_PAGES * 4096)

static bool send_pages(int fd, size_t size)
{
	static char data[ZC_SIZE];
	bool ok = true;
	int fds[2];
	size_t i;

	for (i = 0; i < sizeof(data); i++) {
		data[i] = i / 4096 + i;
	}
	if (pipe(fds) != 0) {
		return false;
	}
	ok = write(fds[1], data, size) == (ssize_t)size &&
	     splice(fds[0], NULL, fd, NULL, size, 0) == (ssize_t)size;
	close(fds[0]);
	close(fds[1]);
	return ok;
}

static bool zerocopy_once(enum way way,
			  size_t size,
			  struct zerocopy *out,
			  struct answer *answer,
			  char *mapped)
{
	const struct option *o = find_option("TCP_ZEROCOPY_RECEIVE");
	struct specimen s = {TCP4, CONNECTED};
	struct zerocopy in = {.length = ZC_SIZE};
	struct scene scene;
	struct ask a = {
		.level = o->level,
		.optname = o->optname,
		.length = sizeof(in),
		.input = (const uint8_t *)&in,
		.input_size = sizeof(in),
	};
	char copy[4096] = {};
	size_t memory_size;
	char byte;
	void *map = NULL;
	bool ok;

	if (scene_open(&scene, s) != 0) {
		return false;
	}
	/* others[2] is the accepted end */
	ok = send_pages(scene.others[2], size) &&
	     recv(scene.fd, &byte, 1, MSG_PEEK) == 1;
	map = mmap(NULL, ZC_SIZE, PROT_READ, MAP_SHARED, scene.fd, 0);
	if (!ok || map == MAP_FAILED) {
		scene_close(&scene);
		return false;
	}
	in.address = (uintptr_t)map;
	in.copy_address = (uintptr_t)copy;
	in.copy_length = sizeof(copy);
	ask_socket(scene.fd);
	ask(way, &a, 1, answer);
	memcpy(out, ask_memory(&a, &memory_size) + ASK_CANARY, sizeof(*out));
	memset(mapped, 0, ZC_SIZE + sizeof(copy));
	if (out->length <= ZC_SIZE) {
		memcpy(mapped, map, out->length);
	}
	memcpy(mapped + ZC_SIZE, copy, sizeof(copy));
	out->address = 0;
	out->copy_address = 0;
	munmap(map, ZC_SIZE);
	scene_close(&scene);
	return true;
}

static void check_zerocopy(void)
{
	static char mapped[2][ZC_SIZE + 4096];
	/* whole pages, and a rest that is copied */
	const size_t sizes[] = {ZC_SIZE, 4096 + 100, 100};
	struct specimen s = {TCP4, CONNECTED};
	enum way way;
	char name[128];
	size_t i;

	snprintf(name, sizeof(name), "%s: TCP_ZEROCOPY_RECEIVE", run.context);
	if (!chosen(name)) {
		return;
	}
	for (way = 0; way < NUM_WAYS; way++) {
		bool ok = true;
		uint32_t length = 0;

		if (!(run.ways & WAY_BIT(way)) ||
		    (is_command(way) &&
		     (!served(s, find_option("TCP_ZEROCOPY_RECEIVE")) ||
		      refused_by_way(way, IPPROTO_TCP))))
		{
			continue;
		}
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct zerocopy z[2];
			struct answer answer[2] = {};

			if (!zerocopy_once(
				    reference_of(
					    way,
					    find_option(
						    "TCP_ZEROCOPY_RECEIVE")),
				    sizes[i],
				    &z[0],
				    &answer[0],
				    mapped[0]) ||
			    !zerocopy_once(way,
					   sizes[i],
					   &z[1],
					   &answer[1],
					   mapped[1]))
			{
				tap_remark("cannot be made: %s",
					   uring_errno_name(errno));
				ok = false;
				break;
			}
			ok = ok && answer[0].result == answer[1].result &&
			     answer[0].length == answer[1].length &&
			     memcmp(&z[0], &z[1], sizeof(z[0])) == 0 &&
			     memcmp(mapped[0], mapped[1], sizeof(mapped[0])) ==
				     0;
			length += z[1].length + z[1].copy_length;
			tap->comparisons++;
		}
		/* answers without received data would also be equal */
		tap_result(ok && length > 0, "%s by %s", name, way_names[way]);
	}
}

/*
 * Descriptors that are not sockets.  A file may have commands of its own under
 * the same numbers; that of /dev/null succeeds for every number.
 */
static void check_no_sockets(void)
{
	const struct option *o = find_option("SO_TYPE");
	int pipes[2] = {-1, -1};
	struct {
		const char *name;
		int fd;
		int by_ring;
	} files[] = {
		{"closed descriptor", 250, -EBADF},
		{"negative descriptor", -1, -EBADF},
		{"pipe", -1, -EOPNOTSUPP},
		{"/dev/null", open("/dev/null", O_RDWR), 0},
		{"file", open("/proc/self/exe", O_RDONLY), -EOPNOTSUPP},
		{"directory", open("/", O_PATH), -EBADF},
		{"eventfd", eventfd(0, 0), -EOPNOTSUPP},
		{"epoll", epoll_create1(0), -EOPNOTSUPP},
	};
	size_t i;

	if (pipe(pipes) == 0) {
		files[2].fd = pipes[0];
	}
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct ask a = {
			.level = o->level,
			.optname = o->optname,
			.length = sizeof(int),
			.fill = 0xa5,
		};
		bool ok = true;
		enum way way;
		char name[128];

		snprintf(name,
			 sizeof(name),
			 "%s: no socket: %s",
			 run.context,
			 files[i].name);
		if (!chosen(name)) {
			continue;
		}
		ask_socket(files[i].fd);
		remarks = 0;
		for (way = 0; way < NUM_WAYS; way++) {
			struct answer answer = {};

			if (!(run.ways & WAY_BIT(way)) || way == WAY_FIXED ||
			    way == WAY_THREAD) {
				continue;
			}
			tap->comparisons++;
			if (!is_command(way)) {
				const char *why = compare(way, &a, o, false);

				if (why != NULL) {
					complain(o, &a, way, why);
					ok = false;
				}
				continue;
			}
			ask(way, &a, 1, &answer);
			if (answer.result != files[i].by_ring) {
				complain(o,
					 &a,
					 way,
					 result_name(answer.result));
				ok = false;
			}
		}
		tap_result(ok, "%s", name);
		if (files[i].fd >= 0) {
			close(files[i].fd);
		}
	}
	close(pipes[1]);
}

/* Without a readable length, the router passes the call on to libc. */
static void check_no_length(void)
{
	struct specimen s = {TCP4, FRESH};
	struct scene scene;
	socklen_t *lengths[2];
	bool ok = true;
	char name[128];
	int value;
	size_t i;

	snprintf(name, sizeof(name), "%s: no length", run.context);
	if (!chosen(name) || scene_open(&scene, s) != 0) {
		return;
	}
	lengths[0] = NULL;
	lengths[1] = mmap(
		NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < num_options; i++) {
		int ret[2];
		int error[2];

		if (!has_level(s, options[i].level)) {
			continue;
		}
		ret[0] = getsockopt(scene.fd,
				    options[i].level,
				    options[i].optname,
				    &value,
				    lengths[0]);
		error[0] = errno;
		ret[1] = uring_getsockopt(scene.fd,
					  options[i].level,
					  options[i].optname,
					  &value,
					  lengths[0],
					  NULL);
		error[1] = errno;
		tap->comparisons++;
		if (ret[0] != -1 || ret[1] != -1 || error[0] != error[1]) {
			tap_remark("%s: %s, not %s",
				   options[i].name,
				   uring_errno_name(error[1]),
				   uring_errno_name(error[0]));
			ok = false;
		}
	}
	munmap(lengths[1], 4096);
	scene_close(&scene);
	tap_result(ok, "%s", name);
}

/*
 * Contexts
 */

static void setup(const char *name)
{
	run.context = name;
	ask_init(run.worker);
	run.ways = ask_ways();
}

static void as_root(const char *name)
{
	setup(name);
	if (chosen(name) && ask_no_32() != NULL) {
		tap_skip(ask_no_32(), "%s: 32-bit callers", name);
	}
	check_specimens();
	check_effects();
	check_descriptors();
	check_zerocopy();
	check_no_sockets();
	check_no_length();
}

static void as_nobody(const char *name)
{
	struct specimen s = {TCP4, FRESH};
	struct scene scene;

	setup(name);
	run.brief = true;
	run.as_nobody = true;
	/* the router's user must create its ring, as in smbd */
	if (scene_open(&scene, s) == 0) {
		socklen_t length = sizeof(int);
		int value;

		(void)uring_getsockopt(
			scene.fd, SOL_SOCKET, SO_TYPE, &value, &length, NULL);
		scene_close(&scene);
	}
	check_specimens();
}

static enum bpf_answer bpf_answer;

static void under_bpf(const char *name)
{
	const char *why = bpf_attach(bpf_answer);

	if (why != NULL) {
		tap_skip(why, "%s", name);
		return;
	}
	setup(name);
	run.brief = true;
	run.forged = true;
	check_specimens();
	bpf_detach();
}

/*
 * The matrix: for each option the sockets on which getsockopt(2) answers, and
 * those on which the command answers.
 */
static void print_matrix(void)
{
	unsigned long asked[num_options];
	unsigned long answered[num_options];
	struct answer answer;
	size_t i;
	size_t j;
	size_t k;

	setup("matrix");
	memset(asked, 0, sizeof(asked));
	memset(answered, 0, sizeof(answered));
	for (i = 0; i < num_specimens; i++) {
		struct scene scene;

		if (scene_open(&scene, specimens[i]) != 0) {
			continue;
		}
		ask_socket(scene.fd);
		for (j = 0; j < num_options; j++) {
			const struct option *o = &options[j];
			struct ask a = {.level = o->level,
					.optname = o->optname};
			unsigned long kind = 1UL << specimens[i].kind;

			if (!has_level(specimens[i], o->level)) {
				continue;
			}
			for (k = 0; k < NUM_INPUTS; k++) {
				bool succeeds;

				a.input = option_input(o,
						       specimens[i],
						       k,
						       &a.input_size);
				if (k > 0 && a.input_size == 0) {
					break;
				}
				a.length = exact_length(&a, o, &succeeds);
				if (!succeeds) {
					continue;
				}
				asked[j] |= kind;
				ask(WAY_RING, &a, 1, &answer);
				answer_undo(WAY_RING, &a, o, &answer);
				if (answer.result == 0) {
					answered[j] |= kind;
				}
			}
		}
		scene_close(&scene);
	}
	for (j = 0; j < num_options; j++) {
		const unsigned long sets[] = {asked[j], answered[j]};
		const char *const names[] = {"syscall", "ring"};

		printf("{\"level\": \"%s\", \"name\": \"%s\"",
		       options[j].level_name,
		       options[j].name);
		for (k = 0; k < 2; k++) {
			const char *comma = "";

			printf(", \"%s\": [", names[k]);
			for (i = 0; i < NUM_KINDS; i++) {
				if (sets[k] & 1UL << i) {
					printf("%s\"%s\"",
					       comma,
					       kinds[i].name);
					comma = ", ";
				}
			}
			printf("]");
		}
		printf("}\n");
	}
}

int main(int argc, const char *argv[])
{
	bool matrix = false;
	const char *ring = NULL;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--ring") == 0 && i + 1 < argc) {
			i++;
			ring = argv[i];
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			i++;
			run.only = argv[i];
		} else if (strcmp(argv[i], "--worker") == 0) {
			run.worker = true;
		} else if (strcmp(argv[i], "--matrix") == 0) {
			matrix = true;
		} else {
			matrix = false;
			ring = NULL;
			break;
		}
	}
	if (!matrix && !serves_parse(ring)) {
		fprintf(stderr,
			"usage: differential --ring sol_socket|inet|lts|all "
			"[--worker] "
			"[--only SUBSTRING]\n"
			"       differential --matrix\n");
		return 2;
	}
	tap_init();
	sockets_init();
	uring_set_mode(URING_MODE_RING);
	if (matrix) {
		print_matrix();
		return 0;
	}

	tap_child("root", as_root);
	tap_child("nobody", as_nobody);
	for (bpf_answer = 0; bpf_answer < NUM_BPF_ANSWERS; bpf_answer++) {
		tap_child(bpf_answer_names[bpf_answer], under_bpf);
	}
	return tap_end();
}
