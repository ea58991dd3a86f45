/* SPDX-License-Identifier: Apache-2.0 */
/* set.c  The snapshot of identities and trust anchors, and the keeper that swaps it. */
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <time.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust/tls_private.h"
#include "trust_events.h"

enum { IDENTITIES_MAX = 64, ANCHORS_MAX = 1024 };

struct trust_set {
	struct trust_identity *id[IDENTITIES_MAX];
	unsigned n;
	STACK_OF(X509) *anchors;
	STACK_OF(X509_CRL) *crls;
	X509_STORE *store;
	SSL_CTX *client, *server;
	struct trust_chain_rules rules;
};

static void destroy(void *object)
{
	struct trust_set *s = object;
	for (unsigned i = 0; i < s->n; i++)
		mem_unref(s->id[i]);
	sk_X509_pop_free(s->anchors, X509_free);
	sk_X509_CRL_pop_free(s->crls, X509_CRL_free);
	X509_STORE_free(s->store);
	SSL_CTX_free(s->client);
	SSL_CTX_free(s->server);
}

int trust_set_create(struct trust_set **sp)
{
	struct trust_set *s = mem_object(sizeof *s, destroy);
	if (!s)
		return ENOMEM;
	s->anchors = sk_X509_new_null();
	s->crls = sk_X509_CRL_new_null();
	s->store = X509_STORE_new();
	s->client = tls_context_new(TRUST_DIALLED);
	s->server = tls_context_new(TRUST_ACCEPTED);
	if (!s->anchors || !s->crls || !s->store || !s->client || !s->server) {
		mem_unref(s);
		return ENOMEM;
	}
	/* What is listed is trusted, also an intermediate or a peer's own self-signed certificate. */
	X509_STORE_set_flags(s->store, TRUST_STORE_FLAGS);
	s->rules = (struct trust_chain_rules){ .depth = -1, .revocation = TRUST_REVOCATION_LEAF };
	*sp = s;
	return 0;
}

void trust_set_rules(struct trust_set *s, const struct trust_chain_rules *rules)
{
	s->rules = *rules;
}

const struct trust_chain_rules *trust_set_chain_rules(const struct trust_set *s)
{
	return &s->rules;
}

static int add_crl(struct trust_set *s, X509_CRL *crl)
{
	X509_CRL_up_ref(crl);
	if (!sk_X509_CRL_push(s->crls, crl)) {
		X509_CRL_free(crl);
		return ENOMEM;
	}
	X509_STORE_add_crl(s->store, crl);
	X509_STORE_set_flags(s->store, TRUST_CRL_FLAGS);
	ERR_clear_error();
	return 0;
}

int trust_set_copy_without(struct trust_set **sp, const struct trust_set *from, const X509 *anchor)
{
	struct trust_set *s = NULL;
	int err = trust_set_create(&s);
	for (unsigned i = 0; !err && i < from->n; i++)
		err = trust_set_identity(s, from->id[i]);
	for (int i = 0; !err && i < sk_X509_num(from->anchors); i++)
		if (!anchor || X509_cmp(sk_X509_value(from->anchors, i), anchor) != 0)
			err = trust_set_anchor(s, sk_X509_value(from->anchors, i));
	for (int i = 0; !err && i < sk_X509_CRL_num(from->crls); i++)
		err = add_crl(s, sk_X509_CRL_value(from->crls, i));
	if (!err)
		s->rules = from->rules;
	if (!err)
		*sp = s;
	else if (s)
		mem_unref(s);
	return err;
}

int trust_set_copy(struct trust_set **sp, const struct trust_set *from)
{
	return trust_set_copy_without(sp, from, NULL);
}

int trust_set_identity(struct trust_set *s, struct trust_identity *id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(trust_identity_name(s->id[i]), trust_identity_name(id)) == 0) {
			struct trust_identity *old = s->id[i];
			s->id[i] = mem_ref(id);
			mem_unref(old);
			return 0;
		}
	if (s->n == IDENTITIES_MAX)
		return ENOSPC;
	s->id[s->n++] = mem_ref(id);
	return 0;
}

void trust_set_drop(struct trust_set *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(trust_identity_name(s->id[i]), name) == 0) {
			mem_unref(s->id[i]);
			memmove(&s->id[i], &s->id[i + 1], (s->n - i - 1) * sizeof s->id[0]);
			s->n--;
			return;
		}
}

