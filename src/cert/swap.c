/* SPDX-License-Identifier: Apache-2.0 */
/* swap.c  The errand in one function, go(): a case a step, in the order lived. A step goes on, waits (for a job, a probe, a timer), or ends it. Jobs
 * run on the pool and touch only what the errand holds while it waits for them. Gateways are asked one after the other.          */
#include "cert/swap.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/install.h"
#include "cert/judge.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/explain.h"
#include "trust/pem.h"
#include "trust_events.h"

enum { GATEWAYS_MAX = CERT_PLAN_GATEWAYS, WATCH_EVERY_MS = 5000, SENTENCE = 1024, NOTES_MAX = 24 };

struct seen {
	char name[TRUST_LABEL_SIZE];
	enum cert_works before;  /* OPTIONS, with what was in use */
	bool calls_in;           /* its connections to us worked */
	bool rehearsed;          /* answered with the new one */
};

enum phase { ASK, CONFIRM, ASK_WITH_OLD };

struct cert_swap {
	struct cert_swap_prm prm; /* its texts point into the arrays below */
	char data_dir[512], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE], target[TRUST_LABEL_SIZE], wanted_cn[TRUST_NAME_SIZE];
	char identity[TRUST_LABEL_SIZE], rehearsal[TRUST_LABEL_SIZE + 16];
	char *chain, *key;
	size_t key_n;
	struct cert_gateway *gateways;
	struct seen *seen;

	enum cert_cure_step step;
	bool working, probing, cancelled, live;
	struct trust_set *set;              /* as it was at the beginning */
	struct trust_identity *old, *fresh; /* old NULL: a new identity. fresh: from EXAMINE on */
	struct trust_identity *rehearsing;  /* the same under the rehearsal's name */
	struct ev_report *note[NOTES_MAX];  /* what a job has to say; told when it is back */
	unsigned n_notes;
	struct tmr timer;
	int64_t watch_until_ms;
	unsigned at;            /* gateway being asked */
	enum phase phase;
	bool answered;          /* by the last probe */
	struct ev_report why;   /* of the last job */
	struct ev_report line;  /* being said */
	struct trust_verdict verdict; /* of the last probe that failed */
	char reason[SENTENCE];  /* of the way back */
	int back_err;           /* the one before could not be put into use again */
	struct cert_cure_result result;
};

static void go(struct cert_swap *s);

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
	ev_str(r, "old_cn", s->old ? trust_identity_cn(s->old) : "(nothing)");
	if (now) {
		ev_str(r, "names", trust_names_join(&now->sans, names, sizeof names));
		ev_str(r, "fingerprint", now->sha256);
		ev_str(r, "issuer", now->issuer);
		ev_str(r, "not_after", rfc3339_s(now->not_after_s, at));
	}
}

static struct ev_report *line(struct cert_swap *s, uint16_t event)
{
	ev_set(&s->line, event);
	fill(s, &s->line);
	return &s->line;
}

static void say(struct cert_swap *s)
{
	ev_emit(s->prm.bus, &s->line);
	if (s->prm.said)
		s->prm.said(s->step, &s->line, s->prm.arg);
}

/* In a job: kept until it is back. */
static void note(const struct ev_report *r, void *arg)
{
	struct cert_swap *s = arg;
	if (s->n_notes == NOTES_MAX || !(s->note[s->n_notes] = mem_alloc(sizeof *r)))
		return;
	ev_copy(s->note[s->n_notes++], r);
}

