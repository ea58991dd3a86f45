/* SPDX-License-Identifier: Apache-2.0 */
/* profile_habits.c  What other TLS libraries refuse that OpenSSL takes, and take that it refuses: the habits of a row, one by one. They were
 * found by letting the libraries judge (tests/conformance). The certificates are a stranger's: nothing in them is believed.  */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "trust/profile_private.h"
#include "trust/rule.h"

enum { ALERT_BAD = 42, ALERT_UNSUPPORTED = 43, V1 = 0, V3 = 2 };

static bool has(const struct p_case *c, enum p_habit h)
{
	return c->p->habits & (uint32_t)h;
}

static bool as_client(const struct p_case *c)
{
	return c->q->seat == TRUST_SEAT_CLIENT_CERT;
}

static bool no_form(struct p_case *c, enum p_note n)
{
	p_note(n, c, c->detail, sizeof c->detail);
	return p_refuse(c, P_FORM, ALERT_BAD);
}

/* ---- the leaf ---- */

static bool check_version(struct p_case *c, X509 *x)
{
	long version = X509_get_version(x);
	if (has(c, P_VERSIONS) && (version > V3 || version < V1))
		return no_form(c, P_NOTE_VERSION);
	if (has(c, P_EXTENSIONS_V3) && version < V3 && X509_get_ext_count(x) > 0)
		return no_form(c, P_NOTE_NOT_V3);
	return true;
}

static bool check_twins(struct p_case *c, X509 *x)
{
	int n = X509_get_ext_count(x);
	for (int i = 0; i < n && i < 64; i++)
		if (X509_get_ext_by_OBJ(x, X509_EXTENSION_get_object(X509_get_ext(x, i)), i) >= 0)
			return no_form(c, P_NOTE_TWINS);
	return true;
}

static bool ascii(const ASN1_STRING *s, int lowest)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	for (int i = 0; i < ASN1_STRING_length(s); i++)
		if (p[i] >= 0x80 || p[i] < lowest)
			return false;
	return true;
}

static bool strict_name(const GENERAL_NAME *g)
{
	switch (g->type) {
	case GEN_DNS:
	case GEN_EMAIL:
		return ascii(g->d.ia5, 0);
	case GEN_URI:
		return ascii(g->d.ia5, ' ');
	case GEN_IPADD:
		return ASN1_STRING_length(g->d.iPAddress) == 4 || ASN1_STRING_length(g->d.iPAddress) == 16;
	default:
		return true;
	}
}

static bool known_kind(const GENERAL_NAME *g)
{
	return g->type == GEN_DNS || g->type == GEN_EMAIL || g->type == GEN_URI || g->type == GEN_IPADD;
}

static bool check_san_names(struct p_case *c, X509 *x)
{
	int critical = -1;
	GENERAL_NAMES *sans = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
	bool good = true, known = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(sans) && good; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(sans, i);
		known = known || known_kind(g);
		good = (!has(c, P_SAN_STRICT) || strict_name(g)) && (!has(c, P_SAN_WHOLE) || g->type != GEN_DNS || ASN1_STRING_length(g->d.dNSName));
	}
	GENERAL_NAMES_free(sans);
	if (good && critical == 1 && !known && has(c, P_SAN_STRICT))
		return no_form(c, P_NOTE_SAN_CRITICAL);
	return good || no_form(c, P_NOTE_SAN_NAME);
}

/* The DER element at the start of the extension fills it. */
static bool whole(X509_EXTENSION *e)
{
	const ASN1_OCTET_STRING *o = X509_EXTENSION_get_data(e);
	const unsigned char *p = ASN1_STRING_get0_data(o), *start = p;
	long n = 0;
	int tag = 0, class = 0, total = ASN1_STRING_length(o);
	return !(ASN1_get_object(&p, &n, &tag, &class, total) & 0x80) && p - start + n == total;
}

