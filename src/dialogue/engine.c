/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c  What drives the tables of engine.h.
 *
 *   key, end of prompt, timer, job, hang-up -> next -> handle(): find the row, do, go -> more `next`? again
 *                                                                                      -> none: rest(): match keys that wait,
 *                                                                                         say what is pending, start the clock */
#include "dialogue/engine.h"
#include <assert.h>
#include <errno.h>
#include "base/mem.h"

static struct dlg_frame *top(struct dlg_engine *e)
{
	return &e->stack[e->depth - 1];
}

static const struct dlg_state *state_of(struct dlg_engine *e)
{
	return &top(e)->table->states[top(e)->state];
}

static void set_next(struct dlg_engine *e, enum dlg_event_type type, int code)
{
	e->next = (struct dlg_event){ .type = type, .code = code };
	e->has_next = true;
}

static void stop_timers(struct dlg_engine *e)
{
	e->io->timer(e->io_arg, DLG_T_STATE, -1);
	if (e->key_waiting)
		e->io->timer(e->io_arg, DLG_T_KEY, -1);
	e->key_waiting = false;
}

static void start_clock(struct dlg_engine *e)
{
	uint32_t ms = state_of(e)->timeout_ms;
	e->io->timer(e->io_arg, DLG_T_STATE, ms ? (int64_t)ms : -1);
}

static void hush(struct dlg_engine *e)
{
	if (e->saying)
		e->io->hush(e->io_arg);
	e->saying = false;
}

/* ---- what is said ---- */
const char *dlg_said_text(const struct dlg_utterance *u, unsigned i)
{
	return u->word[i].fixed ? u->word[i].fixed : u->texts + u->word[i].text_at;
}

/* Where the copy lies; 0, the empty text, when there is no room. */
static uint16_t keep_text(struct dlg_utterance *u, const char *text)
{
	uint16_t at = u->text_used ? u->text_used : 1;
	if (sizeof(u->texts) - at < DLG_WORD_TEXT)
		return 0;
	text_fill(u->texts + at, DLG_WORD_TEXT, text);
	u->text_used = (uint16_t)(at + strlen(u->texts + at) + 1);
	return at;
}

/* NULL: no memory; then what should have been said counts as said. */
static struct dlg_utterance *pending(struct dlg_engine *e)
{
	struct dlg_utterance *u = e->pending;
	if (!u && (u = e->pending = mem_alloc(sizeof(*u))) != NULL) {
		u->n = u->text_used = 0;
		u->texts[0] = '\0';
	}
	e->wordless = !u;
	return u;
}

static bool has_words(const struct dlg_engine *e)
{
	return e->wordless || (e->pending && e->pending->n);
}

static void no_words(struct dlg_engine *e)
{
	mem_free(e->pending);
	e->pending = NULL;
	e->wordless = false;
}

static void append_word(struct dlg_engine *e, const struct dlg_phrase *p)
{
	struct dlg_utterance *u = pending(e);
	if (!u || u->n == DLG_WORDS)
		return;
	struct dlg_said *w = &u->word[u->n++];
	*w = (struct dlg_said){ .kind = p->kind, .prompt = p->prompt, .singular = p->singular, .plural = p->plural };
	w->number = p->number ? p->number(e->s) : p->clip;
	w->fixed = p->fixed;
	const char *text = p->text ? p->text(e->s) : NULL;
	if (text && p->lasts)
		w->fixed = text;
	else if (text)
		w->text_at = keep_text(u, text);
}

static void append(struct dlg_engine *e, const struct dlg_phrase *p)
{
	if (e->gone)
		return;
	for (; p && p->kind != DLG_W_END; p++)
		if (!p->only_if || p->only_if(e->s))
			append_word(e, p);
}

static void speak(struct dlg_engine *e)
{
	e->say_id++;
	e->saying = true;
	e->io->timer(e->io_arg, DLG_T_STATE, -1);
	if (e->entered && state_of(e)->flags & DLG_CLOCK_NOW)
		start_clock(e);
	int err = e->pending ? e->io->say(e->io_arg, e->pending, e->say_id) : ENOMEM;
	no_words(e);
	if (err) {
		e->saying = false;
		set_next(e, DLG_ENDED, 0);
	}
}

