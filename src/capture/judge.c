/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c  See judge.h. First which side is us, then the facts from that side in the order of a connection's life, then the verdict. */
#include "capture/judge.h"
#include <errno.h>
#include <openssl/x509.h>
#include "base/mem.h"
#include "capture/judge_private.h"
#include "net/addr.h"
#include "trust/rule.h"

enum { SILENT_MS = 1000, SYN_MS = 1000, FLIGHT_WITH_CERT = 250 };

/* ---- certificates ---- */

void cap_side_cert(struct trust_cert *c, const struct cap_side *s)
{
	*c = (struct trust_cert){ 0 };
	if (!s->n_certs)
		return;
	const uint8_t *p = s->cert[0].p;
	X509 *x = d2i_X509(NULL, &p, (long)s->cert[0].n);
	if (x)
		trust_cert_describe(c, x);
	X509_free(x);
	c->shown = true;
	c->chain_len = (uint8_t)s->n_certs;
}

static bool cert_names(const struct trust_cert *c, const char *name)
{
	struct trust_names known = { 0 };
	trust_names_add_str(&known, name);
	return c->shown && trust_rule_would_accept(TRUST_RULE_SAN_OR_CN, c, &known);
}

/* ---- the language ---- */

bool cap_speaks_tls(const struct cap_side *s)
{
	return s->n_first >= 2 && s->first[0] >= 0x14 && s->first[0] <= 0x17 && s->first[1] == 3;
}

/* A request in the clear to the port of TLS, and not a word back. */
bool cap_plain_to_silent_tls(const struct cap_talk *t)
{
	const struct cap_side *c = &t->side[CAP_CLIENT], *s = &t->side[CAP_SERVER];
	return t->proto == CAP_TCP && c->n_first && !cap_speaks_tls(c) && !s->n_first && s->port == 5061;
}

/* ---- which side is us ---- */

static bool is_we(const struct cap_book *b, const struct cap_talk *t, unsigned side, const char *we)
{
	const struct cap_side *s = &t->side[side];
	struct trust_cert c;
	if (strcmp(s->host, we) == 0)
		return true;
	for (unsigned i = 0; i < b->n_names; i++)
		if (strcmp(b->name[i].host, s->host) == 0 && text_is_nocase(text_of(we), b->name[i].name))
			return true;
	if (text_is_nocase(text_of(we), s->via) || (side == CAP_SERVER && text_is_nocase(text_of(we), t->hello.sni)))
		return true;
	cap_side_cert(&c, s);
	return cert_names(&c, we);
}

static bool about_certificate(unsigned alert)
{
	return (alert >= 40 && alert <= 49) || alert == 116 || alert == 112;
}

/* Who suffers tells more than who refuses. */
static unsigned sufferer(const struct cap_talk *t)
{
	int64_t us;
	for (unsigned i = 0; i < t->n_alerts; i++)
		if (t->alert[i].fatal && about_certificate(t->alert[i].number))
			return t->alert[i].side ^ 1u;
	if (t->side[CAP_CLIENT].refused_early || cap_plain_to_silent_tls(t))
		return CAP_SERVER;
	if (t->tls_done && cap_talk_ended_by(t, &us) == CAP_CLIENT && cap_talk_spoke(t, CAP_CLIENT) == CAP_SILENT)
		return CAP_SERVER;
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++)
		if (t->txn[i].status >= 300)
			return t->txn[i].side;
	return CAP_CLIENT;
}

static void choose_side(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t, const struct cap_prm *prm)
{
	bool found[2] = { false, false };
	for (unsigned i = 0; i < prm->n_we; i++)
		for (unsigned s = 0; s < 2; s++)
			found[s] = found[s] || is_we(b, t, s, prm->we[i]);
	j->we_told = found[0] != found[1];
	j->we = j->we_told ? (found[1] ? CAP_SERVER : CAP_CLIENT) : sufferer(t);
}

/* ---- who we are ---- */

static bool is_address(const char *s)
{
	struct net_addr a;
	return net_addr_parse(&a, text_of(s), 0) == 0;
}

unsigned cap_names_of(const struct trust_cert *c)
{
	unsigned n = c->sans.n;
	struct trust_names cn = { 0 };
	char dns[TRUST_NAME_SIZE + 4];
	text_print(dns, sizeof dns, "DNS:%s", c->cn);
	trust_names_add_str(&cn, dns);
	return n + (c->cn[0] && !trust_names_has(&c->sans, dns));
}

