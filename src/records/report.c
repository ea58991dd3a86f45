/* SPDX-License-Identifier: Apache-2.0 */
/* report.c  The statements of reports. Figures of whole days come out of call_day, which stays small however many calls there are; what asks for
 * one mailbox or for times of a day is counted from the records, by an index. One job a question, one page at a time. */
#include "records/report.h"
#include <errno.h>
#include "base/mem.h"
#include "records/records_private.h"

struct question {
	struct report rep;
	report_h *h;
	void *arg;
	int64_t until_us; /* of records: the page's end */
	char behind[33];  /* by id: the end of those that begin so; statements hold texts by reference */
};

static const size_t row_size[] = { sizeof(struct report_calls), sizeof(struct record_item *), sizeof(struct report_step), sizeof(struct report_box) };

static void forget_rows(struct report *rep)
{
	if (rep->what == REPORT_RECORDS)
		for (size_t i = 0; i < rep->n; i++)
			mem_free(((struct record_item **)rep->rows)[i]);
	rep->n = 0;
}

/* Room for one more; it is zeroed. */
static void *add(struct report *rep)
{
	size_t size = row_size[rep->what];
	if (rep->n == rep->room) {
		size_t room = rep->room ? rep->room * 2 : 64;
		void *v = mem_realloc(rep->rows, room * size);
		if (!v)
			return NULL;
		rep->rows = v;
		rep->room = room;
	}
	void *row = (char *)rep->rows + rep->n * size;
	memset(row, 0, size);
	rep->n++;
	return row;
}

/* ---- which calls ---- */
/* ?1 since, ?2 until (not any more), ?3 gateway, ?4 dial plan, ?5 node, ?6 attendant, ?7 kind, ?8 mailbox */
#define FILTERS " r.started_us >= ?1 AND r.started_us < ?2 AND (?3 = '' OR r.gateway = ?3) AND (?4 = '' OR r.dialplan = ?4) AND (?5 = '' OR r.node = ?5)" \
	" AND (?6 = '' OR r.attendant = ?6) AND (?7 = '' OR r.kind = ?7)"
#define OF_ALL " FROM call_record r WHERE" FILTERS " AND ?8 = ''"
#define OF_ATTENDANT " FROM call_record r WHERE r.attendant = ?6 AND" FILTERS " AND ?8 = ''"
#define OF_MAILBOX " FROM call_box b JOIN call_record r ON r.id = b.record WHERE b.mailbox = ?8 AND b.started_us >= ?1 AND b.started_us < ?2 AND" FILTERS
#define WHO(f, until) (f)->since_us, (until) ? (until) : INT64_MAX, (f)->gateway, (f)->dialplan, (f)->node, (f)->attendant, (f)->kind, (f)->mailbox

static const char *of(const struct report_filter *f, const char *all, const char *attendant, const char *mailbox)
{
	return f->mailbox[0] ? mailbox : f->attendant[0] ? attendant : all;
}

/* ---- calls in figures ---- */
#define FIGURES "CAST(SUM(calls) AS BIGINT), CAST(SUM(duration_ms) AS BIGINT), CAST(SUM(received) AS BIGINT), CAST(SUM(lost) AS BIGINT)," \
	" CAST(SUM(n_jitter) AS BIGINT), CAST(SUM(jitter_us) AS BIGINT), CAST(SUM(n_round_trip) AS BIGINT), CAST(SUM(round_trip_us) AS BIGINT)," \
	" CAST(SUM(n_nmos) AS BIGINT), CAST(SUM(nmos_centi) AS BIGINT)"
#define KNOWN(column) "CAST(SUM(CASE WHEN r." column " >= 0 THEN r." column " ELSE 0 END) AS BIGINT)"
#define HEARD(column) "CAST(SUM(CASE WHEN r.received >= 0 AND r.lost >= 0 THEN r." column " ELSE 0 END) AS BIGINT)"
#define SINGLE "COUNT(*), CAST(SUM(r.duration_ms) AS BIGINT), " HEARD("received") ", " HEARD("lost") ", COUNT(CASE WHEN r.jitter_us >= 0 THEN 1 END), " \
	KNOWN("jitter_us") ", COUNT(CASE WHEN r.round_trip_us >= 0 THEN 1 END), " KNOWN("round_trip_us") ", COUNT(CASE WHEN r.nmos_centi >= 0 THEN 1 END), " \
	KNOWN("nmos_centi")

