/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The rights of workers.
 *
 * systemd starts the service as a user of its own, which has no rights to give
 * up.  If root starts smbd-quicd by hand, the parent stays root, because it
 * reads the files again at SIGHUP.  The parent receives nothing from the
 * network.  The workers do, so they become another user.
 */

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "rights.h"

bool quicd_rights_find(struct quicd_rights *rights)
{
	const struct passwd *user = NULL;

	*rights = (struct quicd_rights){};
	if (geteuid() != 0) {
		return true;
	}
	user = getpwnam("smbd-quicd");
	if (user == NULL) {
		user = getpwnam("nobody");
	}
	if (user == NULL || user->pw_uid == 0) {
		quicd_log_at(QUICD_LOG_ERROR,
			     "there is neither a user smbd-quicd nor nobody "
			     "whose rights the workers could have");
		return false;
	}
	rights->drop = true;
	rights->uid = user->pw_uid;
	rights->gid = user->pw_gid;
	return true;
}

/* All sets: this one capability, or none. */
static bool rights_capabilities(bool raw)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (raw) {
		data[0].permitted = 1U << CAP_NET_RAW;
		data[0].effective = 1U << CAP_NET_RAW;
	}
	return syscall(SYS_capset, &header, data) == 0;
}

bool quicd_rights_drop(const struct quicd_rights *rights, bool raw)
{
	if (!rights->drop) {
		return true;
	}
	if (prctl(PR_SET_KEEPCAPS, raw ? 1 : 0) != 0 ||
	    setgroups(0, NULL) != 0 ||
	    setresgid(rights->gid, rights->gid, rights->gid) != 0 ||
	    setresuid(rights->uid, rights->uid, rights->uid) != 0 ||
	    !rights_capabilities(raw) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
	{
		return false;
	}
#ifdef __SANITIZE_ADDRESS__
	/* the leak checker reads the memory of its own process */
	(void)prctl(PR_SET_DUMPABLE, 1);
#endif
	return true;
}
