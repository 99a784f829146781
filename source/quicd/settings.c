/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * What smb.conf says to smbd-quicd; addresses and log lines.
 *
 * smb.conf is read by Samba's own parser: testparm(1) is executed and prints
 * [global] with the defaults filled in, includes, registry and spelling
 * variants dealt with.  The alternative, loading libsmbconf and calling
 * lp_*() as the drop-in does within smbd, binds a network-facing process to a
 * hundred private libraries and to names that differ between versions, for
 * what is needed once at start and once a reload.
 *
 * This program stands between the network and smbd, so that a value that is
 * not understood, and a name of ours that does not exist, is an error and not
 * a reason for a default: a mistyped "quic client certificates" must not let
 * everybody in.  For the same reason host names and netgroups in "hosts
 * allow" and "hosts deny" are refused: who decides them is the name server.
 */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "settings.h"
#include "smbd_uring_backend.h"

#define QUICD_SETTINGS_OUTPUT_MAX (1 << 20)
#define QUICD_LIST_SEPARATORS " \t,;\r\n"
#define QUICD_SMB_PORT 445
#define QUICD_QUIC_PORT 443

/* Room beside the data of a read or write: headers of a long compound. */
#define QUICD_MESSAGE_HEADERS (64 * 1024)

/* Lines that a second may have of what strangers cause. */
#define QUICD_LOG_RATE 20

extern char **environ;

/* One word of "hosts allow"; the last one of a list is QUICD_HOST_END. */
struct quicd_hosts {
	enum {
		QUICD_HOST_END,
		QUICD_HOST_ALL,
		QUICD_HOST_EXCEPT,
		QUICD_HOST_NET,
	} kind;
	int family;
	uint8_t net[16];
	uint8_t mask[16];
};

struct quicd_reader {
	struct quicd_settings *settings;
	const char *name;
	const char *value;
	const char *private_dir;
	const char *tls_certfile;
	const char *tls_keyfile;
	const char *tls_cafile;
	const char *tls_crlfile;
};

void quicd_log(const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	/* in one piece: other processes write there, too */
	fprintf(stderr, "smbd_quicd: %s\n", line);
}

void quicd_log_limited(const char *format, ...)
{
	static uint64_t second;
	static unsigned lines;
	const uint64_t now = quicd_now() / 1000000000;
	char line[1024];
	va_list ap;

	if (now != second) {
		if (lines > QUICD_LOG_RATE) {
			quicd_log("%u lines left out",
				  lines - QUICD_LOG_RATE);
		}
		second = now;
		lines = 0;
	}
	lines++;
	if (lines > QUICD_LOG_RATE) {
		return;
	}
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	quicd_log("%s", line);
}

uint64_t quicd_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

const char *quicd_address_print(const struct quicd_address *address,
				struct quicd_address_buf *buf)
{
	char host[NI_MAXHOST];
	char port[sizeof("65535")];
	const bool ipv6 = address->u.sa.sa_family == AF_INET6;