static int take_calls(struct report *rep, const struct db_rows *r, unsigned *periods)
{
	char period[11];
	db_col_copy(r, 0, period, sizeof period);
	const struct report_calls *last = rep->n ? &((struct report_calls *)rep->rows)[rep->n - 1] : NULL;
	if (!last || strcmp(last->period, period) != 0)
		++*periods;
	if (rep->f.limit && *periods > rep->f.limit)
		return ENOENT;
	struct report_calls *x = add(rep);
	if (!x)
		return ENOMEM;
	int64_t *const figure[] = { &x->calls, &x->duration_ms, &x->received, &x->lost, &x->n_jitter, &x->jitter_us, &x->n_round_trip, &x->round_trip_us,
		                    &x->n_nmos, &x->nmos_centi };
	text_fill(x->period, sizeof x->period, period);
	db_col_copy(r, 1, x->kind, sizeof x->kind);
	db_col_copy(r, 2, x->offer_result, sizeof x->offer_result);
	db_col_copy(r, 3, x->band, sizeof x->band);
	for (int i = 0; i < (int)(sizeof figure / sizeof *figure); i++)
		*figure[i] = db_col_int(r, 4 + i);
	return 0;
}

static int query_calls(struct db_tx *tx, struct report *rep, struct db_rows **rp, struct ev_report *why)
{
	const struct report_filter *f = &rep->f;
	int64_t letters = f->by == REPORT_DAY ? 10 : f->by == REPORT_MONTH ? 7 : 0; /* of the day */
#define BY " GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4"
	if (!f->mailbox[0] && !f->times)
		return db_query(tx, rp, why, "SELECT SUBSTR(day, 1, CAST(?1 AS INTEGER)), kind, offer_result, band, " FIGURES " FROM call_day WHERE day >= ?2 AND day < ?3"
			" AND (?4 = '' OR gateway = ?4) AND (?5 = '' OR dialplan = ?5) AND (?6 = '' OR node = ?6) AND (?7 = '' OR attendant = ?7)"
			" AND (?8 = '' OR kind = ?8)" BY, "isssssss", letters, f->since_day, f->until_day[0] ? f->until_day : "9999", f->gateway, f->dialplan,
			f->node, f->attendant, f->kind);
#define SINGLES "SELECT SUBSTR(r.day, 1, CAST(?9 AS INTEGER)), r.kind, r.offer_result, r.band, " SINGLE
	return db_query(tx, rp, why, of(f, SINGLES OF_ALL BY, SINGLES OF_ATTENDANT BY, SINGLES OF_MAILBOX BY), "iissssssi", WHO(f, f->until_us), letters);
}

static int work_calls(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct report *rep = &((struct question *)arg)->rep;
	struct db_rows *r;
	unsigned periods = 0;
	forget_rows(rep);
	int err = query_calls(tx, rep, &r, why);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = take_calls(rep, r, &periods)) == 0)
		;
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

/* ---- single calls ---- */
#define COLUMN_T(member, size) "r." #member ", "
#define COLUMN_I(member) "r." #member ", "
#define PAGE "SELECT " RECORD_FIELDS(COLUMN_T, COLUMN_I) "0"
#define BEHIND " AND (r.started_us < ?9 OR (r.started_us = ?9 AND r.id < ?10))"

static int take_record(struct report *rep, const struct db_rows *r)
{
	struct call_record x;
	int i = 0;
#define TAKE_T(member, size) db_col_copy(r, i++, x.member, sizeof x.member);
#define TAKE_I(member) x.member = db_col_int(r, i++);
	RECORD_FIELDS(TAKE_T, TAKE_I)
	struct record_item *it = record_item(&x, NULL, 0, NULL, 0), **at = it ? add(rep) : NULL;
	if (!at) {
		mem_free(it);
		return ENOMEM;
	}
	*at = it;
	return 0;
}