/* The same certificate from another address: then its CN cannot be the own name of both. */
static bool shared_certificate(const struct cap_book *b, const char *host, const struct trust_cert *c)
{
	struct trust_cert other;
	for (unsigned i = 0; i < b->n_talks; i++)
		for (unsigned s = 0; s < 2; s++) {
			const struct cap_side *x = &b->talk[i]->side[s];
			if (!x->n_certs || strcmp(x->host, host) == 0)
				continue;
			cap_side_cert(&other, x);
			if (strcmp(other.sha256, c->sha256) == 0)
				return true;
		}
	return false;
}

static unsigned hosts_of(const struct cap_book *b, const char *name)
{
	unsigned n = 0;
	for (unsigned i = 0; i < b->n_names; i++)
		n += text_is_nocase(text_of(name), b->name[i].name);
	return n;
}

/* A name by which others dial this host; or, where a host calls from another address than it is called at, a host that shows the very same
 * certificate. */
static bool dialled_name(const struct cap_book *b, const struct cap_side *s, const struct trust_cert *ours, bool same_host, char *dst, size_t size)
{
	for (unsigned i = 0; i < b->n_talks; i++) {
		const struct cap_talk *t = b->talk[i];
		struct trust_cert c;
		if (!t->hello.sni[0] || text_is_nocase(text_of(t->hello.sni), ours->cn) || !cert_names(ours, t->hello.sni))
			continue;
		if (same_host && strcmp(t->side[CAP_SERVER].host, s->host) != 0)
			continue;
		cap_side_cert(&c, &t->side[CAP_SERVER]);
		if (!same_host && (!c.shown || strcmp(c.sha256, ours->sha256) != 0))
			continue;
		text_fill(dst, size, t->hello.sni);
		return true;
	}
	return false;
}

/* Our own name, when nobody told it. What the host calls itself counts most; then a name that DNS gives to this host alone; then the name by
 * which others dial it, if its certificate is visibly one for several hosts. A name that is the CN already proves nothing new. */
static bool infer_fqdn(const struct cap_book *b, const struct cap_side *s, const struct trust_cert *ours, char *dst, size_t size)
{
	for (unsigned i = 0; i < b->n_talks; i++)
		for (unsigned k = 0; k < 2; k++) {
			const struct cap_side *x = &b->talk[i]->side[k];
			if (strcmp(x->host, s->host) == 0 && x->via[0] && !is_address(x->via)) {
				text_fill(dst, size, x->via);
				return true;
			}
		}
	for (unsigned i = 0; i < b->n_names; i++)
		if (strcmp(b->name[i].host, s->host) == 0 && hosts_of(b, b->name[i].name) == 1 && cert_names(ours, b->name[i].name)) {
			text_fill(dst, size, b->name[i].name);
			return true;
		}
	if (!ours->shown || (cap_names_of(ours) < 3 && !shared_certificate(b, s->host, ours)))
		return false;
	return dialled_name(b, s, ours, true, dst, size) || dialled_name(b, s, ours, false, dst, size);
}

static void who_we_are(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t, const struct cap_prm *prm)
{
	struct trust_facts *f = &j->facts;
	char fqdn[TRUST_NAME_SIZE] = "";
	for (unsigned i = 0; j->we_told && i < prm->n_we && !fqdn[0]; i++)
		if (!is_address(prm->we[i]) && is_we(b, t, j->we, prm->we[i]) && !(prm->service && text_is_nocase(text_of(prm->we[i]), prm->service)))
			text_fill(fqdn, sizeof fqdn, prm->we[i]);
	if (!fqdn[0] && j->we_told && prm->fqdn)
		text_fill(fqdn, sizeof fqdn, prm->fqdn);
	if (!fqdn[0] && infer_fqdn(b, &t->side[j->we], &f->ours, fqdn, sizeof fqdn))
		j->notes |= CAP_NOTE_FQDN;
	facts_us(f, "", fqdn, prm->service ? prm->service : "");
}

/* ---- whom we talk to ---- */

static bool is_gateway(const struct cap_book *b, const struct cap_side *s, const char *sni, const struct cap_gateway *g)
{
	if (strcmp(g->address, s->host) == 0 || text_is_nocase(text_of(g->address), sni))
		return true;
	for (unsigned i = 0; i < b->n_names; i++)
		if (strcmp(b->name[i].host, s->host) == 0 && text_is_nocase(text_of(g->address), b->name[i].name))
			return true;
	return false;
}

