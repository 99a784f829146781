/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A day by client, by user and by share.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "day.h"
#include "util/macros.h"

/* Of monitoring/rules.yml. */
#define DEFAULT_RTT_US 100000
#define DEFAULT_LOSS_PPM 20000
#define DEFAULT_STALL_MS 30000

static const char *get_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static uint64_t get_number(const json_t *object, const char *name)
{
	json_int_t number = json_integer_value(json_object_get(object, name));

	return number > 0 ? (uint64_t)number : 0;
}

static enum status_state judge(const json_t *client,
			       const struct day_slot *values)
{
	enum status_state state = state_find(get_string(client, "state"));

	if (state != STATE_UNKNOWN) {
		return state;
	}
	if (values->stall_ms > DEFAULT_STALL_MS) {
		return STATE_STALL;
	}
	if (values->loss_ppm > DEFAULT_LOSS_PPM) {
		return STATE_LOSS;
	}
	return values->rtt_us > DEFAULT_RTT_US ? STATE_SLOW : STATE_OK;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void day_slot_add(struct day_slot *slot, const struct day_slot *more)
{
	slot->state = more->state > slot->state ? more->state : slot->state;
	slot->rtt_us = larger(slot->rtt_us, more->rtt_us);
	slot->loss_ppm = larger(slot->loss_ppm, more->loss_ppm);
	slot->stall_ms = larger(slot->stall_ms, more->stall_ms);
	slot->sent += more->sent;
	slot->received += more->received;
}

/* Make room for one more line; false: no memory. */
static bool lines_grow(struct day_lines *lines)
{
	size_t room = talloc_array_length(lines->lines);
	struct day_line *more = NULL;

	if (lines->num_lines < room) {
		return true;
	}
	more = talloc_realloc(
		NULL, lines->lines, struct day_line, 2 * room + 16);
	if (more == NULL) {
		return false;
	}
	lines->lines = more;
	return true;
}

/*
 * The line of this name, a new one if need be, or NULL if there are too many;
 * false: no memory.
 */
static bool lines_find(struct day_lines *lines,
		       json_t *index,
		       const char *key,
		       const char *name,
		       struct day_line **line)
{
	const json_t *known = json_object_get(index, key);

	*line = NULL;
	if (json_is_integer(known)) {
		*line = &lines->lines[json_integer_value(known)];
	}
	if (known != NULL) {
		return true;
	}
	if (lines->num_lines == DAY_LINES_MAX) {
		lines->num_left_out += 1;
		return json_object_set_new(index, key, json_null()) == 0;
	}
	if (!lines_grow(lines)) {
		return false;
	}
	json_object_set_new(index,
			    key,
			    json_integer((json_int_t)lines->num_lines));
	*line = &lines->lines[lines->num_lines];
	lines->num_lines += 1;
	**line = (struct day_line){.name = name, .transport = ""};
	return true;
}

static void add_names(json_t **set, const json_t *names)
{
	json_t *name = NULL;
	size_t i;

	if (*set == NULL) {
		*set = json_object();
	}
	json_array_foreach(names, i, name)
	{
		if (json_is_string(name)) {
			json_object_set_new(*set,
					    json_string_value(name),
					    json_true());
		}
	}
}

/* Add a client's values to each of its users, or shares. */
static bool add_to_names(struct day_lines *lines,
			 json_t *index,
			 const json_t *names,
			 size_t slot,
			 const struct day_slot *values)
{
	json_t *name = NULL;
	size_t i;

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		struct day_line *line = NULL;

		if (text == NULL) {
			continue;
		}
		if (!lines_find(lines, index, text, text, &line)) {
			return false;
		}
		if (line != NULL) {
			day_slot_add(&line->slots[slot], values);
		}
	}
	return true;
}

/* The growth of a counter since the client's last sample. */
static uint64_t growth(json_t *last, const char *name, const json_t *client)
{
	bool known = json_object_get(last, name) != NULL;
	uint64_t before = get_number(last, name);
	uint64_t now = get_number(client, name);

	json_object_set(last, name, json_object_get(client, name));
	return known && now > before ? now - before : 0;
}

/* Used while the samples are read: maps names to numbers of lines. */
struct indices {
	json_t *clients;
	json_t *users;
	json_t *shares;
	json_t *last;
};

