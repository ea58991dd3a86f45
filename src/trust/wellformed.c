/* SPDX-License-Identifier: Apache-2.0 */
/* wellformed.c  RFC 5280 section 4, one certificate at a time: the encoding, the fixed fields, the extensions, the key. OpenSSL's parser takes
 * BER and lets much pass that only its strict mode refuses, all or nothing; here each rule stands alone.                     */
#include "trust/wellformed.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "base/text.h"
#include "trust/der.h"

enum { EXTENSIONS_MAX = 128, SERIAL_MAX = 20 };

const char *trust_fault_words(enum trust_fault f)
{
	static const char *const words[TRUST_FAULTS] = {
		[TRUST_FAULT_NONE] = "",
#define FAULT(id, verdict, text) [TRUST_FAULT_##id] = text,
#include "trust/faults.def"
#undef FAULT
	};
	return (unsigned)f < TRUST_FAULTS ? words[f] : "";
}

/* What the extensions say, read once. */
struct facts_of {
	X509 *x;
	const struct trust_place *at;
	bool ca, basic, basic_critical, usage, cert_sign, path_len;
	bool san, san_critical;
	const X509_NAME *subject, *issuer;
};

/* ---- encoding and fixed fields ---- */

static enum trust_fault by_encoding(const struct facts_of *c)
{
	uint8_t *der = NULL;
	int n = i2d_X509(c->x, &der);
	bool good = n > 0 && der_is_one(der, (size_t)n);
	OPENSSL_free(der);
	return good ? TRUST_FAULT_NONE : TRUST_FAULT_NOT_DER;
}

static enum trust_fault by_version(const struct facts_of *c)
{
	const ASN1_BIT_STRING *issuer_id = NULL, *subject_id = NULL;
	long version = X509_get_version(c->x);
	X509_get0_uids(c->x, &issuer_id, &subject_id);
	if (version < X509_VERSION_1 || version > X509_VERSION_3)
		return TRUST_FAULT_VERSION;
	if (X509_get_ext_count(c->x) > 0 && version != X509_VERSION_3)
		return TRUST_FAULT_VERSION;
	return (issuer_id || subject_id) && version == X509_VERSION_1 ? TRUST_FAULT_VERSION : TRUST_FAULT_NONE;
}

static enum trust_fault by_serial(const struct facts_of *c)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x);
	bool zero = true;
	if (c->at->anchor && !c->at->leaf)
		return TRUST_FAULT_NONE;
	for (int i = 0; i < ASN1_STRING_length(serial); i++)
		zero = zero && ASN1_STRING_get0_data(serial)[i] == 0;
	return zero || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER || ASN1_STRING_length(serial) > SERIAL_MAX ? TRUST_FAULT_SERIAL : TRUST_FAULT_NONE;
}

static enum trust_fault by_names(const struct facts_of *c)
{
	if (X509_NAME_entry_count(c->issuer) == 0)
		return TRUST_FAULT_ISSUER_EMPTY;
	if (X509_NAME_entry_count(c->subject) > 0)
		return TRUST_FAULT_NONE;
	if (c->ca || c->at->signs)
		return TRUST_FAULT_SUBJECT_EMPTY;
	return c->san && c->san_critical ? TRUST_FAULT_NONE : TRUST_FAULT_SAN_NOT_CRITICAL;
}

