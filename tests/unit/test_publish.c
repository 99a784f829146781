/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Description: a reader gets complete rows, whatever happens to the writer.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "transport/publish.h"
#include "transport/publish_read.h"
#include "util/macros.h"
#include "own_process.h"

#define MAX_ROWS 3
#define KILLS 200
#define READS 50

static char top[] = "/tmp/test_uring_status.XXXXXX";
static char directory[sizeof(top) + 10];

static int make_directory(void **state)
{
	assert_non_null(mkdtemp(top));
	snprintf(directory, sizeof(directory), "%s/status", top);
	return 0;
}

/* Remove the files; returns their number. */
static unsigned empty_directory(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry = NULL;
	unsigned files = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0) {
			files += 1;
			unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return files;
}

static int remove_directory(void **state)
{
	(void)empty_directory();
	rmdir(directory);
	return rmdir(top);
}

/* A row whose values all derive from n. */
static struct uring_status_row row_of(uint64_t n)
{
	struct uring_status_row row;
	uint64_t *words = (uint64_t *)(void *)&row;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(uint64_t); i++) {
		words[i] = n;
	}
	memset(row.transport, 'a' + n % 26, sizeof(row.transport) - 1);
	row.transport[sizeof(row.transport) - 1] = '\0';
	memset(row.client, 'a' + n % 26, sizeof(row.client) - 1);
	row.client[sizeof(row.client) - 1] = '\0';
	memset(row.relay, 'a' + n % 26, sizeof(row.relay) - 1);
	row.relay[sizeof(row.relay) - 1] = '\0';
	memset(row.users, 'a' + n % 26, sizeof(row.users) - 1);
	row.users[sizeof(row.users) - 1] = '\0';
	memset(row.shares, 'a' + n % 26, sizeof(row.shares) - 1);
	row.shares[sizeof(row.shares) - 1] = '\0';
	return row;
}

static bool is_whole(const struct uring_status_row *row, pid_t pid)
{
	struct uring_status_row expected = row_of(row->started);

	expected.pid = pid;
	return memcmp(&expected, row, sizeof(expected)) == 0;
}

static struct uring_status_row *read_rows(size_t count)
{
	struct uring_status_row *rows = NULL;
	size_t num_rows = 0;

	assert_int_equal(uring_status_read(NULL, directory, &rows, &num_rows),
			 0);
	assert_int_equal(num_rows, count);
	return rows;
}

static void test_rows(void **state)
{
	struct uring_status_row row = row_of(1);
	struct uring_status_row *rows = NULL;
	struct uring_status *status = NULL;
	struct stat st;
	size_t index[MAX_ROWS + 1];
	size_t num_rows;
	size_t i;

	assert_int_equal(uring_status_read(NULL, directory, &rows, &num_rows),
			 ENOENT);
	assert_int_equal(
		uring_status_create(NULL, directory, MAX_ROWS, &status), 0);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	talloc_free(read_rows(0));

	for (i = 0; i < MAX_ROWS; i++) {
		row = row_of(i);
		assert_int_equal(uring_status_add(status, &row, &index[i]), 0);
	}
	assert_int_equal(uring_status_add(status, &row, &index[MAX_ROWS]),
			 ENOSPC);
	rows = read_rows(MAX_ROWS);
	for (i = 0; i < MAX_ROWS; i++) {
		assert_int_equal(rows[i].started, i);
		assert_true(is_whole(&rows[i], getpid()));
	}
	talloc_free(rows);

	row = row_of(77);
	uring_status_set(status, index[1], &row);
	uring_status_remove(status, index[0]);
	rows = read_rows(MAX_ROWS - 1);
	assert_int_equal(rows[0].started, 77);
	assert_true(is_whole(&rows[0], getpid()));
	talloc_free(rows);

	/* the next row reuses its slot */
	row = row_of(5);
	assert_int_equal(uring_status_add(status, &row, &index[0]), 0);
	rows = read_rows(MAX_ROWS);
	assert_int_equal(rows[0].started, 5);
	talloc_free(rows);

	talloc_free(status);
	assert_int_equal(empty_directory(), 0);
}

