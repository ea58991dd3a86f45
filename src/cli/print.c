/* SPDX-License-Identifier: Apache-2.0 */
/* print.c  What people read: tables, wrapped sentences, times; and JSON as it is. */
#include <stdarg.h>
#include <time.h>
#include "admin/wire.h"
#include "base/buf.h"
#include "cli/cli.h"

enum { RING = 16, CELL = 160, COLUMNS = 12, WIDTH = 100 };

static char *ring(void)
{
	static char cells[RING][CELL];
	static unsigned next;
	return cells[next++ % RING];
}

int cli_error(struct cli *c, int code, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (c->json) {
		json_t *o = json_pack("{s:i, s:b, s:{s:s, s:s}}", "schema", (int)ADMIN_SCHEMA, "ok", 0, "error", "name", "FAILED", "text", line);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		fprintf(c->err, "umbel: %s\n", line);
	}
	return code;
}

int cli_error_report(struct cli *c, int code, const struct ev_report *why)
{
	json_t *error = admin_report_json(why);
	if (c->json) {
		json_t *o = json_pack("{s:i, s:b, s:O}", "schema", (int)ADMIN_SCHEMA, "ok", 0, "error", error);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		cli_print_error_object(c, error);
	}
	json_decref(error);
	return code;
}

void cli_print_error_object(struct cli *c, const json_t *error)
{
	fprintf(c->err, "umbel: %s\n", cli_text(error, "text"));
	const char *cause = cli_text(error, "cause"), *advice = cli_text(error, "advice");
	if (*cause) {
		fprintf(c->err, "  Cause:\n");
		cli_wrapped(c->err, cause, "    ");
	}
	if (*advice) {
		fprintf(c->err, "  What to do:\n");
		cli_wrapped(c->err, advice, "    ");
	}
}

int cli_print_json(struct cli *c, const json_t *value)
{
	json_t *copy = NULL;
	if (json_is_object(value) && !json_object_get(value, "schema")) {
		copy = json_pack("{s:i}", "schema", (int)ADMIN_SCHEMA);
		json_object_update(copy, (json_t *)(uintptr_t)value);
		value = copy;
	}
	json_dumpf(value, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', c->out);
	json_decref(copy);
	return fflush(c->out) == 0 ? CLI_GOOD : CLI_NO;
}

const char *cli_text(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_boolean(v))
		return json_is_true(v) ? "yes" : "no";
	if (!json_is_number(v))
		return "";
	char *cell = ring();
	if (json_is_integer(v))
		text_print(cell, CELL, "%lld", (long long)json_integer_value(v));
	else
		text_print(cell, CELL, "%.3f", json_real_value(v));
	return cell;
}

int64_t cli_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool cli_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

struct column {
	char key[48];
	char title[32];
	size_t width;
};

/* Characters, not bytes, so that names with accents line up. */
static size_t shown_width(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static unsigned read_columns(const char *spec, struct column *col)
{
	unsigned n = 0;
	struct text rest = text_of(spec), word;
	while (!text_empty(rest) && n < COLUMNS) {
		struct text key, title;
		text_cut(rest, ' ', &word, &rest);
		if (text_empty(word))
			continue;
		text_cut(word, ':', &key, &title);
		text_copy(key, col[n].key, sizeof col[n].key);
		text_copy(title, col[n].title, sizeof col[n].title);
		col[n].width = title.n;
		n++;
	}
	return n;
}

void cli_table(struct cli *c, const json_t *rows, const char *columns)
{
	struct column col[COLUMNS] = { 0 };
	unsigned n = read_columns(columns, col);
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
		for (unsigned k = 0; k < n; k++) {
			size_t w = shown_width(cli_text(row, col[k].key));
			col[k].width = w > col[k].width ? w : col[k].width;
		}
	for (unsigned k = 0; k < n; k++)
		fprintf(c->out, "%-*s%s", k + 1 < n ? (int)col[k].width : 0, col[k].title, k + 1 < n ? "  " : "\n");
	json_array_foreach(rows, i, row)
		for (unsigned k = 0; k < n; k++) {
			const char *s = cli_text(row, col[k].key);
			size_t pad = k + 1 < n ? col[k].width - shown_width(s) : 0;
			fprintf(c->out, "%s%*s%s", s, (int)pad, "", k + 1 < n ? "  " : "\n");
		}
}

/* A command to be copied must stay in one piece. */
static bool is_command(struct text line)
{
	static const char *const words[] = { "umbel ", "openssl ", "dig ", "ip ", "ping ", "traceroute ", "certreq ", "New-Cs", "Set-Cs", "Get-Cs", "Enable-Cs" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (text_starts(line, words[i]))
			return true;
	return false;
}

static void wrap_line(FILE *out, struct text line, const char *before)
{
	char indent[80];
	size_t blanks = 0;
	while (blanks < line.n && line.p[blanks] == ' ')
		blanks++;
	text_print(indent, sizeof indent, "%s%.*s", before, (int)blanks, line.p ? line.p : "");
	line = text_skip(line, blanks);
	size_t room = WIDTH - strlen(indent);
	if (is_command(line)) {
		fprintf(out, "%s%.*s\n", indent, TEXT_FMT(line));
		return;
	}
	while (line.n > room) {
		size_t cut = room;
		while (cut > 0 && line.p[cut] != ' ')
			cut--;
		if (cut == 0) {
			size_t blank = text_find(line, ' ');
			cut = blank == SIZE_MAX ? line.n : blank;
		}
		fprintf(out, "%s%.*s\n", indent, (int)cut, line.p);
		line = text_trim(text_skip(line, cut));
	}
	if (line.n)
		fprintf(out, "%s%.*s\n", indent, TEXT_FMT(line));
}

void cli_wrapped(FILE *out, const char *text, const char *indent)
{
	struct text rest = text_of(text), line;
	while (!text_empty(rest)) {
		text_cut(rest, '\n', &line, &rest);
		wrap_line(out, line, indent);
	}
}

void cli_item(FILE *out, const char *mark, const char *text)
{
	char *lines = NULL, blanks[64];
	size_t n = 0;
	FILE *f = open_memstream(&lines, &n);
	if (!f)
		return;
	text_print(blanks, sizeof blanks, "%*s", (int)strlen(mark), "");
	cli_wrapped(f, text, blanks);
	fclose(f);
	fprintf(out, "%s%s", mark, n > strlen(mark) ? lines + strlen(mark) : "\n");
	free(lines);
}

const char *cli_when_us(int64_t us)
{
	char *cell = ring();
	time_t s = us / 1000000;
	struct tm tm;
	if (us <= 0 || !localtime_r(&s, &tm) || !strftime(cell, CELL, "%Y-%m-%d %H:%M:%S", &tm))
		text_fill(cell, CELL, "never");
	return cell;
}

const char *cli_duration_ms(int64_t ms)
{
	char *cell = ring();
	int64_t s = (ms + 500) / 1000;
	if (s < 3600)
		text_print(cell, CELL, "%lld:%02lld", (long long)(s / 60), (long long)(s % 60));
	else if (s < 86400)
		text_print(cell, CELL, "%lld h %lld min", (long long)(s / 3600), (long long)(s % 3600 / 60));
	else
		text_print(cell, CELL, "%lld d %lld h", (long long)(s / 86400), (long long)(s % 86400 / 3600));
	return cell;
}
