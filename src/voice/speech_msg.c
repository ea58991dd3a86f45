/* SPDX-License-Identifier: Apache-2.0 */
/* speech_msg.c  Messages between umbeld and umbel-speech, written and read. */
#include "voice/speech_msg.h"
#include <errno.h>
#include "voice/speaker.h"

/* The numbers of errno differ between machines; both sides are the same build, but what is believed are these only. */
static const int errs[] = { EIO, ENOENT, EAGAIN, ENOTSUP, EINVAL, ENOMEM, ENODATA };

/* ---- writing ---- */
static void put32(struct buf *b, uint32_t v)
{
	uint8_t p[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
	buf_put(b, p, sizeof p);
}

static void put64(struct buf *b, uint64_t v)
{
	put32(b, (uint32_t)v);
	put32(b, (uint32_t)(v >> 32));
}

static void put_text(struct buf *b, struct text t, size_t max)
{
	t = text_head(t, max);
	uint8_t n[2] = { (uint8_t)t.n, (uint8_t)(t.n >> 8) };
	buf_put(b, n, sizeof n);
	buf_text(b, t);
}

size_t speech_begin(struct buf *b, enum speech_type type, uint32_t id)
{
	size_t at = b->n;
	uint8_t head[4] = { 'U', 'S', SPEECH_VERSION, (uint8_t)type };
	buf_put(b, head, sizeof head);
	put32(b, id);
	put32(b, 0);
	return at;
}

void speech_end(struct buf *b, size_t at)
{
	if (buf_error(b))
		return;
	uint32_t n = (uint32_t)(b->n - at - SPEECH_HEAD);
	for (unsigned i = 0; i < 4; i++)
		b->p[at + 8 + i] = (uint8_t)(n >> 8 * i);
}

void speech_put_hello(struct buf *b, const struct speech_hello *h)
{
	put32(b, h->workers);
	buf_char(b, (char)h->speaks);
	buf_char(b, (char)h->hears);
	put_text(b, h->front, SPEECH_NAME_MAX);
	put_text(b, h->reason, SPEECH_NAME_MAX);
}

void speech_put_pcm(struct buf *b, const int16_t *pcm, size_t n)
{
	uint8_t *p = buf_reserve(b, 2 * n);
	for (size_t i = 0; p && i < n; i++) {
		p[2 * i] = (uint8_t)((uint16_t)pcm[i] & 0xff);
		p[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
	}
	if (p)
		buf_grew(b, 2 * n);
}

void speech_put_say(struct buf *b, struct text voice, struct text text)
{
	put_text(b, voice, SPEECH_VOICE_MAX);
	put_text(b, text, SPEECH_TEXT_MAX);
}

void speech_put_said(struct buf *b, enum speech_stand_in why, const int16_t *pcm, size_t n)
{
	buf_char(b, (char)why);
	speech_put_pcm(b, pcm, n);
}

void speech_put_learn(struct buf *b, uint64_t key, const struct speech_entry *v, size_t n)
{
	put64(b, key);
	put32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		put32(b, v[i].id);
		buf_char(b, (char)v[i].kind);
		put_text(b, v[i].name, SPEECH_NAME_MAX);
		put_text(b, v[i].language, SPEECH_LANGUAGE_MAX);
		put_text(b, v[i].pronunciation, SPEECH_NAME_MAX);
	}
}

void speech_put_learned(struct buf *b, const struct speech_learned *l)
{
	put32(b, l->entries);
	put32(b, l->alike);
	put32(b, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		put32(b, l->v[i].a);
		put32(b, l->v[i].b);
	}
}

static void put_memory(struct buf *b, const struct speech_memory *m)
{
	put32(b, m ? m->n : 0);
	for (uint32_t i = 0; m && i < m->n; i++) {
		put32(b, m->v[i].id);
		put32(b, m->v[i].behind);
		buf_char(b, (char)m->v[i].refused);
	}
}

void speech_put_hear(struct buf *b, uint64_t key, const struct speech_memory *before, const int16_t *pcm, size_t n)
{
	put64(b, key);
	put_memory(b, before);
	speech_put_pcm(b, pcm, n);
}

void speech_put_result(struct buf *b, const struct speech_result *r)
{
	put32(b, r->sure);
	put32(b, r->cpu_ms);
	put32(b, r->n);
	for (uint32_t i = 0; i < r->n; i++) {
		put32(b, r->v[i].id);
		put32(b, (uint32_t)r->v[i].score);
		put32(b, r->v[i].posterior);
	}
	put_memory(b, &r->memory);
}

void speech_refuse(struct speech_memory *m, const struct speech_result *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		for (uint32_t k = 0; k < m->n; k++)
			m->v[k].refused |= m->v[k].id == r->v[i].id;
}

void speech_put_failed(struct buf *b, int err)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < sizeof errs / sizeof *errs; i++)
		if (errs[i] == err)
			n = i;
	put32(b, n);
}

/* ---- reading ---- */
struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t n)
{
	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	r->left -= n;
	return p;
}

