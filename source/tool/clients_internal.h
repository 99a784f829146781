/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What clients.c and totals.c share.
 */
#ifndef TOOL_CLIENTS_INTERNAL_H
#define TOOL_CLIENTS_INTERNAL_H

#include <stddef.h>
#include <jansson.h>

#include "rows.h"

#define CLIENTS_KEY_SIZE (ADDRESS_TEXT_SIZE + 64)

/** The key of a connection's client: the transport and the address. */
void clients_key(const struct status_row *row, char *key, size_t size);

/** A key that no two connections have, unless a writer lies. */
void clients_connection_key(const struct status_row *row,
			    char *key,
			    size_t size);

static inline json_int_t get_integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static inline void set_integer(json_t *object,
			       const char *name,
			       json_int_t value)
{
	json_object_set_new(object, name, json_integer(value));
}

#endif /* TOOL_CLIENTS_INTERNAL_H */