static enum trust_fault by_algorithm(const struct facts_of *c)
{
	const X509_ALGOR *outer;
	X509_get0_signature(NULL, &outer, c->x);
	return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(c->x)) == 0 ? TRUST_FAULT_NONE : TRUST_FAULT_SIGNATURE_ALGORITHM;
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, and a day that exists. */
static bool read_time(const ASN1_TIME *t, int64_t *s)
{
	struct tm tm, again;
	int n = ASN1_STRING_length(t);
	const unsigned char *p = ASN1_STRING_get0_data(t);
	if (n != (ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15) || p[n - 1] != 'Z')
		return false;
	for (int i = 0; i < n - 1; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	time_t at = timegm(&tm);
	*s = (int64_t)at;
	return gmtime_r(&at, &again) && again.tm_mday == tm.tm_mday;
}

static enum trust_fault by_time(const struct facts_of *c)
{
	enum { YEAR_2050_S = 2524608000 };
	const ASN1_TIME *t[2] = { X509_get0_notBefore(c->x), X509_get0_notAfter(c->x) };
	int64_t s[2] = { 0, 0 };
	for (int i = 0; i < 2; i++) {
		if (!read_time(t[i], &s[i]))
			return TRUST_FAULT_TIME;
		if (c->at->strict && (ASN1_STRING_type(t[i]) == V_ASN1_UTCTIME) != (s[i] < YEAR_2050_S))
			return TRUST_FAULT_TIME_KIND;
	}
	return s[0] > s[1] ? TRUST_FAULT_TIME : TRUST_FAULT_NONE;
}

/* ---- the key ---- */

static bool rsa_is_sound(const EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64;
	BN_free(e);
	return good;
}

static bool ec_is_named(const EVP_PKEY *key)
{
	int explicit_curve = 0;
	char name[64];
	EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_curve);
	return !explicit_curve && EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1;
}

static enum trust_fault by_key(const struct facts_of *c)
{
	const EVP_PKEY *key = X509_get0_pubkey(c->x);
	switch (key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		if (c->at->strict && EVP_PKEY_get_bits(key) % 8)
			return TRUST_FAULT_KEY_SIZE;
		return rsa_is_sound(key) ? TRUST_FAULT_NONE : TRUST_FAULT_KEY_KIND;
	case EVP_PKEY_EC: return ec_is_named(key) ? TRUST_FAULT_NONE : TRUST_FAULT_KEY_KIND;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448: return TRUST_FAULT_NONE;
	default: return TRUST_FAULT_KEY_KIND;
	}
}

/* ---- extensions ---- */

/* Those that we decode; each is a SEQUENCE OF that must hold something, or a plain value. */
static bool is_list(int nid)
{
	return nid == NID_subject_alt_name || nid == NID_issuer_alt_name || nid == NID_ext_key_usage || nid == NID_certificate_policies ||
	       nid == NID_policy_mappings || nid == NID_crl_distribution_points || nid == NID_freshest_crl || nid == NID_info_access ||
	       nid == NID_policy_constraints;
}

static bool is_decoded(int nid)
{
	return is_list(nid) || nid == NID_basic_constraints || nid == NID_key_usage || nid == NID_name_constraints ||
	       nid == NID_subject_key_identifier || nid == NID_authority_key_identifier || nid == NID_inhibit_any_policy;
}

static bool is_readable(X509_EXTENSION *e, int nid)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
	const X509V3_EXT_METHOD *method = X509V3_EXT_get(e);
	size_t n = (size_t)ASN1_STRING_length(value);
	if (!der_is_one(ASN1_STRING_get0_data(value), n) || (is_list(nid) && n <= 2))
		return false;
	void *decoded = method ? X509V3_EXT_d2i(e) : NULL;
	if (decoded && method->it)
		ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
	else if (decoded)
		method->ext_free(decoded);
	return decoded != NULL;
}

static enum trust_fault by_extension(struct facts_of *c, int i)
{
	X509_EXTENSION *e = X509_get_ext(c->x, i);
	const ASN1_OBJECT *o = X509_EXTENSION_get_object(e);
	int nid = OBJ_obj2nid(o);
	bool critical = X509_EXTENSION_get_critical(e);
	if (X509_get_ext_by_OBJ(c->x, o, i) >= 0)
		return TRUST_FAULT_EXTENSION_TWICE;
	if (is_decoded(nid) && !is_readable(e, nid))
		return TRUST_FAULT_EXTENSION_UNREADABLE;
	switch (nid) {
	case NID_subject_key_identifier:
	case NID_authority_key_identifier: return critical ? TRUST_FAULT_KEY_ID_CRITICAL : TRUST_FAULT_NONE;
	case NID_policy_constraints:
	case NID_inhibit_any_policy: return critical || !c->at->strict ? TRUST_FAULT_NONE : TRUST_FAULT_POLICY_NOT_CRITICAL;
	case NID_name_constraints: return critical || !c->at->strict ? TRUST_FAULT_NONE : TRUST_FAULT_CONSTRAINTS_NOT_CRITICAL;
	case NID_subject_alt_name:
		c->san = true;
		c->san_critical = critical;
		break;
	case NID_basic_constraints:
		c->basic = true;
		c->basic_critical = critical;
		break;
	default: break;
	}
	return TRUST_FAULT_NONE;
}

