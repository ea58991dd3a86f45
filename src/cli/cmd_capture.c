/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_capture.c  umbel explain capture: what somebody took on the wire, in words and with verdicts; no server needed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "capture/judge.h"
#include "capture/render.h"
#include "capture/tshark.h"
#include "cli/capture_print.h"
#include "cli/cli_private.h"
#include "trust/profile.h"
#include "config/cfg.h"
#include "trust/rule.h"

enum { KEYLOG_MAX = 16 << 20, STORIES = 256, LISTED = 1000 };

/* The same picture again and again is one story. */
struct story {
	char client[CAP_HOST_SIZE], server[CAP_HOST_SIZE], verdict[48], ours[65], theirs[65];
	uint16_t port;
	enum cap_proto proto;
	unsigned we, count;
	int64_t first_us, last_us;
	bool bad;
	json_t *json; /* of its last conversation */
};

struct explain {
	struct cli *c;
	struct cap_prm prm;
	struct cap_gateway gateway[CAP_GATEWAYS];
	struct cfg *cfg;
	struct cap_tshark tshark;
	uint16_t port[CAP_PORTS_MAX];
	struct buf keylog;
	struct cap_book *book;
	struct cap_judgement judgement;
	struct story story[STORIES];
	unsigned n_stories, stories_left_out, bad, ticks;
	json_t *all;
};

/* ---- what is asked ---- */

static int take_profile(struct cli *c, struct text word, struct trust_judges_us *j)
{
	char name[32];
	if (text_copy(text_is_nocase(word, "sfb") ? TEXT("lync") : word, name, sizeof name) == 0 && trust_judges_us_set(j, name))
		return CLI_GOOD;
	return cli_error(c, CLI_USAGE, "--judges-us: profile is lync, cn-known-servers or another name that umbel cert profiles lists, not \"%.*s\"", TEXT_FMT(word));
}

/* "profile=lync,known=node01.domain.local,node02.domain.local" */
static int take_judges(struct cli *c, const char *spec, struct trust_judges_us *j)
{
	struct text rest = text_of(spec), item, key, value;
	bool names = false;
	int code = CLI_GOOD;
	while (!code && rest.n) {
		text_cut(rest, ',', &item, &rest);
		item = text_trim(item);
		if (!text_cut(item, '=', &key, &value)) {
			value = item;
			key = names ? TEXT("known") : TEXT_NONE;
		}
		if (text_is(key, "profile"))
			code = take_profile(c, value, j);
		else if (text_is(key, "known") && value.n)
			trust_names_add(&j->known, value), names = true;
		else
			code = cli_error(c, CLI_USAGE, "--judges-us is profile=PROFILE,known=NAME,NAME..., not \"%s\"", spec);
	}
	if (!code && !j->configured)
		code = cli_error(c, CLI_USAGE, "--judges-us needs profile=PROFILE, such as profile=lync");
	return code;
}

static void judges_of(const struct cfg_judges_us *from, struct trust_judges_us *j)
{
	if (!trust_judges_us_set(j, cfg_profile_name(from->profile)))
		return;
	for (size_t i = 0; i < from->known_names.n; i++)
		trust_names_add_str(&j->known, from->known_names.v[i]);
}

static void add_we(struct explain *x, const char *who)
{
	if (who && *who && x->prm.n_we < CAP_WE)
		x->prm.we[x->prm.n_we++] = who;
}

/* Who we are, and how each gateway judges us, from a node's configuration. */
static int take_config(struct explain *x, const char *path)
{
	struct cfg_errors errors = { 0 };
	int err = cfg_load(&x->cfg, path, CFG_WANT_NODE, &errors);
	if (err) {
		int code = errors.n ? cli_error(x->c, CLI_NO, "%s:%u: %s: %s (umbel check %s tells all)", path, errors.v[0].pos.line, errors.v[0].key, errors.v[0].what, path)
				    : cli_error(x->c, CLI_NO, "%s cannot be read: %s", path, strerror(err));
		cfg_errors_free(&errors);
		return code;
	}
	cfg_errors_free(&errors);
	const struct cfg_node *n = &x->cfg->node;
	add_we(x, n->fqdn);
	for (size_t i = 0; i < n->n_listen; i++)
		if (strcmp(n->listen[i].address, "0.0.0.0") != 0 && strcmp(n->listen[i].address, "::") != 0 && strcmp(n->listen[i].address, "127.0.0.1") != 0)
			add_we(x, n->listen[i].address);
	add_we(x, n->service);
	x->prm.fqdn = n->fqdn;
	x->prm.service = n->service;
	for (size_t i = 0; i < x->cfg->n_gateways && i < CAP_GATEWAYS; i++) {
		const struct cfg_gateway *g = &x->cfg->gateways[i];
		x->gateway[i] = (struct cap_gateway){ .name = g->name, .address = g->address, .port = g->port };
		judges_of(&g->judges_us, &x->gateway[i].judges);
		x->prm.n_gateways++;
		if (g->port && x->tshark.n_ports < CAP_PORTS_MAX)
			x->port[x->tshark.n_ports++] = g->port;
	}
	x->prm.gateway = x->gateway;
	for (size_t i = 0; i < n->n_listen; i++)
		if (x->tshark.n_ports < CAP_PORTS_MAX)
			x->port[x->tshark.n_ports++] = n->listen[i].port;
	return CLI_GOOD;
}

