// SPDX-License-Identifier: LGPL-3.0-or-later
/* The "smbd_uring:" parameters of smb.conf, see settings.h. */

#include "config.h"

#include <string.h>

#include "log.h"
#include "log_once.h"
#include "settings.h"
#include "smbd_symbols.h"
#include "transport/smbd_parameters.h"
#include "util/printable.h"

/* The log cuts names and values that are longer. */
#define SETTINGS_TEXT 256

static const char *settings_parm(int snum, const char *option, const char *def)
{
	const struct smbd_symbols *smbd = smbd_symbols();

	if (smbd->lp_loaded == NULL || smbd->lp_parm_const_string == NULL ||
	    !smbd->lp_loaded())
	{
		return def;
	}
	return smbd->lp_parm_const_string(snum, "smbd_uring", option, def);
}

static void settings_bad_value(const char *name,
			       const char *option,
			       const char *value,
			       const char *allowed,
			       const char *def)
{
	const char *global = settings_parm(
		SMBD_GLOBAL_SECTION_SNUM, option, def);
	char text[SETTINGS_TEXT];
	char section[SETTINGS_TEXT + sizeof(" in []")] = "";

	/* most shares get the value from [global] */
	if (name != NULL && strcmp(value, global) != 0) {
		(void)printable_copy(text, sizeof(text), name);
		(void)snprintf(section, sizeof(section), " in [%s]", text);
	}
	(void)printable_copy(text, sizeof(text), value);
	preload_warning_once_format("smbd_uring: smbd_uring:%s = %s: unknown "
				    "value%s, allowed: %s; using %s",
				    option,
				    text,
				    section,
				    allowed,
				    def);
}

/* Which of the allowed words the value is, from 0 on; def with a warning. */
static int settings_word(const char *option, const char *def_word, int def)
{
	struct uring_parameter parameter = {.allowed = ""};
	const char *value = settings_parm(SMBD_GLOBAL_SECTION_SNUM,
					  option,
					  def_word);
	int word;

	(void)uring_parameter_find(option, &parameter);
	word = uring_parameter_word(parameter.allowed, value);
	if (word == -1) {
		settings_bad_value(
			NULL, option, value, parameter.allowed, def_word);
		return def;
	}
	return word;
}

bool preload_settings_load(void)
{
	preload_log_set(settings_word("log", "warnings", PRELOAD_LOG_WARNINGS));
	return settings_word("backend", "epoll", 0) == 1;
}

void preload_settings_get(const char *name,
			  int snum,
			  struct preload_settings *settings)
{
	const char *value = settings_parm(snum, "sockopt", "syscall");
	size_t i;

	*settings = (struct preload_settings){
		.mode = URING_MODE_SYSCALL,
	};
	if (!uring_mode_parse(value, &settings->mode)) {
		struct uring_parameter parameter = {.allowed = ""};

		(void)uring_parameter_find("sockopt", &parameter);
		settings_bad_value(
			name, "sockopt", value, parameter.allowed, "syscall");
	}
	for (i = 0; i < URING_WATCH_PARAMETERS; i++) {
		const struct uring_watch_parameter *p =
			&uring_watch_parameters[i];

		value = settings_parm(snum, p->name, "0");
		if (!uring_watch_set(&settings->watch, i, value)) {
			settings_bad_value(
				name, p->name, value, p->allowed, "0");
		}
	}
}

void preload_settings_check(const struct preload_settings *settings,
			    bool use_backend)
{
	if (settings->watch.interval != 0 && !use_backend) {
		preload_warning_once_format(
			"smbd_uring: smbd_uring:sample interval "
			"needs smbd_uring:backend = io_uring; "
			"nothing is sampled");
	}
	if (settings->watch.interval == 0 &&
	    (settings->watch.warn_rtt != 0 ||
	     settings->watch.warn_retrans != 0 ||
	     settings->watch.warn_stall != 0))
	{
		preload_warning_once_format(
			"smbd_uring: smbd_uring:warn ... needs "
			"smbd_uring:sample interval; nothing is "
			"sampled");
	}
}
