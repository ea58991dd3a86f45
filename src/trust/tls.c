/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c  The engine: OpenSSL between two memory BIOs, with ears on everything that is said. */
#include "trust/tls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "base/mem.h"
#include "trust/hello.h"
#include "trust/judge.h"
#include "trust/tls_private.h"

enum { IN_MAX = 256 * 1024, FIRST_BYTES = 40 };

#define SUITES_OFF "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aDSS"
#define SUITES_CBC SUITES_OFF ":ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:!aNULL:!aDSS:!PSK:!SRP"
#define SUITES_TLS10 SUITES_CBC ":@SECLEVEL=0"

struct tls {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	struct trust_set *set;
	struct trust_identity *identity;
	struct trust_policy *policy;
	STACK_OF(X509) *shown; /* what the peer sent, leaf first */
	const struct um_clock *clock;
	enum trust_role role;
	struct tls_limits limits;
	bool done, failed, proven, said_goodbye, heard_goodbye;
	int64_t started_ms;
	uint8_t first[FIRST_BYTES]; /* of what the peer sent */
	unsigned n_first;
	char peer_name[TRUST_NAME_SIZE], label[TRUST_LABEL_SIZE];
	char reuse_key[TRUST_NAME_SIZE + 72];
	tls_keylog_h *keylog;
	void *keylog_arg;
	struct trust_facts facts;
};

/* ---- ears ---- */

static int on_verify(X509_STORE_CTX *ctx, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	struct trust_judgement j;
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	(void)arg;
	if (sent && !t->shown)
		t->shown = X509_chain_up_ref(sent);
	if (!trust_judge(ctx, trust_set_chain_rules(t->set), t->policy, &t->facts, &j))
		return 0;
	text_fill(t->peer_name, sizeof t->peer_name, j.matched);
	text_fill(t->label, sizeof t->label, j.label);
	return 1;
}

/* The server's staple, after its certificate was accepted; as a server, ours is handed out. */
static int on_status(SSL *ssl, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	const unsigned char *der = NULL;
	size_t n = 0;
	(void)arg;
	if (t->role == TRUST_ACCEPTED) {
		uint8_t *copy = t->identity ? trust_identity_staple(t->identity, clock_real_s(t->clock), &n) : NULL;
		if (!copy || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)n) != 1)
			return SSL_TLSEXT_ERR_NOACK;
		return SSL_TLSEXT_ERR_OK; /* the copy is OpenSSL's now */
	}
	long got = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	n = der && got > 0 ? (size_t)got : 0;
	return trust_judge_staple(SSL_get0_verified_chain(ssl), trust_set_chain_rules(t->set), der, n, clock_real_s(t->clock), &t->facts);
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls *t = SSL_get_app_data(ssl);
	if (!(where & SSL_CB_ALERT) || (value & 0xff) == SSL_AD_CLOSE_NOTIFY)
		return;
	facts_alert(&t->facts, (where & SSL_CB_WRITE) != 0, value >> 8 == SSL3_AL_FATAL, t->done, (unsigned)value & 0xff);
}

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	const uint8_t *b = p;
	(void)version;
	(void)arg;
	if (!t || type != SSL3_RT_HANDSHAKE || n < 4)
		return;
	bool by_client = sent ? t->role == TRUST_DIALLED : t->role == TRUST_ACCEPTED;
	switch (b[0]) {
	case SSL3_MT_CLIENT_HELLO:
		if (by_client)
			(void)tls_hello_parse(&t->facts.tls.client_hello, p, n);
		if (!sent)
			t->facts.tls.hello_from_peer = true;
		break;
	case SSL3_MT_SERVER_HELLO:
		if (!sent)
			t->facts.tls.hello_from_peer = true;
		break;
	case SSL3_MT_CERTIFICATE_REQUEST:
		t->facts.tls.cert_requested = true;
		break;
	case SSL3_MT_CERTIFICATE:
		if (sent && n > 16) { /* an empty list has seven or eight bytes */
			t->facts.tls.cert_sent = true;
			t->facts.ours.shown = true;
		}
		break;
	default:
		break;
	}
}

static void on_keylog(const SSL *ssl, const char *line)
{
	struct tls *t = SSL_get_app_data(ssl);
	if (t && t->keylog)
		t->keylog(line, t->keylog_arg);
}

/* Puts an identity on the SSL object and into the facts. */
static int show(struct tls *t, struct trust_identity *id)
{
	/* One key a kind has its place; without this an EC identity would stand beside the RSA one that it is to replace. */
	SSL_certs_clear(t->ssl);
	if (SSL_use_cert_and_key(t->ssl, trust_identity_x509(id), trust_identity_key(id), trust_identity_chain(id), 1) != 1)
		return EKEYREJECTED;
	mem_ref(id);
	mem_unref(t->identity);
	t->identity = id;
	t->facts.ours = *trust_identity_cert(id);
	text_fill(t->facts.our_identity, sizeof t->facts.our_identity, trust_identity_name(id));
	return 0;
}