static bool check_san(struct p_case *c, X509 *x)
{
	int at = X509_get_ext_by_NID(x, NID_subject_alt_name, -1);
	if (at < 0)
		return true;
	X509_EXTENSION *e = X509_get_ext(x, at);
	if (has(c, P_SAN_WHOLE) && !whole(e))
		return no_form(c, P_NOTE_SAN_REST);
	if (has(c, P_SAN_CRITICAL) && X509_NAME_entry_count(X509_get_subject_name(x)) == 0 && !X509_EXTENSION_get_critical(e))
		return no_form(c, P_NOTE_SAN_SOFT);
	return check_san_names(c, x);
}

static bool check_subject(struct p_case *c, X509 *x)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	for (int i = 0; i < X509_NAME_entry_count(subject) && has(c, P_SUBJECT_STRICT); i++)
		if (ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))) == V_ASN1_UNIVERSALSTRING)
			return no_form(c, P_NOTE_SUBJECT);
	return true;
}

static bool check_staple(struct p_case *c, X509 *x)
{
	bool must = false;
	TLS_FEATURE *features = X509_get_ext_d2i(x, NID_tlsfeature, NULL, NULL);
	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		must = must || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5; /* status_request */
	sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
	return !must || no_form(c, P_NOTE_STAPLE);
}

static bool check_netscape(struct p_case *c, X509 *x)
{
	ASN1_BIT_STRING *type = X509_get_ext_d2i(x, NID_netscape_cert_type, NULL, NULL);
	bool good = !type || ASN1_BIT_STRING_get_bit(type, as_client(c) ? 0 : 1);
	ASN1_BIT_STRING_free(type);
	return good || no_form(c, P_NOTE_NETSCAPE);
}

static bool check_signing(struct p_case *c, X509 *x)
{
	uint32_t usage = X509_get_key_usage(x); /* all ones without the extension */
	return usage & KU_DIGITAL_SIGNATURE || p_refuse(c, P_KEY_USAGE, ALERT_UNSUPPORTED);
}

bool p_check_form(struct p_case *c)
{
	X509 *x = c->q->leaf;
	bool read = !(has(c, P_V1_BARE) && X509_get_version(x) < V3);
	return check_version(c, x) && (!has(c, P_NO_TWINS) || check_twins(c, x)) && (!read || check_san(c, x)) && check_subject(c, x) &&
	       (!has(c, P_STAPLE) || as_client(c) || check_staple(c, x)) && (!has(c, P_NETSCAPE) || check_netscape(c, x)) &&
	       (!has(c, P_SIGNS) || check_signing(c, x));
}

/* ---- the rest of the chain ---- */

static bool broken_hash(const struct p_case *c, const X509 *x)
{
	int hash = NID_undef;
	if (!X509_get_signature_info((X509 *)x, &hash, NULL, NULL, NULL))
		return false;
	return (hash == NID_sha1 && has(c, P_CA_SHA1)) || (hash == NID_md5 && has(c, P_CA_MD5)) || (hash == NID_sha224 && has(c, P_NO_SHA224));
}

static bool ca_usage(const struct p_case *c, const X509 *ca)
{
	uint8_t eku = trust_cert_ekus(ca), role = as_client(c) ? TRUST_EKU_CLIENT : TRUST_EKU_SERVER;
	return !(eku & TRUST_EKU_PRESENT) || eku & role || (has(c, P_CA_ANY) && eku & TRUST_EKU_ANY);
}

static bool same_bytes(const X509_NAME *a, const X509_NAME *b)
{
	const unsigned char *pa = NULL, *pb = NULL;
	size_t na = 0, nb = 0;
	return X509_NAME_get0_der((X509_NAME *)a, &pa, &na) && X509_NAME_get0_der((X509_NAME *)b, &pb, &nb) && na == nb && memcmp(pa, pb, na) == 0;
}