static int take_keylog(struct explain *x, const char *path)
{
	struct buf raw;
	unsigned n = 0;
	int code = cli_read_file(x->c, path, KEYLOG_MAX, &raw);
	if (code)
		return code;
	int err = cap_keylog_clean(&x->keylog, buf_as_text(&raw), &n);
	mem_wipe(raw.p, raw.n);
	buf_free(&raw);
	if (err)
		return cli_error(x->c, CLI_NO, "no memory left");
	if (!n)
		return cli_error(x->c, CLI_NO, "%s holds no TLS key: an NSS key log has lines such as CLIENT_RANDOM <64 hex digits> <hex digits> (SSLKEYLOGFILE)", path);
	x->tshark.keylog = buf_as_text(&x->keylog);
	return CLI_GOOD;
}

static int take_ports(struct explain *x)
{
	const char *s;
	uint32_t port;
	for (unsigned i = 0; (s = cli_opt_nth(x->c, "port", i)) != NULL; i++) {
		if (text_u32(text_of(s), 65535, &port) || !port)
			return cli_error(x->c, CLI_USAGE, "--port wants a number from 1 to 65535, not \"%s\"", s);
		if (x->tshark.n_ports < CAP_PORTS_MAX)
			x->port[x->tshark.n_ports++] = (uint16_t)port;
	}
	x->tshark.port = x->port;
	x->tshark.only_ports = cli_opt(x->c, "only-ports") != NULL;
	return CLI_GOOD;
}

static int take_options(struct explain *x)
{
	struct cli *c = x->c;
	int code = CLI_GOOD;
	for (unsigned i = 0; cli_opt_nth(c, "we", i); i++)
		add_we(x, cli_opt_nth(c, "we", i));
	if (cli_opt(c, "judges-us"))
		code = take_judges(c, cli_opt(c, "judges-us"), &x->prm.judges);
	if (!code && cli_opt(c, "config"))
		code = take_config(x, cli_opt(c, "config"));
	if (!code)
		code = take_ports(x);
	if (!code && cli_opt(c, "keylog"))
		code = take_keylog(x, cli_opt(c, "keylog"));
	return code;
}

/* ---- reading ---- */

/* Every fifth second: most captures are read in less. */
static void progress(unsigned reading, unsigned percent, void *arg)
{
	struct explain *x = arg;
	if (!x->c->json && ++x->ticks % 5 == 0)
		fprintf(x->c->err, "umbel: reading %u of %u: %u %%\n", reading, x->tshark.only_ports ? 1 : 2, percent);
}

static int open_capture(struct explain *x, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_error(x->c, CLI_NO, "%s cannot be read: %s", path, strerror(errno));
	x->tshark.fd = fd;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return cli_error(x->c, CLI_NO, "%s is no plain file: the capture is read twice; save it to a file first", path);
	if (st.st_size == 0)
		return cli_error(x->c, CLI_NO, "%s is empty: whoever captured wrote nothing (wrong interface, or no right to capture?)", path);
	return CLI_GOOD;
}

