/* SPDX-License-Identifier: Apache-2.0 */
/* attendant_load.c  The attendants of a configuration as tables. All are built together, because they may lead to each other. */
#include <errno.h>
#include <stdio.h>
#include "dialogue/attendant_private.h"
#include "dialogue/grammar.h"

enum { LED_MAX = 32 /* attendants to which departments lead */, EXTENSION_MAX = 15, PIECES = 16, PIECE_BYTES = 180, PATTERN_SIZE = 24, PATTERNS_MAX = 240, HOURS_WORDS = 72 }; /* names are spoken up to 200 bytes at once */

/* What an attendant says and does at some hours. */
struct face {
	const char *greeting, *greeting_prompt, *menu, *menu_prompt;
	const struct cfg_menu_key *keys;
	size_t n_keys;
};
/* One table: an attendant in its open or its closed hours. */
struct built {
	const struct cfg_attendant *cfg;
	bool closed;
	struct face face;
	char name[CFG_NAME_SIZE + 8], title[CFG_NAME_SIZE + 40];
	struct dlg_table table;
	struct dlg_state *states;
	struct dlg_row *rows;
	struct dlg_phrase *greeting, *menu, *announcement, *hours, *location;
	char (*patterns)[PATTERN_SIZE]; /* numbers that may be typed */
	char (*keys)[2], (*led)[12];
	char *spoken; /* texts in pieces, a NUL behind each */
	size_t used;
	unsigned n_rows, n_states, n_patterns, n_led;
};
struct dlg_attendants {
	struct cfg *cfg;
	const struct dlg_table *message, *logon; /* who takes over there */
	size_t n;
	struct built *v;
};

static void add_row(struct built *b, struct dlg_row row)
{
	b->rows[b->n_rows++] = row;
}

/* ---- numbers that may be typed ---- */

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

static void add_pattern(struct built *b, const char *pattern)
{
	if (b->n_patterns == PATTERNS_MAX)
		return;
	for (unsigned i = 0; i < b->n_patterns; i++)
		if (strcmp(b->patterns[i], pattern) == 0)
			return;
	text_fill(b->patterns[b->n_patterns], PATTERN_SIZE, pattern);
	add_row(b, (struct dlg_row){ MENU, KEYS(b->patterns[b->n_patterns]), ALWAYS, { dlg_aa_dial, "dial" }, DIAL });
	b->n_patterns++;
}

/* A * is as many digits as a number may have: a row each. */
static void add_typed(struct built *b, const char *before, const char *pattern)
{
	char p[PATTERN_SIZE];
	if (text_print(p, sizeof p, "%s%s", before, pattern))
		return;
	size_t n = strlen(p);
	if (!n || p[n - 1] != '*') {
		add_pattern(b, p);
		return;
	}
	for (p[--n] = 'x'; n < PATTERN_SIZE - 4; p[++n] = 'x') {
		p[n + 1] = '\0';
		add_pattern(b, p);
	}
}

/* Nobody types a +: its rules are typed by the prefixes of the plan. */
static void add_rule(struct built *b, const struct cfg_dialplan *plan, const char *pattern)
{
	size_t code = strlen(plan->country_code);
	if (pattern[0] != '+') {
		add_typed(b, "", pattern);
		return;
	}
	if (*plan->international_prefix)
		add_typed(b, plan->international_prefix, pattern + 1);
	if (code && *plan->national_prefix && strncmp(pattern + 1, plan->country_code, code) == 0)
		add_typed(b, plan->national_prefix, pattern + 1 + code);
}

static void add_numbers(struct built *b, const struct cfg *cfg)
{
	const struct cfg_attendant *aa = b->cfg;
	const struct cfg_dialplan *plan = cfg_dialplan(cfg, text_of(aa->dialplan));
	bool may = aa->dial_by_extension && (!b->closed || aa->closed.dial);
	unsigned lengths = may ? extension_lengths(cfg, aa) : 0;
	char p[PATTERN_SIZE];
	for (unsigned n = 1; n <= EXTENSION_MAX; n++)
		if (lengths & 1U << n) {
			memset(p, 'x', n);
			p[n] = '\0';
			add_pattern(b, p);
		}
	for (size_t g = 0; may && plan && g < aa->allowed_rules.n; g++)
		for (size_t r = 0; r < plan->n_rules; r++)
			if (text_is_nocase(text_of(plan->rules[r].name), aa->allowed_rules.v[g]))
				add_rule(b, plan, plan->rules[r].pattern);
}

