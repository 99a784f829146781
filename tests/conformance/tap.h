/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TAP from a program and its children, which share the test numbers.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>

struct tap {
	unsigned num;
	unsigned failed;
	unsigned long comparisons;
	unsigned long by_ring;
};

/* To be called before the first child. */
extern struct tap *tap;
void tap_init(void);

void tap_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tap_result(bool ok, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void tap_skip(const char *reason, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Run a function in a child; "not ok" if the child dies. */
void tap_child(const char *name, void (*fn)(const char *name));

/* Print the plan; returns the exit status. */
int tap_end(void);

#endif /* TAP_H */
