/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file section.h
 * The section of smb.conf that a share has its settings from.
 */

#ifndef PRELOAD_SECTION_H
#define PRELOAD_SECTION_H

#include <talloc.h>

/** A section, as of when it was found; zeroes: it was not. */
struct preload_section {
	int snum;
	char *name;
};

/**
 * The number of a share's section.  It may change when smb.conf is loaded
 * again; then the function finds the section anew.
 *
 * @param[in] mem_ctx  the owner of section->name
 * @param[in] share    as smbd tells it at a tree connect; NULL: none
 *
 * @return SMBD_GLOBAL_SECTION_SNUM if there is no share, or no section for it
 */
int preload_section_snum(TALLOC_CTX *mem_ctx,
			 struct preload_section *section,
			 const char *share);

#endif
