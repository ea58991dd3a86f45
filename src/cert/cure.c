/* SPDX-License-Identifier: Apache-2.0 */
/* cure.c  The errand in one function, go(): a case a step, in the order lived. A step either goes on, waits (for a job, a probe, a file), or ends
 * it. Jobs run on the pool and touch only what the cure holds while it waits for them.                                           */
#include "cert/cure.h"
#include <errno.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/install.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/explain.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust_events.h"

enum { LOOK_MS = 1000, WAIT_MS = 3600 * 1000, PATH_SIZE = 512, OTHERS_MAX = 64 };

struct cert_cure {
	struct cert_cure_prm prm; /* its texts point into the arrays below */
	char data_dir[PATH_SIZE], node[TRUST_LABEL_SIZE], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE];
	char gateway[TRUST_LABEL_SIZE], identity[TRUST_LABEL_SIZE], rehearsal[TRUST_LABEL_SIZE + 16];
	char ca_cert[PATH_SIZE], ca_key[PATH_SIZE], cdp[PATH_SIZE], signed_file[PATH_SIZE];
	struct cert_gateway *others;

	enum cert_cure_step step;
	bool working, probing, cancelled, rehearsed, installed;
	struct trust_set *set;              /* as it was when the cure began */
	struct trust_identity *old, *fresh; /* fresh: from EXAMINE on */
	struct trust_identity *rehearsing;  /* the same under the rehearsal's name */
	struct cert_names names;
	struct buf csr, chain;
	struct tmr timer;
	int64_t give_up_ms;
	bool answered;          /* by the last probe */
	struct ev_report why;   /* of the last job */
	struct ev_report line;  /* being said */
	struct trust_verdict verdict; /* of the last probe that failed */
	struct cert_cure_result result;
};

static void go(struct cert_cure *c);

const char *cert_cure_step_name(enum cert_cure_step s)
{
	static const char *const names[] = { "key", "sign", "wait", "examine", "rehearse", "install", "prove", "rollback", "done", "failed" };
	return (unsigned)s < sizeof names / sizeof *names ? names[s] : "unknown";
}

/* ---- saying ---- */

static struct ev_report *line(struct cert_cure *c, uint16_t event)
{
	const struct trust_cert *now = c->fresh ? trust_identity_cert(c->fresh) : NULL;
	char names[512], at[RFC3339_SIZE];
	ev_set(&c->line, event);
	ev_str(&c->line, "gateway", c->gateway);
	ev_str(&c->line, "identity", c->identity);
	ev_str(&c->line, "cn", now ? now->cn : c->names.cn);
	ev_str(&c->line, "old_cn", c->old ? trust_identity_cn(c->old) : "");
	ev_str(&c->line, "names", trust_names_join(&c->names.dns, names, sizeof names));
	if (now) {
		ev_str(&c->line, "fingerprint", now->sha256);
		ev_str(&c->line, "issuer", now->issuer);
		ev_str(&c->line, "not_after", rfc3339_s(now->not_after_s, at));
	}
	return &c->line;
}

static void say(struct cert_cure *c)
{
	ev_emit(c->prm.bus, &c->line);
	if (c->prm.said)
		c->prm.said(c->step, &c->line, c->prm.arg);
}

static void destroy(void *object)
{
	struct cert_cure *c = object;
	tmr_cancel(&c->timer);
	mem_unref(c->rehearsing);
	mem_unref(c->fresh);
	mem_unref(c->old);
	mem_unref(c->set);
	buf_free(&c->csr);
	buf_free(&c->chain);
	mem_free(c->others);
}

/* The last call. */
static void over(struct cert_cure *c, bool good)
{
	tmr_cancel(&c->timer);
	c->result.good = good;
	text_fill(c->result.identity, sizeof c->result.identity, c->identity);
	if (c->fresh) {
		text_fill(c->result.cn, sizeof c->result.cn, trust_identity_cn(c->fresh));
		text_fill(c->result.new_sha256, sizeof c->result.new_sha256, trust_identity_fingerprint(c->fresh));
		c->result.not_after_s = trust_identity_not_after_s(c->fresh);
	}
	ev_copy(&c->result.report, &c->line);
	say(c);
	if (c->prm.over)
		c->prm.over(&c->result, c->prm.arg);
	mem_unref(c);
}

