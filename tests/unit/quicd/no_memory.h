/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A unit test whose talloc fails when it wants: the linker takes these in place
 * of libtalloc's for all that is linked with the test.
 */
#ifndef TESTS_QUICD_NO_MEMORY_H
#define TESTS_QUICD_NO_MEMORY_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <talloc.h>

/* Which allocation fails, from 1 on; 0: none. */
static unsigned no_memory_at;
static unsigned no_memory_count;

static bool no_memory(void)
{
	no_memory_count++;
	return no_memory_count == no_memory_at;
}

/* Begin to count. */
static void no_memory_begin(unsigned at)
{
	no_memory_at = at;
	no_memory_count = 0;
}

#define NO_MEMORY(type, function, parameters, arguments)               \
	type function parameters                                       \
	{                                                              \
		static type(*real) parameters;                         \
                                                                       \
		if (real == NULL) {                                    \
			*(void **)&real = dlsym(RTLD_NEXT, #function); \
		}                                                      \
		return no_memory() ? NULL : real arguments;            \
	}

NO_MEMORY(void *,
	  _talloc_zero,
	  (const void *ctx, size_t size, const char *name),
	  (ctx, size, name))
NO_MEMORY(void *,
	  _talloc_array,
	  (const void *ctx, size_t size, unsigned count, const char *name),
	  (ctx, size, count, name))
NO_MEMORY(void *,
	  _talloc_realloc_array,
	  (const void *ctx,
	   void *ptr,
	   size_t size,
	   unsigned count,
	   const char *name),
	  (ctx, ptr, size, count, name))
NO_MEMORY(void *,
	  _talloc_memdup,
	  (const void *ctx, const void *p, size_t size, const char *name),
	  (ctx, p, size, name))
NO_MEMORY(char *, talloc_strdup, (const void *ctx, const char *p), (ctx, p))
NO_MEMORY(char *,
	  talloc_strndup,
	  (const void *ctx, const char *p, size_t n),
	  (ctx, p, n))

char *talloc_asprintf(const void *ctx, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	if (!no_memory()) {
		va_start(ap, format);
		text = talloc_vasprintf(ctx, format, ap);
		va_end(ap);
	}
	return text;
}

#endif /* TESTS_QUICD_NO_MEMORY_H */
