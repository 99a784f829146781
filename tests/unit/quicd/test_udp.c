// SPDX-License-Identifier: LGPL-3.0-or-later
/* UDP sockets, source/quicd/udp.c, on the loopback interface. */

#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "quicd/udp.h"
#include "transport/quicd_counters_text.h"
#include "util/macros.h"

#define WORKERS 3
#define PACKET 1200

/* What the sockets of the workers have received. */
struct received {
	unsigned count;
	unsigned done;
	struct quicd_path path;
	uint8_t first; /* byte of the last datagram */
	size_t len;    /* of the last datagram */
	uint64_t now;  /* of the last datagram */
};

static struct tevent_context *ev;
static struct quicd_counters *counters;
static bool no_segmentation; /* as if of the device */
static int fds[WORKERS];
static struct quicd_udp *udps[WORKERS];
static struct received received[WORKERS];
static bool numbered; /* the last byte of each datagram is its number */
static int client;
static struct quicd_path path; /* from a worker to the client */
static bool apart; /* in a network namespace of our own */

/* In the place of libc's. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr copy = *msg;
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&copy);

	for (; no_segmentation && cmsg != NULL;
	     cmsg = CMSG_NXTHDR(&copy, (struct cmsghdr *)(uintptr_t)cmsg))
	{
		if (cmsg->cmsg_level == IPPROTO_UDP &&
		    cmsg->cmsg_type == UDP_SEGMENT)
		{
			errno = EIO;
			return -1;
		}
	}
	return syscall(SYS_sendmsg, fd, msg, flags);
}

static void udp_received(void *owner,
			 struct quicd_udp *udp,
			 const struct quicd_path *from,
			 const uint8_t *data,
			 size_t len,
			 uint64_t now)
{
	struct received *r = owner;

	assert_ptr_equal(udp, udps[r - received]);
	r->count++;
	r->path = *from;
	r->first = data[0];
	assert_true(!numbered || data[len - 1] == r->count);
	assert_true(now > 0 && now >= r->now);
	r->now = now;
	r->len = len;
}

static void udp_done(void *owner)
{
	struct received *r = owner;

	r->done++;
}

static const struct quicd_udp_ops ops = {
	.received = udp_received,
	.done = udp_done,
};

static void begin(const char *address)
{
	struct address any = {};
	const struct address *bound = NULL;
	int error;
	size_t i;

	assert_true(address_parse(address, 1, &any));
	any.u.in.sin_port = 0; /* at the same place in both families */
	client = socket(any.u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(client >= 0);
	assert_int_equal(bind(client, &any.u.sa, any.len), 0);
	path = (struct quicd_path){.remote.len = sizeof(path.remote.u)};
	assert_int_equal(
		getsockname(client, &path.remote.u.sa, &path.remote.len), 0);
	/* a free port for all: the client's, when it has let it go */
	assert_int_equal(close(client), 0);
	assert_int_equal(quicd_udp_open(&path.remote, WORKERS, false, fds), 0);
	client = socket(any.u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(client >= 0);
	assert_int_equal(bind(client, &any.u.sa, any.len), 0);

	ev = tevent_context_init(NULL);
	assert_non_null(ev);
	counters = quicd_counters_create(ev, "/dev/null/none", &error);
	assert_non_null(counters);
	memset(received, 0, sizeof(received));
	for (i = 0; i < WORKERS; i++) {
		udps[i] = quicd_udp_create(
			ev, ev, fds[i], &ops, &received[i], counters);
		assert_non_null(udps[i]);
	}
	bound = quicd_udp_bound(udps[0]);
	assert_true(address_equal(bound, &path.remote));
	assert_int_equal(connect(client, &bound->u.sa, bound->len), 0);
	path.local = *bound;
	path.remote.len = sizeof(path.remote.u);
	assert_int_equal(
		getsockname(client, &path.remote.u.sa, &path.remote.len), 0);
}

static int setup(void **state)
{
	begin("127.0.0.1");
	return 0;
}

static int setup_ipv6(void **state)
{
	begin("::1");
	return 0;
}

static int setup_any(void **state)
{
	begin("::");
	return 0;
}

static int teardown(void **state)
{
	size_t i;

	talloc_free(ev);
	for (i = 0; i < WORKERS; i++) {
		close(fds[i]);
	}
	close(client);
	return 0;
}

static unsigned total(void)
{
	return received[0].count + received[1].count + received[2].count;
}

static void receive(unsigned count)
{
	while (total() < count) {
		assert_int_equal(tevent_loop_once(ev), 0);
	}
	assert_int_equal(total(), count);
}

/* The connection ID's first byte leads to the worker. */
static void test_steering(void **state)
{
	unsigned byte;
	unsigned count = 0;

	for (byte = 0; byte < 256; byte++) {
		const unsigned worker = byte % WORKERS;
		uint8_t shorter[] = {0x40, (uint8_t)byte, 9, 9};
		uint8_t longer[] = {0xc0, 0, 0, 0, 1, 8, (uint8_t)byte, 9};

		assert_int_equal(send(client, shorter, sizeof(shorter), 0),
				 sizeof(shorter));
		receive(++count);
		assert_int_equal(received[worker].len, sizeof(shorter));
		assert_int_equal(send(client, longer, sizeof(longer), 0),
				 sizeof(longer));
		receive(++count);
		assert_int_equal(received[worker].len, sizeof(longer));
		assert_int_equal(received[worker].first, 0xc0);
		received[worker].len = 0;
	}
	assert_true(received[0].done > 0);
}

/* A second smbd-quicd does not share the port, whatever it has of workers. */
static void test_alone(void **state)
{
	int other[WORKERS];
	struct address free_one = path.local;
	uint32_t workers;

	for (workers = 1; workers <= WORKERS; workers++) {
		assert_int_equal(
			quicd_udp_open(&path.local, workers, false, other),
			EADDRINUSE);
	}
	free_one.u.in.sin_port = 0;
	assert_int_equal(quicd_udp_open(&free_one, 1, false, other), 0);
	assert_int_equal(getsockname(other[0], &free_one.u.sa, &free_one.len),
			 0);
	assert_int_equal(quicd_udp_open(&free_one, 1, false, &other[1]),
			 EADDRINUSE);
	assert_int_equal(quicd_udp_open(&free_one, 2, false, &other[1]),
			 EADDRINUSE);
	close(other[0]);
}

/* Addresses and ECN of what is received. */
static void test_path(void **state)
{
	const bool ipv6 = path.local.u.sa.sa_family == AF_INET6;
	const int tos = 2; /* ECT(0) */
	const uint8_t data[] = {0x40, 1, 2};

	assert_int_equal(setsockopt(client,
				    ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
				    ipv6 ? IPV6_TCLASS : IP_TOS,
				    &tos,
				    sizeof(tos)),
			 0);
	assert_int_equal(send(client, data, sizeof(data), 0), sizeof(data));
	receive(1);
	assert_true(address_equal(&received[1].path.remote, &path.remote));
	assert_true(address_equal(&received[1].path.local, &path.local));
	assert_int_equal(received[1].path.ecn, tos);
}

static void test_reflects(void **state)
{
	static const uint16_t refused[] = {
		0, 1, 53, 123, 443, 1023, 1900, 5353, 11211, 20800, 27015};
	static const uint16_t allowed[] = {
		1024, 1899, 5354, 11210, 20801, 32768, 49152, 65535};
	struct address remote = path.remote;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		remote.u.in.sin_port = htons(refused[i]);
		assert_true(quicd_udp_reflects(&remote));
	}
	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		remote.u.in.sin_port = htons(allowed[i]);
		assert_false(quicd_udp_reflects(&remote));
	}
}