/* ---- what is said ---- */

size_t dlg_breath(struct text t)
{
	if (t.n <= PIECE_BYTES)
		return t.n;
	size_t word = PIECE_BYTES, sentence = 0;
	while (word > 1 && ((unsigned char)t.p[word] & 0xc0) == 0x80)
		word--; /* not within a letter */
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
	for (unsigned i = 0; i < PIECES && left.n; i++) {
		char *to = b->spoken + b->used;
		size_t n = dlg_breath(left);
		memcpy(to, left.p, n);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_TEXT, .fixed = to };
		b->used += n + 1; /* the block is zeroed */
		left = text_trim(text_skip(left, n));
	}
	return p;
}

static struct dlg_phrase *own_words(struct built *b, const char *prompt, const char *text, struct dlg_phrase *p)
{
	if (!*prompt)
		return spoken_text(b, text, p);
	*p = (struct dlg_phrase){ .kind = DLG_W_NAMED, .fixed = prompt };
	return p + 1;
}

/* ---- keys ---- */

/* How a choice is called when the menu is read out, and what a caller may say instead of its key. */
const char *dlg_choice_name(const struct cfg *cfg, const struct cfg_menu_key *k)
{
	if (*k->say)
		return k->say;
	switch (k->action) {
	case CFG_ACT_SUBSCRIBER: return "your mailbox";
	case CFG_ACT_DIAL_BY_NAME: return "the directory of names";
	case CFG_ACT_OPERATOR: return "the operator";
	case CFG_ACT_REPEAT: return "these choices again";
	case CFG_ACT_HANGUP: return "the end of this call";
	case CFG_ACT_HOURS: return "our opening hours";
	case CFG_ACT_LOCATION: return "our address";
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

/* The same as a prompt of the catalogue, so that it is said in the caller's language; false: it is a name, or words of the configuration. */
static bool choice_prompt(const struct cfg_menu_key *k, enum dlg_prompt *p)
{
	static const struct {
		enum cfg_action action;
		const char *language;
		enum dlg_prompt prompt;
	} map[] = {
		{ CFG_ACT_SUBSCRIBER, "", P_AA_C_MAILBOX },   { CFG_ACT_DIAL_BY_NAME, "", P_AA_C_NAMES }, { CFG_ACT_OPERATOR, "", P_AA_C_OPERATOR },
		{ CFG_ACT_HOURS, "", P_AA_C_HOURS },	      { CFG_ACT_LOCATION, "", P_AA_C_ADDRESS },	  { CFG_ACT_LANGUAGE, "en", P_AA_C_ENGLISH }, { CFG_ACT_LANGUAGE, "de", P_AA_C_GERMAN },
		{ CFG_ACT_LANGUAGE, "fr", P_AA_C_FRENCH },    { CFG_ACT_LANGUAGE, "es", P_AA_C_SPANISH }, { CFG_ACT_LANGUAGE, "it", P_AA_C_ITALIAN },
		{ CFG_ACT_LANGUAGE, "nl", P_AA_C_DUTCH },
	};
	struct text tag = text_head(text_of(k->target), strcspn(k->target, "-"));
	for (size_t i = 0; !*k->say && i < sizeof map / sizeof *map; i++)
		if (map[i].action == k->action && (!*map[i].language || text_is_nocase(tag, map[i].language))) {
			*p = map[i].prompt;
			return true;
		}
	return false;
}

/* What a key leads to; states of other attendants are added as they are met. */
static struct dlg_row key_row(struct dlg_attendants *a, struct built *b, size_t i)
{
	const struct cfg_menu_key *k = &b->face.keys[i];
	struct dlg_row row = { MENU, KEYS_OR(b->keys[i], dlg_choice_name(a->cfg, k)), ALWAYS, NOTHING, MENU, NULL, false, (int)i };
	b->keys[i][0] = k->key;
	if (k->key == 't')
		row.when = (struct dlg_when)TIMEOUT;
	switch (k->action) {
	case CFG_ACT_EXTENSION:
		row.act = (struct dlg_action){ dlg_aa_choose, "choose" };
		row.go = DIAL;
		break;
	case CFG_ACT_MAILBOX:
		row.act = (struct dlg_action){ dlg_aa_choose_box, "choose_box" };
		row.go = MESSAGE;
		break;
	case CFG_ACT_OPERATOR:
		row.act = (struct dlg_action)DO(dlg_to_operator);
		row.go = OPERATOR;
		break;
	case CFG_ACT_ATTENDANT:
		for (size_t j = 0; j < a->n; j++)
			if (!a->v[j].closed && text_is_nocase(text_of(k->target), a->v[j].cfg->name)) {
				b->states[b->n_states] = (struct dlg_state){ a->v[j].cfg->name, NULL, &a->v[j].table, 0, DLG_TAIL };
				row.go = (uint16_t)b->n_states++;
			}
		break;
	case CFG_ACT_DIAL_BY_NAME:
		row.act = (struct dlg_action)DO(dlg_forget_heard);
		row.go = NAMES;
		break;
	case CFG_ACT_SUBSCRIBER:
		row.go = LOGON;
		break;
	case CFG_ACT_HANGUP:
		row.go = BYE;
		break;
	case CFG_ACT_HOURS:
		row.say = b->hours;
		break;
	case CFG_ACT_LOCATION:
		row.say = b->location;
		break;
	case CFG_ACT_LANGUAGE:
		row.act = (struct dlg_action){ dlg_aa_speak, "speak" };
		break;
	case CFG_ACT_FIND_ME: case CFG_ACT_TRANSFER: case CFG_ACT_MESSAGE: /* no words of attendants */
	case CFG_ACT_REPEAT:
		break;
	}
	return row;
}

/* An attendant to which a department leads, by keys that only a voice presses. */
static void add_led(struct dlg_attendants *a, struct built *b, const char *department)
{
	const struct cfg_attendant *to = *department ? dlg_department_leads(a->cfg, b->cfg, department) : NULL;
	char keys[12];
	if (!to || b->n_led == LED_MAX || b->n_states == DLG_STAY)
		return;
	dlg_attendant_keys(to, keys);
	for (unsigned i = 0; i < b->n_led; i++)
		if (strcmp(b->led[i], keys) == 0)
			return;
	for (size_t j = 0; j < a->n; j++)
		if (!a->v[j].closed && a->v[j].cfg == to) {
			text_fill(b->led[b->n_led], sizeof b->led[0], keys);
			b->states[b->n_states] = (struct dlg_state){ to->name, NULL, &a->v[j].table, 0, DLG_TAIL };
			add_row(b, (struct dlg_row){ MENU, KEYS_OR(b->led[b->n_led], to->name), ALWAYS, NOTHING, (uint16_t)b->n_states++ });
			b->n_led++;
		}
}

static void add_departments(struct dlg_attendants *a, struct built *b)
{
	if (!b->cfg->speech)
		return;
	for (size_t i = 0; i < b->cfg->n_departments; i++)
		add_led(a, b, b->cfg->departments[i].name);
	for (size_t i = 0; i < a->cfg->n_mailboxes; i++)
		if (a->cfg->mailboxes[i].dialable)
			add_led(a, b, a->cfg->mailboxes[i].department);
}

static bool key_spoken(const struct cfg_menu_key *k)
{
	return k->key != 't' && k->action != CFG_ACT_REPEAT && k->action != CFG_ACT_HANGUP;
}

static void build_menu(struct built *b, const struct cfg *cfg)
{
	struct dlg_phrase *p = b->menu;
	if (*b->face.menu_prompt || *b->face.menu) {
		*own_words(b, b->face.menu_prompt, b->face.menu, p) = (struct dlg_phrase)SAY_END;
		return;
	}
	*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_SAY, .only_if = dlg_aa_by_voice };
	*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_EXTENSION, .only_if = dlg_aa_by_extension };
	bool zero = false, pound = false;
	for (size_t i = 0; i < b->face.n_keys; i++) {
		const struct cfg_menu_key *k = &b->face.keys[i];
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
		enum dlg_prompt prompt;
		*p++ = choice_prompt(k, &prompt) ? (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = prompt } :
						   (struct dlg_phrase){ .kind = *k->say ? DLG_W_TEXT : DLG_W_NAME, .fixed = dlg_choice_name(cfg, k) };
		*p++ = (struct dlg_phrase)SAY(P_AA_PRESS);
		*p++ = (struct dlg_phrase){ .kind = DLG_W_DIGITS, .fixed = b->keys[i] };
	}
	if (!pound)
		*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_NAME, .only_if = dlg_aa_by_name };
	if (!zero)
		*p++ = (struct dlg_phrase){ .kind = DLG_W_PROMPT, .prompt = P_AA_OPERATOR, .only_if = dlg_has_operator };
	*p = (struct dlg_phrase)SAY_END;
}