static int say_read(struct explain *x, enum cap_read r, const char *path)
{
	struct cli *c = x->c;
	switch (r) {
	case CAP_READ_OK: return CLI_GOOD;
	case CAP_READ_SHORT:
		if (!c->json)
			fprintf(c->err, "umbel: %s ends in the middle of a packet (the capture was stopped or copied half); what came before is explained.\n", path);
		return CLI_GOOD;
	case CAP_READ_NO_TSHARK: return cli_error(c, CLI_NO, "tshark is not installed; it reads captures for this command. Debian's package: apt install tshark");
	case CAP_READ_NOT_A_CAPTURE: return cli_error(c, CLI_NO, "%s is no capture: tshark knows pcap and pcapng (tcpdump -w, dumpcap -w) and some others, and this is none of them", path);
	case CAP_READ_KILLED: return cli_error(c, CLI_NO, "tshark was ended while it read %s: it may use 4 GiB of memory. Cut the capture first, such as: editcap -A TIME -B TIME, or tshark -Y 'tcp.port == 5061' -w", path);
	case CAP_READ_ERRNO: return cli_error(c, CLI_NO, "%s cannot be read: %s", path, strerror(x->tshark.err));
	case CAP_READ_FAILED: break;
	}
	char said[sizeof x->tshark.said * 2];
	return cli_error(c, CLI_NO, "tshark could not read %s: %s", path, text_escape(text_trim(text_of(x->tshark.said)), said, sizeof said));
}

/* ---- stories ---- */

static struct story *story_of(struct explain *x, const struct cap_talk *t, const struct cap_judgement *j)
{
	const struct trust_facts *f = &j->facts;
	for (unsigned i = 0; i < x->n_stories; i++) {
		struct story *s = &x->story[i];
		if (s->we == j->we && s->proto == t->proto && s->port == t->side[CAP_SERVER].port && strcmp(s->client, t->side[CAP_CLIENT].host) == 0 &&
		    strcmp(s->server, t->side[CAP_SERVER].host) == 0 && strcmp(s->verdict, j->verdict.name) == 0 && strcmp(s->ours, f->ours.sha256) == 0 &&
		    strcmp(s->theirs, f->theirs.sha256) == 0)
			return s;
	}
	if (x->n_stories == STORIES) {
		x->stories_left_out++;
		return NULL;
	}
	struct story *s = &x->story[x->n_stories++];
	text_fill(s->client, sizeof s->client, t->side[CAP_CLIENT].host);
	text_fill(s->server, sizeof s->server, t->side[CAP_SERVER].host);
	text_fill(s->verdict, sizeof s->verdict, j->verdict.name);
	text_fill(s->ours, sizeof s->ours, f->ours.sha256);
	text_fill(s->theirs, sizeof s->theirs, f->theirs.sha256);
	s->port = t->side[CAP_SERVER].port;
	s->we = j->we;
	s->proto = t->proto;
	s->first_us = t->first_us;
	return s;
}

static void keep(struct explain *x, struct story *s, json_t *o, int64_t us, bool bad)
{
	s->count++;
	s->last_us = us;
	s->bad = bad;
	if (!s->json)
		s->json = json_incref(o);
	if (json_array_size(x->all) < LISTED)
		json_array_append(x->all, o);
}

/* A look at the port, or a health check, is nothing bad by itself. */
static bool is_bad(const struct trust_verdict *v)
{
	return trust_verdict_bad(v) && v->id != TRUST_V_ACCEPTED_SAID_NOTHING;
}

static void judge_talks(struct explain *x)
{
	for (unsigned i = 0; i < x->book->n_talks; i++) {
		const struct cap_talk *t = x->book->talk[i];
		if (t->http && !t->tls && !t->sip && t->side[CAP_SERVER].port != 5061)
			continue;
		cap_judge(&x->judgement, x->book, t, &x->prm);
		struct story *s = story_of(x, t, &x->judgement);
		bool bad = is_bad(&x->judgement.verdict);
		x->bad += bad;
		json_t *o = s && (!s->json || json_array_size(x->all) < LISTED) ? cap_render_talk(x->book, t, &x->judgement) : NULL;
		if (s)
			keep(x, s, o, t->first_us, bad);
		json_decref(o);
	}
}

static void judge_names(struct explain *x)
{
	for (unsigned i = 0; i < x->book->n_asked; i++) {
		const struct cap_asked *a = &x->book->asked[i];
		bool told = false;
		if (!cap_judge_asked(&x->judgement, x->book, a, &x->prm))
			continue;
		for (unsigned k = 0; k < x->n_stories && !told; k++)
			told = strcmp(x->story[k].verdict, x->judgement.verdict.name) == 0 && strcmp(x->story[k].server, x->judgement.facts.target) == 0;
		if (told || x->n_stories == STORIES)
			continue;
		struct story *s = &x->story[x->n_stories++];
		text_fill(s->server, sizeof s->server, x->judgement.facts.target);
		text_fill(s->verdict, sizeof s->verdict, x->judgement.verdict.name);
		s->first_us = a->at_us;
		x->bad++;
		json_t *o = cap_render_asked(a, &x->judgement);
		keep(x, s, o, a->at_us, true);
		s->count = a->times ? a->times : 1;
		json_decref(o);
	}
}

