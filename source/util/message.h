/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file message.h
 * An index of the messages of a program.
 *
 * Each place that writes a message notes its format in an ELF section, as
 * Linux does for printk().  So the program itself has the list of all that it
 * can say.  tests/checks/test_docs compares that list with docs/messages.md.
 */

#ifndef UTIL_MESSAGE_H
#define UTIL_MESSAGE_H

/**
 * Note a message.
 *
 * @param _kind  "error", "warning", "obstacle" or "information"
 * @param ...    its format, a string literal, and arguments that do not matter
 */
#define MESSAGE_INDEX(_kind, ...)                                 \
	do {                                                      \
		static const char message_[]                      \
			__attribute__((section("uring_messages"), \
				       used)) = _kind             \
			": " MESSAGE_FIRST(__VA_ARGS__, "");      \
		(void)message_;                                   \
	} while (0)
#define MESSAGE_FIRST(_first, ...) _first

#endif /* UTIL_MESSAGE_H */
