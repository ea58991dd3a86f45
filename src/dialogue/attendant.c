/* SPDX-License-Identifier: Apache-2.0 */
/* attendant.c  Auto attendants: the configuration's menus loaded into rows. All attendants of one configuration are built together, because
 * they may lead to each other; going to another one takes the place of this one (DLG_TAIL), so that callers may wander as
 * long as they like. What every attendant does stands in common_rows; keys of the menu come before it and win.          */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, MENU, DIAL, NAMES, TRANSFER, OPERATOR, MESSAGE, LOGON, BYE, FIXED_STATES };
enum { EXTENSION_MAX = 15, PIECES = 16, PIECE_BYTES = 180 }; /* names are spoken up to 200 bytes at once */

struct built {
	const struct cfg_attendant *cfg;
	char title[CFG_NAME_SIZE + 20];
	struct dlg_table table;
	struct dlg_state *states;
	struct dlg_row *rows;
	struct dlg_phrase *greeting, *menu;
	char (*patterns)[EXTENSION_MAX + 1];
	char (*keys)[2];
	char *spoken; /* the greeting's text in pieces, a NUL behind each */
	unsigned n_rows, n_states;
};
struct dlg_attendants {
	struct cfg *cfg;
	size_t n;
	struct built *v;
};

/* ---- guards and actions ---- */
static int become(struct dlg_session *s)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	/* The table may come from a newer or older revision than the view; then the attendant of that name counts. */
	const struct dlg_table *t = dlg_table_of(&s->eng);
	s->aa = cfg_attendant(cfg, text_of(t->name));
	s->box = NULL;
	s->failures = 0;
	if (!s->aa)
		return ENOENT;
	if (s->aa->digit_timeout_ms)
		s->eng.inter_digit_ms = (unsigned)s->aa->digit_timeout_ms;
	return 0;
}

static bool has_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s);
}

static bool gives_up_to_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s) && dlg_last_failure(s);
}

static bool unknown_to_operator(const struct dlg_session *s)
{
	return !dlg_target_allowed(s) && gives_up_to_operator(s);
}

static bool by_name(const struct dlg_session *s)
{
	return s->aa && s->aa->dial_by_name;
}

static bool by_extension(const struct dlg_session *s)
{
	return s->aa && s->aa->dial_by_extension;
}

static bool has_box(const struct dlg_session *s)
{
	return s->box != NULL;
}

static int dial(struct dlg_session *s)
{
	s->target = (struct dir_target){ .uri = "", .spoken_name = "" };
	s->uri[0] = '\0';
	s->allow = dir_may_dial(s->view, text_of(dlg_keys(&s->eng)), &s->target);
	s->target_is_operator = false;
	return 0;
}

static const char *key_target(const struct dlg_session *s)
{
	unsigned i = (unsigned)dlg_arg(&s->eng);
	return s->aa && i < s->aa->n_keys ? s->aa->keys[i].target : "";
}

static int choose(struct dlg_session *s)
{
	dlg_aim(s, key_target(s));
	return 0;
}

static int choose_box(struct dlg_session *s)
{
	s->box = dir_find(s->view, text_of(key_target(s)));
	return s->box ? 0 : ENOENT;
}

static int box_of_target(struct dlg_session *s)
{
	s->box = s->target.user;
	return s->box ? 0 : ENOENT;
}

static int no_box(struct dlg_session *s)
{
	s->box = NULL;
	return 0;
}

/* ---- what is said ---- */
static const struct dlg_phrase say_unknown[] = { SAY(P_AA_UNKNOWN_EXT), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };
static const struct dlg_phrase say_no_operator[] = { SAY(P_AA_NO_OPERATOR), SAY_END };
static const struct dlg_phrase say_message_for[] = { SAY(P_AA_LEAVE_FOR), SAY_NAME(has_box, dlg_box_name), SAY_END };
static const struct dlg_phrase say_failed[] = { SAY(P_SERVICE_FAILED), SAY_END };

