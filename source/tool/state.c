/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The state of a connection, see state.h.
 */

#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "state.h"

static bool reaches(const struct uring_status_row *row,
		    enum figure_index figure,
		    uint64_t limit)
{
	uint64_t value = row->figures[figure];

	return limit != 0 && value != FIGURE_UNKNOWN && value >= limit;
}

enum status_state state_judge(const struct uring_status_row *row)
{
	if (row->sampled == 0 ||
	    (row->limit_rtt_us == 0 && row->limit_loss_ppm == 0 &&
	     row->limit_stall_ms == 0))
	{
		return STATE_UNKNOWN;
	}
	if (reaches(row, FIGURE_stall_ms, row->limit_stall_ms)) {
		return STATE_STALL;
	}
	if (reaches(row, FIGURE_loss_ppm, row->limit_loss_ppm)) {
		return STATE_LOSS;
	}
	if (reaches(row, FIGURE_rtt_us, row->limit_rtt_us)) {
		return STATE_SLOW;
	}
	return STATE_OK;
}

const char *state_name(enum status_state state)
{
	switch (state) {
	case STATE_OK:
		return "ok";
	case STATE_SLOW:
		return "SLOW";
	case STATE_LOSS:
		return "LOSS";
	case STATE_STALL:
		return "STALL";
	case STATE_UNKNOWN:
		break;
	}
	return "";
}

enum status_state state_find(const char *name)
{
	enum status_state state = STATE_STALL;

	while (state != STATE_UNKNOWN && strcmp(name, state_name(state)) != 0) {
		state -= 1;
	}
	return state;
}
