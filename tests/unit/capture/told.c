/* SPDX-License-Identifier: Apache-2.0 */
/* told.c  See told.h. */
#include "told.h"
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "ut.h"

enum { START_S = 1800000000 };

void told_begin(struct told *t)
{
	*t = (struct told){ .us = (int64_t)START_S * 1000000, .host = { "10.0.0.1", "10.0.0.2" }, .port = { 40000, 5061 } };
	assert_int_equal(cap_book_create(&t->book), 0);
}

void told_end(struct told *t)
{
	t->book = cap_book_destroy(t->book);
}

static void set(const char **values, const char *pair, char *store, size_t size)
{
	const char *equals = strchr(pair, '=');
	for (unsigned i = 0; i < CAP_FIELDS; i++)
		if (strlen(cap_field_names[i]) == (size_t)(equals - pair) && strncmp(cap_field_names[i], pair, (size_t)(equals - pair)) == 0) {
			text_fill(store, size, equals + 1);
			for (char *p = store; *p; p++)
				*p = *p == ',' ? CAP_AGGREGATOR : *p;
			values[i] = store;
			return;
		}
	fail_msg("no such field: %s", pair);
}

static char stored[16][40000];

static void line(struct told *t, unsigned ms, const char **values, va_list ap)
{
	char number[24], when[40];
	struct buf b;
	const char *pair;
	unsigned n = 0;
	t->us += (int64_t)ms * 1000;
	snprintf(number, sizeof number, "%u", ++t->frame);
	snprintf(when, sizeof when, "%lld.%06lld000", (long long)(t->us / 1000000), (long long)(t->us % 1000000));
	values[CAP_NUMBER] = number;
	values[CAP_TIME] = when;
	while ((pair = va_arg(ap, const char *)) != NULL) {
		set(values, pair, stored[n], sizeof stored[n]);
		n++;
	}
	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < CAP_FIELDS; i++)
		buf_printf(&b, "%s%s", i ? (char[]){ CAP_SEPARATOR, 0 } : "", values[i] ? values[i] : "");
	cap_book_line(t->book, buf_as_text(&b));
	buf_free(&b);
}

void told_tcp(struct told *t, unsigned ms, int from, unsigned flags, ...)
{
	const char *values[CAP_FIELDS] = { 0 };
	char port[2][12], stream[12], bits[12];
	va_list ap;
	snprintf(port[0], sizeof port[0], "%u", t->port[from]);
	snprintf(port[1], sizeof port[1], "%u", t->port[1 - from]);
	snprintf(stream, sizeof stream, "%u", t->stream);
	snprintf(bits, sizeof bits, "0x%04x", flags);
	values[CAP_IP_SRC] = t->host[from];
	values[CAP_IP_DST] = t->host[1 - from];
	values[CAP_TCP_SPORT] = port[0];
	values[CAP_TCP_DPORT] = port[1];
	values[CAP_TCP_STREAM] = stream;
	values[CAP_TCP_FLAGS] = bits;
	values[CAP_TCP_LEN] = "0";
	va_start(ap, flags);
	line(t, ms, values, ap);
	va_end(ap);
}

void told_raw(struct told *t, unsigned ms, ...)
{
	const char *values[CAP_FIELDS] = { 0 };
	va_list ap;
	va_start(ap, ms);
	line(t, ms, values, ap);
	va_end(ap);
}

const char *told_cert(X509 *x)
{
	static char hex[20000];
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);
	assert_true(n > 0 && (size_t)n * 2 < sizeof hex);
	for (int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", der[i]);
	OPENSSL_free(der);
	return hex;
}
