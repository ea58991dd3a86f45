/* SPDX-License-Identifier: Apache-2.0 */
/* wander_test.c  Callers who wander through all tables, mostly by keys that count where they are, over stores, recorders and gateways that fail, refuse or never
 * answer. Each way is walked again and again: the caller hangs up at every sentence of it, and falls silent for ever there. Always it
 * ends, in time; he is never left in silence for long; after a hang-up nothing is said and no recording is left; no PIN is
 * repeated to him or written down. Seeds are fixed, so a failure repeats: its number is told.                           */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "talk.h"
#include "world.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
enum {
	WAYS = 800, ACTIONS = 30, MOST_SAYS = 45,
	STEP_MS = 50,
	QUIET_MS = 31000,      /* being put through, or a message being sent to many; nothing else takes so long */
	PAUSE_MS = 61000,      /* whoever asked for a pause gets one */
	ENDS_MS = 45000,       /* after a hang-up */
	ALONE_MS = 30 * 60000, /* after falling silent */
};
#define PIN "482915"

enum end { BY_HIMSELF, HANGS_UP, FALLS_SILENT };
static struct way {
	struct talk t;
	struct dlg_effects fx;
	int (*say)(void *arg, const struct dlg_utterance *u, uint32_t id);
	unsigned n, says, says_when_gone, at; /* at: the sentence at which it happens */
	enum end end;
	bool gone, silent, troubled; /* troubled: what he meets fails now and then */
	int64_t quiet_ms, after_ms; /* after_ms: so long after the sentence began */
} w;
static struct seen { /* states that somebody was in */
	const struct dlg_table *table;
	bool state[64];
} seen[24];
static struct dlg_attendants *attendants;
static struct cfg *cfg, *rules;
static uint64_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static void wrong(const char *what)
{
	static const char *const ends[] = { "", "hang-up at", "silence from" };
	fail_msg("way %u, %s sentence %u, in %s: %s", w.n, ends[w.end], w.at, talk_where(&w.t), what);
}

/* ---- what is watched ---- */
static int say(void *arg, const struct dlg_utterance *u, uint32_t id)
{
	w.says++;
	for (unsigned i = 0; i < u->n; i++) {
		const char *text = dlg_said_text(u, i);
		if (strstr(text, PIN) || strstr(text, "918273"))
			wrong("a PIN is said");
	}
	if (w.gone)
		wrong("something is said to nobody");
	return w.say(arg, u, id);
}

static void step(void *arg, const struct dlg_step *st)
{
	(void)arg;
	unsigned i = 0;
	while (i < COUNT_OF(seen) && seen[i].table && seen[i].table != st->table)
		i++;
	if (i < COUNT_OF(seen) && !st->table->owner && st->from < COUNT_OF(seen->state)) {
		seen[i].table = st->table;
		seen[i].state[st->from] = true;
	}
	if ((st->table == &dlg_entry || st->table == &dlg_logon || st->table == &dlg_pin_change) && strpbrk(st->keys, "123456789"))
		wrong("keys of a PIN are written down");
}

/* Time in which he hears nothing and is not being listened to. */
static void listen(void)
{
	struct talk *t = &w.t;
	if (t->over || t->saying || t->rec_job || t->hear_job || t->n_talks) {
		w.quiet_ms = 0;
		return;
	}
	w.quiet_ms += STEP_MS;
	if (w.quiet_ms > (strcmp(dlg_state_of(&t->s.eng), "pause") == 0 ? PAUSE_MS : QUIET_MS) && !w.gone) {
		char text[160];
		snprintf(text, sizeof(text), "nothing is heard for %lld s", (long long)w.quiet_ms / 1000);
		wrong(text);
	}
}

static void pass(int64_t ms)
{
	for (; ms > 0 && !w.t.over; ms -= STEP_MS) {
		talk_wait(&w.t, STEP_MS);
		listen();
		if (w.end == BY_HIMSELF || w.says < w.at || w.gone || w.silent || (w.after_ms -= STEP_MS) > 0)
			continue;
		w.silent = true;
		if (w.end == HANGS_UP) {
			w.gone = true;
			talk_hangup(&w.t);
			return;
		}
	}
}

/* ---- the world ---- */
static enum talk_mode mode(void)
{
	return !w.troubled || below(5) ? TALK_GOOD : (enum talk_mode)below(4);
}

/* A leg and a recorder have limits of their own: they always tell how it ended. */
static enum talk_mode mode_of_leg(void)
{
	enum talk_mode m = mode();
	return m == TALK_NEVER ? TALK_FAILS : m;
}

