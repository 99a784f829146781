/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* quicd_log() and quicd_log_limited() are still in settings.h. */
#ifndef QUICD_LOG_H
#define QUICD_LOG_H

#include "settings.h"

#endif /* QUICD_LOG_H */