/* The name asked for chooses the identity; on_message() has read it already. Without one, or with a stranger's, the default stays. */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	struct trust_identity *id = trust_set_by_sni(t->set, t->facts.tls.client_hello.sni);
	(void)arg;
	if (id && id != t->identity && show(t, id)) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

SSL_CTX *tls_context_new(enum trust_role role)
{
	SSL_CTX *ctx = SSL_CTX_new(role == TRUST_DIALLED ? TLS_client_method() : TLS_server_method());
	if (!ctx)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_dh_auto(ctx, 1);
	int ok = SSL_CTX_set_cipher_list(ctx, SUITES_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
	SSL_CTX_set_tlsext_status_cb(ctx, on_status);
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_msg_callback(ctx, on_message);
	SSL_CTX_set_keylog_callback(ctx, on_keylog);
	if (role == TRUST_ACCEPTED)
		SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
	if (!ok) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* ---- creation ---- */

static int set_limits(struct tls *t, const struct tls_limits *l)
{
	uint16_t low = l->legacy == TLS_LEGACY_TLS10 ? 0x0301 : 0x0303;
	t->limits = *l;
	if (!t->limits.min)
		t->limits.min = l->max && l->max < low ? l->max : low;
	if (!t->limits.max)
		t->limits.max = 0x0304;
	if (t->limits.min > t->limits.max || t->limits.min < low || t->limits.max > 0x0304)
		return EINVAL;
	if (l->legacy == TLS_LEGACY_OFF && t->limits.min == 0x0303 && t->limits.max == 0x0304)
		return 0; /* as the context has it */
	bool ok = SSL_set_min_proto_version(t->ssl, t->limits.min) && SSL_set_max_proto_version(t->ssl, t->limits.max);
	if (l->legacy != TLS_LEGACY_OFF)
		ok = ok && SSL_set_cipher_list(t->ssl, l->legacy == TLS_LEGACY_CBC ? SUITES_CBC : SUITES_TLS10);
	if (l->legacy == TLS_LEGACY_TLS10)
		SSL_set_security_level(t->ssl, 0);
	return ok ? 0 : EINVAL;
}

static bool is_name(const char *s)
{
	uint8_t bytes[16];
	return s && *s && inet_pton(AF_INET, s, bytes) != 1 && inet_pton(AF_INET6, s, bytes) != 1;
}

static int set_sni(struct tls *t, const char *name)
{
	char sni[TRUST_NAME_SIZE];
	if (t->role != TRUST_DIALLED || !is_name(name))
		return 0;
	text_fill(sni, sizeof sni, name);
	size_t n = strlen(sni);
	if (n > 1 && sni[n - 1] == '.')
		sni[n - 1] = '\0'; /* RFC 6066 3: without a trailing dot */
	text_fill(t->facts.tls.sni, sizeof t->facts.tls.sni, sni);
	return SSL_set_tlsext_host_name(t->ssl, sni) == 1 ? 0 : EINVAL;
}

static int make_ssl(struct tls *t)
{
	t->ssl = SSL_new(trust_set_context(t->set, t->role));
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	if (!t->ssl || !in || !out) {
		BIO_free(in);
		BIO_free(out);
		return ENOMEM;
	}
	BIO_set_mem_eof_return(in, -1);
	BIO_set_mem_eof_return(out, -1);
	SSL_set_bio(t->ssl, in, out);
	t->in = in;
	t->out = out;
	SSL_set_app_data(t->ssl, t);
	if (t->role == TRUST_DIALLED)
		SSL_set_connect_state(t->ssl);
	else
		SSL_set_accept_state(t->ssl);
	if (t->role == TRUST_DIALLED && trust_set_chain_rules(t->set)->staple != TRUST_STAPLE_OFF)
		SSL_set_tlsext_status_type(t->ssl, TLSEXT_STATUSTYPE_ocsp);
	SSL_set1_verify_cert_store(t->ssl, trust_set_store(t->set));
	X509_VERIFY_PARAM_set_time(SSL_get0_param(t->ssl), (time_t)clock_real_s(t->clock));
	return 0;
}

static int set_up(struct tls *t, const struct tls_prm *prm)
{
	struct trust_identity *id = prm->identity ? prm->identity : trust_set_find(prm->set, NULL);
	int err = make_ssl(t);
	if (err)
		return err;
	if ((err = set_limits(t, &prm->limits)) != 0)
		return err;
	trust_set_facts(t->set, &t->facts);
	if (!prm->no_identity && !id && t->role == TRUST_ACCEPTED)
		return ENOKEY;
	if (!prm->no_identity && id && (err = show(t, id)) != 0)
		return err;
	return set_sni(t, prm->sni);
}

int tls_create(struct tls **tp, const struct tls_prm *prm)
{
	struct tls *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return ENOMEM;
	t->role = prm->role;
	t->clock = prm->clock;
	t->set = mem_ref(prm->set);
	t->policy = mem_ref(prm->policy);
	t->keylog = prm->keylog;
	t->keylog_arg = prm->keylog_arg;
	t->started_ms = clock_mono_ms(t->clock);
	if (prm->facts)
		t->facts = *prm->facts;
	else
		facts_init(&t->facts, prm->role, TRUST_TLS, clock_real_s(t->clock));
	t->facts.role = prm->role;
	t->facts.tls.used = true;
	int err = set_up(t, prm);
	ERR_clear_error();
	if (err) {
		tls_destroy(t);
		return err;
	}
	*tp = t;
	return 0;
}

struct tls *tls_destroy(struct tls *t)
{
	if (!t)
		return NULL;
	SSL_free(t->ssl);
	sk_X509_pop_free(t->shown, X509_free);
	mem_unref(t->identity);
	mem_unref(t->policy);
	mem_unref(t->set);
	mem_free(t);
	return NULL;
}

/* ---- bytes in and out ---- */

/* Keeps the first bytes and says whether they can be TLS at all. */
static void listen_to_first(struct tls *t, const uint8_t *p, size_t n)
{
	if (t->n_first < FIRST_BYTES && n) {
		size_t take = FIRST_BYTES - t->n_first < n ? FIRST_BYTES - t->n_first : n;
		memcpy(t->first + t->n_first, p, take);
		t->n_first += (unsigned)take;
	}
	if (t->n_first && !tls_hello_begins(t->first)) {
		struct text first = text_make(t->first, t->n_first);
		t->facts.tls.plain = tls_plain_kind(first);
		size_t line = 0; /* the first line is enough, and reads well */
		while (line < first.n && first.p[line] != '\r' && first.p[line] != '\n')
			line++;
		text_escape(text_head(first, line ? line : first.n), t->facts.tls.plain_bytes, sizeof t->facts.tls.plain_bytes);
	}
}

int tls_feed(struct tls *t, const void *p, size_t n)
{
	if (t->n_first < FIRST_BYTES)
		listen_to_first(t, p, n);
	t->facts.tls.started = true;
	t->facts.tls.heard = t->facts.tls.heard || n;
	if (BIO_ctrl_pending(t->in) + n > IN_MAX)
		return EMSGSIZE;
	return !n || BIO_write(t->in, p, (int)n) == (int)n ? 0 : ENOMEM;
}

size_t tls_drain(struct tls *t, void *p, size_t n)
{
	int k = BIO_read(t->out, p, n > INT32_MAX ? INT32_MAX : (int)n);
	return k > 0 ? (size_t)k : 0;
}

size_t tls_drainable(const struct tls *t)
{
	return BIO_ctrl_pending(t->out);
}

/* ---- the handshake ---- */

/* The first error says why; those behind it only say where it was passed on. */
static void keep_error(struct tls *t)
{
	unsigned long e = ERR_peek_error();
	const char *words = e ? ERR_reason_error_string(e) : NULL;
	if (!t->facts.tls.openssl_error[0])
		text_fill(t->facts.tls.openssl_error, sizeof t->facts.tls.openssl_error, words ? words : e ? "unnamed error" : "broken off");
	ERR_clear_error();
}

static void say_what_we_take(struct tls *t)
{
	struct trust_hello *h = &t->facts.tls.server_can;
	STACK_OF(SSL_CIPHER) *suites = SSL_get1_supported_ciphers(t->ssl);
	*h = (struct trust_hello){ .seen = true };
	for (uint16_t v = t->limits.max; v >= t->limits.min && h->n_versions < TRUST_VERSIONS; v--)
		h->version[h->n_versions++] = v;
	for (int i = 0; i < sk_SSL_CIPHER_num(suites) && h->n_suites < TRUST_SUITES; i++)
		h->suite[h->n_suites++] = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(suites, i));
	sk_SSL_CIPHER_free(suites);
}

static int fail(struct tls *t)
{
	keep_error(t);
	t->failed = true;
	if (t->role == TRUST_ACCEPTED)
		say_what_we_take(t);
	t->facts.tls.handshake_ms = clock_mono_ms(t->clock) - t->started_ms;
	return EPROTO;
}

static void keep_agreement(struct tls *t)
{
	struct trust_tls_facts *f = &t->facts.tls;
	const char *suite = SSL_get_cipher_name(t->ssl);
	f->version = (uint16_t)SSL_version(t->ssl);
	text_fill(f->suite, sizeof f->suite, suite ? suite : "");
	if (t->role == TRUST_ACCEPTED)
		text_fill(f->sni, sizeof f->sni, f->client_hello.sni);
}

static void finish(struct tls *t)
{
	t->done = true;
	/* Until here strangers spend our memory: OpenSSL gives each record's buffer back, 17 KB each way. From here that would cost a connection in use
	 * more than its encryption, since what is given back is wiped; tls_rest() gives them back when it is at rest. */
	SSL_clear_mode(t->ssl, SSL_MODE_RELEASE_BUFFERS);
	keep_agreement(t);
	t->facts.tls.done = true;
	t->facts.tls.handshake_ms = clock_mono_ms(t->clock) - t->started_ms;
	text_print(t->reuse_key, sizeof t->reuse_key, "%s|%s", t->identity ? trust_identity_fingerprint(t->identity) : "none", t->peer_name);
}

int tls_step(struct tls *t)
{
	if (t->done)
		return 0;
	if (t->failed)
		return EPROTO;
	t->facts.tls.started = true;
	if (t->facts.tls.plain) {
		text_fill(t->facts.tls.openssl_error, sizeof t->facts.tls.openssl_error, "not TLS");
		return fail(t);
	}
	ERR_clear_error();
	int ok = SSL_do_handshake(t->ssl);
	int err = ok == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, ok);
	if (err == SSL_ERROR_NONE)
		finish(t);
	else if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE) {
		if (t->facts.tls.hello_from_peer)
			keep_agreement(t);
		return fail(t);
	}
	return t->done ? 0 : EAGAIN;
}

