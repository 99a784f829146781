/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares the answers of two ways of asking, as far as they must agree.
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

/* Whether memory before or behind the stated buffer was written. */
bool record_outside(const struct ask *a, const struct record *r);

/* The reference of a way: getsockopt(2) of the same kind of caller. */
enum way reference_of(enum way way, const struct option *o);
bool is_command(enum way way);

/*
 * Ask by the reference, by a way, and by the reference again, until the three
 * agree or have disagreed often enough.  answered: whether the ring must
 * answer.  Returns NULL, or the error of the way, which is valid until the next
 * call.
 */
const char *compare(enum way way,
		    const struct ask *a,
		    const struct option *o,
		    bool answered);

/* Whether this kernel answers the command, but not to this kind of caller. */
bool refused_by_way(enum way way, int level);

/* The same for known answers; `after` may be `before`. */
const char *compare_records(enum way way,
			    const struct ask *a,
			    const struct option *o,
			    bool answered,
			    const struct record *before,
			    const struct record *record,
			    const struct record *after);

/* Remove what an answer installed. */
void answer_undo(enum way way,
		 const struct ask *a,
		 const struct option *o,
		 const struct answer *answer);

/*
 * The exact length of the value, from getsockopt(2).  Some options accept no
 * longer one, or only this one.
 */
int exact_length(const struct ask *like,
		 const struct option *o,
		 bool *succeeds);

/* "EPERM", or a length. */
const char *result_name(int result);

#endif /* COMPARE_H */
