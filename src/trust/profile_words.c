/* SPDX-License-Identifier: Apache-2.0 */
/* profile_words.c  A row of profiles.def in words, for people who want to know what we believe and why. */
#include "trust/profile.h"
#include "trust/profile_private.h"

const char *trust_confidence_name(enum trust_confidence c)
{
	static const char *const names[] = { "lab", "source", "manual", "hearsay", "standard" };
	return (unsigned)c < 5 ? names[c] : "hearsay";
}

const char *trust_confidence_words(enum trust_confidence c)
{
	static const char *const words[] = { "measured", "by its source code", "by its manual", "not verified", "by the standard" };
	return (unsigned)c < 5 ? words[c] : "not verified";
}

const char *trust_seat_name(enum trust_seat s)
{
	return s == TRUST_SEAT_CLIENT_CERT ? "client" : "server";
}

const char *trust_answer_kind_name(enum trust_answer_kind k)
{
	static const char *const names[] = { "accepts", "refuses", "unknown" };
	return (unsigned)k < 3 ? names[k] : "unknown";
}

const char *trust_when_name(enum trust_when w)
{
	static const char *const names[] = { "unknown", "alert", "close", "per-request" };
	return (unsigned)w < 4 ? names[w] : "unknown";
}

const char *trust_profile_name(const struct trust_profile *p)
{
	return p->name;
}

const char *trust_profile_title(const struct trust_profile *p)
{
	return p->title;
}

const char *trust_profile_source(const struct trust_profile *p)
{
	return p->source;
}

const char *trust_profile_remark(const struct trust_profile *p)
{
	return p->remark ? p->remark : "";
}

bool trust_profile_generic(const struct trust_profile *p)
{
	return p->generic;
}

bool trust_profile_can_run(const struct trust_profile *p)
{
	return p->runs;
}

static const struct p_seat *seat_of(const struct trust_profile *p, enum trust_seat seat)
{
	return seat == TRUST_SEAT_CLIENT_CERT ? &p->client : &p->server;
}

enum trust_confidence trust_profile_confidence(const struct trust_profile *p, enum trust_seat seat)
{
	return seat_of(p, seat)->confidence;
}

enum trust_when trust_profile_when(const struct trust_profile *p, enum trust_seat seat)
{
	return seat_of(p, seat)->when;
}

const char *trust_profile_seat_remark(const struct trust_profile *p, enum trust_seat seat)
{
	const char *s = seat_of(p, seat)->remark;
	return s ? s : "";
}

enum trust_reference trust_profile_reference(const struct trust_profile *p)
{
	return p->reference;
}

int trust_profile_default(const struct trust_profile *p, enum trust_seat seat)
{
	const struct p_seat *s = seat_of(p, seat);
	if (s->wants == P_NOTHING)
		return 0;
	return s->on == P_ON_NOT_KNOWN || s->on == P_PROGRAM ? -1 : s->on != P_OFF;
}

int trust_profile_sends_sni(const struct trust_profile *p)
{
	return p->sends_sni == P_MAYBE ? -1 : p->sends_sni == P_YES;
}

/* ---- a seat in sentences ---- */

static void add(char *dst, size_t size, const char *s)
{
	size_t at = strlen(dst);
	text_fill(dst + at, size - at, s);
}

static void say_sources(const struct p_seat *s, char *dst, size_t size)
{
	static const char *const tri[] = { "", "", " (perhaps)", "" };
	static const char *const cn_words[] = {
		[P_CN_ALL] = "all CNs", [P_CN_LAST] = "the most specific CN", [P_CN_FIRST] = "the first CN", [P_CN_SINGLE] = "a single CN",
		[P_CN_LAST_RDN] = "the first CN of the last RDN that has one",
	};
	_Static_assert(sizeof cn_words / sizeof *cn_words == P_CN_LAST_RDN + 1, "a word for each");
	bool any = s->cn.no_san != P_NO || s->cn.no_dns != P_NO || s->cn.dns != P_NO;
	add(dst, size, " Counts:");
	if (s->uri != P_URI_NONE)
		add(dst, size, s->uri == P_URI_REST ? " SAN URI (all behind sip:)," : s->uri == P_URI_MAYBE ? " SAN sip: URI (perhaps)," : " SAN sip: URI,");
	if (s->dns != P_NO) {
		add(dst, size, s->uri_hides_dns ? " SAN DNS without such a URI" : " SAN DNS");
		add(dst, size, tri[s->dns]);
		add(dst, size, ",");
	}
	if (s->ip == P_IP_SAN || s->ip == P_IP_TEXT)
		add(dst, size, s->ip == P_IP_SAN ? " SAN IP," : " SAN IP as text,");
	if (!any) {
		add(dst, size, " never the CN.");
		return;
	}
	text_print(dst + strlen(dst), size - strlen(dst), " %s%s.", cn_words[s->which_cn],
		   s->cn.dns == P_YES	 ? " always" :
		   s->cn.dns == P_MAYBE	 ? " (perhaps)" :
		   s->cn.no_dns == P_YES ? " without SAN DNS" :
					   " without SAN");
}