static void whom(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t, const struct cap_prm *prm)
{
	struct trust_facts *f = &j->facts;
	const struct cap_side *peer = &t->side[j->we ^ 1];
	const char *name = cap_book_name(b, peer->host);
	char addr[TRUST_ADDR_SIZE];
	text_print(addr, sizeof addr, text_find(text_of(peer->host), ':') == SIZE_MAX ? "%s:%u" : "[%s]:%u", peer->host, peer->port);
	if (j->we == CAP_CLIENT)
		facts_target(f, t->hello.sni[0] ? t->hello.sni : name ? name : peer->host, peer->port, addr);
	else {
		facts_target(f, "", t->side[CAP_SERVER].port, addr);
	}
	f->judges = prm->judges;
	for (unsigned i = 0; i < prm->n_gateways; i++)
		if (is_gateway(b, peer, j->we == CAP_CLIENT ? t->hello.sni : "", &prm->gateway[i])) {
			facts_gateway(f, prm->gateway[i].name, prm->gateway[i].address);
			if (prm->gateway[i].judges.configured)
				f->judges = prm->gateway[i].judges;
			break;
		}
}

/* ---- TCP ---- */

static int icmp_errno(const struct cap_talk *t)
{
	if (t->icmp6)
		return t->icmp_code == 4 ? ECONNREFUSED : t->icmp_code == 0 ? ENETUNREACH : EHOSTUNREACH;
	return t->icmp_code == 3 ? ECONNREFUSED : t->icmp_code == 0 || t->icmp_code == 6 ? ENETUNREACH : EHOSTUNREACH;
}

static void connect_facts(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	int64_t rst = t->side[CAP_SERVER].rst_us;
	if (t->proto == CAP_UDP && t->icmp && !t->side[CAP_SERVER].answers) {
		facts_connect(f, icmp_errno(t), 0);
		return;
	}
	if (t->proto == CAP_UDP || !t->opening_seen) {
		facts_connect(f, 0, 0);
		return;
	}
	if (t->up_us) {
		facts_connect(f, 0, (t->up_us - t->syn_us) / 1000);
		return;
	}
	int64_t waited = ((rst ? rst : t->side[CAP_CLIENT].fin_us || t->side[CAP_CLIENT].rst_us ? t->last_us : b->last_us) - t->syn_us) / 1000;
	if (rst)
		facts_connect(f, ECONNREFUSED, waited);
	else if (t->icmp)
		facts_connect(f, icmp_errno(t), waited);
	else if (waited >= SYN_MS)
		facts_connect(f, ETIMEDOUT, waited);
	else
		f->connect_tried = true;
}

/* ---- TLS ---- */

static enum trust_plain plain_kind(const struct cap_side *s)
{
	static const char *const http[] = { "HTTP/", "GET ", "POST ", "HEAD ", "PUT ", "CONNECT " };
	static const char *const sip[] = { "SIP/2.0", "INVITE ", "OPTIONS sip", "REGISTER ", "NOTIFY ", "BYE ", "ACK ", "REFER ", "INFO ", "\r\n" };
	struct text t = text_make(s->first, s->n_first);
	for (unsigned i = 0; i < sizeof http / sizeof *http; i++)
		if (text_starts(t, http[i]))
			return TRUST_PLAIN_HTTP;
	for (unsigned i = 0; i < sizeof sip / sizeof *sip; i++)
		if (text_starts(t, sip[i]))
			return TRUST_PLAIN_SIP;
	return TRUST_PLAIN_OTHER;
}

/* One side speaks TLS and the other something else. */
static void language(struct trust_facts *f, const struct cap_talk *t, unsigned we)
{
	const struct cap_side *c = &t->side[CAP_CLIENT], *s = &t->side[CAP_SERVER];
	const struct cap_side *odd = cap_speaks_tls(c) && s->n_first && !cap_speaks_tls(s) ? s : !cap_speaks_tls(c) && c->n_first && cap_speaks_tls(s) ? c : NULL;
	if (cap_plain_to_silent_tls(t))
		odd = c;
	if (!odd || !f->tls.used)
		return;
	if (odd == &t->side[we])
		return;
	f->tls.plain = plain_kind(odd);
	text_escape(text_make(odd->first, odd->n_first), f->tls.plain_bytes, sizeof f->tls.plain_bytes);
}