static enum trust_fault by_extensions(struct facts_of *c)
{
	int n = X509_get_ext_count(c->x);
	enum trust_fault f = n > EXTENSIONS_MAX ? TRUST_FAULT_TOO_MANY_EXTENSIONS : TRUST_FAULT_NONE;
	for (int i = 0; i < n && !f; i++)
		f = by_extension(c, i);
	return f;
}

/* RFC 5280 4.2.1.3 and 4.2.1.9: who may sign is a CA, and a path length belongs to one who may sign. */
static enum trust_fault by_usage(struct facts_of *c)
{
	BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(c->x, NID_basic_constraints, NULL, NULL);
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(c->x, NID_key_usage, NULL, NULL);
	bool any_usage = false;
	c->ca = basic && basic->ca;
	c->path_len = basic && basic->pathlen;
	bool bad_path_len = c->path_len && (ASN1_STRING_type(basic->pathlen) == V_ASN1_NEG_INTEGER || !c->ca);
	c->usage = usage != NULL;
	c->cert_sign = usage && ASN1_BIT_STRING_get_bit(usage, 5);
	for (int i = 0; usage && i < 9; i++)
		any_usage = any_usage || ASN1_BIT_STRING_get_bit(usage, i);
	BASIC_CONSTRAINTS_free(basic);
	ASN1_BIT_STRING_free(usage);
	bool chosen = c->at->leaf && c->at->anchor && !c->at->strict; /* a peer's own self-made certificate: it signs nothing else */
	if (c->at->signs && !c->basic && X509_get_version(c->x) == X509_VERSION_3)
		return TRUST_FAULT_NO_BASIC_CONSTRAINTS;
	if (!chosen && (bad_path_len || (c->usage && !any_usage) || (c->path_len && c->usage && !c->cert_sign) || (c->cert_sign && !c->ca)))
		return TRUST_FAULT_USAGE_CONTRADICTS;
	return c->at->strict && c->ca && !c->basic_critical ? TRUST_FAULT_BASIC_NOT_CRITICAL : TRUST_FAULT_NONE;
}

static bool dot_first(const STACK_OF(GENERAL_SUBTREE) *trees)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		const GENERAL_NAME *g = sk_GENERAL_SUBTREE_value(trees, i)->base;
		if (g->type == GEN_DNS && ASN1_STRING_length(g->d.ia5) > 0 && ASN1_STRING_get0_data(g->d.ia5)[0] == '.')
			return true;
	}
	return false;
}

/* An address and its mask, which is ones and then zeros: CIDR. */
static bool is_range(const ASN1_OCTET_STRING *s)
{
	int n = ASN1_STRING_length(s) / 2;
	const unsigned char *mask = ASN1_STRING_get0_data(s) + n;
	bool ended = false;
	if (ASN1_STRING_length(s) != 8 && ASN1_STRING_length(s) != 32)
		return false;
	for (int i = 0; i < n * 8; i++) {
		bool one = mask[i / 8] >> (7 - i % 8) & 1;
		if (one && ended)
			return false;
		ended = ended || !one;
	}
	return true;
}

static bool are_ranges(const STACK_OF(GENERAL_SUBTREE) *trees)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		const GENERAL_NAME *g = sk_GENERAL_SUBTREE_value(trees, i)->base;
		if (g->type == GEN_IPADD && !is_range(g->d.iPAddress))
			return false;
	}
	return true;
}

