/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_objects.c  umbel dialplan|policy|schedule ..., and add, set, remove of attendants and mailboxes: the same for every kind of object. */
#include <errno.h>
#include "cli/alike.h"
#include "cli/csv.h"
#include "cli/letters.h"
#include "config/edit.h"

/* ---- looking ---- */

static int show_list(struct cli *c, const json_t *r)
{
	static const char *const columns[][2] = {
		{ "dialplan", "name:DIALPLAN gateway:GATEWAY extension_digits:DIGITS domain:DOMAIN operator:OPERATOR security:SECURITY" },
		{ "policy", "name:POLICY pin_min_length:PIN max_messages:MESSAGES max_recording_s:SECONDS allowed_rules:OUTSIDE" },
		{ "schedule", "name:SCHEDULE time_zone:ZONE hours:HOURS" },
	};
	for (size_t i = 0; i < 3; i++)
		if (strcmp(columns[i][0], c->cmd->noun) == 0)
			cli_table(c, json_object_get(r, "objects"), columns[i][1]);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_list_show(c, "object.list", json_pack("{s:s}", "kind", c->cmd->noun), show_list);
}

static void show_calendar(struct cli *c, const json_t *o)
{
	fprintf(c->out, "  The calendar holds %s days", cli_text(o, "days"));
	if (*cli_text(o, "fetched"))
		fprintf(c->out, "; they came at %s and were still the newest at %s, %s ago", cli_text(o, "fetched"), cli_text(o, "confirmed"),
		        cli_duration_ms(cli_int(o, "age_s") * 1000));
	else if (json_object_get(o, "asked"))
		fprintf(c->out, cli_true(o, "asked") ? "; it has never come to this node" : "; its server has not answered yet");
	fprintf(c->out, ".\n");
	if (!*cli_text(o, "failing_since"))
		return;
	fprintf(c->out, "  Since %s it cannot be fetched: %s.\n  What to do:\n", cli_text(o, "failing_since"), cli_text(o, "why"));
	cli_wrapped(c->out, cli_text(o, "advice"), "    ");
}

/* Texts may have lines. */
static void show_setting(struct cli *c, const json_t *s)
{
	struct text line, rest = text_of(cli_text(s, "value"));
	fprintf(c->out, "  %-26s", cli_text(s, "key"));
	while (text_cut(rest, '\n', &line, &rest))
		fprintf(c->out, "%.*s\n  %-26s", TEXT_FMT(line), "");
	fprintf(c->out, "%.*s%s\n", TEXT_FMT(line), cli_true(s, "given") ? "" : "  (default)");
}

static int show_settings(struct cli *c, const json_t *o)
{
	size_t i;
	const json_t *s;
	fprintf(c->out, "%s %s%s\n", cli_text(o, "kind"), cli_text(o, "name"), cli_true(o, "managed_by_file") ? ", from the node's configuration file" : "");
	json_array_foreach(json_object_get(o, "settings"), i, s)
		if (cli_true(s, "given") || *cli_text(s, "value"))
			show_setting(c, s);
	if (json_object_get(o, "calendar"))
		show_calendar(c, json_object_get(o, "calendar"));
	return CLI_GOOD;
}

static int show(struct cli *c)
{
	return cli_ask_show(c, "object.show", json_pack("{s:s, s:s}", "kind", c->cmd->noun, "name", c->pos[0]), show_settings);
}

/* ---- changing ---- */

static void print_edit_error(struct cli *c, const json_t *e)
{
	fprintf(c->err, "umbel: %s: %s: %s\n", cli_text(e, "key"), cli_text(e, "what"), cli_text(e, "fix"));
}

static int show_edited(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *e;
	bool good = cli_true(r, "good");
	if (c->json) {
		cli_print_json(c, r);
	} else if (good) {
		fprintf(c->out, cli_true(r, "applied") ? "Done: it is in use now; the other nodes of the store agreed to it and take it at once.\n" : "It would be taken; nothing was changed.\n");
	} else {
		json_array_foreach(json_object_get(r, "errors"), i, e)
			print_edit_error(c, e);
		fprintf(c->err, "umbel: nothing was changed\n");
	}
	return good ? CLI_GOOD : CLI_NO;
}