static void hide(struct trust_cert *c)
{
	text_fill(c->cn, sizeof c->cn, "(hidden by TLS 1.3)");
	text_fill(c->issuer, sizeof c->issuer, "the CA (hidden by TLS 1.3)");
	c->chain_len = 0;
}

static void cert_facts(struct cap_judgement *j, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	const struct cap_side *c = &t->side[CAP_CLIENT];
	bool hidden = t->version == CAP_TLS13_NUMBER && !t->readable && t->side[CAP_SERVER].hello;
	bool client_showed = c->n_certs || (hidden && c->flight >= FLIGHT_WITH_CERT);
	cap_side_cert(&f->ours, &t->side[j->we]);
	cap_side_cert(&f->theirs, &t->side[j->we ^ 1]);
	f->tls.cert_requested = t->cert_requested || client_showed || c->empty_cert;
	f->tls.certs_unseen = t->resumed; /* nobody is asked again (RFC 5246 7.3, RFC 8446 4.6.2); what the first session asked is not seen here */
	f->tls.cert_sent = j->we == CAP_CLIENT ? client_showed : t->side[CAP_SERVER].hello;
	if (!hidden)
		return;
	j->notes |= CAP_NOTE_HIDDEN;
	hide(&f->ours);
	hide(&f->theirs);
}

