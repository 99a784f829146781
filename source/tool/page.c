/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * The page of the report, see page.h.
 */

#include "config.h"

#include <time.h>
#include <unistd.h>

#include "html.h"
#include "page.h"
#include "table.h"
#include "util/macros.h"

/* The page shows so many lines of each kind, and curves of so many. */
#define LINES_MAX 50
#define CURVES_MAX 10

/* Print so many clients of each hour. */
#define HOUR_LINES_MAX 10

static void print_cell(FILE *out, enum figure_unit unit, uint64_t number)
{
	char text[64];

	table_figure(unit, number, text, sizeof(text));
	fprintf(out, "<td class=\"n\">%s</td>", number != 0 ? text : "-");
}

static void print_names(FILE *out, json_t *names)
{
	const char *name = NULL;
	const char *separator = "";
	json_t *value = NULL;

	json_object_foreach(names, name, value)
	{
		fputs(separator, out);
		html_text(out, name);
		separator = ", ";
	}
}

static void print_values(FILE *out, const struct day_slot *values)
{
	fprintf(out,
		"<td><b class=\"%s\">%s</b></td>",
		state_name(values->state),
		state_name(values->state));
	print_cell(out, FIGURE_UNIT_MICROSECONDS, values->rtt_us);
	print_cell(out, FIGURE_UNIT_PARTS_PER_MILLION, values->loss_ppm);
	print_cell(out, FIGURE_UNIT_MILLISECONDS, values->stall_ms);
	print_cell(out, FIGURE_UNIT_BYTES, values->sent);
	print_cell(out, FIGURE_UNIT_BYTES, values->received);
}

static void print_who(FILE *out, const struct day_line *line)
{
	fputs("<td class=\"name\">", out);
	html_text(out, line->name);
	if (line->transport[0] != '\0') {
		fputs(" <span class=\"dim\">", out);
		html_text(out, line->transport);
		fputs("</span>", out);
	}
	fputs("</td>", out);
}

static const char values_head[] =
	"<th class=\"n\">Bad for</th><th>Worst</th><th class=\"n\">RTT up to"
	"</th><th class=\"n\">Loss up to</th><th class=\"n\">Stall up to</th>"
	"<th class=\"n\">Sent</th><th class=\"n\">Received</th></tr>\n";

/* A table of clients, users or shares, then a strip of each. */
static void print_lines(FILE *out,
			const struct day *day,
			const char *title,
			const char *heading,
			const struct day_lines *lines)
{
	bool clients = lines == &day->clients;
	size_t i;

	fprintf(out, "<h2>%s</h2>\n<table>\n<tr><th>%s</th>", title, heading);
	fputs(clients ? "<th>Users</th><th>Shares</th>" : "", out);
	fputs(values_head, out);
	for (i = 0; i < lines->num_lines && i < LINES_MAX; i++) {
		const struct day_line *line = &lines->lines[i];

		fputs("<tr>", out);
		print_who(out, line);
		if (clients) {
			fputs("<td class=\"name\">", out);
			print_names(out, line->users);
			fputs("</td><td class=\"name\">", out);
			print_names(out, line->shares);
			fputs("</td>", out);
		}
		fprintf(out,
			"<td class=\"n\">%u min</td>",
			line->bad * (DAY_SLOT_SECONDS / 60));
		print_values(out, &line->all);
		fputs("</tr>\n", out);
	}
	fputs("</table>\n", out);
	if (i < lines->num_lines) {
		fprintf(out,
			"<p class=\"dim\">and %zu more, which were "
			"better</p>\n",
			lines->num_lines - i);
	}
	if (lines->num_left_out > 0) {
		fprintf(out,
			"<p class=\"dim\">and %zu more, which came when there "
			"were %d already, and are nowhere on this page</p>\n",
			lines->num_left_out,
			DAY_LINES_MAX);
	}
}

static void print_strips(FILE *out,
			 const struct day *day,
			 const char *what,
			 const struct day_lines *lines)
{
	size_t i;

	fprintf(out, "<h3>%s</h3>\n<table>\n", what);
	for (i = 0; i < lines->num_lines && i < LINES_MAX; i++) {
		fputs("<tr>", out);
		print_who(out, &lines->lines[i]);
		fputs("<td>", out);
		html_strip(out, day, &lines->lines[i]);
		fputs("</td></tr>\n", out);
	}
	fputs("<tr><td></td><td>", out);
	html_hours(out, day);
	fputs("</td></tr>\n</table>\n", out);
}

/* The worst of a client between two slots. */
static struct day_slot line_worst(const struct day_line *line,
				  size_t first,
				  size_t end,
				  unsigned *bad)
{
	struct day_slot worst = {};
	size_t i;

	*bad = 0;
	for (i = first; i < end; i++) {
		const struct day_slot *slot = &line->slots[i];

		day_slot_add(&worst, slot);
		*bad += slot->state > STATE_OK;
	}
	return worst;
}

