/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c  Looks a certificate over. Its bytes may be a stranger's: names are cut, not trusted. */
#include "trust/finding.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "trust/rule.h"
#include "trust/wellformed.h"

enum { SOON_DAYS = 30, DAY_S = 86400 };
enum finding_id {
#define FINDING(id, name, grave, sentence, fix) FINDING_##id,
#include "trust/findings.def"
#undef FINDING
	FINDINGS
};
static const struct {
	const char *name;
	bool grave;
	const char *sentence, *fix;
} table[] = {
#define FINDING(id, name, grave, sentence, fix) [FINDING_##id] = { name, grave, sentence, fix },
#include "trust/findings.def"
#undef FINDING
};

struct look {
	X509 *leaf;
	STACK_OF(X509) *chain;
	int64_t now_s;
	trust_finding_h *each;
	void *arg;
	unsigned n;
	bool said[FINDINGS];
	struct trust_cert c;
	struct trust_cert_names names;
};

/* Once a kind. */
static void found(struct look *l, enum finding_id id, const char *detail)
{
	struct trust_finding f = { .name = table[id].name, .grave = table[id].grave, .fix = table[id].fix };
	struct text head, tail = TEXT_NONE;
	if (l->said[id])
		return;
	l->said[id] = true;
	l->n++;
	bool has = text_cut(text_of(table[id].sentence), '{', &head, &tail);
	text_print(f.sentence, sizeof f.sentence, "%.*s%.200s%s", TEXT_FMT(head), has ? detail : "", has ? strchr(tail.p, '}') + 1 : "");
	l->each(&f, l->arg);
}

static void look_at_time(struct look *l)
{
	char at[RFC3339_SIZE], days[32];
	if (l->c.not_after_s < l->now_s) {
		found(l, FINDING_EXPIRED, rfc3339_s(l->c.not_after_s, at));
	} else if (l->c.not_before_s > l->now_s) {
		found(l, FINDING_NOT_YET, rfc3339_s(l->c.not_before_s, at));
	} else if (l->c.not_after_s - l->now_s < (int64_t)SOON_DAYS * DAY_S) {
		text_print(days, sizeof days, "%lld days", (long long)((l->c.not_after_s - l->now_s) / DAY_S));
		found(l, FINDING_ENDS_SOON, days);
	}
}

static void look_at_usages(struct look *l)
{
	uint8_t eku = l->c.eku;
	if (l->c.is_ca && !l->c.self_signed)
		found(l, FINDING_IS_CA, "");
	if (!(eku & TRUST_EKU_PRESENT)) {
		found(l, FINDING_NO_USAGES, "");
		return;
	}
	if (!(eku & TRUST_EKU_SERVER))
		found(l, FINDING_NO_SERVER, "");
	if (!(eku & TRUST_EKU_CLIENT))
		found(l, FINDING_NO_CLIENT, "");
	if (eku & TRUST_EKU_SIP)
		found(l, FINDING_SIP_USAGE, "");
}

static void look_at_name(struct look *l, const struct trust_name *n)
{
	char words[TRUST_NAME_SIZE];
	uint8_t ip[16];
	if (n->kind == TRUST_KIND_IP)
		return;
	text_escape(n->value, words, sizeof words);
	if (text_find(n->value, '\0') != SIZE_MAX)
		found(l, FINDING_NUL, "");
	if (n->kind == TRUST_KIND_URI) {
		bool domain = text_starts_nocase(n->value, "sip:") && text_find(n->value, '@') == SIZE_MAX;
		if (domain)
			found(l, FINDING_HIDING_URI, words);
		return;
	}
	if (text_find(n->value, '*') != SIZE_MAX)
		found(l, FINDING_WILDCARD, words);
	else if (n->value.n && n->value.p[n->value.n - 1] == '.')
		found(l, FINDING_DOT, words);
	else if (n->kind == TRUST_KIND_DNS && (inet_pton(AF_INET, words, ip) == 1 || inet_pton(AF_INET6, words, ip) == 1))
		found(l, FINDING_IP_AS_DNS, words);
	else if (n->kind == TRUST_KIND_DNS && text_find(n->value, '.') == SIZE_MAX)
		found(l, FINDING_SINGLE_LABEL, words);
}