/* What comes from such a port is dropped. */
static void test_reflected(void **state)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const uint8_t data[] = {0x40, 1, 2};
	struct address from = path.remote;

	assert_true(fd >= 0);
	from.u.in.sin_port = htons(20800);
	assert_int_equal(bind(fd, &from.u.sa, from.len), 0);
	assert_int_equal(sendto(fd,
				data,
				sizeof(data),
				0,
				&path.local.u.sa,
				path.local.len),
			 sizeof(data));
	close(fd);
	assert_int_equal(send(client, data, sizeof(data), 0), sizeof(data));
	receive(1);
	assert_true(address_equal(&received[1].path.remote, &path.remote));
}

/* More than one call receives: all of them, in order, and one done() for all. */
static void test_burst(void **state)
{
	uint8_t data[] = {0x40, 1, 0};

	numbered = true;
	while (data[2] < 40) {
		data[2]++;
		assert_int_equal(send(client, data, sizeof(data), 0),
				 sizeof(data));
	}
	receive(40);
	assert_int_equal(received[1].done, 1);
	numbered = false;
}

/* An empty datagram is nothing. */
static void test_empty(void **state)
{
	const uint8_t data[] = {0x40, 1, 2};

	assert_int_equal(send(client, data, 0, 0), 0);
	assert_int_equal(send(client, data, sizeof(data), 0), sizeof(data));
	receive(1);
}