/* The clients that were bad in an hour; false if there is none. */
static bool print_hour(FILE *out,
		       const struct day *day,
		       size_t first,
		       size_t end)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < day->clients.num_lines; i++) {
		const struct day_line *line = &day->clients.lines[i];
		unsigned bad = 0;
		struct day_slot worst = line_worst(line, first, end, &bad);

		if (bad == 0) {
			continue;
		}
		count += 1;
		if (count > HOUR_LINES_MAX) {
			continue;
		}
		fputs("<tr><td>", out);
		if (count == 1) {
			html_time(out, day, first);
		}
		fputs("</td>", out);
		print_who(out, line);
		fputs("<td class=\"name\">", out);
		print_names(out, line->users);
		fputs("</td><td class=\"name\">", out);
		print_names(out, line->shares);
		fprintf(out,
			"</td><td class=\"n\">%u min</td>",
			bad * (DAY_SLOT_SECONDS / 60));
		print_values(out, &worst);
		fputs("</tr>\n", out);
	}
	if (count > HOUR_LINES_MAX) {
		fprintf(out,
			"<tr><td></td><td class=\"dim\">and %zu more</td>"
			"</tr>\n",
			count - HOUR_LINES_MAX);
	}
	return count > 0;
}

static void print_hours(FILE *out, const struct day *day)
{
	bool any = false;
	size_t first = 0;
	size_t i;

	fprintf(out,
		"<h2>Hour by hour: who was not ok</h2>\n<table>\n<tr><th>From"
		"</th><th>Client</th><th>Users</th><th>Shares</th>%s",
		values_head);
	/* full hours, but the first */
	for (i = 1; i <= DAY_SLOTS; i++) {
		time_t time = day->start + (int64_t)i * DAY_SLOT_SECONDS;

		if (time % 3600 == 0 || i == DAY_SLOTS) {
			any = print_hour(out, day, first, i) || any;
			first = i;
		}
	}
	fputs("</table>\n", out);
	if (!any) {
		fputs("<p>Nobody: all clients were ok.</p>\n", out);
	}
}

static double slot_rtt(const struct day_slot *slot)
{
	return (double)slot->rtt_us;
}

static double slot_loss(const struct day_slot *slot)
{
	return (double)slot->loss_ppm;
}

static double slot_sent(const struct day_slot *slot)
{
	return (double)slot->sent / DAY_SLOT_SECONDS;
}

static double slot_received(const struct day_slot *slot)
{
	return (double)slot->received / DAY_SLOT_SECONDS;
}

static void print_curves(FILE *out, const struct day *day)
{
	static const struct {
		const char *title;
		html_value_fn_t value;
		enum figure_unit unit;
	} curves[] = {
		{"round-trip time", slot_rtt, FIGURE_UNIT_MICROSECONDS},
		{"loss", slot_loss, FIGURE_UNIT_PARTS_PER_MILLION},
		{"sent", slot_sent, FIGURE_UNIT_BYTES_PER_SECOND},
		{"received", slot_received, FIGURE_UNIT_BYTES_PER_SECOND},
	};
	size_t i;
	size_t j;

	fputs("<h2>Curves of the worst clients</h2>\n", out);
	for (i = 0; i < day->clients.num_lines && i < CURVES_MAX; i++) {
		const struct day_line *line = &day->clients.lines[i];

		fputs("<h3>", out);
		html_text(out, line->name);
		fputs(" <span class=\"dim\">", out);
		print_names(out, line->users);
		fputs("</span></h3>\n", out);
		for (j = 0; j < ARRAY_SIZE(curves); j++) {
			html_curve(out,
				   day,
				   line,
				   curves[j].title,
				   curves[j].value,
				   curves[j].unit);
		}
		html_hours(out, day);
	}
}

static size_t lines_count(const struct day_lines *lines)
{
	return lines->num_lines + lines->num_left_out;
}

void page_print(FILE *out,
		const struct day *day,
		size_t num_samples,
		int64_t now)
{
	char host[256] = "this server";
	char title[300];
	char text[64];
	time_t time = now;
	struct tm tm;

	(void)gethostname(host, sizeof(host) - 1);
	snprintf(title, sizeof(title), "SMB clients of %s", host);
	strftime(text, sizeof(text), "%F %H:%M %Z", localtime_r(&time, &tm));
	html_begin(out, title);
	fputs("<h1>", out);
	html_text(out, title);
	fprintf(out,
		"</h1>\n<p>The 24 hours before %s: %zu samples, %zu clients, "
		"%zu users, %zu shares.</p>\n"
		"<p class=\"dim\"><b class=\"ok\">ok</b> "
		"<b class=\"SLOW\">SLOW</b> round-trip time, "
		"<b class=\"LOSS\">LOSS</b> lost segments, "
		"<b class=\"STALL\">STALL</b> no acknowledgement: above the "
		"limits of smb.conf, or without limits above 100 ms, 2&nbsp;%% "
		"and 30 s.  The grey line: not connected.  Each value is the "
		"worst of five minutes.</p>\n",
		text,
		num_samples,
		lines_count(&day->clients),
		lines_count(&day->users),
		lines_count(&day->shares));
	fputs("<h2>The day</h2>\n", out);
	print_strips(out, day, "Shares", &day->shares);
	print_strips(out, day, "Clients, the worst first", &day->clients);
	print_hours(out, day);
	print_lines(out, day, "Clients", "Client", &day->clients);
	print_lines(out, day, "Users", "User", &day->users);
	print_lines(out, day, "Shares", "Share", &day->shares);
	print_curves(out, day);
	html_end(out);
}