/* Constraints on a kind of names that the library does not know. */
static bool odd_constraints(X509 *ca)
{
	bool odd = false;
	NAME_CONSTRAINTS *nc = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
	const STACK_OF(GENERAL_SUBTREE) *trees[] = { nc ? nc->permittedSubtrees : NULL, nc ? nc->excludedSubtrees : NULL };
	for (unsigned t = 0; t < 2; t++)
		for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees[t]); i++) {
			int type = sk_GENERAL_SUBTREE_value(trees[t], i)->base->type;
			odd = odd || type == GEN_RID || type == GEN_OTHERNAME || type == GEN_X400 || type == GEN_EDIPARTY;
		}
	NAME_CONSTRAINTS_free(nc);
	return odd;
}

static bool says_ca(X509 *x)
{
	return X509_get_version(x) < V3 || X509_get_extension_flags(x) & EXFLAG_CA;
}

static bool check_link(struct p_case *c, X509 *x, X509 *issuer, bool leaf, bool root)
{
	enum p_note n = P_NOTES;
	if (!root && !leaf && broken_hash(c, x))
		n = P_NOTE_CA_HASH;
	else if (leaf && has(c, P_NO_SHA224) && broken_hash(c, x))
		n = P_NOTE_CA_HASH;
	else if (!leaf && has(c, P_CA_USAGE) && (!root || has(c, P_ROOT_USAGE)) && c->s->eku != P_EKU_IGNORED && !ca_usage(c, x))
		n = P_NOTE_CA_USAGE;
	else if (!root && has(c, P_ISSUER_EXACT) && !same_bytes(X509_get_issuer_name(x), X509_get_subject_name(issuer)))
		n = P_NOTE_ISSUER_BYTES;
	else if (!leaf && has(c, P_NC_KNOWN) && odd_constraints(x))
		n = P_NOTE_ODD_CONSTRAINTS;
	else if (root && !leaf && has(c, P_ROOT_SAYS_CA) && !says_ca(x))
		n = P_NOTE_ROOT_NO_CA;
	if (n == P_NOTES)
		return true;
	p_note(n, c, c->detail, sizeof c->detail);
	return p_refuse(c, P_CHAIN_INVALID, ALERT_BAD);
}

/* Of the certificates shown, the first that bears the issuer's name is the one that such a verifier takes. */
static X509 *first_of_name(const struct p_case *c, const X509 *x)
{
	for (int i = 0; i < sk_X509_num(c->q->chain); i++) {
		X509 *shown = sk_X509_value(c->q->chain, i);
		if (X509_NAME_cmp(X509_get_subject_name(shown), X509_get_issuer_name(x)) == 0)
			return shown;
	}
	return NULL;
}

static bool taken_as_sent(struct p_case *c, const X509 *x)
{
	X509 *first = first_of_name(c, x);
	time_t now = (time_t)c->q->now_s;
	if (!first || X509_cmp_time(X509_get0_notAfter(first), &now) >= 0)
		return true;
	p_note(P_NOTE_AS_SENT, c, c->detail, sizeof c->detail);
	return p_refuse(c, P_CHAIN_INVALID, ALERT_BAD);
}

static bool too_deep(struct p_case *c, X509 *ca, int below)
{
	long allowed = X509_get_pathlen(ca);
	if (allowed < 0 || below <= allowed)
		return false;
	p_note(P_NOTE_TOO_DEEP, c, c->detail, sizeof c->detail);
	(void)p_refuse(c, P_CHAIN_INVALID, ALERT_BAD);
	return true;
}

bool p_check_way(struct p_case *c, STACK_OF(X509) *way)
{
	int last = sk_X509_num(way) - 1;
	bool good = true;
	for (int i = 0; i <= last && good && c->p->habits; i++) {
		X509 *x = sk_X509_value(way, i);
		good = !has(c, P_COUNTS_SELF) || i == 0 || !too_deep(c, x, i - 1);
		good = good && check_link(c, x, sk_X509_value(way, i < last ? i + 1 : i), i == 0, i == last);
		good = good && (!has(c, P_AS_SENT) || i >= last - 1 || taken_as_sent(c, x));
	}
	return good;
}

