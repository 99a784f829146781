/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What holds for all queries of this process: the mode, the counters, and
 * where a trouble is reported.
 */
#ifndef URING_PROCESS_H
#define URING_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef URING_PUBLIC
#define URING_PUBLIC __attribute__((visibility("default")))
#endif

/** How queries are to be answered. */
enum uring_mode {
	/** by system call, always */
	URING_MODE_SYSCALL,
	/** the way that is cheaper where the query stands */
	URING_MODE_AUTO,
	/** through the ring wherever the kernel can; for tests */
	URING_MODE_RING,
};

/**
 * Why a query was answered by system call.  Later versions may have more;
 * uring_reason_name() knows all of them.
 */
enum uring_reason {
	/** it was not: the ring answered */
	URING_REASON_NONE,
	/** the mode is URING_MODE_SYSCALL */
	URING_REASON_MODE,
	/** too few queries stood together to be worth an enter */
	URING_REASON_FEW,
	/** the kernel's command does not serve this option of this protocol */
	URING_REASON_LEVEL,
	/** a security module refuses the command */
	URING_REASON_DENIED,
	/** there is no ring: not to be had, or it died */
	URING_REASON_NORING,
	/** the effective user is not the one to create a ring with */
	URING_REASON_EUID,
	/** socket_wrapper or quic_ko_wrapper: not a kernel socket */
	URING_REASON_WRAPPED,
	/** the command cannot express it: no length or a negative one, or no
	 * socket; or it could not be asked again */
	URING_REASON_SHAPE,
	/** the ring reported an error; the system call has the last word */
	URING_REASON_ERROR,
};

/** What happened in this process, since it was started or forked off. */
struct uring_counters {
	/** queries answered by the ring */
	uint64_t ring;
	/** queries answered by system call */
	uint64_t syscall;
	/** io_uring_enter(2) calls that submitted queries */
	uint64_t enters;
	uint64_t rings_created;
	uint64_t rings_failed;
};

/**
 * @brief Set the mode of this process; URING_MODE_AUTO if never called.
 *
 * A mode that is set already changes nothing and costs nothing.
 */
URING_PUBLIC void uring_set_mode(enum uring_mode mode);
URING_PUBLIC enum uring_mode uring_get_mode(void);

/** @brief "syscall", "auto" or "ring" to the mode; false if unknown. */
URING_PUBLIC bool uring_mode_parse(const char *name, enum uring_mode *mode);
URING_PUBLIC const char *uring_mode_name(enum uring_mode mode);

/**
 * @brief One word for a reason, such as "level"; "ring" for
 * URING_REASON_NONE.
 *
 * @return NULL behind the last reason that this library knows.
 */
URING_PUBLIC const char *uring_reason_name(enum uring_reason reason);

/**
 * @brief A copy of the counters of this process.
 *
 * @param[in] size  sizeof(*counters); what the caller's structure has and this
 *                  library does not count is 0.
 */
URING_PUBLIC void uring_counters_get(struct uring_counters *counters,
				     size_t size);

/**
 * @brief How many queries were answered by system call for this reason.
 *
 * @return 0 if the reason is unknown; for URING_REASON_NONE those that the
 *         ring answered.
 */
URING_PUBLIC uint64_t uring_counters_reason(enum uring_reason reason);

/**
 * @brief Where the library says, once per process, that it fell back.
 *
 * The line is "falling back to system calls: CAUSE; REMEDY" and has no
 * newline.  Without a function it goes to stderr, as "tevent-uring: ...".
 */
URING_PUBLIC void uring_set_log_fn(void (*log_fn)(const char *line));

/** @brief Name of an errno, such as "EPERM"; "E?" if it has none. */
URING_PUBLIC const char *uring_errno_name(int error);

#endif /* URING_PROCESS_H */
