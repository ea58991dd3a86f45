/* SPDX-License-Identifier: Apache-2.0 */
/* tale.c  See tale.h. A line is kept as its head, its sentence and its advice, each ended by NUL. */
#include "dialogue/tale.h"
#include <string.h>
#include "base/mem.h"
#include "dialogue_events.h"
#include "media_events.h"
#include "sip_events.h"

struct head {
	uint32_t at_ms;
	uint16_t n_text, n_advice; /* without NUL */
	uint8_t what;
};
enum { FIRST_ROOM = 1024, LINE_MAX_BYTES = 8192 };

static const struct {
	const char *name, *text, *advice;
} table[] = {
#define TALE(name, text, advice) [TALE_##name] = { #name, text, advice },
#include "dialogue/tale.def"
#undef TALE
};

static bool make_room(struct dlg_tale *t, size_t more)
{
	size_t room = t->room ? t->room : FIRST_ROOM;
	while (room < t->n + more)
		room *= 2;
	if (room > DLG_TALE_BYTES)
		return false;
	if (room == t->room)
		return true;
	uint8_t *p = mem_realloc(t->p, room);
	if (!p)
		return false;
	t->p = p;
	t->room = (uint32_t)room;
	return true;
}

static bool put(struct dlg_tale *t, const struct head *h, struct text text, struct text advice)
{
	if (!make_room(t, sizeof(*h) + text.n + advice.n + 2))
		return false;
	uint8_t *p = t->p + t->n;
	memcpy(p, h, sizeof(*h));
	p += sizeof(*h);
	memcpy(p, text.p, text.n);
	p[text.n] = '\0';
	p += text.n + 1;
	if (advice.n)
		memcpy(p, advice.p, advice.n);
	p[advice.n] = '\0';
	t->n += (uint32_t)(sizeof(*h) + text.n + advice.n + 2);
	t->lines++;
	return true;
}

void dlg_tale_add(struct dlg_tale *t, int64_t at_ms, enum dlg_tale_what what, const struct ev_report *r, const char *advice)
{
	struct buf text, more;
	buf_init(&text, LINE_MAX_BYTES);
	buf_init(&more, LINE_MAX_BYTES);
	int err = ev_render(table[what].text, r, &text);
	if (!err && advice)
		err = buf_str(&more, advice);
	else if (!err)
		err = ev_render(table[what].advice, r, &more);
	struct head h = { .at_ms = at_ms > 0 ? (uint32_t)at_ms : 0, .n_text = (uint16_t)text.n, .n_advice = (uint16_t)more.n, .what = (uint8_t)what };
	if (err || !put(t, &h, buf_as_text(&text), buf_as_text(&more)))
		t->lost++;
	buf_free(&text);
	buf_free(&more);
}

void dlg_tale_free(struct dlg_tale *t)
{
	mem_free(t->p);
	*t = (struct dlg_tale){ 0 };
}

void dlg_tale_move(struct dlg_tale *to, struct dlg_tale *from)
{
	*to = *from;
	*from = (struct dlg_tale){ 0 };
	uint8_t *p = to->n ? mem_realloc(to->p, to->n) : NULL;
	if (!p)
		return;
	to->p = p;
	to->room = to->n;
}

/* "THEIR_NAME" -> "their-name" */
static void name_of(uint8_t what, char *dst, size_t size)
{
	text_fill(dst, size, table[what].name);
	for (char *p = dst; *p; p++)
		*p = *p == '_' ? '-' : text_lower(*p);
}

void dlg_tale_each(const struct dlg_tale *t, dlg_tale_h *h, void *arg)
{
	char name[48];
	for (size_t at = 0; at < t->n;) {
		struct head head;
		memcpy(&head, t->p + at, sizeof(head));
		const char *text = (const char *)t->p + at + sizeof(head);
		name_of(head.what, name, sizeof(name));
		struct dlg_tale_line l = { .at_ms = head.at_ms, .name = name, .text = text, .advice = text + head.n_text + 1 };
		h(&l, arg);
		at += sizeof(head) + head.n_text + head.n_advice + 2u;
	}
}

bool dlg_tale_covers(uint16_t event)
{
	static const uint16_t told[] = { EV_CALL_REJECTED, EV_CALL_REFUSED, EV_CALL_NOT_SECURE, EV_CALL_NOT_ANSWERED, EV_SIP_NO_COMMON_CODEC, EV_SIP_SOUND_NOT_ENCRYPTED,
		                         EV_SIP_SOUND_ONLY_ENCRYPTED, EV_SIP_SOUND_NO_SUITE, EV_SIP_SOUND_KEYS_OPEN, EV_TRANSFER_FAILED,
		                         EV_SIP_TRANSFER_FAILED, EV_MEDIA_STRANGER_HEARD, EV_MEDIA_RTP_SILENT, EV_FIND_FAILED, EV_CALL_ENDED_BY_ADMIN };
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (told[i] == event)
			return true;
	return false;
}