static struct dlg_phrase *house(const struct cfg_attendant *aa, struct dlg_phrase *p)
{
	if (!*aa->business_name) {
		*p = (struct dlg_phrase)SAY(P_AA_WELCOME);
		return p + 1;
	}
	p[0] = (struct dlg_phrase)SAY(P_AA_WELCOME_TO);
	p[1] = (struct dlg_phrase){ .kind = DLG_W_NAME, .fixed = aa->business_name };
	return p + 2;
}

static void build_greeting(struct built *b)
{
	const struct cfg_attendant *aa = b->cfg;
	struct dlg_phrase *p = b->greeting;
	if (*b->face.greeting_prompt || *b->face.greeting) {
		p = own_words(b, b->face.greeting_prompt, b->face.greeting, p);
	} else {
		p = house(aa, p);
		if (b->closed)
			*p++ = (struct dlg_phrase)SAY(P_AA_CLOSED);
	}
	*p = (struct dlg_phrase)SAY_END;
	*own_words(b, aa->announcement_prompt, aa->announcement, b->announcement) = (struct dlg_phrase)SAY_END;
	p = b->location;
	*p++ = (struct dlg_phrase)SAY(P_AA_LOCATED);
	*spoken_text(b, aa->location, p) = (struct dlg_phrase)SAY_END;
}

