/* SPDX-License-Identifier: Apache-2.0 */
/* value.c  One scalar of the file into one member of a struct. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include "base/phones.h"
#include "config/config_private.h"

/* ---- texts ---- */

static bool all(struct text v, const char *also, bool letters)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		bool good = (c >= '0' && c <= '9') || (letters && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) || (c && strchr(also, c));
		if (!good)
			return false;
	}
	return v.n > 0;
}

static bool printable(struct text v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	return true;
}

/* Lines for people; what would move a terminal's cursor or change the order of the letters is none of them. */
static bool is_lines(struct text v)
{
	for (size_t i = 0; i < v.n; i++)
		if (((unsigned char)v.p[i] < 0x20 && v.p[i] != '\n') || v.p[i] == 0x7f)
			return false;
	return v.n > 0;
}

/* As people count: what UTF-8 makes of several bytes is one. */
static size_t characters(struct text v)
{
	size_t n = 0;
	for (size_t i = 0; i < v.n; i++)
		n += ((unsigned char)v.p[i] & 0xc0) != 0x80;
	return n;
}

static bool is_ip(struct text v)
{
	char s[64];
	struct in6_addr a;
	struct text inner = v;
	if (v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']')
		inner = text_make(v.p + 1, v.n - 2);
	if (text_copy(inner, s, sizeof s))
		return false;
	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

static bool is_host(struct text v)
{
	if (is_ip(v))
		return true;
	if (!all(v, ".-_", true) || v.n > 253 || v.p[0] == '.' || v.p[0] == '-' || text_find_text(v, TEXT("..")) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) /* digits and dots alone are a mistyped address */
		if (!(v.p[i] >= '0' && v.p[i] <= '9') && v.p[i] != '.')
			return true;
	return false;
}

static bool is_uri(struct text v)
{
	struct text rest = text_starts_nocase(v, "sip:") ? text_skip(v, 4) : text_starts_nocase(v, "sips:") ? text_skip(v, 5) : TEXT_NONE;
	size_t at = rest.n ? text_find(rest, '@') : SIZE_MAX;
	return at != SIZE_MAX && at > 0 && at + 1 < rest.n && printable(v) && text_find(v, ' ') == SIZE_MAX && text_find(v, '<') == SIZE_MAX &&
		text_find(v, '>') == SIZE_MAX && text_find(v, '"') == SIZE_MAX;
}

static bool is_number(struct text v)
{
	struct text digits = text_starts(v, "+") ? text_skip(v, 1) : v;
	return all(digits, "*#", false) && v.n <= 20;
}

static bool is_pattern(struct text v)
{
	struct text rest = text_starts(v, "+") ? text_skip(v, 1) : v;
	bool star = rest.n && rest.p[rest.n - 1] == '*';
	if (star)
		rest.n--;
	return v.n <= 40 && (all(rest, "x", false) || (star && !rest.n));
}

/* 10.0.0.1, 10.0.0.1:53, [2001:db8::1]:53, 10.0.0.0/8 */
static bool is_address(struct text v)
{
	struct text host = v, more;
	uint32_t n;
	if (is_ip(v))
		return true;
	size_t cut = text_rfind(v, '/');
	if (cut != SIZE_MAX)
		return is_ip(text_head(v, cut)) && text_u32(text_skip(v, cut + 1), 128, &n) == 0;
	cut = text_rfind(v, ':');
	if (cut == SIZE_MAX)
		return false;
	host = text_head(v, cut);
	more = text_skip(v, cut + 1);
	return is_ip(host) && text_u32(more, 65535, &n) == 0 && n;
}

/* It becomes an argument of a program: nothing in it may be an option or a path. */
static bool is_voice(struct text v)
{
	return all(v, "+-_", true) && v.n <= 31 && (v.p[0] | 0x20) >= 'a' && (v.p[0] | 0x20) <= 'z';
}

static const char *sound_wrong(struct text v)
{
	char phones[400];
	bool letter = false;
	for (size_t i = 0; i < v.n; i++)
		letter = letter || (v.p[i] >= 'a' && v.p[i] <= 'z') || (v.p[i] >= 'A' && v.p[i] <= 'Z');
	if (!phones_meant(v))
		return printable(v) && letter && v.n <= 180 ? NULL : "give words that sound like it, as in an shmit";
	return v.n <= 180 && phones_parse(v, true, phones, sizeof phones, NULL) ? NULL :
		"write sounds of CMUdict between slashes, as in /AE1 N SH M IH1 T/: AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH";
}

static bool is_codec(struct text v)
{
	static const char *const words[] = { "pcmu", "pcma", "g722", "opus", "l16", "l16-16k" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text_is_nocase(v, words[i]))
			return true;
	return false;
}

const char *cfg_text_wrong(enum cfg_type t, struct text v)
{
	switch (t) {
	case CFG_NAME:
		return all(v, "._-", true) && v.n < CFG_NAME_SIZE ? NULL : "use 1 to 63 of the characters 0-9 A-Z a-z . _ -";
	case CFG_HOST:
		return is_host(v) ? NULL : "give a DNS name or an IP address";
	case CFG_NUMBER:
		return is_number(v) ? NULL : "give digits, with + in front for a full number, and quote it: \"201\"";
	case CFG_TARGET:
		return is_number(v) || is_uri(v) || !cfg_text_wrong(CFG_NAME, v) ? NULL : "give an extension, a mailbox name or a SIP URI";
	case CFG_ZONE:
		return all(v, "/_+-", true) && v.p[0] != '/' ? NULL : "give an IANA time zone, as in Europe/Berlin";
	case CFG_PATTERN:
		return is_pattern(v) ? NULL : "use digits, + in front, x for any digit, and * at the end for any digits";
	case CFG_URI:
		return is_uri(v) ? NULL : "write sip:user@domain";
	case CFG_SOUND:
		return sound_wrong(v);
	case CFG_VOICE:
		return is_voice(v) ? NULL : "write flite, or a voice of espeak-ng, as in de or en-us+f3: letters, digits, + and -, at most 31, a letter first";
	case CFG_CODEC:
		return is_codec(v) ? NULL : "use pcmu, pcma, g722, opus, l16 or l16-16k";
	case CFG_ADDRESS:
		return is_address(v) ? NULL : "give an IP address, with :port or /bits where needed";
	case CFG_STORE:
		return text_starts(v, "sqlite:") || text_starts(v, "postgresql://") || text_starts(v, "postgres://") ? NULL :
			"write sqlite:/path/to/umbel.db or postgresql://user@host/database";
	case CFG_HOSTPORT:
		return text_find(v, ':') != SIZE_MAX && is_address(v) ? NULL : "write ADDRESS:PORT, as in 127.0.0.1:8060";
	case CFG_LINES:
		return is_lines(v) ? NULL : "give a text, of several lines if need be, without tabs and other control characters";
	default:
		return printable(v) && v.n ? NULL : "give a text of one line";
	}
}

/* ---- numbers ---- */

static const struct {
	const char *suffix;
	double ms;
} units[] = { { "ms", 1 }, { "min", 60000 }, { "s", 1000 }, { "h", 3600000 } };

/* "5", "0.5", "500ms", "2min" as milliseconds; a plain number has the setting's own unit. */
static bool duration(struct text v, double unit, uint64_t *ms)
{
	double value = 0, scale = 1;
	struct text digits = v;
	for (size_t i = 0; i < 4; i++)
		if (text_ends_nocase(v, units[i].suffix)) {
			unit = units[i].ms;
			digits = text_trim(text_head(v, v.n - strlen(units[i].suffix)));
			break;
		}
	bool point = false;
	if (!digits.n || digits.n > 12)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] == '.' && !point && i + 1 < digits.n) {
			point = true;
			continue;
		}
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		value = value * 10 + (digits.p[i] - '0');
		scale *= point ? 10 : 1;
	}
	*ms = (uint64_t)(value / scale * unit + 0.5);
	return true;
}