/* ---- plaintext ---- */

int tls_write(struct tls *t, const void *p, size_t n)
{
	if (!t->done || t->failed || t->said_goodbye)
		return ENOTCONN;
	for (const uint8_t *b = p; n;) {
		size_t take = n > 1 << 20 ? 1 << 20 : n, done = 0;
		ERR_clear_error();
		if (SSL_write_ex(t->ssl, b, take, &done) != 1) {
			keep_error(t);
			t->failed = true;
			return ENOTCONN;
		}
		b += done;
		n -= done;
	}
	return 0;
}

int tls_read(struct tls *t, void *p, size_t size, size_t *n)
{
	if (!t->done)
		return t->failed ? EPROTO : EAGAIN;
	if (t->heard_goodbye)
		return EPIPE;
	if (t->failed)
		return EPROTO;
	if (!BIO_ctrl_pending(t->in) && !SSL_pending(t->ssl))
		return EAGAIN; /* a record that is not whole yet waits within; OpenSSL needs long to find that out */
	ERR_clear_error();
	int ok = SSL_read_ex(t->ssl, p, size, n);
	if (ok == 1)
		return 0;
	int err = SSL_get_error(t->ssl, ok);
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return EAGAIN;
	if (err == SSL_ERROR_ZERO_RETURN) {
		t->heard_goodbye = true;
		return EPIPE;
	}
	keep_error(t);
	t->failed = true;
	return EPROTO;
}

