/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Parts of the report as HTML and SVG.
 */

#include "config.h"

#include <string.h>
#include <time.h>

#include "html.h"
#include "table.h"

/* The size of a slot, and of a curve. */
#define SLOT_WIDTH 3
#define STRIP_HEIGHT 14
#define CURVE_HEIGHT 70
#define WIDTH (DAY_SLOTS * SLOT_WIDTH)
#define HOUR_SLOTS (3600 / DAY_SLOT_SECONDS)

static const char style[] =
	":root{color-scheme:light dark;--fg:#1b2430;--bg:#fff;--dim:#5c6773;"
	"--line:#d5dae0;--ok:#4c9f70;--slow:#e2b33c;--loss:#d9603b;"
	"--stall:#8a4fa3;--curve:#2a6fb0}\n"
	"@media(prefers-color-scheme:dark){:root{--fg:#e3e8ee;--bg:#14181d;"
	"--dim:#97a3af;--line:#333b45;--curve:#6bb0ee}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);"
	"background:var(--bg);max-width:1180px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
	"h3{font-size:1em;margin:1.6em 0 .3em}\n"
	"p.dim,.dim{color:var(--dim)}table{border-collapse:collapse}"
	"th,td{text-align:left;padding:.15em .8em .15em 0;vertical-align:top;"
	"overflow-wrap:anywhere}"
	"th{color:var(--dim);font-weight:normal;white-space:nowrap}"
	"td.n,th.n{text-align:right;white-space:nowrap}\n"
	"tr{border-bottom:1px solid var(--line)}td.name{max-width:17em}\n"
	"svg{display:block;max-width:100%}svg text{font:11px system-ui,"
	"sans-serif;fill:var(--dim)}\n"
	".ok{fill:var(--ok)}.SLOW{fill:var(--slow)}.LOSS{fill:var(--loss)}"
	".STALL{fill:var(--stall)}\n"
	"b{white-space:nowrap}"
	"b.SLOW,b.LOSS,b.STALL,b.ok{color:#fff;padding:0 .4em;"
	"border-radius:.2em}b.SLOW{background:var(--slow);color:#1b2430}"
	"b.LOSS{background:var(--loss)}b.STALL{background:var(--stall)}"
	"b.ok{background:var(--ok)}\n"
	".curve{fill:none;stroke:var(--curve);stroke-width:1.5}"
	".grid{stroke:var(--line)}.none{fill:var(--line)}\n";

void html_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
			break;
		}
	}
}

void html_begin(FILE *out, const char *title)
{
	/* with this policy even an unescaped name could load nothing */
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\""
	      "default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<title>",
	      out);
	html_text(out, title);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

void html_end(FILE *out)
{
	fputs("</body>\n</html>\n", out);
}

void html_time(FILE *out, const struct day *day, size_t slot)
{
	time_t time = day->start + (int64_t)slot * DAY_SLOT_SECONDS;
	struct tm tm;
	char text[16];

	strftime(text, sizeof(text), "%H:%M", localtime_r(&time, &tm));
	fputs(text, out);
}

static void print_figure(FILE *out,
			 const char *before,
			 enum figure_unit unit,
			 uint64_t number)
{
	char text[64];

	table_figure(unit, number, text, sizeof(text));
	fprintf(out, "%s%s", before, text);
}

/* Slots with the same state are one rectangle with one tooltip. */
static void print_run(FILE *out,
		      const struct day *day,
		      const struct day_line *line,
		      size_t first,
		      size_t end)
{
	struct day_slot worst = {};
	size_t i;

	for (i = first; i < end; i++) {
		day_slot_add(&worst, &line->slots[i]);
	}
	fprintf(out,
		"<rect class=\"%s\" x=\"%zu\" width=\"%zu\" height=\"%d\">"
		"<title>",
		state_name(line->slots[first].state),
		first * SLOT_WIDTH,
		(end - first) * SLOT_WIDTH,
		STRIP_HEIGHT);
	html_time(out, day, first);
	fputs(" to ", out);
	html_time(out, day, end);
	fprintf(out, ": %s", state_name(line->slots[first].state));
	print_figure(out,
		     ", round-trip time up to ",
		     FIGURE_UNIT_MICROSECONDS,
		     worst.rtt_us);
	print_figure(out,
		     ", loss up to ",
		     FIGURE_UNIT_PARTS_PER_MILLION,
		     worst.loss_ppm);
	fputs("</title></rect>", out);
}