static int take_steps(struct db_tx *tx, struct record_item **itp, struct ev_report *why)
{
	struct call_step step[RECORD_STEPS];
	struct db_rows *r;
	unsigned n = 0;
	int err = db_query(tx, &r, why, "SELECT at_ms, attendant, menu, what, value, target FROM call_step WHERE record = ?1 ORDER BY seq", "s", (*itp)->r.id);
	if (err)
		return err;
	while (n < RECORD_STEPS && (err = db_step(r, why)) == 0) {
		struct call_step *s = &step[n++];
		*s = (struct call_step){ .at_ms = db_col_int(r, 0) };
		db_col_copy(r, 1, s->attendant, sizeof s->attendant);
		db_col_copy(r, 2, s->menu, sizeof s->menu);
		db_col_copy(r, 3, s->what, sizeof s->what);
		db_col_copy(r, 4, s->value, sizeof s->value);
		db_col_copy(r, 5, s->target, sizeof s->target);
	}
	db_rows_close(r);
	struct record_item *whole = err && err != ENOENT ? NULL : record_item(&(*itp)->r, NULL, 0, step, n);
	if (!whole)
		return err && err != ENOENT ? err : ENOMEM;
	mem_free(*itp);
	*itp = whole;
	return 0;
}

static int query_records(struct db_tx *tx, const struct question *q, struct db_rows **rp, struct ev_report *why)
{
	const struct report_filter *f = &q->rep.f;
	int64_t most = f->limit && f->limit < REPORT_PAGE ? f->limit : REPORT_PAGE;
	if (f->id[0]) /* by the primary key; a database may sort by another alphabet than ours, but letters are behind digits in all of them */
		return db_query(tx, rp, why, PAGE " FROM call_record r WHERE r.id >= ?1 AND r.id <= ?2 AND SUBSTR(r.id, 1, LENGTH(?1)) = ?1 ORDER BY r.id LIMIT 2", "ss", f->id, q->behind);
	return db_query(tx, rp, why, of(f, PAGE OF_ALL BEHIND " ORDER BY r.started_us DESC, r.id DESC LIMIT ?11",
		PAGE OF_ATTENDANT BEHIND " ORDER BY r.started_us DESC, r.id DESC LIMIT ?11", PAGE OF_MAILBOX BEHIND " ORDER BY b.started_us DESC, b.record DESC LIMIT ?11"),
		"iissssssisi", WHO(f, q->until_us), f->before_us ? f->before_us : INT64_MAX, f->before_id, most);
}

static int work_records(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct question *q = arg;
	struct report *rep = &q->rep;
	struct db_rows *r;
	forget_rows(rep);
	int err = query_records(tx, q, &r, why);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = take_record(rep, r)) == 0)
		;
	db_rows_close(r);
	struct record_item **v = rep->rows;
	for (size_t i = 0; err == ENOENT && i < rep->n; i++)
		if (v[i]->r.steps > 0 && (err = take_steps(tx, &v[i], why)) == 0)
			err = ENOENT;
	return err == ENOENT ? 0 : err;
}

/* ---- attendants ---- */
static int take_step(struct report *rep, const struct db_rows *r, int64_t *left)
{
	if (!(*left)--)
		return ENOENT;
	struct report_step *s = add(rep);
	if (!s)
		return ENOMEM;
	db_col_copy(r, 0, s->attendant, sizeof s->attendant);
	db_col_copy(r, 1, s->menu, sizeof s->menu);
	db_col_copy(r, 2, s->what, sizeof s->what);
	db_col_copy(r, 3, s->value, sizeof s->value);
	db_col_copy(r, 4, s->target, sizeof s->target);
	s->count = db_col_int(r, 5);
	s->calls = db_col_int(r, 6);
	return 0;
}

static int steps(struct db_tx *tx, struct report *rep, const char *all, const char *one, struct ev_report *why)
{
	const struct report_filter *f = &rep->f;
	int64_t until_us = f->until_us ? f->until_us : INT64_MAX, left = REPORT_STEPS_MAX;
	struct db_rows *r;
	int err = f->attendant[0] ? db_query(tx, &r, why, one, "iis", f->since_us, until_us, f->attendant) : db_query(tx, &r, why, all, "ii", f->since_us, until_us);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = take_step(rep, r, &left)) == 0)
		;
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