int trust_set_anchor(struct trust_set *s, X509 *root)
{
	if (sk_X509_num(s->anchors) >= ANCHORS_MAX)
		return ENOSPC;
	for (int i = 0; i < sk_X509_num(s->anchors); i++)
		if (X509_cmp(sk_X509_value(s->anchors, i), root) == 0)
			return 0;
	X509_up_ref(root);
	if (!sk_X509_push(s->anchors, root)) {
		X509_free(root);
		return ENOMEM;
	}
	int ok = X509_STORE_add_cert(s->store, root);
	ERR_clear_error();
	return ok ? 0 : ENOMEM;
}

static int anchors_of(struct trust_set *s, struct text pem, unsigned *n)
{
	STACK_OF(X509) *certs;
	int err = trust_pem_certs(&certs, pem);
	if (err)
		return err;
	for (int i = 0; !err && i < sk_X509_num(certs); i++)
		err = trust_set_anchor(s, sk_X509_value(certs, i));
	if (n)
		*n = (unsigned)sk_X509_num(certs);
	sk_X509_pop_free(certs, X509_free);
	return err;
}

static void complain(struct ev_report *why, uint16_t event, const char *file, int err)
{
	ev_set(why, event);
	ev_str(why, "file", file);
	ev_str(why, "error", err == EBADMSG ? "nothing usable in it, in PEM form" : strerrordesc_np(err));
}

int trust_set_anchor_pem(struct trust_set *s, struct text pem, unsigned *n, struct ev_report *why)
{
	int err = anchors_of(s, pem, n);
	if (err)
		complain(why, EV_TRUST_ANCHORS_UNREADABLE, "the text given", err);
	return err;
}

int trust_set_anchor_file(struct trust_set *s, const char *path, unsigned *n, struct ev_report *why)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, path);
	if (!err)
		err = anchors_of(s, buf_as_text(&pem), n);
	if (err)
		complain(why, EV_TRUST_ANCHORS_UNREADABLE, path, err);
	buf_free(&pem);
	return err;
}

int trust_set_crl_file(struct trust_set *s, const char *path, struct ev_report *why)
{
	struct buf pem;
	STACK_OF(X509_CRL) *crls = NULL;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, path);
	if (!err)
		err = trust_pem_crls(&crls, buf_as_text(&pem));
	for (int i = 0; !err && i < sk_X509_CRL_num(crls); i++)
		err = add_crl(s, sk_X509_CRL_value(crls, i));
	if (err)
		complain(why, EV_TRUST_CRL_UNREADABLE, path, err);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	buf_free(&pem);
	return err;
}

static void tell_of_list(X509_CRL *crl, int64_t until_s, uint16_t event, trust_warn_h *each, void *arg)
{
	struct ev_report r;
	char issuer[TRUST_NAME_SIZE], until[RFC3339_SIZE];
	X509_NAME_oneline(X509_CRL_get_issuer(crl), issuer, sizeof issuer);
	ev_set(&r, event);
	ev_str(&r, "issuer", issuer);
	ev_str(&r, "not_after", rfc3339_s(until_s, until));
	each(&r, arg);
}

void trust_set_lists_check(const struct trust_set *s, int64_t since_s, int64_t now_s, trust_warn_h *each, void *arg)
{
	enum { SOON_S = 24 * 3600 };
	if (s->rules.revocation == TRUST_REVOCATION_OFF)
		return;
	for (int i = 0; i < sk_X509_CRL_num(s->crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(s->crls, i);
		struct tm tm;
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
		if (!next || ASN1_TIME_to_tm(next, &tm) != 1)
			continue;
		int64_t until_s = (int64_t)timegm(&tm);
		if (until_s < now_s && until_s >= since_s)
			tell_of_list(crl, until_s, EV_TRUST_CRL_OLD, each, arg);
		else if (until_s >= now_s && until_s - SOON_S < now_s && until_s - SOON_S >= since_s)
			tell_of_list(crl, until_s, EV_TRUST_CRL_ENDS_SOON, each, arg);
	}
}

struct trust_identity *trust_set_find(const struct trust_set *s, const char *name)
{
	if (!name || !*name)
		return s->n ? s->id[0] : NULL;
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(trust_identity_name(s->id[i]), name) == 0)
			return s->id[i];
	return NULL;
}

