/* SPDX-License-Identifier: Apache-2.0 */
/* told.h  Lines as tshark would print them, from the few fields that a test is about. */
#ifndef TESTS_CAPTURE_TOLD_H
#define TESTS_CAPTURE_TOLD_H
#include "base/buf.h"
#include "capture/book.h"

struct told {
	struct cap_book *book;
	unsigned frame;
	int64_t us;
	const char *host[2]; /* of the client and of the server */
	unsigned port[2];
	unsigned stream;
};
void told_begin(struct told *t); /* 10.0.0.1:40000 -> 10.0.0.2:5061, stream 0 */
void told_end(struct told *t);
/* `ms` later, a TCP packet of the client (0) or server (1) with those flags. fields: "name=value" pairs, ended by NULL; "a,b" is a list. */
void told_tcp(struct told *t, unsigned ms, int from, unsigned flags, ...);
/* A packet of nothing but the fields given. */
void told_raw(struct told *t, unsigned ms, ...);
/* Hexadecimal of a certificate; valid until the next call. */
struct x509_st;
const char *told_cert(struct x509_st *x);

#endif
