/* SPDX-License-Identifier: Apache-2.0 */
/* cure.c  The first half of the errand in one function, go(): a case a step, in the order lived. A step either goes on, waits (for a job, a file), or ends
 * it; the second half is swap.c. Jobs run on the pool and touch only what the cure holds while it waits for them.               */
#include "cert/cure.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/install.h"
#include "cert/order.h"
#include "cert/words.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/explain.h"
#include "trust/pem.h"
#include "trust_events.h"

enum { LOOK_MS = 1000, WAIT_MS = 3600 * 1000, PATH_SIZE = 512, GATEWAYS_MAX = CERT_PLAN_GATEWAYS };

/* A file as it was met: two that are alike, one after the other, are a file that nobody writes to any more. */
struct cure_sight {
	int64_t size, changed_ns;
	int err;      /* why it is no answer; ENOENT: there is nothing */
	bool settled; /* as at the look before */
	bool told;    /* what is wrong with it */
};

struct cert_cure {
	struct cert_cure_prm prm; /* its texts point into the arrays below */
	char data_dir[PATH_SIZE], node[TRUST_LABEL_SIZE], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE];
	char gateway[TRUST_LABEL_SIZE], identity[TRUST_LABEL_SIZE];
	char ca_cert[PATH_SIZE], ca_key[PATH_SIZE], cdp[PATH_SIZE], signed_file[PATH_SIZE];
	struct cert_gateway *gateways;
	char (*gateway_names)[TRUST_LABEL_SIZE];

	enum cert_cure_step step;
	bool working, cancelled;
	struct trust_identity *old;
	struct cert_names names;
	struct buf csr, chain;
	struct tmr timer;
	int64_t give_up_ms;
	struct cure_sight last; /* what lay where the answer is awaited */
	struct cert_swap *swap; /* the second half; it ends itself */
	struct ev_report why;   /* of the last job */
	struct ev_report line;  /* being said */
	struct cert_cure_result result;
};

static void go(struct cert_cure *c);

/* ---- saying ---- */

static struct ev_report *line(struct cert_cure *c, uint16_t event)
{
	char names[512];
	ev_set(&c->line, event);
	ev_str(&c->line, "gateway", c->gateway);
	ev_str(&c->line, "identity", c->identity);
	ev_str(&c->line, "cn", c->names.cn);
	ev_str(&c->line, "old_cn", trust_identity_cn(c->old));
	ev_str(&c->line, "names", trust_names_join(&c->names.dns, names, sizeof names));
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
	mem_unref(c->old);
	buf_free(&c->csr);
	buf_free(&c->chain);
	mem_free(c->gateways);
	mem_free(c->gateway_names);
}

/* The last call. */
static void over(struct cert_cure *c)
{
	tmr_cancel(&c->timer);
	if (c->prm.over)
		c->prm.over(&c->result, c->prm.arg);
	mem_unref(c);
}

/* Ends it with the reason that stands in `why`, or in words. */
static void stop(struct cert_cure *c, const char *reason)
{
	char sentence[TRUST_VERDICT_TEXT];
	const struct ev_def *d = reason ? NULL : ev_def_find(c->why.id);
	struct buf advice;
	buf_init(&advice, 8192);
	if (d)
		ev_render(d->advice, &c->why, &advice);
	line(c, EV_CERT_CURE_FAILED);
	ev_str(&c->line, "step", cert_cure_step_name(c->step));
	ev_str(&c->line, "reason", reason ? reason : c->why.id ? ev_sentence(&c->why, sentence, sizeof sentence) : cert_words(CERT_SAYS_NO_MEMORY));
	ev_str(&c->line, "advice", advice.n ? buf_cstr(&advice) : "");
	buf_free(&advice);
	c->result.failed_at = c->step;
	c->step = CERT_CURE_FAILED;
	text_fill(c->result.identity, sizeof c->result.identity, c->identity);
	ev_copy(&c->result.report, &c->line);
	say(c);
	over(c);
}

/* ---- jobs ---- */

static void job_done(enum pool_result result, int err, void *arg)
{
	struct cert_cure *c = arg;
	c->working = false;
	if (c->cancelled)
		stop(c, cert_words(CERT_SAYS_CANCELLED));
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
		stop(c, cert_words(CERT_SAYS_BUSY));
}

static int work_key(void *arg)
{
	struct cert_cure *c = arg;
	if (!c->prm.signed_file || !*c->prm.signed_file)
		(void)unlink(c->signed_file); /* the answer to an older request */
	return cert_request_files(c->data_dir, c->identity, c->prm.kind, &c->names, c->prm.usage, &c->csr, c->result.csr_file, &c->why);
}

static int work_sign(void *arg)
{
	struct cert_cure *c = arg;
	return cert_ca_sign(&c->chain, buf_as_text(&c->csr), &c->prm.ca, &c->why);
}