/* What our own fatal alert says of our judgement. */
static void our_judgement(struct trust_facts *f, unsigned alert)
{
	static const struct {
		uint8_t alert;
		int code;
	} map[] = { { 43, X509_V_ERR_INVALID_PURPOSE }, { 44, X509_V_ERR_CERT_REVOKED }, { 48, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
		    { 42, X509_V_ERR_UNSPECIFIED }, { 46, X509_V_ERR_UNSPECIFIED }, { 45, X509_V_ERR_CERT_HAS_EXPIRED } };
	if (alert == 116 || (alert == 40 && f->role == TRUST_ACCEPTED && f->tls.cert_requested && !f->theirs.shown))
		text_fill(f->tls.openssl_error, sizeof f->tls.openssl_error, "peer did not return a certificate");
	for (unsigned i = 0; i < sizeof map / sizeof *map; i++) {
		if (map[i].alert != alert)
			continue;
		f->tls.verify_done = true;
		f->tls.verify_code = map[i].code;
		if (alert == 48 && f->theirs.self_signed && f->theirs.chain_len == 1)
			f->tls.verify_code = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
		text_print(f->tls.verify_words, sizeof f->tls.verify_words, "alert %u, %s", alert, trust_alert_words(alert));
		text_fill(f->tls.verify_subject, sizeof f->tls.verify_subject, f->theirs.subject);
		text_fill(f->tls.verify_issuer, sizeof f->tls.verify_issuer, f->theirs.issuer);
		f->tls.verify_not_after_s = f->theirs.not_after_s;
		f->tls.verify_not_before_s = f->theirs.not_before_s;
	}
}

static void tls_facts(struct cap_judgement *j, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	const struct cap_side *peer = &t->side[j->we ^ 1];
	f->tls.started = t->side[0].n_first || t->side[1].n_first;
	f->tls.hello_from_peer = peer->hello;
	f->tls.done = t->tls_done;
	f->tls.version = t->version;
	if (t->suite)
		trust_suite_words(t->suite, f->tls.suite, sizeof f->tls.suite);
	text_fill(f->tls.sni, sizeof f->tls.sni, t->hello.sni);
	f->tls.client_hello = t->hello;
	if (t->tls_done && t->hello_us)
		f->tls.handshake_ms = (t->done_us - t->hello_us) / 1000;
	cert_facts(j, t);
	language(f, t, j->we);
	for (unsigned i = 0; i < t->n_alerts; i++) {
		const struct cap_alert *a = &t->alert[i];
		if (a->number == 0)
			continue; /* a goodbye is an end, not a complaint */
		facts_alert(f, a->side == j->we, a->fatal, a->after_handshake, a->number);
		if (a->side == j->we && a->fatal)
			our_judgement(f, a->number);
	}
	if (t->resumed)
		j->notes |= CAP_NOTE_RESUMED;
	if (t->side[CAP_CLIENT].empty_cert && !t->n_alerts)
		j->notes |= CAP_NOTE_EMPTY_CERT;
}

/* ---- the end ---- */

static bool said_goodbye(const struct cap_talk *t, unsigned side)
{
	for (unsigned i = 0; i < t->n_alerts; i++)
		if (t->alert[i].side == side && t->alert[i].number == 0)
			return true;
	if (!t->side[side].small_us || t->side[side].small_us < t->side[side].last_us)
		return false;
	return t->version != CAP_TLS13_NUMBER || (side == CAP_CLIENT ? !t->side[side].refused_early : cap_talk_admitted(t));
}

/* TLS 1.3 without keys: the server's last word has the size of an alert, and it never let the client in. Who closes after that only hangs up
 * first; the refusal was the server's. 0: not so, else when. */
static int64_t turned_away(const struct cap_talk *t, int64_t until_us)
{
	const struct cap_side *s = &t->side[CAP_SERVER], *c = &t->side[CAP_CLIENT];
	bool answers = c->small_us && c->small_us <= s->small_us; /* the client's goodbye */
	bool last = s->small_us && !answers && s->small_us >= s->last_app_us && s->small_us <= until_us;
	return t->version == CAP_TLS13_NUMBER && !t->readable && t->tls_done && last && !cap_talk_admitted(t) ? s->small_us : 0;
}

static int64_t since(const struct cap_talk *t, int64_t us)
{
	int64_t from = t->tls_done ? t->done_us : t->up_us ? t->up_us : t->first_us;
	return us > from ? (us - from) / 1000 : 0;
}

/* Seen from us: what we sent waited for so long in vain. 0: nothing waited. */
static int64_t waited_ms(const struct cap_talk *t, unsigned we, int64_t until_us)
{
	const struct cap_side *us = &t->side[we], *peer = &t->side[we ^ 1];
	int64_t sent = us->last_app_us ? us->last_app_us : us->last_us;
	if (!sent || cap_talk_spoke(t, we ^ 1) == CAP_SPOKE)
		return 0;
	if (t->tls && !t->tls_done && peer->last_us > sent)
		return 0;
	if (t->tls_done && !us->app_records && !us->requests)
		return 0;
	return until_us > sent ? (until_us - sent) / 1000 : 0;
}

static void end_facts(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	unsigned peer = j->we ^ 1u;
	int64_t at;
	int by = cap_talk_ended_by(t, &at);
	if (!t->up_us && t->proto == CAP_TCP)
		return;
	int64_t goodbye = said_goodbye(t, peer) ? t->side[peer].small_us : 0;
	if (by >= 0 && (unsigned)by != peer && goodbye && goodbye <= at) {
		facts_closed(f, TRUST_CLOSE_NOTIFY, 0, since(t, goodbye));
	} else if (by == CAP_CLIENT && j->we == CAP_CLIENT && turned_away(t, at)) {
		facts_closed(f, TRUST_FIN, 0, since(t, turned_away(t, at)));
	} else if (by >= 0 && (unsigned)by == peer) {
		bool rst = t->side[peer].rst_us == at;
		facts_closed(f, rst ? TRUST_RST : said_goodbye(t, peer) ? TRUST_CLOSE_NOTIFY : TRUST_FIN, rst ? ECONNRESET : 0, since(t, at));
	} else {
		int64_t waited = waited_ms(t, j->we, by >= 0 ? at : b->last_us);
		if (waited >= (by >= 0 ? SILENT_MS : CAP_OPEN_MS)) {
			f->tls.stalled = f->tls.used && !t->tls_done;
			f->tls.handshake_ms = f->tls.stalled ? waited : f->tls.handshake_ms;
			facts_silent(f, waited);
		} else if (by >= 0) {
			facts_closed(f, TRUST_LOCAL, 0, since(t, at));
		}
	}
	bool server = j->we == CAP_CLIENT && t->side[peer].small_us && !cap_talk_admitted(t);
	if (!t->readable && t->version == CAP_TLS13_NUMBER && (server || t->side[CAP_CLIENT].refused_early))
		j->notes |= CAP_NOTE_MAYBE_ALERT;
}

/* ---- SIP ---- */

static enum trust_flow flow_of(const char *method)
{
	static const struct {
		const char *method;
		enum trust_flow flow;
	} map[] = { { "OPTIONS", TRUST_FLOW_OPTIONS }, { "REFER", TRUST_FLOW_TRANSFER }, { "NOTIFY", TRUST_FLOW_LAMP }, { "INVITE", TRUST_FLOW_CALL_OUT } };
	for (unsigned i = 0; i < sizeof map / sizeof *map; i++)
		if (strcmp(map[i].method, method) == 0)
			return map[i].flow;
	return TRUST_FLOW_DIALOG;
}

/* 487 answers a CANCEL of the asker himself; a challenge is followed by the request with an answer to it. */
static bool refused(const struct cap_txn *x)
{
	return x->status >= 300 && x->status != 487 && x->status != 401 && x->status != 407;
}

static const struct cap_txn *txn_that_counts(const struct cap_talk *t, unsigned we, int64_t until_us)
{
	const struct cap_txn *best = NULL;
	int best_rank = -1;
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++) {
		const struct cap_txn *x = &t->txn[i];
		bool late = !x->status && !x->provisional && until_us - x->at_us >= CAP_OPEN_MS * 1000;
		int rank = x->side != we ? -1 : refused(x) ? 3 : late ? 2 : x->status ? 1 : 0;
		if (rank > best_rank || (rank == best_rank && best && x->at_us > best->at_us)) {
			best = x;
			best_rank = rank;
		}
	}
	return best_rank < 0 ? NULL : best;
}