static const struct dlg_state fixed_states[FIXED_STATES] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[MENU] = { "menu", NULL, NULL, 5000, 0 },
	[DIAL] = { "dialed", NULL, NULL, 0, 0 },
	[NAMES] = { "dial by name", NULL, &dlg_ask, 0, 0 },
	[TRANSFER] = { "transfer", NULL, &dlg_transfer, 0, 0 },
	[OPERATOR] = { "operator", NULL, &dlg_transfer, 0, 0 },
	[MESSAGE] = { "leave a message", say_message_for, &dlg_answering, 0, 0 },
	[LOGON] = { "mailbox by phone", NULL, &dlg_subscriber, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row common_rows[] = {
	/* in         when                  if                     do                     go                     said before */
	{ START,     FAILED,               ALWAYS,                NOTHING,               BYE,                   say_failed },
	{ MENU,      KEYS_OR("0", "operator"), IF(has_operator),  DO(dlg_to_operator),   OPERATOR },
	{ MENU,      KEYS_OR("0", "operator"), ALWAYS,            DO(dlg_count_failure), MENU,                  say_no_operator, true },
	{ MENU,      KEYS("#"),            IF(by_name),           NOTHING,               NAMES },
	{ MENU,      KEYS("*"),            ALWAYS,                NOTHING,               MENU },
	{ MENU,      WRONG,                IF(dlg_last_failure),  NOTHING,               BYE,                   say_give_up, true },
	{ MENU,      WRONG,                ALWAYS,                DO(dlg_count_failure), MENU,                  dlg_say_invalid, true },
	{ MENU,      TIMEOUT,              IF(dlg_last_failure),  NOTHING,               BYE,                   say_give_up },
	{ MENU,      TIMEOUT,              ALWAYS,                DO(dlg_count_failure), MENU,                  dlg_say_no_input },
	{ DIAL,      ENTER,                IF(dlg_target_allowed), NOTHING,              TRANSFER },
	{ DIAL,      ENTER,                IF(dlg_last_failure),  NOTHING,               BYE,                   say_unknown, true },
	{ DIAL,      ENTER,                ALWAYS,                DO(dlg_count_failure), MENU,                  say_unknown, true },
	{ NAMES,     RESULT(R_OK),         ALWAYS,                NOTHING,               DIAL },
	{ NAMES,     RESULT(R_BACK),       ALWAYS,                DO(dlg_no_failures),   MENU },
	{ NAMES,     ANY_RESULT,           IF(has_operator),      DO(dlg_to_operator),   OPERATOR },
	{ NAMES,     ANY_RESULT,           ALWAYS,                NOTHING,               BYE,                   say_give_up },
	{ TRANSFER,  RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ TRANSFER,  RESULT(R_MESSAGE),    ALWAYS,                DO(box_of_target),     MESSAGE },
	{ TRANSFER,  RESULT(R_OPERATOR),   ALWAYS,                DO(dlg_to_operator),   OPERATOR },
	{ TRANSFER,  RESULT(R_GONE),       ALWAYS,                NOTHING,               RETURN(R_GONE) },
	{ TRANSFER,  RESULT(R_GIVE_UP),    ALWAYS,                NOTHING,               BYE },
	{ TRANSFER,  ANY_RESULT,           ALWAYS,                DO(dlg_no_failures),   MENU },
	{ OPERATOR,  RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ OPERATOR,  RESULT(R_GONE),       ALWAYS,                NOTHING,               RETURN(R_GONE) },
	{ OPERATOR,  RESULT(R_BACK),       ALWAYS,                DO(dlg_no_failures),   MENU },
	{ OPERATOR,  ANY_RESULT,           ALWAYS,                NOTHING,               BYE },
	{ MESSAGE,   RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ MESSAGE,   FAILED,               ALWAYS,                DO(no_box),            MENU,                  say_failed },
	{ MESSAGE,   ANY_RESULT,           ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ LOGON,     ANY_RESULT,           ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,       ENDED,                ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,       TIMEOUT,              ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
};
/* Too many failures lead to the operator where there is one: these come before the common rows. */
static const struct dlg_row failure_rows[] = {
	{ MENU,      WRONG,                IF(gives_up_to_operator), DO(dlg_to_operator), OPERATOR,             say_give_up, true },
	{ MENU,      TIMEOUT,              IF(gives_up_to_operator), DO(dlg_to_operator), OPERATOR,             say_give_up },
	{ DIAL,      ENTER,                IF(unknown_to_operator), DO(dlg_to_operator), OPERATOR,              say_unknown, true },
};

/* ---- loading ---- */
static void add_row(struct built *b, struct dlg_row row)
{
	b->rows[b->n_rows++] = row;
}

/* The lengths that extensions have: those of the people who may be dialled, and of the dial plan. */
static unsigned extension_lengths(const struct cfg *cfg, const struct cfg_attendant *aa)
{
	unsigned lengths = 0;
	const struct cfg_dialplan *plan = cfg_dialplan(cfg, text_of(aa->dialplan));
	if (plan && plan->extension_digits && plan->extension_digits <= EXTENSION_MAX)
		lengths |= 1U << plan->extension_digits;
	for (size_t i = 0; i < cfg->n_mailboxes; i++)
		for (size_t k = 0; cfg->mailboxes[i].dialable && k < cfg->mailboxes[i].extensions.n; k++) {
			size_t n = strlen(cfg->mailboxes[i].extensions.v[k]);
			if (n && n <= EXTENSION_MAX)
				lengths |= 1U << n;
		}
	return lengths;
}

static void add_extensions(struct built *b, const struct cfg *cfg)
{
	unsigned lengths = b->cfg->dial_by_extension ? extension_lengths(cfg, b->cfg) : 0;
	for (unsigned n = 1; n <= EXTENSION_MAX; n++) {
		if (!(lengths & 1U << n))
			continue;
		memset(b->patterns[n - 1], 'x', n);
		add_row(b, (struct dlg_row){ MENU, KEYS(b->patterns[n - 1]), ALWAYS, DO(dial), DIAL });
	}
}

/* How a choice is called when the menu is read out, and what a caller may say instead of its key. */
static const char *choice_name(const struct cfg *cfg, const struct cfg_menu_key *k)
{
	if (*k->say)
		return k->say;
	switch (k->action) {
	case CFG_ACT_SUBSCRIBER: return "your mailbox";
	case CFG_ACT_DIAL_BY_NAME: return "the directory of names";
	case CFG_ACT_OPERATOR: return "the operator";
	case CFG_ACT_REPEAT: return "these choices again";
	case CFG_ACT_HANGUP: return "the end of this call";
	default: break;
	}
	const struct cfg_attendant *aa = k->action == CFG_ACT_ATTENDANT ? cfg_attendant(cfg, text_of(k->target)) : NULL;
	if (aa)
		return *aa->business_name ? aa->business_name : aa->name;
	for (size_t i = 0; i < cfg->n_mailboxes; i++) {
		const struct cfg_mailbox *box = &cfg->mailboxes[i];
		bool meant = text_is_nocase(text_of(k->target), box->name);
		for (size_t n = 0; !meant && n < box->extensions.n; n++)
			meant = strcmp(box->extensions.v[n], k->target) == 0;
		if (meant)
			return *box->spoken_name ? box->spoken_name : *box->display_name ? box->display_name : box->name;
	}
	return k->target;
}

/* What a key leads to; states of other attendants are added as they are met. */
static struct dlg_row key_row(struct dlg_attendants *a, struct built *b, size_t i)
{
	const struct cfg_menu_key *k = &b->cfg->keys[i];
	struct dlg_row row = { MENU, KEYS_OR(b->keys[i], choice_name(a->cfg, k)), ALWAYS, NOTHING, MENU, NULL, false, (int)i };
	b->keys[i][0] = k->key;
	if (k->key == 't')
		row.when = (struct dlg_when)TIMEOUT;
	switch (k->action) {
	case CFG_ACT_EXTENSION:
		row.act = (struct dlg_action)DO(choose);
		row.go = DIAL;
		break;
	case CFG_ACT_MAILBOX:
		row.act = (struct dlg_action)DO(choose_box);
		row.go = MESSAGE;
		break;
	case CFG_ACT_OPERATOR:
		row.act = (struct dlg_action)DO(dlg_to_operator);
		row.go = OPERATOR;
		break;
	case CFG_ACT_ATTENDANT:
		for (size_t j = 0; j < a->n; j++)
			if (strcmp(a->v[j].cfg->name, k->target) == 0) {
				b->states[b->n_states] = (struct dlg_state){ a->v[j].cfg->name, NULL, &a->v[j].table, 0, DLG_TAIL };
				row.go = (uint16_t)b->n_states++;
			}
		break;
	case CFG_ACT_DIAL_BY_NAME:
		row.go = NAMES;
		break;
	case CFG_ACT_SUBSCRIBER:
		row.go = LOGON;
		break;
	case CFG_ACT_HANGUP:
		row.go = BYE;
		break;
	case CFG_ACT_HOURS: case CFG_ACT_LOCATION: case CFG_ACT_LANGUAGE: /* the menu again, until the rows for them are here */
	case CFG_ACT_FIND_ME: case CFG_ACT_TRANSFER: case CFG_ACT_MESSAGE: /* no words of attendants */
	case CFG_ACT_REPEAT:
		break;
	}
	return row;
}

static bool key_spoken(const struct cfg_menu_key *k)
{
	return k->key != 't' && k->action != CFG_ACT_REPEAT && k->action != CFG_ACT_HANGUP;
}

static void build_menu(struct built *b, const struct cfg *cfg)
{
	struct dlg_phrase *p = b->menu;
	*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_EXTENSION, .only_if = by_extension };
	bool zero = false, pound = false;
	for (size_t i = 0; i < b->cfg->n_keys; i++) {
		const struct cfg_menu_key *k = &b->cfg->keys[i];
		zero = zero || k->key == '0';
		pound = pound || k->key == '#';
		if (!key_spoken(k))
			continue;
		if (k->action == CFG_ACT_OPERATOR && k->key == '0' && !*k->say) {
			*p++ = (struct dlg_phrase)SAY(P_AA_OPERATOR);
			continue;
		}
		if (k->action == CFG_ACT_DIAL_BY_NAME && k->key == '#' && !*k->say) {
			*p++ = (struct dlg_phrase)SAY(P_AA_NAME);
			continue;
		}
		*p++ = (struct dlg_phrase)SAY(P_AA_FOR);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_NAME, .fixed = choice_name(cfg, k) };
		*p++ = (struct dlg_phrase)SAY(P_AA_PRESS);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_DIGITS, .fixed = b->keys[i] };
	}
	if (!pound)
		*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_NAME, .only_if = by_name };
	if (!zero)
		*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_OPERATOR, .only_if = has_operator };
	*p = (struct dlg_phrase)SAY_END;
}

