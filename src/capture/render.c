/* SPDX-License-Identifier: Apache-2.0 */
/* render.c  See render.h. */
#include "capture/render.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "capture/judge_private.h"

static const struct {
	unsigned bit;
	const char *name, *words;
} notes[] = {
#define NOTE(bit, name, words) { bit, name, words },
#include "capture/words.def"
#undef NOTE
};

const char *cap_note_words(unsigned bit)
{
	for (unsigned i = 0; i < sizeof notes / sizeof *notes; i++)
		if (notes[i].bit == bit)
			return notes[i].words;
	return "";
}

static const char *side_name(int side)
{
	return side == CAP_CLIENT ? "client" : side == CAP_SERVER ? "server" : "nobody";
}

static int64_t after_ms(const struct cap_talk *t, int64_t us)
{
	return us > t->first_us ? (us - t->first_us) / 1000 : 0;
}

static json_t *names_json(const struct trust_names *l)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < l->n; i++)
		json_array_append_new(a, json_string(trust_names_at(l, i)));
	return a;
}

static json_t *cert_json(const struct cap_side *s)
{
	char from[RFC3339_SIZE], to[RFC3339_SIZE];
	struct trust_cert *c = mem_alloc(sizeof *c);
	json_t *o = NULL;
	if (!c)
		return NULL;
	cap_side_cert(c, s);
	if (c->shown)
		o = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:b}", "cn", c->cn, "subject", c->subject, "issuer", c->issuer, "names",
			      names_json(&c->sans), "not_before", rfc3339_s(c->not_before_s, from), "not_after", rfc3339_s(c->not_after_s, to), "key",
			      c->key, "sha256", c->sha256, "self_signed", c->self_signed);
	mem_free(c);
	return o ? o : json_null();
}

static const char *spoke_name(enum cap_spoke s)
{
	return s == CAP_SPOKE ? "yes" : s == CAP_PERHAPS ? "perhaps" : "no";
}

static json_t *side_json(const struct cap_book *b, const struct cap_talk *t, unsigned side)
{
	const struct cap_side *s = &t->side[side];
	const char *name = cap_book_name(b, s->host);
	bool hidden = t->version == CAP_TLS13_NUMBER && !t->readable && !s->n_certs;
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:i, s:o, s:i, s:s, s:i, s:i}", "host", s->host, "port", s->port, "name", name ? name : "", "calls_itself",
			 s->via, "certificate_hidden", hidden && t->tls, "certificates", (int)s->n_certs, "certificate", cert_json(s), "data_records",
			 (int)s->app_records, "spoke", spoke_name(cap_talk_spoke(t, side)), "requests", (int)s->requests, "answers", (int)s->answers);
}

static json_t *alerts_json(const struct cap_talk *t)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < t->n_alerts; i++)
		json_array_append_new(a, json_pack("{s:s, s:i, s:s, s:b, s:b, s:I}", "by", side_name(t->alert[i].side), "number", t->alert[i].number, "name",
						   t->alert[i].number ? trust_alert_name(t->alert[i].number) : "close_notify", "fatal", t->alert[i].fatal,
						   "after_handshake", t->alert[i].after_handshake, "ms", (json_int_t)after_ms(t, t->alert[i].at_us)));
	return a;
}

static json_t *tls_json(const struct cap_talk *t, const struct cap_judgement *j)
{
	char versions[160], suites[512], version[24];
	if (!t->tls)
		return json_null();
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:b, s:I, s:o}", "n_suites", t->hello.n_suites, "version", t->version ? trust_version_words(t->version, version, sizeof version) : "",
			 "suite", j->facts.tls.suite, "offered_versions", trust_versions_words(&t->hello, versions, sizeof versions), "offered_suites",
			 trust_suites_words(&t->hello, suites, sizeof suites), "hello_seen", t->hello.seen, "asked_for", t->hello.sni,
			 "client_certificate_requested", j->facts.tls.cert_requested, "handshake_done", t->tls_done, "readable", t->readable, "handshake_ms",
			 (json_int_t)(t->tls_done && t->hello_us ? (t->done_us - t->hello_us) / 1000 : -1), "alerts", alerts_json(t));
}