#define IN_TIME " FROM call_step WHERE started_us >= ?1 AND started_us < ?2"
#define OF_ONE " AND attendant = ?3"
#define WHOLE "SELECT attendant, '', '', '', '', COUNT(*), COUNT(DISTINCT record)"
#define MENUS "SELECT attendant, menu, '', '', '', COUNT(*), COUNT(DISTINCT record)"
#define EACH "SELECT attendant, menu, what, value, target, COUNT(*), COUNT(DISTINCT record)"
#define WHOLE_BY " GROUP BY attendant ORDER BY attendant"
#define MENUS_BY " GROUP BY attendant, menu ORDER BY attendant, menu"
#define EACH_BY " AND what <> 'entered' GROUP BY attendant, menu, what, value, target ORDER BY attendant, menu, what, COUNT(*) DESC, value, target LIMIT 5000"

static int work_attendants(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct report *rep = &((struct question *)arg)->rep;
	forget_rows(rep);
	int err = steps(tx, rep, WHOLE IN_TIME WHOLE_BY, WHOLE IN_TIME OF_ONE WHOLE_BY, why);
	if (!err)
		err = steps(tx, rep, MENUS IN_TIME MENUS_BY, MENUS IN_TIME OF_ONE MENUS_BY, why);
	return err ? err : steps(tx, rep, EACH IN_TIME EACH_BY, EACH IN_TIME OF_ONE EACH_BY, why);
}

/* ---- mailboxes ---- */
static int take_box(struct report *rep, const struct db_rows *r)
{
	struct report_box *b = add(rep);
	if (!b)
		return ENOMEM;
	int64_t *const figure[] = { &b->called, &b->messages, &b->missed, &b->logons, &b->failed, &b->last_message_us, &b->last_logon_us };
	db_col_copy(r, 0, b->mailbox, sizeof b->mailbox);
	for (int i = 0; i < (int)(sizeof figure / sizeof *figure); i++)
		*figure[i] = db_col_int(r, 1 + i);
	return 0;
}

static int work_mailboxes(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct report *rep = &((struct question *)arg)->rep;
	const struct report_filter *f = &rep->f;
	int64_t until_us = f->until_us ? f->until_us : INT64_MAX;
	struct db_rows *r;
	forget_rows(rep);
#define BOXES "SELECT mailbox, CAST(SUM(called) AS BIGINT), CAST(SUM(messages) AS BIGINT), CAST(SUM(missed) AS BIGINT), CAST(SUM(logons) AS BIGINT)," \
	" CAST(SUM(failed) AS BIGINT), MAX(CASE WHEN messages > 0 THEN started_us ELSE 0 END), MAX(CASE WHEN logons > 0 THEN started_us ELSE 0 END)" \
	" FROM call_box WHERE started_us >= ?1 AND started_us < ?2"
	int err = f->mailbox[0] ? db_query(tx, &r, why, BOXES " AND mailbox = ?3 GROUP BY mailbox", "iis", f->since_us, until_us, f->mailbox)
	                        : db_query(tx, &r, why, BOXES " AND mailbox > ?3 GROUP BY mailbox ORDER BY mailbox LIMIT ?4", "iisi", f->since_us, until_us,
		                                   f->after_mailbox, (int64_t)REPORT_BOXES_PAGE);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = take_box(rep, r)) == 0)
		;
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

/* ---- loop ---- */
static void answered(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct question *q = arg;
	(void)result;
	if (err)
		forget_rows(&q->rep);
	q->h(&q->rep, err, why, q->arg);
	forget_rows(&q->rep);
	mem_free(q->rep.rows);
	mem_free(q);
}

int report_ask(struct records *rs, enum report_what what, const struct report_filter *f, report_h *h, void *arg)
{
	static store_work_h *const works[] = { work_calls, work_records, work_attendants, work_mailboxes };
	struct question *q = mem_zalloc(1, sizeof *q);
	if (!q)
		return ENOMEM;
	q->rep.f = *f;
	q->rep.what = what;
	q->until_us = f->until_us;
	if (f->before_us && (!q->until_us || f->before_us < q->until_us))
		q->until_us = f->before_us + 1; /* so that the index begins there */
	size_t n = strlen(f->id);
	memcpy(q->behind, f->id, n);
	memset(q->behind + n, 'z', sizeof q->behind - 1 - n);
	q->h = h;
	q->arg = arg;
	int err = store_submit(rs->prm.store, STORE_READ, works[what], answered, q);
	if (err)
		mem_free(q);
	return err;
}
