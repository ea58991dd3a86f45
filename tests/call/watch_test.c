/* SPDX-License-Identifier: Apache-2.0 */
/* watch_test.c  SUBSCRIBE to the state of a mailbox by a peer that is played by hand (RFC 6665, RFC 3842): told at once and at each change, prolonged, ended by
 * either side, refused as the RFC says; the clock is the test's. */
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"
#include "sip/watch.h"

/* What stands above the core: one mailbox, 100. */
static struct world {
	struct sip_watch *w[4];
	unsigned wanted, asked, over;
	int refuse;
	bool silent; /* asked for the state, it says nothing */
	const char *state;
	char user[64];
} world;

static int on_wanted(struct sip_watch *w, const struct sip_watch_asked *a, void *arg)
{
	(void)arg;
	snprintf(world.user, sizeof(world.user), "%s", a->user);
	if (world.refuse)
		return world.refuse;
	sip_watch_own(w, &world);
	world.w[world.wanted++ % 4] = w;
	return 0;
}

static void on_state(struct sip_watch *w, void *arg)
{
	(void)arg;
	assert_ptr_equal(sip_watch_owned(w), &world);
	world.asked++;
	if (!world.silent)
		sip_watch_tell(w, text_of(world.state));
}

static void on_over(struct sip_watch *w, void *arg)
{
	(void)arg;
	assert_ptr_equal(sip_watch_owned(w), &world);
	world.over++;
}

static const struct sip_watch_handlers handlers = { on_wanted, on_state, on_over, NULL };

#define EVENT "Event: message-summary\r\n"

static void open_all(struct raw *x)
{
	raw_open(x, false);
	world = (struct world){ .state = "Messages-Waiting: no\r\n" };
	x->r.side[B].other->max_watches = 2;
	sip_core_watches(x->r.side[B].core, &handlers);
}

/* The NOTIFY in what was heard stands alone in x->in from now on. */
static void notified(struct raw *x, const char *state, const char *body)
{
	const char *at = strstr(x->in, "NOTIFY sip:");

	if (!at)
		fail_msg("no NOTIFY in:\n%s", x->in);
	memmove(x->in, at, strlen(at) + 1);
	wants(x, "Event: message-summary");
	wants(x, state);
	wants(x, "Contact: <sip:umbel@127.0.0.1:");
	if (body) {
		wants(x, "Content-Type: application/simple-message-summary");
		wants(x, body);
	} else {
		wants(x, "Content-Length: 0");
	}
}

static void subscribe(struct raw *x, const char *branch, const char *more)
{
	say(x, "SUBSCRIBE", branch, more, "");
	x->cseq++;
	heard(x, 20);
}

static void subscribed(struct raw *x)
{
	subscribe(x, "s1", EVENT "Expires: 600\r\n");
	wants(x, "SIP/2.0 200 OK");
	wants(x, "Expires: 600");
	wants(x, "Contact: <sip:umbel@127.0.0.1:");
	assert_string_equal(world.user, "100");
	notified(x, "Subscription-State: active;expires=600", "Messages-Waiting: no");
	answer(x, 200, "", "");
	heard(x, 1100);
	assert_string_equal(x->in, "");
}

static void lives_until_it_is_ended(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	subscribed(&x);
	assert_int_equal(sip_core_watch_count(x.r.side[B].core), 1);
	/* a change */
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: yes\r\n"));
	heard(&x, 20);
	notified(&x, "Subscription-State: active;expires=59", "Messages-Waiting: yes");
	answer(&x, 200, "", "");
	/* two more at once: the latest counts, and not before a second is over; what is no news is not said */
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: no\r\n"));
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: perhaps\r\n"));
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: perhaps\r\n"));
	assert_string_equal(heard(&x, 900), "");
	heard(&x, 200);
	notified(&x, "Subscription-State: active", "Messages-Waiting: perhaps");
	assert_int_equal(count(x.in, "NOTIFY sip:"), 1);
	answer(&x, 200, "", "");
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: perhaps\r\n"));
	assert_string_equal(heard(&x, 3000), "");
	/* prolonged: told again, though nothing is new */
	world.state = "Messages-Waiting: perhaps\r\n";
	subscribe(&x, "s2", EVENT);
	wants(&x, "SIP/2.0 200 OK");
	wants(&x, "Expires: 3600");
	notified(&x, "Subscription-State: active;expires=3600", "Messages-Waiting: perhaps");
	answer(&x, 200, "", "");
	heard(&x, 1100);
	/* and ended */
	subscribe(&x, "s3", EVENT "Expires: 0\r\n");
	wants(&x, "SIP/2.0 200 OK");
	wants(&x, "Expires: 0");
	notified(&x, "Subscription-State: terminated;reason=timeout", "Messages-Waiting: perhaps");
	assert_int_equal(world.over, 0);
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 1);
	assert_int_equal(sip_core_watch_count(x.r.side[B].core), 0);
	subscribe(&x, "s4", EVENT "Expires: 600\r\n");
	wants(&x, "SIP/2.0 481");
	raw_close(&x);
}