static enum trust_fault by_constraints(const struct facts_of *c)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(c->x, NID_name_constraints, NULL, NULL);
	if (!nc)
		return TRUST_FAULT_NONE;
	int permitted = sk_GENERAL_SUBTREE_num(nc->permittedSubtrees), excluded = sk_GENERAL_SUBTREE_num(nc->excludedSubtrees);
	bool dot = dot_first(nc->permittedSubtrees) || dot_first(nc->excludedSubtrees);
	bool ranges = are_ranges(nc->permittedSubtrees) && are_ranges(nc->excludedSubtrees);
	NAME_CONSTRAINTS_free(nc);
	if (!c->ca)
		return TRUST_FAULT_CONSTRAINTS_MISPLACED;
	if (permitted == 0 || excluded == 0 || (permitted < 0 && excluded < 0))
		return TRUST_FAULT_CONSTRAINTS_EMPTY; /* SIZE (1..MAX) each, and not both absent */
	if (!ranges)
		return TRUST_FAULT_CONSTRAINTS_ADDRESS;
	return dot && c->at->strict ? TRUST_FAULT_CONSTRAINTS_DOT : TRUST_FAULT_NONE;
}

/* A name that cannot be one: an empty label but the last, a byte that is not ASCII. A NUL is left to rule.c, which has its own word for it. */
static bool dns_syntax(const unsigned char *p, int n)
{
	int label = 0;
	if (n == 0 || n > 255)
		return false;
	for (int i = 0; i < n; i++) {
		if (p[i] >= 0x80)
			return false;
		label = p[i] == '.' ? 0 : label + 1;
		if (label > 63 || (p[i] == '.' && (i == 0 || p[i - 1] == '.')))
			return false;
	}
	return true;
}

static bool mail_syntax(const unsigned char *p, int n)
{
	int at = -1;
	for (int i = 0; i < n; i++) {
		if (p[i] == 0 || p[i] >= 0x80 || (p[i] == '@' && at >= 0 && p[0] != '"')) /* a second one only within quotes */
			return false;
		if (p[i] == '@')
			at = i;
	}
	return at > 0 && dns_syntax(p + at + 1, n - at - 1);
}

static bool host_letters(const unsigned char *p, int n)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*";
	for (int i = 0; i < n; i++)
		if (!p[i] || !strchr(good, p[i]))
			return false;
	return true;
}

static enum trust_fault by_san(const struct facts_of *c)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c->x, NID_subject_alt_name, NULL, NULL);
	enum trust_fault f = TRUST_FAULT_NONE;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !f; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		if (g->type != GEN_DNS && g->type != GEN_IPADD && g->type != GEN_EMAIL)
			continue;
		int n = ASN1_STRING_length(g->d.ia5);
		const unsigned char *p = ASN1_STRING_get0_data(g->d.ia5);
		if (g->type == GEN_IPADD ? n != 4 && n != 16 : g->type == GEN_EMAIL ? !mail_syntax(p, n) : !dns_syntax(p, n))
			f = TRUST_FAULT_NAME_SYNTAX;
		else if (c->at->strict && g->type == GEN_DNS && !host_letters(p, n))
			f = TRUST_FAULT_NAME_LETTERS;
	}
	GENERAL_NAMES_free(names);
	return f;
}

/* Only where strictness is asked for: certificates without key identifiers are made by many a home-grown CA, and work. */
static enum trust_fault by_key_ids(const struct facts_of *c)
{
	bool self = X509_NAME_cmp(c->subject, c->issuer) == 0;
	AUTHORITY_KEYID *akid = X509_get_ext_d2i(c->x, NID_authority_key_identifier, NULL, NULL);
	ASN1_OCTET_STRING *skid = X509_get_ext_d2i(c->x, NID_subject_key_identifier, NULL, NULL);
	enum trust_fault f = TRUST_FAULT_NONE;
	if (!(self && c->at->anchor) && !(akid && akid->keyid))
		f = TRUST_FAULT_NO_AUTHORITY_KEY_ID;
	else if (c->ca && !skid)
		f = TRUST_FAULT_NO_SUBJECT_KEY_ID;
	else if (self && c->at->anchor && akid && (!akid->keyid || akid->issuer || akid->serial || ASN1_OCTET_STRING_cmp(akid->keyid, skid) != 0))
		f = TRUST_FAULT_ROOT_KEY_ID;
	AUTHORITY_KEYID_free(akid);
	ASN1_OCTET_STRING_free(skid);
	return f;
}

