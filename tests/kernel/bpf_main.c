/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In place of test_progs.c of the kernel's BPF selftests, which wants a kernel
 * with BTF and a newer clang than Debian 12's: just enough to run those files
 * of prog_tests/ that need neither.  A file is named by -DTEST_FILE, its
 * function by -DTEST; they write their own messages, the exit status is the
 * verdict.
 */

#include TEST_FILE

static int failed;
static const char *subtest = "";

void test__fail(void)
{
	printf("# failed in: %s\n", subtest);
	failed = 1;
}

bool test__start_subtest(const char *name)
{
	subtest = name;
	return true;
}

void test__skip(void)
{
	printf("# skipped: %s\n", subtest);
}

int test__join_cgroup(const char *path)
{
	static bool ready;
	int fd;

	if (!ready && setup_cgroup_environment() != 0) {
		return -1;
	}
	ready = true;
	fd = create_and_get_cgroup(path);
	if (fd < 0 || join_cgroup(path) != 0) {
		return -1;
	}
	return fd;
}

int main(void)
{
	TEST();
	cleanup_cgroup_environment();
	return failed;
}