	if (getnameinfo(&address->u.sa,
			address->len,
			host,
			sizeof(host),
			port,
			sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
	{
		return "unknown";
	}
	(void)snprintf(buf->buf,
		       sizeof(buf->buf),
		       ipv6 ? "[%.60s]:%s" : "%.60s:%s",
		       host,
		       port);
	return buf->buf;
}

static bool quicd_bad_value(const struct quicd_reader *reader,
			    const char *allowed)
{
	quicd_log("%s = %s: not understood; it may be %s",
		  reader->name,
		  reader->value,
		  allowed);
	return false;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT, IPv6 addresses without brackets */
static bool quicd_address_parse(const char *word,
				uint16_t default_port,
				struct quicd_address *address)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE];
	char port_buf[sizeof("65535")];
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *info = NULL;
	const char *end = NULL;
	const char *port = NULL;
	size_t len;
	int ret;

	if (word[0] == '[') {
		word++;
		end = strchr(word, ']');
		if (end == NULL) {
			return false;
		}
		if (end[1] == ':') {
			port = &end[2];
		} else if (end[1] != '\0') {
			return false;
		}
	} else {
		end = strchr(word, ':');
		if (end != NULL && strchr(&end[1], ':') == NULL) {
			port = &end[1];
		} else {
			end = &word[strlen(word)];
		}
	}
	len = (size_t)(end - word);
	if (len == 0 || len >= sizeof(host)) {
		return false;
	}
	memcpy(host, word, len);
	host[len] = '\0';
	if (port == NULL) {
		(void)snprintf(
			port_buf, sizeof(port_buf), "%" PRIu16, default_port);
		port = port_buf;
	} else if (strspn(port, "0123456789") != strlen(port) ||
		   strlen(port) > 5 || atoi(port) < 1 || atoi(port) > 65535)
	{
		return false;
	}

	ret = getaddrinfo(host, port, &hints, &info);
	if (ret != 0) {
		return false;
	}
	*address = (struct quicd_address){.len = info->ai_addrlen};
	memcpy(&address->u, info->ai_addr, info->ai_addrlen);
	freeaddrinfo(info);
	return true;
}

static bool quicd_read_listen(struct quicd_reader *reader)
{
	struct quicd_settings *settings = reader->settings;
	char *words = talloc_strdup(settings, reader->value);
	char *save = NULL;
	char *word = NULL;
	size_t n = 0;

	TALLOC_FREE(settings->listen);
	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save);
	     word != NULL;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		settings->listen = talloc_realloc(settings,
						  settings->listen,
						  struct quicd_address,
						  n + 1);
		if (settings->listen == NULL ||
		    !quicd_address_parse(
			    word, QUICD_QUIC_PORT, &settings->listen[n]))
		{
			n = 0;
			break;
		}
		n++;
	}
	talloc_free(words);
	if (n == 0) {
		return quicd_bad_value(reader,
				       "addresses, each ADDRESS or "
				       "ADDRESS:PORT, IPv6 in brackets");
	}
	return true;
}

static bool quicd_add_server(struct quicd_settings *settings, const char *word)
{
	struct quicd_address *servers = settings->servers;
	const unsigned num = settings->num_servers;

	if (num == QUICD_SERVERS_MAX ||
	    !quicd_address_parse(word, QUICD_SMB_PORT, &servers[num]) ||
	    (num > 0 &&
	     servers[0].u.sa.sa_family == servers[num].u.sa.sa_family))
	{
		return false;
	}
	settings->num_servers++;
	return true;
}

static bool quicd_read_server(struct quicd_reader *reader)
{
	char *words = talloc_strdup(reader->settings, reader->value);
	char *save = NULL;
	char *word = NULL;
	bool good = true;

	if (words == NULL) {
		return false;
	}
	reader->settings->num_servers = 0;
	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save);
	     good && word != NULL;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		good = quicd_add_server(reader->settings, word);
	}
	talloc_free(words);
	if (!good || reader->settings->num_servers == 0) {
		return quicd_bad_value(reader,
				       "ADDRESS or ADDRESS:PORT, and one "
				       "more, of IPv4 and IPv6");
	}
	return true;
}

static bool quicd_read_transparent(struct quicd_reader *reader)
{
	if (strcasecmp(reader->value, "yes") != 0 &&
	    strcasecmp(reader->value, "no") != 0)
	{
		return quicd_bad_value(reader, "yes, no");
	}
	reader->settings->transparent = strcasecmp(reader->value, "yes") == 0;
	return true;
}

