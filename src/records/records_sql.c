/* SPDX-License-Identifier: Apache-2.0 */
/* records_sql.c  Writing and deleting records; runs in store threads and may run more than once: what is there already is left as it is, and
 * counts in the figures of its day only once.                                                                            */
#include <errno.h>
#include "records/records_private.h"

static int64_t known(int64_t figure)
{
	return figure > 0 ? figure : 0;
}

static int write_record(struct db_tx *tx, const struct call_record *r, struct ev_report *why)
{
	return db_exec(tx, why,
		"INSERT INTO call_record (id, parent, call_id, node, started_us, day, duration_ms, kind, direction, transport, gateway, gateway_address, dialplan,"
		" called, caller, caller_name, dialled, offer_result, drop_reason, reason, caller_mailbox, callee_mailbox, attendant, transferred_to, codec, band,"
		" received, lost, peer_lost, jitter_us, round_trip_us, nmos_centi, degradation_centi, degradation_jitter_centi, degradation_loss_centi,"
		" burst_density_centi, burst_gap_ms, steps, steps_lost, keys, srtp) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
		" ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41) ON CONFLICT (id) DO NOTHING",
		"ssssisi" "sssssssssssssssssss" "iiiiiiiiiiiii" "ss",
#define VALUE_T(member, size) r->member,
#define VALUE_I(member) r->member,
		RECORD_FIELDS(VALUE_T, VALUE_I) 0);
}

/* What records add to one row of a day's figures. */
struct day_sum {
	int64_t calls, duration_ms, received, lost, n_jitter, jitter_us, n_round_trip, round_trip_us, n_nmos, nmos_centi;
};

static void day_add(struct day_sum *s, const struct call_record *r)
{
	bool heard = r->received >= 0 && r->lost >= 0;
	s->calls++;
	s->duration_ms += r->duration_ms;
	s->received += heard ? r->received : 0;
	s->lost += heard ? r->lost : 0;
	s->n_jitter += r->jitter_us >= 0;
	s->jitter_us += known(r->jitter_us);
	s->n_round_trip += r->round_trip_us >= 0;
	s->round_trip_us += known(r->round_trip_us);
	s->n_nmos += r->nmos_centi >= 0;
	s->nmos_centi += known(r->nmos_centi);
}

/* The key of call_day. */
static bool same_row(const struct call_record *a, const struct call_record *b)
{
	return !strcmp(a->day, b->day) && !strcmp(a->node, b->node) && !strcmp(a->gateway, b->gateway) && !strcmp(a->dialplan, b->dialplan) &&
	       !strcmp(a->attendant, b->attendant) && !strcmp(a->kind, b->kind) && !strcmp(a->offer_result, b->offer_result) && !strcmp(a->band, b->band);
}

static int write_day(struct db_tx *tx, const struct call_record *r, const struct day_sum *s, struct ev_report *why)
{
	return db_exec(tx, why,
		"INSERT INTO call_day (day, node, gateway, dialplan, attendant, kind, offer_result, band, calls, duration_ms, received, lost, n_jitter, jitter_us,"
		" n_round_trip, round_trip_us, n_nmos, nmos_centi) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
		" ON CONFLICT (day, node, gateway, dialplan, attendant, kind, offer_result, band) DO UPDATE SET calls = call_day.calls + excluded.calls,"
		" duration_ms = call_day.duration_ms + excluded.duration_ms, received = call_day.received + excluded.received, lost = call_day.lost + excluded.lost,"
		" n_jitter = call_day.n_jitter + excluded.n_jitter, jitter_us = call_day.jitter_us + excluded.jitter_us,"
		" n_round_trip = call_day.n_round_trip + excluded.n_round_trip, round_trip_us = call_day.round_trip_us + excluded.round_trip_us,"
		" n_nmos = call_day.n_nmos + excluded.n_nmos, nmos_centi = call_day.nmos_centi + excluded.nmos_centi",
		"ssssssssiiiiiiiiii", r->day, r->node, r->gateway, r->dialplan, r->attendant, r->kind, r->offer_result, r->band, s->calls, s->duration_ms,
		s->received, s->lost, s->n_jitter, s->jitter_us, s->n_round_trip, s->round_trip_us, s->n_nmos, s->nmos_centi);
}

