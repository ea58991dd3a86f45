/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri.c  Fuzz target: two URIs with a line end between. Each equals itself, order does not matter, and a Contact made of one reads
 * back as it. */
#include <errno.h>
#include "sip/header.h"
#include "sip/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void look(const struct sip_uri *u)
{
	char room[64];
	struct text value;
	struct sip_addr a;
	struct buf b;

	must(sip_uri_equal(u, u));
	must((u->scheme == SIP_SCHEME_SIP || u->scheme == SIP_SCHEME_SIPS) == (u->host.n > 0));
	must(u->host_kind == SIP_HOST_NONE || sip_host_classify(u->host) == u->host_kind);
	(void)sip_uri_is_voicemail(u);
	(void)sip_uri_is_gruu(u);
	(void)sip_uri_is_loose(u);
	(void)sip_uri_header(u, "Replaces", &value);
	if (!sip_unescape(u->user, room, sizeof(room)))
		for (const char *c = room; *c; c++)
			must((unsigned char)*c >= 0x20);
	buf_init(&b, 1 << 20);
	sip_put_addr(&b, "Contact", &(struct sip_addr_prm){ .uri = u->whole });
	must(buf_error(&b) == 0);
	must(sip_addr_parse(&a, text_head(text_skip(buf_as_text(&b), 9), b.n - 11), NULL) == 0 && text_eq(a.uri.whole, u->whole));
	buf_free(&b);
}

static void write_user(struct text user)
{
	char room[256];
	struct sip_uri u;
	struct buf b;

	buf_init(&b, 4096);
	sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_SIP, .user = user, .host = TEXT("h.example") });
	if (!buf_error(&b)) {
		must(sip_uri_parse(&u, buf_as_text(&b), NULL) == 0);
		must(text_is(u.host, "h.example") && !u.has_password && !u.params.n);
		if (!sip_unescape(u.user, room, sizeof(room)))
			must(text_eq(text_of(room), user));
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text first, second;
	struct sip_uri a, b;
	bool one, other;

	text_cut(text_make(data, size), '\n', &first, &second);
	one = sip_uri_parse(&a, first, NULL) == 0;
	other = sip_uri_parse(&b, second, NULL) == 0;
	if (one)
		look(&a);
	if (other)
		look(&b);
	if (one && other)
		must(sip_uri_equal(&a, &b) == sip_uri_equal(&b, &a));
	write_user(first);
	return 0;
}