static bool quicd_read_number(struct quicd_reader *reader,
			      uint32_t max,
			      uint32_t *number)
{
	char allowed[64];
	char *end = NULL;
	unsigned long value;

	errno = 0;
	value = strtoul(reader->value, &end, 10);
	if (errno != 0 || end == reader->value || *end != '\0' ||
	    reader->value[0] == '-' || value < 1 || value > max)
	{
		(void)snprintf(allowed,
			       sizeof(allowed),
			       "a number from 1 to %" PRIu32,
			       max);
		return quicd_bad_value(reader, allowed);
	}
	*number = (uint32_t)value;
	return true;
}

static bool quicd_read_max_connections(struct quicd_reader *reader)
{
	return quicd_read_number(
		reader, 1000000, &reader->settings->max_connections);
}

static bool quicd_read_max_per_address(struct quicd_reader *reader)
{
	return quicd_read_number(
		reader, 1000000, &reader->settings->max_per_address);
}

static bool quicd_read_idle_timeout(struct quicd_reader *reader)
{
	return quicd_read_number(
		reader, 86400, &reader->settings->idle_timeout);
}

/* The number is one byte of a connection ID. */
static bool quicd_read_workers(struct quicd_reader *reader)
{
	return quicd_read_number(reader, 128, &reader->settings->workers);
}

static bool quicd_read_client_certificates(struct quicd_reader *reader)
{
	static const char *const values[] = {
		[QUICD_CLIENT_CERTIFICATES_NO] = "no",
		[QUICD_CLIENT_CERTIFICATES_OPTIONAL] = "optional",
		[QUICD_CLIENT_CERTIFICATES_REQUIRED] = "required",
	};
	unsigned i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcasecmp(reader->value, values[i]) == 0) {
			reader->settings->client_certificates = i;
			return true;
		}
	}
	return quicd_bad_value(reader, "no, optional, required");
}

static bool quicd_read_backend(struct quicd_reader *reader)
{
	static const char *const values[] = {SMBD_URING_BACKEND_NAME, "epoll"};
	unsigned i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcasecmp(reader->value, values[i]) == 0) {
			reader->settings->backend = values[i];
			return true;
		}
	}
	return quicd_bad_value(reader, "io_uring, epoll");
}

/* a.b.c.d, a.b. and the like, an IPv6 address, and those with /BITS, /MASK */
static bool quicd_host_parse(char *word, struct quicd_hosts *host)
{
	char padded[INET_ADDRSTRLEN + sizeof("0.0.0")];
	char *slash = strchr(word, '/');
	char *end = NULL;
	unsigned long max = 32;
	unsigned long bits;
	unsigned i;

	if (slash != NULL) {
		*slash = '\0';
		slash++;
	}
	host->kind = QUICD_HOST_NET;
	host->family = AF_INET;
	bits = max;
	if (strchr(word, ':') != NULL) {
		host->family = AF_INET6;
		max = bits = 128;
	} else if (slash == NULL && word[0] != '\0' &&
		   word[strlen(word) - 1] == '.' &&
		   strlen(word) < INET_ADDRSTRLEN)
	{
		size_t dots = 0;

		for (i = 0; word[i] != '\0'; i++) {
			dots += word[i] == '.';
		}
		if (dots > 3) {
			return false;
		}
		bits = dots * 8;
		(void)snprintf(padded,
			       sizeof(padded),
			       "%s%s",
			       word,
			       &"0.0.0"[(dots - 1) * 2]);
		word = padded;
	}
	if (inet_pton(host->family, word, host->net) != 1) {
		return false;
	}
	if (slash != NULL) {
		if (inet_pton(host->family, slash, host->mask) == 1) {
			return true;
		}
		bits = strtoul(slash, &end, 10);
		if (end == slash || *end != '\0' || slash[0] == '-' ||
		    bits > max)
		{
			return false;
		}
	}
	for (i = 0; i < bits; i++) {
		host->mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	}
	return true;
}

