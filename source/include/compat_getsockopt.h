/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Which way a socket query goes on this machine, and the answer that is
 * always right.
 */
#ifndef COMPAT_GETSOCKOPT_H
#define COMPAT_GETSOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <talloc.h>

#ifndef URING_PUBLIC
#define URING_PUBLIC __attribute__((visibility("default")))
#endif

/** How queries are to be answered: smb.conf's smbd_uring:sockopt. */
enum uring_mode {
	/** by system call, always */
	URING_MODE_SYSCALL,
	/** the way that is cheaper where the query stands */
	URING_MODE_AUTO,
	/** through the ring wherever the kernel can; for tests */
	URING_MODE_RING,
};

/** Why a query was answered by system call. */
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
#define URING_REASON_COUNT (URING_REASON_ERROR + 1)

/** What is asked. */
enum uring_query_type {
	URING_QUERY_GETSOCKOPT,
	/** ioctl(SIOCINQ): bytes received and not yet read */
	URING_QUERY_SIOCINQ,
	/** ioctl(SIOCOUTQ): bytes sent and not yet acknowledged */
	URING_QUERY_SIOCOUTQ,
};

/**
 * A socket and what it is; filled by uring_socket_init().
 *
 * It must be made again when the descriptor is closed and its number used
 * for another socket.
 */
struct uring_socket {
	int fd;
	int family;   /* SO_DOMAIN, -1 if not known */
	int type;     /* SO_TYPE */
	int protocol; /* SO_PROTOCOL */
};

/** One question and its answer. */
struct uring_query {
	enum uring_query_type type;

	/** for URING_QUERY_GETSOCKOPT */
	int level;
	int optname;

	/**
	 * The buffer: what is in it is what an option that reads its buffer
	 * gets.  For the ioctls an int.
	 */
	void *optval;
	/** its size; afterwards what getsockopt(2) writes back */
	socklen_t optlen;

	/** 0 or the errno of getsockopt(2) or ioctl(2) */
	int error;

	/** URING_REASON_NONE: the ring answered; else why it did not */
	enum uring_reason reason;
};

/** What happened in this process, since it was started or forked off. */
struct uring_counters {
	/** queries answered by the ring */
	uint64_t ring;
	/** queries answered by system call */
	uint64_t syscall;
	/** the latter by reason */
	uint64_t reason[URING_REASON_COUNT];
	/** io_uring_enter(2) calls that submitted queries */
	uint64_t enters;
	uint64_t rings_created;
	uint64_t rings_failed;
};

/**
 * @brief Find out what a socket is: three system calls, once per
 * connection.
 *
 * @return 0, or EBADF or ENOTSOCK.
 */
URING_PUBLIC int uring_socket_init(int fd, struct uring_socket *sock);

/** @brief Set the mode of this process; URING_MODE_AUTO if never called. */
URING_PUBLIC void uring_set_mode(enum uring_mode mode);
URING_PUBLIC enum uring_mode uring_get_mode(void);

/** @brief "syscall", "auto" or "ring" to the mode; false if unknown. */
URING_PUBLIC bool uring_mode_parse(const char *name, enum uring_mode *mode);
URING_PUBLIC const char *uring_mode_name(enum uring_mode mode);

/** @brief One word for a reason, such as "level"; "ring" for NONE. */
URING_PUBLIC const char *uring_reason_name(enum uring_reason reason);

/** @brief A copy of the counters of this process. */
URING_PUBLIC void uring_counters_get(struct uring_counters *counters);

/** One line of a probe: a level of a kind of socket. */
struct uring_probe_class {
	const char *socket; /* "tcp4", "udp6", ... */
	const char *level;  /* "IPPROTO_TCP", "SIOCOUTQ", ... */
	/** why there is no such socket here; 0 or an errno */
	int socket_error;
	/** 0: the ring answers as the system call does; else its errno */
	int error;
};

/** What works on this kernel, for this user. */
struct uring_probe {
	/** 0, or why there is no ring */
	int ring_error;
	/** "SINGLE_ISSUER DEFER_TASKRUN ...", a talloc child */
	const char *ring_flags;
	/** socket_wrapper or quic_ko_wrapper is loaded */
	bool wrapped;
	size_t num_classes;
	struct uring_probe_class *classes;
};

/**
 * @brief Find out by asking what the ring answers here, whatever the mode.
 *
 * Opens sockets and a ring of its own and closes them again; what it finds
 * is not remembered, and is not counted.
 *
 * @return a talloc structure, NULL without memory.
 */
URING_PUBLIC struct uring_probe *uring_probe(TALLOC_CTX *mem_ctx);

/**
 * @brief Cause and remedy of an errno of a probe, "CAUSE; REMEDY".
 *
 * @param[in] ring  whether it is ring_error or that of a class.
 */
URING_PUBLIC const char *uring_probe_explain(bool ring,
					     int error,
					     char *buf,
					     size_t buflen);

/** @brief Name of an errno, such as "EPERM"; "E?" if it has none. */
URING_PUBLIC const char *uring_errno_name(int error);

/**
 * @brief Where the library says, once per process, that it fell back.
 *
 * Without it the line goes to stderr.  The line has no newline.
 */
URING_PUBLIC void uring_set_log_fn(void (*log_fn)(const char *line));

/**
 * @brief Set the getsockopt(2) to be called, for a program that interposes
 * it: libc's own would lead back into the interposer.
 */
URING_PUBLIC void uring_set_libc_getsockopt(int (
	*fn)(int fd, int level, int optname, void *optval, socklen_t *optlen));

/*
 * Internal from here on: for uring_sockopt.c.
 */

/** getsockopt(2) of libc, or what uring_set_libc_getsockopt() set. */
int compat_libc_getsockopt(int fd,
			   int level,
			   int optname,
			   void *optval,
			   socklen_t *optlen);

/**
 * Changes whenever compat_query_route() may answer differently than before,
 * so that its answers can be kept.
 */
unsigned compat_generation(void);

/**
 * Whether the ring may be asked: URING_REASON_NONE, also when it is not yet
 * known whether it can answer; else why not.
 */
enum uring_reason compat_query_route(const struct uring_socket *sock,
				     const struct uring_query *query);

/**
 * Whether getsockopt(2) may write past the stated length of this query: by a
 * count in the value, or by a length that does not count bytes.
 */
bool compat_query_overruns(const struct uring_query *query);

/**
 * Whether asking changes the answer, so that it must not be asked twice: by
 * the ring, which may fail after it, and then by system call.
 */
bool compat_query_once(const struct uring_query *query);

/** Answer by system call. */
void compat_query_syscall(const struct uring_socket *sock,
			  struct uring_query *query,
			  enum uring_reason reason);

/**
 * Take what the ring answered.  A result >= 0 is the answer; on any error
 * the system call is made, its verdict is the answer, and what the
 * difference tells about the ring is remembered.
 *
 * query->optval must hold the caller's original bytes for in/out options
 * when res is an error.
 */
void compat_query_result(const struct uring_socket *sock,
			 struct uring_query *query,
			 int res);

/** For pthread_atfork(): before fork(), and after it in both processes. */
void compat_fork_prepare(void);
void compat_fork_done(void);

/** Count queries by how they were answered, and enters for them. */
void compat_count(const size_t queries[URING_REASON_COUNT], size_t enters);

/** Count a ring that was created. */
void compat_ring_created(void);

/** Count a ring that cannot be had or died, and say so once. */
void compat_ring_failed(int error);

/** The errno of the last compat_ring_failed() of this process, or 0. */
int compat_ring_error(void);

#endif /* COMPAT_GETSOCKOPT_H */
