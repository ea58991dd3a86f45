/* SPDX-License-Identifier: Apache-2.0 */
/* away.c  The temporary greeting off, or on until the end of a day that its owner enters: as a number of days, today being the first, or as
 * day and month, two digits each. The day is said back before it counts. Days are those of the owner's own clock.       */
#include "config/zone.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, ASK, JUDGED, CONFIRM, SET };
enum { DAY_S = 86400, DAYS_MAX = 366 };

/* ---- which day ---- */
static int64_t offset(const struct dlg_session *s, int64_t when_s)
{
	return s->fx->offset_s(s->fx_arg, when_s);
}

static int64_t day_now(const struct dlg_session *s)
{
	int64_t now = s->fx->now_s(s->fx_arg);
	return (now + offset(s, now)) / DAY_S;
}

static unsigned number(const char *p, unsigned n)
{
	unsigned value = 0;
	while (n--)
		value = value * 10 + (unsigned)(*p++ - '0');
	return value;
}

/* The next such day, today included; -1: there is none within a year. */
static int64_t day_of_date(int64_t today, unsigned day, unsigned month)
{
	if (month < 1 || month > 12)
		return -1;
	int32_t this_year = zone_date_of(today).year;
	for (int32_t year = this_year; year <= this_year + 1; year++) {
		int64_t d = zone_day_of(year, (int32_t)month, (int32_t)day);
		struct zone_date back = zone_date_of(d); /* 31 November is none */
		if (back.month == (int32_t)month && back.day == (int32_t)day && d >= today && d < today + DAYS_MAX)
			return d;
	}
	return -1;
}

/* The last second of that day. */
static int64_t end_of(const struct dlg_session *s, int64_t day)
{
	int64_t local = day * DAY_S + DAY_S - 1, utc = local - offset(s, local);
	return local - offset(s, utc);
}

/* ---- guards ---- */
static bool is_away(const struct dlg_session *s)
{
	return s->phone.away;
}

static bool is_not_away(const struct dlg_session *s)
{
	return !s->phone.away;
}

static bool has_end(const struct dlg_session *s)
{
	return s->phone.away && s->phone.away_until_us;
}

static bool unrecorded(const struct dlg_session *s)
{
	return s->phone.away && !(s->phone.recorded & 1u << MBOX_G_AWAY);
}

static bool a_day(const struct dlg_session *s)
{
	return s->phone.away_until_us != 0;
}

/* ---- actions ---- */
static int off(struct dlg_session *s)
{
	s->phone.away_wanted = false;
	s->phone.away_until_us = 0;
	return 0;
}

static int without_end(struct dlg_session *s)
{
	s->phone.away_wanted = true;
	s->phone.away_until_us = 0;
	return 0;
}

static int judge(struct dlg_session *s)
{
	int64_t now = day_now(s), day = -1;
	unsigned n = number(s->digits, s->n_digits <= 4 ? s->n_digits : 0);
	if (s->n_digits == 4)
		day = day_of_date(now, n / 100, n % 100);
	else if (n >= 1 && n <= DAYS_MAX)
		day = now + n - 1;
	s->phone.away_wanted = true;
	s->phone.away_until_us = day < 0 ? 0 : end_of(s, day) * 1000000;
	return 0;
}

static int set(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->away(s->fx_arg, dlg_job(&s->eng), s->phone.away_wanted, s->phone.away_until_us);
}

/* ---- what is said ---- */
static int64_t until_s(const struct dlg_session *s)
{
	return s->phone.away_until_us / 1000000;
}

