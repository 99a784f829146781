/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What smb.conf says to smbd-quicd; addresses and log lines.
 */
#ifndef QUICD_SETTINGS_H
#define QUICD_SETTINGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <talloc.h>

#include "util/address.h"

#define quicd_address address /* until settings.c says it */

/* For quicd_address_print(). */
struct quicd_address_buf {
	char buf[INET6_ADDRSTRLEN + sizeof("[%4294967295]:65535")];
};

enum quicd_client_certificates {
	QUICD_CLIENT_CERTIFICATES_NO,
	QUICD_CLIENT_CERTIFICATES_OPTIONAL,
	QUICD_CLIENT_CERTIFICATES_REQUIRED,
};

struct quicd_hosts;

/* One of each family. */
#define QUICD_SERVERS_MAX 2

struct quicd_settings {
	struct quicd_address *listen;
	struct quicd_address servers[QUICD_SERVERS_MAX];
	unsigned num_servers;
	bool transparent; /* smbd sees the client's address */
	uint32_t max_connections;
	uint32_t max_per_address;
	uint32_t idle_timeout; /* seconds */
	uint32_t workers;
	enum quicd_client_certificates client_certificates;
	const char *backend;

	const char *certfile;
	const char *keyfile;
	const char *cafile;
	const char *crlfile; /* or NULL */
	const struct quicd_hosts *hosts_allow;
	const struct quicd_hosts *hosts_deny;

	/* the largest SMB2 message that smbd lets a client send */
	uint32_t max_message;
};

/**
 * @brief Read [global] of an smb.conf.
 *
 * @param[in] path  NULL: the one that Samba was built with.
 *
 * @return NULL after a log line that names the parameter and the value.
 */
struct quicd_settings *quicd_settings_load(TALLOC_CTX *mem_ctx,
					   const char *path);

/**
 * @brief The smbd for a client.
 *
 * @return NULL if there is none that its address can be kept for.
 */
const struct quicd_address *
quicd_settings_server(const struct quicd_settings *settings,
		      const struct quicd_address *client);

/**
 * @brief Whether "hosts allow" and "hosts deny" let an address in, by the
 * rules of smbd.
 */
bool quicd_settings_admit(const struct quicd_settings *settings,
			  const struct quicd_address *address);

const char *quicd_address_print(const struct quicd_address *address,
				struct quicd_address_buf *buf);

/** @brief Write a line to stderr. */
void quicd_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * @brief The same for what anybody can cause without being known: a few
 * lines a second, and then how many were left out.
 */
void quicd_log_limited(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** @brief CLOCK_MONOTONIC in nanoseconds. */
uint64_t quicd_now(void);

#endif /* QUICD_SETTINGS_H */
