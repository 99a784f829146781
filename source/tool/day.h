/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A day by client, by user and by share, in slots of five minutes.
 */
#ifndef TOOL_DAY_H
#define TOOL_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "state.h"

#define DAY_SLOTS 288
#define DAY_SLOT_SECONDS 300

/** So many clients, users or shares; each takes 14 kB. */
#define DAY_LINES_MAX 4000

struct day_slot {
	/** the worst state; STATE_UNKNOWN: not connected */
	enum status_state state;
	/* the worst values; 0 if unknown */
	uint64_t rtt_us;
	uint64_t loss_ppm;
	uint64_t stall_ms;
	/** bytes to and from the clients */
	uint64_t sent;
	uint64_t received;
};

/** A client, a user or a share. */
struct day_line {
	/** points into the samples; "" if unknown */
	const char *name;
	const char *transport;
	/** of a client: sets of names, which the line owns; else NULL */
	json_t *users;
	json_t *shares;
	struct day_slot slots[DAY_SLOTS];
	/** all slots together; the state is the worst */
	struct day_slot all;
	/** slots that are not ok */
	unsigned bad;
};

struct day_lines {
	/** a talloc array, of which num_lines are used; the worst first */
	struct day_line *lines;
	size_t num_lines;
	/** names that came when there were DAY_LINES_MAX */
	size_t num_left_out;
};

struct day {
	/** of the first slot, seconds since 1970 */
	int64_t start;
	struct day_lines clients;
	struct day_lines users;
	struct day_lines shares;
};

/**
 * @brief Arrange the samples.
 *
 * Without limits in smb.conf a client is judged by those of the alert rules:
 * 2 % of loss, 100 ms of round-trip time, 30 s of stall.
 *
 * @param[in]  samples  of history_read(); must live as long as the day.
 * @param[in]  now      the end of the day.
 * @param[out] day      the caller calls day_free().
 *
 * @return 0 or ENOMEM.
 */
int day_arrange(const json_t *samples, int64_t now, struct day *day);

/** @brief Add the values of more: the worst, and the sum of bytes. */
void day_slot_add(struct day_slot *slot, const struct day_slot *more);

void day_free(struct day *day);

#endif /* TOOL_DAY_H */