static int send_edits(struct cli *c, json_t *edits, json_t **result)
{
	return cli_ask(c, "object.edit", json_pack("{s:s, s:o, s:b}", "kind", c->cmd->noun, "edits", edits, "dry_run", cli_opt(c, "dry-run") != NULL), result);
}

/* The mailbox is there; should this fail, reset-pin does it again. */
static int add_letter(struct cli *c, struct cli_letter *l)
{
	char why[CLI_LETTER_WHY + 200];
	int code = cli_letter_write(l, c, c->pos[0], true, false);
	if (code != CLI_GOOD) {
		text_print(why, sizeof why, "%s. The mailbox is there, without a PIN of its owner: umbel mailbox reset-pin %s --letter FILE", l->why, c->pos[0]);
		text_fill(l->why, sizeof l->why, why);
	}
	return cli_letter_told(c, l, code, c->pos[0]);
}

static int edit(struct cli *c, const char *op)
{
	json_t *settings = json_object(), *r = NULL;
	for (unsigned i = 1; i < c->n_pos; i++) {
		struct text key, value;
		if (!text_cut(text_of(c->pos[i]), '=', &key, &value) || !key.n) {
			json_decref(settings);
			return cli_error(c, CLI_USAGE, "\"%s\" is no setting: write key=value, as in operator=200", c->pos[i]);
		}
		char name[96];
		text_print(name, sizeof name, "%.*s", TEXT_FMT(key));
		json_object_set_new(settings, name, json_stringn(value.n ? value.p : "", value.n));
	}
	for (unsigned i = 0; cli_opt_nth(c, "unset", i); i++)
		json_object_set_new(settings, cli_opt_nth(c, "unset", i), json_null());
	json_t *edits = json_pack("[{s:s, s:s, s:o}]", "op", op, "name", c->pos[0], "settings", settings);
	if (!edits)
		return cli_error(c, CLI_USAGE, "names and values must be UTF-8 text");
	struct cli_letter l = { .fd = -1 };
	const char *file = strcmp(op, "add") == 0 && strcmp(c->cmd->noun, "mailbox") == 0 && !cli_opt(c, "dry-run") ? cli_opt(c, "letter") : NULL;
	if (file)
		cli_letter_init(&l, file, NULL, c->pos[0]);
	if (file && cli_letter_open(&l) != CLI_GOOD) {
		json_decref(edits);
		return cli_error(c, CLI_NO, "%s; nothing was changed", l.why);
	}
	int code = send_edits(c, edits, &r);
	bool made = code == CLI_GOOD && cli_true(r, "applied");
	if (code == CLI_GOOD && !(made && file && c->json))
		code = show_edited(c, r);
	if (made && file)
		code = add_letter(c, &l);
	cli_letter_drop(&l);
	if (code == CLI_GOOD && cli_true(r, "applied") && strcmp(c->cmd->noun, "mailbox") == 0 && strcmp(op, "remove") != 0) {
		json_t *names = json_pack("[s]", c->pos[0]);
		cli_alike_after(c, names);
		json_decref(names);
	}
	json_decref(r);
	return code;
}

static int add(struct cli *c)
{
	return edit(c, "add");
}

static int set(struct cli *c)
{
	return edit(c, "set");
}

static int take_out(struct cli *c)
{
	return edit(c, "remove");
}

/* ---- mailbox import ---- */

struct import {
	struct cli *c;
	const char *path;
	char key[CSV_FIELDS][64]; /* of each column; "" is left out */
	bool several[CSV_FIELDS];
	unsigned columns, name_column;
	json_t *edits;
	unsigned *line; /* of each edit in the file */
	size_t n, room, wrong;
};

static void at_line(struct import *m, unsigned line, unsigned column, const char *what, const char *fix)
{
	fprintf(m->c->err, "%s:%u:%u: %s: %s\n", m->path, line, column, what, fix);
	m->wrong++;
}