bool tls_rest(struct tls *t)
{
	if (!t->done || t->failed)
		return true;
	/* Not within a record: before 3.0.14 OpenSSL does not see by itself that a header was read whose body is still to come. */
	if (BIO_ctrl_pending(t->in) || SSL_has_pending(t->ssl) || strcmp(SSL_rstate_string(t->ssl), "RH") != 0)
		return false;
	return SSL_free_buffers(t->ssl) == 1;
}

void tls_close(struct tls *t)
{
	if (!t->done || t->failed || t->said_goodbye)
		return;
	ERR_clear_error();
	t->said_goodbye = true;
	SSL_shutdown(t->ssl);
	ERR_clear_error();
}

/* ---- what is known ---- */

bool tls_done(const struct tls *t)
{
	return t->done;
}

bool tls_failed(const struct tls *t)
{
	return t->failed;
}

bool tls_heard_goodbye(const struct tls *t)
{
	return t->heard_goodbye;
}

STACK_OF(X509) *tls_shown(const struct tls *t)
{
	return t->shown;
}

const char *tls_peer_name(const struct tls *t)
{
	return t->done ? t->peer_name : "";
}

const char *tls_peer_label(const struct tls *t)
{
	return t->done ? t->label : "";
}

struct trust_identity *tls_identity(const struct tls *t)
{
	return t->identity;
}

const char *tls_reuse_key(const struct tls *t)
{
	return t->reuse_key;
}

struct trust_facts *tls_facts(struct tls *t)
{
	return &t->facts;
}

void tls_proven(struct tls *t)
{
	t->proven = true;
	t->facts.sip.received = true;
}

bool tls_is_proven(const struct tls *t)
{
	return t->proven;
}