/* ---- printing ---- */

static void print_head(struct cli *c, const struct story *s, const json_t *o)
{
	static const char *const sides[] = { "client", "server" };
	if (!*s->client) {
		fprintf(c->out, "\n%s  %s asked DNS server %s for %s", cli_when_us(s->first_us), cli_text(o, "client"), cli_text(o, "server"), cli_text(o, "name"));
	} else {
		fprintf(c->out, "\n%s", cli_when_us(s->first_us));
		for (unsigned k = 0; k < 2; k++) {
			const json_t *x = json_object_get(o, sides[k]);
			bool v6 = strchr(cli_text(x, "host"), ':') != NULL;
			fprintf(c->out, "%s%s %s%s%s:%s%s%s%s", k ? "  ->  " : "  ", sides[k], v6 ? "[" : "", cli_text(x, "host"), v6 ? "]" : "", cli_text(x, "port"),
				*cli_text(x, "name") ? " (" : "", cli_text(x, "name"), *cli_text(x, "name") ? ")" : "");
		}
		fprintf(c->out, ", %s, from packet %s on", cli_text(o, "transport"), cli_text(o, "frame"));
	}
	if (s->count > 1)
		fprintf(c->out, "\n  (%u times until %s; this is the first)", s->count, cli_when_us(s->last_us));
	fputc('\n', c->out);
}

static void print_story(struct explain *x, const struct story *s)
{
	struct cli *c = x->c;
	print_head(c, s, s->json);
	if (*s->client && (s->bad || cli_opt(c, "all")))
		cli_capture_details(c, s->json);
	cli_capture_verdict(c, s->json, s->bad);
}

static void print_ports(struct explain *x, char *dst, size_t size, const uint16_t *list, unsigned n)
{
	size_t at = 0;
	dst[0] = '\0';
	for (unsigned i = 0; i < n && at + 8 < size; i++, at = strlen(dst))
		text_print(dst + at, size - at, "%s%u", i ? ", " : "", list[i]);
	(void)x;
}

static void print_left_out(struct explain *x)
{
	struct cli *c = x->c;
	char ports[512];
	if (x->tshark.n_left) {
		print_ports(x, ports, sizeof ports, x->tshark.left, x->tshark.n_left);
		fprintf(c->out, "\nTLS on port %s was left out, because it carries something else as a rule; --port N takes one in.\n", ports);
	}
	if (x->book->talks_left_out || x->stories_left_out || x->book->asked_left_out)
		fprintf(c->out, "\nThe capture holds more than is explained at once: packets of %llu further conversations were left out, and %u pictures. Cut it by time (editcap -A -B) or use --only-ports --port N.\n",
			(unsigned long long)x->book->talks_left_out, x->stories_left_out);
	if (x->book->bad_lines || x->tshark.long_lines)
		fprintf(c->out, "\n%llu packets could not be understood.\n", (unsigned long long)(x->book->bad_lines + x->tshark.long_lines));
}

static int print_all(struct explain *x, const char *path)
{
	struct cli *c = x->c;
	unsigned good = 0, shown = 0;
	char ports[512];
	print_ports(x, ports, sizeof ports, x->tshark.used, x->tshark.n_used);
	fprintf(c->out, "%s: %u conversation%s (ports %s), %llu packets looked at, from %s to %s.\n", path, x->book->n_talks, x->book->n_talks == 1 ? "" : "s", ports,
		(unsigned long long)x->book->packets, cli_when_us(x->book->first_us), cli_when_us(x->book->last_us));
	for (unsigned i = 0; i < x->n_stories; i++) {
		if (!x->story[i].json || (!x->story[i].bad && shown >= 20 && !cli_opt(c, "all"))) {
			good += x->story[i].count;
			continue;
		}
		shown += !x->story[i].bad;
		print_story(x, &x->story[i]);
	}
	if (good)
		fprintf(c->out, "\n%u more conversations show nothing wrong (--all shows them).\n", good);
	if (!x->n_stories)
		fprintf(c->out, "There is no SIP and no TLS of SIP in it. If SIP has another port there: --port N.\n");
	print_left_out(x);
	return x->bad ? CLI_NO : CLI_GOOD;
}

