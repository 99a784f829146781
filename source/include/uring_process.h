/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * State for all queries of this process: the mode, the counters, and the log
 * function.
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
	/** always by system call */
	URING_MODE_SYSCALL,
	/** in the way that is cheaper for these queries */
	URING_MODE_AUTO,
	/** through the ring wherever the kernel supports it; for tests */
	URING_MODE_RING,
};

/**
 * Why the library answered a query by system call.  Later versions may have
 * more reasons; uring_reason_name() knows all of them.
 */
enum uring_reason {
	/** no system call: the ring answered */
	URING_REASON_NONE,
	/** the mode is URING_MODE_SYSCALL */
	URING_REASON_MODE,
	/** too few queries were asked together to be worth an enter */
	URING_REASON_FEW,
	/** the kernel's command does not serve this option of this protocol */
	URING_REASON_LEVEL,
	/** a security module refuses the command */
	URING_REASON_DENIED,
	/** there is no ring: the kernel refused it, or it died */
	URING_REASON_NORING,
	/** the effective user differs from the user: no ring is created */
	URING_REASON_EUID,
	/** socket_wrapper or quic_ko_wrapper: not a kernel socket */
	URING_REASON_WRAPPED,
	/** the command cannot express the query: no length, a negative length,
	 * or no socket; or the query could not be repeated after an error */
	URING_REASON_SHAPE,
	/** the ring reported an error; the system call then answered */
	URING_REASON_ERROR,
};

/** Counts of this process, since it was started or forked. */
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
 * @brief Set the mode of this process.  The default is URING_MODE_AUTO.
 *
 * To set the same mode again changes nothing and costs nothing.
 */
URING_PUBLIC void uring_set_mode(enum uring_mode mode);
URING_PUBLIC enum uring_mode uring_get_mode(void);

/** @brief Parse "syscall", "auto" or "ring"; false if name is another. */
URING_PUBLIC bool uring_mode_parse(const char *name, enum uring_mode *mode);
URING_PUBLIC const char *uring_mode_name(enum uring_mode mode);

/**
 * @brief One word for a reason, such as "level"; "ring" for
 * URING_REASON_NONE.
 *
 * @return NULL if this library does not know the reason.
 */
URING_PUBLIC const char *uring_reason_name(enum uring_reason reason);

/**
 * @brief A copy of the counters of this process.
 *
 * @param[in] size  sizeof(*counters); fields that this library does not know
 *                  are set to 0.
 */
URING_PUBLIC void uring_counters_get(struct uring_counters *counters,
				     size_t size);

/**
 * @brief How many queries the library answered by system call for a reason.
 *
 * @return for URING_REASON_NONE the number of queries that the ring answered;
 *         0 if the reason is unknown.
 */
URING_PUBLIC uint64_t uring_counters_reason(enum uring_reason reason);

/**
 * @brief Set the function that logs, once per process, that the library fell
 * back to system calls.
 *
 * The line is "falling back to system calls: CAUSE; REMEDY" and has no
 * newline.  Without a function the library writes it to stderr, as
 * "tevent-uring: ...".
 */
URING_PUBLIC void uring_set_log_fn(void (*log_fn)(const char *line));

/** @brief Name of an errno, such as "EPERM"; "E?" if error has no name. */
URING_PUBLIC const char *uring_errno_name(int error);

#endif /* URING_PROCESS_H */
