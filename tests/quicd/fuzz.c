/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes what strangers reach of smbd-quicd: datagrams up to ngtcp2, and the
 * framing of the stream.
 *
 * The first byte of an input says which.  Datagrams go to a real endpoint with
 * a certificate and a real socket, several of them in one input, cut by
 * two-byte lengths; so a first packet may be followed by what belongs to it.
 * The framing is checked twice, in one piece and in the pieces that the input
 * asks for: the verdict must be the same.
 *
 * fuzz-quicd CERTIFICATE KEY SEED CASES
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ngtcp2/ngtcp2_crypto.h>

#include "quicd/endpoint.h"
#include "util/clock.h"
#include "quicd/framing.h"
#include "quicd/udp.h"

#define FUZZ_INPUT_MAX 8192
#define FUZZ_TAG_LEN 16

/*
 * Packets are not encrypted here, or all would end at their authentication.
 * The linker puts these in the place of ngtcp2's (--wrap).
 */
int __wrap_ngtcp2_crypto_decrypt_cb(uint8_t *dest,
				    const ngtcp2_crypto_aead *aead,
				    const ngtcp2_crypto_aead_ctx *aead_ctx,
				    const uint8_t *ciphertext,
				    size_t len,
				    const uint8_t *nonce,
				    size_t noncelen,
				    const uint8_t *aad,
				    size_t aadlen);
int __wrap_ngtcp2_crypto_hp_mask_cb(uint8_t *dest,
				    const ngtcp2_crypto_cipher *hp,
				    const ngtcp2_crypto_cipher_ctx *hp_ctx,
				    const uint8_t *sample);

static unsigned long fuzz_decrypted;

int __wrap_ngtcp2_crypto_decrypt_cb(uint8_t *dest,
				    const ngtcp2_crypto_aead *aead,
				    const ngtcp2_crypto_aead_ctx *aead_ctx,
				    const uint8_t *ciphertext,
				    size_t len,
				    const uint8_t *nonce,
				    size_t noncelen,
				    const uint8_t *aad,
				    size_t aadlen)
{
	if (len < FUZZ_TAG_LEN) {
		return NGTCP2_ERR_DECRYPT;
	}
	memmove(dest, ciphertext, len - FUZZ_TAG_LEN);
	fuzz_decrypted++;
	return 0;
}

int __wrap_ngtcp2_crypto_hp_mask_cb(uint8_t *dest,
				    const ngtcp2_crypto_cipher *hp,
				    const ngtcp2_crypto_cipher_ctx *hp_ctx,
				    const uint8_t *sample)
{
	memset(dest, 0, NGTCP2_HP_MASKLEN);
	return 0;
}

static struct {
	struct tevent_context *ev;
	struct quicd_shared shared;
	struct quicd_endpoint *endpoint;
	struct quicd_udp *udp;
	struct quicd_path path;
} fuzz;

static void fuzz_framing(const uint8_t *data, size_t len)
{
	struct quicd_framing whole = {.max_message = 0x10000};
	struct quicd_framing pieces = {.max_message = 0x10000};
	const char *wrong = quicd_framing_check(&whole, data, len);
	const char *also = NULL;
	size_t done = 0;

	while (done < len && also == NULL) {
		size_t n = 1 + data[done] % 7;

		n = n < len - done ? n : len - done;
		also = quicd_framing_check(&pieces, &data[done], n);
		done += n;
	}
	if ((wrong == NULL) != (also == NULL) ||
	    (wrong == NULL &&
	     (whole.left != pieces.left || whole.have != pieces.have)))
	{
		abort();
	}
}

static void fuzz_datagrams(const uint8_t *data, size_t len)
{
	static const struct quicd_endpoint_counts nothing;
	struct quicd_endpoint *endpoint = fuzz.endpoint;
	struct quicd_endpoint_counts counts = {};

	while (len >= 2) {
		size_t n = (size_t)data[0] << 8 | data[1];

		data += 2;
		len -= 2;
		n = n < len ? n : len;
		quicd_endpoint_received(endpoint,
					fuzz.udp,
					&fuzz.path,
					data,
					n,
					clock_monotonic_ns());
		data += n;
		len -= n;
	}
	quicd_endpoint_work(endpoint);
	quicd_endpoint_clear(endpoint);
	quicd_endpoint_count(endpoint, &counts);
	if (memcmp(counts.conns, nothing.conns, sizeof(counts.conns)) != 0 ||
	    counts.close_waits != 0 || counts.cids != 0 || counts.timers != 0)
	{
		abort();
	}
}

static void fuzz_one(const uint8_t *data, size_t len)
{
	if (data[0] % 4 == 0) {
		fuzz_framing(&data[1], len - 1);
	} else {
		fuzz_datagrams(&data[1], len - 1);
	}
}

static bool fuzz_file(TALLOC_CTX *mem_ctx,
		      const char *path,
		      struct quicd_file *file)
{
	char *data = talloc_zero_array(mem_ctx, char, 65536);
	FILE *f = fopen(path, "re");

