/* SPDX-License-Identifier: Apache-2.0 */
/* names.c  Reads a certificate's names, and what else a person wants to know of it, out of OpenSSL's structures.
 * Every byte here may come from a stranger: counts are bounded, lengths are trusted never.                              */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "trust/rule.h"

enum { NAME_BYTES_MAX = 1024 }; /* of one name; a domain name has 253 */

void trust_cert_names_free(struct trust_cert_names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		mem_free((void *)(uintptr_t)names->name[i].value.p);
	mem_free(names->name);
	*names = (struct trust_cert_names){ 0 };
}

static int add(struct trust_cert_names *names, enum trust_name_kind kind, const void *p, size_t n)
{
	if (names->n >= TRUST_NAMES_MAX || n > NAME_BYTES_MAX)
		return E2BIG;
	if (!names->name && !(names->name = mem_zalloc(TRUST_NAMES_MAX, sizeof *names->name)))
		return ENOMEM;
	char *copy = mem_alloc(n + 1);
	if (!copy)
		return ENOMEM;
	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	names->name[names->n++] = (struct trust_name){ .kind = kind, .value = text_make(copy, n) };
	return 0;
}

/* The most specific CN is the last one of the subject; it becomes the first of ours. */
static int read_cns(struct trust_cert_names *names, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	for (int i = X509_NAME_entry_count(subject) - 1; i >= 0; i--) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(subject, i);
		unsigned char *utf8 = NULL;
		if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)) != NID_commonName)
			continue;
		int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
		if (len < 0)
			return EBADMSG;
		int err = add(names, TRUST_KIND_CN, utf8, (size_t)len);
		OPENSSL_free(utf8);
		if (err)
			return err;
	}
	return 0;
}

static int read_san(struct trust_cert_names *names, const GENERAL_NAMES *sans)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(sans, i);
		enum trust_name_kind kind = g->type == GEN_DNS ? TRUST_KIND_DNS : g->type == GEN_URI ? TRUST_KIND_URI : TRUST_KIND_IP;
		if (g->type != GEN_DNS && g->type != GEN_URI && g->type != GEN_IPADD)
			continue;
		const ASN1_STRING *s = g->d.ia5; /* the three share their layout */
		size_t n = (size_t)ASN1_STRING_length(s);
		if (kind == TRUST_KIND_IP && n != 4 && n != 16)
			return EBADMSG;
		int err = add(names, kind, ASN1_STRING_get0_data(s), n);
		if (err)
			return err;
	}
	return 0;
}

int trust_cert_names_read(struct trust_cert_names *names, const X509 *cert)
{
	int critical = -1;
	*names = (struct trust_cert_names){ 0 };
	int err = read_cns(names, cert);
	if (err)
		return err;
	GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	if (!sans)
		return critical == -1 ? 0 : EBADMSG; /* -2: there are two of them; else it cannot be decoded */
	names->has_san = true;
	names->san_critical = critical == 1;
	err = read_san(names, sans);
	GENERAL_NAMES_free(sans);
	return err;
}

int trust_cert_names_of_facts(struct trust_cert_names *names, const struct trust_cert *cert)
{
	int err = 0;
	uint8_t ip[16];
	*names = (struct trust_cert_names){ .has_san = cert->has_san, .san_critical = cert->san_critical };
	for (unsigned i = 0; i < cert->cns.n && !err; i++) {
		const char *cn = trust_names_at(&cert->cns, i);
		err = add(names, TRUST_KIND_CN, cn, strlen(cn));
	}
	for (unsigned i = 0; i < cert->sans.n && !err; i++) {
		struct text san = text_of(trust_names_at(&cert->sans, i)), kind, value;
		text_cut(san, ':', &kind, &value);
		if (text_is(kind, "DNS"))
			err = add(names, TRUST_KIND_DNS, value.p, value.n);
		else if (text_is(kind, "URI"))
			err = add(names, TRUST_KIND_URI, value.p, value.n);
		else if (inet_pton(AF_INET, value.p, ip) == 1)
			err = add(names, TRUST_KIND_IP, ip, 4);
		else if (inet_pton(AF_INET6, value.p, ip) == 1)
			err = add(names, TRUST_KIND_IP, ip, 16);
	}
	if (err)
		trust_cert_names_free(names);
	return err;
}

/* ---- a certificate in words ---- */

static void describe_names(struct trust_cert *out, const X509 *cert)
{
	struct trust_cert_names names;
	char words[TRUST_NAME_SIZE + 8], san[TRUST_NAME_SIZE + 16], address[INET6_ADDRSTRLEN];
	int err = trust_cert_names_read(&names, cert);
	out->has_san = names.has_san || X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) >= 0;
	out->san_critical = names.san_critical;
	for (unsigned i = 0; i < names.n; i++) {
		const struct trust_name *n = &names.name[i];
		if (n->kind == TRUST_KIND_IP) {
			if (!inet_ntop(n->value.n == 4 ? AF_INET : AF_INET6, n->value.p, address, sizeof address))
				continue;
			text_fill(words, sizeof words, address);
		} else
			text_escape(n->value, words, sizeof words);
		if (n->kind == TRUST_KIND_CN) {
			trust_names_add_str(&out->cns, words);
			if (!out->cn[0])
				text_fill(out->cn, sizeof out->cn, words);
			continue;
		}
		text_print(san, sizeof san, "%s:%s", n->kind == TRUST_KIND_DNS ? "DNS" : n->kind == TRUST_KIND_URI ? "URI" : "IP", words);
		trust_names_add_str(&out->sans, san);
	}
	if (err) /* what could not be read is not said to be missing */
		out->cns.cut = out->sans.cut = true;
	trust_cert_names_free(&names);
}

