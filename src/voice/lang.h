/* SPDX-License-Identifier: Apache-2.0 */
/* lang.h  The grammar of a language: how numbers, counted things, dates and times are put together out of prompts. One small file a
 * language (lang_en.c ...); what several share is in lang.c. Words are never here: they are prompts, so a set may be recorded anew
 * without touching a rule. Loop thread.                                                                                  */
#ifndef VOICE_LANG_H
#define VOICE_LANG_H
#include <stdint.h>
#include <time.h>

struct say_seq;

/* Whether a number stands alone or before a noun: "uno", "un mensaje", "una hora". */
enum lang_gender { LANG_ALONE, LANG_MASCULINE, LANG_FEMININE };

struct lang {
	const char *code; /* the primary subtag: "de" */
	unsigned hours;   /* times are told in 12 or 24, where nobody chose */
	void (*number)(struct say_seq *q, uint32_t n, enum lang_gender g); /* n up to LANG_NUMBER_MAX */
	/* "no messages", "one new message", "four new messages"; adjective may be NULL; n up to LANG_NUMBER_MAX. */
	void (*count)(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural);
	void (*no_time)(struct say_seq *q);                          /* a duration of nothing: "zero seconds" */
	void (*clock)(struct say_seq *q, const struct tm *tm);       /* "three oh five p m" */
	void (*date)(struct say_seq *q, const struct tm *tm);        /* "Monday, June second" */
	/* "today at ...", "yesterday at ...", "Monday at ..." within a week, else "June second at ..."; days_ago below 0 is the future. */
	void (*when)(struct say_seq *q, const struct tm *tm, int64_t days_ago);
};
enum { LANG_NUMBER_MAX = 999999999 };

extern const struct lang lang_en, lang_de, lang_fr, lang_es, lang_it, lang_nl;
/* By a language tag (RFC 5646), "de-AT": by its primary subtag. English where there are no rules for it; never NULL. */
const struct lang *lang_find(const char *tag);

/* ---- shared by the languages other than English: everything but numbers is phrases that stand whole in the set ----
 * counted/<adjective>-<noun>/none|one|other, hours/H, at-hours/H, minutes/M, days/D, on-days/D, on-day-W (W 0 is Sunday), and behind a
 * time of twelve hours day-part/midnight|night|morning|noon|afternoon|early-evening|evening|late. */
void lang_count(struct say_seq *q, uint32_t n, enum lang_gender g, const char *adjective, const char *singular);
void lang_no_time(struct say_seq *q);
void lang_clock(struct say_seq *q, const struct tm *tm);
void lang_date(struct say_seq *q, const struct tm *tm);
void lang_when(struct say_seq *q, const struct tm *tm, int64_t days_ago);
/* "two hundred forty three" of digits/N (N below 100) and digits/hundred, one hundred being that word alone; 0 to 999. Gender changes nothing. */
void lang_plain_below_1000(struct say_seq *q, unsigned n, enum lang_gender g);
/* Counts of languages in which what is counted does not change the number. */
void lang_plain_count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural);
/* A prompt whose name is printed: "digits/%u", n. */
void lang_print(struct say_seq *q, const char *fmt, unsigned n);
/* Millions, thousands, the rest, by a language's words: "<million>" for exactly one, else number and "<millions>"; then `thousands` and
 * `below`, each given 1 to 999. */
typedef void (lang_part_h)(struct say_seq *q, unsigned n, enum lang_gender g);
void lang_groups(struct say_seq *q, uint32_t n, enum lang_gender g, lang_part_h *thousands, lang_part_h *below);

#endif
