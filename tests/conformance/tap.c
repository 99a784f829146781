/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TAP from a program and its children, which share the test numbers.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tap.h"

struct tap *tap;

void tap_init(void)
{
	tap = mmap(NULL,
		   sizeof(*tap),
		   PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS,
		   -1,
		   0);
	if (tap == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void tap_remark(const char *format, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

void tap_result(bool ok, const char *format, ...)
{
	va_list ap;

	tap->num++;
	tap->failed += !ok;
	printf("%sok %u - ", ok ? "" : "not ", tap->num);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

void tap_skip(const char *reason, const char *format, ...)
{
	va_list ap;

	tap->num++;
	printf("ok %u - ", tap->num);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(" # SKIP %s\n", reason);
}

void tap_child(const char *name, void (*fn)(const char *name))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn(name);
		fflush(stdout);
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0) {
		tap_result(false, "%s: ended with status %#x", name, status);
	}
}

int tap_end(void)
{
	tap_remark("%lu comparisons, %lu answers by a ring",
		   tap->comparisons,
		   tap->by_ring);
	printf("1..%u\n", tap->num);
	return tap->failed != 0;
}
