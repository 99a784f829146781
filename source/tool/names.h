/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Who uses which share, by smbstatus --json.
 */
#ifndef TOOL_NAMES_H
#define TOOL_NAMES_H

#include "rows.h"

/**
 * @brief Fill in process, users and shares of the rows whose client smbd
 * knows.
 *
 * @param[in] configfile  smb.conf, or NULL: the standard one.
 *
 * @return 0, an errno of starting smbstatus, EIO if it failed, or EPROTO if
 *         what it printed is not to be understood.
 */
int names_fill(const char *configfile, struct status_rows *rows);

#endif /* TOOL_NAMES_H */
