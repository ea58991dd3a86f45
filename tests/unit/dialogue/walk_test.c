/* SPDX-License-Identifier: Apache-2.0 */
/* Walks every table, row by row: each state reachable, none without a way out, each answers hang-up and time-out, every job's failure is told,
 * every prompt exists in the catalogue and every prompt is said somewhere. argv[1]: prompts/en-US.prompts.                 */
#include "ut.h"
#include <stdio.h>
#include "base/mem.h"
#include "dialogue/session.h"
#include "world.h"

static const char *catalogue_path;
static struct dlg_attendants *attendants;
static const struct dlg_table *tables[40];
static unsigned n_tables;

static int setup(void **state)
{
	struct cfg *cfg = world_cfg();
	int err = dlg_attendants_create(&attendants, cfg);
	cfg_unref(cfg);
	const struct dlg_table *all[] = { &dlg_answering, &dlg_ruled, &dlg_subscriber, &dlg_logon, &dlg_player, &dlg_options, &dlg_pin_change, &dlg_language, &dlg_away, &dlg_rule_greetings, &dlg_greeting, &dlg_setup, &dlg_send, &dlg_play_out, &dlg_recorder,
		                          &dlg_entry, &dlg_names, &dlg_transfer, &dlg_find, &dlg_screen, &dlg_bridged, dlg_attendant_table(attendants, TEXT("main")),
		                          dlg_attendant_table(attendants, TEXT("night")), dlg_attendant_table(attendants, TEXT("plain")), dlg_attendant_table(attendants, TEXT("plain/closed")), dlg_attendant_table(attendants, TEXT("house")),
		                          dlg_attendant_table(attendants, TEXT("house/closed")), dlg_attendant_table(attendants, TEXT("bar")),
		                          dlg_attendant_table(attendants, TEXT("bar/closed")), dlg_attendant_table(attendants, TEXT("always")),
		                          dlg_attendant_table(attendants, TEXT("never")) };
	n_tables = sizeof(all) / sizeof(all[0]);
	memcpy(tables, all, sizeof(all));
	tables[n_tables++] = &dlg_ask;
	(void)state;
	return err;
}

static int teardown(void **state)
{
	(void)state;
	attendants = mem_unref(attendants);
	return 0;
}

static bool applies(const struct dlg_row *r, unsigned state)
{
	return r->in == state || r->in == DLG_ANY;
}

static bool answers(const struct dlg_table *t, unsigned state, enum dlg_event_type event)
{
	for (unsigned i = 0; i < t->n_rows; i++)
		if (applies(&t->rows[i], state) && t->rows[i].when.event == event)
			return true;
	return false;
}

/* Passed through at once: a row on entry that always applies and goes on. */
static bool passes(const struct dlg_table *t, unsigned state)
{
	for (unsigned i = 0; i < t->n_rows; i++) {
		const struct dlg_row *r = &t->rows[i];
		if (applies(r, state) && r->when.event == DLG_ENTER && !r->only_if.h && r->go != DLG_STAY && r->go != state)
			return true;
	}
	return false;
}

static bool waits_for_job(const struct dlg_table *t, unsigned state)
{
	return answers(t, state, DLG_DONE);
}

static void wrong(const struct dlg_table *t, unsigned state, const char *what)
{
	fail_msg("%s, state \"%s\": %s", t->name, t->states[state].name, what);
}

static void every_state_is_reachable(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++) {
		const struct dlg_table *t = tables[k];
		bool seen[256] = { false };
		seen[t->start] = true;
		for (bool more = true; more;) {
			more = false;
			for (unsigned i = 0; i < t->n_rows; i++) {
				const struct dlg_row *r = &t->rows[i];
				bool from = r->in == DLG_ANY || seen[r->in];
				if (!from || r->go >= t->n_states || seen[r->go])
					continue;
				seen[r->go] = more = true;
			}
		}
		/* what an attendant's menu does not offer is not reached in it; together they reach all */
		for (unsigned s = 0; s < t->n_states; s++)
			if (!seen[s] && !t->owner)
				wrong(t, s, "cannot be reached");
	}
}

