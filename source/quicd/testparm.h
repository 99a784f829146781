/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Execute testparm(1), and read its output line by line.
 */
#ifndef QUICD_TESTPARM_H
#define QUICD_TESTPARM_H

#include <stdbool.h>
#include <talloc.h>

#include "log.h"

enum quicd_testparm_stream {
	QUICD_TESTPARM_STDOUT,
	QUICD_TESTPARM_STDERR,
	QUICD_TESTPARM_STREAMS,
};

/* The longest line that testparm may print, in bytes. */
#define QUICD_TESTPARM_LINE (1 << 20)

/**
 * @brief Called for each line; the callee may change it.
 *
 * The lines of a stream come in their order.  Nothing is known about the order
 * of lines of different streams.
 */
typedef void (*quicd_testparm_fn)(void *private_data,
				  enum quicd_testparm_stream stream,
				  char *line);

/**
 * @brief Have testparm print all parameters, and say at debug level 4 what it
 * reads.
 *
 * @param[in] path  of smb.conf; NULL: the one that Samba was built with
 *
 * @return false after an error in the report.  The exit status of testparm does
 * not count: it is 1 even after faults that do not matter to smbd.
 */
bool quicd_testparm(TALLOC_CTX *mem_ctx,
		    struct quicd_report *report,
		    const char *path,
		    quicd_testparm_fn fn,
		    void *private_data);

#endif /* QUICD_TESTPARM_H */