static void take_head(struct import *m, const struct csv *t)
{
	char what[160];
	m->columns = t->n;
	m->name_column = CSV_FIELDS;
	for (unsigned i = 0; i < t->n; i++) {
		text_print(m->key[i], sizeof m->key[i], "%.*s", TEXT_FMT(t->field[i]));
		for (unsigned k = 0; k < i; k++)
			if (*m->key[i] && strcmp(m->key[i], m->key[k]) == 0) {
				text_print(what, sizeof what, "column %u is called \"%s\", too", k + 1, m->key[i]);
				at_line(m, t->at_line, i + 1, what, "keep one of them; what has several values stands in one cell, as in 201;202");
				break;
			}
		if (strcmp(m->key[i], "name") == 0) {
			m->name_column = i;
		} else if (*m->key[i] && !cfg_setting_known("mailboxes", m->key[i], &m->several[i])) {
			text_print(what, sizeof what, "there is no setting \"%s\"", m->key[i]);
			at_line(m, t->at_line, i + 1, what, "the first line names the settings of mailboxes, as umbel.yaml(5) lists them: name,display_name,extensions");
		}
	}
	if (m->name_column == CSV_FIELDS)
		at_line(m, t->at_line, 1, "there is no column \"name\"", "name the columns in the first line");
}

static void put_quoted(struct buf *b, struct text t)
{
	buf_char(b, '"');
	for (size_t k = 0; k < t.n; k++)
		buf_printf(b, t.p[k] == '"' || t.p[k] == '\\' ? "\\%c" : "%c", t.p[k]);
	buf_char(b, '"');
}

/* A cell as a value of the file: 201;202 is a list, unless it is written as one; what looks like YAML in a text is none. */
static json_t *cell(const struct import *m, unsigned i, struct text v)
{
	struct text part;
	struct buf b;
	if (v.n > 1 && v.p[0] == '\'' && strchr("=+-@", v.p[1]))
		v = text_skip(v, 1); /* the apostrophe keeps spreadsheets from computing */
	bool yaml = strchr("[{\"'", v.p[0]) != NULL;
	if (m->several[i] ? v.p[0] == '[' || v.p[0] == '{' : !yaml)
		return json_stringn(v.p, v.n);
	buf_init(&b, 1 << 16);
	if (!m->several[i])
		put_quoted(&b, v);
	char separator = text_find(v, ';') != SIZE_MAX ? ';' : '|';
	for (bool first = true; m->several[i] && v.n; first = false) {
		text_cut(v, separator, &part, &v);
		buf_str(&b, first ? "[" : ", ");
		put_quoted(&b, text_trim(part));
	}
	if (m->several[i])
		buf_char(&b, ']');
	json_t *s = buf_error(&b) ? NULL : json_stringn((const char *)b.p, b.n);
	buf_free(&b);
	return s;
}

static bool remember_line(struct import *m, unsigned line)
{
	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 256;
		unsigned *v = realloc(m->line, room * sizeof *v);
		if (!v)
			return false;
		m->line = v;
		m->room = room;
	}
	m->line[m->n++] = line;
	return true;
}

static void take_row(struct import *m, const struct csv *t)
{
	char name[128];
	json_t *settings = json_object();
	struct text n = m->name_column < t->n ? t->field[m->name_column] : TEXT_NONE;
	if (t->n > m->columns)
		at_line(m, t->at_line, m->columns + 1, "there are more cells than columns", "put a cell with a comma into quotes");
	if (!n.n || text_print(name, sizeof name, "%.*s", TEXT_FMT(n))) {
		at_line(m, t->at_line, m->name_column + 1, "the name is missing or too long", "give each mailbox a name");
		json_decref(settings);
		return;
	}
	for (unsigned i = 0; i < t->n && i < m->columns; i++) {
		if (i == m->name_column || !*m->key[i] || !t->field[i].n)
			continue; /* an empty cell leaves the default */
		json_t *v = cell(m, i, t->field[i]);
		if (!v)
			at_line(m, t->at_line, i + 1, "cannot be read", "use UTF-8 text, without a quote in front");
		else
			json_object_set_new(settings, m->key[i], v);
	}
	json_t *e = json_pack("{s:s, s:s, s:o}", "op", cli_opt(m->c, "update") ? "set" : "add", "name", name, "settings", settings);
	if (!e || !remember_line(m, t->at_line))
		at_line(m, t->at_line, m->name_column + 1, "cannot be read", "use UTF-8 text");
	else
		json_array_append(m->edits, e);
	json_decref(e);
}

