/* SPDX-License-Identifier: Apache-2.0 */
/* swap.c  The errand in one function, swap_go(): a case a step, in the order lived. A step goes on, waits (for a job, a probe, a timer), or ends it. Jobs
 * run on the pool and touch only what the errand holds while it waits for them. What gateways are asked stands in swap_ask.c.    */
#include "cert/swap_private.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/install.h"
#include "cert/judge.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust_events.h"

enum { GATEWAYS_MAX = CERT_PLAN_GATEWAYS };

const char *cert_cure_step_name(enum cert_cure_step s)
{
	static const char *const names[] = { "key", "sign", "wait", "examine", "rehearse", "install", "prove", "watch", "rollback", "done", "failed" };
	return (unsigned)s < sizeof names / sizeof *names ? names[s] : "unknown";
}

/* ---- saying ---- */

static void fill(struct cert_swap *s, struct ev_report *r)
{
	const struct trust_cert *now = s->fresh ? trust_identity_cert(s->fresh) : NULL;
	char names[512], at[RFC3339_SIZE];
	ev_str(r, "identity", s->identity);
	ev_str(r, "gateway", s->at < s->prm.n_gateways ? s->seen[s->at].name : s->target);
	ev_str(r, "cn", now ? now->cn : s->wanted_cn);
	ev_str(r, "old_cn", s->old ? trust_identity_cn(s->old) : cert_words(CERT_SAYS_NOTHING));
	if (now) {
		ev_str(r, "names", trust_names_join(&now->sans, names, sizeof names));
		ev_str(r, "fingerprint", now->sha256);
		ev_str(r, "issuer", now->issuer);
		ev_str(r, "not_after", rfc3339_s(now->not_after_s, at));
	}
}

struct ev_report *swap_line(struct cert_swap *s, uint16_t event)
{
	ev_set(&s->line, event);
	fill(s, &s->line);
	return &s->line;
}

void swap_say(struct cert_swap *s)
{
	ev_emit(s->prm.bus, &s->line);
	if (s->prm.said)
		s->prm.said(s->step, &s->line, s->prm.arg);
}

/* In a job: kept until it is back. */
static void note(const struct ev_report *r, void *arg)
{
	struct cert_swap *s = arg;
	if (s->n_notes == SWAP_NOTES_MAX || !(s->note[s->n_notes] = mem_alloc(sizeof *r)))
		return;
	ev_copy(s->note[s->n_notes++], r);
}

static void say_notes(struct cert_swap *s)
{
	for (unsigned i = 0; i < s->n_notes; i++) {
		ev_copy(&s->line, s->note[i]);
		swap_say(s);
		mem_free(s->note[i]);
	}
	s->n_notes = 0;
}

/* ---- the end ---- */

static void destroy(void *object)
{
	struct cert_swap *s = object;
	tmr_cancel(&s->timer);
	for (unsigned i = 0; i < s->n_notes; i++)
		mem_free(s->note[i]);
	mem_unref(s->rehearsing);
	mem_unref(s->fresh);
	mem_unref(s->old);
	mem_unref(s->set);
	mem_free_secret(s->chain, s->chain ? strlen(s->chain) : 0); /* a file may hold certificate and key */
	mem_free_secret(s->key, s->key_n);
	mem_free(s->gateways);
	mem_free(s->seen);
}

static void over(struct cert_swap *s, bool good)
{
	tmr_cancel(&s->timer);
	s->result.good = good;
	text_fill(s->result.identity, sizeof s->result.identity, s->identity);
	if (s->fresh) {
		text_fill(s->result.cn, sizeof s->result.cn, trust_identity_cn(s->fresh));
		text_fill(s->result.new_sha256, sizeof s->result.new_sha256, trust_identity_fingerprint(s->fresh));
		s->result.not_after_s = trust_identity_not_after_s(s->fresh);
	}
	ev_copy(&s->result.report, &s->line);
	swap_say(s);
	if (s->prm.over)
		s->prm.over(&s->result, s->prm.arg);
	mem_unref(s);
}

