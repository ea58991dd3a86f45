/* SPDX-License-Identifier: Apache-2.0 */
/* record.c  Names, and records as lines of JSON. */
#include "records/record.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"
#include "base/mem.h"

void record_init(struct call_record *r)
{
	memset(r, 0, sizeof *r);
	int64_t *const unknown[] = { &r->received, &r->lost, &r->peer_lost, &r->jitter_us, &r->round_trip_us, &r->nmos_centi, &r->degradation_centi,
		                     &r->degradation_jitter_centi, &r->degradation_loss_centi, &r->burst_density_centi, &r->burst_gap_ms };
	for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++)
		*unknown[i] = RECORD_UNKNOWN;
}

const char *record_kind_name(enum record_kind k)
{
	static const char *const names[RECORD_KINDS] = { "none", "voice-message", "missed", "answered", "subscriber", "unauthenticated", "attendant",
		                                         "play-on-phone", "greeting", "find-me", "put-through" };
	return k < RECORD_KINDS ? names[k] : "?";
}

const char *record_offer_name(enum record_offer o)
{
	static const char *const names[RECORD_OFFERS] = { "none", "answer", "failed", "rejected", "redirected" };
	return o < RECORD_OFFERS ? names[o] : "?";
}

const char *record_what_name(enum record_what w)
{
	static const char *const names[RECORD_WHATS] = { "entered", "key", "number", "wrong", "silence", "said", "spelt", "not-heard", "not-found",
		                                         "transfer", "message", "logon", "gave-up", "left" };
	return w < RECORD_WHATS ? names[w] : "?";
}

void record_day(int64_t real_us, char day[11])
{
	time_t s = (time_t)(real_us / 1000000);
	struct tm tm;
	if (!localtime_r(&s, &tm) || strftime(day, 11, "%Y-%m-%d", &tm) != 10)
		memcpy(day, "0000-00-00", 11);
}

struct record_item *record_item(const struct call_record *r, const struct call_box *box, unsigned n_boxes, const struct call_step *step, unsigned n_steps)
{
	n_steps = n_steps < RECORD_STEPS ? n_steps : RECORD_STEPS;
	n_boxes = n_boxes < RECORD_BOXES ? n_boxes : RECORD_BOXES;
	struct record_item *it = mem_zalloc(1, sizeof *it + n_steps * sizeof it->step[0]);
	if (!it)
		return NULL;
	it->r = *r;
	it->n_boxes = n_boxes;
	it->n_steps = n_steps;
	for (unsigned i = 0; i < n_boxes; i++)
		it->box[i] = box[i];
	for (unsigned i = 0; i < n_steps; i++)
		it->step[i] = step[i];
	return it;
}

/* ---- as JSON ---- */
/* What came by the wire may be no UTF-8; the store would clean it as well. */
static json_t *text(const char *s)
{
	char line[1024];
	json_t *v = json_string(s);
	return v ? v : json_string(text_escape(text_of(s), line, sizeof line));
}

static json_t *boxes_json(const struct record_item *it)
{
	json_t *v = json_array();
	for (unsigned i = 0; i < it->n_boxes; i++) {
		const struct call_box *b = &it->box[i];
		json_array_append_new(v, json_pack("{s:o, s:b, s:b, s:b, s:i, s:i}", "mailbox", text(b->mailbox), "called", b->called, "message", b->message,
		                                   "missed", b->missed, "logons", b->logons, "failed", b->failed));
	}
	return v;
}

static json_t *steps_json(const struct record_item *it)
{
	json_t *v = json_array();
	for (unsigned i = 0; i < it->n_steps; i++) {
		const struct call_step *s = &it->step[i];
		json_array_append_new(v, json_pack("{s:I, s:o, s:s, s:s, s:o, s:o}", "at_ms", (json_int_t)s->at_ms, "attendant", text(s->attendant), "menu", s->menu,
		                                   "what", s->what, "value", text(s->value), "target", text(s->target)));
	}
	return v;
}

static int dump(const char *p, size_t n, void *arg)
{
	return buf_put(arg, p, n) ? -1 : 0;
}

