/* SPDX-License-Identifier: Apache-2.0 */
/* ladder.c  See ladder.h.
 *
 *     14:05:09.120 #1  |------------ INVITE 2001 (TLS, SDP) ------------>|
 *     time         call  this node's line                  a peer's line
 *
 * A row is made of plain ASCII, one byte a column; what came by the wire is cleaned first.                               */
#include "cli/ladder.h"
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

enum { MARGIN = 18, PEERS = 12, CALLS = 256, GAP_MIN = 20, GAP_MAX = 46, LABEL = 200, ID = 168 };

struct peer {
	char host[64], title[64];
	uint64_t used;
};
struct call {
	char id[ID], session[40], last[2][64]; /* what we sent and what they sent: to know what is repeated */
	unsigned number;
};

struct ladder {
	FILE *out;
	unsigned width;
	bool colour, head_due;
	char us[64];
	struct peer peer[PEERS];
	unsigned n_peers;
	struct call call[CALLS]; /* the oldest is written over */
	unsigned n_calls, messages, lost;
	uint64_t turn;
};

/* A row while it is made. */
struct row {
	char c[LADDER_WIDTH_MAX + 1];
	unsigned from, to; /* of the arrow, for its colour */
};

struct ladder *ladder_create(FILE *out, unsigned width, bool colour)
{
	struct ladder *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->out = out;
	l->colour = colour;
	ladder_width(l, width);
	return l;
}

void ladder_destroy(struct ladder *l)
{
	mem_free(l);
}

/* ---- columns ---- */

static unsigned peers_max(const struct ladder *l)
{
	unsigned n = (l->width - MARGIN - 1) / GAP_MIN;
	return n < PEERS ? n : PEERS;
}

void ladder_width(struct ladder *l, unsigned width)
{
	width = width < LADDER_WIDTH_MIN ? LADDER_WIDTH_MIN : width > LADDER_WIDTH_MAX ? LADDER_WIDTH_MAX : width;
	if (width == l->width)
		return;
	l->width = width;
	l->head_due = true;
	if (l->n_peers > peers_max(l))
		l->n_peers = peers_max(l);
}

/* Where the line of that column is: 0 is this node. */
static unsigned place(const struct ladder *l, unsigned column)
{
	unsigned gap = l->n_peers ? (l->width - MARGIN - 1) / l->n_peers : GAP_MAX;
	return MARGIN + column * (gap > GAP_MAX ? GAP_MAX : gap);
}

/* The host without its port: "192.0.2.1:5061", "[2001:db8::1]:5061". */
static void host_of(const char *address, char *dst, size_t size)
{
	text_fill(dst, size, address);
	char *colon = strrchr(dst, ':');
	if (colon)
		*colon = '\0';
}

static unsigned oldest(const struct ladder *l)
{
	unsigned at = 0;
	for (unsigned i = 1; i < l->n_peers; i++)
		if (l->peer[i].used < l->peer[at].used)
			at = i;
	return at;
}

/* Its column, made if it has none. */
static unsigned column_of(struct ladder *l, const json_t *item)
{
	char host[64];
	const char *gateway = cli_text(item, "gateway");
	unsigned i = 0;
	host_of(cli_text(item, "peer"), host, sizeof host);
	while (i < l->n_peers && strcmp(l->peer[i].host, host) != 0)
		i++;
	if (i == l->n_peers) {
		i = l->n_peers < peers_max(l) ? l->n_peers++ : oldest(l);
		l->peer[i] = (struct peer){ 0 };
		text_fill(l->peer[i].host, sizeof l->peer[i].host, host);
		l->head_due = true;
	}
	struct peer *p = &l->peer[i];
	if (*gateway && strcmp(p->title, gateway) != 0) {
		text_fill(p->title, sizeof p->title, gateway);
		l->head_due = true;
	}
	p->used = ++l->turn;
	return i + 1;
}

/* ---- rows ---- */

