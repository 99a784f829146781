/* SPDX-License-Identifier: LGPL-3.0-or-later */
/**
 * @file dlinklist.h
 * Doubly linked lists, with the names and the layout of Samba's DLIST macros.
 *
 * An element has members next and prev of its own type.  The head's prev is the
 * last element, so that the macros reach both ends at once.  The last element's
 * next is NULL.  Both members of an element that is in no list are NULL.
 */

#ifndef UTIL_DLINKLIST_H
#define UTIL_DLINKLIST_H

/** Put an element at the front. */
#define DLIST_ADD(list, element) \
	do { \
		if ((list) == NULL) { \
			(element)->prev = (element); \
		} else { \
			(element)->prev = (list)->prev; \
			(list)->prev = (element); \
		} \
		(element)->next = (list); \
		(list) = (element); \
	} while (0)

/** Put an element at the end. */
#define DLIST_ADD_END(list, element) \
	do { \
		(element)->next = NULL; \
		if ((list) == NULL) { \
			(element)->prev = (element); \
			(list) = (element); \
		} else { \
			(element)->prev = (list)->prev; \
			(list)->prev->next = (element); \
			(list)->prev = (element); \
		} \
	} while (0)

/** Take an element out; nothing happens if it is in no list. */
#define DLIST_REMOVE(list, element) \
	do { \
		if ((element)->prev == NULL) { \
			break; \
		} \
		if ((element) == (list)) { \
			(list) = (element)->next; \
			if ((list) != NULL) { \
				(list)->prev = (element)->prev; \
			} \
		} else { \
			(element)->prev->next = (element)->next; \
			if ((element)->next != NULL) { \
				(element)->next->prev = (element)->prev; \
			} else { \
				(list)->prev = (element)->prev; \
			} \
		} \
		(element)->next = NULL; \
		(element)->prev = NULL; \
	} while (0)

/** Put the elements of the second list behind those of the first. */
#define DLIST_CONCATENATE(list, other) \
	do { \
		__typeof__(list) dlist_last_ = NULL; \
		if ((other) == NULL) { \
			break; \
		} \
		if ((list) == NULL) { \
			(list) = (other); \
			break; \
		} \
		dlist_last_ = (other)->prev; \
		(other)->prev = (list)->prev; \
		(list)->prev->next = (other); \
		(list)->prev = dlist_last_; \
	} while (0)

#endif
