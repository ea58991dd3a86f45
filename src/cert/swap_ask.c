/* SPDX-License-Identifier: Apache-2.0 */
/* swap_ask.c  What the gateways say to a certificate: in the rehearsal, once it is in use, and while it is watched. One is asked after the other; the
 * outcome of a probe comes to probe_done(), which goes on with the errand.                                                     */
#include "base/mem.h"
#include "cert/install.h"
#include "cert/swap_private.h"
#include "cert_events.h"

enum { WATCH_EVERY_MS = 5000 };

/* ---- probes ---- */

static void probe_done(bool answered, const struct trust_facts *facts, void *arg)
{
	struct cert_swap *s = arg;
	s->probing = false;
	s->answered = answered;
	if (facts && !answered)
		trust_explain(facts, &s->verdict);
	if (s->cancelled && !s->live)
		swap_stop(s, cert_words(CERT_SAYS_CANCELLED));
	else
		swap_go(s);
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
	swap_line(s, EV_CERT_PROBE_MISSING);
	swap_say(s);
	return false;
}

static bool is_target(const struct cert_swap *s, unsigned i)
{
	return s->target[0] && strcmp(s->seen[i].name, s->target) == 0;
}

static void next_gateway(struct cert_swap *s)
{
	s->at++;
	s->phase = SWAP_ASK;
}

/* ---- the rehearsal ---- */

static void say_outcome(struct cert_swap *s, uint16_t event)
{
	swap_line(s, event);
	trust_verdict_fields(&s->verdict, &s->line);
	if (!s->verdict.name[0])
		ev_str(&s->line, "verdict", cert_words(CERT_SAYS_NO_ANSWER));
	ev_str(&s->line, "cause", s->verdict.cause);
	ev_str(&s->line, "advice", s->verdict.advice);
	swap_say(s);
}

/* The gateway `at` did not answer to the new certificate. True: the errand waits or has ended. */
static bool silent_in_rehearsal(struct cert_swap *s)
{
	struct swap_seen *g = &s->seen[s->at];
	bool must = is_target(s, s->at) || g->before == CERT_WORKS;
	if (!must && g->before == CERT_NOT_KNOWN && s->old && s->phase == SWAP_ASK) {
		struct trust_verdict v = s->verdict;
		s->phase = SWAP_ASK_WITH_OLD; /* does it answer to the present one? */
		if (probe(s, s->identity))
			return true;
		s->verdict = v;
	}
	say_outcome(s, must ? EV_CERT_REHEARSAL_FAILED : EV_CERT_REHEARSAL_NO_CHANGE);
	if (must && !s->prm.force) {
		swap_stop(s, s->verdict.name[0] ? s->verdict.sentence : cert_words(CERT_SAYS_NOT_REHEARSED));
		return true;
	}
	next_gateway(s);
	return false;
}

/* The outcome of the last probe. True: waits, or has ended. */
static bool rehearsed_one(struct cert_swap *s)
{
	struct swap_seen *g = &s->seen[s->at];
	if (s->phase == SWAP_ASK_WITH_OLD) {
		g->before = s->answered ? CERT_WORKS : CERT_REFUSED; /* what works must with the new one, too */
		return silent_in_rehearsal(s);
	}
	if (!s->answered)
		return silent_in_rehearsal(s);
	g->rehearsed = true;
	s->result.asked++;
	swap_line(s, EV_CERT_REHEARSED);
	swap_say(s);
	next_gateway(s);
	return false;
}

/* Asks those that are left; behind the last one the rehearsal is over. */
static bool ask_on(struct cert_swap *s)
{
	for (; s->at < s->prm.n_gateways; next_gateway(s)) /* there may be no asking one */
		if (probe(s, s->rehearsal))
			return true;
	(void)cert_take_out(s->prm.keeper, s->rehearsal);
	s->rehearsing = mem_unref(s->rehearsing);
	s->on_stage = false;
	s->at = 0;
	s->step = CERT_CURE_INSTALL;
	return false;
}

bool swap_rehearse(struct cert_swap *s)
{
	if (s->on_stage)
		return rehearsed_one(s) || ask_on(s);
	s->at = s->prm.n_gateways;
	swap_line(s, EV_CERT_EXAMINED);
	swap_say(s);
	s->at = 0;
	if (cert_put_live(s->prm.keeper, s->rehearsing, NULL)) {
		swap_stop(s, cert_words(CERT_SAYS_NO_MEMORY));
		return true;
	}
	s->on_stage = true;
	return ask_on(s);
}

/* ---- in use ---- */

static void roll_back_because(struct cert_swap *s, const char *reason)
{
	text_print(s->reason, sizeof s->reason, "gateway %s: %s", s->seen[s->at].name, reason);
	s->result.failed_at = s->step;
	s->step = CERT_CURE_ROLLBACK;
}

/* A gateway that could connect to us and now cannot. */
static bool calls_lost(struct cert_swap *s)
{
	char sentence[SWAP_SENTENCE] = "";
	for (s->at = 0; s->prm.calls_in && s->at < s->prm.n_gateways; s->at++)
		if (s->seen[s->at].calls_in && s->prm.calls_in(s->seen[s->at].name, sentence, sizeof sentence, s->prm.arg) == CERT_REFUSED) {
			roll_back_because(s, sentence[0] ? sentence : cert_words(CERT_SAYS_CALLS_IN_FAIL));
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
	s->phase = SWAP_ASK;
	if (!calls_lost(s) && ask_round(s))
		return;
	swap_go(s);
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
			swap_line(s, EV_CERT_WATCHING);
			ev_int(&s->line, "seconds", s->prm.watch_ms / 1000);
			swap_say(s);
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
	if (!s->answered && s->phase == SWAP_ASK) {
		s->phase = SWAP_CONFIRM;
		if (probe(s, s->identity))
			return true;
	}
	s->phase = SWAP_ASK;
	if (!s->answered) {
		roll_back_because(s, s->verdict.name[0] ? s->verdict.sentence : cert_words(CERT_SAYS_SILENT_NOW));
		return false;
	}
	if (s->step == CERT_CURE_PROVE) {
		swap_line(s, EV_CERT_PROVEN);
		swap_say(s);
	}
	s->at++;
	return ask_round(s);
}

static void tell_live(struct cert_swap *s)
{
	s->live = true;
	s->at = s->prm.n_gateways;
	swap_line(s, EV_CERT_INSTALLED);
	swap_say(s);
	if (s->prm.changed)
		s->prm.changed(s->prm.arg);
	s->at = 0;
	s->phase = SWAP_ASK;
}

bool swap_prove(struct cert_swap *s)
{
	if (!s->live) {
		if (cert_put_live(s->prm.keeper, s->fresh, s->prm.bus)) {
			swap_unwrite_here(s);
			swap_stop(s, cert_words(CERT_SAYS_NO_MEMORY));
			return true;
		}
		tell_live(s);
		if (ask_round(s))
			return true;
	} else if (s->step != CERT_CURE_ROLLBACK && s->at < s->prm.n_gateways && asked_one(s)) {
		return true;
	}
	return s->step != CERT_CURE_ROLLBACK && round_good(s);
}