/* Ends it with the reason that stands in `why`, or in words. */
static void stop(struct cert_cure *c, const char *reason)
{
	char sentence[TRUST_VERDICT_TEXT];
	enum cert_cure_step at = c->step;
	const struct ev_def *d = reason ? NULL : ev_def_find(c->why.id);
	struct buf advice;
	buf_init(&advice, 8192);
	if (d)
		ev_render(d->advice, &c->why, &advice);
	if (c->rehearsing)
		(void)cert_take_out(c->prm.keeper, c->rehearsal);
	line(c, EV_CERT_CURE_FAILED);
	ev_str(&c->line, "step", cert_cure_step_name(at));
	ev_str(&c->line, "reason", reason ? reason : c->why.id ? ev_sentence(&c->why, sentence, sizeof sentence) : "no memory");
	ev_str(&c->line, "advice", c->verdict.name[0] ? c->verdict.advice : advice.n ? buf_cstr(&advice) : "");
	buf_free(&advice);
	c->result.failed_at = at;
	c->step = CERT_CURE_FAILED;
	over(c, false);
}

/* ---- jobs ---- */

static void job_done(enum pool_result result, int err, void *arg)
{
	struct cert_cure *c = arg;
	c->working = false;
	if (c->cancelled && !c->installed)
		stop(c, "it was cancelled");
	else if (result != POOL_DONE)
		stop(c, c->why.id ? NULL : strerrordesc_np(err));
	else {
		c->step++;
		go(c);
	}
}

/* The next step follows when the work is done. */
static void job(struct cert_cure *c, pool_work_h *work)
{
	int err = pool_submit(c->prm.pool, work, job_done, c);
	c->working = err == 0;
	if (err)
		stop(c, "the workers are busy; try again");
}

static int work_key(void *arg)
{
	struct cert_cure *c = arg;
	if (!c->prm.signed_file || !*c->prm.signed_file)
		(void)unlink(c->signed_file); /* the answer to an older request */
	return cert_request_files(c->data_dir, c->identity, c->prm.kind, &c->names, CERT_USAGE_BOTH, &c->csr, c->result.csr_file, &c->why);
}

static int work_sign(void *arg)
{
	struct cert_cure *c = arg;
	return cert_ca_sign(&c->chain, buf_as_text(&c->csr), &c->prm.ca, &c->why);
}

static int examine_rule(struct cert_cure *c)
{
	const struct trust_cert *cert = trust_identity_cert(c->fresh);
	bool known = c->prm.judges.configured && c->prm.judges.known.n;
	if (text_eq_nocase(text_of(cert->cn), text_of(c->names.cn)) ||
	    (known && trust_rule_would_accept(c->prm.judges.rule, cert, &c->prm.judges.known)))
		return 0;
	ev_set(&c->why, EV_CERT_EXAM_NOT_AS_ASKED);
	ev_str(&c->why, "cn", cert->cn);
	ev_str(&c->why, "wanted", c->names.cn);
	return EINVAL;
}

/* A gateway that admits us today must not be lost by the cure of another. */
static int examine_others(struct cert_cure *c)
{
	char known[512];
	for (unsigned i = 0; i < c->prm.n_others; i++) {
		const struct cert_gateway *g = &c->others[i];
		if (!g->judges.configured || !g->judges.known.n || strcmp(g->name, c->gateway) == 0)
			continue;
		if (!trust_rule_would_accept(g->judges.rule, trust_identity_cert(c->old), &g->judges.known) ||
		    trust_rule_would_accept(g->judges.rule, trust_identity_cert(c->fresh), &g->judges.known))
			continue;
		ev_set(&c->why, EV_CERT_WOULD_BREAK);
		ev_str(&c->why, "gateway", c->gateway);
		ev_str(&c->why, "other", g->name);
		ev_str(&c->why, "known", trust_names_join(&g->judges.known, known, sizeof known));
		return EINVAL;
	}
	return 0;
}

