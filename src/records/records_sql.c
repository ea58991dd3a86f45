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

static int write_day(struct db_tx *tx, const struct call_record *r, struct ev_report *why)
{
	bool heard = r->received >= 0 && r->lost >= 0;
	return db_exec(tx, why,
		"INSERT INTO call_day (day, node, gateway, dialplan, attendant, kind, offer_result, band, calls, duration_ms, received, lost, n_jitter, jitter_us,"
		" n_round_trip, round_trip_us, n_nmos, nmos_centi) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
		" ON CONFLICT (day, node, gateway, dialplan, attendant, kind, offer_result, band) DO UPDATE SET calls = call_day.calls + 1,"
		" duration_ms = call_day.duration_ms + excluded.duration_ms, received = call_day.received + excluded.received, lost = call_day.lost + excluded.lost,"
		" n_jitter = call_day.n_jitter + excluded.n_jitter, jitter_us = call_day.jitter_us + excluded.jitter_us,"
		" n_round_trip = call_day.n_round_trip + excluded.n_round_trip, round_trip_us = call_day.round_trip_us + excluded.round_trip_us,"
		" n_nmos = call_day.n_nmos + excluded.n_nmos, nmos_centi = call_day.nmos_centi + excluded.nmos_centi",
		"ssssssssiiiiiiiii", r->day, r->node, r->gateway, r->dialplan, r->attendant, r->kind, r->offer_result, r->band, r->duration_ms,
		heard ? r->received : (int64_t)0, heard ? r->lost : (int64_t)0, (int64_t)(r->jitter_us >= 0), known(r->jitter_us),
		(int64_t)(r->round_trip_us >= 0), known(r->round_trip_us), (int64_t)(r->nmos_centi >= 0), known(r->nmos_centi));
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

int records_write_one(struct db_tx *tx, const struct record_item *it, struct ev_report *why)
{
	int err = write_record(tx, &it->r, why);
	if (err || !db_changes(tx))
		return err;
	err = write_day(tx, &it->r, why);
	for (unsigned i = 0; !err && i < it->n_boxes; i++)
		err = write_box(tx, &it->r, &it->box[i], why);
	for (unsigned i = 0; !err && i < it->n_steps; i++)
		err = write_step(tx, &it->r, i, &it->step[i], why);
	return err;
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