static void test_directory(void **state)
{
	struct uring_status *status = NULL;
	int fd;

	assert_int_equal(uring_status_create(NULL,
					     "/nonexistent/status",
					     MAX_ROWS,
					     &status),
			 ENOENT);
	rmdir(directory);
	fd = open(directory, O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(
		uring_status_create(NULL, directory, MAX_ROWS, &status),
		ENOTDIR);
	unlink(directory);
	assert_int_equal(symlink("/", directory), 0);
	assert_int_equal(
		uring_status_create(NULL, directory, MAX_ROWS, &status),
		ENOTDIR);
	unlink(directory);

	if (geteuid() != 0) {
		print_message("# not root: cannot give a directory away\n");
		skip();
	}
	assert_int_equal(mkdir(directory, 0777), 0);
	assert_int_equal(chown(directory, 1, 1), 0);
	assert_int_equal(
		uring_status_create(NULL, directory, MAX_ROWS, &status), EPERM);
	assert_int_equal(chown(directory, 0, 0), 0);
	assert_int_equal(empty_directory(), 0);
}

static struct uring_status *one_row(size_t *index)
{
	struct uring_status_row row = row_of(1);
	struct uring_status *status = NULL;

	CHECK(uring_status_create(NULL, directory, MAX_ROWS, &status) == 0);
	CHECK(uring_status_add(status, &row, index) == 0);
	return status;
}

/* Readers see neither the actions nor the end of a child of the writer. */
static void test_fork(void **state)
{
	size_t index;
	struct uring_status *status = one_row(&index);
	struct uring_status_row *rows = NULL;
	int child = -1;
	pid_t pid = fork_for_a_while();

	if (pid == 0) {
		struct uring_status_row row = row_of(2);

		uring_status_set(status, index, &row);
		CHECK(uring_status_add(status, &row, &index) == ESRCH);
		uring_status_remove(status, 0);
		talloc_free(status);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &child, 0), pid);
	assert_int_equal(child, 0);
	rows = read_rows(1);
	assert_int_equal(rows[0].started, 1);
	talloc_free(rows);
	talloc_free(status);
	assert_int_equal(empty_directory(), 0);
}

static void short_time(void)
{
	struct timespec ts = {
		.tv_nsec = random() % 300000,
	};

	nanosleep(&ts, NULL);
}

static pid_t start_writer(void)
{
	pid_t pid = fork_for_a_while();

	if (pid == 0) {
		size_t index;
		struct uring_status *status = one_row(&index);
		uint64_t n;

		for (n = 2;; n++) {
			struct uring_status_row row = row_of(n);

			uring_status_set(status, index, &row);
			if (n % 1024 == 0) {
				/* pause, as real writers do */
				short_time();
			}
		}
	}
	assert_int_not_equal(pid, -1);
	return pid;
}

/* Its row, when there is one. */
static struct uring_status_row wait_for_row(pid_t pid)
{
	struct uring_status_row *rows = NULL;
	struct uring_status_row row;
	size_t num_rows = 0;

	while (num_rows == 0) {
		if (uring_status_read(NULL, directory, &rows, &num_rows) == 0) {
			row = rows[0];
			talloc_free(rows);
		}
	}
	assert_int_equal(num_rows, 1);
	assert_true(is_whole(&row, pid));
	return row;
}