/* Where the first piece of a text ends: behind its last sentence that fits, else behind its last word. */
static size_t piece_end(struct text t)
{
	if (t.n <= PIECE_BYTES)
		return t.n;
	size_t word = PIECE_BYTES, sentence = 0;
	for (size_t i = 1; i < PIECE_BYTES; i++) {
		if (t.p[i] != ' ')
			continue;
		word = i;
		if (t.p[i - 1] == '.' || t.p[i - 1] == '!' || t.p[i - 1] == '?')
			sentence = i;
	}
	return sentence ? sentence : word;
}

static struct dlg_phrase *spoken_text(struct built *b, const char *text, struct dlg_phrase *p)
{
	struct text left = text_trim(text_of(text));
	char *to = b->spoken;
	for (unsigned i = 0; i < PIECES && left.n; i++) {
		size_t n = piece_end(left);
		memcpy(to, left.p, n);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_NAME, .fixed = to };
		to += n + 1; /* the block is zeroed */
		left = text_trim(text_skip(left, n));
	}
	return p;
}

static void build_greeting(struct built *b)
{
	const struct cfg_attendant *aa = b->cfg;
	struct dlg_phrase *p = b->greeting;
	if (*aa->greeting_prompt) {
		*p++ = (struct dlg_phrase){ .kind = DLG_W_NAMED, .fixed = aa->greeting_prompt };
	} else if (*aa->greeting) {
		p = spoken_text(b, aa->greeting, p);
	} else if (*aa->business_name) {
		*p++ = (struct dlg_phrase)SAY(P_AA_WELCOME_TO);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_NAME, .fixed = aa->business_name };
	} else {
		*p++ = (struct dlg_phrase)SAY(P_AA_WELCOME);
	}
	*p = (struct dlg_phrase)SAY_END;
}

