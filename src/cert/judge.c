/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c  Profiles (trust/profile.h) asked for each gateway; and a certificate laid beside its request. */
#include "cert/judge.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/install.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/profile.h"

enum { SHORT_DAYS = 30 };

/* ---- by the gateways' rules ---- */

struct asking {
	const struct cert_judge_prm *prm;
	const struct cert_gateway *g;
	const struct trust_profile *profile;
	enum trust_seat seat;
	struct trust_answer now, before;
};

static void ask(struct asking *k, const struct trust_identity *id, struct trust_answer *a)
{
	struct trust_question q = {
		.seat = k->seat, .leaf = trust_identity_x509(id), .chain = trust_identity_chain(id), .now_s = k->prm->now_s, .enabled = TRUST_SWITCHED_ON,
		.reference = k->seat == TRUST_SEAT_SERVER_CERT ? k->prm->fqdn : NULL, .known = k->g->judges.known.n ? &k->g->judges.known : NULL,
	};
	trust_profile_judge(k->profile, &q, a);
}

static void fill(struct ev_report *r, uint16_t event, const struct asking *k)
{
	const struct trust_answer *a = &k->now;
	char known[512];
	ev_set(r, event);
	ev_str(r, "identity", trust_identity_name(k->prm->fresh));
	ev_str(r, "cn", trust_identity_cn(k->prm->fresh));
	ev_str(r, "gateway", k->prm->target && *k->prm->target ? k->prm->target : k->g->name);
	ev_str(r, "other", k->g->name);
	ev_str(r, "profile", trust_profile_name(k->profile));
	ev_str(r, "role", trust_seat_name(k->seat));
	ev_str(r, "known", trust_names_join(&k->g->judges.known, known, sizeof known));
	ev_str(r, "reason", a->sentence);
	ev_str(r, "reason_name", a->name);
	ev_str(r, "fix", a->fix);
	ev_str(r, "certainty", trust_certainty_name(a->certainty));
	ev_str(r, "source", trust_confidence_words(a->confidence));
}

/* A gateway that takes what it is shown today must not be lost; and the one for whose sake it is done must be won. */
static bool loses(const struct asking *k)
{
	bool target = k->prm->target && strcmp(k->g->name, k->prm->target) == 0;
	return target || !k->prm->old || k->before.kind != TRUST_REFUSES;
}

static int judge_seat(struct asking *k, struct ev_report *why, struct ev_report *r, trust_warn_h *each, void *arg)
{
	ask(k, k->prm->fresh, &k->now);
	if (k->prm->old)
		ask(k, k->prm->old, &k->before);
	if (k->now.kind != TRUST_REFUSES) {
		fill(r, EV_CERT_PROFILE_ACCEPTS, k);
		if (k->now.kind == TRUST_ACCEPTS && k->g->judges.known.n)
			each(r, arg);
		return 0;
	}
	bool target = k->prm->target && strcmp(k->g->name, k->prm->target) == 0;
	bool lost = loses(k);
	/* one that is refused today as well loses nothing */
	fill(r, lost && k->prm->target && *k->prm->target && !target ? EV_CERT_WOULD_BREAK : EV_CERT_PROFILE_REFUSES, k);
	if (!lost || k->prm->force) {
		each(r, arg);
		return 0;
	}
	ev_copy(why, r);
	return EINVAL;
}

/* A product's row where the configuration names one, else the rule behind it. */
static const struct trust_profile *profile_of(const struct trust_judges_us *j)
{
	const struct trust_profile *p = j->configured ? trust_profile_find(j->profile) : NULL;
	if (p || !j->configured)
		return p;
	return trust_profile_find(j->rule == TRUST_RULE_CN_ONLY ? "cn-known-servers" : j->rule == TRUST_RULE_RFC5922 ? "rfc5922" : "san-or-cn");
}

int cert_judge(const struct cert_judge_prm *prm, struct ev_report *why, trust_warn_h *each, void *arg)
{
	struct asking *k = mem_zalloc(1, sizeof *k);
	struct ev_report *r = mem_alloc(sizeof *r), *own = why ? NULL : mem_alloc(sizeof *own);
	int err = k && r && (why || own) ? 0 : ENOMEM;
	for (unsigned i = 0; !err && i < prm->n_gateways; i++) {
		const struct cert_gateway *g = &prm->gateways[i];
		*k = (struct asking){ .prm = prm, .g = g, .profile = profile_of(&g->judges) };
		uint8_t eku = trust_identity_cert(prm->fresh)->eku;
		bool served = prm->serves || !(eku & TRUST_EKU_PRESENT) || (eku & TRUST_EKU_SERVER); /* one for dialling alone is not */
		for (int seat = served ? 0 : 1; k->profile && !err && seat < 2; seat++) {
			k->seat = seat ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT;
			err = judge_seat(k, why ? why : own, r, each, arg);
		}
	}
	mem_free(own);
	mem_free(r);
	mem_free(k);
	ERR_clear_error();
	return err;
}

/* ---- beside its request ---- */

struct asked {
	char cn[TRUST_NAME_SIZE];
	struct trust_names dns;
	uint8_t eku;
};

static void read_asked(struct asked *a, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
	GENERAL_NAMES *names = X509V3_get_d2i(all, NID_subject_alt_name, NULL, NULL);
	EXTENDED_KEY_USAGE *eku = X509V3_get_d2i(all, NID_ext_key_usage, NULL, NULL);
	X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req), NID_commonName, a->cn, sizeof a->cn);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		if (n->type == GEN_DNS)
			trust_names_add(&a->dns, text_make(ASN1_STRING_get0_data(n->d.dNSName), (size_t)ASN1_STRING_length(n->d.dNSName)));
	}
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i));
		a->eku = (uint8_t)(a->eku | (nid == NID_server_auth ? TRUST_EKU_SERVER : nid == NID_client_auth ? TRUST_EKU_CLIENT : 0));
	}
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
}