/* ---- the hours, read aloud ---- */

static struct dlg_phrase *day(struct dlg_phrase *p, int weekday)
{
	static const char *const names[7] = { "digits/day-1", "digits/day-2", "digits/day-3", "digits/day-4", "digits/day-5", "digits/day-6", "digits/day-0" };
	*p = (struct dlg_phrase){ .kind = DLG_W_NAMED, .fixed = names[weekday] };
	return p + 1;
}

static struct dlg_phrase *minute(struct dlg_phrase *p, enum dlg_prompt before, unsigned min)
{
	p[0] = (struct dlg_phrase)SAY(before);
	p[1] = (struct dlg_phrase){ .kind = DLG_W_CLOCK, .clip = (int)(min % CFG_DAY_MIN) };
	return p + 2;
}

static bool always(const struct hours_group *g, size_t n)
{
	return n == 1 && g->first_day == 0 && g->last_day == 6 && g->n == 1 && g->v->from_min == 0 && g->v->to_min == CFG_DAY_MIN;
}

static struct dlg_phrase *say_group(struct dlg_phrase *p, const struct hours_group *g)
{
	p = day(p, g->first_day);
	if (g->last_day != g->first_day) {
		*p++ = (struct dlg_phrase)SAY(P_AA_DAY_TO);
		p = day(p, g->last_day);
	}
	for (size_t i = 0; i < g->n; i++) {
		if (i)
			*p++ = (struct dlg_phrase)SAY(P_AND);
		if (g->v[i].from_min == 0 && g->v[i].to_min == CFG_DAY_MIN) {
			*p++ = (struct dlg_phrase)SAY(P_AA_ALL_DAY);
			continue;
		}
		p = minute(p, P_AA_FROM, g->v[i].from_min);
		p = minute(p, P_AA_UNTIL, g->v[i].to_min);
	}
	*p = (struct dlg_phrase)SAY_PAUSE(300);
	return p + 1;
}

