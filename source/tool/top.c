/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * status --watch: redraws the table on a terminal.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "output.h"

static volatile sig_atomic_t top_ended;

static void top_end(int sig)
{
	top_ended = 1;
}

/* The key that was pressed within a second, or 0. */
static int top_key(void)
{
	struct pollfd pfd = {
		.fd = STDIN_FILENO,
		.events = POLLIN,
	};
	char key = 0;

	if (poll(&pfd, 1, 1000) == 1 && read(STDIN_FILENO, &key, 1) != 1) {
		return 'q';
	}
	return key;
}

static int top_draw(const struct status_rows *rows,
		    bool wide,
		    const struct column *column)
{
	struct winsize size = {};
	size_t lines;
	char line[128];

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	snprintf(line,
		 sizeof(line),
		 "%zu connections, by %s",
		 rows->num_rows,
		 column->heading);
	/* clear the screen, and move the cursor home */
	printf("\033[H\033[2J%.*s",
	       size.ws_col > 0 ? size.ws_col : (int)sizeof(line),
	       line);
	if (size.ws_row == 1 || size.ws_row == 2) {
		/* no room for headings and a row */
		return fflush(stdout);
	}
	printf("\n");
	lines = 1 + quicd_lines(rows,
				size.ws_col > 0 ? size.ws_col : INT_MAX,
				size.ws_row > 0 ? size.ws_row / 4 : INT_MAX);
	return output_text(rows,
			   wide,
			   size.ws_col,
			   size.ws_row > 0 ? size.ws_row - lines : 0);
}

/* Returns 0 or an errno. */
static int top_loop(rows_source_fn_t source,
		    void *private_data,
		    bool wide,
		    const struct column *column,
		    struct status_rows *rows)
{
	const struct column *columns = NULL;
	size_t num_columns;
	size_t sorted;
	int ret;

	columns = table_columns(&num_columns);
	sorted = (size_t)(column - columns);
	while (!top_ended) {
		ret = source(rows, private_data);
		if (ret != 0) {
			return ret;
		}
		table_sort(rows, &columns[sorted]);
		ret = top_draw(rows, wide, &columns[sorted]);
		rows_free(rows);
		if (ret != 0) {
			return EIO;
		}

		switch (top_key()) {
		case 'q':
		case 3: /* ^C */
			return 0;
		case '<':
			sorted = (sorted + num_columns - 1) % num_columns;
			break;
		case '>':
			sorted = (sorted + 1) % num_columns;
			break;
		default:
			break;
		}
	}
	return 0;
}

int top_run(rows_source_fn_t source,
	    void *private_data,
	    bool wide,
	    const struct column *column,
	    struct status_rows *rows)
{
	struct sigaction action = {
		.sa_handler = top_end,
	};
	struct termios before;
	struct termios raw;
	int ret;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
		return ENOTTY;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	/* the alternate screen, without a cursor */
	printf("\033[?1049h\033[?25l");
	ret = top_loop(source, private_data, wide, column, rows);
	printf("\033[?25h\033[?1049l");
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return ret;
}