/* What is to be done elsewhere, told while the certificate is waited for. */
static void todo(const struct ev_report *r, void *arg)
{
	struct cert_cure *c = arg;
	ev_copy(&c->line, r);
	say(c);
}

static void say_todo(struct cert_cure *c)
{
	cert_todo_at_ca(&c->names, c->prm.usage, c->result.csr_file, c->signed_file, todo, c);
	for (unsigned i = 0; i < c->prm.n_gateways; i++)
		if (strcmp(c->gateways[i].name, c->gateway) == 0)
			cert_todo_at_gateway(&c->gateways[i], &c->names, c->fqdn, todo, c);
}

/* ---- the file that somebody else signs ---- */

static int read_answer(struct cert_cure *c)
{
	STACK_OF(X509) *certs = NULL;
	buf_clear(&c->chain);
	int err = trust_pem_file(&c->chain, c->signed_file);
	if (!err)
		err = cert_answer_to_pem(&c->chain);
	if (!err)
		err = trust_pem_certs(&certs, buf_as_text(&c->chain));
	sk_X509_pop_free(certs, X509_free);
	return err;
}

static int work_look(void *arg)
{
	struct cert_cure *c = arg;
	struct stat st;
	struct cure_sight now = { .told = c->last.told };
	if (stat(c->signed_file, &st) == 0) {
		now.size = st.st_size;
		now.changed_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
	}
	now.err = read_answer(c);
	now.settled = now.err != ENOENT && c->last.changed_ns == now.changed_ns && c->last.size == now.size;
	c->last = now;
	return 0;
}

static void look(void *arg);

/* Something lies there and cannot be used: that is said once, for it would be waited for in vain. */
static void tell_unusable(struct cert_cure *c)
{
	c->last.told = true;
	line(c, EV_CERT_FILE_FAILED);
	ev_str(&c->line, "file", c->signed_file);
	ev_str(&c->line, "error", c->last.err == EBADMSG ? cert_words(CERT_SAYS_NO_CERTIFICATE) : strerrordesc_np(c->last.err));
	say(c);
}

static void looked(enum pool_result result, int err, void *arg)
{
	struct cert_cure *c = arg;
	(void)result;
	(void)err;
	c->working = false;
	if (c->cancelled) {
		stop(c, cert_words(CERT_SAYS_CANCELLED));
		return;
	}
	if (c->last.settled && !c->last.err) {
		c->step = CERT_CURE_EXAMINE;
		go(c);
		return;
	}
	if (c->last.settled && !c->last.told)
		tell_unusable(c);
	if (clock_mono_ms(c->prm.clock) >= c->give_up_ms)
		stop(c, cert_words(CERT_SAYS_NO_ANSWER_FILE));
	else
		tmr_start(c->prm.loop, &c->timer, LOOK_MS, look, c);
}

static void look(void *arg)
{
	struct cert_cure *c = arg;
	c->working = pool_submit(c->prm.pool, work_look, looked, c) == 0;
	if (!c->working)
		looked(POOL_FAILED, EAGAIN, c);
}

static void wait_for_file(struct cert_cure *c)
{
	line(c, EV_CERT_WAITING);
	ev_str(&c->line, "file", c->result.csr_file);
	ev_str(&c->line, "signed_file", c->signed_file);
	say(c);
	if (c->prm.request)
		c->prm.request(buf_as_text(&c->csr), c->signed_file, c->prm.arg);
	else
		say_todo(c);
	c->give_up_ms = clock_mono_ms(c->prm.clock) + (c->prm.wait_ms ? c->prm.wait_ms : WAIT_MS);
	tmr_start(c->prm.loop, &c->timer, LOOK_MS, look, c);
}

/* ---- the steps ---- */

static void say_key(struct cert_cure *c)
{
	line(c, EV_CERT_KEY_MADE);
	ev_str(&c->line, "kind", cert_key_kind_name(c->prm.kind));
	ev_str(&c->line, "file", c->result.csr_file);
	say(c);
}

/* ---- the second half ---- */

static void swap_said(enum cert_cure_step step, const struct ev_report *r, void *arg)
{
	struct cert_cure *c = arg;
	c->step = step;
	if (c->prm.said)
		c->prm.said(step, r, c->prm.arg);
}

static void swap_over(const struct cert_cure_result *r, void *arg)
{
	struct cert_cure *c = arg;
	char csr_file[PATH_SIZE];
	text_fill(csr_file, sizeof csr_file, c->result.csr_file);
	c->swap = NULL;
	c->result = *r;
	text_fill(c->result.csr_file, sizeof c->result.csr_file, csr_file);
	c->step = r->good ? CERT_CURE_DONE : CERT_CURE_FAILED;
	over(c);
}

static void swap_changed(void *arg)
{
	struct cert_cure *c = arg;
	if (c->prm.changed)
		c->prm.changed(c->prm.arg);
}