/* What has no room in one utterance is left out: a week of more than some twenty periods. */
static void build_hours(struct built *b, const struct cfg_schedule *s)
{
	struct hours_group g[7];
	struct dlg_phrase *p = b->hours;
	size_t n = s ? hours_groups(s, g) : 0;
	if (!n || always(g, n)) {
		p[0] = (struct dlg_phrase)SAY(n ? P_AA_OPEN_ALWAYS : P_AA_NEVER_OPEN);
		p[1] = (struct dlg_phrase)SAY_END;
		return;
	}
	*p++ = (struct dlg_phrase)SAY(P_AA_OPEN);
	for (size_t i = 0; i < n; i++) {
		size_t needs = 4 + 5 * g[i].n;
		if ((size_t)(p - b->hours) + needs < HOURS_WORDS)
			p = say_group(p, &g[i]);
	}
	*p = (struct dlg_phrase)SAY_END;
}

/* ---- a table ---- */

static int room_for(struct built *b)
{
	const struct cfg_attendant *aa = b->cfg;
	size_t n = b->face.n_keys;
	size_t rows = dlg_aa_common.n + dlg_aa_failures.n + dlg_aa_closed.n + n + PATTERNS_MAX + LED_MAX + 6;
	size_t text = strlen(b->face.greeting) + strlen(b->face.menu) + strlen(aa->announcement) + strlen(aa->location) + 4 * (PIECES + 1);
	b->states = mem_zalloc(FIXED_STATES + n + LED_MAX + 1, sizeof(*b->states));
	b->rows = mem_zalloc(rows, sizeof(*b->rows));
	b->greeting = mem_zalloc(PIECES + 4, sizeof(*b->greeting));
	b->announcement = mem_zalloc(PIECES + 1, sizeof(*b->announcement));
	b->location = mem_zalloc(PIECES + 2, sizeof(*b->location));
	b->hours = mem_zalloc(HOURS_WORDS + 2, sizeof(*b->hours));
	b->spoken = mem_zalloc(text, 1);
	b->menu = mem_zalloc(4 * n + PIECES + 5, sizeof(*b->menu));
	b->patterns = mem_zalloc(PATTERNS_MAX, sizeof(*b->patterns));
	b->keys = mem_zalloc(n + 1, sizeof(*b->keys));
	b->led = mem_zalloc(LED_MAX, sizeof(*b->led));
	return b->states && b->rows && b->greeting && b->announcement && b->location && b->hours && b->spoken && b->menu && b->patterns && b->keys && b->led ? 0 : ENOMEM;
}

/* The table of its closed hours; NULL where it has none. */
static struct built *closed_of(struct dlg_attendants *a, const struct built *b)
{
	for (size_t i = 0; !b->closed && i < a->n; i++)
		if (a->v[i].closed && a->v[i].cfg == b->cfg)
			return &a->v[i];
	return NULL;
}

static void first_rows(struct dlg_attendants *a, struct built *b)
{
	struct built *other = closed_of(a, b);
	bool own = *b->face.greeting || *b->face.greeting_prompt;
	for (size_t i = 0; b->closed && i < dlg_aa_closed.n - own; i++)
		add_row(b, dlg_aa_closed.v[i]);
	if (other) {
		b->states[b->n_states] = (struct dlg_state){ other->name, NULL, &other->table, 0, DLG_TAIL };
		add_row(b, (struct dlg_row){ LOOK, ENTER, { dlg_aa_is_closed, "is_closed" }, NOTHING, (uint16_t)b->n_states++ });
	}
	add_row(b, (struct dlg_row){ LOOK, ENTER, ALWAYS, NOTHING, GREET, b->greeting });
	b->states[GREET].say = b->announcement;
	if (b->cfg->announcement_to_its_end)
		b->states[GREET].flags |= DLG_NO_BARGE;
	else
		add_row(b, (struct dlg_row){ GREET, ENTER, ALWAYS, NOTHING, MENU });
}