static int work_examine(void *arg)
{
	struct cert_cure *c = arg;
	int err = cert_from_answer(&c->fresh, c->identity, buf_as_text(&c->chain), TEXT_NONE, c->data_dir, c->set, &c->why);
	if (!err)
		err = cert_examine(c->fresh, c->set, c->fqdn, c->service, clock_real_s(c->prm.clock), &c->why, NULL, NULL);
	if (!err)
		err = examine_rule(c);
	if (!err && !c->prm.force)
		err = examine_others(c);
	if (!err)
		err = trust_identity_from(&c->rehearsing, c->rehearsal, trust_identity_x509(c->fresh), trust_identity_chain(c->fresh),
					  trust_identity_key(c->fresh), &c->why);
	return err;
}

static int work_install(void *arg)
{
	struct cert_cure *c = arg;
	struct trust_identity *installed;
	int err = cert_write_installed(&installed, c->data_dir, c->fresh, c->identity, &c->why);
	if (err)
		return err;
	mem_unref(c->fresh);
	c->fresh = installed;
	return 0;
}

static int work_unwrite(void *arg)
{
	struct cert_cure *c = arg;
	(void)cert_unwrite_installed(c->data_dir, c->identity);
	return 0;
}

/* ---- the file that somebody else signs ---- */

static void look(void *arg)
{
	struct cert_cure *c = arg;
	buf_clear(&c->chain);
	STACK_OF(X509) *certs = NULL;
	bool there = !trust_pem_file(&c->chain, c->signed_file) && !trust_pem_certs(&certs, buf_as_text(&c->chain));
	sk_X509_pop_free(certs, X509_free);
	if (c->cancelled)
		stop(c, "it was cancelled");
	else if (there) {
		c->step = CERT_CURE_EXAMINE;
		go(c);
	} else if (clock_mono_ms(c->prm.clock) >= c->give_up_ms)
		stop(c, "the signed certificate did not appear in time");
	else
		tmr_start(c->prm.loop, &c->timer, LOOK_MS, look, c);
}

static void wait_for_file(struct cert_cure *c)
{
	line(c, EV_CERT_WAITING);
	ev_str(&c->line, "file", c->result.csr_file);
	ev_str(&c->line, "signed_file", c->signed_file);
	say(c);
	c->give_up_ms = clock_mono_ms(c->prm.clock) + (c->prm.wait_ms ? c->prm.wait_ms : WAIT_MS);
	tmr_start(c->prm.loop, &c->timer, LOOK_MS, look, c);
}

/* ---- probes ---- */

static void probe_done(bool answered, const struct trust_facts *facts, void *arg)
{
	struct cert_cure *c = arg;
	c->probing = false;
	c->answered = answered;
	if (facts && !answered)
		trust_explain(facts, &c->verdict);
	if (c->cancelled && !c->installed)
		stop(c, "it was cancelled");
	else
		go(c);
}

/* True: the outcome comes later. False: there is no asking. */
static bool probe(struct cert_cure *c, const char *identity)
{
	c->answered = false;
	memset(&c->verdict, 0, sizeof c->verdict);
	c->probing = true;
	if (c->prm.probe && !c->prm.probe(c->gateway, identity, probe_done, c, c->prm.probe_arg))
		return true;
	c->probing = false;
	line(c, EV_CERT_PROBE_MISSING);
	say(c);
	return false;
}

/* A step of two halves: ask, then go on with the answer. */
static bool asked(struct cert_cure *c, enum cert_cure_step step)
{
	return c->result.failed_at == step; /* used as a mark until the end */
}

/* ---- the steps ---- */

static void say_key(struct cert_cure *c)
{
	line(c, EV_CERT_KEY_MADE);
	ev_str(&c->line, "kind", cert_key_kind_name(c->prm.kind));
	ev_str(&c->line, "file", c->result.csr_file);
	say(c);
}