/* ---- the stack ---- */
static void push(struct dlg_engine *e, const struct dlg_table *t)
{
	assert(e->depth < DLG_DEPTH);
	e->stack[e->depth++] = (struct dlg_frame){ .table = t, .state = t->start };
	mem_ref(t->owner);
}

static void pop(struct dlg_engine *e)
{
	void *owner = top(e)->table->owner;
	e->depth--;
	mem_unref(owner);
}

static void end(struct dlg_engine *e, int result)
{
	e->over = true;
	e->result = result;
	e->has_next = false;
	hush(e);
	stop_timers(e);
	while (e->depth)
		pop(e);
	no_words(e);
}

/* The state on top is new: what it says comes later, in rest(); a table that it calls starts now. */
static void enter(struct dlg_engine *e)
{
	while (state_of(e)->call) {
		const struct dlg_table *called = state_of(e)->call;
		void *owner = mem_ref(called->owner); /* a table may be called by its own like */
		append(e, state_of(e)->say);
		if (state_of(e)->flags & DLG_TAIL)
			pop(e);
		push(e, called);
		mem_unref(owner);
	}
	e->entered = true;
	set_next(e, DLG_ENTER, 0);
}

static void go(struct dlg_engine *e, uint16_t where, int err)
{
	if (where == DLG_STAY) {
		if (err)
			e->next = (struct dlg_event){ .type = DLG_FAILED, .code = err, .own = true };
		e->has_next = err != 0;
		return;
	}
	hush(e);
	stop_timers(e);
	if (where & DLG_RETURN_BIT) {
		int code = where & 0xff;
		pop(e);
		e->entered = false;
		if (e->depth)
			set_next(e, DLG_RESULT, code);
		else
			end(e, code);
		return;
	}
	assert(where < top(e)->table->n_states);
	top(e)->state = (uint8_t)where;
	e->entered = true;
	if (err) {
		e->next = (struct dlg_event){ .type = DLG_FAILED, .code = err, .own = true };
		e->has_next = true;
	} else {
		enter(e);
	}
}

/* ---- rows ---- */
static bool row_here(struct dlg_engine *e, const struct dlg_row *r, enum dlg_event_type type)
{
	return r->when.event == type && (r->in == DLG_ANY || r->in == top(e)->state) && (!r->only_if.h || r->only_if.h(e->s));
}

static const struct dlg_row *find(struct dlg_engine *e, const struct dlg_event *ev)
{
	e->code = ev->code; /* guards may ask for it */
	if (ev->row)
		return ev->row;
	const struct dlg_table *t = top(e)->table;
	for (unsigned i = 0; i < t->n_rows; i++) {
		const struct dlg_row *r = &t->rows[i];
		if (row_here(e, r, ev->type) && (!r->when.code || r->when.code == ev->code))
			return r;
	}
	return NULL;
}

static void tell_step(struct dlg_engine *e, const struct dlg_frame *f, const struct dlg_row *r, const struct dlg_event *ev)
{
	if (!e->io->step || ev->type == DLG_ENTER)
		return;
	bool secret = f->table->states[f->state].flags & DLG_SECRET;
	bool keyed = ev->type == DLG_KEYS || ev->type == DLG_WRONG;
	struct dlg_step st = { .table = f->table, .from = f->state, .event = ev->type, .code = ev->code, .keys = keyed && !secret ? e->matched : "" };
	if (r->go & DLG_RETURN_BIT) {
		st.to = f->state;
		st.result = r->go & 0xff;
	} else {
		st.to = (uint8_t)r->go;
	}
	e->io->step(e->io_arg, &st);
}

static void apply(struct dlg_engine *e, const struct dlg_row *r, const struct dlg_event *ev)
{
	void *owner = mem_ref(top(e)->table->owner); /* the row must outlive its table's frame */
	e->arg = r->arg;
	e->code = ev->code;
	if (r->flush)
		e->n_keys = 0;
	e->job_in_action = false;
	if (ev->type == DLG_TIMEOUT && r->go != DLG_STAY)
		e->job_id = 0; /* given up: what it brings is not for where the conversation goes now */
	tell_step(e, top(e), r, ev);
	int err = r->act.h ? r->act.h(e->s) : 0;
	if (!err)
		append(e, r->say);
	else if (e->job_in_action)
		e->job_id = 0; /* it was not started after all */
	go(e, r->go, err);
	if (!e->over && r->go == DLG_STAY && (ev->type == DLG_KEYS || ev->type == DLG_WRONG) && !e->saying)
		start_clock(e);
	mem_unref(owner);
}