/* Nothing is in use yet. Ends it with the reason that stands in `why`, or in words. */
void swap_stop(struct cert_swap *s, const char *reason)
{
	char sentence[TRUST_VERDICT_TEXT];
	const struct ev_def *d = reason ? NULL : ev_def_find(s->why.id);
	struct buf advice;
	buf_init(&advice, 8192);
	if (d)
		ev_render(d->advice, &s->why, &advice);
	if (s->rehearsing)
		(void)cert_take_out(s->prm.keeper, s->rehearsal);
	swap_line(s, s->target[0] ? EV_CERT_CURE_FAILED : EV_CERT_INSTALL_FAILED);
	ev_str(&s->line, "step", cert_cure_step_name(s->step));
	ev_str(&s->line, "reason", reason ? reason : s->why.id ? ev_sentence(&s->why, sentence, sizeof sentence) : cert_words(CERT_SAYS_NO_MEMORY));
	ev_str(&s->line, "advice", reason && s->verdict.name[0] ? s->verdict.advice : advice.n ? buf_cstr(&advice) : "");
	buf_free(&advice);
	s->result.failed_at = s->step;
	s->step = CERT_CURE_FAILED;
	over(s, false);
}

/* ---- jobs ---- */

static void job_done(enum pool_result result, int err, void *arg)
{
	struct cert_swap *s = arg;
	s->working = false;
	say_notes(s);
	if (s->cancelled && s->step != CERT_CURE_INSTALL) /* then it is too late */
		swap_stop(s, cert_words(CERT_SAYS_CANCELLED));
	else if (result != POOL_DONE)
		swap_stop(s, s->why.id ? NULL : strerrordesc_np(err));
	else {
		s->step++;
		swap_go(s);
	}
}

static void job(struct cert_swap *s, pool_work_h *work)
{
	int err = pool_submit(s->prm.pool, work, job_done, s);
	s->working = err == 0;
	if (err)
		swap_stop(s, cert_words(CERT_SAYS_BUSY));
}

static int work_examine(void *arg)
{
	struct cert_swap *s = arg;
	struct cert_examine_prm e = { .set = s->set, .fqdn = s->fqdn, .service = s->service, .now_s = clock_real_s(s->prm.clock), .dials = s->prm.n_gateways > 0,
				      .serves = s->prm.is_default };
	int err = cert_from_answer(&s->fresh, s->identity, text_of(s->chain), s->key ? text_of(s->key) : TEXT_NONE, s->data_dir, s->set, &s->why, note, s);
	if (!err)
		err = cert_compare_asked(s->fresh, s->data_dir, s->identity, s->wanted_cn, e.now_s, note, s);
	if (!err)
		err = cert_examine(s->fresh, &e, &s->why, note, s);
	struct cert_judge_prm j = { .fresh = s->fresh, .old = s->old, .set = s->set, .fqdn = s->fqdn, .serves = s->prm.is_default, .gateways = s->gateways, .n_gateways = s->prm.n_gateways,
				    .target = s->target, .now_s = e.now_s, .force = s->prm.force };
	if (!err)
		err = cert_judge(&j, &s->why, note, s);
	if (!err)
		err = trust_identity_from(&s->rehearsing, s->rehearsal, trust_identity_x509(s->fresh), trust_identity_chain(s->fresh),
					  trust_identity_key(s->fresh), &s->why);
	return err;
}

static int work_install(void *arg)
{
	struct cert_swap *s = arg;
	struct trust_identity *installed;
	int err = cert_write_installed(&installed, s->data_dir, s->fresh, s->identity, &s->why);
	if (err)
		return err;
	if (s->old)
		(void)cert_outlive(s->data_dir, s->identity, trust_identity_cert_file(s->old)); /* if not, the next start says so */
	mem_unref(s->fresh);
	s->fresh = installed;
	return 0;
}

