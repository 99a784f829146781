/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares the answers of two ways of asking, as far as they must agree.
 *
 * The router must return the same as getsockopt(2).  The command cannot return
 * a length with an error, and may refuse options that the table names.  A
 * command that refuses must not touch the buffer.
 *
 * A value may change by itself (a clock, a counter of milliseconds), but only
 * in the bytes that the table names, and only if getsockopt(2) before and after
 * differ as well.  Any other difference must appear again when the test asks
 * again; otherwise the socket changed in between.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

#define TRIES 4

static char why[256];

const char *result_name(int result)
{
	return result == 0 ? "0" : uring_errno_name(-result);
}

void record_take(struct record *r,
		 const struct ask *a,
		 const struct answer *answer)
{
	uint8_t *memory = ask_memory(a, &r->size);

	r->answer = *answer;
	r->memory = realloc(r->memory, r->size + 1);
	if (r->memory == NULL) {
		abort();
	}
	memcpy(r->memory, memory, r->size);
}

enum way reference_of(enum way way, const struct option *o)
{
	bool by_task = o->ring == TASK && serves != SERVES_ALL;

	switch (way) {
	case WAY_SYSCALL32:
	case WAY_RING32:
		return WAY_SYSCALL32;
	case WAY_RING32_BY_64:
	case WAY_WORKER32:
		return by_task ? WAY_SYSCALL : WAY_SYSCALL32;
	case WAY_RING_BY_32:
		return by_task ? WAY_SYSCALL32 : WAY_SYSCALL;
	default:
		return WAY_SYSCALL;
	}
}

bool is_command(enum way way)
{
	return way != WAY_SYSCALL && way != WAY_SYSCALL32 &&
	       way != WAY_ROUTER && way != WAY_BATCH;
}

void answer_undo(enum way way,
		 const struct ask *a,
		 const struct option *o,
		 const struct answer *answer)
{
	size_t size;
	const uint8_t *memory = ask_memory(a, &size);
	int fd = 0;
	int length = answer->length;

	if (o->effect != INSTALLS || answer->result != 0 || size == 0) {
		return;
	}
	if (length > (int)sizeof(fd)) {
		length = sizeof(fd);
	}
	/* descriptors here are below 256, so one byte identifies them */
	memcpy(&fd, memory + ASK_CANARY, length);
	if (length > 0) {
		(void)ask_close(way, fd);
	}
}

static bool all_bytes(const uint8_t *p, size_t size, uint8_t value)
{
	return size == 0 || (p[0] == value && memcmp(p, p + 1, size - 1) == 0);
}

/* Whether the memory still has its fill byte and input. */
static bool untouched(const struct ask *a, const struct record *r)
{
	size_t input = a->input_size;

	if (r->size == 0) {
		return true;
	}
	if (a->length >= 0 && input > (size_t)a->length) {
		input = a->length;
	}
	return all_bytes(r->memory, ASK_CANARY, a->fill) &&
	       (input == 0 ||
		memcmp(r->memory + ASK_CANARY, a->input, input) == 0) &&
	       all_bytes(r->memory + ASK_CANARY + input,
			 r->size - ASK_CANARY - input,
			 a->fill);
}

/* Whether getsockopt(2) wrote beyond the stated length. */
static bool overran(const struct ask *a, const struct record *r)
{
	return r->answer.length > a->length || r->answer.result == -EFAULT ||
	       record_outside(a, r);
}

bool record_outside(const struct ask *a, const struct record *r)
{
	/* with a negative length the buffer still begins with the input */
	size_t begin = ASK_CANARY +
		       (a->length < 0 ? a->input_size : (size_t)a->length);

	return r->size > 0 &&
	       !(all_bytes(r->memory, ASK_CANARY, a->fill) &&
		 (begin >= r->size ||
		  all_bytes(r->memory + begin, r->size - begin, a->fill)));
}

/* Whether this byte of the value may differ. */
static bool may_change(const struct option *o,
		       size_t offset,
		       const struct record *before,
		       const struct record *after)
{
	const char *ranges = o->changing;
	int used;
	unsigned start;
	unsigned length;

	while (sscanf(ranges, " %u+%u%n", &start, &length, &used) == 2) {
		ranges += used;
		if (offset < start || offset >= start + length) {
			continue;
		}
		if (o->effect == INSTALLS) {
			return true;
		}
		/* all of it, since a carry changes more than one byte */
		start += ASK_CANARY;
		if (start >= before->size) {
			return false;
		}
		if (start + length > before->size) {
			length = before->size - start;
		}
		return memcmp(before->memory + start,
			      after->memory + start,
			      length) != 0;
	}
	return false;
}

static const char *compare_memory(const struct option *o,
				  const struct record *before,
				  const struct record *record,
				  const struct record *after)
{
	size_t i;

	if (memcmp(record->memory, before->memory, record->size) == 0) {
		return NULL;
	}
	for (i = 0; i < record->size; i++) {
		size_t offset = i - ASK_CANARY;

		if (record->memory[i] == before->memory[i] ||
		    (i >= ASK_CANARY && may_change(o, offset, before, after)))
		{
			continue;
		}
		snprintf(why,
			 sizeof(why),
			 "byte %d is %#x, not %#x",
			 (int)i - ASK_CANARY,
			 record->memory[i],
			 before->memory[i]);
		return why;
	}
	return NULL;
}

