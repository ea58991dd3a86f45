/* SPDX-License-Identifier: Apache-2.0 */
/* path.c  From steps of tables to what an administrator asks: which keys, which names, where callers gave up. */
#include "dialogue/path.h"
#include <errno.h>
#include "base/mem.h"

enum { FIRST_STEPS = 8, SHOWN_OF_NUMBER = 1, SHOWN_OF_NAME = 3 };
static const char closed_mark[] = "/closed"; /* behind the name of an attendant's table for its closed hours */

void dlg_path_free(struct dlg_path *p)
{
	mem_free(p->step);
	p->step = NULL;
	p->n_steps = p->room = 0;
}

/* ---- writing down ---- */
static struct call_step *new_step(struct dlg_path *p)
{
	if (p->n_steps == p->room && p->room < RECORD_STEPS) {
		unsigned room = p->room ? p->room * 2 : FIRST_STEPS;
		struct call_step *v = mem_realloc(p->step, room * sizeof *v);
		if (v) {
			p->step = v;
			p->room = room;
		}
	}
	if (p->n_steps == p->room) {
		p->steps_lost++;
		return NULL;
	}
	return &p->step[p->n_steps++];
}

static bool note(struct dlg_path *p, int64_t at_ms, enum record_what what, const char *value, const char *target)
{
	struct call_step *s = new_step(p);
	if (!s)
		return false;
	*s = (struct call_step){ .at_ms = at_ms };
	struct text name = text_of(p->table);
	bool closed = text_ends_nocase(name, closed_mark);
	(void)text_copy(closed ? text_head(name, name.n - strlen(closed_mark)) : name, s->attendant, sizeof s->attendant);
	text_fill(s->menu, sizeof s->menu, closed ? "closed" : "open");
	text_fill(s->what, sizeof s->what, record_what_name(what));
	text_fill(s->value, sizeof s->value, value ? value : "");
	text_fill(s->target, sizeof s->target, target ? target : "");
	return true;
}

struct call_box *dlg_path_box(struct dlg_path *p, const struct dir_user *box)
{
	if (!box)
		return NULL;
	for (unsigned i = 0; i < p->n_boxes; i++)
		if (strcmp(p->box[i].mailbox, box->name) == 0)
			return &p->box[i];
	if (p->n_boxes == RECORD_BOXES)
		return NULL;
	struct call_box *b = &p->box[p->n_boxes++];
	*b = (struct call_box){ 0 };
	text_fill(b->mailbox, sizeof b->mailbox, box->name);
	return b;
}

/* Digits that lead nowhere may be a PIN that came where nobody had asked for it: the beginning says enough, and how many they were. */
static void veil(char *digits, size_t shown)
{
	for (size_t i = 0; digits[i]; i++)
		if (i >= shown)
			digits[i] = 'x';
}

/* ---- where the caller is ---- */
static bool is_attendant(const struct dlg_table *t)
{
	return t && t->owner; /* made from a configuration; the others are the program's own */
}

void dlg_path_keys(const struct dlg_step *st, char keys[DLG_TYPE_AHEAD + 1])
{
	text_fill(keys, DLG_TYPE_AHEAD + 1, st->keys);
	if (!is_attendant(st->table) && keys[strcspn(keys, "0123456789")])
		keys[0] = '\0'; /* where it led is told; # and * are part of no PIN */
	else
		veil(keys, SHOWN_OF_NUMBER);
}

void dlg_path_event(const struct dlg_step *st, char *dst, size_t size)
{
	char keys[DLG_TYPE_AHEAD + 1];
	dlg_path_keys(st, keys);
	if (keys[0])
		text_print(dst, size, "%s %s", dlg_event_name(st->event), keys);
	else if (st->event == DLG_DONE || st->event == DLG_RESULT)
		text_fill(dst, size, dlg_code_name(st->code));
	else
		text_fill(dst, size, dlg_event_name(st->event));
}

static void at_table(struct dlg_path *p, const struct dlg_table *t, const char *state, int64_t at_ms)
{
	text_fill(p->state, sizeof p->state, state);
	if (strcmp(p->table, t->name) == 0)
		return;
	text_fill(p->table, sizeof p->table, t->name);
	note(p, at_ms, RECORD_ENTERED, "", "");
}

void dlg_path_look(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	const struct dlg_frame *f = dlg_bottom_of(&s->eng);
	if (f && is_attendant(f->table))
		at_table(p, f->table, f->table->states[f->state].name, at_ms);
}

/* ---- names ---- */
static const char *target_of(const struct dlg_session *s)
{
	if (s->target_is_operator)
		return "operator";
	return s->target.user ? s->target.user->name : s->target.number[0] ? s->target.number : s->target.uri ? s->target.uri : "";
}

/* The mailbox by phone asks for names, too. */
static bool attendant_asks(const struct dlg_session *s)
{
	const struct dlg_frame *f = dlg_bottom_of(&s->eng);
	const struct dlg_table *called = f && is_attendant(f->table) ? f->table->states[f->state].call : NULL;
	return called && (called == &dlg_ask || called == &dlg_names || called == &dlg_transfer);
}