/* The request that belongs to this certificate: of the same key. */
static bool find_request(struct asked *a, const struct trust_identity *id, const char *data_dir, const char *name)
{
	char path[512];
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	BIO *bio = trust_pem_file(&pem, cert_request_path(data_dir, name, path)) == 0 && pem.n ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	X509_REQ *req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	bool same = key && EVP_PKEY_eq(key, trust_identity_key(id)) == 1;
	if (same)
		read_asked(a, req);
	X509_REQ_free(req);
	BIO_free(bio);
	buf_free(&pem);
	ERR_clear_error();
	return same;
}

/* Names of a kind that was not read stand in no list, so they are too much. */
static bool only_dns(X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
	GENERAL_NAMES *names = X509V3_get_d2i(all, NID_subject_alt_name, NULL, NULL);
	bool only = names != NULL;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		only = only && n->type == GEN_DNS && !memchr(ASN1_STRING_get0_data(n->d.dNSName), 0, (size_t)ASN1_STRING_length(n->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
	return only && X509_NAME_entry_count(X509_REQ_get_subject_name(req)) == 1;
}

int cert_request_within(struct text csr_pem, const struct cert_names *allowed, char *error, size_t size)
{
	BIO *bio = csr_pem.n && csr_pem.n <= 65536 ? BIO_new_mem_buf(csr_pem.p, (int)csr_pem.n) : NULL;
	X509_REQ *req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	struct asked *a = mem_zalloc(1, sizeof *a);
	int err = !a ? ENOMEM : key && X509_REQ_verify(req, key) == 1 && only_dns(req) ? 0 : EBADMSG;
	text_fill(error, size, err == EBADMSG ? "it is no request of a node, or its signature does not verify" : "");
	if (!err)
		read_asked(a, req);
	if (!err && (!text_eq_nocase(text_of(a->cn), text_of(allowed->cn)) || a->dns.cut)) {
		text_print(error, size, "it asks for CN=%s", a->cn);
		err = EPERM;
	}
	for (unsigned i = 0; !err && i < a->dns.n; i++)
		if (!trust_names_has(&allowed->dns, trust_names_at(&a->dns, i))) {
			text_print(error, size, "it asks for the name %s", trust_names_at(&a->dns, i));
			err = EPERM;
		}
	mem_free(a);
	X509_REQ_free(req);
	BIO_free(bio);
	ERR_clear_error();
	return err;
}

struct comparing {
	const struct trust_cert *cert;
	const char *identity;
	trust_warn_h *each;
	void *arg;
	struct ev_report r;
};

static void differs(struct comparing *k, uint16_t event, const char *wanted)
{
	char at[RFC3339_SIZE];
	ev_set(&k->r, event);
	ev_str(&k->r, "identity", k->identity);
	ev_str(&k->r, "cn", k->cert->cn);
	ev_str(&k->r, "wanted", wanted);
	ev_str(&k->r, "not_after", rfc3339_s(k->cert->not_after_s, at));
	k->each(&k->r, k->arg);
}

static void compare_names(struct comparing *k, const struct asked *a)
{
	struct trust_names missing = { 0 };
	char words[512], dns[TRUST_NAME_SIZE + 8];
	for (unsigned i = 0; i < a->dns.n; i++) {
		text_print(dns, sizeof dns, "DNS:%s", trust_names_at(&a->dns, i));
		if (!trust_names_has(&k->cert->sans, dns))
			trust_names_add_str(&missing, trust_names_at(&a->dns, i));
	}
	if (missing.n)
		differs(k, EV_CERT_ASKED_NAMES, trust_names_join(&missing, words, sizeof words));
}

static void compare_usages(struct comparing *k, const struct asked *a)
{
	uint8_t lacks = k->cert->eku & TRUST_EKU_PRESENT ? (uint8_t)(a->eku & ~k->cert->eku) : 0;
	if (lacks)
		differs(k, EV_CERT_ASKED_USAGES, lacks == (TRUST_EKU_SERVER | TRUST_EKU_CLIENT) ? "serverAuth and clientAuth" :
						 lacks & TRUST_EKU_CLIENT                       ? "clientAuth" :
												  "serverAuth");
}

int cert_compare_asked(const struct trust_identity *id, const char *data_dir, const char *name, const char *wanted_cn, int64_t now_s, trust_warn_h *each,
		       void *arg)
{
	struct comparing *k = mem_zalloc(1, sizeof *k);
	struct asked *a = mem_zalloc(1, sizeof *a);
	if (k && a) {
		*k = (struct comparing){ .cert = trust_identity_cert(id), .identity = name, .each = each, .arg = arg };
		bool known = find_request(a, id, data_dir, name);
		if (wanted_cn && *wanted_cn)
			text_fill(a->cn, sizeof a->cn, wanted_cn);
		if (a->cn[0] && !text_eq_nocase(text_of(a->cn), text_of(k->cert->cn)))
			differs(k, EV_CERT_EXAM_NOT_AS_ASKED, a->cn);
		if (known) {
			compare_names(k, a);
			compare_usages(k, a);
		}
		if (!k->cert->has_cdp && !k->cert->self_signed)
			differs(k, EV_CERT_NO_CDP, "");
		if (k->cert->not_after_s > now_s && k->cert->not_after_s - now_s < SHORT_DAYS * 86400LL) /* one that ended is refused */
			differs(k, EV_CERT_ASKED_SHORT, "");
	}
	int err = k && a ? 0 : ENOMEM;
	mem_free(a);
	mem_free(k);
	return err;
}
