/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A transport snapshot as a line of text, for logs: the figures, and which way
 * each query was answered.
 */

#include "config.h"

#include <stdint.h>

#include "snapshot_text.h"

static char *snapshot_append_figures(char *s,
				     const struct uring_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < FIGURES_COUNT; i++) {
		if (!uring_snapshot_has(snapshot, i)) {
			continue;
		}
		if (figures[i].unit == FIGURE_UNIT_TEXT) {
			s = talloc_asprintf_append_buffer(s,
							  "%s=%s ",
							  figures[i].name,
							  snapshot->congestion);
			continue;
		}
		s = talloc_asprintf_append_buffer(s,
						  "%s=%ju ",
						  figures[i].name,
						  (uintmax_t)
							  snapshot->figures[i]);
	}
	return s;
}

char *uring_snapshot_string(TALLOC_CTX *mem_ctx,
			    const struct uring_snapshot *snapshot)
{
	char *s = snapshot_append_figures(talloc_strdup(mem_ctx, ""), snapshot);
	size_t i;

	s = talloc_strdup_append_buffer(s, "via");
	for (i = 0; i < FIGURE_QUERIES_COUNT; i++) {
		const char *name = uring_snapshot_query_name(snapshot, i);
		enum uring_reason reason = snapshot->queries[i].reason;
		int error = snapshot->queries[i].error;

		if (error != 0) {
			s = talloc_asprintf_append_buffer(s,
							  " %s=error(%s)",
							  name,
							  uring_errno_name(
								  error));
		} else if (reason != URING_REASON_NONE) {
			s = talloc_asprintf_append_buffer(s,
							  " %s=syscall(%s)",
							  name,
							  uring_reason_name(
								  reason));
		} else {
			s = talloc_asprintf_append_buffer(s, " %s=ring", name);
		}
	}
	return s;
}
