/* SPDX-License-Identifier: Apache-2.0 */
/* profile_match.c  See profile_match.h. */
#include "trust/profile_match.h"
#include <string.h>

struct p_match_uri p_match_uri(struct text t)
{
	struct p_match_uri u = { .sip = text_starts_nocase(t, "sip:"), .sips = text_starts_nocase(t, "sips:") };
	if (!u.sip && !u.sips)
		return u;
	u.rest = text_skip(t, u.sip ? 4 : 5);
	size_t at = text_find(u.rest, '@'), end = 0;
	u.user = at != SIZE_MAX;
	struct text host = u.user ? text_skip(u.rest, at + 1) : u.rest;
	while (end < host.n && host.p[end] && !strchr(":;?/", host.p[end]))
		end++;
	u.host = text_head(host, end);
	return u;
}

bool p_match_label(struct text pattern, struct text wanted)
{
	size_t dot = text_find(wanted, '.');
	if (!text_starts(pattern, "*.") || dot == SIZE_MAX || dot == 0)
		return false;
	struct text rest = text_skip(pattern, 1);
	return text_find(rest, '*') == SIZE_MAX && text_find(text_skip(rest, 1), '.') != SIZE_MAX && text_eq_nocase(rest, text_skip(wanted, dot));
}

bool p_match_part(struct text pattern, struct text wanted, bool within)
{
	size_t star = text_find(pattern, '*'), pdot = text_find(pattern, '.'), wdot = text_find(wanted, '.');
	if (star == SIZE_MAX || pdot == SIZE_MAX || wdot == SIZE_MAX || star > pdot || text_find(text_skip(pattern, star + 1), '*') != SIZE_MAX)
		return false;
	struct text before = text_head(pattern, star), behind = text_make(pattern.p + star + 1, pdot - star - 1), label = text_head(wanted, wdot);
	struct text rest = text_skip(pattern, pdot);
	if ((before.n && behind.n && !within) || text_starts_nocase(before, "xn--") || text_starts_nocase(label, "xn--") || label.n < before.n + behind.n)
		return false;
	return text_find(text_skip(rest, 1), '.') != SIZE_MAX && text_eq_nocase(text_head(label, before.n), before) &&
	       text_eq_nocase(text_skip(label, label.n - behind.n), behind) && text_eq_nocase(rest, text_skip(wanted, wdot));
}

bool p_match_ldh(struct text t, bool dots)
{
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= 'a' && t.p[i] <= 'z') && !(t.p[i] >= 'A' && t.p[i] <= 'Z') && !(t.p[i] >= '0' && t.p[i] <= '9') && t.p[i] != '-' &&
		    !(dots && t.p[i] == '.'))
			return false;
	return true;
}

bool p_match_first(struct text pattern, struct text wanted)
{
	size_t dot = text_find(wanted, '.');
	if (dot == SIZE_MAX)
		return text_is(pattern, "*");
	return text_starts(pattern, "*.") && text_eq_nocase(text_skip(pattern, 1), text_skip(wanted, dot));
}

/* One label; each star stands for any run of letters. Linear: only the last star is gone back to. */
static bool glob(struct text p, struct text t)
{
	size_t i = 0, k = 0, star = SIZE_MAX, at = 0;
	while (k < t.n) {
		if (i < p.n && p.p[i] != '*' && text_lower(p.p[i]) == text_lower(t.p[k])) {
			i++;
			k++;
		} else if (i < p.n && p.p[i] == '*') {
			star = i++;
			at = k;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++at;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

bool p_match_glob(struct text pattern, struct text wanted)
{
	size_t star = text_rfind(pattern, '*');
	if (star == SIZE_MAX || text_find(text_skip(pattern, star), '.') == SIZE_MAX || text_is(pattern, "*.") || (pattern.n && pattern.p[pattern.n - 1] == '.'))
		return false;
	struct text p, w;
	bool more_p = true, more_w = true;
	while (more_p && more_w) {
		more_p = text_cut(pattern, '.', &p, &pattern);
		more_w = text_cut(wanted, '.', &w, &wanted);
		/* An IDN label is compared as Unicode: a star next to letters of its punycode fits nothing. */
		if (text_starts_nocase(w, "xn--") ? !text_eq_nocase(p, w) && !text_is(p, "*") : !glob(p, w))
			return false;
	}
	return more_p == more_w;
}

bool p_match_plain(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] >= 0x80)
			return false;
	return true;
}
