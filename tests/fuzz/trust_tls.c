/* SPDX-License-Identifier: Apache-2.0 */
/* trust_tls.c  A whole connection of a stranger: our listener's engine is fed the bytes in pieces (each begins with its length), and what it saw is
 * explained. It must never be talked into a finished handshake, as nobody's name is accepted.                            */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include "base/mem.h"
#include "trust/explain.h"
#include "trust/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trust_set *set;
static struct clock_fake fake;

static void make_set(void)
{
	struct trust_identity *id;
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)"node01.domain.local", -1, -1, 0);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_set_pubkey(x, key);
	clock_fake_init(&fake, 1800000000);
	if (!X509_sign(x, key, EVP_sha256()) || trust_identity_from(&id, "default", x, NULL, key, NULL) || trust_set_create(&set) ||
	    trust_set_identity(set, id))
		abort();
	mem_unref(id);
	X509_free(x);
	EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls *t;
	struct trust_verdict v;
	uint8_t bytes[4096];
	size_t n;
	if (!set)
		make_set();
	struct tls_prm prm = { .role = TRUST_ACCEPTED, .set = set, .clock = &fake.clock };
	if (tls_create(&t, &prm))
		return 0;
	while (size) {
		size_t take = data[0] < size ? data[0] : size - 1;
		if (tls_feed(t, data + 1, take))
			break;
		if (tls_step(t) == 0)
			abort();
		(void)tls_read(t, bytes, sizeof bytes, &n);
		while (tls_drain(t, bytes, sizeof bytes))
			;
		data += 1 + take;
		size -= 1 + take;
	}
	facts_closed(tls_facts(t), TRUST_FIN, 0, 0);
	trust_explain(tls_facts(t), &v);
	if (!v.sentence[0])
		abort();
	tls_destroy(t);
	return 0;
}
