/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The smbd-quicd of each node, see quicd.h.
 */

#include "config.h"

#include "quicd.h"

bool quicd_get(const struct status_rows *rows,
	       size_t number,
	       struct quicd_shown *shown)
{
	*shown = (struct quicd_shown){};
	if (!rows->cluster) {
		shown->read = rows->quicd;
		return number == 0;
	}
	if (number >= rows->num_nodes) {
		return false;
	}
	shown->read = rows->nodes[number].quicd;
	shown->node = rows->nodes[number].name;
	return true;
}

bool quicd_any(const struct status_rows *rows)
{
	struct quicd_shown shown;
	size_t i;

	for (i = 0; quicd_get(rows, i, &shown); i++) {
		if (shown.read != NULL) {
			return true;
		}
	}
	return false;
}
