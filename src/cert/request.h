/* SPDX-License-Identifier: Apache-2.0 */
/* request.h  Keys and certificate requests. The key is made on the node and never leaves it; the request carries the names that the
 * gateway's judgement asks for. Costs time (RSA: some 100 ms): run on a worker. Any thread.                               */
#ifndef CERT_REQUEST_H
#define CERT_REQUEST_H
#include <openssl/evp.h>
#include "event/report.h"
#include "trust/facts.h"

enum cert_key_kind { CERT_KEY_RSA_2048, CERT_KEY_EC_P256 };
const char *cert_key_kind_name(enum cert_key_kind k); /* "rsa-2048", "ec-p256" */
int cert_key_kind_parse(struct text t, enum cert_key_kind *k);

/* What the certificate may be used as. Most nodes show one certificate in both roles; where a CA grants only one (public CAs drop clientAuth), an
 * identity a role. */
enum cert_usage { CERT_USAGE_BOTH, CERT_USAGE_SERVER, CERT_USAGE_CLIENT };
const char *cert_usage_name(enum cert_usage u); /* "both", "server", "client" */
int cert_usage_parse(struct text t, enum cert_usage *u);

struct cert_names {
	char cn[TRUST_NAME_SIZE];
	struct trust_names dns; /* for the subjectAltName; the CN is among them */
};
/* What a certificate of this node must hold so that the gateway which judges us so admits it and everybody can dial us: CN as
 * trust_wanted_cn() says, DNS = CN, FQDN, service name. `j` NULL: nothing known, CN = FQDN. */
void cert_names_for(struct cert_names *n, const struct trust_judges_us *j, const char *our_fqdn, const char *our_service);

int cert_key_make(EVP_PKEY **key, enum cert_key_kind kind); /* 0, ENOMEM, EIO */
/* A PKCS#10 request in PEM with subject CN, the DNS names, and the usages. 0, ENOMEM, EINVAL for names that are none. */
int cert_request_make(struct buf *csr_pem, EVP_PKEY *key, const struct cert_names *names, enum cert_usage usage);

#endif