/* Ask with the new certificate before anybody else sees it. True: waits. */
static bool rehearse(struct cert_cure *c)
{
	if (!asked(c, CERT_CURE_REHEARSE)) {
		line(c, EV_CERT_EXAMINED);
		say(c);
		c->result.failed_at = CERT_CURE_REHEARSE;
		if (cert_put_live(c->prm.keeper, c->rehearsing, NULL)) {
			stop(c, "no memory");
			return true;
		}
		if (probe(c, c->rehearsal))
			return true;
	} else {
		c->rehearsed = c->answered;
		line(c, c->answered ? EV_CERT_REHEARSED : EV_CERT_REHEARSAL_FAILED);
		trust_verdict_fields(&c->verdict, &c->line);
		say(c);
		if (!c->answered && !c->prm.force) {
			stop(c, c->verdict.name[0] ? c->verdict.sentence : "the gateway did not answer in the rehearsal");
			return true;
		}
	}
	(void)cert_take_out(c->prm.keeper, c->rehearsal);
	c->rehearsing = mem_unref(c->rehearsing);
	c->step = CERT_CURE_INSTALL;
	return false;
}

static void done(struct cert_cure *c)
{
	line(c, EV_CERT_CURE_DONE);
	ev_str(&c->line, "outcome", c->answered ? "answers" : c->prm.probe ? "did not answer yet" : "was not asked");
	c->result.failed_at = CERT_CURE_DONE;
	over(c, true);
}

/* The same with what is in use now. True: waits, or has ended. */
static bool prove(struct cert_cure *c)
{
	if (!asked(c, CERT_CURE_PROVE)) {
		c->result.failed_at = CERT_CURE_PROVE;
		c->installed = true;
		if (cert_put_live(c->prm.keeper, c->fresh, c->prm.bus)) {
			stop(c, "no memory");
			return true;
		}
		line(c, EV_CERT_INSTALLED);
		say(c);
		if (probe(c, c->identity))
			return true;
	}
	if (c->answered) {
		line(c, EV_CERT_PROVEN);
		say(c);
	}
	c->step = c->answered || !c->rehearsed ? CERT_CURE_DONE : CERT_CURE_ROLLBACK;
	return false;
}

static void rolled_back(enum pool_result result, int err, void *arg)
{
	struct cert_cure *c = arg;
	(void)result;
	(void)err;
	c->working = false;
	c->step = CERT_CURE_FAILED;
	line(c, EV_CERT_ROLLED_BACK);
	ev_str(&c->line, "reason", c->verdict.name[0] ? c->verdict.sentence : "the gateway did not answer");
	c->result.failed_at = CERT_CURE_PROVE;
	over(c, false);
}

static void roll_back(struct cert_cure *c)
{
	(void)cert_put_live(c->prm.keeper, c->old, c->prm.bus);
	c->working = true;
	if (pool_submit(c->prm.pool, work_unwrite, rolled_back, c)) {
		(void)work_unwrite(c); /* two renames: better here than not at all */
		rolled_back(POOL_DONE, 0, c);
	}
}

static void go(struct cert_cure *c)
{
	for (;;) {
		switch (c->step) {
		case CERT_CURE_KEY:
			job(c, work_key); /* then SIGN */
			return;
		case CERT_CURE_SIGN:
			say_key(c);
			if (c->ca_cert[0]) {
				job(c, work_sign); /* then WAIT, which has nothing to wait for */
				return;
			}
			c->step = CERT_CURE_WAIT;
			break;
		case CERT_CURE_WAIT:
			if (!c->ca_cert[0]) {
				wait_for_file(c);
				return;
			}
			line(c, EV_CERT_SIGNED);
			ev_str(&c->line, "issuer", c->ca_cert);
			say(c);
			c->step = CERT_CURE_EXAMINE;
			break;
		case CERT_CURE_EXAMINE:
			job(c, work_examine); /* then REHEARSE */
			return;
		case CERT_CURE_REHEARSE:
			if (rehearse(c))
				return;
			break;
		case CERT_CURE_INSTALL:
			job(c, work_install); /* then PROVE */
			return;
		case CERT_CURE_PROVE:
			if (prove(c))
				return;
			break;
		case CERT_CURE_ROLLBACK:
			roll_back(c);
			return;
		case CERT_CURE_DONE:
			done(c);
			return;
		case CERT_CURE_FAILED:
			return;
		}
	}
}

/* ---- start and end ---- */