static unsigned column_of(const struct import *m, const char *setting)
{
	size_t n = strcspn(setting, "[");
	for (unsigned i = 0; i < m->columns; i++)
		if (strlen(m->key[i]) == n && strncmp(m->key[i], setting, n) == 0)
			return i + 1;
	return m->name_column + 1;
}

static void tell_errors(struct import *m, const json_t *r)
{
	size_t i;
	const json_t *e;
	json_array_foreach(json_object_get(r, "errors"), i, e) {
		int64_t at = cli_int(e, "edit");
		if (at >= 0 && (size_t)at < m->n)
			at_line(m, m->line[at], column_of(m, cli_text(e, "setting")), cli_text(e, "what"), cli_text(e, "fix"));
		else
			print_edit_error(m->c, e);
	}
	if (cli_int(r, "more"))
		fprintf(m->c->err, "umbel: and %s more\n", cli_text(r, "more"));
}

static int read_rows(struct import *m, struct text all)
{
	struct csv *t = malloc(sizeof *t);
	if (!t)
		return cli_error(m->c, CLI_NO, "no memory left");
	csv_begin(t, all);
	int err;
	bool head = true;
	while ((err = csv_next(t)) == 0) {
		if (head)
			take_head(m, t);
		else
			take_row(m, t);
		if (head && m->wrong)
			break;
		head = false;
	}
	if (err == EINVAL)
		at_line(m, t->at_line, t->wrong_column, t->wrong, "mend the line; a cell with commas or quotes stands in quotes");
	else if (!m->wrong && !m->n)
		at_line(m, 1, 1, "there is no mailbox in it", "give one line a mailbox, below the line with the names of the columns");
	free(t);
	return m->wrong ? CLI_NO : CLI_GOOD;
}

static void alike_of_edits(struct cli *c, const json_t *edits)
{
	size_t i;
	const json_t *e;
	json_t *names = json_array();
	json_array_foreach(edits, i, e)
		json_array_append(names, json_object_get(e, "name"));
	cli_alike_after(c, names);
	json_decref(names);
}

static void tell_imported(const struct import *m, const json_t *r, int code)
{
	struct cli *c = m->c;
	bool applied = cli_true(r, "applied");
	if (code == CLI_NO)
		fprintf(c->err, "umbel: nothing was imported\n");
	else if (applied && cli_opt(c, "letters"))
		fprintf(c->err, "%zu mailboxes are in use now; their letters are being written ...\n", m->n);
	else if (r && code == CLI_GOOD)
		fprintf(c->out, applied ? "%zu mailboxes are in use now. umbel mailbox reset-pin NAME gives each its first PIN; so does --update --letters FOLDER, with letters to the owners.\n" :
			"%zu mailboxes would be taken; nothing was changed.\n", m->n);
}

static int import_letters(const struct import *m, json_t *r)
{
	struct cli *c = m->c;
	struct cli_letters ls = { .folder = cli_opt(c, "letters") };
	char how[9000];
	text_print(how, sizeof how, "umbel mailbox import %s --update --letters %s", m->path, ls.folder);
	int code = cli_letters_write(&ls, c, m->edits, cli_opt(c, "update") == NULL, how);
	json_object_set_new(r, "letters", cli_letters_json(&ls));
	json_decref(ls.failed);
	return code;
}

/* Before anything is changed. */
static int check_letters(const struct import *m)
{
	const char *folder = cli_opt(m->c, "letters");
	if (!folder || cli_opt(m->c, "update") || cli_opt(m->c, "dry-run"))
		return CLI_GOOD;
	return cli_letters_check(m->c, folder, m->edits);
}