static bool add_client(struct day *day,
		       struct indices *indices,
		       const json_t *client,
		       size_t slot)
{
	const char *name = get_string(client, "client");
	char *key = talloc_asprintf(NULL,
				    "%s %s",
				    get_string(client, "transport"),
				    name);
	const json_t *users = json_object_get(client, "users");
	const json_t *shares = json_object_get(client, "shares");
	struct day_slot values = {
		.rtt_us = get_number(client, "rtt_us"),
		.loss_ppm = get_number(client, "loss_ppm"),
		.stall_ms = get_number(client, "stall_ms"),
	};
	struct day_line *line = NULL;
	json_t *last = NULL;
	bool found;

	if (key == NULL) {
		return false;
	}
	last = json_object_get(indices->last, key);
	if (last == NULL) {
		last = json_object();
		json_object_set_new(indices->last, key, last);
	}
	values.sent = growth(last, "bytes_acked", client);
	values.received = growth(last, "bytes_received", client);
	values.state = judge(client, &values);
	found = lines_find(&day->clients, indices->clients, key, name, &line);
	talloc_free(key);
	if (!found) {
		return false;
	}
	if (line != NULL) {
		line->transport = get_string(client, "transport");
		add_names(&line->users, users);
		add_names(&line->shares, shares);
		day_slot_add(&line->slots[slot], &values);
	}
	return add_to_names(
		       &day->users, indices->users, users, slot, &values) &&
	       add_to_names(
		       &day->shares, indices->shares, shares, slot, &values);
}

static bool add_samples(struct day *day,
			struct indices *indices,
			const json_t *samples)
{
	json_t *sample = NULL;
	size_t i;

	json_array_foreach(samples, i, sample)
	{
		int64_t time = json_integer_value(
			json_object_get(sample, "time"));
		int64_t slot = (time - day->start) / DAY_SLOT_SECONDS;
		json_t *client = NULL;
		size_t j;

		if (time < day->start || slot >= DAY_SLOTS) {
			continue;
		}
		json_array_foreach(json_object_get(sample, "clients"),
				   j,
				   client)
		{
			if (!add_client(day, indices, client, (size_t)slot)) {
				return false;
			}
		}
	}
	return true;
}

static int compare_lines(const void *a, const void *b)
{
	const struct day_line *one = a;
	const struct day_line *other = b;
	const uint64_t values[][2] = {
		{one->bad, other->bad},
		{one->all.stall_ms, other->all.stall_ms},
		{one->all.loss_ppm, other->all.loss_ppm},
		{one->all.rtt_us, other->all.rtt_us},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i][0] != values[i][1]) {
			return values[i][0] > values[i][1] ? -1 : 1;
		}
	}
	return strcmp(one->name, other->name);
}

static void lines_finish(struct day_lines *lines)
{
	size_t i;
	size_t j;

	for (i = 0; i < lines->num_lines; i++) {
		struct day_line *line = &lines->lines[i];

		for (j = 0; j < DAY_SLOTS; j++) {
			day_slot_add(&line->all, &line->slots[j]);
			line->bad += line->slots[j].state > STATE_OK;
		}
	}
	if (lines->num_lines > 1) {
		qsort(lines->lines,
		      lines->num_lines,
		      sizeof(lines->lines[0]),
		      compare_lines);
	}
}

int day_arrange(const json_t *samples, int64_t now, struct day *day)
{
	struct indices indices = {
		.clients = json_object(),
		.users = json_object(),
		.shares = json_object(),
		.last = json_object(),
	};
	bool done;

	*day = (struct day){
		/* the slot of now is the last */
		.start = (now / DAY_SLOT_SECONDS - (DAY_SLOTS - 1)) *
			 DAY_SLOT_SECONDS,
	};
	done = add_samples(day, &indices, samples);
	json_decref(indices.clients);
	json_decref(indices.users);
	json_decref(indices.shares);
	json_decref(indices.last);
	if (!done) {
		day_free(day);
		return ENOMEM;
	}
	lines_finish(&day->clients);
	lines_finish(&day->users);
	lines_finish(&day->shares);
	return 0;
}

void day_free(struct day *day)
{
	size_t i;

	for (i = 0; i < day->clients.num_lines; i++) {
		json_decref(day->clients.lines[i].users);
		json_decref(day->clients.lines[i].shares);
	}
	TALLOC_FREE(day->clients.lines);
	TALLOC_FREE(day->users.lines);
	TALLOC_FREE(day->shares.lines);
}