/* Looking up what was spelled is done between two steps. */
static void spelled(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	veil(p->spelled, SHOWN_OF_NAME);
	if (p->spelled[0] && s->total_match == 0)
		note(p, at_ms, RECORD_NOT_FOUND, p->spelled, "");
	p->spelled[0] = '\0';
}

static void name_by_keys(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	spelled(p, s, at_ms);
	p->by_voice = false;
	if (st->event == DLG_RESULT && st->code == R_OK)
		text_print(p->spelled, sizeof p->spelled, "%s%.*s", s->spelled, (int)s->n_digits, s->digits);
}

static void name_by_voice(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	p->by_voice = !(st->event == DLG_KEYS && st->result); /* 0 is pressed; who was heard is offered before the table returns */
	const char *from = st->table->states[st->from].name;
	bool listened = strcmp(from, "ask") == 0 || strcmp(from, "hearing") == 0; /* a name that is not recorded fails, too */
	if (listened && st->event == DLG_FAILED && st->code == ENOENT)
		note(p, at_ms, RECORD_NOT_HEARD, "", "");
	else if (listened && st->event == DLG_FAILED && st->code == ETIMEDOUT)
		note(p, at_ms, RECORD_SILENCE, "", "dial by name");
	else if (st->event == DLG_KEYS && !st->result && s->n_heard && strcmp(st->keys, "#") == 0) /* none of those that were offered */
		note(p, at_ms, RECORD_NOT_HEARD, s->heard[0].say, "");
}

/* Told as it happens: after a failure the caller may stay and do something else. */
static void transfer(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	const char *from = st->table->states[st->from].name, *to = st->result || st->to == DLG_STAY ? "" : st->table->states[st->to].name;
	bool talks = strcmp(from, "talking") == 0; /* put through by a call of ours: that was told when it began */
	if (strcmp(to, "talking") == 0 || (st->result == R_TRANSFERRED && !talks))
		note(p, at_ms, RECORD_TRANSFER, target_of(s), "done");
	else if (strcmp(to, "offer") == 0 && strcmp(from, "offer") != 0)
		note(p, at_ms, RECORD_TRANSFER, target_of(s), "failed");
	else if (st->event == DLG_HANGUP && st->result == R_GONE)
		note(p, at_ms, RECORD_TRANSFER, target_of(s), "left");
}

/* ---- the attendant itself ---- */
/* What the menu has on that key; NULL: the key is the program's own, or means nothing. */
static const struct cfg_menu_key *menu_key(const struct dlg_session *s, char key)
{
	const struct cfg_menu_key *keys = !s->aa ? NULL : s->aa_closed ? s->aa->closed.keys : s->aa->keys;
	size_t n = !s->aa ? 0 : s->aa_closed ? s->aa->closed.n_keys : s->aa->n_keys;
	for (size_t i = 0; i < n; i++)
		if (keys[i].key == key)
			return &keys[i];
	return NULL;
}

static void give_up(struct dlg_path *p, int64_t at_ms, const char *how)
{
	note(p, at_ms, RECORD_GAVE_UP, how, p->state);
	p->gave_up = true;
}

/* Whether a number may be called is decided between two steps: where the attendant is then tells it. */
static void typed(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	const struct dlg_frame *f = dlg_bottom_of(&s->eng);
	const char *state = f && is_attendant(f->table) ? f->table->states[f->state].name : "";
	struct call_step *st = p->typed ? &p->step[p->typed - 1] : NULL;
	p->typed = 0;
	if (!st)
		return;
	bool reached = strcmp(state, "transfer") == 0;
	text_fill(st->target, sizeof st->target, reached ? target_of(s) : "unknown");
	if (!reached)
		veil(st->value, SHOWN_OF_NUMBER);
	if (!reached && (strcmp(state, "operator") == 0 || strcmp(state, "goodbye") == 0))
		give_up(p, at_ms, "unknown numbers");
}

static const char *leads_to(const struct dlg_step *st)
{
	return st->to == DLG_STAY ? st->table->states[st->from].name : st->table->states[st->to].name;
}

static void key(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	const struct cfg_menu_key *k = menu_key(s, st->keys[0]);
	bool told = p->key_said;
	p->key_said = false;
	if (told)
		return;
	if (!st->keys[0])
		note(p, at_ms, RECORD_SAID, leads_to(st), "");
	else if (st->keys[1])
		p->typed = note(p, at_ms, RECORD_NUMBER, st->keys, "") ? p->n_steps : 0;
	else
		note(p, at_ms, RECORD_KEY, st->keys, k && *k->target ? k->target : k ? cfg_action_name(k->action) : leads_to(st));
}

static bool ends_the_tries(const struct dlg_step *st)
{
	return strcmp(leads_to(st), "goodbye") == 0 || strcmp(leads_to(st), "operator") == 0;
}