static json_t *sip_json(const struct cap_talk *t)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < t->n_txns && i < CAP_TXNS; i++) {
		const struct cap_txn *x = &t->txn[i];
		json_array_append_new(a, json_pack("{s:s, s:s, s:i, s:s, s:I, s:I}", "by", side_name(x->side), "method", x->method, "status", x->status, "phrase",
						   x->phrase, "ms", (json_int_t)after_ms(t, x->at_us), "took_ms",
						   (json_int_t)(x->status ? (x->answered_us - x->at_us) / 1000 : -1)));
	}
	return a;
}

static json_t *end_json(const struct cap_talk *t)
{
	int64_t at;
	int by = cap_talk_ended_by(t, &at);
	if (by < 0)
		return json_pack("{s:s, s:s, s:I}", "by", "nobody", "how", "open", "ms", (json_int_t)after_ms(t, t->last_us));
	return json_pack("{s:s, s:s, s:I, s:I, s:b}", "by", side_name(by), "how", t->side[by].rst_us == at ? "RST" : "FIN", "ms", (json_int_t)after_ms(t, at),
			 "after_handshake_ms", (json_int_t)(t->tls_done && at > t->done_us ? (at - t->done_us) / 1000 : -1), "small_record_before",
			 t->side[by].small_us && t->side[by].small_us <= at);
}

static json_t *notes_json(unsigned bits)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < sizeof notes / sizeof *notes; i++)
		if (bits & notes[i].bit)
			json_array_append_new(a, json_pack("{s:s, s:s}", "name", notes[i].name, "text", notes[i].words));
	return a;
}

static json_t *of_buf(struct buf *b)
{
	struct text t = buf_as_text(b);
	return json_loadb(t.p ? t.p : "", t.n, 0, NULL);
}

static void add_judgement(json_t *o, const struct cap_judgement *j)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	if (facts_json(&j->facts, &b) == 0)
		json_object_set_new(o, "facts", of_buf(&b));
	buf_clear(&b);
	if (trust_verdict_json(&j->verdict, &b) == 0)
		json_object_set_new(o, "verdict", of_buf(&b));
	buf_free(&b);
	if (j->profile)
		json_object_set_new(o, "profile", json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", trust_profile_name(j->profile), "title", trust_profile_title(j->profile),
							    "answer", trust_answer_kind_name(j->answer.kind), "reason", j->answer.name, "sentence", j->answer.sentence,
							    "confidence", trust_confidence_words(j->answer.confidence)));
}

static const char *connect_name(const struct cap_talk *t)
{
	if (t->proto == CAP_UDP && t->icmp && !t->side[CAP_SERVER].answers)
		return "unreachable";
	if (t->proto == CAP_UDP || t->up_us)
		return "up";
	return t->side[CAP_SERVER].rst_us ? "refused" : t->icmp ? "unreachable" : "no-answer";
}

json_t *cap_render_talk(const struct cap_book *b, const struct cap_talk *t, const struct cap_judgement *j)
{
	char began[RFC3339_SIZE];
	json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:b, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:I}", "frame", (json_int_t)t->frame, "stream",
			      (json_int_t)t->stream, "transport", t->exported ? "message" : t->proto == CAP_UDP ? "udp" : t->tls ? "tls" : "tcp", "began", rfc3339_us(t->first_us, began),
			      "opened_by", t->opening_seen || t->hello.seen ? "client" : "unknown", "packets", (json_int_t)t->packets, "http", t->http, "connect",
			      connect_name(t), "icmp_from", t->icmp_from, "syns", (int)t->syns, "client", side_json(b, t, CAP_CLIENT), "server",
			      side_json(b, t, CAP_SERVER), "tls", tls_json(t, j), "sip", sip_json(t), "end", end_json(t), "notes", notes_json(j->notes), "we",
			      side_name((int)j->we), "we_told", j->we_told, "retransmitted", (json_int_t)t->again);
	if (o)
		add_judgement(o, j);
	return o;
}

json_t *cap_render_asked(const struct cap_asked *a, const struct cap_judgement *j)
{
	char began[RFC3339_SIZE];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "transport", "dns", "began", rfc3339_us(a->at_us, began), "name", a->name, "server", a->server,
			      "client", a->client, "times", (int)a->times);
	if (o)
		add_judgement(o, j);
	return o;
}
