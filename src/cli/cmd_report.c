/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report.c  umbel report calls, attendants, mailboxes: for people, as JSON, or as CSV with the columns that docs/reports.md lists. */
#include "cli/cli_private.h"
#include "cli/csv.h"

enum { ROW_BYTES = 1 << 20, PAGE = 200, RECORDS_USUALLY = 100, DAYS_USUALLY = 90, MONTHS_USUALLY = 12 };

/* ---- asking ---- */
static json_t *args_of(struct cli *c)
{
	static const char *const texts[] = { "since", "until", "by", "mailbox", "attendant", "gateway", "dialplan", "node", "kind" };
	json_t *args = json_object();
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		if (cli_opt(c, texts[i]))
			json_object_set_new(args, texts[i], json_string(cli_opt(c, texts[i])));
	return args;
}

static int check_form(struct cli *c)
{
	return c->json && cli_opt(c, "csv") ? cli_error(c, CLI_USAGE, "--json and --csv exclude each other") : CLI_GOOD;
}

/* ---- CSV ---- */
static void cell(struct buf *row, const json_t *v, bool first)
{
	char number[32] = "";
	if (json_is_integer(v))
		text_print(number, sizeof number, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		text_print(number, sizeof number, "%.10g", json_real_value(v));
	csv_put(row, json_is_string(v) ? json_string_value(v) : number, first);
}

/* Names of members; one behind a dot is a member of a member. */
static const json_t *member(const json_t *o, const char *path)
{
	struct text head, rest;
	char key[64];
	if (!text_cut(text_of(path), '.', &head, &rest))
		return json_object_get(o, path);
	text_copy(head, key, sizeof key);
	return json_object_get(json_object_get(o, key), rest.p);
}

static void csv_head(struct cli *c, const char *const *columns)
{
	for (unsigned i = 0; columns[i]; i++)
		fprintf(c->out, "%s%s", i ? "," : "", columns[i]);
	fprintf(c->out, "\r\n");
}

/* Columns that the first object lacks are looked for in the others. */
static int csv_row(struct cli *c, const char *const *columns, const json_t *o, const json_t *outer, const json_t *outermost)
{
	struct buf row;
	buf_init(&row, ROW_BYTES);
	for (unsigned i = 0; columns[i]; i++) {
		const json_t *v = member(o, columns[i]);
		v = v ? v : member(outer, columns[i]);
		cell(&row, v ? v : member(outermost, columns[i]), i == 0);
	}
	buf_str(&row, "\r\n");
	int err = buf_error(&row);
	if (!err)
		fwrite(row.p, 1, row.n, c->out);
	buf_free(&row);
	return err;
}

/* ---- calls in figures ---- */
static const char *const calls_columns[] = {
	"period", "calls", "mean_duration_ms", "kinds.voice-message", "kinds.missed", "kinds.answered", "kinds.subscriber", "kinds.unauthenticated", "kinds.attendant",
	"kinds.play-on-phone", "kinds.greeting", "kinds.find-me", "kinds.put-through", "kinds.none", "offer_results.answer", "offer_results.failed", "offer_results.rejected",
	"offer_results.redirected", "offer_results.none", "quality.excellent", "quality.good", "quality.average", "quality.poor", "quality.bad", "quality.not-measured",
	"packets_received", "packets_lost", "loss_percent", "mean_jitter_ms", "mean_round_trip_ms", "mean_nmos", NULL,
};

static void counts(struct cli *c, const char *title, const json_t *o)
{
	const char *key, *between = "";
	json_t *n;
	fprintf(c->out, "  %-16s", title);
	json_object_foreach((json_t *)(uintptr_t)o, key, n)
		if (json_integer_value(n)) {
			fprintf(c->out, "%s%s %lld", between, key, (long long)json_integer_value(n));
			between = ", ";
		}
	fprintf(c->out, "%s\n", *between ? "" : "-");
}

static const char *or_dash(const json_t *o, const char *key)
{
	const char *s = cli_text(o, key);
	return *s ? s : "-";
}

static void show_period(struct cli *c, const json_t *p)
{
	const char *name = cli_text(p, "period");
	fprintf(c->out, "%s: %s calls", *name ? name : "All together", cli_text(p, "calls"));
	if (json_is_integer(json_object_get(p, "mean_duration_ms")))
		fprintf(c->out, ", %s on average", cli_duration_ms(cli_int(p, "mean_duration_ms")));
	fputc('\n', c->out);
	if (!cli_int(p, "calls"))
		return;
	counts(c, "what they were", json_object_get(p, "kinds"));
	counts(c, "offers", json_object_get(p, "offer_results"));
	counts(c, "quality", json_object_get(p, "quality"));
	fprintf(c->out, "  %-16sloss %s %%, jitter %s ms, round trip %s ms, NMOS %s\n", "on average", or_dash(p, "loss_percent"), or_dash(p, "mean_jitter_ms"),
	        or_dash(p, "mean_round_trip_ms"), or_dash(p, "mean_nmos"));
}

static int show_calls(struct cli *c, const json_t *r)
{
	const json_t *periods = json_object_get(r, "periods"), *p;
	size_t i;
	if (cli_opt(c, "csv"))
		csv_head(c, calls_columns);
	json_array_foreach(periods, i, p)
		if (cli_opt(c, "csv"))
			csv_row(c, calls_columns, p, NULL, NULL);
		else
			show_period(c, p);
	if (!json_array_size(periods) && !cli_opt(c, "csv"))
		fprintf(c->out, "No call is recorded there.\n");
	return CLI_GOOD;
}

/* ---- single calls ---- */
static const char *const record_columns[] = {
	"started", "duration_ms", "kind", "direction", "id", "parent", "call_id", "node", "dialplan", "gateway", "gateway_address", "transport", "called", "caller",
	"caller_name", "dialled", "offer_result", "drop_reason", "reason", "caller_mailbox", "callee_mailbox", "attendant", "transferred_to", "codec", "srtp", "quality", "nmos",
	"nmos_degradation", "nmos_degradation_jitter", "nmos_degradation_loss", "jitter_ms", "packets_received", "packets_lost", "loss_percent", "peer_packets_lost",
	"round_trip_ms", "burst_density", "burst_gap_ms", "keys", NULL,
};

static void show_path(struct cli *c, const json_t *record)
{
	const json_t *s;
	size_t i;
	json_array_foreach(json_object_get(record, "path"), i, s)
		fprintf(c->out, "    %8.3f s  %s (%s): %s %s%s%s\n", (double)cli_int(s, "at_ms") / 1000, cli_text(s, "attendant"), cli_text(s, "menu"), cli_text(s, "what"),
		        cli_text(s, "value"), *cli_text(s, "target") ? " -> " : "", cli_text(s, "target"));
	if (cli_int(record, "steps_lost"))
		fprintf(c->out, "    and %s more\n", cli_text(record, "steps_lost"));
}

static void show_records(struct cli *c, json_t *records)
{
	size_t i;
	json_t *r;
	json_array_foreach(records, i, r) {
		json_object_set_new(r, "began", json_string(cli_when_us(cli_int(r, "started_us"))));
		json_object_set_new(r, "lasts", json_string(cli_duration_ms(cli_int(r, "duration_ms"))));
		json_object_set(r, "for", json_object_get(r, *cli_text(r, "attendant") ? "attendant" : "callee_mailbox"));
		if (cli_opt(c, "path")) {
			fprintf(c->out, "%s  %s  %s  %s -> %s %s  %s, %s\n", cli_text(r, "id"), cli_text(r, "began"), cli_text(r, "kind"), cli_text(r, "caller"),
			        cli_text(r, "called"), cli_text(r, "for"), cli_text(r, "offer_result"), cli_text(r, "drop_reason"));
			show_path(c, r);
		}
	}
	if (!cli_opt(c, "path"))
		cli_table(c, records, "began:BEGAN lasts:LASTS kind:KIND caller:FROM called:CALLED for:FOR offer_result:OFFER drop_reason:ENDED gateway:GATEWAY nmos:NMOS id:CALL");
}

static void take_page(struct cli *c, const char *const *columns, json_t *page, json_t *all)
{
	size_t i;
	json_t *r;
	if (!cli_opt(c, "csv")) {
		json_array_extend(all, page);
		return;
	}
	json_array_foreach(page, i, r)
		csv_row(c, columns, r, NULL, NULL);
}

/* Page after page, so that neither side holds more than it must. args becomes ours. */
static int fetch(struct cli *c, const char *cmd, json_t *args, const char *member_name, const char *const *columns, uint64_t limit, json_t *all)
{
	bool everything = limit == 0, head = cli_opt(c, "csv") != NULL;
	json_t *after = NULL;
	int code;
	do {
		json_t *result = NULL, *these = json_copy(args);
		json_object_set_new(these, "limit", json_integer(everything || limit > PAGE ? PAGE : (json_int_t)limit));
		if (after)
			json_object_set_new(these, "after", after);
		after = NULL;
		code = cli_ask(c, cmd, these, &result);
		if (code == CLI_GOOD) {
			json_t *page = json_object_get(result, member_name), *next = json_object_get(result, "next");
			size_t n = json_array_size(page);
			if (head)
				csv_head(c, columns);
			head = false;
			take_page(c, columns, page, all);
			limit -= everything ? 0 : n < limit ? n : limit;
			after = json_is_object(next) && (everything || limit) ? json_incref(next) : NULL;
		}
		json_decref(result);
	} while (after);
	json_decref(args);
	return code;
}

static int print_all(struct cli *c, const char *member_name, const json_t *all)
{
	json_t *o = json_pack("{s:O}", member_name, all);
	int code = cli_print_json(c, o);
	json_decref(o);
	return code;
}

static int records(struct cli *c)
{
	uint64_t limit;
	if (cli_opt_number(c, "limit", UINT32_MAX, RECORDS_USUALLY, &limit))
		return CLI_USAGE;
	json_t *all = json_array();
	int code = fetch(c, "report.records", args_of(c), "records", record_columns, limit, all);
	if (code == CLI_GOOD && c->json) {
		code = print_all(c, "records", all);
	} else if (code == CLI_GOOD && !cli_opt(c, "csv")) {
		if (json_array_size(all))
			show_records(c, all);
		else
			fprintf(c->out, "No call is recorded there.\n");
	}
	json_decref(all);
	return code;
}

static int calls(struct cli *c)
{
	const char *by = cli_opt(c, "by");
	uint64_t limit;
	int code = check_form(c);
	if (code)
		return code;
	if (cli_opt(c, "records") || cli_opt(c, "path"))
		return records(c);
	uint64_t usually = by && strcmp(by, "day") == 0 ? DAYS_USUALLY : by && strcmp(by, "month") == 0 ? MONTHS_USUALLY : 0;
	if (cli_opt_number(c, "limit", UINT32_MAX, usually, &limit))
		return CLI_USAGE;
	json_t *args = args_of(c);
	json_object_set_new(args, "limit", json_integer((json_int_t)limit));
	return cli_ask_show(c, "report.calls", args, show_calls);
}

/* ---- attendants ---- */
static const char *const attendant_columns[] = { "attendant", "menu", "what", "value", "target", "count", "calls", "share", NULL };

static void show_steps(struct cli *c, const json_t *menu, const char *what, const char *title)
{
	const json_t *s;
	size_t i;
	const char *between = "";
	json_array_foreach(json_object_get(menu, "steps"), i, s) {
		if (strcmp(cli_text(s, "what"), what) != 0)
			continue;
		if (!*between)
			fprintf(c->out, "    %-18s", title);
		fprintf(c->out, "%s%s%s%s%s%s (%.0f %%)", between, cli_text(s, "value"), *cli_text(s, "value") && *cli_text(s, "target") ? " -> " : "", cli_text(s, "target"),
		        *cli_text(s, "value") || *cli_text(s, "target") ? ": " : "", cli_text(s, "count"), json_number_value(json_object_get(s, "share")));
		between = "\n                      ";
	}
	if (*between)
		fputc('\n', c->out);
}

static void show_menu(struct cli *c, const json_t *m)
{
	static const char *const steps[][2] = { { "key", "keys" }, { "number", "numbers" }, { "said", "names, spoken" }, { "spelt", "names, spelt" },
		{ "not-heard", "not understood" }, { "not-found", "not found" }, { "wrong", "wrong keys" }, { "silence", "no key" }, { "transfer", "put through" },
		{ "message", "messages for" }, { "logon", "log-ons" }, { "gave-up", "gave up" }, { "left", "ended in" } };
	fprintf(c->out, "  %s hours, %s calls: put through %s, operator %s, names found %s, not found %s, gave up %s\n", cli_text(m, "menu"), cli_text(m, "calls"),
	        cli_text(m, "put_through"), cli_text(m, "to_operator"), cli_text(m, "names_found"), cli_text(m, "names_not_found"), cli_text(m, "gave_up"));
	for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
		show_steps(c, m, steps[i][0], steps[i][1]);
}

static int show_attendants(struct cli *c, const json_t *r)
{
	const json_t *a, *m, *s;
	size_t i, k, j;
	bool csv = cli_opt(c, "csv") != NULL;
	if (csv)
		csv_head(c, attendant_columns);
	else if (!json_array_size(json_object_get(r, "attendants")))
		fprintf(c->out, "No call of an attendant is recorded there.\n");
	json_array_foreach(json_object_get(r, "attendants"), i, a) {
		if (!csv)
			fprintf(c->out, "Attendant %s, %s calls\n", cli_text(a, "attendant"), cli_text(a, "calls"));
		json_array_foreach(json_object_get(a, "menus"), k, m) {
			if (!csv)
				show_menu(c, m);
			else
				json_array_foreach(json_object_get(m, "steps"), j, s)
					csv_row(c, attendant_columns, s, m, a);
		}
	}
	if (cli_true(r, "cut"))
		fprintf(c->err, "There is more: name one attendant, or give --since.\n");
	return CLI_GOOD;
}

static json_t *lately(struct cli *c, const char *key)
{
	json_t *args = args_of(c);
	if (c->n_pos)
		json_object_set_new(args, key, json_string(c->pos[0]));
	if (!cli_opt(c, "since"))
		json_object_set_new(args, "since", json_string("30d"));
	return args;
}

static int attendants(struct cli *c)
{
	int code = check_form(c);
	return code ? code : cli_ask_show(c, "report.attendants", lately(c, "attendant"), show_attendants);
}

/* ---- mailboxes ---- */
static const char *const mailbox_columns[] = { "mailbox", "calls", "messages", "missed", "logons", "failed_logons", "last_message", "last_logon", NULL };

static void show_mailboxes(struct cli *c, json_t *boxes)
{
	json_t *b;
	size_t i;
	json_array_foreach(boxes, i, b) {
		json_object_set_new(b, "left", json_string(cli_when_us(cli_int(b, "last_message_us"))));
		json_object_set_new(b, "heard", json_string(cli_when_us(cli_int(b, "last_logon_us"))));
	}
	if (json_array_size(boxes))
		cli_table(c, boxes, "mailbox:MAILBOX calls:CALLS messages:MESSAGES missed:MISSED logons:LOG-ONS failed_logons:FAILED left:LAST-MESSAGE heard:LAST-LOG-ON");
	else
		fprintf(c->out, "No call of a mailbox is recorded there.\n");
}

static int mailboxes(struct cli *c)
{
	int code = check_form(c);
	if (code)
		return code;
	json_t *all = json_array();
	code = fetch(c, "report.mailboxes", lately(c, "mailbox"), "mailboxes", mailbox_columns, 0, all);
	if (code == CLI_GOOD && c->json)
		code = print_all(c, "mailboxes", all);
	else if (code == CLI_GOOD && !cli_opt(c, "csv"))
		show_mailboxes(c, all);
	json_decref(all);
	return code;
}

#define TIMES \
	{ "since", "WHEN", "from then on: a day (2026-11-23), today, yesterday, 7d (seven days), all, or a time (2026-11-23T14:00:00Z)" }, \
	{ "until", "WHEN", "not later than that; a day counts to its end" }, \
	{ "csv", NULL, "print CSV, with a line of column names" }
static const struct cli_opt calls_opts[] = {
	TIMES,
	{ "by", "PERIOD", "figures of each day or month, or of all together" },
	{ "mailbox", "NAME", "calls that had to do with that mailbox" },
	{ "attendant", "NAME", "calls that this attendant answered" },
	{ "gateway", "NAME", "calls of that gateway" },
	{ "dialplan", "NAME", "calls of that dial plan" },
	{ "node", "NAME", "calls of that node" },
	{ "kind", "KIND", "calls of that kind, as voice-message or attendant" },
	{ "limit", "N", "so many days, months or calls; 0: all. 90 days, 12 months, 100 calls if not given" },
	{ "records", NULL, "single calls instead of figures, the newest first" },
	{ "path", NULL, "single calls with what their callers did in attendants" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt times_opts[] = { TIMES, { NULL, NULL, NULL } };

const struct cli_cmd cli_report_cmds[] = {
	{ "report", "calls", "", 0, 0, calls_opts, "Calls in figures, or one by one",
	  "Figures are counted by whole days of the server's clock and are kept for good; single calls are kept for node.call_records.keep_days. What asks for a mailbox "
	  "or for times of a day is counted from the single calls.",
	  "  umbel report calls --by day --since 7d\n  umbel report calls --by month --gateway pool --csv\n  umbel report calls --records --mailbox alice\n"
	  "  umbel report calls --records --since 2026-11-01 --until 2026-11-30 --limit 0 --csv > november.csv\n  umbel report calls --path --attendant main",
	  calls },
	{ "report", "attendants", "[NAME]", 0, 1, times_opts, "What callers did in attendants: keys, names, and where they gave up",
	  "Without --since the last 30 days.", "  umbel report attendants\n  umbel report attendants main --since 7d\n  umbel report attendants main --csv", attendants },
	{ "report", "mailboxes", "[NAME]", 0, 1, times_opts, "Messages, missed calls and log-ons of mailboxes",
	  "Without --since the last 30 days.", "  umbel report mailboxes\n  umbel report mailboxes alice --since all --json", mailboxes },
	{ NULL },
};
