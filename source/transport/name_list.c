/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Lists of names in published rows.
 */

#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "name_list.h"
#include "publish_row.h"
#include "util/printable.h"

static bool name_list_has(const char *list, const char *name)
{
	const char separator[] = {URING_STATUS_SEPARATOR, '\0'};
	const size_t length = strlen(name);

	while (*list != '\0') {
		size_t item = strcspn(list, separator);

		if (item == length && memcmp(list, name, length) == 0) {
			return true;
		}
		list += item;
		list += strspn(list, separator);
	}
	return false;
}

void name_list_add(char *list, size_t size, const char *name)
{
	const size_t room = size - sizeof(URING_STATUS_MORE) - 1;
	char item[sizeof(((struct uring_status_row *)NULL)->shares)];
	size_t used = strlen(list);
	size_t length = printable_copy(item, sizeof(item), name);

	if (length == 0 || name_list_has(list, item) ||
	    name_list_has(list, URING_STATUS_MORE))
	{
		return;
	}
	if (used > 0) {
		list[used] = URING_STATUS_SEPARATOR;
		used += 1;
	}
	if (used + length >= room) {
		memcpy(list + used,
		       URING_STATUS_MORE,
		       sizeof(URING_STATUS_MORE));
		return;
	}
	memcpy(list + used, item, length + 1);
}
