/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Files of qlog: what QUIC does in each connection, to find the cause of a
 * fault.  The parameter is "smbd_uring:quic qlog directory".
 *
 * The files are small and few, because a client must not fill a disk.
 */
#ifndef QUICD_QLOG_H
#define QUICD_QLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "log.h"
#include "settings.h"

/** A directory has no more files; ours end with ".sqlog". */
#define QUICD_QLOG_FILES 16

/** A file is no longer, in bytes. */
#define QUICD_QLOG_SIZE (8 * 1024 * 1024)

/* The directory of a worker. */
struct quicd_qlogs;

/* The file of a connection. */
struct quicd_qlog;

/** @brief Whether the settings can be used; if not, an error in the report. */
bool quicd_qlog_possible(struct quicd_report *report,
			 const struct quicd_settings *settings);

/**
 * @brief Open the directory of the settings, with the rights of a worker.
 *
 * @return NULL if there is none, or after a log line: smbd-quicd serves on.
 */
struct quicd_qlogs *quicd_qlogs_open(TALLOC_CTX *mem_ctx,
				     const struct quicd_settings *settings);

/**
 * @brief Create the file of a new connection, id.sqlog.
 *
 * @param[in] qlogs  or NULL; need not stay
 *
 * @return NULL if this client is to have none, or after a log line.
 */
struct quicd_qlog *quicd_qlog_begin(TALLOC_CTX *mem_ctx,
				    struct quicd_qlogs *qlogs,
				    const struct address *client,
				    const char *id);

/** @brief Add a record. */
void quicd_qlog_write(struct quicd_qlog *qlog, const void *data, size_t len);

#endif /* QUICD_QLOG_H */