static void unhandled(struct dlg_engine *e, const struct dlg_event *ev)
{
	switch (ev->type) {
	case DLG_HANGUP: /* the caller of this table may know more */
		pop(e);
		e->entered = false;
		if (e->depth)
			set_next(e, DLG_HANGUP, 0);
		else
			end(e, 0);
		break;
	case DLG_RESULT: /* what a table does not know, it hands on */
		pop(e);
		if (e->depth)
			set_next(e, DLG_RESULT, ev->code);
		else
			end(e, ev->code);
		break;
	case DLG_FAILED:
		if (ev->own)
			end(e, 0);
		break;
	case DLG_ENDED:
	case DLG_WRONG:
	case DLG_SPOKEN:
		start_clock(e);
		break;
	default:
		break;
	}
}

static void handle(struct dlg_engine *e)
{
	struct dlg_event ev = e->next;
	e->has_next = false;
	const struct dlg_row *r = find(e, &ev);
	if (r)
		apply(e, r, &ev);
	else
		unhandled(e, &ev);
}

/* ---- keys ---- */
static bool takes_keys(struct dlg_engine *e)
{
	const struct dlg_table *t = top(e)->table;
	for (unsigned i = 0; i < t->n_rows; i++)
		if (row_here(e, &t->rows[i], DLG_KEYS) || row_here(e, &t->rows[i], DLG_WRONG))
			return true;
	return false;
}

static void consume(struct dlg_engine *e, unsigned n)
{
	memcpy(e->matched, e->keys, n);
	e->matched[n] = '\0';
	e->n_keys -= n;
	memmove(e->keys, e->keys + n, e->n_keys);
	e->key_time_up = false;
}

/* True if the waiting keys became an event. */
static bool match(struct dlg_engine *e)
{
	const struct dlg_table *t = top(e)->table;
	const struct dlg_row *best = NULL;
	int longest = 0;
	bool more = false;
	if (e->key_waiting)
		e->io->timer(e->io_arg, DLG_T_KEY, -1);
	e->key_waiting = false;
	for (unsigned i = 0; i < t->n_rows; i++) {
		const struct dlg_row *r = &t->rows[i];
		if (!row_here(e, r, DLG_KEYS))
			continue;
		int n = dlg_pattern(r->when.keys, e->keys, e->n_keys);
		more = more || n < 0;
		if (n > longest) {
			longest = n;
			best = r;
		}
	}
	if (more && !e->key_time_up) {
		e->io->timer(e->io_arg, DLG_T_STATE, -1);
		e->io->timer(e->io_arg, DLG_T_KEY, e->inter_digit_ms);
		e->key_waiting = true;
		return false;
	}
	consume(e, best ? (unsigned)longest : e->n_keys);
	set_next(e, best ? DLG_KEYS : DLG_WRONG, 0);
	e->next.row = best;
	return true;
}

/* Nothing more to do at once. True if that brought up another event. */
static bool rest(struct dlg_engine *e)
{
	bool fresh = e->entered;
	const struct dlg_state *st = state_of(e);
	if (e->gone) {
		e->entered = false;
		no_words(e);
		if (fresh)
			start_clock(e);
		if (fresh && st->say)
			set_next(e, DLG_ENDED, 0);
		return e->has_next;
	}
	if (fresh)
		append(e, st->say);
	bool must_hear = st->flags & DLG_NO_BARGE && (has_words(e) || e->saying);
	if (e->n_keys && !must_hear && takes_keys(e)) {
		hush(e);
		no_words(e);
		e->entered = false;
		return match(e);
	}
	/* What was to be said on the way to a state that only waits for a job is kept for the next one: the job's end would cut it. */
	if (has_words(e) && (st->say || !e->job_id))
		speak(e);
	else if (fresh)
		start_clock(e);
	e->entered = false;
	return e->has_next;
}

