// SPDX-License-Identifier: LGPL-3.0-or-later
/* The section of smb.conf that a share has its settings from, see section.h. */

#include "config.h"

#include <strings.h>

#include "section.h"
#include "smbd_symbols.h"

/*
 * smbd tells the name as smb.conf has it, "of %U" for instance.
 * lp_servicenumber() takes the name that a client uses.
 */
static int section_find_snum(const char *share)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	int snum = smbd->lp_servicenumber(share);
	int i;

	if (snum >= 0 || smbd->lp_numservices == NULL) {
		return snum;
	}
	for (i = 0; i < smbd->lp_numservices(); i++) {
		const char *name = smbd->lp_const_servicename(i);

		if (name != NULL && strcasecmp(name, share) == 0) {
			return i;
		}
	}
	return -1;
}

int preload_section_snum(TALLOC_CTX *mem_ctx,
			 struct preload_section *section,
			 const char *share)
{
	const struct smbd_symbols *smbd = smbd_symbols();
	const char *name = NULL;

	if (share == NULL || smbd->lp_servicenumber == NULL ||
	    smbd->lp_const_servicename == NULL)
	{
		return SMBD_GLOBAL_SECTION_SNUM;
	}
	if (section->name != NULL) {
		name = smbd->lp_const_servicename(section->snum);
		if (name != NULL && strcasecmp(name, section->name) == 0) {
			return section->snum;
		}
		TALLOC_FREE(section->name);
	}
	section->snum = section_find_snum(share);
	if (section->snum < 0) {
		return SMBD_GLOBAL_SECTION_SNUM;
	}
	name = smbd->lp_const_servicename(section->snum);
	if (name != NULL) {
		section->name = talloc_strdup(mem_ctx, name);
	}
	return section->snum;
}