static void say_notes(struct cert_swap *s)
{
	for (unsigned i = 0; i < s->n_notes; i++) {
		ev_copy(&s->line, s->note[i]);
		say(s);
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
	mem_free(s->chain);
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
	say(s);
	if (s->prm.over)
		s->prm.over(&s->result, s->prm.arg);
	mem_unref(s);
}

/* Nothing is in use yet. Ends it with the reason that stands in `why`, or in words. */
static void stop(struct cert_swap *s, const char *reason)
{
	char sentence[TRUST_VERDICT_TEXT];
	const struct ev_def *d = reason ? NULL : ev_def_find(s->why.id);
	struct buf advice;
	buf_init(&advice, 8192);
	if (d)
		ev_render(d->advice, &s->why, &advice);
	if (s->rehearsing)
		(void)cert_take_out(s->prm.keeper, s->rehearsal);
	line(s, s->target[0] ? EV_CERT_CURE_FAILED : EV_CERT_INSTALL_FAILED);
	ev_str(&s->line, "step", cert_cure_step_name(s->step));
	ev_str(&s->line, "reason", reason ? reason : s->why.id ? ev_sentence(&s->why, sentence, sizeof sentence) : "no memory");
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
		stop(s, "it was cancelled");
	else if (result != POOL_DONE)
		stop(s, s->why.id ? NULL : strerrordesc_np(err));
	else {
		s->step++;
		go(s);
	}
}

static void job(struct cert_swap *s, pool_work_h *work)
{
	int err = pool_submit(s->prm.pool, work, job_done, s);
	s->working = err == 0;
	if (err)
		stop(s, "the workers are busy; try again");
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
	line(s, EV_CERT_FILE_STAYS);
	ev_str(&s->line, "file", cert_installed_path(s->data_dir, s->identity, path));
	ev_str(&s->line, "error", strerrordesc_np(err));
	say(s);
}

/* ---- probes ---- */

static void probe_done(bool answered, const struct trust_facts *facts, void *arg)
{
	struct cert_swap *s = arg;
	s->probing = false;
	s->answered = answered;
	if (facts && !answered)
		trust_explain(facts, &s->verdict);
	if (s->cancelled && !s->live)
		stop(s, "it was cancelled");
	else
		go(s);
}

/* True: the outcome comes later. False: there is no asking. */
static bool probe(struct cert_swap *s, const char *identity)
{
	s->answered = false;
	memset(&s->verdict, 0, sizeof s->verdict);
	s->probing = true;
	if (s->prm.probe && !s->prm.probe(s->seen[s->at].name, identity, probe_done, s, s->prm.probe_arg))
		return true;
	s->probing = false;
	line(s, EV_CERT_PROBE_MISSING);
	say(s);
	return false;
}

static bool is_target(const struct cert_swap *s, unsigned i)
{
	return s->target[0] && strcmp(s->seen[i].name, s->target) == 0;
}

/* ---- the rehearsal ---- */

static void say_outcome(struct cert_swap *s, uint16_t event)
{
	line(s, event);
	trust_verdict_fields(&s->verdict, &s->line);
	if (!s->verdict.name[0])
		ev_str(&s->line, "verdict", "no answer came");
	ev_str(&s->line, "cause", s->verdict.cause);
	ev_str(&s->line, "advice", s->verdict.advice);
	say(s);
}

static void next_gateway(struct cert_swap *s)
{
	s->at++;
	s->phase = ASK;
}

/* The gateway `at` did not answer to the new certificate. True: the errand waits or has ended. */
static bool silent_in_rehearsal(struct cert_swap *s)
{
	struct seen *g = &s->seen[s->at];
	bool must = is_target(s, s->at) || g->before == CERT_WORKS;
	if (!must && g->before == CERT_NOT_KNOWN && s->old && s->phase == ASK) {
		struct trust_verdict v = s->verdict;
		s->phase = ASK_WITH_OLD; /* does it answer to the present one? */
		if (probe(s, s->identity))
			return true;
		s->verdict = v;
	}
	say_outcome(s, must ? EV_CERT_REHEARSAL_FAILED : EV_CERT_REHEARSAL_NO_CHANGE);
	if (must && !s->prm.force) {
		stop(s, s->verdict.name[0] ? s->verdict.sentence : "the gateway did not answer in the rehearsal");
		return true;
	}
	next_gateway(s);
	return false;
}

/* The outcome of the last probe. True: waits, or has ended. */
static bool rehearsed_one(struct cert_swap *s)
{
	struct seen *g = &s->seen[s->at];
	if (s->phase == ASK_WITH_OLD) {
		if (s->answered)
			g->before = CERT_WORKS; /* then it must with the new one */
		else
			g->before = CERT_REFUSED;
		return silent_in_rehearsal(s);
	}
	if (!s->answered)
		return silent_in_rehearsal(s);
	g->rehearsed = true;
	s->result.asked++;
	line(s, EV_CERT_REHEARSED);
	say(s);
	next_gateway(s);
	return false;
}

static bool all_rehearsed(struct cert_swap *s)
{
	(void)cert_take_out(s->prm.keeper, s->rehearsal);
	s->rehearsing = mem_unref(s->rehearsing);
	s->at = 0;
	s->step = CERT_CURE_INSTALL;
	return false;
}

static bool rehearse(struct cert_swap *s)
{
	for (;;) {
		if (s->at == s->prm.n_gateways)
			return all_rehearsed(s);
		if (probe(s, s->rehearsal))
			return true;
		next_gateway(s); /* there is no asking it */
	}
}

static bool begin_rehearsal(struct cert_swap *s)
{
	s->at = s->prm.n_gateways;
	line(s, EV_CERT_EXAMINED);
	say(s);
	s->at = 0;
	if (cert_put_live(s->prm.keeper, s->rehearsing, NULL)) {
		stop(s, "no memory");
		return true;
	}
	return rehearse(s);
}

/* ---- in use ---- */

static void done(struct cert_swap *s)
{
	char outcome[256];
	unsigned n = s->result.asked;
	text_print(outcome, sizeof outcome, !s->prm.n_gateways ? "no gateway is shown it" : n ? "answers" : "was not asked, or does not answer yet");
	s->at = s->prm.n_gateways;
	s->result.answered = n;
	line(s, s->target[0] ? EV_CERT_CURE_DONE : EV_CERT_INSTALL_DONE);
	ev_str(&s->line, "outcome", outcome);
	ev_int(&s->line, "answering", n);
	ev_int(&s->line, "gateways", s->prm.n_gateways);
	s->result.failed_at = CERT_CURE_DONE;
	over(s, true);
}

static void roll_back_because(struct cert_swap *s, const char *reason)
{
	text_print(s->reason, sizeof s->reason, "gateway %s: %s", s->seen[s->at].name, reason);
	s->result.failed_at = s->step;
	s->step = CERT_CURE_ROLLBACK;
}

/* A gateway that could connect to us and now cannot. */
static bool calls_lost(struct cert_swap *s)
{
	char sentence[SENTENCE] = "";
	for (s->at = 0; s->prm.calls_in && s->at < s->prm.n_gateways; s->at++)
		if (s->seen[s->at].calls_in && s->prm.calls_in(s->seen[s->at].name, sentence, sizeof sentence, s->prm.arg) == CERT_REFUSED) {
			roll_back_because(s, sentence[0] ? sentence : "its connections to this node fail now");
			return true;
		}
	s->at = 0;
	return false;
}

/* A round over all that answered in the rehearsal: proof, then the watch. True: waits. */
static bool ask_round(struct cert_swap *s)
{
	for (; s->at < s->prm.n_gateways; s->at++)
		if (s->seen[s->at].rehearsed && probe(s, s->identity))
			return true;
	return false;
}

static void watch_h(void *arg)
{
	struct cert_swap *s = arg;
	s->at = 0;
	s->phase = ASK;
	if (!calls_lost(s) && ask_round(s))
		return;
	go(s);
}

/* Everybody answered. True: waits for the next look. */
static bool round_good(struct cert_swap *s)
{
	int64_t now_ms = clock_mono_ms(s->prm.clock);
	if (s->step == CERT_CURE_PROVE) {
		s->step = CERT_CURE_WATCH;
		s->prm.watch_ms = s->prm.n_gateways ? s->prm.watch_ms : 0;
		s->watch_until_ms = now_ms + s->prm.watch_ms;
		if (s->prm.watch_ms) {
			s->at = s->prm.n_gateways;
			line(s, EV_CERT_WATCHING);
			ev_int(&s->line, "seconds", s->prm.watch_ms / 1000);
			say(s);
		}
	}
	if (now_ms >= s->watch_until_ms) {
		s->step = CERT_CURE_DONE;
		return false;
	}
	int64_t left_ms = s->watch_until_ms - now_ms;
	tmr_start(s->prm.loop, &s->timer, left_ms < WATCH_EVERY_MS ? left_ms : WATCH_EVERY_MS, watch_h, s);
	return true;
}

/* The outcome of one probe of a round. One silence may be an accident: it is asked once more. True: waits. */
static bool asked_one(struct cert_swap *s)
{
	if (!s->answered && s->phase == ASK) {
		s->phase = CONFIRM;
		if (probe(s, s->identity))
			return true;
	}
	s->phase = ASK;
	if (!s->answered) {
		roll_back_because(s, s->verdict.name[0] ? s->verdict.sentence : "it does not answer any more");
		return false;
	}
	if (s->step == CERT_CURE_PROVE) {
		line(s, EV_CERT_PROVEN);
		say(s);
	}
	s->at++;
	return ask_round(s);
}

static void put_live(struct cert_swap *s)
{
	s->live = true;
	s->at = s->prm.n_gateways;
	line(s, EV_CERT_INSTALLED);
	say(s);
	if (s->prm.changed)
		s->prm.changed(s->prm.arg);
	s->at = 0;
	s->phase = ASK;
}

static void rolled_back(enum pool_result result, int err, void *arg)
{
	struct cert_swap *s = arg;
	s->working = false;
	s->step = CERT_CURE_FAILED;
	tell_unwritten(s, result == POOL_CANCELLED ? ECANCELED : err);
	line(s, s->back_err ? EV_CERT_NOT_TAKEN_BACK : EV_CERT_ROLLED_BACK);
	ev_str(&s->line, "reason", s->reason);
	if (s->back_err)
		ev_str(&s->line, "error", strerrordesc_np(s->back_err));
	over(s, false);
}

static void roll_back(struct cert_swap *s)
{
	s->back_err = s->old ? cert_put_live(s->prm.keeper, s->old, s->prm.bus) : cert_take_out(s->prm.keeper, s->identity);
	if (s->prm.changed)
		s->prm.changed(s->prm.arg);
	s->working = true;
	if (pool_submit(s->prm.pool, work_unwrite, rolled_back, s)) {
		int err = work_unwrite(s); /* two renames: better here than not at all */
		rolled_back(err ? POOL_FAILED : POOL_DONE, err, s);
	}
}

/* True: waits, or has ended. */
static bool prove(struct cert_swap *s)
{
	if (!s->live) {
		if (cert_put_live(s->prm.keeper, s->fresh, s->prm.bus)) {
			tell_unwritten(s, work_unwrite(s));
			stop(s, "no memory");
			return true;
		}
		put_live(s);
		if (ask_round(s))
			return true;
	} else if (s->step != CERT_CURE_ROLLBACK && s->at < s->prm.n_gateways && asked_one(s)) {
		return true;
	}
	return s->step != CERT_CURE_ROLLBACK && round_good(s);
}

/* ---- the errand ---- */

static void go(struct cert_swap *s)
{
	for (;;) {
		switch (s->step) {
		case CERT_CURE_EXAMINE:
			job(s, work_examine); /* then REHEARSE */
			return;
		case CERT_CURE_REHEARSE:
			if (s->rehearsing && s->phase == CONFIRM) { /* the mark of a beginning */
				s->phase = ASK;
				if (begin_rehearsal(s))
					return;
			} else if (rehearsed_one(s) || rehearse(s)) {
				return;
			}
			break;
		case CERT_CURE_INSTALL:
			job(s, work_install); /* then PROVE */
			return;
		case CERT_CURE_PROVE:
		case CERT_CURE_WATCH:
			if (prove(s))
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
	char sentence[SENTENCE];
	for (unsigned i = 0; i < s->prm.n_gateways; i++) {
		s->seen[i].before = s->prm.options ? s->prm.options(s->seen[i].name, sentence, sizeof sentence, s->prm.arg) : CERT_NOT_KNOWN;
		s->seen[i].calls_in = s->prm.calls_in && s->prm.calls_in(s->seen[i].name, sentence, sizeof sentence, s->prm.arg) == CERT_WORKS;
	}
	s->phase = CONFIRM;
	go(s);
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
	text_print(s->rehearsal, sizeof s->rehearsal, "%s+rehearsal", s->identity);
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
		stop(s, "it was cancelled");
	}
}

enum cert_cure_step cert_swap_at(const struct cert_swap *s)
{
	return s->step;
}