static void drive(struct dlg_engine *e)
{
	assert(!e->running); /* the functions of dlg_io must not call back */
	e->running = true;
	for (unsigned steps = 0; !e->over; steps++) {
		if (steps == DLG_STEPS) {
			end(e, 0); /* a table that never rests; the walker looks for them */
			break;
		}
		if (e->has_next)
			handle(e);
		else if (!rest(e))
			break;
	}
	e->running = false;
	if (!e->over && e->io->rests)
		e->io->rests(e->io_arg);
	if (e->over && !e->told) {
		e->told = true;
		e->io->over(e->io_arg, e->result);
	}
}

/* ---- what happens ---- */
void dlg_engine_init(struct dlg_engine *e, struct dlg_session *s, const struct dlg_io *io, void *io_arg)
{
	*e = (struct dlg_engine){ .s = s, .io = io, .io_arg = io_arg, .inter_digit_ms = DLG_INTER_DIGIT_MS };
}

void dlg_start(struct dlg_engine *e, const struct dlg_table *table)
{
	push(e, table);
	enter(e);
	drive(e);
}

void dlg_engine_close(struct dlg_engine *e)
{
	while (e->depth)
		pop(e);
	no_words(e);
	e->over = e->told = true;
}

static bool deaf(const struct dlg_engine *e)
{
	return e->over || !e->depth;
}

void dlg_key(struct dlg_engine *e, char key)
{
	if (deaf(e) || e->gone || e->n_keys == DLG_TYPE_AHEAD)
		return;
	e->keys[e->n_keys++] = key;
	e->key_time_up = false;
	drive(e);
}

void dlg_speaks(struct dlg_engine *e)
{
	if (deaf(e) || e->gone)
		return;
	hush(e);
	e->io->timer(e->io_arg, DLG_T_STATE, -1);
}

void dlg_heard(struct dlg_engine *e, struct text words)
{
	if (deaf(e) || e->gone || e->key_waiting) /* he dials: the end of that decides, and starts the clock again */
		return;
	const struct dlg_table *t = top(e)->table;
	hush(e);
	for (unsigned i = 0; i < t->n_rows; i++) {
		const struct dlg_row *r = &t->rows[i];
		if (row_here(e, r, DLG_KEYS) && r->when.spoken && dlg_spoken(r->when.spoken, words)) {
			set_next(e, DLG_KEYS, 0);
			e->next.row = r;
			e->matched[0] = '\0';
			drive(e);
			return;
		}
	}
	set_next(e, DLG_SPOKEN, 0);
	e->next.spoken = words;
	drive(e);
}

void dlg_said(struct dlg_engine *e, uint32_t id)
{
	if (deaf(e) || !e->saying || id != e->say_id)
		return;
	e->saying = false;
	set_next(e, DLG_ENDED, 0);
	drive(e);
}

void dlg_timer_fired(struct dlg_engine *e, enum dlg_timer which)
{
	if (deaf(e))
		return;
	if (which == DLG_T_STATE) {
		set_next(e, DLG_TIMEOUT, 0);
	} else if (e->key_waiting) {
		e->key_waiting = false;
		e->key_time_up = true;
	}
	drive(e);
}

static void job_event(struct dlg_engine *e, uint32_t job, enum dlg_event_type type, int code)
{
	if (!dlg_awaits(e, job))
		return;
	if (type != DLG_PROGRESS)
		e->job_id = 0;
	set_next(e, type, code);
	drive(e);
}

void dlg_job_done(struct dlg_engine *e, uint32_t job, int code)
{
	job_event(e, job, DLG_DONE, code);
}

void dlg_job_failed(struct dlg_engine *e, uint32_t job, int err)
{
	job_event(e, job, DLG_FAILED, err);
}

void dlg_job_progress(struct dlg_engine *e, uint32_t job, int code)
{
	job_event(e, job, DLG_PROGRESS, code);
}

void dlg_hangup(struct dlg_engine *e)
{
	if (deaf(e) || e->gone)
		return;
	e->gone = true;
	e->n_keys = 0;
	no_words(e);
	hush(e);
	set_next(e, DLG_HANGUP, 0);
	drive(e);
}