static uint32_t get32(struct reader *r)
{
	const uint8_t *p = take(r, 4);
	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static uint64_t get64(struct reader *r)
{
	uint64_t low = get32(r);
	return low | (uint64_t)get32(r) << 32;
}

/* A number below `end`. */
static uint32_t get_below(struct reader *r, uint32_t end)
{
	uint32_t v = get32(r);
	if (v >= end)
		r->bad = true;
	return r->bad ? 0 : v;
}

static uint8_t get8(struct reader *r, uint8_t end)
{
	const uint8_t *p = take(r, 1);
	if (p && *p >= end)
		r->bad = true;
	return p && !r->bad ? *p : 0;
}

static struct text get_text(struct reader *r, size_t max)
{
	const uint8_t *p = take(r, 2);
	size_t n = p ? (size_t)p[0] | (size_t)p[1] << 8 : 0;
	if (n > max)
		r->bad = true;
	p = take(r, n);
	if (p && memchr(p, 0, n))
		r->bad = true;
	return p && !r->bad ? text_make(p, n) : TEXT_NONE;
}

static int at_end(const struct reader *r)
{
	return r->bad || r->left ? EPROTO : 0;
}

int speech_head_parse(struct speech_head *h, const uint8_t *p, size_t n)
{
	struct reader r = { p + 4, SPEECH_HEAD - 4, false };
	if (n < SPEECH_HEAD)
		return EAGAIN;
	if (p[0] != 'U' || p[1] != 'S')
		return EPROTO;
	if (p[2] != SPEECH_VERSION)
		return EPROTONOSUPPORT;
	if (p[3] < SPEECH_HELLO || p[3] >= SPEECH_TYPES)
		return EPROTO;
	h->type = (enum speech_type)p[3];
	h->id = get32(&r);
	h->n = get32(&r);
	return h->n > SPEECH_BODY_MAX ? EPROTO : 0;
}

int speech_get_hello(struct speech_hello *h, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	h->workers = get_below(&r, 1025);
	h->speaks = get8(&r, 2) != 0;
	h->hears = get8(&r, 2) != 0;
	h->front = get_text(&r, SPEECH_NAME_MAX);
	h->reason = get_text(&r, SPEECH_NAME_MAX);
	return at_end(&r);
}

int speech_get_pcm(int16_t *pcm, size_t max, const uint8_t *p, size_t n)
{
	if (n % 2 || n / 2 > max)
		return EPROTO;
	for (size_t i = 0; i < n / 2; i++)
		pcm[i] = (int16_t)(uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
	return 0;
}

int speech_get_say(struct text *voice, struct text *text, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	*voice = get_text(&r, SPEECH_VOICE_MAX);
	*text = get_text(&r, SPEECH_TEXT_MAX);
	return voice->n && !speaker_voice_good(*voice) ? EPROTO : at_end(&r);
}

int speech_get_said(enum speech_stand_in *why, const uint8_t **pcm, size_t *pcm_n, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	*why = (enum speech_stand_in)get8(&r, SPEECH_STAND_INS);
	*pcm = r.p;
	*pcm_n = r.left;
	return r.bad ? EPROTO : 0;
}

static struct speech_entry get_entry(struct reader *r)
{
	struct speech_entry e = { .id = get32(r) };
	e.kind = (enum speech_kind)get8(r, SPEECH_KINDS);
	e.name = get_text(r, SPEECH_NAME_MAX);
	e.language = get_text(r, SPEECH_LANGUAGE_MAX);
	e.pronunciation = get_text(r, SPEECH_NAME_MAX);
	return e;
}

int speech_get_learn(struct speech_learn *l, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	l->key = get64(&r);
	l->n = get_below(&r, SPEECH_ENTRIES_MAX + 1);
	l->p = r.p;
	l->left = r.left;
	for (uint32_t i = 0; i < l->n && !r.bad; i++)
		(void)get_entry(&r);
	return at_end(&r);
}

bool speech_next_entry(struct speech_learn *l, struct speech_entry *e)
{
	struct reader r = { l->p, l->left, false };
	if (!l->n)
		return false;
	*e = get_entry(&r);
	l->p = r.p;
	l->left = r.left;
	l->n--;
	return !r.bad;
}

int speech_get_learned(struct speech_learned *l, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	l->entries = get_below(&r, SPEECH_ENTRIES_MAX + 1);
	l->alike = get32(&r);
	l->n = get_below(&r, SPEECH_ALIKE_MAX + 1);
	for (uint32_t i = 0; i < l->n; i++) {
		l->v[i].a = get32(&r);
		l->v[i].b = get32(&r);
	}
	return at_end(&r);
}

static void get_memory(struct reader *r, struct speech_memory *m)
{
	*m = (struct speech_memory){ .n = get_below(r, SPEECH_KEPT + 1) };
	for (uint32_t i = 0; i < m->n; i++) {
		m->v[i].id = get32(r);
		m->v[i].behind = get_below(r, SPEECH_BEHIND_MAX + 1);
		m->v[i].refused = get8(r, 2) != 0;
	}
}

int speech_get_hear(uint64_t *key, struct speech_memory *before, const uint8_t **pcm, size_t *pcm_n, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	*key = get64(&r);
	get_memory(&r, before);
	*pcm = r.p;
	*pcm_n = r.left;
	return r.bad ? EPROTO : 0;
}

int speech_get_result(struct speech_result *v, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	v->sure = (enum speech_class)get_below(&r, SPEECH_CLASSES);
	v->cpu_ms = get32(&r);
	v->n = get_below(&r, SPEECH_HEARD_MAX + 1);
	for (uint32_t i = 0; i < v->n; i++) {
		v->v[i].id = get32(&r);
		v->v[i].score = (int32_t)get32(&r);
		v->v[i].posterior = get_below(&r, 1001);
	}
	get_memory(&r, &v->memory);
	return at_end(&r);
}

int speech_get_failed(int *err, const uint8_t *p, size_t n)
{
	struct reader r = { p, n, false };
	*err = errs[get_below(&r, sizeof errs / sizeof *errs)];
	return at_end(&r);
}