static void refused_as_the_rfc_says(void **state)
{
	static const struct {
		const char *more, *status, *also;
		int refuse;
	} cases[] = {
		{ "", "SIP/2.0 489", "Allow-Events: message-summary", 0 },
		{ "Event: presence\r\n", "SIP/2.0 489", "Allow-Events: message-summary", 0 },
		{ "Event: message-summary.winfo\r\n", "SIP/2.0 489", "Allow-Events: message-summary", 0 },
		{ "Event: ;;\r\n", "SIP/2.0 489", "", 0 },
		{ EVENT "Expires: 59\r\n", "SIP/2.0 423", "Min-Expires: 60", 0 },
		{ EVENT "Expires: soon\r\n", "SIP/2.0 400", "", 0 },
		{ EVENT "Expires: 99999999999999\r\n", "SIP/2.0 400", "", 0 },
		{ EVENT "Accept: application/pidf+xml\r\n", "SIP/2.0 406", "Accept: application/simple-message-summary", 0 },
		{ EVENT "Require: eventlist\r\n", "SIP/2.0 420", "Unsupported: eventlist", 0 },
		{ EVENT, "SIP/2.0 404", "", ENOENT },
		{ EVENT, "SIP/2.0 403", "", EACCES },
		{ EVENT, "SIP/2.0 503", "Retry-After:", EAGAIN },
	};
	char branch[16];
	struct raw x;

	(void)state;
	open_all(&x);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(branch, sizeof(branch), "r%u", i);
		world.refuse = cases[i].refuse;
		subscribe(&x, branch, cases[i].more);
		wants(&x, cases[i].status);
		wants(&x, cases[i].also);
		assert_int_equal(count(x.in, "SIP/2.0 "), 1 + count(x.in, "Via: SIP/2.0 "));
		x.tag[0] = '\0';
	}
	assert_int_equal(world.wanted + world.over, 0);
	x.r.side[B].other->max_watches = 0;
	subscribe(&x, "none", EVENT);
	wants(&x, "SIP/2.0 403");
	assert_int_equal(sip_core_watch_count(x.r.side[B].core), 0);
	assert_string_equal(heard(&x, 40000), "");
	raw_close(&x);
}

static void one_gateway_has_only_so_many(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	world.silent = true;
	for (unsigned i = 0; i < 3; i++) {
		char branch[8];
		snprintf(branch, sizeof(branch), "m%u", i);
		x.tag[0] = '\0';
		subscribe(&x, branch, EVENT "Accept: text/plain, application/simple-message-summary;q=0.5\r\n");
		wants(&x, i < 2 ? "SIP/2.0 200" : "SIP/2.0 503");
	}
	wants(&x, "Retry-After:");
	assert_int_equal(sip_core_watch_count(x.r.side[B].core), 2);
	raw_close(&x);
	assert_int_equal(world.over, 2);
}

/* The time is up: said so, with what was known. */
static void runs_out(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	subscribed(&x);
	assert_string_equal(heard(&x, 598000), "");
	heard(&x, 2000);
	notified(&x, "Subscription-State: terminated;reason=timeout", "Messages-Waiting: no");
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 1);
	raw_close(&x);
}

/* Only once (RFC 6665 4.4.3), and with a store that says nothing: then without the state. */
static void fetched_once(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	subscribe(&x, "f1", EVENT "Expires: 0\r\n");
	wants(&x, "SIP/2.0 200");
	notified(&x, "Subscription-State: terminated;reason=timeout", "Messages-Waiting: no");
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 1);
	world.silent = true;
	x.tag[0] = '\0';
	subscribe(&x, "f2", EVENT "Expires: 0\r\n");
	wants(&x, "SIP/2.0 200");
	assert_int_equal(count(x.in, "NOTIFY sip:"), 0);
	heard(&x, 5100);
	notified(&x, "Subscription-State: terminated;reason=timeout", NULL);
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 2);
	raw_close(&x);
}

static void a_notify_that_fails_ends_it(void **state)
{
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		open_all(&x);
		subscribed(&x);
		sip_watch_tell(world.w[0], TEXT("Messages-Waiting: yes\r\n"));
		heard(&x, 20);
		notified(&x, "Subscription-State: active", "Messages-Waiting: yes");
		if (i == 0)
			answer(&x, 481, "", "");
		else if (i == 1)
			answer(&x, 500, "", "");
		heard(&x, i == 2 ? 33000 : 20);
		assert_int_equal(world.over, 1);
		raw_close(&x);
	}
	/* one that is refused for a while is said again, with what is true by then */
	open_all(&x);
	subscribed(&x);
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: yes\r\n"));
	heard(&x, 20);
	notified(&x, "Subscription-State: active", "Messages-Waiting: yes");
	answer_more(&x, 503, "", "Retry-After: 7\r\n", "");
	sip_watch_tell(world.w[0], TEXT("Messages-Waiting: no\r\n"));
	assert_string_equal(heard(&x, 6900), "");
	heard(&x, 300);
	notified(&x, "Subscription-State: active", "Messages-Waiting: no");
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 0);
	raw_close(&x);
	assert_int_equal(world.over, 1);
}

