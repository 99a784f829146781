// SPDX-License-Identifier: LGPL-3.0-or-later
/* What we call of a stock smbd, see smbd_symbols.h. */

#include <dlfcn.h>

#include "smbd_symbols.h"

#define SMBD_FIND(_name) symbols._name = dlsym(RTLD_DEFAULT, #_name)

const struct smbd_symbols *smbd_symbols(void)
{
	static struct smbd_symbols symbols;
	static bool found;

	if (found) {
		return &symbols;
	}
	found = true;
	SMBD_FIND(dbghdrclass);
	SMBD_FIND(dbgtext);
	SMBD_FIND(debuglevel_get_class);
	SMBD_FIND(lp_loaded);
	SMBD_FIND(lp_parm_const_string);
	SMBD_FIND(lp_servicenumber);
	SMBD_FIND(lp_numservices);
	SMBD_FIND(lp_const_servicename);
	SMBD_FIND(lp_dump_one);
	SMBD_FIND(lp_wi_scan_global_parametrics);
	SMBD_FIND(lock_path);
	return &symbols;
}