static void world(void)
{
	struct talk *t = &w.t;
	w.troubled = below(2);
	talk_init(t);
	talk_message(t, "m1", MBOX_NEW, "203");
	talk_message(t, "m2", MBOX_SAVED, "");
	talk_message(t, "m3", MBOX_DELETED, "202");
	talk_message(t, "m4", MBOX_NEW, "+15550100");
	t->messages[3].private = below(2);
	t->room = mode();
	t->save = mode();
	t->fetch = mode();
	t->greeting = mode();
	t->mark = mode();
	t->list = mode();
	t->no_orders = below(2); /* the gateway takes no REFER */
	t->transfer = t->no_orders ? TALK_REFUSES : mode_of_leg();
	t->logon = mode();
	t->pin_set = mode();
	t->owner = mode();
	t->choose = mode();
	t->stretch = mode();
	t->send = mode();
	t->find = mode_of_leg();
	t->join = mode();
	t->take = mode();
	t->hear = mode();
	t->room_err = w.troubled && !below(4) ? EDQUOT : 0;
	t->record = !w.troubled || below(6) ? TALK_GOOD : below(2) ? TALK_FAILS : TALK_REFUSES;
	t->recogniser = below(2);
	t->hear_err = below(3) ? 0 : ENOENT;
	t->hear_direct = below(2);
	static const char *const people[] = { "alice", "carol", "operator", "dave" };
	for (unsigned i = 0; i < 1 + below(DLG_HEARD); i++)
		t->hear_who[i] = people[(i + t->n_messages) % 4];
	t->job_ms = (int)below(3000);
	t->speak_ms = (int)below(9000);
	t->mute = !below(5);
	t->has_greeting = below(2);
	t->has_name = below(2);
	t->find_ms = (int)below(9000);
	t->greetings = below(1u << MBOX_GREETINGS);
	t->rule_greeting = below(2);
	t->standing.away = !below(4);
	t->s.closed = !below(4);
	t->s.reason = (enum dlg_reason)below(5);
	t->must_change = !below(5);
	t->no_pin = w.troubled && !below(12);
	t->locked = w.troubled && !below(12);
	t->send_fails_for = below(3);
	t->recorded = below(32);
	t->setting_up = !below(5);
	t->group = below(2) ? "Team\nbob\ncarol" : NULL;
	t->xfer_status = below(2) ? 486 : 0;
	t->xfer_ms = (int)below(20000);
	t->real_s = 1766569800 + (int64_t)below(40000000); /* open, closed, holidays */
	w.fx = *t->s.fx;
	w.say = w.fx.io.say;
	w.fx.io.say = say;
	w.fx.io.step = step;
	t->s.fx = &w.fx;
	t->s.eng.io = &w.fx.io;
}

static const struct dlg_table *beginning(void)
{
	static const char *const names[] = { "main", "house", "bar", "night", "always", "never" };
	unsigned kind = below(8);
	if (kind < 3)
		talk_box(&w.t, "alice");
	if (kind == 2 && below(2))
		w.t.s.caller = world_user(w.t.view, "bob");
	if (kind < 2 && below(2))
		w.t.s.rule = &cfg_mailbox(rules, TEXT("alice"))->rules[below(5)];
	return kind < 2 ? &dlg_answering : kind == 2 ? &dlg_screen : kind < 5 ? &dlg_subscriber : dlg_attendant_table(attendants, text_of(names[below(6)]));
}

/* ---- the caller ---- */
/* Row number `nth` of those that take keys where he is; NULL: there are fewer. */
static const struct dlg_row *key_row(unsigned nth)
{
	const struct dlg_table *table = dlg_table_of(&w.t.s.eng);
	unsigned state = table ? w.t.s.eng.stack[w.t.s.eng.depth - 1].state : 0;
	for (unsigned i = 0; table && i < table->n_rows; i++) {
		const struct dlg_row *r = &table->rows[i];
		if ((r->in == state || r->in == DLG_ANY) && r->when.event == DLG_KEYS && !nth--)
			return r;
	}
	return NULL;
}

/* Keys that count where he is. */
static bool live_keys(char dst[40])
{
	unsigned n = 0, at = 0;
	while (key_row(n))
		n++;
	if (!n)
		return false;
	for (const char *k = key_row(below(n))->when.keys; *k && at < 39; k++)
		if (*k != ' ')
			dst[at++] = *k == 'x' ? (char)('0' + below(10)) : *k;
	dst[at] = '\0';
	return true;
}

/* Owners who know their way: straight to where wandering alone seldom leads. */
static void goes_there(void)
{
	static const char *const ways[] = { "", "1", "12", "15", "5203#", "5203##", "1006203##", "6", "62", "621", "64", "65", "67", "7", "74", "74203#", "4", "42222#1", "42222#12", "10044", "1006203##1", "73", "731", "1007" };
	talk_keys(&w.t, "201#" PIN "#");
	pass(6000);
	if (!w.silent && !w.t.over)
		talk_keys(&w.t, ways[below(sizeof(ways) / sizeof(*ways))]);
}