static bool covers(const struct trust_cert *c, const char *sni)
{
	const char *dot = strchr(sni, '.');
	for (unsigned i = 0; i < c->sans.n; i++) {
		struct text san = text_of(trust_names_at(&c->sans, i));
		if (!text_starts(san, "DNS:"))
			continue;
		san = text_skip(san, 4);
		if (text_eq_nocase(san, text_of(sni)))
			return true;
		if (text_starts(san, "*.") && dot && text_eq_nocase(text_skip(san, 1), text_of(dot)))
			return true;
	}
	return trust_names_has(&c->cns, sni);
}

/* Being rehearsed, or made for the other role: shown to nobody who dials us. */
static bool not_for_callers(const struct trust_identity *id)
{
	uint8_t eku = trust_identity_cert(id)->eku;
	return strchr(trust_identity_name(id), '+') != NULL || ((eku & TRUST_EKU_PRESENT) && !(eku & (TRUST_EKU_SERVER | TRUST_EKU_ANY)));
}

/* An exact CN wins over a name among others: a node's own certificate is better than one shared. */
struct trust_identity *trust_set_by_sni(const struct trust_set *s, const char *sni)
{
	if (!sni || !*sni)
		return NULL;
	for (unsigned i = 0; i < s->n; i++)
		if (!not_for_callers(s->id[i]) && text_eq_nocase(text_of(trust_identity_cn(s->id[i])), text_of(sni)))
			return s->id[i];
	for (unsigned i = 0; i < s->n; i++)
		if (!not_for_callers(s->id[i]) && covers(trust_identity_cert(s->id[i]), sni))
			return s->id[i];
	return NULL;
}

unsigned trust_set_count(const struct trust_set *s)
{
	return s->n;
}

struct trust_identity *trust_set_at(const struct trust_set *s, unsigned i)
{
	return i < s->n ? s->id[i] : NULL;
}

unsigned trust_set_anchors(const struct trust_set *s)
{
	return (unsigned)sk_X509_num(s->anchors);
}

X509 *trust_set_anchor_at(const struct trust_set *s, unsigned i)
{
	return i < trust_set_anchors(s) ? sk_X509_value(s->anchors, (int)i) : NULL;
}

X509_STORE *trust_set_store(const struct trust_set *s)
{
	return s->store;
}

SSL_CTX *trust_set_context(const struct trust_set *s, enum trust_role role)
{
	return role == TRUST_DIALLED ? s->client : s->server;
}

bool trust_set_has_crls(const struct trust_set *s)
{
	return sk_X509_CRL_num(s->crls) > 0;
}

void trust_set_facts(const struct trust_set *s, struct trust_facts *f)
{
	trust_names_clear(&f->identities);
	for (unsigned i = 0; i < s->n; i++)
		facts_identity_held(f, trust_identity_name(s->id[i]), trust_identity_cn(s->id[i]));
}

/* ---- the keeper ---- */

struct trust_keeper {
	pthread_mutex_t lock;
	struct trust_set *set;
	uint64_t generation;
};

int trust_keeper_create(struct trust_keeper **kp, struct trust_set *set)
{
	struct trust_keeper *k = mem_zalloc(1, sizeof *k);
	if (!k)
		return ENOMEM;
	pthread_mutex_init(&k->lock, NULL);
	k->set = mem_ref(set);
	*kp = k;
	return 0;
}

void trust_keeper_destroy(struct trust_keeper *k)
{
	if (!k)
		return;
	mem_unref(k->set);
	pthread_mutex_destroy(&k->lock);
	mem_free(k);
}

struct trust_set *trust_keeper_get(struct trust_keeper *k)
{
	pthread_mutex_lock(&k->lock);
	struct trust_set *s = mem_ref(k->set);
	pthread_mutex_unlock(&k->lock);
	return s;
}

void trust_keeper_swap(struct trust_keeper *k, struct trust_set *set)
{
	mem_ref(set);
	pthread_mutex_lock(&k->lock);
	struct trust_set *old = k->set;
	k->set = set;
	k->generation++;
	pthread_mutex_unlock(&k->lock);
	mem_unref(old); /* outside: it may be the last reference, and freeing costs */
}

uint64_t trust_keeper_generation(struct trust_keeper *k)
{
	pthread_mutex_lock(&k->lock);
	uint64_t g = k->generation;
	pthread_mutex_unlock(&k->lock);
	return g;
}