static bool range(struct binder *b, const struct cfg_row *row, struct cfg_pos pos, struct text t, bool within, const char *unit)
{
	if (within)
		return true;
	char fix[120];
	text_print(fix, sizeof fix, "use %lld to %lld%s", (long long)row->least, (long long)row->most, unit);
	cfg_wrong(b, pos, fix, "is \"%.*s\"", TEXT_FMT(t));
	return false;
}

static bool put_duration(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, uint64_t *dst)
{
	double unit = row->type == CFG_SEC ? 1000 : 1;
	uint64_t ms = 0;
	bool good = duration(t, unit, &ms);
	if (!range(b, row, pos, t, good && (double)ms >= (double)row->least * unit && (double)ms <= (double)row->most * unit,
	           row->type == CFG_SEC ? " seconds" : " milliseconds"))
		return false;
	*dst = ms;
	return true;
}

static bool put_number(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, void *dst)
{
	uint64_t n = 0;
	bool good = text_u64(t, (uint64_t)row->most, &n) == 0 && n >= (uint64_t)row->least;
	if (!range(b, row, pos, t, good, ""))
		return false;
	if (row->type == CFG_U16)
		*(uint16_t *)dst = (uint16_t)n;
	else
		*(uint32_t *)dst = (uint32_t)n;
	return true;
}

