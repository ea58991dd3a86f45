/* SPDX-License-Identifier: Apache-2.0 */
/* speaker.c  Languages to voices. */
#include "voice/speaker.h"

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool speaker_voice_good(struct text v)
{
	if (!v.n || v.n > SPEAKER_VOICE_MAX || !letter(v.p[0]))
		return false;
	for (size_t i = 1; i < v.n; i++)
		if (!letter(v.p[i]) && !(v.p[i] >= '0' && v.p[i] <= '9') && v.p[i] != '+' && v.p[i] != '-' && v.p[i] != '_')
			return false;
	return true;
}

static struct text primary(struct text tag)
{
	size_t n = 0;
	while (n < tag.n && tag.p[n] != '-' && tag.p[n] != '_')
		n++;
	return text_head(tag, n);
}

bool speaker_same_tag(struct text a, struct text b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		char x = a.p[i] == '_' ? '-' : text_lower(a.p[i]), y = b.p[i] == '_' ? '-' : text_lower(b.p[i]);
		if (x != y)
			return false;
	}
	return true;
}

bool speaker_same_language(struct text a, struct text b)
{
	return primary(a).n && text_eq_nocase(primary(a), primary(b));
}

void speaker_voice_of(struct text tag, char *dst)
{
	size_t n = 0;
	if (speaker_voice_good(tag) && text_find(tag, '+') == SIZE_MAX && !text_is_nocase(primary(tag), "en"))
		for (; n < tag.n; n++)
			dst[n] = tag.p[n] == '_' ? '-' : text_lower(tag.p[n]);
	dst[n] = '\0';
}
