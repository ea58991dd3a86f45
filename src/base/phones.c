/* SPDX-License-Identifier: Apache-2.0 */
/* phones.c  The 39 sounds, and pronunciations made of them. */
#include "base/phones.h"

static const char sounds[] = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH";

const char *phones_all(void)
{
	return sounds;
}

static bool vowel(struct text p)
{
	return p.n == 2 && text_find(TEXT("AEIOU"), p.p[0]) != SIZE_MAX;
}

static bool known(struct text p)
{
	for (struct text one, rest = text_of(sounds); rest.n;) {
		(void)text_cut(rest, ' ', &one, &rest);
		if (text_eq(p, one))
			return true;
	}
	return false;
}

/* "ae1" to "AE" and '1'; '\0' without a digit. */
static bool sound_of(struct text t, char upper[4], char *digit)
{
	*digit = '\0';
	if (t.n && t.p[t.n - 1] >= '0' && t.p[t.n - 1] <= '2') {
		*digit = t.p[t.n - 1];
		t.n--;
	}
	if (!t.n || t.n > 2)
		return false;
	for (size_t i = 0; i < t.n; i++)
		upper[i] = (char)(t.p[i] >= 'a' && t.p[i] <= 'z' ? t.p[i] - 'a' + 'A' : t.p[i]);
	upper[t.n] = '\0';
	return known(text_of(upper)) && (!*digit || vowel(text_of(upper)));
}

bool phones_meant(struct text t)
{
	return text_starts(text_trim(t), "/");
}

bool phones_parse(struct text t, bool stress, char *dst, size_t size, struct text *wrong)
{
	struct text rest = text_trim(t), one;
	size_t n = 0;
	if (wrong)
		*wrong = TEXT_NONE;
	if (rest.n < 3 || rest.p[0] != '/' || rest.p[rest.n - 1] != '/')
		return false;
	for (rest = text_trim(text_make(rest.p + 1, rest.n - 2)); rest.n; rest = text_trim(rest)) {
		char upper[4], digit;
		size_t blank = text_find(rest, ' ');
		one = text_head(rest, blank);
		rest = text_skip(rest, one.n);
		if (!sound_of(one, upper, &digit)) {
			if (wrong)
				*wrong = one;
			return false;
		}
		if (n + strlen(upper) + 3 > size)
			return false;
		if (n)
			dst[n++] = ' ';
		for (const char *p = upper; *p; p++)
			dst[n++] = *p;
		if (stress && digit)
			dst[n++] = digit;
		dst[n] = '\0';
	}
	return n > 0;
}
