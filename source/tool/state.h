/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The state of a connection by the limits of its shares.
 */
#ifndef TOOL_STATE_H
#define TOOL_STATE_H

#include "transport/publish_row.h"

/** The state of a connection by the limits of its shares; the worst last. */
enum status_state {
	/** no limits, or no sample */
	STATE_UNKNOWN,
	STATE_OK,
	STATE_SLOW,
	STATE_LOSS,
	STATE_STALL,
};

/** @brief Judge the last sample by the limits in its row. */
enum status_state state_judge(const struct uring_status_row *row);

/** "ok", "SLOW", "LOSS", "STALL"; "" if the state is unknown. */
const char *state_name(enum status_state state);

/** @brief The state with this name; STATE_UNKNOWN if there is none. */
enum status_state state_find(const char *name);

#endif /* TOOL_STATE_H */