/* The excluded tree begins one label below what follows the star. A tree further down is out of a wildcard's reach, and one that holds
 * all of it is found by OpenSSL. */
static bool reaches_into(const ASN1_IA5STRING *name, const ASN1_IA5STRING *tree)
{
	const char *n = (const char *)ASN1_STRING_get0_data(name), *t = (const char *)ASN1_STRING_get0_data(tree);
	int n_len = ASN1_STRING_length(name), t_len = ASN1_STRING_length(tree);
	if (n_len < 3 || n[0] != '*' || n[1] != '.')
		return false;
	const char *dot = memchr(t, '.', (size_t)t_len);
	return dot && t_len - (dot - t) == n_len - 1 && strncasecmp(dot, n + 1, (size_t)n_len - 1) == 0;
}

bool trust_wildcard_excluded(const X509 *x, const X509 *ca)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
	GENERAL_NAMES *names = nc ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS || ASN1_STRING_length(name->d.dNSName) < 3 || ASN1_STRING_get0_data(name->d.dNSName)[0] != '*')
			continue;
		for (int k = 0; k < sk_GENERAL_SUBTREE_num(nc->excludedSubtrees) && !found; k++) {
			const GENERAL_NAME *tree = sk_GENERAL_SUBTREE_value(nc->excludedSubtrees, k)->base;
			found = tree->type == GEN_DNS && reaches_into(name->d.dNSName, tree->d.dNSName);
		}
	}
	GENERAL_NAMES_free(names);
	NAME_CONSTRAINTS_free(nc);
	return found;
}

/* A host between "//" and the path, with nothing but a port behind it: what OpenSSL compares with constraints is what stands there up to
 * ':' or '/', and so a user before the host, or a query right behind it, would be taken for the host. */
static bool host_is_plain(struct text uri)
{
	size_t from = text_find_text(uri, TEXT("://"));
	if (from == SIZE_MAX)
		return true; /* without an authority it is refused anyway */
	struct text rest = text_skip(uri, from + 3);
	size_t end = text_find(rest, '/');
	struct text authority = end == SIZE_MAX ? rest : text_head(rest, end);
	return text_find(authority, '@') == SIZE_MAX && text_find(authority, '?') == SIZE_MAX && text_find(authority, '#') == SIZE_MAX;
}

static bool limits_uris(const STACK_OF(GENERAL_SUBTREE) *trees)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++)
		if (sk_GENERAL_SUBTREE_value(trees, i)->base->type == GEN_URI)
			return true;
	return false;
}

bool trust_uri_evades(const X509 *x, const X509 *ca)
{
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
	bool limited = nc && (limits_uris(nc->permittedSubtrees) || limits_uris(nc->excludedSubtrees)), found = false;
	GENERAL_NAMES *names = limited ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		if (g->type == GEN_URI)
			found = !host_is_plain(text_make(ASN1_STRING_get0_data(g->d.ia5), (size_t)ASN1_STRING_length(g->d.ia5)));
	}
	GENERAL_NAMES_free(names);
	NAME_CONSTRAINTS_free(nc);
	return found;
}

enum trust_fault trust_wellformed(X509 *x, const struct trust_place *at)
{
	struct facts_of c = { .x = x, .at = at, .subject = X509_get_subject_name(x), .issuer = X509_get_issuer_name(x) };
	enum trust_fault f = by_encoding(&c);
	if (!f)
		f = by_version(&c);
	if (!f)
		f = by_algorithm(&c);
	if (!f)
		f = by_time(&c);
	if (!f)
		f = by_extensions(&c);
	if (!f)
		f = by_usage(&c);
	if (!f)
		f = by_names(&c);
	if (!f)
		f = by_serial(&c);
	if (!f)
		f = by_constraints(&c);
	if (!f)
		f = by_san(&c);
	if (!f)
		f = by_key(&c);
	if (!f && at->strict)
		f = by_key_ids(&c);
	ERR_clear_error();
	return f;
}