static bool in_san(const struct trust_cert_names *names, struct text name)
{
	for (unsigned i = 0; i < names->n; i++)
		if (names->name[i].kind == TRUST_KIND_DNS && text_eq_nocase(names->name[i].value, name))
			return true;
	return false;
}

static void look_at_names(struct look *l)
{
	unsigned cns = 0, dns = 0;
	char words[TRUST_NAME_SIZE];
	const struct trust_name *cn = NULL;
	for (unsigned i = 0; i < l->names.n; i++) {
		const struct trust_name *n = &l->names.name[i];
		if (n->kind == TRUST_KIND_CN && !cns++)
			cn = n;
		dns += n->kind == TRUST_KIND_DNS;
		look_at_name(l, n);
	}
	if (!l->names.has_san)
		found(l, FINDING_NO_SAN, "");
	else if (!dns)
		found(l, FINDING_NO_DNS, "");
	if (!cn)
		found(l, FINDING_NO_CN, "");
	else if (dns && !in_san(&l->names, cn->value))
		found(l, FINDING_CN_NOT_IN_SAN, text_escape(cn->value, words, sizeof words));
	text_print(words, sizeof words, "%u", cns);
	if (cns > 1)
		found(l, FINDING_SEVERAL_CNS, words);
	if (l->names.san_critical)
		found(l, FINDING_SAN_CRITICAL, "");
}

static void look_at_key(struct look *l)
{
	EVP_PKEY *key = X509_get0_pubkey(l->leaf); /* borrowed */
	int hash = NID_undef, signature = X509_get_signature_nid(l->leaf);
	if (!l->c.has_cdp && !l->c.self_signed)
		found(l, FINDING_NO_CDP, "");
	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < 2048)
		found(l, FINDING_WEAK_KEY, l->c.key);
	else if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		found(l, FINDING_EC_KEY, l->c.key);
	if (signature == NID_rsassaPss)
		found(l, FINDING_PSS, "");
	if (X509_get_signature_info(l->leaf, &hash, NULL, NULL, NULL) && (hash == NID_sha1 || hash == NID_md5 || hash == NID_md4 || hash == NID_md2) &&
	    !l->c.self_signed)
		found(l, FINDING_WEAK_HASH, OBJ_nid2sn(hash));
}

static void look_at_chain(struct look *l)
{
	X509 *below = l->leaf;
	int n = l->chain ? sk_X509_num(l->chain) : 0;
	char subject[TRUST_NAME_SIZE];
	if (l->c.self_signed) {
		found(l, FINDING_SELF_SIGNED, "");
		return;
	}
	if (!n)
		found(l, FINDING_ALONE, l->c.issuer);
	for (int i = 0; i < n; i++) {
		X509 *above = sk_X509_value(l->chain, i);
		trust_cert_subject(above, subject, sizeof subject);
		if (X509_check_issued(above, below) != X509_V_OK)
			found(l, FINDING_ORDER, subject);
		below = above;
	}
}

unsigned trust_findings(X509 *leaf, STACK_OF(X509) *chain, int64_t now_s, trust_finding_h *each, void *arg)
{
	struct look *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return 0;
	*l = (struct look){ .leaf = leaf, .chain = chain, .now_s = now_s, .each = each, .arg = arg };
	trust_cert_describe(&l->c, leaf);
	enum trust_fault fault = trust_wellformed(leaf, &(struct trust_place){ .leaf = true });
	if (fault != TRUST_FAULT_NONE)
		found(l, FINDING_MALFORMED, trust_fault_words(fault));
	if (fault != TRUST_FAULT_TIME)
		look_at_time(l);
	look_at_usages(l);
	int err = trust_cert_names_read(&l->names, leaf);
	if (err == EBADMSG)
		found(l, FINDING_UNREADABLE, "");
	if (err == E2BIG)
		found(l, FINDING_TOO_MANY_NAMES, "");
	if (!err)
		look_at_names(l);
	trust_cert_names_free(&l->names);
	look_at_key(l);
	look_at_chain(l);
	unsigned n = l->n;
	mem_free(l);
	return n;
}
