/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The file of a process that publishes rows: its name, its layout, and how a
 * row stays complete for its readers.
 *
 * Each process maps a file of its own shared.  So no two processes write to the
 * same memory, and no process can die with a lock that others need.  The file
 * has two copies of each row.  The writer fills the invalid copy and then
 * increments the sequence, whose lowest bit says which copy is valid.  A reader
 * reads the valid copy, and tries again if the sequence has changed since.  So
 * it gets a complete row even if the writer was stopped or killed while it
 * wrote.
 */
#ifndef TRANSPORT_PUBLISH_FORMAT_H
#define TRANSPORT_PUBLISH_FORMAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "publish_row.h"

#define STATUS_MAGIC 0x32676e697275u /* "uring2" */
#define STATUS_ROW_WORDS (sizeof(struct uring_status_row) / sizeof(uint64_t))

_Static_assert(sizeof(struct uring_status_row) % sizeof(uint64_t) == 0,
	       "copied in words");

/* The beginning of a file. */
struct uring_status_header {
	uint64_t magic;
	uint64_t slot_size;
	uint64_t pid;
	uint64_t max_rows;
};

struct uring_status_slot {
	_Atomic uint64_t used;
	_Atomic uint64_t sequence;
	_Atomic uint64_t copies[2][STATUS_ROW_WORDS];
};

struct uring_status_file {
	struct uring_status_header header;
	struct uring_status_slot slots[];
};

/** @brief The size of a file with so many slots. */
size_t uring_status_file_size(size_t num_slots);

/** @brief Parse the name of a file of a process: PID-NUMBER. */
bool uring_status_parse_name(const char *name, pid_t *pid);

/** @brief Open the file of a process; -1 on error. */
int uring_status_open_process(int directory_fd, const char *name);

/** @brief The number of slots of a file; 0 if it is not a file of ours. */
size_t uring_status_count_slots(int fd, uint64_t *pid);

/** @brief Write a row into the slot of a mapped file. */
void uring_status_write_row(struct uring_status_slot *slot,
			    const struct uring_status_row *row);

/**
 * @brief Read the row of a slot.
 *
 * @return false if the connection does not exist or is closed.
 */
bool uring_status_read_row(int fd, size_t number, struct uring_status_row *row);

#endif /* TRANSPORT_PUBLISH_FORMAT_H */