static int build(struct dlg_attendants *a, struct built *b)
{
	int err = room_for(b);
	if (err)
		return err;
	memcpy(b->states, dlg_aa_states, sizeof(dlg_aa_states));
	b->n_states = FIXED_STATES;
	b->states[MENU].say = b->menu;
	b->states[MESSAGE].call = a->message;
	b->states[LOGON].call = a->logon;
	if (b->cfg->input_timeout_ms)
		b->states[MENU].timeout_ms = (uint32_t)b->cfg->input_timeout_ms;
	build_greeting(b);
	build_hours(b, cfg_schedule(a->cfg, text_of(b->cfg->schedule)));
	first_rows(a, b);
	for (size_t i = 0; i < b->face.n_keys && b->n_states < DLG_STAY; i++)
		if (b->face.keys[i].key != 't' || b->face.keys[i].action != CFG_ACT_REPEAT) /* the common rows repeat, and count */
			add_row(b, key_row(a, b, i));
	add_departments(a, b);
	add_numbers(b, a->cfg);
	for (size_t i = 0; i < dlg_aa_failures.n; i++)
		add_row(b, dlg_aa_failures.v[i]);
	for (size_t i = 0; i < dlg_aa_common.n; i++)
		add_row(b, dlg_aa_common.v[i]);
	build_menu(b, a->cfg);
	text_print(b->title, sizeof(b->title), "Attendant %s%s", b->cfg->name, b->closed ? " in closed hours" : "");
	b->table = (struct dlg_table){ b->name, b->title, b->states, b->rows, b->n_states, b->n_rows, START, a };
	return 0;
}

static void destroy(void *object)
{
	struct dlg_attendants *a = object;
	for (size_t i = 0; i < a->n; i++) {
		struct built *b = &a->v[i];
		void *const blocks[] = { b->states, b->rows, b->greeting, b->menu, b->announcement, b->hours, b->location, b->patterns, b->keys, b->led, b->spoken };
		for (size_t k = 0; k < COUNT_OF(blocks); k++)
			mem_free(blocks[k]);
	}
	mem_free(a->v);
	cfg_unref(a->cfg);
}

static void begin(struct dlg_attendants *a, const struct cfg_attendant *c, bool closed)
{
	struct built *b = &a->v[a->n++];
	b->cfg = c;
	b->closed = closed;
	if (closed)
		b->face = (struct face){ c->closed.greeting, c->closed.greeting_prompt, c->closed.menu, c->closed.menu_prompt, c->closed.keys, c->closed.n_keys };
	else
		b->face = (struct face){ c->greeting, c->greeting_prompt, c->menu, c->menu_prompt, c->keys, c->n_keys };
	text_print(b->name, sizeof(b->name), closed ? "%s/closed" : "%s", c->name);
}

int dlg_attendants_create(struct dlg_attendants **ap, const struct cfg *cfg)
{
	return dlg_attendants_create_with(ap, cfg, &dlg_answering, &dlg_subscriber);
}

int dlg_attendants_create_with(struct dlg_attendants **ap, const struct cfg *cfg, const struct dlg_table *message, const struct dlg_table *logon)
{
	struct dlg_attendants *a = mem_object(sizeof(*a), destroy);
	if (!a)
		return ENOMEM;
	a->cfg = cfg_ref(cfg);
	a->message = message;
	a->logon = logon;
	a->v = mem_zalloc(2 * cfg->n_attendants + 1, sizeof(*a->v));
	int err = a->v ? 0 : ENOMEM;
	for (size_t i = 0; !err && i < cfg->n_attendants; i++) {
		begin(a, &cfg->attendants[i], false);
		if (*cfg->attendants[i].schedule)
			begin(a, &cfg->attendants[i], true);
	}
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
		if (text_is_nocase(name, a->v[i].name))
			return &a->v[i].table;
	return NULL;
}
