/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The settings of smbd-quicd: values of smb.conf, checked and ready to use.
 */
#ifndef QUICD_SETTINGS_H
#define QUICD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "access.h"
#include "bundle.h"
#include "log.h"
#include "secret.h"
#include "util/address.h"

enum quicd_client_certificates {
	QUICD_CLIENT_CERTIFICATES_NO,
	QUICD_CLIENT_CERTIFICATES_OPTIONAL,
	QUICD_CLIENT_CERTIFICATES_REQUIRED,
};

enum quicd_congestion_control {
	QUICD_CONGESTION_CONTROL_CUBIC,
	QUICD_CONGESTION_CONTROL_BBR,
};

/* One of each family. */
#define QUICD_SERVERS_MAX 2

/* A file that smb.conf names, as it was when smb.conf was read. */
struct quicd_file {
	const char *source; /* "tls keyfile = /etc/...", for log lines */
	const char *data;   /* NULL: none */
	size_t len;
};

/* A certificate of the server with its chain, and its key. */
struct quicd_pair {
	struct quicd_file certificate;
	struct quicd_file key;
};

struct quicd_settings {
	struct address *listen;
	struct address servers[QUICD_SERVERS_MAX];
	unsigned num_servers;
	bool transparent; /* smbd sees the client's address */
	bool ignore_share_hosts;
	uint32_t max_connections;
	uint32_t max_per_address;
	uint32_t idle_timeout;	/* seconds */
	uint32_t stall_timeout; /* seconds */
	uint32_t drain_timeout; /* seconds */
	uint32_t memory;	/* MiB; 0: quicd_settings_memory() chooses */
	uint32_t workers;
	uint32_t client_certificates; /* enum quicd_client_certificates */
	uint32_t congestion_control;  /* enum quicd_congestion_control */

	const char *qlog_directory; /* or NULL */
	struct address *qlog_clients; /* without ports; NULL: all */

	struct quicd_pair *pairs; /* the first one is the default */
	size_t num_pairs;
	struct quicd_file ca;
	struct quicd_file crl;
	struct quicd_file secret;
	struct quicd_secrets secrets; /* none: no file has any */
	const char *client_allow;     /* rules, or NULL */
	const char *client_deny;
	const struct quicd_access *hosts_allow;
	const struct quicd_access *hosts_deny;

	/* the largest SMB2 message that smbd lets a client send */
	uint32_t max_message;
};

/* The items of a bundle that are not named as a parameter is. */
#define QUICD_ITEM_FILE(what) what " file"
#define QUICD_ITEM_SOURCE(what) what " source"

/**
 * @brief Check the items of a bundle; an item that is not known is an error.
 *
 * @return NULL after errors in the report.
 */
struct quicd_settings *quicd_settings_parse(TALLOC_CTX *mem_ctx,
					    struct quicd_report *report,
					    const struct quicd_bundle *bundle);

/**
 * @brief The smbd for a client.
 *
 * @return NULL if there is none that its address can be kept for.
 */
const struct address *quicd_settings_server(
	const struct quicd_settings *settings,
	const struct address *client);

/** @brief The memory that connections may need, in bytes. */
uint64_t quicd_settings_memory(const struct quicd_settings *settings);

/**
 * @brief Whether "hosts allow" and "hosts deny" let an address in, by the
 * rules of smbd.
 */
bool quicd_settings_admit(const struct quicd_settings *settings,
			  const struct address *address);

#endif /* QUICD_SETTINGS_H */