static void ended_by_us(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	subscribed(&x);
	sip_watch_end(world.w[0]);
	heard(&x, 20);
	notified(&x, "Subscription-State: terminated;reason=noresource", "Messages-Waiting: no");
	answer(&x, 200, "", "");
	heard(&x, 20);
	assert_int_equal(world.over, 1);
	x.tag[0] = '\0';
	subscribed(&x);
	sip_core_unwatch(x.r.side[B].core);
	heard(&x, 20);
	notified(&x, "Subscription-State: terminated;reason=deactivated", "Messages-Waiting: no");
	subscribe(&x, "s9", EVENT "Expires: 600\r\n"); /* too late */
	wants(&x, "SIP/2.0 481");
	raw_close(&x);
	assert_int_equal(world.over, 2);
}

/* The gateway lost its right, or another one speaks: not prolonged, and ended. */
static void whose_right_is_gone(void **state)
{
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		open_all(&x);
		subscribed(&x);
		if (i == 0)
			x.r.side[B].other->max_watches = 0;
		else
			x.r.side[B].no_lookup = true;
		subscribe(&x, "s2", EVENT "Expires: 600\r\n");
		wants(&x, "SIP/2.0 403");
		notified(&x, "Subscription-State: terminated;reason=rejected", "Messages-Waiting: no");
		answer(&x, 200, "", "");
		heard(&x, 20);
		assert_int_equal(world.over, 1);
		raw_close(&x);
	}
}

static void other_requests_within_it(void **state)
{
	struct raw x;

	(void)state;
	open_all(&x);
	subscribed(&x);
	say(&x, "BYE", "o1", "", "");
	x.cseq++;
	heard(&x, 20);
	wants(&x, "SIP/2.0 481");
	say(&x, "OPTIONS", "o2", "", "");
	x.cseq++;
	heard(&x, 20);
	wants(&x, "SIP/2.0 200");
	wants(&x, "Allow-Events: refer, message-summary");
	subscribe(&x, "o3", "Event: message-summary;id=other\r\n");
	wants(&x, "SIP/2.0 481");
	x.cseq = 1; /* older than what came */
	subscribe(&x, "o4", EVENT);
	wants(&x, "SIP/2.0 500");
	assert_int_equal(sip_core_watch_count(x.r.side[B].core), 1);
	raw_close(&x);
}

/* Whatever happens in whatever order, it ends once and nothing is left. */
static void any_order(void **state)
{
	struct raw x;
	uint32_t dice = 1;

	(void)state;
	for (unsigned run = 0; run < 40; run++) {
		open_all(&x);
		subscribe(&x, "x0", EVENT "Expires: 60\r\n");
		for (unsigned i = 0; i < 12; i++) {
			char branch[16], body[40];
			dice = dice * 1103515245u + 12345u;
			snprintf(branch, sizeof(branch), "x%u-%u", run, i);
			snprintf(body, sizeof(body), "Messages-Waiting: %u\r\n", i);
			switch (dice >> 16 & 7) {
			case 0: subscribe(&x, branch, EVENT "Expires: 60\r\n"); break;
			case 1: subscribe(&x, branch, EVENT "Expires: 0\r\n"); break;
			case 2: world.silent = !world.silent; break;
			case 3: if (!world.over) sip_watch_tell(world.w[0], text_of(body)); break;
			case 4: if (!world.over) sip_watch_end(world.w[0]); break;
			case 5: sip_core_unwatch(x.r.side[B].core); break;
			case 6: heard(&x, 1200); break;
			default: heard(&x, 20);
			}
			if (strstr(x.in, "NOTIFY sip:") && (dice >> 20 & 3)) {
				memmove(x.in, strstr(x.in, "NOTIFY sip:"), strlen(strstr(x.in, "NOTIFY sip:")) + 1);
				answer(&x, (dice >> 22 & 3) ? 200 : 500, "", "");
				heard(&x, 5);
			}
		}
		assert_true(world.over <= 1);
		raw_close(&x);
		assert_int_equal(world.over, 1);
	}
}

UT_MAIN(UT(lives_until_it_is_ended), UT(refused_as_the_rfc_says), UT(one_gateway_has_only_so_many), UT(runs_out), UT(fetched_once),
        UT(a_notify_that_fails_ends_it), UT(ended_by_us), UT(whose_right_is_gone), UT(other_requests_within_it), UT(any_order))
