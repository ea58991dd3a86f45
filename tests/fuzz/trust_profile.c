/* SPDX-License-Identifier: Apache-2.0 */
/* trust_profile.c  A stranger's certificate before every verifier of the table. Input: which profile, which question (seat, switch, reference,
 * list), then a certificate (strange_cert.h).                                                                          */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "strange_cert.h"
#include "trust/finding.h"
#include "trust/profile.h"
#include "trust/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct strange_good good = {
	.cn = { "first.example.com", "a.example.com" }, .cn_type = MBSTRING_UTF8, .cn_len = -1,
	.san = "DNS:a.example.com,DNS:*.example.org,URI:sip:b.example.com,URI:sip:u@c.example.com,IP:192.0.2.1,IP:2001:db8::1",
	.eku = "serverAuth,clientAuth", .key_usage = "digitalSignature,keyEncipherment",
};
static X509_STORE *anchors;

/* It is its own root, so that chains are walked too. */
static void make_good(void)
{
	X509 *x = strange_make_good(&good);
	anchors = X509_STORE_new();
	if (!anchors || !X509_STORE_add_cert(anchors, x))
		abort();
	X509_free(x);
}

static void clean_words(const char *s, size_t size)
{
	if (!memchr(s, '\0', size))
		abort();
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort(); /* a stranger's bytes in front of an operator */
}

static void ask(const struct trust_profile *p, const struct trust_question *q)
{
	struct trust_answer a;
	trust_profile_judge(p, q, &a);
	if ((a.kind == TRUST_CANNOT_SAY) != (a.certainty == TRUST_UNKNOWN) || !trust_reason_meaning(a.name))
		abort();
	clean_words(a.sentence, sizeof a.sentence);
	clean_words(a.fix, sizeof a.fix);
	clean_words(a.wanted, sizeof a.wanted);
	clean_words(a.offered, sizeof a.offered);
	clean_words(a.sees, sizeof a.sees);
	clean_words(a.remark, sizeof a.remark);
}

static void found(const struct trust_finding *f, void *arg)
{
	(void)arg;
	clean_words(f->sentence, sizeof f->sentence);
}

static void judge(X509 *x, uint8_t which, uint8_t how)
{
	static const char *const references[] = { NULL, "a.example.com", "x.example.org", "192.0.2.1", "2001:db8::1", "b.example.com.", "", "c.example.com" };
	const struct trust_profile *p = trust_profile_at(which % trust_profile_count());
	struct trust_names known = { 0 };
	struct trust_cert described;
	trust_names_add_str(&known, "first.example.com");
	trust_names_add_str(&known, "b.example.com");
	struct trust_question q = { .seat = how & 1 ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT, .leaf = x, .anchors = how & 2 ? anchors : NULL,
				    .reference = references[how >> 3 & 7], .known = how & 4 ? &known : NULL, .now_s = 1800000000, .enabled = how >> 6 };
	if (q.enabled > TRUST_SWITCHED_OFF)
		q.enabled = TRUST_AS_DEFAULT;
	ask(p, &q);
	trust_cert_describe(&described, x);
	q.leaf = NULL;
	q.described = &described;
	ask(p, &q);
	(void)trust_findings(x, NULL, q.now_s, found, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!good.der)
		make_good();
	if (size < 3)
		return 0;
	X509 *x = strange_certificate(&good, data + 2, size - 2);
	if (x)
		judge(x, data[0], data[1]);
	X509_free(x);
	ERR_clear_error();
	if (mem_live())
		abort();
	return 0;
}