/* Most records of a batch fall to the same few rows: each row is written once. */
static int write_days(struct db_tx *tx, struct list *items, struct ev_report *why)
{
	int err = 0;
	for (struct link *at = items->head.next; !err && at != &items->head; at = at->next) {
		const struct record_item *first = LIST_ENTRY(at, struct record_item, link);
		struct day_sum sum = { 0 };
		for (struct link *l = first->fresh ? at : &items->head; l != &items->head; l = l->next) {
			struct record_item *it = LIST_ENTRY(l, struct record_item, link);
			if (!it->fresh || !same_row(&first->r, &it->r))
				continue;
			day_add(&sum, &it->r);
			it->fresh = false;
		}
		if (sum.calls)
			err = write_day(tx, &first->r, &sum, why);
	}
	return err;
}

static int write_step(struct db_tx *tx, const struct call_record *r, unsigned i, const struct call_step *s, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO call_step (record, seq, started_us, at_ms, attendant, menu, what, value, target)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (record, seq) DO NOTHING", "siiisssss", r->id, (int64_t)i, r->started_us, s->at_ms,
		s->attendant, s->menu, s->what, s->value, s->target);
}

static int write_box(struct db_tx *tx, const struct call_record *r, const struct call_box *b, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO call_box (record, mailbox, started_us, called, messages, missed, logons, failed)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (record, mailbox) DO NOTHING", "ssiiiiii", r->id, b->mailbox, r->started_us,
		(int64_t)b->called, (int64_t)b->message, (int64_t)b->missed, (int64_t)b->logons, (int64_t)b->failed);
}

static int write_one(struct db_tx *tx, struct record_item *it, struct ev_report *why)
{
	int err = write_record(tx, &it->r, why);
	it->fresh = !err && db_changes(tx);
	for (unsigned i = 0; it->fresh && !err && i < it->n_boxes; i++)
		err = write_box(tx, &it->r, &it->box[i], why);
	for (unsigned i = 0; it->fresh && !err && i < it->n_steps; i++)
		err = write_step(tx, &it->r, i, &it->step[i], why);
	return err;
}

int records_write(struct db_tx *tx, struct list *items, struct ev_report *why)
{
	int err = 0;
	LIST_FOREACH(items, it) {
		err = write_one(tx, LIST_ENTRY(it, struct record_item, link), why);
		if (err)
			return err;
	}
	return write_days(tx, items, why);
}

/* By time alone, which all three tables have: what another node writes or sweeps between two statements leaves no steps or boxes without their
 * record, or the next sweep takes them. Those that began in the same microsecond go together. */
int records_sweep(struct db_tx *tx, int64_t before_us, int64_t *n, struct ev_report *why)
{
	struct db_rows *r;
	*n = 0;
	int err = db_query_one(tx, &r, why, "SELECT started_us FROM call_record WHERE started_us < ?1 ORDER BY started_us LIMIT 1 OFFSET ?2", "ii", before_us,
		(int64_t)RECORDS_SWEEP_ROWS - 1);
	if (!err) {
		before_us = db_col_int(r, 0) + 1;
		db_rows_close(r);
	} else if (err == ENOENT) {
		err = 0; /* fewer: all of them */
	}
	if (!err)
		err = db_exec(tx, why, "DELETE FROM call_step WHERE started_us < ?1", "i", before_us);
	if (!err)
		err = db_exec(tx, why, "DELETE FROM call_box WHERE started_us < ?1", "i", before_us);
	if (!err)
		err = db_exec(tx, why, "DELETE FROM call_record WHERE started_us < ?1", "i", before_us);
	if (!err)
		*n = db_changes(tx);
	return err;
}