static int room_for(struct built *b)
{
	size_t n = b->cfg->n_keys;
	size_t rows = COUNT_OF(common_rows) + COUNT_OF(failure_rows) + n + EXTENSION_MAX + 1;
	b->states = mem_zalloc(FIXED_STATES + n, sizeof(*b->states));
	b->rows = mem_zalloc(rows, sizeof(*b->rows));
	b->greeting = mem_zalloc(PIECES + 1, sizeof(*b->greeting));
	b->spoken = mem_zalloc(strlen(b->cfg->greeting) + PIECES + 1, 1);
	b->menu = mem_zalloc(4 * n + 4, sizeof(*b->menu));
	b->patterns = mem_zalloc(EXTENSION_MAX, sizeof(*b->patterns));
	b->keys = mem_zalloc(n + 1, sizeof(*b->keys));
	return b->states && b->rows && b->greeting && b->spoken && b->menu && b->patterns && b->keys ? 0 : ENOMEM;
}

static int build(struct dlg_attendants *a, struct built *b)
{
	int err = room_for(b);
	if (err)
		return err;
	memcpy(b->states, fixed_states, sizeof(fixed_states));
	b->n_states = FIXED_STATES;
	b->states[MENU].say = b->menu;
	if (b->cfg->input_timeout_ms)
		b->states[MENU].timeout_ms = (uint32_t)b->cfg->input_timeout_ms;
	add_row(b, (struct dlg_row){ START, ENTER, ALWAYS, DO(become), MENU, b->greeting });
	for (size_t i = 0; i < b->cfg->n_keys && b->n_states < DLG_STAY; i++)
		add_row(b, key_row(a, b, i));
	add_extensions(b, a->cfg);
	for (size_t i = 0; i < COUNT_OF(failure_rows); i++)
		add_row(b, failure_rows[i]);
	for (size_t i = 0; i < COUNT_OF(common_rows); i++)
		add_row(b, common_rows[i]);
	build_greeting(b);
	build_menu(b, a->cfg);
	text_print(b->title, sizeof(b->title), "Attendant %s", b->cfg->name);
	b->table = (struct dlg_table){ b->cfg->name, b->title, b->states, b->rows, b->n_states, b->n_rows, START, a };
	return 0;
}