/* Every byte a column: what is none becomes a question mark. */
static void clean(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

static void row_begin(const struct ladder *l, struct row *r)
{
	memset(r->c, ' ', sizeof r->c);
	for (unsigned i = 0; i <= l->n_peers; i++)
		r->c[place(l, i)] = '|';
	r->from = r->to = 0;
}

/* The line's end is cut off blank; call: of the colour. */
static void row_print(const struct ladder *l, const char *before, struct row *r, int colour)
{
	unsigned n = l->width;
	while (n > MARGIN && r->c[n - 1] == ' ')
		n--;
	fprintf(l->out, "%-*s", MARGIN, before);
	if (!l->colour || r->to <= r->from) {
		fprintf(l->out, "%.*s\n", (int)(n - MARGIN), r->c + MARGIN);
		return;
	}
	fprintf(l->out, "%.*s\033[%dm%.*s\033[0m%.*s\n", (int)(r->from - MARGIN), r->c + MARGIN, colour, (int)(r->to - r->from), r->c + r->from, (int)(n > r->to ? n - r->to : 0),
		r->c + r->to);
}

static void put_title(const struct ladder *l, struct row *r, unsigned column, const char *text)
{
	char title[64];
	unsigned at = place(l, column), n, room = l->n_peers ? place(l, 1) - MARGIN - 2 : l->width - MARGIN;
	text_fill(title, sizeof title, text);
	clean(title);
	n = (unsigned)strlen(title);
	n = n < room ? n : room;
	unsigned from = at > MARGIN + n / 2 ? at - n / 2 : MARGIN;
	if (from + n > l->width)
		from = l->width - n;
	memcpy(r->c + from, title, n);
}

/* Names, and addresses below them. */
static void head(struct ladder *l)
{
	struct row names, hosts;
	l->head_due = false;
	memset(&names, ' ', sizeof names);
	memset(&hosts, ' ', sizeof hosts);
	names.from = names.to = hosts.from = hosts.to = 0;
	put_title(l, &names, 0, *l->us ? l->us : "this node");
	for (unsigned i = 0; i < l->n_peers; i++) {
		const struct peer *p = &l->peer[i];
		put_title(l, &names, i + 1, *p->title ? p->title : p->host);
		if (*p->title)
			put_title(l, &hosts, i + 1, p->host);
	}
	fputc('\n', l->out);
	row_print(l, "", &names, 0);
	row_print(l, "", &hosts, 0);
}

/* From this node to the column, or back; `body` is what the arrow is made of. */
static void put_arrow(const struct ladder *l, struct row *r, unsigned column, bool to_us, char body, const char *text)
{
	char label[LABEL];
	unsigned from = place(l, 0) + 1, to = place(l, column), len = to - from, room = len - 6, n;
	text_fill(label, sizeof label, text);
	clean(label);
	n = (unsigned)strlen(label);
	if (n > room) {
		n = room;
		memcpy(label + n - 2, "..", 2);
	}
	memset(r->c + from, body, len);
	if (to_us)
		r->c[from] = '<';
	else
		r->c[to - 1] = '>';
	unsigned at = from + (len - n) / 2;
	r->c[at - 1] = ' ';
	memcpy(r->c + at, label, n);
	r->c[at + n] = ' ';
	r->from = from;
	r->to = to;
}

/* ---- calls ---- */

static struct call *call_of(struct ladder *l, const json_t *item, bool *fresh)
{
	const char *id = cli_text(item, "call_id"), *method = cli_text(item, "method");
	unsigned kept = l->n_calls < CALLS ? l->n_calls : CALLS;
	*fresh = false;
	for (unsigned i = 0; *id && i < kept; i++)
		if (strcmp(l->call[i].id, id) == 0)
			return &l->call[i];
	if (!*id || (!*cli_text(item, "session") && strcmp(method, "INVITE") != 0))
		return NULL;
	struct call *c = &l->call[l->n_calls % CALLS];
	*c = (struct call){ .number = ++l->n_calls };
	text_fill(c->id, sizeof c->id, id);
	*fresh = true;
	return c;
}

static int colour_of(const struct call *c, const json_t *item)
{
	static const int colours[] = { 36, 33, 35, 32, 34, 96 };
	if (cli_int(item, "status") >= 400)
		return 31;
	return c ? colours[(c->number - 1) % (sizeof colours / sizeof *colours)] : 0;
}

static void mark(const json_t *item, const struct call *c, char *dst, size_t size)
{
	int64_t us = cli_int(item, "us");
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char number[12] = "", time[16] = "";
	if (c)
		text_print(number, sizeof number, "#%u", c->number % 1000);
	if (localtime_r(&s, &tm))
		strftime(time, sizeof time, "%H:%M:%S", &tm);
	text_print(dst, size, "%s.%03d %-4s", time, (int)(us / 1000 % 1000), number);
}

/* Words beside the ladder, wrapped behind the time. */
static void note(const struct ladder *l, const char *before, const char *words)
{
	char lead[40];
	struct text rest = text_of(words);
	unsigned room = l->width - MARGIN;
	text_print(lead, sizeof lead, "%-*s", MARGIN, before);
	while (rest.n) {
		size_t nl = text_find(rest, '\n'), n = nl < rest.n ? nl : rest.n;
		if (n > room)
			for (n = room; n > room / 2 && rest.p[n] != ' ';)
				n--;
		char line[LADDER_WIDTH_MAX + 1];
		text_copy(text_head(rest, n), line, sizeof line);
		clean(line);
		fprintf(l->out, "%s%s\n", lead, line);
		text_print(lead, sizeof lead, "%*s", MARGIN, "");
		rest = text_skip(rest, n + (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\n')));
	}
}

/* What stands in a URI for a person: its user part, or all of it. */
static const char *user_of(const char *uri, char *dst, size_t size)
{
	struct text t = text_of(uri), before, rest;
	size_t colon = text_find(t, ':');
	if (colon != SIZE_MAX)
		t = text_skip(t, colon + 1);
	if (text_cut(t, '@', &before, &rest))
		t = before;
	text_print(dst, size, "%.*s", TEXT_FMT(t));
	return dst;
}

/* Once it is known by which name `umbel call show` knows it. */
static void tell_session(struct ladder *l, struct call *c, const json_t *item)
{
	char words[160];
	const char *session = cli_text(item, "session");
	if (!c || *c->session || !*session)
		return;
	text_fill(c->session, sizeof c->session, session);
	text_print(words, sizeof words, "#%u is call %s", c->number, session);
	note(l, "", words);
}

/* ---- items ---- */

static void message_label(const json_t *item, char *dst, size_t size)
{
	char who[100];
	const char *method = cli_text(item, "method"), *sdp = cli_true(item, "sdp") ? "SDP" : "", *transport = cli_text(item, "transport");
	if (cli_int(item, "status"))
		text_print(dst, size, "%s %s (%s%s%s)", cli_text(item, "status"), cli_text(item, "phrase"), method, *sdp ? ", " : "", sdp);
	else if (!*method)
		text_fill(dst, size, "not SIP");
	else if (cli_true(item, "in_dialog") || strcmp(method, "ACK") == 0)
		text_print(dst, size, "%s%s", method, *sdp ? " (SDP)" : "");
	else
		text_print(dst, size, "%s %s (%s%s%s)", method, user_of(cli_text(item, "uri"), who, sizeof who), transport, *sdp ? ", " : "", sdp);
}

/* The same as before, the same way: UDP, and nobody heard it. */
static bool repeated(struct call *c, const json_t *item)
{
	char now[64], *last = c ? c->last[cli_true(item, "in")] : NULL;
	text_print(now, sizeof now, "%s %s %s", cli_text(item, "method"), cli_text(item, "cseq"), cli_text(item, "status"));
	bool same = last && strcmp(last, now) == 0;
	if (last)
		text_fill(last, sizeof c->last[0], now);
	return same && strcmp(cli_text(item, "transport"), "UDP") == 0;
}

static void print_text(const struct ladder *l, const char *message)
{
	struct text rest = text_of(message), line;
	char clean_line[2048];
	while (text_cut(rest, '\n', &line, &rest) || !text_empty(line)) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		fprintf(l->out, "    %s%s%s\n", l->colour ? "\033[2m" : "", text_escape(line, clean_line, sizeof clean_line), l->colour ? "\033[0m" : "");
	}
	fputc('\n', l->out);
}

static void message(struct ladder *l, const json_t *item)
{
	struct row r;
	char before[40], label[LABEL], words[LABEL - 8], from[100], to[100];
	bool fresh;
	struct call *c = call_of(l, item, &fresh);
	unsigned column = column_of(l, item);
	if (l->head_due)
		head(l);
	mark(item, c, before, sizeof before);
	if (fresh) {
		text_print(label, sizeof label, "call from %s to %s", user_of(cli_text(item, "from"), from, sizeof from), user_of(cli_text(item, "to"), to, sizeof to));
		note(l, before, label);
	}
	row_begin(l, &r);
	message_label(item, words, sizeof words);
	text_print(label, sizeof label, "%s%s", words, repeated(c, item) ? ", again" : "");
	put_arrow(l, &r, column, cli_true(item, "in"), '-', label);
	row_print(l, before, &r, colour_of(c, item));
	if (*cli_text(item, "reason")) {
		text_print(label, sizeof label, "Reason: %s", cli_text(item, "reason"));
		note(l, "", label);
	}
	tell_session(l, c, item);
	if (*cli_text(item, "text"))
		print_text(l, cli_text(item, "text"));
	l->messages++;
}

static void step_label(const json_t *item, const char *kind, char *dst, size_t size)
{
	const char *error = cli_text(item, "error"), *how = cli_text(item, "how");
	if (strcmp(kind, "tls") == 0)
		text_print(dst, size, "%s", *cli_text(item, "version") ? cli_text(item, "version") : "TLS");
	else if (strcmp(kind, "connected") == 0)
		text_print(dst, size, "TCP connection");
	else
		text_print(dst, size, "%s%s%s", cli_true(item, "established") ? "closed" : "not connected", *how || *error ? ": " : "", *error ? error : how);
}

static void step(struct ladder *l, const json_t *item, const char *kind)
{
	struct row r;
	char before[40], label[LABEL], words[1200];
	unsigned column = column_of(l, item);
	bool ended = strcmp(kind, "ended") == 0;
	if (l->head_due)
		head(l);
	mark(item, NULL, before, sizeof before);
	row_begin(l, &r);
	step_label(item, kind, label, sizeof label);
	bool to_us = ended && cli_true(item, "established") ? !cli_true(item, "by_us") : !cli_true(item, "opened_by_us");
	put_arrow(l, &r, column, to_us, ended ? '.' : '=', label);
	row_print(l, before, &r, *cli_text(item, "verdict") ? 31 : 2);
	if (*cli_text(item, "their_cn") || *cli_text(item, "our_cn")) {
		text_print(words, sizeof words, "certificates: theirs %s%s%s%s, ours %s", *cli_text(item, "their_cn") ? cli_text(item, "their_cn") : "none",
			   *cli_text(item, "matched") ? " (good as " : "", cli_text(item, "matched"), *cli_text(item, "matched") ? ")" : "",
			   *cli_text(item, "our_cn") ? cli_text(item, "our_cn") : "none");
		note(l, "", words);
	}
	if (*cli_text(item, "verdict")) {
		note(l, "", cli_text(item, "verdict"));
		if (*cli_text(item, "gateway"))
			text_print(words, sizeof words, "What to do: umbel explain gateway %s", cli_text(item, "gateway"));
		note(l, "", *cli_text(item, "gateway") ? words : cli_text(item, "advice"));
	}
}

static void dns(struct ladder *l, const json_t *item)
{
	char before[40], words[700];
	mark(item, NULL, before, sizeof before);
	int64_t n = cli_int(item, "records");
	text_print(words, sizeof words, n ? "DNS: %s %s%s%s: %s, %lld record%s" : "DNS: %s %s%s%s: %s", cli_text(item, "name"), cli_text(item, "type"),
		   *cli_text(item, "server") ? ", asked " : "", cli_text(item, "server"), cli_text(item, "outcome"), (long long)n, n == 1 ? "" : "s");
	note(l, before, words);
}

static void lost(struct ladder *l, const json_t *item)
{
	char before[40], words[160];
	mark(item, NULL, before, sizeof before);
	text_print(words, sizeof words, "!! %s messages and steps are missing here: they came faster than they were read", cli_text(item, "count"));
	note(l, before, words);
	l->lost += (unsigned)cli_int(item, "count");
}

void ladder_item(struct ladder *l, const json_t *item)
{
	char kind[16];
	text_fill(kind, sizeof kind, cli_text(item, "kind"));
	if (strcmp(kind, "watching") == 0)
		text_fill(l->us, sizeof l->us, cli_text(item, "node"));
	else if (strcmp(kind, "message") == 0)
		message(l, item);
	else if (strcmp(kind, "connected") == 0 || strcmp(kind, "tls") == 0 || strcmp(kind, "ended") == 0)
		step(l, item, kind);
	else if (strcmp(kind, "dns") == 0)
		dns(l, item);
	else if (strcmp(kind, "lost") == 0)
		lost(l, item);
}

unsigned ladder_calls(const struct ladder *l)
{
	return l->n_calls;
}

unsigned ladder_messages(const struct ladder *l)
{
	return l->messages;
}

unsigned ladder_lost(const struct ladder *l)
{
	return l->lost;
}
