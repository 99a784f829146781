/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Finds the users of each share, from smbstatus --json.
 */
#ifndef TOOL_NAMES_H
#define TOOL_NAMES_H

#include "rows.h"

/**
 * @brief Set process, users and shares of the rows whose client smbd knows.
 *
 * @param[in] configfile  smb.conf, or NULL: the standard one.
 *
 * @return 0, the errno of the start of smbstatus, EIO if smbstatus failed, or
 *         EPROTO if its output is not as expected.
 */
int names_fill(const char *configfile, struct status_rows *rows);

#endif /* TOOL_NAMES_H */