static bool quicd_read_hosts(struct quicd_reader *reader,
			     const struct quicd_hosts **list)
{
	char *words = talloc_strdup(reader->settings, reader->value);
	struct quicd_hosts *hosts = NULL;
	char *save = NULL;
	char *word = NULL;
	size_t n = 0;
	bool good = true;

	for (word = strtok_r(words, QUICD_LIST_SEPARATORS, &save);
	     word != NULL && good;
	     word = strtok_r(NULL, QUICD_LIST_SEPARATORS, &save))
	{
		hosts = talloc_realloc(reader->settings,
				       hosts,
				       struct quicd_hosts,
				       n + 2);
		if (hosts == NULL) {
			good = false;
			break;
		}
		hosts[n] = (struct quicd_hosts){.kind = QUICD_HOST_ALL};
		hosts[n + 1] = (struct quicd_hosts){.kind = QUICD_HOST_END};
		if (strcasecmp(word, "EXCEPT") == 0) {
			hosts[n].kind = QUICD_HOST_EXCEPT;
		} else if (strcasecmp(word, "ALL") != 0) {
			good = quicd_host_parse(word, &hosts[n]);
		}
		n++;
	}
	talloc_free(words);
	*list = hosts;
	if (!good) {
		return quicd_bad_value(reader,
				       "addresses, networks, ALL and EXCEPT, "
				       "but no names");
	}
	return true;
}

static bool quicd_read_hosts_allow(struct quicd_reader *reader)
{
	return quicd_read_hosts(reader, &reader->settings->hosts_allow);
}

static bool quicd_read_hosts_deny(struct quicd_reader *reader)
{
	return quicd_read_hosts(reader, &reader->settings->hosts_deny);
}

static bool quicd_read_string(struct quicd_reader *reader, const char **string)
{
	*string = talloc_strdup(reader->settings, reader->value);
	return *string != NULL;
}

static bool quicd_read_private_dir(struct quicd_reader *reader)
{
	return quicd_read_string(reader, &reader->private_dir);
}

static bool quicd_read_certfile(struct quicd_reader *reader)
{
	return quicd_read_string(reader, &reader->tls_certfile);
}

static bool quicd_read_keyfile(struct quicd_reader *reader)
{
	return quicd_read_string(reader, &reader->tls_keyfile);
}

static bool quicd_read_cafile(struct quicd_reader *reader)
{
	return quicd_read_string(reader, &reader->tls_cafile);
}

static bool quicd_read_crlfile(struct quicd_reader *reader)
{
	return quicd_read_string(reader, &reader->tls_crlfile);
}

static bool quicd_read_max_message(struct quicd_reader *reader)
{
	uint32_t number;

	if (!quicd_read_number(reader, INT32_MAX, &number)) {
		return false;
	}
	/* the header has 24 bits */
	number = number > 0xffffff - QUICD_MESSAGE_HEADERS
			 ? 0xffffff
			 : number + QUICD_MESSAGE_HEADERS;
	if (number > reader->settings->max_message) {
		reader->settings->max_message = number;
	}
	return true;
}

static const struct quicd_parameter {
	const char *name;
	bool (*read)(struct quicd_reader *reader);
} quicd_parameters[] = {
	{"smbd_uring:backend", quicd_read_backend},
	{"smbd_uring:quic listen", quicd_read_listen},
	{"smbd_uring:quic server", quicd_read_server},
	{"smbd_uring:quic transparent", quicd_read_transparent},
	{"smbd_uring:quic max connections", quicd_read_max_connections},
	{"smbd_uring:quic max per address", quicd_read_max_per_address},
	{"smbd_uring:quic idle timeout", quicd_read_idle_timeout},
	{"smbd_uring:quic workers", quicd_read_workers},
	{"smbd_uring:quic client certificates",
	 quicd_read_client_certificates},
	{"hosts allow", quicd_read_hosts_allow},
	{"hosts deny", quicd_read_hosts_deny},
	{"private dir", quicd_read_private_dir},
	{"tls certfile", quicd_read_certfile},
	{"tls keyfile", quicd_read_keyfile},
	{"tls cafile", quicd_read_cafile},
	{"tls crlfile", quicd_read_crlfile},
	{"smb2 max read", quicd_read_max_message},
	{"smb2 max trans", quicd_read_max_message},
	{"smb2 max write", quicd_read_max_message},
};