/* More than one key may be a PIN that came too early: the first one says enough. */
static void wrong(struct dlg_path *p, const struct dlg_step *st, int64_t at_ms)
{
	char first[] = { st->keys[0], '\0' };
	note(p, at_ms, RECORD_WRONG, first, "");
	if (ends_the_tries(st))
		give_up(p, at_ms, "wrong keys");
}

static void silence(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	const struct cfg_menu_key *t = menu_key(s, 't');
	if (strcmp(st->table->states[st->from].name, "menu") != 0)
		return;
	if (t && t->action != CFG_ACT_REPEAT) {
		note(p, at_ms, RECORD_KEY, "t", *t->target ? t->target : cfg_action_name(t->action));
		return;
	}
	note(p, at_ms, RECORD_SILENCE, "", "");
	if (ends_the_tries(st))
		give_up(p, at_ms, "silence");
}

/* A choice of the menu, named instead of pressed. */
static void choice_said(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	const struct cfg_menu_key *k = menu_key(s, s->spoken_keys[0]);
	note(p, at_ms, RECORD_SAID, k && *k->target ? k->target : k ? cfg_action_name(k->action) : "", s->spoken_keys);
	p->key_said = true;
}

/* Something was said while the menu was read out: perhaps somebody was understood. */
static void spoke(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	p->by_voice = s->n_heard > 0;
	if (!s->n_heard)
		note(p, at_ms, RECORD_NOT_HEARD, "", "");
}

static void came_back(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	const struct dlg_table *called = st->table->states[st->from].call;
	if (called == &dlg_ask || called == &dlg_names) {
		spelled(p, s, at_ms);
		if (st->code == R_OK)
			note(p, at_ms, s->target_is_operator && !p->by_voice ? RECORD_KEY : p->by_voice ? RECORD_SAID : RECORD_SPELT,
			     s->target_is_operator && !p->by_voice ? "0" : target_of(s), s->target_is_operator && !p->by_voice ? "operator" : "");
		else if (st->code == R_KEYS)
			choice_said(p, s, at_ms);
		else if (st->code != R_BACK)
			give_up(p, at_ms, "no name");
	} else if (called == &dlg_transfer && st->code == R_REFUSED) {
		note(p, at_ms, RECORD_TRANSFER, target_of(s), "refused");
	} else if (s->logged_on && called == &dlg_subscriber) {
		note(p, at_ms, RECORD_LOGON, s->box ? s->box->name : "", "");
	} else if (s->left_message && s->box) {
		note(p, at_ms, RECORD_MESSAGE, s->box->name, "");
	}
}

static void in_attendant(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	at_table(p, st->table, st->table->states[st->from].name, at_ms);
	switch (st->event) {
	case DLG_KEYS:
		key(p, s, st, at_ms);
		break;
	case DLG_SPOKEN:
		spoke(p, s, at_ms);
		break;
	case DLG_WRONG:
		wrong(p, st, at_ms);
		break;
	case DLG_TIMEOUT:
		silence(p, s, st, at_ms);
		break;
	case DLG_RESULT:
		came_back(p, s, st, at_ms);
		break;
	default:
		break;
	}
}

/* ---- mailboxes ---- */
static void mailboxes(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st)
{
	bool good = st->code == J_LOGON_OK || st->code == J_LOGON_MUST_CHANGE;
	bool bad = st->code == J_LOGON_WRONG || st->code == J_LOGON_LOCKED || st->code == J_LOGON_NO_PIN;
	if (st->event != DLG_DONE || (!good && !bad && st->code != J_SAVED))
		return;
	struct call_box *b = dlg_path_box(p, s->box);
	if (!b)
		return;
	if (st->code == J_SAVED)
		b->message = true;
	b->logons = (uint16_t)(b->logons + good);
	b->failed = (uint16_t)(b->failed + bad);
}

void dlg_path_step(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms)
{
	typed(p, s, at_ms);
	mailboxes(p, s, st);
	if (is_attendant(st->table))
		in_attendant(p, s, st, at_ms);
	else if (!attendant_asks(s))
		return;
	else if (st->table == &dlg_ask)
		name_by_voice(p, s, st, at_ms);
	else if (st->table == &dlg_names)
		name_by_keys(p, s, st, at_ms);
	else if (st->table == &dlg_transfer)
		transfer(p, s, st, at_ms);
}

void dlg_path_hangup(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms)
{
	typed(p, s, at_ms);
	dlg_path_look(p, s, at_ms);
	p->hung_up = true;
}

void dlg_path_over(struct dlg_path *p, const struct dlg_session *s, int result, int64_t at_ms)
{
	if (!p->table[0])
		return;
	typed(p, s, at_ms);
	spelled(p, s, at_ms);
	bool through = result == R_TRANSFERRED || s->talked;
	if (p->hung_up && !through && !s->left_message && !s->logged_on && !p->gave_up)
		give_up(p, at_ms, "hung up");
	else if (!through && !p->gave_up)
		note(p, at_ms, RECORD_LEFT, "", p->state);
}