static void copy_texts(struct cert_cure *c, const struct cert_cure_prm *prm)
{
	c->prm = *prm;
	text_fill(c->data_dir, sizeof c->data_dir, prm->data_dir);
	text_fill(c->node, sizeof c->node, prm->node ? prm->node : "");
	text_fill(c->fqdn, sizeof c->fqdn, prm->fqdn ? prm->fqdn : "");
	text_fill(c->service, sizeof c->service, prm->service ? prm->service : "");
	text_fill(c->gateway, sizeof c->gateway, prm->gateway);
	text_fill(c->ca_cert, sizeof c->ca_cert, prm->ca.ca_cert_file ? prm->ca.ca_cert_file : "");
	text_fill(c->ca_key, sizeof c->ca_key, prm->ca.ca_key_file ? prm->ca.ca_key_file : "");
	text_fill(c->cdp, sizeof c->cdp, prm->ca.cdp_url ? prm->ca.cdp_url : "");
	text_fill(c->identity, sizeof c->identity, trust_identity_name(c->old));
	text_print(c->rehearsal, sizeof c->rehearsal, "%s+rehearsal", c->identity);
	if (prm->signed_file && *prm->signed_file)
		text_fill(c->signed_file, sizeof c->signed_file, prm->signed_file);
	else
		cert_awaited_path(c->data_dir, c->identity, c->signed_file);
	text_fill(c->result.old_sha256, sizeof c->result.old_sha256, trust_identity_fingerprint(c->old));
	c->prm.signed_file = prm->signed_file && *prm->signed_file ? c->signed_file : NULL;
	c->prm.ca.ca_cert_file = c->ca_cert;
	c->prm.ca.ca_key_file = c->ca_key;
	c->prm.ca.cdp_url = c->cdp;
	c->prm.ca.clock = prm->clock;
}

static int copy_others(struct cert_cure *c, const struct cert_cure_prm *prm)
{
	c->prm.n_others = prm->n_others < OTHERS_MAX ? prm->n_others : OTHERS_MAX;
	if (!prm->n_others)
		return 0;
	/* the names lie behind the array */
	c->others = mem_zalloc(c->prm.n_others, sizeof *c->others + TRUST_LABEL_SIZE);
	if (!c->others)
		return ENOMEM;
	char *names = (char *)(c->others + c->prm.n_others);
	for (unsigned i = 0; i < c->prm.n_others; i++) {
		c->others[i] = prm->others[i];
		text_fill(names + (size_t)i * TRUST_LABEL_SIZE, TRUST_LABEL_SIZE, prm->others[i].name);
		c->others[i].name = names + (size_t)i * TRUST_LABEL_SIZE;
	}
	return 0;
}

static void begin(void *arg)
{
	struct cert_cure *c = arg;
	line(c, EV_CERT_CURE_STARTED);
	say(c);
	go(c);
}

int cert_cure_start(struct cert_cure **cp, const struct cert_cure_prm *prm, struct ev_report *why)
{
	struct cert_cure *c = mem_object(sizeof *c, destroy);
	if (!c)
		return ENOMEM;
	buf_init(&c->csr, TRUST_PEM_MAX);
	buf_init(&c->chain, TRUST_PEM_MAX);
	c->set = trust_keeper_get(prm->keeper);
	c->old = mem_ref(trust_set_find(c->set, prm->identity));
	int err = c->old ? 0 : ENOENT;
	if (err) {
		ev_set(why, EV_CERT_CURE_FAILED);
		ev_str(why, "gateway", prm->gateway);
		ev_str(why, "step", "key");
		ev_printf(why, "reason", "this node has no identity %s", prm->identity ? prm->identity : "");
	} else {
		copy_texts(c, prm);
		err = copy_others(c, prm);
	}
	if (err) {
		mem_unref(c);
		return err;
	}
	cert_names_for(&c->names, prm->judges.configured ? &prm->judges : NULL, c->fqdn, c->service);
	*cp = c;
	tmr_start(prm->loop, &c->timer, 0, begin, c); /* no handler before the caller has his pointer */
	return 0;
}

void cert_cure_cancel(struct cert_cure *c)
{
	if (!c || c->cancelled)
		return;
	c->cancelled = true;
	if (!c->working && !c->probing && tmr_active(&c->timer)) {
		tmr_cancel(&c->timer);
		stop(c, "it was cancelled");
	}
}

enum cert_cure_step cert_cure_at(const struct cert_cure *c)
{
	return c->step;
}
