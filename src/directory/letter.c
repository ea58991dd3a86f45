/* SPDX-License-Identifier: Apache-2.0 */
/* letter.c  See letter.h; the words stand in letter.def. */
#include "directory/letter.h"
#include <stdio.h>

enum word {
#define WORDS(id, ...) W_##id,
#include "directory/letter.def"
	N_WORDS
};
enum { LANGUAGES = 6 };
static const char *const tags[LANGUAGES] = { "en", "de", "fr", "es", "it", "nl" };
static const char *const words[N_WORDS][LANGUAGES] = {
#define WORDS(id, ...) [W_##id] = { __VA_ARGS__ },
#include "directory/letter.def"
};

static unsigned language_of(const struct dir_user *u, const struct cfg_dialplan *plan)
{
	const char *tag = *u->language || !plan ? u->language : plan->language;
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (text_starts_nocase(text_of(tag), tags[i]) && (!tag[2] || tag[2] == '-'))
			return i;
	return 0;
}

/* What stands before {}, or behind it. */
static struct text half(unsigned lang, enum word w, bool second)
{
	struct text t = text_of(words[w][lang]);
	size_t at = text_find_text(t, TEXT("{}"));
	if (at == SIZE_MAX)
		return second ? TEXT_NONE : t;
	return second ? text_skip(t, at + 2) : text_head(t, at);
}

static void say(struct buf *out, unsigned lang, enum word w, const char *value, const char *end)
{
	buf_text(out, half(lang, w, false));
	buf_str(out, value);
	buf_text(out, half(lang, w, true));
	buf_str(out, end);
}

static void say_all(struct buf *out, unsigned lang, enum word w, const struct cfg_strings *s)
{
	if (!s->n)
		return;
	buf_text(out, half(lang, w, false));
	for (size_t i = 0; i < s->n; i++) {
		buf_str(out, i ? ", " : "");
		buf_str(out, s->v[i]);
	}
	buf_text(out, half(lang, w, true));
	buf_char(out, '\n');
}

int dir_letter(struct buf *out, enum dir_letter kind, const struct dir_view *v, const struct dir_user *u, const char *pin)
{
	const struct cfg_policy *policy = dir_policy(v, u);
	const struct cfg_dialplan *plan = dir_dialplan(v, u);
	const char *text = kind == DIR_LETTER_WELCOME ? policy->texts.welcome : policy->texts.pin_reset;
	unsigned lang = language_of(u, plan);
	char digits[16];
	say(out, lang, W_FOR, u->display_name, "\n\n");
	say(out, lang, kind == DIR_LETTER_WELCOME ? W_NEW_BOX : W_NEW_PIN, "", "\n\n");
	if (*text) {
		buf_text(out, text_trim(text_of(text)));
		buf_str(out, "\n\n");
	}
	say_all(out, lang, W_EXTENSION, &u->extensions);
	say_all(out, lang, W_ADDRESS, &u->sip_uris);
	if (plan)
		say_all(out, lang, W_ACCESS, &plan->access_numbers);
	say(out, lang, kind == DIR_LETTER_WELCOME ? W_FIRST_PIN : W_LATER_PIN, pin, "\n\n");
	if (plan && plan->access_numbers.n)
		say(out, lang, W_CALL, plan->access_numbers.v[0], "\n");
	else
		say(out, lang, W_ASK_NUMBER, "", "\n");
	snprintf(digits, sizeof digits, "%u", policy->pin_min_length);
	say(out, lang, W_CHOOSE, digits, "\n");
	if (!policy->pin_allow_trivial)
		say(out, lang, W_NOT_SIMPLE, "", "\n");
	say(out, lang, W_SECRET, "", "\n");
	return buf_error(out);
}
