/* SPDX-License-Identifier: Apache-2.0 */
/* logon.c  A try with a PIN, from the store over the crypto pool and back.
 *
 *   reserve (store: failures + 1, unless locked) -> judge (pool: Argon2id) -> settle (store: 0 again, or locked) -> handler
 *
 * The try is counted before it is judged, so that many callers at once on many nodes get no more tries than one caller. */
#include <errno.h>
#include "directory/dir_private.h"
#include "directory_events.h"

struct logon {
	struct op op;
	struct dir *d; /* a reference */
	char mailbox[65], session[EV_SESSION_SIZE];
	char pin[DIR_PIN_SIZE], hash[DIR_PIN_HASH_SIZE];
	bool nobody, right, must_change;
	int64_t deadline_ms; /* of setting a PIN: not begun to be written then, it is not written */
	int64_t tries_max, lifetime_us, changed_us; /* lifetime 0: for ever */
	struct dir_logon_result result;
	bool settled; /* the outcome stands without judging */
	bool locked_now; /* by this try */
	/* setting a PIN */
	enum dir_pin_rule rule;
	uint32_t history; /* how many must differ from it, the present one among them */
	char (*former)[DIR_PIN_HASH_SIZE];
	uint32_t n_former;
	/* status */
	struct dir_pin_status status;
};

static struct logon *logon_new(struct dir *d, const char *mailbox, struct text pin)
{
	struct logon *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->d = mem_ref(d);
	text_fill(l->mailbox, sizeof l->mailbox, mailbox);
	for (char *p = l->mailbox; *p; p++)
		*p = text_lower(*p);
	if (text_copy(pin, l->pin, sizeof l->pin))
		text_fill(l->pin, sizeof l->pin, "-"); /* longer than any PIN: wrong */
	return l;
}

static void logon_free(struct logon *l)
{
	op_remove(&l->op);
	mem_unref(l->d);
	mem_free(l->former);
	mem_free_secret(l, sizeof *l);
}

static void emit(struct dir *d, uint16_t id, const char *mailbox, int64_t failures, const char *session)
{
	struct ev_report *r = d->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, id);
	ev_session(r, session);
	ev_str(r, "mailbox", mailbox);
	ev_int(r, "failures", failures);
	ev_emit(d->prm.bus, r);
	mem_free(r);
}

static void end(struct logon *l, enum dir_logon outcome, const struct ev_report *why)
{
	static const struct ev_report nothing;
	if (l->locked_now && outcome == DIR_LOGON_LOCKED)
		emit(l->d, EV_PIN_LOCKED, l->mailbox, l->result.failures, l->session);
	l->result.outcome = outcome;
	int64_t left = l->tries_max - (int64_t)l->result.failures;
	l->result.left = left > 0 ? (uint32_t)left : 0;
	if (outcome == DIR_LOGON_OK || outcome == DIR_LOGON_MUST_CHANGE)
		emit(l->d, EV_LOGON, l->mailbox, 0, l->session);
	if (l->op.h)
		((dir_logon_h *)l->op.h)(&l->result, why ? why : &nothing, l->op.arg);
	logon_free(l);
}

/* ---- reserve ---- */

static int read_pin(struct db_tx *tx, struct logon *l, bool *locked, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT hash, must_change, failures, locked, changed_us FROM pin WHERE mailbox = ?1", "s", l->mailbox);
	if (err)
		return err;
	db_col_copy(r, 0, l->hash, sizeof l->hash);
	l->must_change = db_col_int(r, 1) != 0;
	l->result.failures = (uint32_t)db_col_int(r, 2);
	*locked = db_col_int(r, 3) != 0;
	l->changed_us = db_col_int(r, 4);
	db_rows_close(r);
	return 0;
}