static void commit(uint8_t byte, size_t len)
{
	size_t size;
	uint8_t *packet = quicd_udp_reserve(udps[0], &size);

	assert_true(size >= len);
	memset(packet, byte, len);
	assert_true(quicd_udp_commit(udps[0], &path, len));
}

static void expect(uint8_t byte, size_t len)
{
	uint8_t packet[2 * PACKET];

	assert_int_equal(recv(client, packet, sizeof(packet), 0), len);
	assert_int_equal(packet[0], byte);
	assert_int_equal(packet[len - 1], byte);
}

static bool nothing(void)
{
	struct pollfd poller = {.fd = client, .events = POLLIN};

	return poll(&poller, 1, 0) == 0;
}

/* A batch is sent at its end; packets keep their lengths and order. */
static void test_batch(void **state)
{
	uint8_t i;

	for (i = 1; i <= 10; i++) {
		commit(i, PACKET);
	}
	assert_true(nothing());
	quicd_udp_flush(udps[0]);
	for (i = 1; i <= 10; i++) {
		expect(i, PACKET);
	}
	assert_true(nothing());
	quicd_udp_flush(udps[0]);
	assert_true(nothing());
}

/* A shorter packet ends a batch; a longer one begins the next. */
static void test_lengths(void **state)
{
	commit(1, PACKET);
	commit(2, PACKET - 100);
	expect(1, PACKET);
	expect(2, PACKET - 100);
	commit(3, PACKET);
	commit(4, PACKET + 100);
	expect(3, PACKET);
	assert_true(nothing());
	quicd_udp_flush(udps[0]);
	expect(4, PACKET + 100);
}

/* Packets with another ECN mark are of another batch. */
static void test_ecn(void **state)
{
	commit(1, PACKET);
	path.ecn = 2;
	commit(2, PACKET);
	expect(1, PACKET);
	assert_true(nothing());
	quicd_udp_flush(udps[0]);
	expect(2, PACKET);
}

/* More than the kernel takes at once. */
static void test_many(void **state)
{
	unsigned i;

	for (i = 0; i < 200; i++) {
		commit((uint8_t)i, PACKET);
		if (!nothing()) {
			break;
		}
	}
	assert_in_range(i, 30, 63);
	quicd_udp_flush(udps[0]);
	for (; i != UINT32_MAX; i--) {
		uint8_t packet[2 * PACKET];

		assert_int_equal(recv(client, packet, sizeof(packet), 0),
				 PACKET);
	}
	assert_true(nothing());
}

static void expect_counted(const char *line)
{
	char *counted = quicd_counters_print(ev, counters);

	assert_string_equal(counted, line);
	talloc_free(counted);
}

/* A device that does not take several packets at once. */
static void test_segmentation(void **state)
{
	unsigned i;

	no_segmentation = true;
	for (i = 0; i < 2; i++) {
		commit(1, PACKET);
		commit(2, PACKET);
		quicd_udp_flush(udps[0]);
		expect(1, PACKET);
		expect(2, PACKET);
	}
	assert_true(nothing());
	expect_counted(", 1 sockets without segmentation");
	no_segmentation = false;
}

