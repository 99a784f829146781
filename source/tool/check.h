/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Whether the running smbd has the preload library, and what is wrong.
 */
#ifndef TOOL_CHECK_H
#define TOOL_CHECK_H

/**
 * @brief Print one line about the running smbd.
 *
 * If no client is connected, the function opens a connection to smbd for a
 * moment.
 *
 * @param[in] configfile  NULL: Samba's standard one.
 *
 * @return an enum verdict_level, the exit status.
 */
int check_print(const char *configfile);

#endif /* TOOL_CHECK_H */