static int work_unwrite(void *arg)
{
	struct cert_swap *s = arg;
	return cert_unwrite_installed(s->data_dir, s->identity);
}

static void tell_unwritten(struct cert_swap *s, int err)
{
	char path[512];
	if (!err)
		return;
	swap_line(s, EV_CERT_FILE_STAYS);
	ev_str(&s->line, "file", cert_installed_path(s->data_dir, s->identity, path));
	ev_str(&s->line, "error", strerrordesc_np(err));
	swap_say(s);
}

void swap_unwrite_here(struct cert_swap *s)
{
	tell_unwritten(s, work_unwrite(s)); /* two renames: better here than not at all */
}

/* ---- the way back ---- */

static bool shown_now(const struct cert_swap *s, const struct trust_identity *id)
{
	struct trust_set *set = trust_keeper_get(s->prm.keeper);
	const struct trust_identity *now = trust_set_find(set, s->identity);
	bool same = now && strcmp(trust_identity_fingerprint(now), trust_identity_fingerprint(id)) == 0;
	mem_unref(set);
	return same;
}

static void put_back(struct cert_swap *s)
{
	s->back_err = s->old ? cert_put_live(s->prm.keeper, s->old, s->prm.bus) : cert_take_out(s->prm.keeper, s->identity);
	if (s->prm.changed)
		s->prm.changed(s->prm.arg);
}

static void rolled_back(enum pool_result result, int err, void *arg)
{
	struct cert_swap *s = arg;
	s->working = false;
	s->step = CERT_CURE_FAILED;
	tell_unwritten(s, result == POOL_CANCELLED ? ECANCELED : err);
	/* There was no memory then; or a reload read the new file before it was taken away. */
	if (shown_now(s, s->fresh) && !(s->old && shown_now(s, s->old)))
		put_back(s);
	swap_line(s, s->back_err ? EV_CERT_NOT_TAKEN_BACK : EV_CERT_ROLLED_BACK);
	ev_str(&s->line, "reason", s->reason);
	if (s->back_err)
		ev_str(&s->line, "error", strerrordesc_np(s->back_err));
	over(s, false);
}

static void roll_back(struct cert_swap *s)
{
	put_back(s);
	s->working = true;
	if (pool_submit(s->prm.pool, work_unwrite, rolled_back, s)) {
		int err = work_unwrite(s);
		rolled_back(err ? POOL_FAILED : POOL_DONE, err, s);
	}
}

/* ---- the errand ---- */

static void done(struct cert_swap *s)
{
	unsigned n = s->result.asked;
	s->at = s->prm.n_gateways;
	s->result.answered = n;
	swap_line(s, s->target[0] ? EV_CERT_CURE_DONE : EV_CERT_INSTALL_DONE);
	ev_str(&s->line, "outcome", cert_words(!s->prm.n_gateways ? CERT_SAYS_SHOWN_TO_NOBODY : n ? CERT_SAYS_ANSWERS : CERT_SAYS_ANSWERS_NOT_YET));
	ev_int(&s->line, "answering", n);
	ev_int(&s->line, "gateways", s->prm.n_gateways);
	s->result.failed_at = CERT_CURE_DONE;
	over(s, true);
}

void swap_go(struct cert_swap *s)
{
	for (;;) {
		switch (s->step) {
		case CERT_CURE_EXAMINE:
			job(s, work_examine); /* then REHEARSE */
			return;
		case CERT_CURE_REHEARSE:
			if (swap_rehearse(s))
				return;
			break;
		case CERT_CURE_INSTALL:
			job(s, work_install); /* then PROVE */
			return;
		case CERT_CURE_PROVE:
		case CERT_CURE_WATCH:
			if (swap_prove(s))
				return;
			break;
		case CERT_CURE_ROLLBACK:
			roll_back(s);
			return;
		case CERT_CURE_DONE:
			done(s);
			return;
		default:
			return;
		}
	}
}