/* Send more to worker 1 than its socket takes; how many it does not get. */
static unsigned overflow(void)
{
	const unsigned before = total();
	const uint8_t data[PACKET] = {0x40, 1};
	const int buffer = 4096;
	unsigned i;

	assert_int_equal(setsockopt(fds[1],
				    SOL_SOCKET,
				    SO_RCVBUF,
				    &buffer,
				    sizeof(buffer)),
			 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(send(client, data, PACKET, 0), PACKET);
	}
	/* which is there, and is not dropped */
	assert_int_equal(tevent_loop_once(ev), 0);
	assert_in_range(total() - before, 1, i - 1);
	assert_int_equal(send(client, data, PACKET, 0), PACKET);
	receive(total() + 1);
	return i + 1 - (total() - before);
}

static void expect_dropped(unsigned number)
{
	char line[100];

	snprintf(line,
		 sizeof(line),
		 ", %u datagrams dropped by full sockets",
		 number);
	expect_counted(line);
}

/* What the kernel has dropped is known with what comes next. */
static void test_dropped(void **state)
{
	unsigned dropped = overflow();

	expect_dropped(dropped);
	/* the successor of a dead worker does not count them again */
	talloc_free(udps[1]);
	udps[1] = quicd_udp_create(
		ev, ev, fds[1], &ops, &received[1], counters);
	assert_non_null(udps[1]);
	dropped += overflow();
	expect_dropped(dropped);
}

/* A single packet does not wait for others. */
static void test_send(void **state)
{
	const uint8_t data[] = {7, 8, 7};

	quicd_udp_send(udps[0], &path, data, sizeof(data));
	expect(7, sizeof(data));
}

/* The payload for the loopback device with such an MTU. */
static size_t payload(int fd, int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};

	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	return quicd_udp_payload(&path);
}

/* From here on in a network namespace of its own. */
static void test_payload(void **state)
{
	int own;

	assert_int_equal(quicd_udp_payload(&path), QUICD_MAX_PAYLOAD);
	if (unshare(CLONE_NEWNET) != 0) {
		print_message("# no right to a network namespace\n");
		skip();
	}
	apart = true;
	own = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(own >= 0);
	assert_int_equal(payload(own, 9000), QUICD_MAX_PAYLOAD);
	assert_int_equal(payload(own, 8000), 7972);
	assert_int_equal(payload(own, 1500), 1472);
	assert_int_equal(payload(own, 1400), 1452);
	close(own);
}

/* In the namespace of test_payload(): a link-local address has its scope. */
static void test_link_local(void **state)
{
	struct address to = {};
	const uint8_t data[] = {0x40, 0, 1};
	struct pollfd poller = {.fd = fds[0], .events = POLLIN};
	int came = 0;
	int i;

	if (!apart) {
		print_message("# no right to a network namespace\n");
		skip();
	}
	assert_int_equal(system("ip addr add fe80::1/64 dev lo nodad"), 0);
	assert_true(address_parse("fe80::1%lo", 1, &to));
	to.u.in6.sin6_port = path.local.u.in6.sin6_port;
	/* Linux has a new address some time before it receives for it */
	for (i = 0; i < 3000 && came == 0; i++) {
		(void)sendto(client, data, sizeof(data), 0, &to.u.sa, to.len);
		came = poll(&poller, 1, 20);
	}
	assert_int_equal(came, 1);
	assert_int_equal(tevent_loop_once(ev), 0);
	assert_true(received[0].count > 0);
	assert_true(address_same_host(&received[0].path.local.u.sa, &to.u.sa));
	assert_true(address_covers(&to, &received[0].path.local.u.sa));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steering, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_steering, setup_ipv6, teardown),
		cmocka_unit_test_setup_teardown(test_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path,
						setup_ipv6,
						teardown),
		cmocka_unit_test_setup_teardown(test_reflects, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_reflects, setup_ipv6, teardown),
		cmocka_unit_test_setup_teardown(
			test_reflected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch,
						setup_ipv6,
						teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ecn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_segmentation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_dropped, setup_ipv6, teardown),
		cmocka_unit_test_setup_teardown(test_payload, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_link_local, setup_any, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