static int import(struct cli *c)
{
	struct import m = { .c = c, .path = c->pos[0], .edits = json_array() };
	struct buf b;
	json_t *r = NULL;
	int code = cli_read_file(c, c->pos[0], 16 << 20, &b);
	if (code)
		return code;
	code = read_rows(&m, buf_as_text(&b));
	buf_free(&b);
	if (code == CLI_GOOD)
		code = check_letters(&m);
	if (code == CLI_GOOD && !c->json)
		fprintf(c->err, "%zu mailboxes read; all are checked before any is made ...\n", m.n);
	if (code == CLI_GOOD)
		code = send_edits(c, json_incref(m.edits), &r);
	if (r && !cli_true(r, "good")) {
		if (!c->json)
			tell_errors(&m, r);
		code = CLI_NO;
	}
	if (!c->json)
		tell_imported(&m, r, code);
	bool applied = code == CLI_GOOD && cli_true(r, "applied");
	if (applied && cli_opt(c, "letters"))
		code = import_letters(&m, r);
	if (r && c->json)
		cli_print_json(c, r);
	if (applied)
		alike_of_edits(c, m.edits);
	json_decref(r);
	json_decref(m.edits);
	free(m.line);
	return code;
}

/* ---- mailbox export ---- */

static const char *const exported[] = { "name", "display_name", "first_name", "last_name", "spoken_name", "pronunciation", "department", "title", "alias", "extensions", "sip_uris",
	"dialplan", "policy", "schedule", "dialable", "allowed_transfers", "operator", "lamp", "lamp_gateway", "lamp_uri", "language" };
enum { EXPORTED = sizeof exported / sizeof exported[0] };

/* ["201", "202"] as people write it in a cell: 201;202. */
static void put_cell(struct buf *b, const char *value, bool first)
{
	char list[CSV_FIELD_BYTES];
	size_t n = strlen(value), used = 0;
	if (n < 4 || n >= sizeof list || strncmp(value, "[\"", 2) != 0 || strcmp(value + n - 2, "\"]") != 0 || strpbrk(value, ";\\")) {
		csv_put(b, strcmp(value, "[]") == 0 ? "" : value, first);
		return;
	}
	for (const char *p = value + 2; p < value + n - 2; p++) {
		if (strncmp(p, "\", \"", 4) == 0) {
			list[used++] = ';';
			p += 3;
		} else {
			list[used++] = *p;
		}
	}
	list[used] = '\0';
	csv_put(b, list, first);
}

static int export(struct cli *c)
{
	json_t *r = NULL;
	struct buf b;
	size_t i;
	const json_t *o;
	int code = cli_ask_list(c, "object.list", json_pack("{s:s}", "kind", "mailbox"), &r);
	if (code)
		return code;
	if (c->json) {
		code = cli_print_json(c, r);
		json_decref(r);
		return code;
	}
	buf_init(&b, 64 << 20);
	for (unsigned k = 0; k < EXPORTED; k++)
		csv_put(&b, exported[k], k == 0);
	buf_str(&b, "\r\n");
	json_array_foreach(json_object_get(r, "objects"), i, o) {
		for (unsigned k = 0; k < EXPORTED; k++)
			put_cell(&b, cli_text(o, exported[k]), k == 0);
		buf_str(&b, "\r\n");
	}
	const char *path = c->n_pos ? c->pos[0] : "-";
	code = buf_error(&b) ? cli_error(c, CLI_NO, "no memory left") : cli_write_file(c, path, b.p, b.n, 0640);
	if (code == CLI_GOOD && strcmp(path, "-") != 0)
		fprintf(c->out, "%zu mailboxes are in %s now.\n", json_array_size(json_object_get(r, "objects")), path);
	buf_free(&b);
	json_decref(r);
	return code;
}

/* ---- export of all objects ---- */

static int export_all(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "object.export", NULL, &r);
	if (code == CLI_GOOD && c->json)
		code = cli_print_json(c, r) == CLI_GOOD && !cli_true(r, "managed_by_file") ? CLI_GOOD : CLI_NO;
	else if (code == CLI_GOOD && cli_true(r, "managed_by_file"))
		code = cli_error(c, CLI_NO, "the objects stand in the node's own configuration file: that is the file to keep");
	else if (code == CLI_GOOD)
		code = cli_write_file(c, c->n_pos ? c->pos[0] : "-", cli_text(r, "yaml"), strlen(cli_text(r, "yaml")), 0640);
	json_decref(r);
	return code;
}