static void does_something(void)
{
	static const char *const phrases[] = { "201#" PIN "#", "203#", PIN "#", "918273#918273#", "2222#", "22#", "1#", "#1", "62", "99999", "*", "0061", "5203#" };
	char keys[40];
	if (w.t.hear_job && below(2))
		dlg_job_progress(&w.t.s.eng, w.t.hear_job, 1);
	switch (below(12)) {
	case 0:
		pass(below(26000)); /* he is waited for */
		break;
	case 1:
		talk_keys(&w.t, phrases[below(sizeof(phrases) / sizeof(*phrases))]);
		break;
	case 2: {
		char one[2] = { "0123456789*#"[below(12)], '\0' };
		talk_keys(&w.t, one);
		break;
	}
	default:
		if (dlg_table_of(&w.t.s.eng) == &dlg_entry && !below(3))
			talk_keys(&w.t, dlg_table_of(&w.t.s.eng) && w.t.s.box ? PIN "#" : "201#" PIN "#");
		else if (live_keys(keys))
			talk_keys(&w.t, keys);
		break;
	}
	pass(below(4) ? below(2500) : below(9000));
}

/* ---- ways ---- */
static void walk(unsigned n, enum end end, unsigned at)
{
	w = (struct way){ .n = n, .end = end, .at = at, .after_ms = at % 3 ? (at * 2654435761u >> 8) % 4000 : 0 };
	seed = 0x9e3779b97f4a7c15ULL * (n + 1);
	world();
	const struct dlg_table *table = beginning();
	talk_start(&w.t, table);
	if (table == &dlg_subscriber && below(4))
		goes_there();
	for (unsigned i = 0; i < ACTIONS && !w.t.over && !w.silent; i++) {
		pass(STEP_MS);
		if (!w.silent && !w.t.over)
			does_something();
	}
	if (!w.gone && end != FALLS_SILENT) {
		w.gone = true;
		talk_hangup(&w.t);
	}
	pass(w.gone ? ENDS_MS : ALONE_MS);
	if (!w.t.over)
		wrong(w.gone ? "it does not end after the hang-up" : "it does not end when nobody does anything");
	if (w.t.file && w.t.save == TALK_GOOD && !w.t.rec_job)
		wrong("a recording is left over");
	if (w.t.n_saved > 1 && table == &dlg_answering)
		wrong("one message was saved twice");
	talk_end(&w.t);
}

static int begin(void **state)
{
	cfg = world_cfg();
	rules = rules_cfg();
	(void)state;
	return dlg_attendants_create(&attendants, cfg);
}

static int end(void **state)
{
	(void)state;
	attendants = mem_unref(attendants);
	cfg = (cfg_unref(cfg), NULL);
	rules = (cfg_unref(rules), NULL);
	return 0;
}

static void all_ways_end(enum end how)
{
	begin(NULL);
	for (unsigned n = 0; n < WAYS; n++) {
		walk(n, BY_HIMSELF, 0);
		unsigned says = w.says < MOST_SAYS ? w.says : MOST_SAYS;
		for (unsigned at = 1; at <= says; at++)
			walk(n, how, at);
	}
	end(NULL);
}

static void a_hang_up_at_any_sentence_ends_it(void **state)
{
	(void)state;
	all_ways_end(HANGS_UP);
}

static void silence_from_any_sentence_on_ends_it(void **state)
{
	(void)state;
	all_ways_end(FALLS_SILENT);
}

/* What is never walked is never tried. A few states are so far away that chance may miss them: they are named. */
static void nearly_every_state_was_walked(void **state)
{
	(void)state;
	const struct dlg_table *all[] = { &dlg_answering, &dlg_subscriber, &dlg_logon, &dlg_player, &dlg_options, &dlg_pin_change, &dlg_greeting, &dlg_setup, &dlg_send,
		                          &dlg_recorder, &dlg_entry, &dlg_names, &dlg_transfer, &dlg_find, &dlg_screen, &dlg_ask };
	unsigned missing = 0, all_states = 0;
	for (unsigned k = 0; k < COUNT_OF(all); k++)
		for (unsigned s = 0; s < all[k]->n_states; s++) {
			unsigned i = 0;
			all_states++;
			while (i < COUNT_OF(seen) && seen[i].table != all[k])
				i++;
			if (i < COUNT_OF(seen) && seen[i].state[s])
				continue;
			bool rests = false; /* those that are passed through at once are in no step */
			for (unsigned r = 0; r < all[k]->n_rows; r++)
				rests = rests || (all[k]->rows[r].in == s && all[k]->rows[r].when.event != DLG_ENTER && all[k]->rows[r].when.event != DLG_FAILED);
			if (!rests)
				continue;
			print_error("nobody was in %s: %s\n", all[k]->name, all[k]->states[s].name);
			missing++;
		}
	assert_true(missing * 20 <= all_states);
}

UT_MAIN(UT(a_hang_up_at_any_sentence_ends_it), UT(silence_from_any_sentence_on_ends_it), UT(nearly_every_state_was_walked))