static int reserve_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct logon *l = arg;
	bool locked = false;
	l->settled = l->locked_now = false;
	int err = read_pin(tx, l, &locked, why);
	if (err == ENOENT || (!err && !l->hash[0])) {
		l->settled = true;
		l->result.outcome = DIR_LOGON_NO_PIN;
		return 0;
	}
	if (!err && !locked) {
		err = db_exec(tx, why, "UPDATE pin SET failures = failures + 1 WHERE mailbox = ?1 AND locked = 0 AND failures < ?2", "si", l->mailbox, l->tries_max);
		if (!err && db_changes(tx)) {
			l->result.failures++;
			return 0;
		}
	}
	if (!err && !locked) { /* tries that are not settled yet, or never were, used them up */
		err = db_exec(tx, why, "UPDATE pin SET locked = 1 WHERE mailbox = ?1 AND locked = 0", "s", l->mailbox);
		l->locked_now = !err && db_changes(tx) > 0;
	}
	l->settled = true;
	l->result.outcome = DIR_LOGON_LOCKED;
	return err;
}

/* ---- settle ---- */

static int settle_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct logon *l = arg;
	bool locked = false;
	int err;
	if (l->right) {
		bool old = l->lifetime_us && clock_real_us(db_clock(tx)) - l->changed_us > l->lifetime_us;
		err = db_exec(tx, why, "UPDATE pin SET failures = 0, logon_us = ?1 WHERE mailbox = ?2 AND locked = 0", "is", clock_real_us(db_clock(tx)), l->mailbox);
		if (!err && db_changes(tx))
			l->result = (struct dir_logon_result){ .outcome = l->must_change || old ? DIR_LOGON_MUST_CHANGE : DIR_LOGON_OK };
		else
			l->result.outcome = DIR_LOGON_LOCKED; /* others locked it meanwhile */
		return err;
	}
	err = db_exec(tx, why, "UPDATE pin SET locked = 1 WHERE mailbox = ?1 AND locked = 0 AND failures >= ?2", "si", l->mailbox, l->tries_max);
	l->locked_now = !err && db_changes(tx) > 0;
	if (!err)
		err = read_pin(tx, l, &locked, why);
	l->result.outcome = locked ? DIR_LOGON_LOCKED : DIR_LOGON_WRONG;
	return err;
}

static void settled(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct logon *l = arg;
	(void)err;
	end(l, result == STORE_DONE ? l->result.outcome : DIR_LOGON_FAILED, why);
}

/* ---- judge ---- */

static int judge_work(void *arg)
{
	struct logon *l = arg;
	char other[DIR_PIN_HASH_SIZE];
	if (l->nobody)
		return dir_pin_hash(text_of(l->pin), l->d->prm.cheap_hash, other);
	int err = dir_pin_verify(text_of(l->pin), l->hash);
	l->right = err == 0;
	return err == EACCES ? 0 : err;
}

static void judged(enum pool_result result, int err, void *arg)
{
	struct logon *l = arg;
	(void)err;
	if (l->nobody && result == POOL_DONE)
		end(l, DIR_LOGON_WRONG, NULL);
	else if (result != POOL_DONE || l->d->closed || store_submit(l->d->prm.store, STORE_WRITE, settle_work, settled, l))
		end(l, DIR_LOGON_FAILED, NULL);
}

static void reserved(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct logon *l = arg;
	(void)err;
	if (result != STORE_DONE)
		end(l, DIR_LOGON_FAILED, why);
	else if (l->settled)
		end(l, l->result.outcome, NULL);
	else if (l->d->closed || pool_submit(l->d->prm.crypto, judge_work, judged, l))
		end(l, DIR_LOGON_FAILED, NULL);
}

int dir_logon(struct dir *d, const struct dir_user *user, struct text pin, const char *session, dir_logon_h *h, void *arg, uint64_t *handle)
{
	struct logon *l = logon_new(d, user->name, pin);
	if (!l)
		return ENOMEM;
	text_fill(l->session, sizeof l->session, session ? session : "");
	l->tries_max = d->view ? (int64_t)dir_policy(d->view, user)->pin_tries_per_mailbox : 10;
	l->lifetime_us = d->view ? (int64_t)dir_policy(d->view, user)->pin_lifetime_days * 86400 * 1000000 : 0;
	int err = store_submit(d->prm.store, STORE_WRITE, reserve_work, reserved, l);
	if (err)
		logon_free(l);
	else
		ops_add(&d->ops, &l->op, (op_fn *)h, arg, handle);
	return err;
}