	if (f == NULL || data == NULL) {
		return false;
	}
	file->source = path;
	file->data = data;
	file->len = fread(data, 1, 65535, f);
	fclose(f);
	return true;
}

static bool fuzz_init(const char *certfile, const char *keyfile)
{
	static const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = 0x0100007f,
		.sin_port = 9, /* nobody */
	};
	struct quicd_report report = {};
	struct quicd_settings *settings = NULL;
	struct quicd_tls *tls = NULL;
	int fd;

	settings = talloc_zero(NULL, struct quicd_settings);
	if (settings == NULL) {
		return false;
	}
	settings->max_connections = settings->max_per_address = 100;
	settings->idle_timeout = 60;
	settings->max_message = 0x10000;
	settings->pairs = talloc_zero(settings, struct quicd_pair);
	settings->num_pairs = 1;
	if (settings->pairs == NULL ||
	    !fuzz_file(settings, certfile, &settings->pairs->certificate) ||
	    !fuzz_file(settings, keyfile, &settings->pairs->key))
	{
		return false;
	}
	tls = quicd_tls_load(&report, settings);
	fuzz.ev = tevent_context_init_byname(NULL, "epoll");
	fuzz.shared.workers = 1;
	fuzz.shared.limits = quicd_limits_create(NULL, 100);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (tls == NULL || fuzz.ev == NULL || fuzz.shared.limits == NULL ||
	    fd < 0) {
		return false;
	}
	fuzz.endpoint = quicd_endpoint_create(
		NULL, fuzz.ev, &fuzz.shared, 0, settings, tls, NULL);
	if (fuzz.endpoint == NULL) {
		return false;
	}
	fuzz.udp = quicd_endpoint_add_socket(fuzz.endpoint, 0, fd);
	if (fuzz.udp == NULL) {
		return false;
	}
	fuzz.path.local = *quicd_udp_bound(fuzz.udp);
	fuzz.path.remote.len = sizeof(address);
	fuzz.path.remote.u.in = address;
	return true;
}

static uint64_t fuzz_state;

static uint32_t fuzz_random(uint32_t n)
{
	fuzz_state = fuzz_state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(fuzz_state >> 33) % n;
}

/* A first packet with frames, some of which make sense. */
static size_t fuzz_packet(uint8_t *buf, size_t room)
{
	static const uint8_t start[] = {0xc0, 0, 0, 0, 1, 8, 1,	   2,	 3,
					4,    5, 6, 7, 8, 8, 1,	   2,	 3,
					4,    5, 6, 7, 8, 0, 0x44, 0x96, 0};
	size_t len = fuzz_random(4) > 0 ? 1200 : 1 + fuzz_random(1400);
	size_t i;

	len = len < room ? len : room;
	for (i = 0; i < len; i++) {
		if (i < sizeof(start)) {
			buf[i] = start[i];
		} else if (i == sizeof(start) && fuzz_random(4) > 0) {
			buf[i] = 0x06; /* CRYPTO, at 0 */
		} else if (i == sizeof(start) + 1 && fuzz_random(4) > 0) {
			buf[i] = 0;
		} else {
			buf[i] = (uint8_t)fuzz_random(fuzz_random(4) > 0 ? 64
									 : 256);
		}
	}
	for (i = fuzz_random(3); i > 0 && len > 0; i--) {
		size_t at = len < sizeof(start) ? len : sizeof(start);

		buf[fuzz_random((uint32_t)at)] = (uint8_t)fuzz_random(256);
	}
	return len;
}

static size_t fuzz_input(uint8_t *buf)
{
	size_t len = 1;
	unsigned i;

	buf[0] = (uint8_t)fuzz_random(256);
	if (buf[0] % 4 == 0) {
		len += fuzz_random(64);
		for (i = 1; i < len; i++) {
			/* small numbers make headers that are all right */
			buf[i] = fuzz_random(4) > 0 ? 0
						    : (uint8_t)fuzz_random(32);
		}
		return len;
	}
	for (i = 1 + fuzz_random(4); i > 0; i--) {
		const size_t n = fuzz_packet(&buf[len + 2],
					     FUZZ_INPUT_MAX - len - 2);

		buf[len] = (uint8_t)(n >> 8);
		buf[len + 1] = (uint8_t)n;
		len += 2 + n;
	}
	return len;
}

int main(int argc, char **argv)
{
	static uint8_t buf[FUZZ_INPUT_MAX];
	unsigned long cases;

	if (argc != 5 || !fuzz_init(argv[1], argv[2])) {
		fprintf(stderr, "fuzz-quicd CERTIFICATE KEY SEED CASES\n");
		return 2;
	}
	fuzz_state = strtoul(argv[3], NULL, 0);
	for (cases = strtoul(argv[4], NULL, 0); cases > 0; cases--) {
		const size_t len = fuzz_input(buf);

		fuzz_one(buf, len);
	}
	talloc_free(fuzz.endpoint);
	talloc_free(fuzz.shared.limits);
	talloc_free(fuzz.ev);
	/* none: the linker has not put our functions in their places */
	printf("%lu packets were read\n", fuzz_decrypted);
	return fuzz_decrypted > 0 ? 0 : 1;
}