static bool put_ports(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, uint16_t *dst)
{
	struct text lo, hi;
	uint32_t from, to;
	if (!text_cut(t, '-', &lo, &hi) || text_u32(text_trim(lo), 65535, &from) || text_u32(text_trim(hi), 65535, &to) || from < row->least ||
	    to > row->most || to < from + 3) {
		cfg_wrong(b, pos, "write FIRST-LAST, as in 20000-29999, at least four ports", "is \"%.*s\"", TEXT_FMT(t));
		return false;
	}
	dst[0] = (uint16_t)from;
	dst[1] = (uint16_t)to;
	return true;
}

static bool put_bool(struct binder *b, struct text t, struct cfg_pos pos, bool *dst)
{
	static const char *const yes[] = { "true", "yes", "on" }, *const no[] = { "false", "no", "off" };
	for (int i = 0; i < 3; i++)
		if (text_is_nocase(t, yes[i]) || text_is_nocase(t, no[i])) {
			*dst = text_is_nocase(t, yes[i]);
			return true;
		}
	cfg_wrong(b, pos, "use true or false", "is \"%.*s\"", TEXT_FMT(t));
	return false;
}

static bool put_word(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, int *dst)
{
	size_t n;
	const struct cfg_word *w = cfg_words(row->type, &n);
	const char *known[CFG_WORDS_MAX];
	struct buf fix;
	for (size_t i = 0; i < n; i++) {
		known[i] = w[i].word;
		if (text_is(t, w[i].word)) {
			*dst = w[i].value;
			return true;
		}
	}
	buf_init(&fix, 1000);
	buf_str(&fix, "use one of");
	for (size_t i = 0; i < n; i++)
		buf_printf(&fix, "%s %s", i ? "," : "", known[i]);
	const char *near = cfg_nearest(t, known, n);
	if (near)
		buf_printf(&fix, " (did you mean %s?)", near);
	const char *words = buf_cstr(&fix);
	cfg_wrong(b, pos, words ? words : "use a known word", "is \"%.*s\"", TEXT_FMT(t));
	buf_free(&fix);
	return false;
}

static bool put_text(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, const char **dst)
{
	char fix[80];
	const char *wrong = t.n || row->least ? cfg_text_wrong(row->type, t) : NULL;
	size_t n = row->type == CFG_LINES ? characters(t) : t.n;
	bool too_long = !wrong && row->most && n > (size_t)row->most;
	if (too_long) {
		text_print(fix, sizeof fix, "use at most %lld characters", (long long)row->most);
		wrong = fix;
	}
	if (too_long && row->type == CFG_LINES)
		cfg_wrong(b, pos, wrong, "has %zu characters", n);
	else if (wrong)
		cfg_wrong(b, pos, wrong, "is \"%.*s\"", TEXT_FMT(text_head(t, 80)));
	if (wrong)
		return false;
	char *s = arena_text(&b->all->arena, t);
	if (s)
		*dst = s;
	return s != NULL;
}

bool cfg_value(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, void *base)
{
	void *dst = (char *)base + row->offset;
	switch (row->type) {
	case CFG_BOOL:
		return put_bool(b, t, pos, dst);
	case CFG_U16: case CFG_U32:
		return put_number(b, row, t, pos, dst);
	case CFG_MS: case CFG_SEC:
		return put_duration(b, row, t, pos, dst);
	case CFG_PORTS:
		return put_ports(b, row, t, pos, dst);
	case CFG_TRANSPORT: case CFG_RULE: case CFG_PROFILE: case CFG_TLSVERSION: case CFG_LEGACY: case CFG_REUSE: case CFG_STOREAWAY: case CFG_TRANSFERBY: case CFG_NAMEORDER:
	case CFG_REVOCATION: case CFG_STAPLE: case CFG_URIKIND: case CFG_SECURITY: case CFG_SRTP: case CFG_OFFERBY: case CFG_ANSWER: case CFG_AUTOONOFF: case CFG_AUDIOFORM:
		return put_word(b, row, t, pos, dst);
	case CFG_DATE:
		if (cfg_date_of(t, dst))
			return true;
		cfg_wrong(b, pos, "write a day that exists, as 2026-12-24 or, for every year, 12-24; with a time: 2026-12-24 12:00", "is \"%.*s\"", TEXT_FMT(text_head(t, 80)));
		return false;
	default:
		return put_text(b, row, t, pos, dst);
	}
}