/* ---- what is overlooked ---- */

static bool time_form(const struct p_case *c, const ASN1_TIME *t)
{
	const char *p = (const char *)ASN1_STRING_get0_data(t);
	int n = ASN1_STRING_length(t);
	bool utc = ASN1_STRING_type(t) == V_ASN1_UTCTIME;
	if (utc && n == 11 && p[10] == 'Z')
		return has(c, P_TIME_SHORT);
	if (utc && n == 17 && (p[12] == '+' || p[12] == '-'))
		return has(c, P_TIME_OFFSET);
	return false;
}

/* Whether what OpenSSL found stands in the root alone. */
static bool by_root(STACK_OF(X509) *way, int nid)
{
	int last = sk_X509_num(way) - 1;
	for (int i = 1; i < last; i++)
		if (X509_get_ext_by_NID(sk_X509_value(way, i), nid, -1) >= 0 && (nid != NID_basic_constraints || X509_get_pathlen(sk_X509_value(way, i)) >= 0))
			return false;
	return last > 0;
}

/* Whether a name of the leaf other than DNS names and addresses, or the subject, is what the constraints are against. */
static bool against_dns_or_ip(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *way = X509_STORE_CTX_get0_chain(ctx);
	for (int i = 1; i < sk_X509_num(way); i++) {
		NAME_CONSTRAINTS *nc = X509_get_ext_d2i(sk_X509_value(way, i), NID_name_constraints, NULL, NULL);
		const STACK_OF(GENERAL_SUBTREE) *trees[] = { nc ? nc->permittedSubtrees : NULL, nc ? nc->excludedSubtrees : NULL };
		bool found = false;
		for (unsigned t = 0; t < 2; t++)
			for (int j = 0; j < sk_GENERAL_SUBTREE_num(trees[t]); j++) {
				int type = sk_GENERAL_SUBTREE_value(trees[t], j)->base->type;
				found = found || type == GEN_DNS || type == GEN_IPADD || type == GEN_EMAIL;
			}
		NAME_CONSTRAINTS_free(nc);
		if (found)
			return true;
	}
	return false;
}

static bool no_san(const struct p_case *c)
{
	return X509_get_ext_by_NID(c->q->leaf, NID_subject_alt_name, -1) < 0;
}

static bool for_servers(const X509 *x)
{
	uint8_t eku = trust_cert_ekus(x);
	return !(eku & TRUST_EKU_PRESENT) || eku & (TRUST_EKU_SERVER | TRUST_EKU_ANY);
}

static bool constraints_overlooked(const struct p_case *c, X509_STORE_CTX *ctx)
{
	if (has(c, P_ROOT_IS_KEY) && by_root(X509_STORE_CTX_get0_chain(ctx), NID_name_constraints))
		return true;
	if (has(c, P_NC_DNS_IP) && (!against_dns_or_ip(ctx) || (no_san(c) && !for_servers(c->q->leaf))))
		return true;
	return has(c, P_NC_NOT_CN) && no_san(c);
}

bool p_overlooks(const struct p_case *c, X509_STORE_CTX *ctx)
{
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	STACK_OF(X509) *way = X509_STORE_CTX_get0_chain(ctx);
	bool root = X509_STORE_CTX_get_error_depth(ctx) == sk_X509_num(way) - 1;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
		return at && time_form(c, X509_get0_notBefore(at));
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
		return at && time_form(c, X509_get0_notAfter(at));
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return root && has(c, P_ROOT_IS_KEY);
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return has(c, P_ROOT_IS_KEY) && by_root(way, NID_basic_constraints);
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
	case X509_V_ERR_SUBTREE_MINMAX:
		return constraints_overlooked(c, ctx);
	default:
		return false;
	}
}