/* A completion has no length with an error, so there is none to compare. */
static const char *compare_result(bool in_completion,
				  const struct record *before,
				  const struct record *record)
{
	const struct answer *expected = &before->answer;
	const struct answer *answer = &record->answer;

	if (answer->result == expected->result &&
	    (answer->length == expected->length ||
	     (in_completion && answer->result != 0)))
	{
		return NULL;
	}
	snprintf(why,
		 sizeof(why),
		 "%s length %d, not %s length %d",
		 result_name(answer->result),
		 answer->length,
		 result_name(expected->result),
		 expected->length);
	return why;
}

/* The command refused: whether it may refuse, and touched nothing. */
static const char *check_refusal(const struct ask *a,
				 const struct record *record)
{
	if (record->answer.result != -EOPNOTSUPP) {
		snprintf(why,
			 sizeof(why),
			 "%s, expected EOPNOTSUPP",
			 result_name(record->answer.result));
		return why;
	}
	return untouched(a, record) ? NULL : "refused, but wrote";
}

bool refused_by_way(enum way way, int level)
{
	return serves == SERVES_LTS && level != SOL_SOCKET &&
	       (way == WAY_RING32 || way == WAY_RING_BY_32 ||
		way == WAY_RING32_BY_64 || way == WAY_WORKER32);
}

static const char *compare_command(enum way way,
				   const struct ask *a,
				   const struct option *o,
				   bool answered,
				   const struct record *before,
				   const struct record *record,
				   const struct record *after)
{
	const char *wrong = NULL;

	if (!answered || refused_by_way(way, a->level)) {
		return check_refusal(a, record);
	}
	if (a->length < 0) {
		/* cannot be expressed */
		if (record->answer.result == 0) {
			return "takes a negative length";
		}
		return untouched(a, record) ? NULL : "refused, but wrote";
	}
	/* a handler may return ENOPROTOOPT for a socket that is not TCP */
	if (o->ring == NETFILTER && (before->answer.result != -ENOPROTOOPT ||
				     record->answer.result == -EOPNOTSUPP))
	{
		return check_refusal(a, record);
	}
	if (o->ring == BOUNDED && record->answer.result == -EOPNOTSUPP &&
	    overran(a, before))
	{
		return check_refusal(a, record);
	}
	wrong = compare_result(true, before, record);
	if (wrong == NULL) {
		wrong = compare_memory(o, before, record, after);
	}
	return wrong;
}

/* Options that the router must not ask again after the ring fails. */
static bool asked_once(const struct option *o)
{
	return o->effect == CLEARS || o->effect == MAPS;
}

/* The router asks the ring only if all of the stated length can be written. */
static bool not_writable(const struct ask *a)
{
	return a->place != PLACE_GOOD || a->length > ASK_LENGTH_MAX;
}

const char *compare_records(enum way way,
			    const struct ask *a,
			    const struct option *o,
			    bool answered,
			    const struct record *before,
			    const struct record *record,
			    const struct record *after)
{
	const char *wrong = NULL;
	bool by_ring = record->answer.reason == URING_REASON_NONE;

	if (is_command(way)) {
		return compare_command(
			way, a, o, answered, before, record, after);
	}
	wrong = compare_result(false, before, record);
	if (wrong == NULL) {
		wrong = compare_memory(o, before, record, after);
	}
	if (wrong == NULL && (way == WAY_ROUTER || way == WAY_BATCH) &&
	    (o->ring == RING || o->ring == TASK) && a->length >= 0 &&
	    !(way == WAY_ROUTER && not_writable(a)) &&
	    !(way == WAY_ROUTER && asked_once(o)) &&
	    by_ring != (answered && before->answer.result == 0))
	{
		snprintf(why,
			 sizeof(why),
			 "routed by %s",
			 uring_reason_name(record->answer.reason));
		wrong = why;
	}
	return wrong;
}

static void ask_one(enum way way,
		    const struct ask *a,
		    const struct option *o,
		    struct record *r)
{
	struct ask one = *a;
	struct answer answer = {};

	one.slot = 0;
	ask(way, &one, 1, &answer);
	record_take(r, &one, &answer);
	answer_undo(way, &one, o, &answer);
}

const char *compare(enum way way,
		    const struct ask *a,
		    const struct option *o,
		    bool answered)
{
	static struct record before;
	static struct record record;
	static struct record after;
	enum way reference = reference_of(way, o);
	const char *wrong = NULL;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		ask_one(reference, a, o, &before);
		ask_one(way, a, o, &record);
		ask_one(reference, a, o, &after);
		wrong = compare_records(
			way, a, o, answered, &before, &record, &after);
		if (wrong == NULL) {
			break;
		}
	}
	return wrong;
}

int exact_length(const struct ask *like, const struct option *o, bool *succeeds)
{
	const int lengths[] = {
		ASK_PLACED_MAX,
		o->size,
		/* integers, addresses, keys and structs that have such a size
		 */
		8,
		16,
		28,
		40,
		84,
	};
	struct ask a = *like;
	size_t i;

	a.slot = 0;
	a.place = PLACE_GOOD;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct answer answer = {};

		a.length = lengths[i];
		ask(WAY_SYSCALL, &a, 1, &answer);
		answer_undo(WAY_SYSCALL, &a, o, &answer);
		if (answer.result == 0 && (answer.length > 0 || i == 0)) {
			*succeeds = true;
			return answer.length;
		}
		if (answer.result == -ENOPROTOOPT ||
		    answer.result == -EOPNOTSUPP) {
			break;
		}
	}
	*succeeds = false;
	return sizeof(int);
}
