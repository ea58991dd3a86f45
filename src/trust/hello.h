/* SPDX-License-Identifier: Apache-2.0 */
/* hello.h  What a ClientHello offers: versions, suites, the name asked for (RFC 8446 4.1.2, RFC 6066 3). Pure; any bytes. */
#ifndef TRUST_HELLO_H
#define TRUST_HELLO_H
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"
#include "trust/facts.h"

/* `p` is the handshake message with its header of four bytes. What could be read is kept: 0, or EBADMSG when it ends too early. */
int tls_hello_parse(struct trust_hello *h, const uint8_t *p, size_t n);

/* Whether TLS can begin so; and what it is that does not. */
bool tls_hello_begins(const uint8_t *first);
enum trust_plain tls_plain_kind(struct text t);

#endif