static void rows_are_well_formed(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned i = 0; i < tables[k]->n_rows; i++) {
			const struct dlg_table *t = tables[k];
			const struct dlg_row *r = &t->rows[i];
			unsigned at = r->in == DLG_ANY ? t->start : r->in;
			assert_true(at < t->n_states);
			if (r->go < DLG_STAY && r->go >= t->n_states)
				wrong(t, at, "goes to a state that is not there");
			if (r->go & DLG_RETURN_BIT && ((r->go & 0xff) == 0 || (r->go & 0xff) >= J_REC_ENDED))
				wrong(t, at, "returns what is no result");
			if ((r->when.event == DLG_KEYS) != (r->when.keys != NULL))
				wrong(t, at, "keys without a pattern");
			if (r->when.event == DLG_RESULT && (!t->states[at].call || r->go == DLG_STAY))
				wrong(t, at, "waits for a result that does not come, or stays after it");
			if (!!r->only_if.h != !!r->only_if.name || !!r->act.h != !!r->act.name)
				wrong(t, at, "an action or guard without a name");
		}
}

/* A row behind one that always applies to the same event is never asked. */
static bool hides(const struct dlg_row *a, const struct dlg_row *b)
{
	return (a->in == b->in || a->in == DLG_ANY) && a->when.event == b->when.event && !a->only_if.h &&
	       (!a->when.code || a->when.code == b->when.code) && (a->when.event != DLG_KEYS || strcmp(a->when.keys, b->when.keys) == 0);
}

static void no_row_hides_another(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned i = 0; i < tables[k]->n_rows; i++)
			for (unsigned j = i + 1; j < tables[k]->n_rows; j++)
				if (!tables[k]->owner && hides(&tables[k]->rows[i], &tables[k]->rows[j]))
					fail_msg("%s: row %u (%s) hides row %u", tables[k]->name, i, tables[k]->states[tables[k]->rows[i].in % tables[k]->n_states].name, j);
}

static void every_state_has_a_time_limit_and_answers_it(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned s = 0; s < tables[k]->n_states; s++) {
			const struct dlg_table *t = tables[k];
			const struct dlg_state *st = &t->states[s];
			if (passes(t, s))
				continue;
			if (st->call) {
				if (!(st->flags & DLG_TAIL) && !answers(t, s, DLG_RESULT))
					wrong(t, s, "does not take the result of the table it calls");
				continue;
			}
			if (!st->timeout_ms && !(t == &dlg_recorder && waits_for_job(t, s))) /* the recorder has its own limit */
				wrong(t, s, "may wait for ever");
			if (st->timeout_ms && !answers(t, s, DLG_TIMEOUT))
				wrong(t, s, "does not answer its time-out");
			if (st->say && st->flags & DLG_NO_BARGE && !answers(t, s, DLG_ENDED))
				wrong(t, s, "does not go on after what it says");
		}
}

static void every_job_may_fail(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned s = 0; s < tables[k]->n_states; s++)
			if (waits_for_job(tables[k], s) && !answers(tables[k], s, DLG_FAILED))
				wrong(tables[k], s, "does not answer a job that failed");
}

/* Unconditional rows must exist for what can always happen, so that no guard leaves a caller alone. */
static void something_always_applies(void **state)
{
	(void)state;
	static const enum dlg_event_type events[] = { DLG_TIMEOUT, DLG_DONE, DLG_FAILED };
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned s = 0; s < tables[k]->n_states; s++)
			for (unsigned e = 0; e < 3; e++) {
				const struct dlg_table *t = tables[k];
				bool always = !answers(t, s, events[e]);
				for (unsigned i = 0; i < t->n_rows; i++)
					always = always || (applies(&t->rows[i], s) && t->rows[i].when.event == events[e] && !t->rows[i].only_if.h && !t->rows[i].when.code);
				if (!always)
					wrong(t, s, dlg_event_name(events[e]));
			}
}

/* After a hang-up: states that hold a message of the caller save it, states that wait for a job stay, all others end. Nothing goes to a
 * menu. */
