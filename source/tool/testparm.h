/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * smb.conf, as testparm(1) prints it.
 */
#ifndef TOOL_TESTPARM_H
#define TOOL_TESTPARM_H

#include <stddef.h>
#include <talloc.h>

struct testparm_line {
	/** without brackets */
	const char *section;
	const char *name;
	const char *value;
};

struct testparm {
	struct testparm_line *lines;
	size_t num_lines;
};

/**
 * @brief Read smb.conf, with all defaults of [global].
 *
 * @param[in]  configfile  NULL: Samba's standard one.
 * @param[out] testparm    a talloc child of mem_ctx.
 *
 * @return 0, ENOMEM, EIO if testparm refuses the file, or the errno of its
 *         start.
 */
int testparm_read(TALLOC_CTX *mem_ctx,
		  const char *configfile,
		  struct testparm **testparm);

/** @brief The value of a parameter in [global], without case; NULL: unset. */
const char *testparm_global(const struct testparm *testparm, const char *name);

#endif /* TOOL_TESTPARM_H */
