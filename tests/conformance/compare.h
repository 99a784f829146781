/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether two ways of asking had the same answer, as far as they have to.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include "ask.h"
#include "sockets.h"

/* An answer, and the memory of its question afterwards. */
struct record {
	struct answer answer;
	size_t size;
	uint8_t *memory;
};

void record_take(struct record *r,
		 const struct ask *a,
		 const struct answer *answer);

/* Whether memory before or behind the buffer, as stated, was written. */
bool record_outside(const struct ask *a, const struct record *r);

/* The way that a way is measured by: getsockopt(2) of the same caller. */
enum way reference_of(enum way way, const struct option *o);
bool is_command(enum way way);

/*
 * Ask by a way and by its reference, before and after, until the three agree
 * or have disagreed often enough.  answered: whether the ring is expected to
 * answer.  NULL, or why the way is wrong, which is valid until the next call.
 */
const char *compare(enum way way,
		    const struct ask *a,
		    const struct option *o,
		    bool answered);

/* Whether this kernel answers the command, but not to this kind of caller. */
bool refused_by_way(enum way way, int level);

/* The same for answers that are known; `after` may be `before`. */
const char *compare_records(enum way way,
			    const struct ask *a,
			    const struct option *o,
			    bool answered,
			    const struct record *before,
			    const struct record *record,
			    const struct record *after);

/* Undo what an answer installed. */
void answer_undo(enum way way,
		 const struct ask *a,
		 const struct option *o,
		 const struct answer *answer);

/*
 * The length that fits, as getsockopt(2) tells it.  Some options take no more
 * than that, or nothing else.
 */
int exact_length(const struct ask *like,
		 const struct option *o,
		 bool *succeeds);

/* "EPERM", or a length. */
const char *result_name(int result);

#endif /* COMPARE_H */
