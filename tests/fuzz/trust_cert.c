/* SPDX-License-Identifier: Apache-2.0 */
/* trust_cert.c  A stranger's certificate (strange_cert.h): names, description, judgement. */
#include <openssl/err.h>
#include "base/mem.h"
#include "strange_cert.h"
#include "trust/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct strange_good good = {
	.cn = { "first.example.com", "\0a\0b\0.\0c" }, .cn_type = MBSTRING_BMP, .cn_len = 8,
	.san = "DNS:a.example.com,URI:sip:b.example.com,URI:sip:u@c.example.com;x=y,IP:192.0.2.1,IP:2001:db8::1,email:a@b.c",
	.eku = "serverAuth,clientAuth,1.3.6.1.5.5.7.3.20,anyExtendedKeyUsage",
};

static void judge(X509 *x)
{
	static const char *const wanted[] = { "a.example.com", "192.0.2.1", "2001:db8::1", "b.example.com" };
	struct trust_cert c;
	struct trust_judgement j;
	trust_cert_describe(&c, x);
	for (enum trust_rule_kind k = TRUST_RULE_RFC5922; k <= TRUST_RULE_CN_ONLY; k++) {
		struct trust_policy *p;
		if (trust_policy_one(&p, "gw", k, wanted, 4))
			abort();
		trust_policy_judge_cert(p, x, &j);
		if ((j.reason == TRUST_NAME_OK) != (j.matched[0] != '\0'))
			abort();
		(void)trust_rule_would_accept(k, &c, &j.wanted);
		mem_unref(p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!good.der)
		X509_free(strange_make_good(&good));
	X509 *x = strange_certificate(&good, data, size);
	if (x)
		judge(x);
	X509_free(x);
	ERR_clear_error();
	if (mem_live())
		abort();
	return 0;
}