static void begin(void *arg)
{
	struct cert_swap *s = arg;
	char sentence[SWAP_SENTENCE];
	for (unsigned i = 0; i < s->prm.n_gateways; i++) {
		s->seen[i].before = s->prm.options ? s->prm.options(s->seen[i].name, sentence, sizeof sentence, s->prm.arg) : CERT_NOT_KNOWN;
		s->seen[i].calls_in = s->prm.calls_in && s->prm.calls_in(s->seen[i].name, sentence, sizeof sentence, s->prm.arg) == CERT_WORKS;
	}
	swap_go(s);
}

/* ---- start ---- */

static int copy_gateways(struct cert_swap *s, const struct cert_swap_prm *prm)
{
	unsigned n = prm->n_gateways < GATEWAYS_MAX ? prm->n_gateways : GATEWAYS_MAX;
	s->prm.n_gateways = 0;
	if (!n)
		return 0;
	s->gateways = mem_zalloc(n, sizeof *s->gateways);
	s->seen = mem_zalloc(n, sizeof *s->seen);
	if (!s->gateways || !s->seen)
		return ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		text_fill(s->seen[i].name, sizeof s->seen[i].name, prm->gateways[i].name);
		s->gateways[i] = prm->gateways[i];
		s->gateways[i].name = s->seen[i].name;
		s->gateways[i].identity = s->identity;
	}
	s->prm.n_gateways = n;
	return 0;
}

static int copy_texts(struct cert_swap *s, const struct cert_swap_prm *prm)
{
	const char *name = prm->identity && *prm->identity ? prm->identity : s->old ? trust_identity_name(s->old) : "default";
	text_fill(s->data_dir, sizeof s->data_dir, prm->data_dir);
	text_fill(s->fqdn, sizeof s->fqdn, prm->fqdn ? prm->fqdn : "");
	text_fill(s->service, sizeof s->service, prm->service ? prm->service : "");
	text_fill(s->target, sizeof s->target, prm->target ? prm->target : "");
	text_fill(s->wanted_cn, sizeof s->wanted_cn, prm->wanted_cn ? prm->wanted_cn : "");
	text_fill(s->identity, sizeof s->identity, name);
	/* cut so that it is another name than the identity's, however long that is */
	text_print(s->rehearsal, sizeof s->rehearsal, "%.*s+rehearsal", TRUST_LABEL_SIZE - 1 - (int)strlen("+rehearsal"), s->identity);
	text_fill(s->result.old_sha256, sizeof s->result.old_sha256, s->old ? trust_identity_fingerprint(s->old) : "");
	s->chain = text_dup(prm->chain);
	s->key = prm->key.n ? text_dup(prm->key) : NULL;
	s->key_n = prm->key.n;
	return s->chain && (!prm->key.n || s->key) ? 0 : ENOMEM;
}

int cert_swap_start(struct cert_swap **sp, const struct cert_swap_prm *prm)
{
	struct cert_swap *s = mem_object(sizeof *s, destroy);
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	s->step = CERT_CURE_EXAMINE;
	s->set = trust_keeper_get(prm->keeper);
	s->old = mem_ref(trust_set_find(s->set, prm->identity));
	int err = copy_texts(s, prm);
	if (!err)
		err = copy_gateways(s, prm);
	if (err) {
		mem_unref(s);
		return err;
	}
	*sp = s;
	tmr_start(prm->loop, &s->timer, 0, begin, s);
	return 0;
}

void cert_swap_cancel(struct cert_swap *s)
{
	if (!s || s->cancelled || s->live)
		return;
	s->cancelled = true;
	if (!s->working && !s->probing && tmr_active(&s->timer)) {
		tmr_cancel(&s->timer);
		swap_stop(s, cert_words(CERT_SAYS_CANCELLED));
	}
}

enum cert_cure_step cert_swap_at(const struct cert_swap *s)
{
	return s->step;
}