static void hang_up_never_leads_to_a_menu(void **state)
{
	(void)state;
	for (unsigned k = 0; k < n_tables; k++)
		for (unsigned i = 0; i < tables[k]->n_rows; i++) {
			const struct dlg_table *t = tables[k];
			const struct dlg_row *r = &t->rows[i];
			if (r->when.event != DLG_HANGUP || r->go & DLG_RETURN_BIT)
				continue;
			unsigned to = r->go == DLG_STAY ? r->in : r->go;
			if (!waits_for_job(t, to) || answers(t, to, DLG_KEYS))
				wrong(t, to, "is no place for a caller who has hung up");
		}
	/* in answering, a message is in hand in these: each saves or waits for the saving */
	const char *const holding[] = { "menu", "listen", "load recording", "saving" };
	for (unsigned n = 0; n < 4; n++)
		for (unsigned s = 0; s < dlg_answering.n_states; s++) {
			if (strcmp(dlg_answering.states[s].name, holding[n]) != 0)
				continue;
			bool saves = false;
			for (unsigned i = 0; i < dlg_answering.n_rows; i++) {
				const struct dlg_row *r = &dlg_answering.rows[i];
				if (r->in == s && r->when.event == DLG_HANGUP)
					saves = r->go == DLG_STAY || strcmp(dlg_answering.states[r->go].name, "saving") == 0;
			}
			if (!saves)
				wrong(&dlg_answering, s, "forgets the message when the caller hangs up");
		}
}

/* ---- prompts ---- */
static void mark(bool said[P_COUNT], const struct dlg_phrase *p)
{
	for (; p && p->kind != DLG_W_END; p++) {
		said[p->prompt] = said[p->singular] = said[p->plural] = true;
		if (p->kind == DLG_W_PROMPT)
			assert_int_not_equal(p->prompt, P_NONE);
	}
}

static void every_prompt_is_said_somewhere(void **state)
{
	(void)state;
	bool said[P_COUNT] = { false };
	for (unsigned k = 0; k < n_tables; k++) {
		for (unsigned s = 0; s < tables[k]->n_states; s++)
			mark(said, tables[k]->states[s].say);
		for (unsigned i = 0; i < tables[k]->n_rows; i++)
			mark(said, tables[k]->rows[i].say);
	}
	said[P_AA_WELCOME] = true; /* of an attendant without a name of its own */
	said[P_FINISH_SOON] = true; /* by no conversation: notice_live.c */
	unsigned unsaid = 0;
	for (int p = P_NONE + 1; p < P_COUNT; p++)
		if (!said[p]) {
			print_error("nobody says %s\n", dlg_prompt_name((enum dlg_prompt)p));
			unsaid++;
		}
	assert_int_equal(unsaid, 0);
}

static void every_prompt_is_in_the_catalogue(void **state)
{
	(void)state;
	char line[1024];
	bool there[P_COUNT] = { false };
	FILE *f = fopen(catalogue_path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct text name, words;
		if (!text_cut(text_of(line), ':', &name, &words))
			continue;
		for (int p = P_NONE + 1; p < P_COUNT; p++)
			if (text_is(text_trim(name), dlg_prompt_name((enum dlg_prompt)p))) {
				there[p] = true;
				if (!text_is(text_trim(words), dlg_prompt_words((enum dlg_prompt)p)))
					fail_msg("%s has other words in the catalogue: %.*s", dlg_prompt_name((enum dlg_prompt)p), TEXT_FMT(text_trim(words)));
			}
	}
	fclose(f);
	for (int p = P_NONE + 1; p < P_COUNT; p++)
		if (!there[p])
			fail_msg("the catalogue has no %s", dlg_prompt_name((enum dlg_prompt)p));
}

int main(int argc, char **argv)
{
	catalogue_path = argc > 1 ? argv[1] : "prompts/en-US.prompts";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_reachable), cmocka_unit_test(rows_are_well_formed), cmocka_unit_test(no_row_hides_another),
		cmocka_unit_test(every_state_has_a_time_limit_and_answers_it), cmocka_unit_test(every_job_may_fail),
		cmocka_unit_test(something_always_applies), cmocka_unit_test(hang_up_never_leads_to_a_menu),
		cmocka_unit_test(every_prompt_is_said_somewhere), cmocka_unit_test(every_prompt_is_in_the_catalogue),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