static void name_words(const X509_NAME *name, char *dst, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	dst[0] = '\0';
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(bio, &p);
		text_escape(text_make(p, n > 0 ? (size_t)n : 0), dst, size);
	}
	BIO_free(bio);
}

void trust_cert_subject(const X509 *cert, char *dst, size_t size)
{
	name_words(X509_get_subject_name(cert), dst, size);
}

static int64_t time_s(const ASN1_TIME *t)
{
	struct tm tm;
	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

uint8_t trust_cert_ekus(const X509 *cert)
{
	uint8_t bits = 0;
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	if (!eku) /* there twice, or undecodable: it limits the certificate to what nobody knows */
		return X509_get_ext_by_NID(cert, NID_ext_key_usage, -1) >= 0 ? TRUST_EKU_PRESENT | TRUST_EKU_OTHER : 0;
	bits = TRUST_EKU_PRESENT;
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		char oid[64] = "";
		const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(eku, i);
		int nid = OBJ_obj2nid(o);
		OBJ_obj2txt(oid, sizeof oid, o, 1);
		bits |= nid == NID_server_auth		       ? TRUST_EKU_SERVER :
			nid == NID_client_auth		       ? TRUST_EKU_CLIENT :
			nid == NID_anyExtendedKeyUsage	       ? TRUST_EKU_ANY :
			strcmp(oid, "1.3.6.1.5.5.7.3.20") == 0 ? TRUST_EKU_SIP :
								 TRUST_EKU_OTHER;
	}
	EXTENDED_KEY_USAGE_free(eku);
	return bits;
}

static void describe_key(struct trust_cert *out, const X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert); /* borrowed */
	char group[32] = "";
	if (!key)
		return;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		text_print(out->key, sizeof out->key, "RSA-%d", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
		text_print(out->key, sizeof out->key, "EC-%s", strcmp(group, "prime256v1") == 0 ? "P-256" : group);
	else
		text_fill(out->key, sizeof out->key, EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown");
}

static void hex(const uint8_t *p, size_t n, char *dst, size_t size)
{
	dst[0] = '\0';
	for (size_t i = 0; i < n && 2 * i + 2 < size; i++)
		snprintf(dst + 2 * i, 3, "%02x", p[i]);
}

static void describe_signature(struct trust_cert *out, const X509 *cert)
{
	int md = NID_undef;
	if (X509_get_signature_info((X509 *)(uintptr_t)cert, &md, NULL, NULL, NULL) == 1 && md != NID_undef)
		text_fill(out->digest, sizeof out->digest, OBJ_nid2sn(md));
	/* Certificates of public CAs are logged (RFC 6962) and say the policy that they follow (CA/B BR 7.1.6.1: 2.23.140.1.2.*). */
	out->public_ca = X509_get_ext_by_NID(cert, NID_ct_precert_scts, -1) >= 0;
	CERTIFICATEPOLICIES *all = X509_get_ext_d2i(cert, NID_certificate_policies, NULL, NULL);
	for (int i = 0; i < sk_POLICYINFO_num(all); i++) {
		char oid[64] = "";
		OBJ_obj2txt(oid, sizeof oid, sk_POLICYINFO_value(all, i)->policyid, 1);
		out->public_ca = out->public_ca || text_starts(text_of(oid), "2.23.140.1.2.");
	}
	CERTIFICATEPOLICIES_free(all);
}

void trust_cert_describe(struct trust_cert *out, const X509 *cert)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	*out = (struct trust_cert){ 0 };
	if (!cert)
		return;
	describe_names(out, cert);
	name_words(X509_get_subject_name(cert), out->subject, sizeof out->subject);
	name_words(X509_get_issuer_name(cert), out->issuer, sizeof out->issuer);
	out->self_signed = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
	out->has_cdp = X509_get_ext_by_NID(cert, NID_crl_distribution_points, -1) >= 0;
	out->is_ca = X509_check_ca((X509 *)(uintptr_t)cert) == 1;
	out->eku = trust_cert_ekus(cert);
	out->not_before_s = time_s(X509_get0_notBefore(cert));
	out->not_after_s = time_s(X509_get0_notAfter(cert));
	describe_key(out, cert);
	describe_signature(out, cert);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	hex(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial), out->serial, sizeof out->serial);
	if (X509_digest(cert, EVP_sha256(), digest, &n) == 1)
		hex(digest, n, out->sha256, sizeof out->sha256);
}