static void destroy(void *object)
{
	struct dlg_attendants *a = object;
	for (size_t i = 0; i < a->n; i++) {
		mem_free(a->v[i].states);
		mem_free(a->v[i].rows);
		mem_free(a->v[i].greeting);
		mem_free(a->v[i].menu);
		mem_free(a->v[i].patterns);
		mem_free(a->v[i].keys);
		mem_free(a->v[i].spoken);
	}
	mem_free(a->v);
	cfg_unref(a->cfg);
}

int dlg_attendants_create(struct dlg_attendants **ap, const struct cfg *cfg)
{
	struct dlg_attendants *a = mem_object(sizeof(*a), destroy);
	if (!a)
		return ENOMEM;
	a->cfg = cfg_ref(cfg);
	a->v = mem_zalloc(cfg->n_attendants + 1, sizeof(*a->v));
	int err = a->v ? 0 : ENOMEM;
	if (!err)
		a->n = cfg->n_attendants;
	for (size_t i = 0; i < a->n; i++)
		a->v[i].cfg = &cfg->attendants[i];
	for (size_t i = 0; !err && i < a->n; i++)
		err = build(a, &a->v[i]);
	if (err)
		mem_unref(a);
	else
		*ap = a;
	return err;
}

const struct dlg_table *dlg_attendant_table(const struct dlg_attendants *a, struct text name)
{
	for (size_t i = 0; i < a->n; i++)
		if (text_is_nocase(name, a->v[i].cfg->name))
			return &a->v[i].table;
	return NULL;
}
