/* SPDX-License-Identifier: Apache-2.0 */
/* header_names.c  From the name on the wire to the header's id: first by what a name of such letters was the last time, else among all of its length. */
#include <string.h>
#include "sip/chars.h"
#include "sip/message.h"

static const char *const names[SIP_HDR_IDS] = {
	[SIP_HDR_OTHER] = "",
#define HDR(name, wire, compact, often) [SIP_HDR_##name] = wire,
#include "sip/headers.def"
#undef HDR
};

static const uint8_t lengths[SIP_HDR_IDS] = {
	[SIP_HDR_OTHER] = 0,
#define HDR(name, wire, compact, often) [SIP_HDR_##name] = sizeof(wire) - 1,
#include "sip/headers.def"
#undef HDR
};

static const char compacts[SIP_HDR_IDS] = {
	[SIP_HDR_OTHER] = 0,
#define HDR(name, wire, compact, often) [SIP_HDR_##name] = compact,
#include "sip/headers.def"
#undef HDR
};

const char *sip_hdr_name(enum sip_hdr_id id)
{
	return (unsigned)id < SIP_HDR_IDS ? names[id] : "";
}

static bool same(const char *a, const char *b, size_t n)
{
	if (!memcmp(a, b, n))
		return true;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && ((a[i] ^ b[i]) != 0x20 || !sip_is(a[i], SIP_C_ALPHA)))
			return false;
	return true;
}

static enum sip_hdr_id among_its_length(struct text name)
{
	const uint8_t *at = lengths;

	while ((at = memchr(at, (int)name.n, (size_t)(lengths + SIP_HDR_IDS - at)))) {
		const char *known = names[at - lengths];

		if (((known[0] ^ name.p[0]) & ~0x20) == 0 && same(known, name.p, name.n))
			return (enum sip_hdr_id)(at - lengths);
		at++;
	}
	return SIP_HDR_OTHER;
}

enum sip_hdr_id sip_hdr_id_of(struct text name)
{
	static _Thread_local uint8_t last_time[128];
	uint8_t *id;

	if (name.n == 1) {
		const char *c = sip_is(name.p[0], SIP_C_ALPHA) ? memchr(compacts, text_lower(name.p[0]), sizeof(compacts)) : NULL;

		return c ? (enum sip_hdr_id)(c - compacts) : SIP_HDR_OTHER;
	}
	if (!name.n || name.n > 64)
		return SIP_HDR_OTHER;
	id = &last_time[(name.n * 11 + (unsigned char)name.p[0] * 5 + (unsigned char)name.p[name.n - 1] * 3 + (unsigned char)name.p[name.n / 2]) % sizeof(last_time)];
	if (lengths[*id] != name.n || !same(names[*id], name.p, name.n))
		*id = (uint8_t)among_its_length(name);
	return (enum sip_hdr_id)*id;
}