int dir_logon_nobody(struct dir *d, struct text pin, dir_logon_h *h, void *arg, uint64_t *handle)
{
	struct logon *l = logon_new(d, "", pin);
	if (!l)
		return ENOMEM;
	l->nobody = true;
	l->tries_max = 1;
	int err = pool_submit(d->prm.crypto, judge_work, judged, l);
	if (err)
		logon_free(l);
	else
		ops_add(&d->ops, &l->op, (op_fn *)h, arg, handle);
	return err;
}

void dir_logon_gave_up(struct dir *d, const char *mailbox, const char *caller, unsigned tries, const char *session)
{
	struct ev_report *r = d->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, EV_LOGON_GAVE_UP);
	ev_session(r, session);
	ev_str(r, "mailbox", mailbox && mailbox[0] ? mailbox : "(none that exists)");
	ev_str(r, "caller", caller && caller[0] ? caller : "without a number");
	ev_int(r, "tries", tries);
	ev_emit(d->prm.bus, r);
	mem_free(r);
}

/* ---- a new PIN ---- */

/* A hash that cannot be read (of another release) is nobody's PIN. */
static int compare_with_former(struct logon *l)
{
	for (uint32_t i = 0; i < l->n_former; i++) {
		int err = dir_pin_verify(text_of(l->pin), l->former[i]);
		if (err == ENOMEM)
			return err;
		if (!err) {
			l->rule = DIR_PIN_USED;
			return EINVAL;
		}
	}
	return 0;
}

static int hash_work(void *arg)
{
	struct logon *l = arg;
	int err = l->rule == DIR_PIN_GOOD ? compare_with_former(l) : EINVAL;
	return err ? err : dir_pin_hash(text_of(l->pin), l->d->prm.cheap_hash, l->hash);
}

static int read_former(struct db_tx *tx, struct logon *l, const char *sql, uint32_t most, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query(tx, &r, why, sql, "si", l->mailbox, (int64_t)most);
	while (!err && (err = db_step(r, why)) == 0)
		if (l->n_former < l->history && db_col_text(r, 0).n)
			db_col_copy(r, 0, l->former[l->n_former++], DIR_PIN_HASH_SIZE);
	if (err != ENOENT)
		return err;
	db_rows_close(r);
	return 0;
}

static int former_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct logon *l = arg;
	l->n_former = 0;
	int err = read_former(tx, l, "SELECT hash FROM pin WHERE mailbox = ?1 LIMIT ?2", 1, why);
	return err ? err : read_former(tx, l, "SELECT hash FROM pin_history WHERE mailbox = ?1 ORDER BY changed_us DESC LIMIT ?2", l->history, why);
}

/* The present one becomes a former one; those that nobody asks for any more go. */
static int remember(struct db_tx *tx, const struct logon *l, struct ev_report *why)
{
	int64_t keep = l->history ? (int64_t)l->history - 1 : 0;
	int err = keep ? db_exec(tx, why, "INSERT INTO pin_history (mailbox, changed_us, hash) SELECT mailbox, changed_us, hash FROM pin"
		" WHERE mailbox = ?1 AND hash <> '' ON CONFLICT (mailbox, changed_us) DO NOTHING", "s", l->mailbox) : 0;
	return err ? err : db_exec(tx, why, "DELETE FROM pin_history WHERE mailbox = ?1 AND changed_us NOT IN"
		" (SELECT changed_us FROM pin_history WHERE mailbox = ?1 ORDER BY changed_us DESC LIMIT ?2)", "si", l->mailbox, keep);
}

/* Who asked gives up some time after the deadline: what was told as failed must not come true later, when the store wakes up. */
static int set_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct logon *l = arg;
	if (clock_mono_ms(clock_system()) > l->deadline_ms)
		return ETIMEDOUT;
	int err = remember(tx, l, why);
	return err ? err : db_exec(tx, why, "INSERT INTO pin (mailbox, hash, must_change, failures, locked, changed_us, logon_us) VALUES (?1, ?2, ?3, 0, 0, ?4, 0)"
		" ON CONFLICT (mailbox) DO UPDATE SET hash = excluded.hash, must_change = excluded.must_change, failures = 0, locked = 0,"
		" changed_us = excluded.changed_us", "ssii", l->mailbox, l->hash, (int64_t)l->must_change, clock_real_us(db_clock(tx)));
}