static const struct dlg_phrase ask_end[] = { SAY(P_AWAY_ASK), SAY_END };
static const struct dlg_phrase say_no_day[] = { SAY(P_AWAY_NO_DAY), SAY_END };
static const struct dlg_phrase say_no_day_end[] = { SAY(P_AWAY_NO_DAY), SAY(P_NOTHING_CHANGED), SAY_END };
static const struct dlg_phrase say_until[] = { SAY(P_AWAY_UNTIL), SAY_WHEN(until_s), SAY_PAUSE(300), SAY(P_AWAY_RIGHT), SAY_END };
static const struct dlg_phrase say_set[] = {
	SAY_IF(is_away, P_AWAY_ON), SAY_IF(has_end, P_AWAY_UNTIL), { .kind = DLG_W_WHEN, .number = until_s, .only_if = has_end },
	SAY_IF(is_not_away, P_AWAY_OFF), SAY_IF(unrecorded, P_AWAY_NOT_RECORDED), SAY_END,
};
static const struct dlg_phrase say_nothing[] = { SAY(P_NOTHING_CHANGED), SAY_END };
static const struct dlg_phrase say_not_set[] = { SAY(P_CHOICE_FAILED), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[ASK] = { "ask for its end", ask_end, &dlg_entry, 0, 0 },
	[JUDGED] = { "which day", NULL, NULL, 0, 0 },
	[CONFIRM] = { "say it back", say_until, NULL, 6000, 0 },
	[SET] = { "set", NULL, NULL, 8000, 0 },
};

static const struct dlg_row rows[] = {
	/* in       when             if                    do                     go                 said before */
	{ START,   ENTER,           IF(is_away),          DO(off),               SET },
	{ START,   ENTER,           ALWAYS,               NOTHING,               ASK },
	{ ASK,     RESULT(R_OK),    ALWAYS,               DO(judge),             JUDGED },
	{ ASK,     RESULT(R_EMPTY), ALWAYS,               DO(without_end),       SET },
	{ ASK,     RESULT(R_BACK),  ALWAYS,               NOTHING,               RETURN(R_BACK),    say_nothing },
	{ ASK,     ANY_RESULT,      IF(dlg_last_failure), NOTHING,               RETURN(R_BACK),    say_nothing },
	{ ASK,     ANY_RESULT,      ALWAYS,               DO(dlg_count_failure), ASK,               dlg_say_no_input },
	{ JUDGED,  ENTER,           IF(a_day),            NOTHING,               CONFIRM },
	{ JUDGED,  ENTER,           IF(dlg_last_failure), NOTHING,               RETURN(R_BACK),    say_no_day_end, true },
	{ JUDGED,  ENTER,           ALWAYS,               DO(dlg_count_failure), ASK,               say_no_day, true },
	{ CONFIRM, KEYS("1"),       ALWAYS,               NOTHING,               SET },
	{ CONFIRM, KEYS("#"),       ALWAYS,               NOTHING,               SET },
	{ CONFIRM, KEYS("2"),       ALWAYS,               NOTHING,               ASK },
	{ CONFIRM, KEYS("*"),       ALWAYS,               NOTHING,               RETURN(R_BACK),    say_nothing },
	{ CONFIRM, WRONG,           IF(dlg_last_failure), NOTHING,               RETURN(R_BACK),    say_nothing, true },
	{ CONFIRM, WRONG,           ALWAYS,               DO(dlg_count_failure), CONFIRM,           dlg_say_invalid, true },
	{ CONFIRM, TIMEOUT,         IF(dlg_last_failure), NOTHING,               RETURN(R_BACK),    say_nothing },
	{ CONFIRM, TIMEOUT,         ALWAYS,               DO(dlg_count_failure), CONFIRM },
	{ SET,     ENTER,           ALWAYS,               DO(set),               STAY },
	{ SET,     DONE,            ALWAYS,               NOTHING,               RETURN(R_OK),      say_set },
	{ SET,     FAILED,          ALWAYS,               NOTHING,               RETURN(R_FAILED),  say_not_set, true },
	{ SET,     TIMEOUT,         ALWAYS,               NOTHING,               RETURN(R_FAILED),  say_not_set, true },
};

const struct dlg_table dlg_away = { "away", "Temporary greeting", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