static int print_json(struct explain *x, const char *path, bool cut_short)
{
	json_t *stories = json_array(), *ports = json_array();
	for (unsigned i = 0; i < x->n_stories; i++) {
		const struct story *s = &x->story[i];
		const json_t *v = json_object_get(s->json, "verdict");
		json_array_append_new(stories, json_pack("{s:s, s:s, s:i, s:s, s:s, s:b, s:i, s:I, s:I, s:s}", "client", s->client, "server", s->server, "port", s->port,
							 "verdict", s->verdict, "certainty", cli_text(v, "certainty"), "bad", s->bad, "count", (int)s->count, "first_us",
							 (json_int_t)s->first_us, "last_us", (json_int_t)s->last_us, "sentence", cli_text(v, "sentence")));
	}
	for (unsigned i = 0; i < x->tshark.n_used; i++)
		json_array_append_new(ports, json_integer(x->tshark.used[i]));
	json_t *o = json_pack("{s:s, s:b, s:b, s:I, s:I, s:i, s:o, s:I, s:I, s:o, s:O}", "file", path, "good", x->bad == 0, "cut_short", cut_short, "packets",
			      (json_int_t)x->book->packets, "packets_cut", (json_int_t)x->book->cut_packets, "conversations_in_all", (int)x->book->n_talks, "ports", ports,
			      "left_out", (json_int_t)x->book->talks_left_out, "not_understood", (json_int_t)(x->book->bad_lines + x->tshark.long_lines),
			      "stories", stories, "conversations", x->all);
	cli_print_json(x->c, o);
	json_decref(o);
	return x->bad ? CLI_NO : CLI_GOOD;
}

/* ---- all of it ---- */

static int run(struct explain *x, const char *path)
{
	int code = take_options(x);
	if (!code)
		code = open_capture(x, path);
	if (code)
		return code;
	if (cap_book_create(&x->book))
		return cli_error(x->c, CLI_NO, "no memory left");
	x->tshark.progress = progress;
	x->tshark.arg = x;
	enum cap_read r = cap_tshark_read(&x->tshark, x->book);
	code = say_read(x, r, path);
	if (code)
		return code;
	judge_talks(x);
	judge_names(x);
	return x->c->json ? print_json(x, path, r == CAP_READ_SHORT) : print_all(x, path);
}

static int explain_capture(struct cli *c)
{
	struct explain *x = mem_zalloc(1, sizeof *x);
	if (!x)
		return cli_error(c, CLI_NO, "no memory left");
	x->c = c;
	x->tshark.fd = -1;
	x->all = json_array();
	buf_init(&x->keylog, KEYLOG_MAX);
	int code = run(x, c->pos[0]);
	for (unsigned i = 0; i < x->n_stories; i++)
		json_decref(x->story[i].json);
	json_decref(x->all);
	cap_book_destroy(x->book);
	if (x->tshark.fd >= 0)
		close(x->tshark.fd);
	if (x->keylog.n)
		mem_wipe(x->keylog.p, x->keylog.n);
	buf_free(&x->keylog);
	if (x->cfg)
		cfg_unref(x->cfg);
	mem_free(x);
	return code;
}

static const struct cli_opt capture_opts[] = {
	{ "we", "WHO", "which side is us: an address or a name; may be given several times" },
	{ "judges-us", "SPEC", "how the other side judges us: profile=lync,known=NAME,NAME" },
	{ "config", "FILE", "take addresses, names and gateways with their judges_us from this umbel.yaml" },
	{ "keylog", "FILE", "TLS keys (SSLKEYLOGFILE); keys within a pcapng are used anyway" },
	{ "port", "N", "SIP is spoken on this port, too; may be given several times" },
	{ "only-ports", NULL, "look at 5060, 5061 and --port only, for very large captures" },
	{ "all", NULL, "tell the details of what works, too" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_capture_cmds[] = {
	{ "explain", "capture", "FILE", 1, 1, capture_opts, "Explain what was captured on the wire (pcap, pcapng), without a server",
	  "Who opened each connection, what was offered and shown, who ended it, when and how, and the verdict. tshark (Debian's\n"
	  "package of that name) reads the file. Without --we the verdict is told by the side that suffers. In TLS 1.3 certificates and\n"
	  "alerts are hidden unless there are keys. Exit code 1 when something is wrong in it.",
	  "  umbel explain capture pool.pcapng\n  umbel explain capture pool.pcapng --we node01.domain.local --judges-us profile=lync,known=node01.domain.local\n"
	  "  umbel explain capture pool.pcapng --config /etc/umbel/umbel.yaml --keylog keys.log --json",
	  explain_capture },
	{ NULL },
};
