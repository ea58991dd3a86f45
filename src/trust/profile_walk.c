/* SPDX-License-Identifier: Apache-2.0 */
/* profile_walk.c  See profile_walk.h. */
#include "trust/profile_walk.h"
#include <arpa/inet.h>

/* A certificate that is known by its description: most specific CN first, a kind before each name of the SAN. */
static void walk_described_cns(const struct trust_cert *cert, p_name_h *each, void *arg)
{
	int of = cert->cns.n;
	for (int i = 0; i < of; i++)
		each(&(struct p_name){ P_NAME_CN, text_of(trust_names_at(&cert->cns, (unsigned)(of - 1 - i))), i, of, i == of - 1 }, arg);
}

static void walk_described_sans(const struct trust_cert *cert, p_name_h *each, void *arg)
{
	uint8_t ip[16];
	for (unsigned i = 0; i < cert->sans.n; i++) {
		struct text kind, value;
		text_cut(text_of(trust_names_at(&cert->sans, i)), ':', &kind, &value);
		struct p_name n = { text_is(kind, "URI") ? P_NAME_URI : text_is(kind, "IP") ? P_NAME_IP : P_NAME_DNS, value, 0, 0, false };
		if (n.kind == P_NAME_IP && inet_pton(AF_INET, value.p, ip) == 1)
			n.value = text_make(ip, 4);
		else if (n.kind == P_NAME_IP && inet_pton(AF_INET6, value.p, ip) == 1)
			n.value = text_make(ip, 16);
		else if (n.kind == P_NAME_IP)
			continue;
		each(&n, arg);
	}
}

bool p_walk_cns(const struct p_case *c, p_name_h *each, void *arg)
{
	if (!c->q->leaf) {
		walk_described_cns(c->q->described, each, arg);
		return true;
	}
	const X509_NAME *subject = X509_get_subject_name(c->q->leaf);
	int of = 0, index = 0, last = -1, entries = X509_NAME_entry_count(subject);
	bool seen = false;
	for (int i = 0; i < entries; i++)
		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(X509_NAME_get_entry(subject, i))) == NID_commonName) {
			of++;
			last = X509_NAME_ENTRY_set(X509_NAME_get_entry(subject, i));
		}
	for (int i = 0; i < entries; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(subject, i);
		unsigned char *utf8 = NULL;
		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)) != NID_commonName)
			continue;
		int type = ASN1_STRING_type(X509_NAME_ENTRY_get_data(e));
		if (c->p->reading & P_CN_NO_IA5 && (type == V_ASN1_IA5STRING || type == V_ASN1_UNIVERSALSTRING)) {
			index++;
			continue;
		}
		int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
		if (len < 0)
			return false;
		each(&(struct p_name){ P_NAME_CN, text_make(utf8, (size_t)len), index++, of, X509_NAME_ENTRY_set(e) == last && !seen }, arg);
		seen = seen || X509_NAME_ENTRY_set(e) == last;
		OPENSSL_free(utf8);
	}
	return true;
}

void p_walk_sans(const struct p_case *c, const GENERAL_NAMES *sans, p_name_h *each, void *arg)
{
	if (!c->q->leaf)
		walk_described_sans(c->q->described, each, arg);
	for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(sans, i);
		if (g->type != GEN_DNS && g->type != GEN_URI && g->type != GEN_IPADD)
			continue;
		const ASN1_STRING *s = g->d.ia5; /* the three share their layout */
		size_t n = (size_t)ASN1_STRING_length(s);
		if (g->type == GEN_IPADD && n != 4 && n != 16)
			continue;
		each(&(struct p_name){ g->type == GEN_DNS ? P_NAME_DNS : g->type == GEN_URI ? P_NAME_URI : P_NAME_IP, text_make(ASN1_STRING_get0_data(s), n), 0, 0, false }, arg);
	}
}

bool p_walk_has_srv(const GENERAL_NAMES *sans)
{
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(sans, i);
		char oid[32] = "";
		if (g->type == GEN_OTHERNAME)
			OBJ_obj2txt(oid, sizeof oid, g->d.otherName->type_id, 1);
		found = found || strcmp(oid, "1.3.6.1.5.5.7.8.7") == 0; /* id-on-dnsSRV, RFC 4985 */
	}
	return found;
}