static void set_end(struct logon *l, int err, const struct ev_report *why)
{
	static const struct ev_report nothing;
	if (!err)
		emit(l->d, EV_PIN_SET, l->mailbox, 0, l->session);
	if (l->op.h)
		((dir_pin_set_h *)l->op.h)(err, l->rule, why ? why : &nothing, l->op.arg);
	logon_free(l);
}

static void set_done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	set_end(arg, result == STORE_DONE ? 0 : err, why);
}

static void hashed(enum pool_result result, int err, void *arg)
{
	struct logon *l = arg;
	if (result == POOL_DONE)
		err = l->d->closed ? ESHUTDOWN : store_submit(l->d->prm.store, STORE_WRITE, set_work, set_done, l);
	else if (!err)
		err = ECANCELED;
	if (err)
		set_end(l, err, NULL);
}

static void former_known(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct logon *l = arg;
	if (result == STORE_DONE)
		err = l->d->closed ? ESHUTDOWN : pool_submit(l->d->prm.crypto, hash_work, hashed, l);
	else if (!err)
		err = ECANCELED;
	if (err)
		set_end(l, err, why);
}

int dir_pin_set(struct dir *d, const struct dir_user *user, struct text pin, bool must_change, dir_pin_set_h *h, void *arg, uint64_t *handle)
{
	const struct cfg_policy *policy = d->view ? dir_policy(d->view, user) : cfg_policy(NULL, TEXT_NONE);
	struct logon *l = logon_new(d, user->name, pin);
	if (!l)
		return ENOMEM;
	l->must_change = must_change;
	l->deadline_ms = clock_mono_ms(clock_system()) + DIR_PIN_SET_MS;
	l->rule = dir_pin_check(pin, policy, user);
	l->history = policy->pin_history;
	l->former = l->history ? mem_zalloc(l->history, sizeof *l->former) : NULL;
	int err = l->history && !l->former ? ENOMEM
		: l->history && l->rule == DIR_PIN_GOOD ? store_submit(d->prm.store, STORE_READ, former_work, former_known, l)
		: pool_submit(d->prm.crypto, hash_work, hashed, l);
	if (err)
		logon_free(l);
	else
		ops_add(&d->ops, &l->op, (op_fn *)h, arg, handle);
	return err;
}

/* ---- status ---- */

static int status_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct logon *l = arg;
	struct db_rows *r;
	l->status = (struct dir_pin_status){ 0 };
	int err = db_query_one(tx, &r, why, "SELECT hash, must_change, failures, locked, changed_us, logon_us FROM pin WHERE mailbox = ?1", "s", l->mailbox);
	if (err)
		return err == ENOENT ? 0 : err;
	l->status = (struct dir_pin_status){ .set = db_col_text(r, 0).n > 0, .must_change = db_col_int(r, 1) != 0, .locked = db_col_int(r, 3) != 0,
		.failures = (uint32_t)db_col_int(r, 2), .changed_us = db_col_int(r, 4), .logon_us = db_col_int(r, 5) };
	db_rows_close(r);
	return 0;
}

static void status_done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct logon *l = arg;
	(void)result;
	(void)why;
	if (l->op.h)
		((dir_pin_status_h *)l->op.h)(err, &l->status, l->op.arg);
	logon_free(l);
}

int dir_pin_status(struct dir *d, const char *mailbox, dir_pin_status_h *h, void *arg, uint64_t *handle)
{
	struct logon *l = logon_new(d, mailbox, TEXT_NONE);
	if (!l)
		return ENOMEM;
	int err = store_submit(d->prm.store, STORE_READ, status_work, status_done, l);
	if (err)
		logon_free(l);
	else
		ops_add(&d->ops, &l->op, (op_fn *)h, arg, handle);
	return err;
}