static bool quicd_read_line(struct quicd_reader *reader, char *line)
{
	static const char ours[] = "smbd_uring:quic ";
	char *equals = strstr(line, " = ");
	size_t i;

	if (equals == NULL) {
		return true;
	}
	*equals = '\0';
	reader->name = line + strspn(line, " \t");
	reader->value = &equals[3];
	for (i = 0; i < sizeof(quicd_parameters) / sizeof(quicd_parameters[0]);
	     i++)
	{
		if (strcasecmp(reader->name, quicd_parameters[i].name) == 0) {
			return quicd_parameters[i].read(reader);
		}
	}
	if (strncasecmp(reader->name, ours, sizeof(ours) - 1) == 0) {
		quicd_log("%s = %s: there is no such parameter",
			  reader->name,
			  reader->value);
		return false;
	}
	return true;
}

/* What testparm prints, or NULL after a log line. */
static char *quicd_testparm(TALLOC_CTX *mem_ctx, const char *path)
{
	char *args[] = {
		talloc_strdup(mem_ctx, "testparm"),
		talloc_strdup(mem_ctx, "-sv"),
		path != NULL ? talloc_strdup(mem_ctx, path) : NULL,
		NULL,
	};
	posix_spawn_file_actions_t actions;
	char *output = talloc_array(mem_ctx, char, QUICD_SETTINGS_OUTPUT_MAX);
	size_t used = 0;
	int fds[2];
	pid_t pid = -1;
	int status = 0;
	int ret;

	if (args[0] == NULL || args[1] == NULL ||
	    (path != NULL && args[2] == NULL) || output == NULL)
	{
		quicd_log("no memory");
		return NULL;
	}
	ret = pipe2(fds, O_CLOEXEC);
	if (ret != 0) {
		quicd_log("pipe: %s", strerror(errno));
		return NULL;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	ret = posix_spawnp(&pid, args[0], &actions, NULL, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (ret != 0) {
		close(fds[0]);
		quicd_log("cannot execute testparm, which reads smb.conf: %s",
			  strerror(ret));
		return NULL;
	}

	while (used < QUICD_SETTINGS_OUTPUT_MAX - 1) {
		const ssize_t n = read(fds[0],
				       &output[used],
				       QUICD_SETTINGS_OUTPUT_MAX - 1 - used);

		if (n > 0) {
			used += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			break;
		}
	}
	output[used] = '\0';
	close(fds[0]);
	do {
		ret = waitpid(pid, &status, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		quicd_log("testparm -s %s fails: start it to see why",
			  path != NULL ? path : "");
		return NULL;
	}
	return output;
}

/* As Samba does: relative to "private dir". */
static const char *quicd_tls_path(struct quicd_reader *reader,
				  const char *path)
{
	if (path == NULL || path[0] == '\0') {
		return NULL;
	}
	if (path[0] == '/' || reader->private_dir == NULL) {
		return path;
	}
	return talloc_asprintf(
		reader->settings, "%s/%s", reader->private_dir, path);
}

static bool quicd_settings_read(struct quicd_reader *reader, char *output)
{
	bool global = false;
	char *save = NULL;
	char *line = NULL;

	for (line = strtok_r(output, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
	{
		if (line[0] == '[') {
			global = strcasecmp(line, "[global]") == 0;
		} else if (global && !quicd_read_line(reader, line)) {
			return false;
		}
	}
	return true;
}

struct quicd_settings *quicd_settings_load(TALLOC_CTX *mem_ctx,
					   const char *path)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct quicd_settings *settings = NULL;
	struct quicd_reader reader = {};
	char *output = NULL;
	bool good;

	settings = talloc_zero(mem_ctx, struct quicd_settings);
	if (settings == NULL) {
		return NULL;
	}
	settings->max_connections = 1024;
	settings->max_per_address = 64;
	settings->idle_timeout = 60;
	settings->workers = cores < 1 ? 1 : cores > 128 ? 128 : cores;
	settings->backend = SMBD_URING_BACKEND_NAME;
	settings->listen = talloc_array(settings, struct quicd_address, 2);
	if (settings->listen == NULL ||
	    !quicd_address_parse(
		    "0.0.0.0", QUICD_QUIC_PORT, &settings->listen[0]) ||
	    !quicd_address_parse("::", QUICD_QUIC_PORT, &settings->listen[1]) ||
	    !quicd_add_server(settings, "127.0.0.1") ||
	    !quicd_add_server(settings, "::1"))
	{
		talloc_free(settings);
		return NULL;
	}

	output = quicd_testparm(settings, path);
	reader.settings = settings;
	good = output != NULL && quicd_settings_read(&reader, output);
	TALLOC_FREE(output);
	settings->certfile = quicd_tls_path(&reader, reader.tls_certfile);
	settings->keyfile = quicd_tls_path(&reader, reader.tls_keyfile);
	settings->cafile = quicd_tls_path(&reader, reader.tls_cafile);
	settings->crlfile = quicd_tls_path(&reader, reader.tls_crlfile);
	if (good && (settings->certfile == NULL || settings->keyfile == NULL)) {
		quicd_log("tls certfile and tls keyfile must both be set");
		good = false;
	}
	if (!good) {
		TALLOC_FREE(settings);
	}
	return settings;
}

const struct quicd_address *
quicd_settings_server(const struct quicd_settings *settings,
		      const struct quicd_address *client)
{
	unsigned i;

	if (!settings->transparent) {
		return &settings->servers[0];
	}
	for (i = 0; i < settings->num_servers; i++) {
		if (settings->servers[i].u.sa.sa_family ==
		    client->u.sa.sa_family)
		{
			return &settings->servers[i];
		}
	}
	return NULL;
}

static bool quicd_host_match(const struct quicd_hosts *host,
			     const struct quicd_address *address)
{
	const bool ipv6 = address->u.sa.sa_family == AF_INET6;
	const uint8_t *bytes =
		ipv6 ? address->u.in6.sin6_addr.s6_addr
		     : (const uint8_t *)&address->u.in.sin_addr.s_addr;
	const size_t len = ipv6 ? 16 : 4;
	size_t i;

	if (host->kind == QUICD_HOST_ALL) {
		return true;
	}
	if (host->family != address->u.sa.sa_family) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (((bytes[i] ^ host->net[i]) & host->mask[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* A match before EXCEPT that is none of those after it. */
static bool quicd_hosts_match(const struct quicd_hosts *list,
			      const struct quicd_address *address)
{
	bool match = false;

	for (; list != NULL && list->kind != QUICD_HOST_END; list++) {
		if (list->kind == QUICD_HOST_EXCEPT) {
			return match && !quicd_hosts_match(list + 1, address);
		}
		match = match || quicd_host_match(list, address);
	}
	return match;
}

static bool quicd_address_is_loopback(const struct quicd_address *address)
{
	if (address->u.sa.sa_family == AF_INET6) {
		return IN6_IS_ADDR_LOOPBACK(&address->u.in6.sin6_addr);
	}
	return address->u.in.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

bool quicd_settings_admit(const struct quicd_settings *settings,
			  const struct quicd_address *address)
{
	const bool allow = quicd_hosts_match(settings->hosts_allow, address);
	const bool deny = quicd_hosts_match(settings->hosts_deny, address);

	if (quicd_address_is_loopback(address)) {
		return allow || !deny;
	}
	if (settings->hosts_deny == NULL) {
		return settings->hosts_allow == NULL || allow;
	}
	return allow || !deny;
}