static void sip_facts(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	enum cap_spoke heard = cap_talk_spoke(t, j->we ^ 1);
	int64_t at;
	const struct cap_txn *x = txn_that_counts(t, j->we, cap_talk_ended_by(t, &at) >= 0 ? at : b->last_us);
	if (heard == CAP_PERHAPS)
		j->notes |= CAP_NOTE_MAYBE_TICKET;
	if (f->tls.plain || f->tls.tls_on_plain)
		return; /* two languages: what one said the other did not understand */
	/* Where SIP cannot be read, whoever spoke last has been heard: nothing is left unanswered. */
	f->sip.received = heard == CAP_SPOKE;
	f->sip.sent = cap_talk_spoke(t, j->we) == CAP_SPOKE &&
		      (t->sip ? x != NULL && !x->status : heard != CAP_SPOKE || t->side[j->we].last_app_us > t->side[j->we ^ 1].last_app_us);
	facts_flow(f, x ? flow_of(x->method) : TRUST_FLOW_NONE);
	if (!x)
		return;
	facts_sip_sent(f, text_of(x->method));
	if (x->status) {
		facts_sip_answer(f, x->status, text_of(x->phrase));
		facts_sip_headers(f, text_of(x->reason), text_of(x->warning), text_of(x->diagnostics), -1);
	} else if (t->proto == CAP_UDP && !t->side[j->we ^ 1].answers && !t->icmp) {
		int64_t waited = (b->last_us - x->at_us) / 1000;
		if (waited >= CAP_OPEN_MS)
			facts_silent(f, waited);
	}
}

/* ---- all of it ---- */

/* Whoever speaks plainly himself means no TLS. */
static bool meant_as_tls(const struct cap_talk *t, unsigned we)
{
	if (t->side[we].n_first && !cap_speaks_tls(&t->side[we]))
		return false;
	return t->tls || (t->proto == CAP_TCP && t->side[CAP_SERVER].port == 5061 && !(t->sip && t->side[CAP_SERVER].answers));
}

void cap_judge(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t, const struct cap_prm *prm)
{
	*j = (struct cap_judgement){ 0 };
	choose_side(j, b, t, prm);
	enum trust_transport transport = t->exported_tcp ? TRUST_TCP : t->proto == CAP_UDP ? TRUST_UDP : meant_as_tls(t, j->we) ? TRUST_TLS : TRUST_TCP;
	facts_init(&j->facts, j->we == CAP_CLIENT ? TRUST_DIALLED : TRUST_ACCEPTED, transport, t->last_us / 1000000);
	if (!t->opening_seen && t->proto == CAP_TCP)
		j->notes |= CAP_NOTE_MIDDLE;
	j->notes |= t->exported ? CAP_NOTE_EXPORTED : 0;
	j->notes |= t->cut ? CAP_NOTE_CUT : 0;
	j->notes |= cap_talk_lost(t) ? CAP_NOTE_LOST : 0;
	if (transport == TRUST_TLS)
		tls_facts(j, t);
	who_we_are(j, b, t, prm);
	whom(j, b, t, prm);
	connect_facts(j, b, t);
	end_facts(j, b, t);
	sip_facts(j, b, t);
	cap_judge_second(j, b, t);
	cap_judge_limits(j, t);
	trust_explain(&j->facts, &j->verdict);
	cap_judge_doubt(j, t);
	cap_judge_profile(j, t);
}