void html_strip(FILE *out, const struct day *day, const struct day_line *line)
{
	size_t first = 0;
	size_t i;

	fprintf(out,
		"<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">"
		"<rect class=\"none\" y=\"6\" width=\"%d\" height=\"2\"/>",
		WIDTH,
		STRIP_HEIGHT,
		WIDTH,
		STRIP_HEIGHT,
		WIDTH);
	for (i = 1; i <= DAY_SLOTS; i++) {
		if (i < DAY_SLOTS &&
		    line->slots[i].state == line->slots[first].state) {
			continue;
		}
		if (line->slots[first].state != STATE_UNKNOWN) {
			print_run(out, day, line, first, i);
		}
		first = i;
	}
	fputs("</svg>\n", out);
}

/* Whether an hour begins in this slot. */
static bool begins_hour(const struct day *day, size_t slot)
{
	return (day->start / DAY_SLOT_SECONDS + (int64_t)slot) % HOUR_SLOTS ==
	       0;
}

void html_hours(FILE *out, const struct day *day)
{
	size_t i;

	fprintf(out,
		"<svg width=\"%d\" height=\"14\" viewBox=\"0 0 %d 14\">",
		WIDTH,
		WIDTH);
	for (i = 0; i + HOUR_SLOTS <= DAY_SLOTS; i++) {
		if (begins_hour(day, i)) {
			fprintf(out,
				"<text x=\"%zu\" y=\"11\">",
				i * SLOT_WIDTH);
			html_time(out, day, i);
			fputs("</text>", out);
		}
	}
	fputs("</svg>\n", out);
}

static void print_grid(FILE *out, const struct day *day)
{
	size_t i;

	for (i = 0; i < DAY_SLOTS; i++) {
		if (begins_hour(day, i)) {
			fprintf(out,
				"<line class=\"grid\" x1=\"%zu\" x2=\"%zu\" "
				"y2=\"%d\"/>",
				i * SLOT_WIDTH,
				i * SLOT_WIDTH,
				CURVE_HEIGHT);
		}
	}
}

/* A line between slots in which there was a sample, and none over a gap. */
static void print_curve(FILE *out,
			const struct day_line *line,
			html_value_fn_t value,
			double most)
{
	bool drawn = false;
	size_t i;

	fputs("<path class=\"curve\" d=\"", out);
	for (i = 0; i < DAY_SLOTS; i++) {
		const struct day_slot *slot = &line->slots[i];
		double y;

		if (slot->state == STATE_UNKNOWN) {
			drawn = false;
			continue;
		}
		y = CURVE_HEIGHT - 1 - value(slot) / most * (CURVE_HEIGHT - 14);
		/* a slot alone is a short line */
		fprintf(out,
			"%c%zu %.1fh%d",
			drawn ? 'L' : 'M',
			i * SLOT_WIDTH,
			y,
			SLOT_WIDTH);
		drawn = true;
	}
	fputs("\"/>", out);
}

void html_curve(FILE *out,
		const struct day *day,
		const struct day_line *line,
		const char *title,
		html_value_fn_t value,
		enum figure_unit unit)
{
	double most = 0;
	size_t i;

	for (i = 0; i < DAY_SLOTS; i++) {
		double y = value(&line->slots[i]);

		most = y > most ? y : most;
	}
	fprintf(out,
		"<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">",
		WIDTH,
		CURVE_HEIGHT,
		WIDTH,
		CURVE_HEIGHT);
	print_grid(out, day);
	print_curve(out, line, value, most > 0 ? most : 1);
	fprintf(out, "<text x=\"4\" y=\"11\">%s", title);
	print_figure(out, ", up to ", unit, (uint64_t)most);
	fputs("</text></svg>\n", out);
}