static enum cert_works swap_options(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct cert_cure *c = arg;
	return c->prm.options ? c->prm.options(gateway, sentence, size, c->prm.arg) : CERT_NOT_KNOWN;
}

static enum cert_works swap_calls_in(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct cert_cure *c = arg;
	return c->prm.calls_in ? c->prm.calls_in(gateway, sentence, size, c->prm.arg) : CERT_NOT_KNOWN;
}

static void into_use(struct cert_cure *c)
{
	struct cert_swap_prm prm = {
		.loop = c->prm.loop, .pool = c->prm.pool, .clock = c->prm.clock, .bus = c->prm.bus, .keeper = c->prm.keeper, .data_dir = c->data_dir,
		.fqdn = c->fqdn, .service = c->service, .identity = c->identity, .is_default = c->prm.is_default, .chain = buf_as_text(&c->chain),
		.gateways = c->gateways, .n_gateways = c->prm.n_gateways, .target = c->gateway, .wanted_cn = c->names.cn, .force = c->prm.force,
		.watch_ms = c->prm.watch_ms, .probe = c->prm.probe, .probe_arg = c->prm.probe_arg, .options = swap_options, .calls_in = swap_calls_in,
		.changed = swap_changed, .said = swap_said, .over = swap_over, .arg = c,
	};
	if (cert_swap_start(&c->swap, &prm))
		stop(c, cert_words(CERT_SAYS_NO_MEMORY));
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
			into_use(c);
			return;
		default:
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
	if (prm->signed_file && *prm->signed_file)
		text_fill(c->signed_file, sizeof c->signed_file, prm->signed_file);
	else
		cert_awaited_path(c->data_dir, c->identity, c->signed_file);
	c->prm.signed_file = prm->signed_file && *prm->signed_file ? c->signed_file : NULL;
	c->prm.ca.ca_cert_file = c->ca_cert;
	c->prm.ca.ca_key_file = c->ca_key;
	c->prm.ca.cdp_url = c->cdp;
	c->prm.ca.clock = prm->clock;
}

static int copy_gateways(struct cert_cure *c, const struct cert_cure_prm *prm)
{
	unsigned n = prm->n_gateways < GATEWAYS_MAX ? prm->n_gateways : GATEWAYS_MAX;
	c->prm.n_gateways = n;
	if (!n)
		return 0;
	c->gateways = mem_zalloc(n, sizeof *c->gateways);
	c->gateway_names = mem_zalloc(n, sizeof *c->gateway_names);
	if (!c->gateways || !c->gateway_names)
		return ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		c->gateways[i] = prm->gateways[i];
		text_fill(c->gateway_names[i], sizeof c->gateway_names[i], prm->gateways[i].name);
		c->gateways[i].name = c->gateway_names[i];
		c->gateways[i].identity = c->identity;
	}
	return 0;
}

/* The names that this gateway wants; the others that are shown the identity add theirs if they do not insist on another subject. */
static void plan_names(struct cert_cure *c)
{
	struct cert_plan_prm prm = { .identity = c->identity, .fqdn = c->fqdn, .service = c->service, .gateways = c->gateways, .n_gateways = c->prm.n_gateways };
	struct cert_plan *p = mem_alloc(sizeof *p);
	cert_names_for(&c->names, NULL, c->fqdn, c->service);
	if (!p)
		return;
	cert_plan_make(p, &prm);
	for (unsigned i = 0; i < p->n; i++)
		for (unsigned k = 0; k < p->one[i].n_gateways; k++)
			if (strcmp(c->gateways[p->one[i].gateway[k]].name, c->gateway) == 0)
				c->names = p->one[i].names;
	mem_free(p);
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
	struct trust_set *set = trust_keeper_get(prm->keeper);
	c->old = mem_ref(trust_set_find(set, prm->identity));
	mem_unref(set);
	int err = c->old ? 0 : ENOENT;
	if (err) {
		ev_set(why, EV_CERT_CURE_FAILED);
		ev_str(why, "gateway", prm->gateway);
		ev_str(why, "step", "key");
		ev_printf(why, "reason", "this node has no identity %s", prm->identity ? prm->identity : "");
	} else {
		copy_texts(c, prm);
		err = copy_gateways(c, prm);
	}
	if (err) {
		mem_unref(c);
		return err;
	}
	plan_names(c);
	*cp = c;
	tmr_start(prm->loop, &c->timer, 0, begin, c); /* no handler before the caller has his pointer */
	return 0;
}

void cert_cure_cancel(struct cert_cure *c)
{
	if (!c || c->cancelled)
		return;
	c->cancelled = true;
	if (c->swap)
		cert_swap_cancel(c->swap);
	else if (!c->working && tmr_active(&c->timer)) {
		tmr_cancel(&c->timer);
		stop(c, cert_words(CERT_SAYS_CANCELLED));
	}
}

enum cert_cure_step cert_cure_at(const struct cert_cure *c)
{
	return c->step;
}