/* Read while the writer writes, and stop it at any moment. */
static void test_torn(void **state)
{
	pid_t pid = start_writer();
	uint64_t first = wait_for_row(pid).started;
	unsigned i;
	unsigned j;

	for (i = 0; i < KILLS; i++) {
		short_time();
		for (j = 0; j < READS; j++) {
			wait_for_row(pid);
		}
		kill(pid, SIGSTOP);
		wait_for_row(pid);
		kill(pid, SIGCONT);
	}
	assert_true(wait_for_row(pid).started > first);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Kill the writer at any moment, also while it starts. */
static void test_killed(void **state)
{
	unsigned left;
	unsigned i;

	talloc_free(read_rows(0));
	for (i = 0; i < KILLS; i++) {
		pid_t pid = start_writer();

		if (i % 2 == 0) {
			wait_for_row(pid);
		}
		short_time();
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		talloc_free(read_rows(0));
	}
	/*
	 * Each writer removes its predecessors' files.  But a writer without a
	 * row may have been killed before it renamed its file.
	 */
	left = empty_directory();
	assert_true(left < KILLS / 2);
}

static bool exists(const char *name)
{
	char path[sizeof(directory) + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return lstat(path, &st) == 0;
}

/* Create a file that begins with the first 8 bytes of content. */
static void make_file(const char *name, const char *content)
{
	char path[sizeof(directory) + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, content, 8), 8);
	close(fd);
}

/*
 * A reader removes nothing.  A writer removes only what a killed writer left:
 * the directory may be a wrong one, with the files of somebody else.
 */
static void test_others_files(void **state)
{
	static const char *const others[] = {
		"999999999-01-report.txt",
		"999999999",
		"999999999-",
		"0999999-1",
		"-1",
		"99999999999-1",
		"999999999-1x",
		"1-1",
		"999999999-2",
	};
	struct flock lock = {
		.l_type = F_WRLCK,
	};
	const char magic[] = "uring2\0";
	struct uring_status *status = NULL;
	int locked;
	char path[sizeof(directory) + 32];
	size_t index;
	size_t i;

	assert_true(mkdir(directory, 0700) == 0 || errno == EEXIST);
	for (i = 0; i < ARRAY_SIZE(others) - 1; i++) {
		make_file(others[i], magic);
	}
	/* a good name, and another content */
	make_file(others[i], "a letter");
	/* no process has such a number */
	make_file("999999999-1", magic);
	snprintf(path, sizeof(path), "%s/999999999-3", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/999999999-4", directory);
	assert_int_equal(symlink("999999999-2", path), 0);
	/* a process that lives in another PID namespace */
	make_file("999999999-6", magic);
	snprintf(path, sizeof(path), "%s/999999999-6", directory);
	locked = open(path, O_RDWR);
	assert_int_equal(fcntl(locked, F_OFD_SETLK, &lock), 0);
	if (geteuid() == 0) {
		make_file("999999999-5", magic);
		snprintf(path, sizeof(path), "%s/999999999-5", directory);
		assert_int_equal(chown(path, 1, 1), 0);
	}

	talloc_free(read_rows(0));
	assert_true(exists("999999999-1"));
	status = one_row(&index);
	talloc_free(read_rows(1));
	talloc_free(status);
	assert_false(exists("999999999-1"));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		assert_true(exists(others[i]));
	}
	assert_true(exists("999999999-3"));
	assert_true(exists("999999999-4"));
	assert_true(exists("999999999-6"));
	close(locked);
	assert_true(geteuid() != 0 || exists("999999999-5"));
	(void)empty_directory();
}

/* A foreign file, or one of another version of the library. */
static void test_foreign(void **state)
{
	struct flock lock = {
		.l_type = F_WRLCK,
	};
	const char zeroes[100000] = "";
	char name[sizeof(directory) + 10];
	int fd;

	snprintf(name, sizeof(name), "%s/1-1", directory);
	fd = open(name, O_CREAT | O_RDWR, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	talloc_free(read_rows(0));
	assert_int_equal(write(fd, zeroes, sizeof(zeroes)), sizeof(zeroes));
	talloc_free(read_rows(0));
	close(fd);
	assert_int_equal(empty_directory(), 1);

	/* a FIFO would block the reader */
	assert_int_equal(mkfifo(name, 0600), 0);
	talloc_free(read_rows(0));
	assert_int_equal(empty_directory(), 1);
}

/* The only file in the directory. */
static int open_file(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry = NULL;
	int fd = -1;

	assert_non_null(dir);
	while (fd == -1 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			fd = openat(dirfd(dir), entry->d_name, O_RDWR);
		}
	}
	closedir(dir);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* Copy the first slot of the file; returns the number of bytes. */
static ssize_t copy_slot(int fd, uint64_t size, uint64_t number)
{
	const off_t header = 4 * sizeof(uint64_t);
	char slot[8192];

	assert_true(size <= sizeof(slot));
	assert_int_equal(pread(fd, slot, size, header), size);
	return pwrite(fd, slot, size, header + (off_t)(number * size));
}

static const char *path_of(int fd)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* A writer that the reader does not trust lies about its size. */
static void test_size(void **state)
{
	size_t index;
	struct uring_status *status = one_row(&index);
	int fd = open_file();
	uint64_t header[4];
	char name[sizeof(directory) + 10];
	struct stat st;
	uint64_t i;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, (off_t)1 << 42), 0);
	talloc_free(read_rows(1));
	assert_int_equal(pread(fd, header, sizeof(header), 0), sizeof(header));
	/* copy the row to the last slot that a reader reads, and to the next */
	for (i = 65535; i <= 65536; i++) {
		assert_int_equal(copy_slot(fd, header[1], i), header[1]);
		talloc_free(read_rows(2));
	}
	assert_int_equal(ftruncate(fd, st.st_size), 0);
	talloc_free(read_rows(1));
	snprintf(name, sizeof(name), "%s/1-1", directory);
	assert_int_equal(linkat(AT_FDCWD, path_of(fd), AT_FDCWD, name,
				AT_SYMLINK_FOLLOW),
			 0);
	talloc_free(read_rows(0));
	assert_int_equal(unlink(name), 0);
	talloc_free(read_rows(1));
	assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
	talloc_free(read_rows(0));
	assert_int_equal(ftruncate(fd, 0), 0);
	talloc_free(read_rows(0));
	close(fd);
	talloc_free(status);
	assert_int_equal(empty_directory(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_others_files),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