int record_write(const struct record_item *it, struct buf *out)
{
	const struct call_record *r = &it->r;
	json_t *o = json_object();
	int bad = o ? 0 : -1;
#define OUT_T(member, size) bad |= json_object_set_new(o, #member, text(r->member));
#define OUT_I(member) bad |= json_object_set_new(o, #member, json_integer((json_int_t)r->member));
	RECORD_FIELDS(OUT_T, OUT_I)
	bad |= json_object_set_new(o, "boxes", boxes_json(it));
	bad |= json_object_set_new(o, "path", steps_json(it));
	int err = bad ? ENOMEM : json_dump_callback(o, dump, out, JSON_COMPACT) ? buf_error(out) ? buf_error(out) : ENOMEM : 0;
	json_decref(o);
	return err;
}

static bool take_text(const json_t *o, const char *key, char *dst, size_t size)
{
	const char *s = json_string_value(json_object_get(o, key));
	text_fill(dst, size, s ? s : "");
	return s != NULL || strcmp(key, "keys") == 0; /* an older release spooled it without them */
}

static bool take_int(const json_t *o, const char *key, int64_t *v)
{
	const json_t *x = json_object_get(o, key);
	*v = json_integer_value(x);
	return json_is_integer(x);
}

static bool take_record(const json_t *o, struct call_record *r)
{
	bool good = true;
/* lines of a release that did not know them yet lack these */
#define IN_T(member, size) good = (take_text(o, #member, r->member, size) || strcmp(#member, "srtp") == 0 || strcmp(#member, "keys") == 0) && good;
#define IN_I(member) good = take_int(o, #member, &r->member) && good;
	RECORD_FIELDS(IN_T, IN_I)
	return good && r->id[0] && r->started_us > 0;
}

static bool take_box(const json_t *o, struct call_box *b)
{
	int64_t logons, failed;
	bool good = take_text(o, "mailbox", b->mailbox, sizeof b->mailbox) && b->mailbox[0] && take_int(o, "logons", &logons) && take_int(o, "failed", &failed);
	if (!good || logons < 0 || logons > UINT16_MAX || failed < 0 || failed > UINT16_MAX)
		return false;
	b->called = json_is_true(json_object_get(o, "called"));
	b->message = json_is_true(json_object_get(o, "message"));
	b->missed = json_is_true(json_object_get(o, "missed"));
	b->logons = (uint16_t)logons;
	b->failed = (uint16_t)failed;
	return true;
}

static bool take_step(const json_t *o, struct call_step *s)
{
	return take_int(o, "at_ms", &s->at_ms) && take_text(o, "attendant", s->attendant, sizeof s->attendant) && take_text(o, "menu", s->menu, sizeof s->menu) &&
	       take_text(o, "what", s->what, sizeof s->what) && take_text(o, "value", s->value, sizeof s->value) && take_text(o, "target", s->target, sizeof s->target);
}

static bool take_item(const json_t *o, struct record_item *it)
{
	bool good = take_record(o, &it->r);
	for (unsigned i = 0; good && i < it->n_boxes; i++)
		good = take_box(json_array_get(json_object_get(o, "boxes"), i), &it->box[i]);
	for (unsigned i = 0; good && i < it->n_steps; i++)
		good = take_step(json_array_get(json_object_get(o, "path"), i), &it->step[i]);
	return good;
}

int record_read(struct record_item **itp, struct text line)
{
	json_t *o = line.n ? json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	size_t n_boxes = json_array_size(json_object_get(o, "boxes")), n_steps = json_array_size(json_object_get(o, "path"));
	bool fits = json_is_object(o) && n_boxes <= RECORD_BOXES && n_steps <= RECORD_STEPS;
	struct record_item *it = fits ? mem_zalloc(1, sizeof *it + n_steps * sizeof it->step[0]) : NULL;
	int err = fits ? it ? 0 : ENOMEM : EBADMSG;
	if (!err) {
		it->n_boxes = (unsigned)n_boxes;
		it->n_steps = (unsigned)n_steps;
		err = take_item(o, it) ? 0 : EBADMSG;
	}
	json_decref(o);
	if (err)
		mem_free(it);
	else
		*itp = it;
	return err;
}