static const struct cli_opt edit_opts[] = {
	{ "unset", "KEY", "set: back to its default; may be repeated" },
	{ "dry-run", NULL, "check, but change nothing" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt add_mailbox_opts[] = {
	{ "letter", "FILE", "make its first PIN, too, and write it into a letter to its owner" },
	{ "dry-run", NULL, "check, but change nothing" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt import_opts[] = {
	{ "dry-run", NULL, "check all rows, but change nothing" },
	{ "update", NULL, "the rows change mailboxes that are there already" },
	{ "letters", "FOLDER", "make first PINs, too, and write a letter to each owner, FOLDER/NAME.txt; with --update to those who have no PIN yet" },
	{ NULL, NULL, NULL },
};

#define EDIT_HELP "Settings are those of umbel.yaml(5); a list is written ['201', '202'], one value may stand alone. All objects are checked together\n" \
	"before the change is taken into use for all nodes of the store. Objects that stand in a node's own configuration file are changed there."
#define LETTER_HELP "\nA letter tells the extension, the number to call, the first PIN, and what texts.welcome of the policy says. No letter is written over, only its\n" \
	"owner may read the file, and the PIN stands nowhere else."
#define EDIT_VERBS(noun, a_thing, example) EDIT_VERBS_WITH(noun, a_thing, example, edit_opts, "")
#define EDIT_VERBS_WITH(noun, a_thing, example, add_opts, more_help) \
	{ noun, "add", "NAME [KEY=VALUE]...", 1, 16, add_opts, "Make " a_thing, EDIT_HELP more_help, "  umbel " noun " add " example, add }, \
	{ noun, "set", "NAME [KEY=VALUE]...", 1, 16, edit_opts, "Change settings of " a_thing, EDIT_HELP, "  umbel " noun " set " example, set }, \
	{ noun, "remove", "NAME", 1, 1, edit_opts, "Take " a_thing " out", "Whatever still names it is told, and nothing changes then.", "  umbel " noun " remove old --dry-run", take_out }
#define LOOK_VERBS(noun, a_thing, plural) \
	{ noun, "list", "", 0, 0, NULL, "List the " plural, NULL, "  umbel " noun " list", list }, \
	{ noun, "show", "NAME", 1, 1, NULL, "Show " a_thing ": all settings, defaults too", NULL, "  umbel " noun " show main", show }

const struct cli_cmd cli_object_cmds[] = {
	LOOK_VERBS("dialplan", "a dial plan", "dial plans"), EDIT_VERBS("dialplan", "a dial plan", "main extension_digits=4 operator=2000"),
	LOOK_VERBS("policy", "a policy", "policies"), EDIT_VERBS("policy", "a policy", "strict pin_min_length=8 features.lamp=false"),
	LOOK_VERBS("schedule", "a schedule", "schedules"), EDIT_VERBS("schedule", "a schedule", "office time_zone=Europe/Berlin 'hours={mon-fri: 08:30-17:00}'"),
	EDIT_VERBS("attendant", "an attendant", "front numbers=800 schedule=office 'keys={1: mailbox alice, 0: operator}'"),
	EDIT_VERBS_WITH("mailbox", "a mailbox", "alice 'display_name=Alice Smith' \"extensions=['201', '202']\"", add_mailbox_opts, LETTER_HELP),
	{ "mailbox", "import", "FILE.csv", 1, 1, import_opts, "Make mailboxes from a table, all or none",
	  "The first line names the columns: name and any setting of mailboxes. Several values stand in one cell with ; between them. What is\n"
	  "wrong is told with line and column, and nothing is changed then." LETTER_HELP,
	  "  umbel mailbox import people.csv --dry-run\n  umbel mailbox import people.csv --letters letters", import },
	{ "mailbox", "export", "[FILE.csv]", 0, 1, NULL, "Write all mailboxes as a table that can be imported again", NULL, "  umbel mailbox export people.csv", export },
	{ "export", NULL, "[FILE]", 0, 1, NULL, "Write the objects in use as a file for umbel apply", "Comments of the file that was applied are there until a command changes an object.",
	  "  umbel export objects.yaml", export_all },
	{ NULL },
};