static void say_wildcards(const struct p_seat *s, char *dst, size_t size)
{
	static const char *const words[] = {
		[P_WILD_NO] = "never", [P_WILD_LABEL] = "the whole left-most label", [P_WILD_PARTIAL] = "part of the left-most label too",
		[P_WILD_FIRST] = "the whole left-most label, even of a top-level domain", [P_WILD_FRONT] = "at the beginning of the left-most label",
		[P_WILD_WITHIN] = "anywhere in the left-most label", [P_WILD_GLOB] = "anywhere in any label but the last",
		[P_WILD_OPTION] = "by an option only", [P_WILD_MAYBE] = "not known",
	};
	_Static_assert(sizeof words / sizeof *words == P_WILD_MAYBE + 1, "a word for each");
	text_print(dst + strlen(dst), size - strlen(dst), " Wildcards: %s", words[s->wild_san]);
	if (s->wild_cn != s->wild_san && (s->cn.no_san != P_NO || s->cn.dns != P_NO))
		text_print(dst + strlen(dst), size - strlen(dst), " (in the CN: %s)", words[s->wild_cn]);
	add(dst, size, ".");
	if (s->ip == P_IP_SKIP)
		add(dst, size, " Dialled by an address: no name is compared.");
}

static void say_usage(const struct p_seat *s, char *dst, size_t size)
{
	static const char *const words[] = {
		[P_EKU_IGNORED] = "", [P_EKU_OPENSSL] = " Usages, if listed, must hold the one for the seat (anyExtendedKeyUsage does not do).",
		[P_EKU_ROLE] = " Usages, if listed, must hold the one for the seat or anyExtendedKeyUsage.",
		[P_EKU_SIP] = " Usages, if listed, must hold the one for the seat or sipDomain.", [P_EKU_STRICT] = " The usage for the seat must be listed.",
		[P_EKU_ADVISED] = " Both usages are advised.", [P_EKU_MAYBE] = " What it does with usages is not known.",
	};
	_Static_assert(sizeof words / sizeof *words == P_EKU_MAYBE + 1, "a word for each");
	add(dst, size, words[s->eku]);
}

char *trust_profile_words(const struct trust_profile *p, enum trust_seat seat, char *dst, size_t size)
{
	static const char *const wants[] = {
		[P_NOTHING] = "Nothing is checked.", [P_CHAIN] = "Chain, time and usage; no name.", [P_NAME] = "Chain and the name that it dials.",
		[P_LIST] = "Chain and a list of names of its own.", [P_TOPOLOGY] = "Chain and the servers of its topology.",
		[P_NOT_KNOWN] = "Chain; what it does with names is not known.", [P_ALL_NOT_KNOWN] = "Nothing is known.",
	};
	static const char *const on[] = {
		[P_ON] = "", [P_OFF] = " Off by default.", [P_ALWAYS] = " Cannot be switched off.", [P_PROGRAM] = " Its program decides whether.",
		[P_ON_NOT_KNOWN] = " Whether by default is not known.",
	};
	_Static_assert(sizeof wants / sizeof *wants == P_ALL_NOT_KNOWN + 1 && sizeof on / sizeof *on == P_ON_NOT_KNOWN + 1, "a word for each");
	static const char *const when[] = { "", " Refuses by an alert.", " Refuses by closing after a good handshake, without an alert.", " Refuses each request." };
	const struct p_seat *s = seat_of(p, seat);
	text_fill(dst, size, wants[s->wants]);
	if (s->wants == P_NOTHING || s->wants == P_ALL_NOT_KNOWN)
		return dst;
	add(dst, size, on[s->on]);
	if (s->wants == P_NAME || s->wants == P_LIST || s->wants == P_TOPOLOGY) {
		say_sources(s, dst, size);
		say_wildcards(s, dst, size);
	}
	if (s->script)
		add(dst, size, " Names only by a script or rule of its administrator.");
	say_usage(s, dst, size);
	add(dst, size, when[s->when]);
	return dst;
}
