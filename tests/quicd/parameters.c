// SPDX-License-Identifier: LGPL-3.0-or-later
/*
 * Prints the parameters of smbd-quicd, and with --others those that it knows of
 * the other parts.  tests/checks/test_docs compares them with the man pages, on
 * machines without a QUIC library as well.
 */

#include <stdio.h>

#include "quicd/parameters.h"

int main(int argc, char **argv)
{
	const char *name = NULL;
	bool ours = false;
	size_t i;

	for (i = 0; (name = quicd_parameter_name(i, &ours)) != NULL; i++) {
		if (ours == (argc == 1)) {
			printf("%s\n", name);
		}
	}
	return 0;
}
